from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)
from hypothesis import given
from hypothesis import strategies as st

from pytest_kmsmock._kms.api.key_specs import KEY_SPECS
from pytest_kmsmock._kms.crypto import InvalidMaterial, InvalidPeerKey, generate, load
from pytest_kmsmock._kms.crypto.ec import _ORDERS, EcMaterial

VECTORS = Path(__file__).parent / "vectors"
ECDSA = json.loads((VECTORS / "ecdsa.json").read_text())
ECDH = json.loads((VECTORS / "ecdh.json").read_text())["ecdh_secp256r1"]

CURVES = {
    "ECC_NIST_P256": ec.SECP256R1(),
    "ECC_NIST_P384": ec.SECP384R1(),
    "ECC_NIST_P521": ec.SECP521R1(),
    "ECC_SECG_P256K1": ec.SECP256K1(),
}
AGREEING = [name for name in CURVES if "KEY_AGREEMENT" in KEY_SPECS[name].usages]
P256 = KEY_SPECS["ECC_NIST_P256"]


def algorithm_of(spec: str) -> str:
    return KEY_SPECS[spec].usages["SIGN_VERIFY"][0]


def pkcs8(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def spki(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    ("spec", "case"),
    [
        pytest.param(spec, case, id=f"{group}-{case['tcId']}")
        for spec, group in {
            "ECC_NIST_P256": "ecdsa_secp256r1_sha256",
            "ECC_NIST_P521": "ecdsa_secp521r1_sha512",
            "ECC_SECG_P256K1": "ecdsa_secp256k1_sha256",
        }.items()
        for case in ECDSA[group]
    ],
)
def test_wycheproof_signatures(spec: str, case: dict[str, str]) -> None:
    material = generate(KEY_SPECS[spec])
    assert isinstance(material, EcMaterial)
    public = load_der_public_key(bytes.fromhex(case["publicKeyDer"]))
    assert isinstance(public, ec.EllipticCurvePublicKey)
    material = replace(material, _public=public)
    message, signature = bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])
    assert material.verify(algorithm_of(spec), message, "RAW", signature) == (case["result"] == "valid")


@pytest.mark.parametrize("spec", CURVES)
@given(message=st.binary(max_size=4096))
def test_signatures_of_either_message_type_are_ecdsa(spec: str, message: bytes) -> None:
    material = generate(KEY_SPECS[spec])
    algorithm = algorithm_of(spec)
    digest = hashlib.new(f"sha{algorithm[-3:]}", message).digest()
    public = load_der_public_key(material.public_key_der())
    assert isinstance(public, ec.EllipticCurvePublicKey)
    hash_function = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[algorithm[-3:]]
    for text, message_type in ((message, "RAW"), (digest, "DIGEST")):
        signature = material.sign(algorithm, text, message_type)
        public.verify(signature, message, ec.ECDSA(hash_function))
        # https://docs.aws.amazon.com/kms/latest/APIReference/API_Verify.html: the types may differ
        assert material.verify(algorithm, message, "RAW", signature)
        assert material.verify(algorithm, digest, "DIGEST", signature)


@pytest.mark.parametrize("spec", CURVES)
def test_signatures_of_independent_code_verify(spec: str) -> None:
    key = ec.generate_private_key(CURVES[spec])
    material = load(KEY_SPECS[spec], pkcs8(key))
    hash_function = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[algorithm_of(spec)[-3:]]
    assert material.verify(algorithm_of(spec), b"m", "RAW", key.sign(b"m", ec.ECDSA(hash_function)))


@pytest.mark.parametrize("spec", CURVES)
def test_openssl_verifies_and_makes_signatures(spec: str, openssl: Callable[..., bytes]) -> None:
    material = generate(KEY_SPECS[spec])
    algorithm = algorithm_of(spec)
    digest = f"-sha{algorithm[-3:]}"
    files = {
        "public": material.public_key_der(),
        "private": material.private_bytes(),
        "signature": material.sign(algorithm, b"message", "RAW"),
        "message": b"message",
    }
    verified = openssl(
        "dgst", digest, "-keyform", "DER", "-verify", "{public}", "-signature", "{signature}", "{message}", **files
    )
    assert verified == b"Verified OK\n"
    theirs = openssl("dgst", digest, "-keyform", "DER", "-sign", "{private}", "{message}", **files)
    assert material.verify(algorithm, b"message", "RAW", theirs)


def test_pyjwt_takes_a_signature_as_es256() -> None:
    material = generate(P256)
    signing_input = f"{'e30'}.{'e30'}".encode()
    algorithm = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256)
    key = load_der_public_key(material.public_key_der())
    raw = jwt.utils.der_to_raw_signature(material.sign("ECDSA_SHA_256", signing_input, "RAW"), CURVES[P256.name])
    assert algorithm.verify(signing_input, key, raw)


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param(b"", id="empty"),
        pytest.param(bytes(64), id="raw r and s"),
        pytest.param(encode_dss_signature(0, 0), id="zeros"),
        pytest.param(encode_dss_signature(2**300, 1), id="r out of range"),
        pytest.param(b"\x30\x80\x00\x00", id="indefinite length"),
    ],
)
def test_malformed_signatures_do_not_verify(signature: bytes) -> None:
    assert not generate(P256).verify("ECDSA_SHA_256", b"m", "RAW", signature)


@pytest.mark.parametrize("case", ECDH, ids=lambda case: f"wycheproof-{case['tcId']}-{'-'.join(case['flags'])}")
def test_wycheproof_key_agreement(case: dict[str, str]) -> None:
    material = load(P256, pkcs8(ec.derive_private_key(int(case["private"], 16), ec.SECP256R1())))
    peer = bytes.fromhex(case["public"])
    # Of what Wycheproof leaves to the implementation, compressed points are taken; curves that are not named,
    # and what is not DER, are refused.
    if case["result"] == "valid" or "CompressedPublic" in case["flags"]:
        assert material.derive(peer).hex() == case["shared"]
    else:
        with pytest.raises(InvalidPeerKey):
            material.derive(peer)


@pytest.mark.parametrize("spec", AGREEING)
def test_shared_secrets_are_whole_x_coordinates(spec: str) -> None:
    material = generate(KEY_SPECS[spec])
    own = load_der_private_key(material.private_bytes(), None)
    assert isinstance(own, ec.EllipticCurvePrivateKey)
    peer = ec.generate_private_key(CURVES[spec])
    secret = material.derive(spki(peer.public_key()))
    assert secret == peer.exchange(ec.ECDH(), own.public_key())
    # https://docs.aws.amazon.com/kms/latest/APIReference/API_DeriveSharedSecret.html: the raw shared secret
    assert len(secret) == (CURVES[spec].key_size + 7) // 8


@pytest.mark.parametrize("spec", AGREEING)
def test_openssl_derives_the_same_secret(spec: str, openssl: Callable[..., bytes]) -> None:
    material, peer = generate(KEY_SPECS[spec]), generate(KEY_SPECS[spec])
    secret = openssl(
        *("pkeyutl", "-derive", "-keyform", "DER", "-inkey", "{private}"),
        *("-peerform", "DER", "-peerkey", "{public}"),
        private=peer.private_bytes(),
        public=material.public_key_der(),
    )
    assert material.derive(peer.public_key_der()) == secret


@pytest.mark.parametrize("spec", AGREEING)
def test_public_keys_of_other_curves_are_not_valid_peers(spec: str) -> None:
    material = generate(KEY_SPECS[spec])
    for other in set(CURVES) - {spec}:
        with pytest.raises(InvalidPeerKey, match=f"not a public key on {material.spec.parameters}"):
            material.derive(generate(KEY_SPECS[other]).public_key_der())


@pytest.mark.parametrize("spec", CURVES)
def test_generated_keys_are_on_the_curve_of_the_spec(spec: str) -> None:
    public = load_der_public_key(generate(KEY_SPECS[spec]).public_key_der())
    assert isinstance(public, ec.EllipticCurvePublicKey)
    assert public.curve.name == CURVES[spec].name


def test_orders_are_those_of_the_curves() -> None:
    assert {curve.name: curve.group_order for curve in CURVES.values()} == _ORDERS


@pytest.mark.parametrize("spec", CURVES)
@pytest.mark.parametrize("byte", [b"\0", b"\xff"])
def test_extreme_random_bytes_give_a_key(spec: str, byte: bytes) -> None:
    private = load_der_private_key(generate(KEY_SPECS[spec], lambda length: byte * length).private_bytes(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    assert 0 < private.private_numbers().private_value < CURVES[spec].group_order


def test_keys_outside_of_pkcs8_are_refused() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(InvalidMaterial):
        load(P256, key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    with pytest.raises(InvalidMaterial):
        load(P256, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


@pytest.mark.parametrize(
    "scalar",
    [
        pytest.param(0, id="zero"),
        pytest.param(ec.SECP256R1().group_order, id="order of the curve"),
        pytest.param(2**256 - 1, id="above the order"),
    ],
)
def test_private_keys_out_of_range_are_refused(scalar: int) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    octets = key.private_numbers().private_value.to_bytes(32, "big")
    with pytest.raises(InvalidMaterial, match="the private key is not valid"):
        load(P256, pkcs8(key).replace(octets, scalar.to_bytes(32, "big")))


def test_signatures_with_random_bytes_of_ones_own_are_those_of_rfc_6979() -> None:
    # RFC 6979, A.2.5, SHA-256, message "sample"
    scalar = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
    material = load(P256, pkcs8(ec.derive_private_key(scalar, ec.SECP256R1())))
    expected = encode_dss_signature(
        0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716,
        0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8,
    )
    assert material.sign("ECDSA_SHA_256", b"sample", "RAW", bytes) == expected
    assert material.sign("ECDSA_SHA_256", hashlib.sha256(b"sample").digest(), "DIGEST", bytes) == expected
