"""OAEP and PSS with random bytes of one's own (RFC 8017, 7.1.1 and 9.1.1), which `cryptography` does not take.

Used by deterministic mocks only; decrypting and verifying are always `cryptography`'s. Not constant-time, which is of
no concern to a fake that keeps no one's real secrets.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import rsa

if TYPE_CHECKING:
    from pytest_kmsmock._kms.crypto.base import Random

_PSS_TRAILER = b"\xbc"


def oaep(plaintext: bytes, digest: str, size: int, random: Random) -> bytes:
    """Return EME-OAEP of a plaintext that is short enough, with an empty label.

    Args:
        plaintext: what to encrypt.
        digest: the hash function, also of MGF1, by the name `hashlib` gives it.
        size: the length of the modulus in bytes.
        random: gives the seed.
    """
    label = hashlib.new(digest).digest()
    block = label + bytes(size - len(plaintext) - 2 * len(label) - 2) + b"\1" + plaintext
    seed = random(len(label))
    masked = _xor(block, _mgf1(seed, digest, len(block)))
    return b"\0" + _xor(seed, _mgf1(masked, digest, len(seed))) + masked


def pss(hashed: bytes, digest: str, size: int, random: Random) -> bytes:
    """Return EMSA-PSS of a message's hash, with a salt as long as the hash.

    Args:
        hashed: the hash of the message.
        digest: the hash function, also of MGF1, by the name `hashlib` gives it.
        size: the length of the modulus in bytes; its length in bits is a multiple of 8.
        random: gives the salt.
    """
    salt = random(len(hashed))
    check = hashlib.new(digest, bytes(8) + hashed + salt).digest()
    block = bytes(size - len(salt) - len(check) - 2) + b"\1" + salt
    masked = _xor(block, _mgf1(check, digest, len(block)))
    return bytes((masked[0] & 0x7F,)) + masked[1:] + check + _PSS_TRAILER  # one bit less than the modulus has


def apply(numbers: rsa.RSAPublicNumbers | rsa.RSAPrivateNumbers, block: bytes) -> bytes:
    """Return RSAEP of a block with a public key, or RSASP1 with a private one (RFC 8017, 5.1.1 and 5.2.1)."""
    number = int.from_bytes(block, "big")
    if isinstance(numbers, rsa.RSAPublicNumbers):
        return pow(number, numbers.e, numbers.n).to_bytes(len(block), "big")
    first, second = pow(number, numbers.dmp1, numbers.p), pow(number, numbers.dmq1, numbers.q)
    result = second + (first - second) * numbers.iqmp % numbers.p * numbers.q
    return result.to_bytes(len(block), "big")


def _mgf1(seed: bytes, digest: str, length: int) -> bytes:
    """Return the mask of RFC 8017, B.2.1."""
    count = -(-length // hashlib.new(digest).digest_size)
    blocks = (hashlib.new(digest, seed + counter.to_bytes(4, "big")).digest() for counter in range(count))
    return b"".join(blocks)[:length]


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
