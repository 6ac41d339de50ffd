"""Symmetric encryption keys: AES-GCM. `_kms.formats.ciphertext_blob` has the format of ciphertexts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .base import DecryptionFailed, InvalidMaterial, Material

if TYPE_CHECKING:
    from pytest_kmsmock._kms.api.key_specs import KeySpec

    from .base import Random


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class AesMaterial(Material):
    """A symmetric key of 32 bytes, or 16 in China Regions.

    China Regions use SM4; this class uses AES there too, which is not visible in ciphertexts.
    """

    spec: KeySpec
    _secret: bytes
    _aead: AESGCM

    @classmethod
    def generate(cls, spec: KeySpec, random: Random) -> AesMaterial:
        """See `Material.generate`."""
        return cls.load(spec, random(spec.bits // 8))

    @classmethod
    def load(cls, spec: KeySpec, data: bytes) -> AesMaterial:
        """See `Material.load`; 32 or 16 bytes: callers check the length for the Region."""
        if len(data) not in spec.import_lengths.values():
            raise InvalidMaterial(f"{len(data)} bytes are not {spec.name} key material")
        return cls(spec, bytes(data), AESGCM(data))

    def private_bytes(self) -> bytes:
        """See `Material.private_bytes`."""
        return self._secret

    def seal(self, nonce: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
        """See `Material.seal`; ``nonce`` is 12 bytes, never used twice."""
        return self._aead.encrypt(nonce, plaintext, associated_data)

    def unseal(self, nonce: bytes, ciphertext: bytes, associated_data: bytes) -> bytes:
        """See `Material.unseal`."""
        try:
            return self._aead.decrypt(nonce, ciphertext, associated_data)
        except (InvalidTag, ValueError) as error:
            raise DecryptionFailed("the ciphertext does not match the key and associated data") from error
