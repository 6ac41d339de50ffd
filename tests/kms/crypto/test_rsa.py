from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_der_public_key,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_kmsmock._kms.api.key_specs import ENCRYPTION_ALGORITHMS, KEY_SPECS
from pytest_kmsmock._kms.crypto import DecryptionFailed, InvalidMaterial, Material, generate, load
from pytest_kmsmock._kms.crypto.rsa import RsaMaterial, generate_key
from pytest_kmsmock._kms.entropy.key_source import expand

VECTORS = json.loads((Path(__file__).parent / "vectors" / "rsa.json").read_text())
RSA_2048 = KEY_SPECS["RSA_2048"]
SPECS = ["RSA_2048", "RSA_3072", "RSA_4096"]
SIGNING = RSA_2048.usages["SIGN_VERIFY"]
HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "1": hashes.SHA1(),
    "256": hashes.SHA256(),
    "384": hashes.SHA384(),
    "512": hashes.SHA512(),
}


def independent(algorithm: str) -> tuple[padding.AsymmetricPadding, hashes.HashAlgorithm]:
    digest = HASHES[algorithm[-3:]]
    if "PSS" in algorithm:
        return padding.PSS(padding.MGF1(digest), digest.digest_size), digest
    return padding.PKCS1v15(), digest


def oaep(algorithm: str) -> padding.OAEP:
    digest = HASHES[algorithm.rpartition("_")[2]]
    return padding.OAEP(padding.MGF1(digest), digest, None)


def private_key(material: Material) -> rsa.RSAPrivateKey:
    key = load_der_private_key(material.private_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


@pytest.mark.parametrize(
    ("algorithm", "case"),
    [
        pytest.param(algorithm, case, id=f"{group}-{case['tcId']}-{'-'.join(case['flags'])}")
        for algorithm, group in {
            "RSASSA_PSS_SHA_256": "rsa_pss_2048_sha256_mgf1_32",
            "RSASSA_PKCS1_V1_5_SHA_256": "rsa_signature_2048_sha256",
        }.items()
        for case in VECTORS[group]
    ],
)
def test_wycheproof_signatures(rsa_keys: Mapping[str, Material], algorithm: str, case: dict[str, str]) -> None:
    material = rsa_keys["RSA_2048"]
    assert isinstance(material, RsaMaterial)
    public = load_der_public_key(bytes.fromhex(case["publicKeyDer"]))
    assert isinstance(public, rsa.RSAPublicKey)
    material = replace(material, _public=public)
    message, signature = bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])
    # The one case Wycheproof leaves open is a DigestInfo without NULL, which RFC 8017 wants (A.2.4).
    assert material.verify(algorithm, message, "RAW", signature) == (case["result"] == "valid")


@pytest.mark.parametrize(
    ("algorithm", "key", "case"),
    [
        pytest.param(algorithm, VECTORS[f"{group}_key"], case, id=f"{group}-{case['tcId']}")
        for algorithm, group in {
            "RSAES_OAEP_SHA_256": "rsa_oaep_2048_sha256_mgf1sha256",
            "RSAES_OAEP_SHA_1": "rsa_oaep_2048_sha1_mgf1sha1",
        }.items()
        for case in VECTORS[group]
    ],
)
def test_wycheproof_ciphertexts(algorithm: str, key: str, case: dict[str, str]) -> None:
    material = load(RSA_2048, bytes.fromhex(key))
    ciphertext = bytes.fromhex(case["ct"])
    if case["result"] == "valid":
        assert material.decrypt(algorithm, ciphertext) == bytes.fromhex(case["msg"])
    else:
        with pytest.raises(DecryptionFailed):
            material.decrypt(algorithm, ciphertext)


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("algorithm", SIGNING)
def test_signatures_agree_with_independent_code_both_ways(
    rsa_keys: Mapping[str, Material], spec: str, algorithm: str
) -> None:
    material = rsa_keys[spec]
    key = private_key(material)
    digest = hashlib.new(f"sha{algorithm[-3:]}", b"message").digest()
    for text, message_type in ((b"message", "RAW"), (digest, "DIGEST")):
        signature = material.sign(algorithm, text, message_type)
        assert len(signature) == material.spec.bits // 8
        key.public_key().verify(signature, b"message", *independent(algorithm))
        theirs = key.sign(b"message", *independent(algorithm))
        assert material.verify(algorithm, text, message_type, theirs)
        assert not material.verify(algorithm, text, message_type, theirs[:-1] + bytes([theirs[-1] ^ 1]))


def test_a_pss_signature_with_another_salt_length_does_not_verify(rsa_keys: Mapping[str, Material]) -> None:
    # https://docs.aws.amazon.com/kms/latest/developerguide/asymmetric-key-specs.html: the salt is as long as the hash
    key = private_key(rsa_keys["RSA_2048"])
    for salt_length in (0, 20, 33):
        signature = key.sign(b"m", padding.PSS(padding.MGF1(hashes.SHA256()), salt_length), hashes.SHA256())
        assert not rsa_keys["RSA_2048"].verify("RSASSA_PSS_SHA_256", b"m", "RAW", signature)


@pytest.mark.parametrize("algorithm", SIGNING)
def test_a_signature_of_another_algorithm_does_not_verify(rsa_keys: Mapping[str, Material], algorithm: str) -> None:
    material = rsa_keys["RSA_2048"]
    signature = material.sign(algorithm, b"m", "RAW")
    assert [name for name in SIGNING if material.verify(name, b"m", "RAW", signature)] == [algorithm]


@pytest.mark.parametrize("algorithm", SIGNING)
def test_openssl_verifies_signatures(
    rsa_keys: Mapping[str, Material], algorithm: str, openssl: Callable[..., bytes]
) -> None:
    material = rsa_keys["RSA_2048"]
    pss = ("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest") if "PSS" in algorithm else ()
    verified = openssl(
        *("dgst", f"-sha{algorithm[-3:]}", *pss, "-keyform", "DER", "-verify", "{public}"),
        *("-signature", "{signature}", "{message}"),
        public=material.public_key_der(),
        signature=material.sign(algorithm, b"message", "RAW"),
        message=b"message",
    )
    assert verified == b"Verified OK\n"


@pytest.mark.parametrize("algorithm", ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"])
def test_openssl_encrypts_and_decrypts(
    rsa_keys: Mapping[str, Material], algorithm: str, openssl: Callable[..., bytes]
) -> None:
    material = rsa_keys["RSA_2048"]
    digest = algorithm.removeprefix("RSAES_OAEP_").replace("_", "").lower()
    options = [
        *("-pkeyopt", "rsa_padding_mode:oaep"),
        *("-pkeyopt", f"rsa_oaep_md:{digest}", "-pkeyopt", f"rsa_mgf1_md:{digest}"),
    ]
    theirs = openssl(
        *("pkeyutl", "-encrypt", "-keyform", "DER", "-pubin", "-inkey", "{key}", "-in", "{data}", *options),
        key=material.public_key_der(),
        data=b"plaintext",
    )
    assert material.decrypt(algorithm, theirs) == b"plaintext"
    opened = openssl(
        *("pkeyutl", "-decrypt", "-keyform", "DER", "-inkey", "{key}", "-in", "{data}", *options),
        key=material.private_bytes(),
        data=material.encrypt(algorithm, b"plaintext"),
    )
    assert opened == b"plaintext"


@pytest.mark.parametrize(("name", "algorithm"), [("RS256", SIGNING[0]), ("PS512", SIGNING[5])])
def test_pyjwt_takes_signatures(rsa_keys: Mapping[str, Material], name: str, algorithm: str) -> None:
    material = rsa_keys["RSA_2048"]
    verifier = jwt.algorithms.get_default_algorithms()[name]
    key = load_der_public_key(material.public_key_der())
    assert verifier.verify(b"e30.e30", key, material.sign(algorithm, b"e30.e30", "RAW"))


@settings(max_examples=20)
@given(data=st.data(), algorithm=st.sampled_from(["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]))
def test_encryption_is_oaep_with_one_hash_and_no_label(
    rsa_keys: Mapping[str, Material], data: st.DataObject, algorithm: str
) -> None:
    material = rsa_keys["RSA_2048"]
    limit = ENCRYPTION_ALGORITHMS[algorithm].plaintext_limits["RSA_2048"]
    plaintext = data.draw(st.binary(min_size=1, max_size=limit))
    key = private_key(material)
    assert key.decrypt(material.encrypt(algorithm, plaintext), oaep(algorithm)) == plaintext
    assert material.decrypt(algorithm, key.public_key().encrypt(plaintext, oaep(algorithm))) == plaintext


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("algorithm", ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"])
def test_no_longer_plaintext_than_the_limit_can_be_encrypted(
    rsa_keys: Mapping[str, Material], spec: str, algorithm: str
) -> None:
    limit = ENCRYPTION_ALGORITHMS[algorithm].plaintext_limits[spec]
    with pytest.raises(ValueError, match="Encryption failed"):
        rsa_keys[spec].encrypt(algorithm, bytes(limit + 1))


@pytest.mark.parametrize(
    "ciphertext",
    [
        pytest.param(b"", id="empty"),
        pytest.param(bytes(255), id="short"),
        pytest.param(bytes(256), id="zeros"),
        pytest.param(b"\xff" * 256, id="above the modulus"),
        pytest.param(bytes(257), id="long"),
    ],
)
def test_invalid_ciphertexts_fail_to_decrypt(rsa_keys: Mapping[str, Material], ciphertext: bytes) -> None:
    with pytest.raises(DecryptionFailed):
        rsa_keys["RSA_2048"].decrypt("RSAES_OAEP_SHA_256", ciphertext)


def test_a_ciphertext_of_the_other_algorithm_fails_to_decrypt(rsa_keys: Mapping[str, Material]) -> None:
    material = rsa_keys["RSA_2048"]
    with pytest.raises(DecryptionFailed):
        material.decrypt("RSAES_OAEP_SHA_256", material.encrypt("RSAES_OAEP_SHA_1", b"m"))


@pytest.mark.parametrize("spec", SPECS)
def test_keys_have_the_size_of_the_spec_and_the_usual_exponent(rsa_keys: Mapping[str, Material], spec: str) -> None:
    key = private_key(rsa_keys[spec])
    assert key.key_size == KEY_SPECS[spec].bits
    assert key.public_key().public_numbers().e == 65537


def test_seeded_keys_are_a_function_of_the_seed() -> None:
    # As small as pycryptodome makes them, for speed.
    first, again = (generate_key(1024, expand(b"seed")) for _ in range(2))
    assert first.private_numbers() == again.private_numbers()
    assert first.key_size == 1024
    assert first.public_key().public_numbers().e == 65537


def test_keys_outside_of_pkcs8_are_refused(rsa_keys: Mapping[str, Material]) -> None:
    key = private_key(rsa_keys["RSA_2048"])
    with pytest.raises(InvalidMaterial, match="not a PKCS#8 structure"):
        load(RSA_2048, key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()))


def test_keys_of_another_size_are_refused() -> None:
    key = generate_key(1024, expand(b"seed"))
    with pytest.raises(InvalidMaterial, match="a modulus of 1024 bits is not RSA_2048 key material"):
        load(RSA_2048, key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


def test_exponents_below_those_of_fips_186_5_are_refused() -> None:
    key = rsa.generate_private_key(public_exponent=3, key_size=2048)
    with pytest.raises(InvalidMaterial, match="public exponent"):
        load(RSA_2048, key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


def test_keys_whose_numbers_do_not_fit_are_refused(rsa_keys: Mapping[str, Material]) -> None:
    key = private_key(rsa_keys["RSA_2048"])
    p = key.private_numbers().p
    damaged = rsa_keys["RSA_2048"].private_bytes().replace(p.to_bytes(128, "big"), (p - 2).to_bytes(128, "big"))
    with pytest.raises(InvalidMaterial, match="the private key is not valid"):
        load(RSA_2048, damaged)


def test_generate_makes_a_key_of_the_spec() -> None:
    assert private_key(generate(RSA_2048)).key_size == 2048
