"""HMAC keys (FIPS 198-1, RFC 2104)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_kmsmock._kms.api.key_specs import MAC_ALGORITHMS

from .base import InvalidMaterial, Material

if TYPE_CHECKING:
    from pytest_kmsmock._kms.api.key_specs import KeySpec

    from .base import Random


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class HmacMaterial(Material):
    """A secret as long as the output of its hash function."""

    spec: KeySpec
    _secret: bytes

    @classmethod
    def generate(cls, spec: KeySpec, random: Random) -> HmacMaterial:
        """See `Material.generate`."""
        return cls(spec, random(spec.bits // 8))

    @classmethod
    def load(cls, spec: KeySpec, data: bytes) -> HmacMaterial:
        """See `Material.load`."""
        if len(data) != spec.bits // 8:
            raise InvalidMaterial(f"{len(data)} bytes are not {spec.name} key material")
        return cls(spec, bytes(data))

    def private_bytes(self) -> bytes:
        """See `Material.private_bytes`."""
        return self._secret

    def mac(self, algorithm: str, message: bytes) -> bytes:
        """See `Material.mac`."""
        return hmac.digest(self._secret, message, MAC_ALGORITHMS[algorithm].hash)
