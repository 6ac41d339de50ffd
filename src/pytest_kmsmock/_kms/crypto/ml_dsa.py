"""ML-DSA keys (FIPS 204): pure ML-DSA with an empty context, and signatures over an external mu."""
# ruff: noqa: ARG002 - the family has one algorithm, and `cryptography` does not accept random bytes for it

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature

from pytest_kmsmock.errors import MissingExtra

from .seeded import SeededMaterial, algorithm_identifiers

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import mldsa

    from pytest_kmsmock._kms.api.key_specs import KeySpec

    from .base import Random

    PrivateKey = mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey
    PublicKey = mldsa.MLDSA44PublicKey | mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MlDsaMaterial(SeededMaterial):
    """An ML-DSA private key, stored as its seed in PKCS#8."""

    spec: KeySpec
    _private: PrivateKey
    _public: PublicKey

    seed_length = 32
    algorithms = algorithm_identifiers(  # RFC 9881
        {
            "ML-DSA-44": "2.16.840.1.101.3.4.3.17",
            "ML-DSA-65": "2.16.840.1.101.3.4.3.18",
            "ML-DSA-87": "2.16.840.1.101.3.4.3.19",
        }
    )

    @staticmethod
    def _private_key_class(spec: KeySpec) -> type[PrivateKey]:
        """Return the class of `cryptography` for ``spec``; releases before 49 lack parts of it."""
        try:
            from cryptography.hazmat.primitives.asymmetric import mldsa
        except ImportError as error:
            raise MissingExtra(spec.name, "cryptography>=49", "algorithms") from error
        classes: dict[str, type[PrivateKey]] = {
            "ML-DSA-44": mldsa.MLDSA44PrivateKey,
            "ML-DSA-65": mldsa.MLDSA65PrivateKey,
            "ML-DSA-87": mldsa.MLDSA87PrivateKey,
        }
        return classes[spec.parameters]

    def sign(self, algorithm: str, message: bytes, message_type: str, random: Random = os.urandom) -> bytes:
        """See `Material.sign`; an EXTERNAL_MU is the 64-byte message representative mu, computed by the caller."""
        sign = self._private.sign_mu if message_type == "EXTERNAL_MU" else self._private.sign
        return sign(message)

    def verify(self, algorithm: str, message: bytes, message_type: str, signature: bytes) -> bool:
        """See `Material.verify`."""
        check = self._public.verify_mu if message_type == "EXTERNAL_MU" else self._public.verify
        try:
            check(signature, message)
        except InvalidSignature:
            return False
        return True
