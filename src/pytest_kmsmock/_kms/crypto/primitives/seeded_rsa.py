"""RSA key generation, OAEP and PSS with random bytes of one's own, which `cryptography` does not take: by pycryptodome.

Used by deterministic mocks only; decrypting and verifying are always `cryptography`'s.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from pytest_kmsmock.errors import MissingExtra

if TYPE_CHECKING:
    from pytest_kmsmock._kms.crypto.base import Random


def generate(bits: int, random: Random) -> bytes:
    """Return a new private key in DER, with public exponent 65537.

    Raises:
        MissingExtra: pycryptodome is not installed; so do the functions below.
    """
    private: bytes = _module("PublicKey.RSA").generate(bits, randfunc=random, e=65537).export_key("DER")
    return private


def encrypt(public_key: bytes, plaintext: bytes, digest: str, random: Random) -> bytes:
    """Return RSAES-OAEP of a plaintext, with the hash also in MGF1 and an empty label.

    Args:
        public_key: the key in DER.
        plaintext: what to encrypt.
        digest: the hash function by the name `hashlib` gives it, such as `sha256`.
        random: gives the seed.
    """
    key = _module("PublicKey.RSA").import_key(public_key)
    ciphertext: bytes = _module("Cipher.PKCS1_OAEP").new(key, _hash(digest), randfunc=random).encrypt(plaintext)
    return ciphertext


def sign(private_key: bytes, hashed: bytes, digest: str, random: Random) -> bytes:
    """Return the RSASSA-PSS signature of a message's hash, with a salt as long as the hash.

    Args:
        private_key: the key in DER.
        hashed: the hash of the message.
        digest: the hash function by the name `hashlib` gives it.
        random: gives the salt.
    """
    key = _module("PublicKey.RSA").import_key(private_key)
    signature: bytes = _module("Signature.pss").new(key, rand_func=random).sign(_Hashed(hashed, _hash(digest)))
    return signature


class _Hashed:
    """A message that was hashed elsewhere, as pycryptodome wants to be given messages."""

    def __init__(self, hashed: bytes, function: Any) -> None:
        self.digest_size = len(hashed)
        self.digest = lambda: hashed
        self.new = function.new


def _hash(name: str) -> Any:
    return _module(f"Hash.{name.upper()}")


def _module(name: str) -> Any:
    try:
        return importlib.import_module(f"Crypto.{name}")
    except ImportError as error:
        raise MissingExtra("RSA from seeded random bytes", "pycryptodome", "algorithms") from error
