"""The interface of key material, and errors of cryptographic operations.

The errors here are not AWS's: operations convert them to AWS's exceptions.
"""
# ruff: noqa: ARG002 - unsupported methods of the interface do not use their arguments

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_kmsmock._kms.api.key_specs import KeySpec

#: Returns a number of random bytes, as `os.urandom` does.
Random = Callable[[int], bytes]


class MaterialError(ValueError):
    """A cryptographic operation failed for its input."""


class InvalidMaterial(MaterialError):
    """Bytes are not valid key material of the key spec: wrong length, encoding, curve or size."""


class InvalidPeerKey(MaterialError):
    """A peer's public key is not a SubjectPublicKeyInfo with a point on the key's curve."""


class DecryptionFailed(MaterialError):
    """A ciphertext is of another key, modified, or of an impossible length."""


class UnsupportedUse(MaterialError):
    """The key family does not support an operation. Operations check KeyUsage first, so it never reaches callers."""


class Material(ABC):
    """The secret of a KMS key, and its cryptographic operations.

    Objects are immutable. Families override the methods that they support; others raise `UnsupportedUse`. Callers must
    have checked algorithm, message type and lengths by the tables of `pytest_kmsmock._kms.api.key_specs`.
    """

    __slots__ = ()

    spec: KeySpec

    @classmethod
    @abstractmethod
    def generate(cls, spec: KeySpec, random: Random) -> Material:
        """Generate new material, deterministic for the bytes of ``random``."""

    @classmethod
    @abstractmethod
    def load(cls, spec: KeySpec, data: bytes) -> Material:
        """Load material as in ImportKeyMaterial, or raise `InvalidMaterial`."""

    @abstractmethod
    def private_bytes(self) -> bytes:
        """Return the input of `load`: a raw secret, or PKCS#8 DER (with the seed for ML-DSA and ML-KEM)."""

    def data_key_bytes(self) -> bytes:
        """Return the private key as in responses of GenerateDataKeyPair."""
        return self.private_bytes()

    def public_key_der(self) -> bytes:
        """Return the public key as DER SubjectPublicKeyInfo (RFC 5280)."""
        raise self._unsupported("public key")

    def seal(self, nonce: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
        """Encrypt with AES-GCM; return the ciphertext with its 16-byte tag at the end."""
        raise self._unsupported("symmetric encryption")

    def unseal(self, nonce: bytes, ciphertext: bytes, associated_data: bytes) -> bytes:
        """Decrypt a ciphertext of `seal`, or raise `DecryptionFailed`."""
        raise self._unsupported("symmetric encryption")

    def encrypt(self, algorithm: str, plaintext: bytes, random: Random = os.urandom) -> bytes:
        """Encrypt a ``plaintext`` within the algorithm's limit with the public key.

        The ciphertext is deterministic for the bytes of ``random``.
        """
        raise self._unsupported("public key encryption")

    def decrypt(self, algorithm: str, ciphertext: bytes) -> bytes:
        """Decrypt with the private key, or raise `DecryptionFailed`."""
        raise self._unsupported("public key encryption")

    def sign(self, algorithm: str, message: bytes, message_type: str, random: Random = os.urandom) -> bytes:
        """Sign a ``message`` of a MessageType: RAW, DIGEST or EXTERNAL_MU.

        The signature is deterministic for the bytes of ``random``, except for ML-DSA.
        """
        raise self._unsupported("signatures")

    def verify(self, algorithm: str, message: bytes, message_type: str, signature: bytes) -> bool:
        """Whether ``signature`` is valid; False for a malformed one."""
        raise self._unsupported("signatures")

    def mac(self, algorithm: str, message: bytes) -> bytes:
        """Return the HMAC of ``message``, not truncated."""
        raise self._unsupported("MACs")

    def derive(self, peer_public_der: bytes) -> bytes:
        """Return the raw ECDH secret, the x coordinate at full length; or raise `InvalidPeerKey`."""
        raise self._unsupported("key agreement")

    def encapsulate(self) -> tuple[bytes, bytes]:
        """Return a new 32-byte shared secret, and its ciphertext."""
        raise self._unsupported("encapsulation")

    def decapsulate(self, ciphertext: bytes) -> bytes:
        """Return the shared secret of a ``ciphertext``.

        A modified ciphertext, or one of another key, yields another secret (FIPS 203, implicit rejection); only a wrong
        length raises `DecryptionFailed`.
        """
        raise self._unsupported("encapsulation")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.spec.name}>"

    def _unsupported(self, use: str) -> UnsupportedUse:
        return UnsupportedUse(f"{self.spec.name} has no {use}")
