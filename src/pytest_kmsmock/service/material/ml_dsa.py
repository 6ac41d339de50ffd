"""ML-DSA keys (FIPS 204): pure ML-DSA with an empty context, and signatures over an external mu."""
# ruff: noqa: ARG002 - the family has one algorithm, and `cryptography` takes no random bytes for it

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature

from ...errors import MissingExtra
from . import der
from .base import Material

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import mldsa

    from ..specs import KeySpec
    from .base import Random

    PrivateKey = mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey
    PublicKey = mldsa.MLDSA44PublicKey | mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey

_SEED_LENGTH = 32

#: AlgorithmIdentifier of each parameter set (RFC 9881), without parameters.
_ALGORITHMS: dict[str, bytes] = {
    name: der.encode(der.SEQUENCE, der.encode_oid(oid))
    for name, oid in {
        "ML-DSA-44": "2.16.840.1.101.3.4.3.17",
        "ML-DSA-65": "2.16.840.1.101.3.4.3.18",
        "ML-DSA-87": "2.16.840.1.101.3.4.3.19",
    }.items()
}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MlDsaMaterial(Material):
    """An ML-DSA private key, kept as its seed by PKCS#8."""

    spec: KeySpec
    _private: PrivateKey
    _public: PublicKey

    @classmethod
    def generate(cls, spec: KeySpec, random: Random) -> MlDsaMaterial:
        """See `Material.generate`."""
        return cls._from_seed(spec, random(_SEED_LENGTH))

    @classmethod
    def load(cls, spec: KeySpec, data: bytes) -> MlDsaMaterial:
        """See `Material.load`: PKCS#8 around the seed (RFC 9881)."""
        return cls._from_seed(spec, der.pkcs8_seed(data, _ALGORITHMS[spec.parameters], _SEED_LENGTH))

    @classmethod
    def _from_seed(cls, spec: KeySpec, seed: bytes) -> MlDsaMaterial:
        private = _private_key_class(spec).from_seed_bytes(seed)
        return cls(spec, private, private.public_key())

    def private_bytes(self) -> bytes:
        """See `Material.private_bytes`."""
        return der.encode_pkcs8_seed(_ALGORITHMS[self.spec.parameters], self._private.private_bytes_raw())

    def public_key_der(self) -> bytes:
        """See `Material.public_key_der`."""
        return der.encode_spki(_ALGORITHMS[self.spec.parameters], self._public.public_bytes_raw())

    def sign(self, algorithm: str, message: bytes, message_type: str, random: Random = os.urandom) -> bytes:
        """See `Material.sign`; an EXTERNAL_MU is the message representative, 64 bytes, made by the caller."""
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


def _private_key_class(spec: KeySpec) -> type[PrivateKey]:
    """Return the class of `cryptography` for ``spec``, which releases before 49 do not have in full."""
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
