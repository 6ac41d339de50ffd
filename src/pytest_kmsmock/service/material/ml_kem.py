"""ML-KEM keys (FIPS 203): encapsulation and decapsulation of 32-byte shared secrets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...errors import MissingExtra
from . import der
from .base import DecryptionFailed, Material

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import mlkem

    from ..specs import KeySpec
    from .base import Random
    from .ml_kem_512 import MLKEM512PrivateKey, MLKEM512PublicKey

    PrivateKey = MLKEM512PrivateKey | mlkem.MLKEM768PrivateKey | mlkem.MLKEM1024PrivateKey
    PublicKey = MLKEM512PublicKey | mlkem.MLKEM768PublicKey | mlkem.MLKEM1024PublicKey

_SEED_LENGTH = 64

#: AlgorithmIdentifier of each parameter set (RFC 9935), without parameters.
_ALGORITHMS: dict[str, bytes] = {
    name: der.encode(der.SEQUENCE, der.encode_oid(oid))
    for name, oid in {
        "ML-KEM-512": "2.16.840.1.101.3.4.4.1",
        "ML-KEM-768": "2.16.840.1.101.3.4.4.2",
        "ML-KEM-1024": "2.16.840.1.101.3.4.4.3",
    }.items()
}

#: Bytes in a ciphertext of each parameter set (FIPS 203, table 3).
CIPHERTEXT_LENGTHS: dict[str, int] = {"ML-KEM-512": 768, "ML-KEM-768": 1088, "ML-KEM-1024": 1568}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MlKemMaterial(Material):
    """An ML-KEM decapsulation key, kept as its seed by PKCS#8."""

    spec: KeySpec
    _private: PrivateKey
    _public: PublicKey

    @classmethod
    def generate(cls, spec: KeySpec, random: Random) -> MlKemMaterial:
        """See `Material.generate`."""
        return cls._from_seed(spec, random(_SEED_LENGTH))

    @classmethod
    def load(cls, spec: KeySpec, data: bytes) -> MlKemMaterial:
        """See `Material.load`: PKCS#8 around the seed (RFC 9935)."""
        return cls._from_seed(spec, der.pkcs8_seed(data, _ALGORITHMS[spec.parameters], _SEED_LENGTH))

    @classmethod
    def _from_seed(cls, spec: KeySpec, seed: bytes) -> MlKemMaterial:
        private = _private_key_class(spec).from_seed_bytes(seed)
        return cls(spec, private, private.public_key())

    def private_bytes(self) -> bytes:
        """See `Material.private_bytes`."""
        return der.encode_pkcs8_seed(_ALGORITHMS[self.spec.parameters], self._private.private_bytes_raw())

    def public_key_der(self) -> bytes:
        """See `Material.public_key_der`."""
        return der.encode_spki(_ALGORITHMS[self.spec.parameters], self._public.public_bytes_raw())

    def encapsulate(self) -> tuple[bytes, bytes]:
        """See `Material.encapsulate`."""
        return self._public.encapsulate()

    def decapsulate(self, ciphertext: bytes) -> bytes:
        """See `Material.decapsulate`."""
        if len(ciphertext) != CIPHERTEXT_LENGTHS[self.spec.parameters]:
            raise DecryptionFailed(f"{len(ciphertext)} bytes are no {self.spec.name} ciphertext")
        return self._private.decapsulate(ciphertext)


def _private_key_class(spec: KeySpec) -> type[PrivateKey]:
    """Return the class for ``spec``; `cryptography` has none for ML-KEM-512, and the others since 47."""
    if spec.parameters == "ML-KEM-512":
        from .ml_kem_512 import MLKEM512PrivateKey

        return MLKEM512PrivateKey
    try:
        from cryptography.hazmat.primitives.asymmetric import mlkem
    except ImportError as error:
        raise MissingExtra(spec.name, "cryptography>=49", "algorithms") from error
    return mlkem.MLKEM768PrivateKey if spec.parameters == "ML-KEM-768" else mlkem.MLKEM1024PrivateKey
