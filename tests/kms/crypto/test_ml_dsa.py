from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import mldsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_public_key,
)

from pytest_kmsmock._kms.api.key_specs import KEY_SPECS
from pytest_kmsmock._kms.crypto import InvalidMaterial, generate, load
from pytest_kmsmock._kms.crypto.ml_dsa import MlDsaMaterial
from pytest_kmsmock._kms.crypto.primitives import der

WYCHEPROOF = json.loads((Path(__file__).parent / "vectors" / "ml_dsa.json").read_text())["mldsa_44_verify"]
ALGORITHM = "ML_DSA_SHAKE_256"
PRIVATE = {
    "ML_DSA_44": mldsa.MLDSA44PrivateKey,
    "ML_DSA_65": mldsa.MLDSA65PrivateKey,
    "ML_DSA_87": mldsa.MLDSA87PrivateKey,
}
#: FIPS 204, table 2: bytes of public key and signature.
SIZES = {"ML_DSA_44": (1312, 2420), "ML_DSA_65": (1952, 3309), "ML_DSA_87": (2592, 4627)}


def external_mu(public_key: bytes, message: bytes) -> bytes:
    """The message representative of FIPS 204, algorithm 7, line 6, and of algorithm 2 with an empty context."""
    public_hash = hashlib.shake_256(public_key).digest(64)
    return hashlib.shake_256(public_hash + b"\0\0" + message).digest(64)


@pytest.mark.parametrize("case", WYCHEPROOF, ids=lambda case: f"wycheproof-{case['tcId']}-{'-'.join(case['flags'])}")
def test_wycheproof_signatures(case: dict[str, str]) -> None:
    material = generate(KEY_SPECS["ML_DSA_44"])
    assert isinstance(material, MlDsaMaterial)
    public = load_der_public_key(bytes.fromhex(case["publicKeyDer"]))
    assert isinstance(public, mldsa.MLDSA44PublicKey)
    material = replace(material, _public=public)
    verified = material.verify(ALGORITHM, bytes.fromhex(case["msg"]), "RAW", bytes.fromhex(case["sig"]))
    assert verified == (case["result"] == "valid")


@pytest.mark.parametrize("spec", PRIVATE)
def test_structures_are_those_of_independent_code(spec: str) -> None:
    seed = bytes(range(32))
    key = PRIVATE[spec].from_seed_bytes(seed)  # type: ignore[attr-defined]  # of a table
    material = generate(KEY_SPECS[spec], lambda length: seed[:length])
    assert material.private_bytes() == key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    public = load_der_public_key(material.public_key_der())
    assert isinstance(public, type(key.public_key()))
    assert public.public_bytes_raw() == key.public_key().public_bytes_raw()
    assert len(public.public_bytes_raw()) == SIZES[spec][0]


@pytest.mark.parametrize("spec", PRIVATE)
def test_a_message_and_its_external_mu_have_the_same_signatures(spec: str) -> None:
    # https://docs.aws.amazon.com/kms/latest/developerguide/offline-operations.html, ML-DSA: either may be verified
    material = generate(KEY_SPECS[spec])
    key = load_der_public_key(material.public_key_der())
    assert isinstance(key, mldsa.MLDSA44PublicKey | mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey)
    mu = external_mu(key.public_bytes_raw(), b"message")
    for text, message_type in ((b"message", "RAW"), (mu, "EXTERNAL_MU")):
        signature = material.sign(ALGORITHM, text, message_type)
        assert len(signature) == SIZES[spec][1]
        key.verify(signature, b"message")
        assert material.verify(ALGORITHM, b"message", "RAW", signature)
        assert material.verify(ALGORITHM, mu, "EXTERNAL_MU", signature)


def test_an_external_mu_signed_as_a_message_is_another_signature() -> None:
    material = generate(KEY_SPECS["ML_DSA_44"])
    signature = material.sign(ALGORITHM, bytes(64), "RAW")
    assert not material.verify(ALGORITHM, bytes(64), "EXTERNAL_MU", signature)


@pytest.mark.parametrize(
    "inner",
    [
        pytest.param(der.encode(0x80, bytes(31)), id="short seed"),
        pytest.param(der.encode(0x80, bytes(33)), id="long seed"),
        pytest.param(bytes(32), id="bare seed"),
        pytest.param(der.encode(der.OCTET_STRING, bytes(2560)), id="expanded key"),
        pytest.param(der.encode(0x80, bytes(32)) + b"\0", id="something after the seed"),
    ],
)
def test_private_keys_in_other_forms_are_refused(inner: bytes) -> None:
    algorithm = der.encode(der.SEQUENCE, der.encode_oid("2.16.840.1.101.3.4.3.17"))
    with pytest.raises(InvalidMaterial):
        load(KEY_SPECS["ML_DSA_44"], der.encode_pkcs8(algorithm, inner))
