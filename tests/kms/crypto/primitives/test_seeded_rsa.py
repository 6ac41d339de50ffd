"""OAEP and PSS with given random bytes, against `cryptography`, which opens and checks what they make."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from pytest_kmsmock._kms.api.key_specs import ENCRYPTION_ALGORITHMS
from pytest_kmsmock._kms.crypto import Material
from pytest_kmsmock._kms.crypto.primitives import seeded_rsa
from pytest_kmsmock._kms.entropy.key_source import expand

HASHES = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
SIZES = ["RSA_2048", "RSA_3072", "RSA_4096"]


def private_key(material: Material) -> rsa.RSAPrivateKey:
    return material._private  # type: ignore[attr-defined]  # to hand it to cryptography


@pytest.mark.parametrize("spec", SIZES)
@pytest.mark.parametrize("digest", ["sha1", "sha256"])
@pytest.mark.parametrize("length", [0, 1, None], ids=["empty", "one byte", "longest"])
def test_cryptography_opens_oaep(
    rsa_keys: Mapping[str, Material], spec: str, digest: str, length: int | None
) -> None:  # fmt: skip
    key = private_key(rsa_keys[spec])
    size = key.key_size // 8
    plaintext = b"p" * (size - 2 * HASHES[digest].digest_size - 2 if length is None else length)
    ciphertext = seeded_rsa.encrypt(rsa_keys[spec].public_key_der(), plaintext, digest, expand(b"seed"))
    assert len(ciphertext) == size
    assert key.decrypt(ciphertext, padding.OAEP(padding.MGF1(HASHES[digest]), HASHES[digest], None)) == plaintext


@pytest.mark.parametrize("spec", SIZES)
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_cryptography_accepts_pss(rsa_keys: Mapping[str, Material], spec: str, digest: str) -> None:
    key = private_key(rsa_keys[spec])
    hashed = hashlib.new(digest, b"message").digest()
    for seed in (b"a", b"b", b"c"):
        signature = seeded_rsa.sign(rsa_keys[spec].private_bytes(), hashed, digest, expand(seed))
        scheme = padding.PSS(padding.MGF1(HASHES[digest]), len(hashed))
        key.public_key().verify(signature, hashed, scheme, Prehashed(HASHES[digest]))


@pytest.mark.parametrize("algorithm", ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"])
def test_the_same_bytes_give_the_same_ciphertext(rsa_keys: Mapping[str, Material], algorithm: str) -> None:
    material = rsa_keys["RSA_2048"]
    longest = bytes(ENCRYPTION_ALGORITHMS[algorithm].plaintext_limits["RSA_2048"])
    first, again, other = (material.encrypt(algorithm, longest, expand(seed)) for seed in (b"1", b"1", b"2"))
    assert first == again != other
    assert material.decrypt(algorithm, first) == material.decrypt(algorithm, other) == longest


@pytest.mark.parametrize("bits", [256, 384, 512])
@pytest.mark.parametrize("message_type", ["RAW", "DIGEST"])
def test_the_same_bytes_give_the_same_signature(
    rsa_keys: Mapping[str, Material], bits: int, message_type: str
) -> None:  # fmt: skip
    material, algorithm, message = rsa_keys["RSA_2048"], f"RSASSA_PSS_SHA_{bits}", bytes(bits // 8)
    first, again, other = (material.sign(algorithm, message, message_type, expand(seed)) for seed in (b"1", b"1", b"2"))
    assert first == again != other
    assert material.verify(algorithm, message, message_type, first)
    assert material.verify(algorithm, message, message_type, other)
