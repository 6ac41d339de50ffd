"""RSA key generation, OAEP and PSS with given random bytes, by pycryptodome: `cryptography` does not accept them.

Used by deterministic mocks only; `cryptography` always decrypts and verifies.
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
        MissingExtra: pycryptodome is not installed; also raised by the functions below.
    """
    private: bytes = _module("PublicKey.RSA").generate(bits, randfunc=random, e=65537).export_key("DER")
    return private


def encrypt(public_key: bytes, plaintext: bytes, digest: str, random: Random) -> bytes:
    """Return RSAES-OAEP of a plaintext, with the hash also in MGF1 and an empty label.

    Args:
        public_key: the key in DER.
        plaintext: the plaintext.
        digest: the hash function's name in `hashlib`, such as `sha256`.
        random: returns the bytes of the OAEP seed.
    """
    key = _module("PublicKey.RSA").import_key(public_key)
    ciphertext: bytes = _module("Cipher.PKCS1_OAEP").new(key, _hash(digest), randfunc=random).encrypt(plaintext)
    return ciphertext


def sign(private_key: bytes, hashed: bytes, digest: str, random: Random) -> bytes:
    """Return the RSASSA-PSS signature of a message's hash, with a salt as long as the hash.

    Args:
        private_key: the key in DER.
        hashed: the hash of the message.
        digest: the hash function's name in `hashlib`.
        random: returns the bytes of the salt.
    """
    key = _module("PublicKey.RSA").import_key(private_key)
    signature: bytes = _module("Signature.pss").new(key, rand_func=random).sign(_Hashed(hashed, _hash(digest)))
    return signature


class _Hashed:
    """A message digest with the interface of pycryptodome's hash objects."""

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
