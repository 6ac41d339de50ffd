from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_public_key,
)
from hypothesis import given
from hypothesis import strategies as st

from pytest_kmsmock._kms.api.key_specs import KEY_SPECS
from pytest_kmsmock._kms.crypto import InvalidMaterial, generate, load
from pytest_kmsmock._kms.crypto.ed25519 import Ed25519Material

SPEC = KEY_SPECS["ECC_NIST_EDWARDS25519"]
WYCHEPROOF = json.loads((Path(__file__).parent / "vectors" / "ed25519.json").read_text())["ed25519"]
PURE, PREHASHED = "ED25519_SHA_512", "ED25519_PH_SHA_512"


def material_of(secret: str) -> Ed25519Material:
    material = generate(SPEC, lambda length: bytes.fromhex(secret)[:length])
    assert isinstance(material, Ed25519Material)
    return material


@pytest.mark.parametrize("case", WYCHEPROOF, ids=lambda case: f"wycheproof-{case['tcId']}-{'-'.join(case['flags'])}")
def test_wycheproof_signatures(case: dict[str, str]) -> None:
    public = load_der_public_key(bytes.fromhex(case["publicKeyDer"]))
    assert isinstance(public, Ed25519PublicKey)
    material = replace(material_of("00" * 32), _public=public)
    verified = material.verify(PURE, bytes.fromhex(case["msg"]), "RAW", bytes.fromhex(case["sig"]))
    # Public keys of small or mixed order, where implementations may differ, are the library's own choice.
    assert verified == (case["result"] == "valid") or case["result"] == "acceptable"


@pytest.mark.parametrize(
    ("secret", "message", "signature"),
    [
        pytest.param(
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
            id="RFC 8032, 7.1, test 1",
        ),
        pytest.param(
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
            id="RFC 8032, 7.1, test 2",
        ),
    ],
)
def test_published_ed25519_signatures(secret: str, message: str, signature: str) -> None:
    material = material_of(secret)
    assert material.sign(PURE, bytes.fromhex(message), "RAW").hex() == signature
    assert material.verify(PURE, bytes.fromhex(message), "RAW", bytes.fromhex(signature))


def test_published_ed25519ph_signature() -> None:
    # RFC 8032, 7.3; Ed25519ph hashes what it is given, as KMS does with a DIGEST.
    material = material_of("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42")
    signature = material.sign(PREHASHED, b"abc", "DIGEST")
    assert signature.hex() == (
        "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41"
        "31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406"
    )
    assert material.verify(PREHASHED, b"abc", "DIGEST", signature)


@given(message=st.binary(max_size=4096))
def test_signatures_agree_with_independent_code(message: bytes) -> None:
    material = material_of("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = load_der_public_key(material.public_key_der())
    assert isinstance(public, Ed25519PublicKey)
    signature = material.sign(PURE, message, "RAW")
    public.verify(signature, message)
    assert len(signature) == 64


def test_pyjwt_takes_a_signature_as_eddsa() -> None:
    material = generate(SPEC)
    verifier = jwt.algorithms.get_default_algorithms()["EdDSA"]
    key = load_der_public_key(material.public_key_der())
    assert verifier.verify(b"e30.e30", key, material.sign(PURE, b"e30.e30", "RAW"))


def test_openssl_verifies_signatures(openssl: Callable[..., bytes]) -> None:
    material = generate(SPEC)
    verified = openssl(
        *("pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "{public}"),
        *("-rawin", "-in", "{message}", "-sigfile", "{signature}"),
        public=material.public_key_der(),
        message=b"message",
        signature=material.sign(PURE, b"message", "RAW"),
    )
    assert verified == b"Signature Verified Successfully\n"


def test_the_two_algorithms_do_not_verify_each_other() -> None:
    material = generate(SPEC)
    digest = hashlib.sha512(b"message").digest()
    assert not material.verify(PURE, digest, "RAW", material.sign(PREHASHED, digest, "DIGEST"))
    assert not material.verify(PREHASHED, digest, "DIGEST", material.sign(PURE, digest, "RAW"))


@pytest.mark.parametrize("algorithm", [PURE, PREHASHED])
@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(64), bytes(65), b"\xff" * 64])
def test_malformed_signatures_do_not_verify(algorithm: str, signature: bytes) -> None:
    assert not generate(SPEC).verify(algorithm, bytes(64), "RAW", signature)


def test_keys_are_those_of_rfc_8410() -> None:
    # RFC 8410, 10.3
    der = bytes.fromhex(
        "302e020100300506032b657004220420d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842"
    )
    material = load(SPEC, der)
    assert material.private_bytes() == der
    assert material.public_key_der().hex() == (
        "302a300506032b657003210019bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1"
    )


def test_keys_of_another_curve_or_length_are_refused() -> None:
    for der in (
        X25519PrivateKey.generate().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        bytes.fromhex("302d020100300506032b6570042104" + "1f" + "00" * 31),
    ):
        with pytest.raises(InvalidMaterial):
            load(SPEC, der)


def test_any_32_bytes_are_a_key() -> None:
    key = Ed25519PrivateKey.from_private_bytes(b"\xff" * 32)
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    assert load(SPEC, der).private_bytes() == generate(SPEC, lambda length: b"\xff" * length).private_bytes() == der
