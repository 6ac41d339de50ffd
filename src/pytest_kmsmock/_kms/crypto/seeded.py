"""Common base of ML-DSA and ML-KEM keys, which are generated from a seed and stored as this seed in PKCS#8."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from .base import Material
from .primitives import der

if TYPE_CHECKING:
    from typing_extensions import Self

    from pytest_kmsmock._kms.api.key_specs import KeySpec

    from .base import Random


def algorithm_identifiers(oids: Mapping[str, str]) -> dict[str, bytes]:
    """Return the AlgorithmIdentifier, without parameters, of each parameter set's object identifier."""
    return {name: der.encode(der.SEQUENCE, der.encode_oid(oid)) for name, oid in oids.items()}


class SeededMaterial(Material):
    """A private key generated from a seed. Families are dataclasses of key spec, private key and public key.

    Attributes:
        seed_length: the length of the seed in bytes.
        algorithms: parameter set -> its AlgorithmIdentifier.
    """

    __slots__ = ()

    seed_length: ClassVar[int]
    algorithms: ClassVar[Mapping[str, bytes]]

    if TYPE_CHECKING:  # the fields of the families
        _private: Any
        _public: Any

        def __init__(self, spec: KeySpec, _private: Any, _public: Any) -> None: ...

    @staticmethod
    @abstractmethod
    def _private_key_class(spec: KeySpec) -> Any:
        """Return the class of private keys for a spec, with the interface of `cryptography`'s classes."""

    @classmethod
    def generate(cls, spec: KeySpec, random: Random) -> Self:
        """See `Material.generate`."""
        return cls._from_seed(spec, random(cls.seed_length))

    @classmethod
    def load(cls, spec: KeySpec, data: bytes) -> Self:
        """See `Material.load`: PKCS#8 around the seed."""
        return cls._from_seed(spec, der.pkcs8_seed(data, cls.algorithms[spec.parameters], cls.seed_length))

    @classmethod
    def _from_seed(cls, spec: KeySpec, seed: bytes) -> Self:
        private = cls._private_key_class(spec).from_seed_bytes(seed)
        return cls(spec, private, private.public_key())

    def private_bytes(self) -> bytes:
        """See `Material.private_bytes`."""
        return der.encode_pkcs8_seed(self.algorithms[self.spec.parameters], self._private.private_bytes_raw())

    def public_key_der(self) -> bytes:
        """See `Material.public_key_der`."""
        return der.encode_spki(self.algorithms[self.spec.parameters], self._public.public_bytes_raw())
