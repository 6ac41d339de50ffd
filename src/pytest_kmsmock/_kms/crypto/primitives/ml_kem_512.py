"""ML-KEM-512 with the interface of `cryptography`'s classes for the larger parameter sets, based on kyber-py.

kyber-py is pure Python: tested with NIST's vectors, a few milliseconds per operation, and not constant-time. It comes
with the extra ``algorithms`` and is imported for the first ML_KEM_512 key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_kmsmock.errors import MissingExtra

if TYPE_CHECKING:
    from kyber_py.ml_kem.ml_kem import ML_KEM


@dataclass(frozen=True, slots=True, eq=False)
class MLKEM512PublicKey:
    """An encapsulation key."""

    _kem: ML_KEM = field(repr=False)
    _encapsulation_key: bytes

    def public_bytes_raw(self) -> bytes:
        """Return the encapsulation key, 800 bytes."""
        return self._encapsulation_key

    def encapsulate(self) -> tuple[bytes, bytes]:
        """Return a new shared secret (32 bytes) and its ciphertext (768 bytes)."""
        secret, ciphertext = self._kem.encaps(self._encapsulation_key)
        return bytes(secret), bytes(ciphertext)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MLKEM512PrivateKey:
    """A decapsulation key with its seed."""

    _kem: ML_KEM
    _seed: bytes
    _encapsulation_key: bytes
    _decapsulation_key: bytes

    @classmethod
    def from_seed_bytes(cls, data: bytes) -> MLKEM512PrivateKey:
        """Derive the key from its seed, 64 bytes: d and z of FIPS 203.

        Raises:
            MissingExtra: kyber-py is not installed.
        """
        try:
            from kyber_py.ml_kem import ML_KEM_512
        except ImportError as error:
            raise MissingExtra("ML_KEM_512", "kyber-py", "algorithms") from error
        return cls(ML_KEM_512, bytes(data), *ML_KEM_512.key_derive(data))

    def private_bytes_raw(self) -> bytes:
        """Return the seed."""
        return self._seed

    def public_key(self) -> MLKEM512PublicKey:
        """Return the encapsulation key."""
        return MLKEM512PublicKey(self._kem, self._encapsulation_key)

    def decapsulate(self, ciphertext: bytes) -> bytes:
        """Return the shared secret of a ciphertext of 768 bytes."""
        return bytes(self._kem.decaps(self._decapsulation_key, ciphertext))
