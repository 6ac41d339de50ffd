"""ML-KEM keys (FIPS 203): encapsulation and decapsulation of 32-byte shared secrets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_kmsmock.errors import MissingExtra

from .base import DecryptionFailed
from .seeded import SeededMaterial, algorithm_identifiers

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import mlkem

    from pytest_kmsmock._kms.api.key_specs import KeySpec
    from pytest_kmsmock._kms.crypto.primitives.ml_kem_512 import MLKEM512PrivateKey, MLKEM512PublicKey

    PrivateKey = MLKEM512PrivateKey | mlkem.MLKEM768PrivateKey | mlkem.MLKEM1024PrivateKey
    PublicKey = MLKEM512PublicKey | mlkem.MLKEM768PublicKey | mlkem.MLKEM1024PublicKey

#: Ciphertext length in bytes of each parameter set (FIPS 203, table 3).
CIPHERTEXT_LENGTHS: dict[str, int] = {"ML-KEM-512": 768, "ML-KEM-768": 1088, "ML-KEM-1024": 1568}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MlKemMaterial(SeededMaterial):
    """An ML-KEM decapsulation key, stored as its seed in PKCS#8."""

    spec: KeySpec
    _private: PrivateKey
    _public: PublicKey

    seed_length = 64
    algorithms = algorithm_identifiers(  # RFC 9935
        {
            "ML-KEM-512": "2.16.840.1.101.3.4.4.1",
            "ML-KEM-768": "2.16.840.1.101.3.4.4.2",
            "ML-KEM-1024": "2.16.840.1.101.3.4.4.3",
        }
    )

    @staticmethod
    def _private_key_class(spec: KeySpec) -> type[PrivateKey]:
        """Return the class for ``spec``; `cryptography` lacks ML-KEM-512, and has the others since 47."""
        if spec.parameters == "ML-KEM-512":
            from pytest_kmsmock._kms.crypto.primitives.ml_kem_512 import MLKEM512PrivateKey

            return MLKEM512PrivateKey
        try:
            from cryptography.hazmat.primitives.asymmetric import mlkem
        except ImportError as error:
            raise MissingExtra(spec.name, "cryptography>=49", "algorithms") from error
        return mlkem.MLKEM768PrivateKey if spec.parameters == "ML-KEM-768" else mlkem.MLKEM1024PrivateKey

    def encapsulate(self) -> tuple[bytes, bytes]:
        """See `Material.encapsulate`."""
        return self._public.encapsulate()

    def decapsulate(self, ciphertext: bytes) -> bytes:
        """See `Material.decapsulate`."""
        if len(ciphertext) != CIPHERTEXT_LENGTHS[self.spec.parameters]:
            raise DecryptionFailed(f"{len(ciphertext)} bytes are not {self.spec.name} ciphertext")
        return self._private.decapsulate(ciphertext)
