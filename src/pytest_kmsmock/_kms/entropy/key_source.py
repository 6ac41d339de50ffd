"""Sources of key material: a process-wide pool of RSA keys, and material that is generated on first use.

Generating RSA keys is slow, so mocks reuse keys of earlier mocks. A mock never gets an RSA key twice; consecutive mocks
get different keys, so that tests notice stale public keys; and imported or loaded keys are never reused.
"""

from __future__ import annotations

import functools
import hashlib
import os
import threading
from collections import defaultdict, deque
from typing import TYPE_CHECKING, cast

from pytest_kmsmock._kms.crypto import generate

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from pytest_kmsmock._kms.api.key_specs import KeySpec
    from pytest_kmsmock._kms.crypto.base import Material, Random
    from pytest_kmsmock._kms.crypto.rsa import RsaMaterial

_SEED_LENGTH = 32
#: Maximum number of keys per size that are generated in advance, for requests that may fail.
_MAX_PREPARED = 64


class RsaPool:
    """A pool of unused RSA private keys, by size. Thread-safe."""

    __slots__ = ("_free", "_making", "_retired", "lock")

    def __init__(self) -> None:
        #: A queue: keys that are given back go to the end.
        self._free: defaultdict[int, deque[RSAPrivateKey]] = defaultdict(deque)
        #: The moduli of keys that are never reused.
        self._retired: set[int] = set()
        self.lock = threading.Lock()
        self._making = threading.Lock()

    def draw(self, bits: int) -> RSAPrivateKey:
        """Take a key of ``bits`` from the pool, but never the last one given back; or generate one."""
        with self.lock:
            free = self._free[bits]
            if len(free) > 1:
                return free.popleft()
        return new_rsa_key(bits)

    def prepare(self, bits: int) -> None:
        """Generate a key in advance, so that the next `draw` does not have to."""
        with self._making:  # one at a time, to leave processor time to other threads
            ready = len(self._free[bits])
            while ready < _MAX_PREPARED:
                key = new_rsa_key(bits)
                with self.lock:
                    self._free[bits].append(key)
                    ready = len(self._free[bits])
                if ready > 1:
                    return

    def give_back(self, keys: list[RSAPrivateKey]) -> None:
        """Return keys to the pool that are no longer used."""
        with self.lock:
            for key in keys:
                if _modulus(key) not in self._retired:
                    self._free[key.key_size].append(key)

    def retire(self, key: RSAPrivateKey) -> None:
        """Never reuse a key: its material is known outside of the pool."""
        with self.lock:
            self._retired.add(_modulus(key))
            free = self._free[key.key_size]
            for known in [known for known in free if _modulus(known) in self._retired]:
                free.remove(known)


def _modulus(key: RSAPrivateKey) -> int:
    return key.public_key().public_numbers().n


#: The pool of this process.
RSA_POOL = RsaPool()


class KeySource:
    """The source of a mock's key material. Thread-safe.

    Args:
        random: returns the bytes from which all material is generated; None for random bytes of the operating system
            and RSA keys of the pool. With ``random`` RSA keys are generated from its bytes without a pool, which needs
            the extra ``algorithms`` and is slow.
        pool: the pool of RSA keys.
    """

    __slots__ = ("_drawn", "_lock", "_pool", "_random")

    def __init__(self, random: Random | None = None, *, pool: RsaPool = RSA_POOL) -> None:
        self._random = random
        self._pool = pool
        #: Keys in use, to give back; None once the source is closed.
        self._drawn: list[RSAPrivateKey] | None = []
        self._lock = threading.Lock()

    @property
    def seeded(self) -> bool:
        """Whether material is generated from the bytes of `random`."""
        return self._random is not None

    def random(self, length: int) -> bytes:
        """Return ``length`` random bytes."""
        if self._random is None:
            return os.urandom(length)
        with self._lock:
            return self._random(length)

    def rsa(self, bits: int) -> RSAPrivateKey:
        """Return an RSA key that this source has not returned before."""
        if self._random is not None:
            return new_rsa_key(bits, self.random)
        # A closed source generates keys outside of the pool: others may use the pool's keys by now.
        if self._drawn is None:
            return new_rsa_key(bits)
        key = self._pool.draw(bits)
        with self._lock:
            if self._drawn is not None:
                self._drawn.append(key)
        return key

    def generate(self, spec: KeySpec) -> Material:
        """Generate material of ``spec``."""
        if spec.family == "rsa":
            return _rsa_material(spec, self.rsa(spec.bits))
        return generate(spec, self.random)

    def close(self) -> None:
        """Give all RSA keys back to the pool. Existing material keeps working."""
        with self._lock:
            drawn, self._drawn = self._drawn, None
        if drawn:
            self._pool.give_back(drawn)


class LazyMaterial:
    """Key material that is generated on first use. Thread-safe.

    From a seeded source it takes a seed at once, so that material does not depend on the order of first use.

    Args:
        spec: the key spec.
        source: the source of the material.
        material: existing material, such as imported material, instead of a source.
    """

    __slots__ = ("_lock", "_material", "_seed", "_source", "spec")

    def __init__(self, spec: KeySpec, source: KeySource | None = None, *, material: Material | None = None) -> None:
        self.spec = spec
        self._source = source
        self._seed = source.random(_SEED_LENGTH) if source and source.seeded else None
        self._material = material
        self._lock = threading.Lock()

    @classmethod
    def of(cls, material: Material) -> LazyMaterial:
        """Wrap existing material, such as imported material."""
        if material.spec.family == "rsa":
            RSA_POOL.retire(cast("RsaMaterial", material).private_key)
        return cls(material.spec, material=material)

    def get(self) -> Material:
        """Return the material, generated on first use.

        Raises:
            MissingExtra: the key spec needs a package that is not installed.
        """
        if self._material is None:
            with self._lock:
                if self._material is None:
                    self._material = self._make()
                    self._source = self._seed = None
        return self._material

    def _make(self) -> Material:
        if self._seed is not None:
            if self.spec.family == "rsa":
                return _rsa_material(self.spec, _seeded_rsa(self.spec.bits, self._seed))
            return generate(self.spec, expand(self._seed))
        assert self._source is not None
        return self._source.generate(self.spec)

    def __repr__(self) -> str:
        return f"<LazyMaterial {self.spec.name}>"


def new_rsa_key(bits: int, random: Random = os.urandom) -> RSAPrivateKey:
    """Generate an RSA key; see `rsa.generate_key`."""
    from pytest_kmsmock._kms.crypto.rsa import (
        generate_key,  # imported here and below, so that tests without RSA keys do not load their modules
    )

    return generate_key(bits, random)


def _rsa_material(spec: KeySpec, private: RSAPrivateKey) -> Material:
    from pytest_kmsmock._kms.crypto.rsa import RsaMaterial

    return RsaMaterial.of(spec, private)


@functools.lru_cache(maxsize=64)
def _seeded_rsa(bits: int, seed: bytes) -> RSAPrivateKey:
    """Generate the RSA key of a seed; cached, since it is slow and many tests use the same seeds."""
    return new_rsa_key(bits, expand(seed))


def expand(seed: bytes) -> Random:
    """Return a deterministic stream of bytes: SHAKE-256 of the seed and a call counter."""
    calls = 0

    def random(length: int) -> bytes:
        nonlocal calls
        calls += 1
        return hashlib.shake_256(seed + calls.to_bytes(8, "big")).digest(length)

    return random
