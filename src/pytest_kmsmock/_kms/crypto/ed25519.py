"""Edwards curve keys: Ed25519 and Ed25519ph (RFC 8032)."""
# ruff: noqa: ARG002 - the message type follows from the algorithm, and Ed25519 is deterministic

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from pytest_kmsmock.errors import MissingExtra

from .base import InvalidMaterial, Material
from .primitives import der

if TYPE_CHECKING:
    from types import ModuleType

    from pytest_kmsmock._kms.api.key_specs import KeySpec

    from .base import Random

#: AlgorithmIdentifier of id-Ed25519 (RFC 8410), which has no parameters.
_ALGORITHM = der.encode(der.SEQUENCE, der.encode_oid("1.3.101.112"))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Ed25519Material(Material):
    """An Ed25519 private key.

    ED25519_SHA_512 is Ed25519 over the message. ED25519_PH_SHA_512 is Ed25519ph, which hashes its input with SHA-512
    first, even if it is a digest, as AWS documents for Sign.
    """

    spec: KeySpec
    _private: Ed25519PrivateKey
    _public: Ed25519PublicKey

    @classmethod
    def generate(cls, spec: KeySpec, random: Random) -> Ed25519Material:
        """See `Material.generate`."""
        private = Ed25519PrivateKey.from_private_bytes(random(32))
        return cls(spec, private, private.public_key())

    @classmethod
    def load(cls, spec: KeySpec, data: bytes) -> Ed25519Material:
        """See `Material.load`: PKCS#8 around a CurvePrivateKey (RFC 8410)."""
        try:
            octets = der.read_single(der.pkcs8_key(data, _ALGORITHM), der.OCTET_STRING)
            private = Ed25519PrivateKey.from_private_bytes(octets)
        except ValueError as error:
            raise InvalidMaterial(f"the private key is not valid: {error}") from error
        return cls(spec, private, private.public_key())

    def private_bytes(self) -> bytes:
        """See `Material.private_bytes`."""
        return self._private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    def public_key_der(self) -> bytes:
        """See `Material.public_key_der`."""
        return self._public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, algorithm: str, message: bytes, message_type: str, random: Random = os.urandom) -> bytes:
        """See `Material.sign`; Ed25519ph needs the extra ``algorithms``.

        Raises:
            MissingExtra: the algorithm is ED25519_PH_SHA_512 and pycryptodome is not installed.
        """
        if algorithm == "ED25519_SHA_512":
            return self._private.sign(message)
        eddsa, sha512 = _pycryptodome()
        key = eddsa.import_private_key(self._private.private_bytes_raw())
        return bytes(eddsa.new(key, "rfc8032").sign(sha512.new(message)))

    def verify(self, algorithm: str, message: bytes, message_type: str, signature: bytes) -> bool:
        """See `Material.verify`; Ed25519ph needs the extra ``algorithms``.

        Raises:
            MissingExtra: the algorithm is ED25519_PH_SHA_512 and pycryptodome is not installed.
        """
        try:
            if algorithm == "ED25519_SHA_512":
                self._public.verify(signature, message)
            else:
                eddsa, sha512 = _pycryptodome()
                key = eddsa.import_public_key(self._public.public_bytes_raw())
                eddsa.new(key, "rfc8032").verify(sha512.new(message), signature)
        except (InvalidSignature, ValueError):
            return False
        return True


def _pycryptodome() -> tuple[ModuleType, ModuleType]:
    """Return pycryptodome's modules for EdDSA and SHA-512: `cryptography` has no Ed25519ph."""
    try:
        from Crypto.Hash import SHA512
        from Crypto.Signature import eddsa
    except ImportError as error:
        raise MissingExtra("ED25519_PH_SHA_512", "pycryptodome", "algorithms") from error
    return eddsa, SHA512
