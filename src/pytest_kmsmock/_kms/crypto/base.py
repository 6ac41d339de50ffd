"""What every kind of key material is: the `Material` class, and the errors of the mathematics.

The errors here are not AWS's. Operations know which call they belong to and turn them into AWS's exceptions.
"""
# ruff: noqa: ARG002 - the methods of the interface that a family lacks take their arguments in vain

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_kmsmock._kms.api.key_specs import KeySpec

#: Gives that many random bytes. `os.urandom` is one.
Random = Callable[[int], bytes]


class MaterialError(ValueError):
    """Key material cannot do what was asked with what was given."""


class InvalidMaterial(MaterialError):
    """Bytes are not key material of the key spec: wrong length, form, curve or size."""


class InvalidPeerKey(MaterialError):
    """A peer's public key is not a SubjectPublicKeyInfo with a point on the key's curve."""


class DecryptionFailed(MaterialError):
    """A ciphertext was not made for this key, or was altered, or has an impossible length."""


class UnsupportedUse(MaterialError):
    """The key family has no such operation. Operations check KeyUsage before, so no caller of KMS sees it."""


class Material(ABC):
    """The secret of one KMS key, and what can be done with it.

    Objects never change. A family overrides what it can do; the rest raises `UnsupportedUse`. Callers have
    checked algorithm, message type and lengths against the tables of `pytest_kmsmock._kms.api.key_specs` before.
    """

    __slots__ = ()

    spec: KeySpec

    @classmethod
    @abstractmethod
    def generate(cls, spec: KeySpec, random: Random) -> Material:
        """Make new material; the same bytes from ``random`` give the same material."""

    @classmethod
    @abstractmethod
    def load(cls, spec: KeySpec, data: bytes) -> Material:
        """Take material as ImportKeyMaterial has it, or raise `InvalidMaterial`."""

    @abstractmethod
    def private_bytes(self) -> bytes:
        """Return what `load` takes: a raw secret, or PKCS#8 DER (of ML-DSA and ML-KEM with the seed)."""

    def data_key_bytes(self) -> bytes:
        """Return the private key as GenerateDataKeyPair gives it."""
        return self.private_bytes()

    def public_key_der(self) -> bytes:
        """Return the public key as DER SubjectPublicKeyInfo (RFC 5280)."""
        raise self._unsupported("public key")

    def seal(self, nonce: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
        """Encrypt with AES-GCM; the answer is the ciphertext with its 16-byte tag at the end."""
        raise self._unsupported("symmetric encryption")

    def unseal(self, nonce: bytes, ciphertext: bytes, associated_data: bytes) -> bytes:
        """Decrypt what `seal` made, or raise `DecryptionFailed`."""
        raise self._unsupported("symmetric encryption")

    def encrypt(self, algorithm: str, plaintext: bytes, random: Random = os.urandom) -> bytes:
        """Encrypt with the public key; ``plaintext`` within the limit of the algorithm's row.

        The same bytes from a ``random`` of one's own give the same ciphertext.
        """
        raise self._unsupported("public key encryption")

    def decrypt(self, algorithm: str, ciphertext: bytes) -> bytes:
        """Decrypt with the private key, or raise `DecryptionFailed`."""
        raise self._unsupported("public key encryption")

    def sign(self, algorithm: str, message: bytes, message_type: str, random: Random = os.urandom) -> bytes:
        """Sign ``message``, of which ``message_type`` (RAW, DIGEST, EXTERNAL_MU) says what it is.

        The same bytes from a ``random`` of one's own give the same signature, but for ML-DSA.
        """
        raise self._unsupported("signatures")

    def verify(self, algorithm: str, message: bytes, message_type: str, signature: bytes) -> bool:
        """Say whether `sign` could have made ``signature``; never raises for a malformed one."""
        raise self._unsupported("signatures")

    def mac(self, algorithm: str, message: bytes) -> bytes:
        """Return the HMAC of ``message``, in full length."""
        raise self._unsupported("MACs")

    def derive(self, peer_public_der: bytes) -> bytes:
        """Return the raw ECDH secret, the x coordinate in full length; may raise `InvalidPeerKey`."""
        raise self._unsupported("key agreement")

    def encapsulate(self) -> tuple[bytes, bytes]:
        """Return a new 32-byte shared secret, and the ciphertext that holds it."""
        raise self._unsupported("encapsulation")

    def decapsulate(self, ciphertext: bytes) -> bytes:
        """Return the shared secret in ``ciphertext``.

        A ciphertext that was altered, or is for another key, gives another secret (FIPS 203, implicit
        rejection); only a wrong length raises `DecryptionFailed`.
        """
        raise self._unsupported("encapsulation")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.spec.name}>"

    def _unsupported(self, use: str) -> UnsupportedUse:
        return UnsupportedUse(f"{self.spec.name} has no {use}")
