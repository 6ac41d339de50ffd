"""Where a mock's key material comes from: a process-wide pool of RSA keys, and material made when needed.

RSA keys are slow to make, so keys that one mock is done with serve others. Within one mock no RSA key is ever given
twice, consecutive mocks get different keys (a stale public key is noticed), and material that came from elsewhere, such
as a dump of this process, is never given to a new key.
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
#: How many keys of a size are made ahead of need at most, for requests that may be refused.
_MOST_READY = 64


class RsaPool:
    """RSA private keys that nobody uses now, by size. Thread safe."""

    __slots__ = ("_free", "_making", "_retired", "lock")

    def __init__(self) -> None:
        #: Those given back last are at the end, and the last to be drawn again.
        self._free: defaultdict[int, deque[RSAPrivateKey]] = defaultdict(deque)
        #: The moduli of keys that are never given again.
        self._retired: set[int] = set()
        self.lock = threading.Lock()
        self._making = threading.Lock()

    def draw(self, bits: int) -> RSAPrivateKey:
        """Take a key of ``bits`` out of the pool, or make one; never the key that was given back last."""
        with self.lock:
            free = self._free[bits]
            if len(free) > 1:
                return free.popleft()
        return new_rsa_key(bits)

    def prepare(self, bits: int) -> None:
        """Make a key ahead of need, so that the next `draw` finds one and nobody has to wait for it."""
        with self._making:  # more at a time would only take the processors from those who wait for nothing
            ready = len(self._free[bits])
            while ready < _MOST_READY:
                key = new_rsa_key(bits)
                with self.lock:
                    self._free[bits].append(key)
                    ready = len(self._free[bits])
                if ready > 1:
                    return

    def give_back(self, keys: list[RSAPrivateKey]) -> None:
        """Put keys into the pool that nobody uses any more."""
        with self.lock:
            for key in keys:
                if _modulus(key) not in self._retired:
                    self._free[key.key_size].append(key)

    def retire(self, key: RSAPrivateKey) -> None:
        """Never give a key again: somebody has its material from elsewhere."""
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
    """What one mock draws its key material from. Thread safe.

    Args:
        random: gives the bytes that all material is made of, in the order it is asked for; None is the
            operating system's random numbers, and RSA keys from the pool. With bytes of one's own there is no
            pool: RSA keys are made from the bytes, which needs the extra ``algorithms`` and is slow.
        pool: where RSA keys come from and go back to.
    """

    __slots__ = ("_drawn", "_lock", "_pool", "_random")

    def __init__(self, random: Random | None = None, *, pool: RsaPool = RSA_POOL) -> None:
        self._random = random
        self._pool = pool
        #: Keys in use, to be given back; None once the source is closed.
        self._drawn: list[RSAPrivateKey] | None = []
        self._lock = threading.Lock()

    @property
    def seeded(self) -> bool:
        """Whether material is made of bytes of one's own."""
        return self._random is not None

    def random(self, length: int) -> bytes:
        """Return ``length`` random bytes."""
        if self._random is None:
            return os.urandom(length)
        with self._lock:
            return self._random(length)

    def rsa(self, bits: int) -> RSAPrivateKey:
        """Return an RSA key that this source did not give before."""
        if self._random is not None:
            return new_rsa_key(bits, self.random)
        # A closed source, whose keys others may have by now, makes keys that never were in the pool.
        if self._drawn is None:
            return new_rsa_key(bits)
        key = self._pool.draw(bits)
        with self._lock:
            if self._drawn is not None:
                self._drawn.append(key)
        return key

    def generate(self, spec: KeySpec) -> Material:
        """Make material of ``spec`` now."""
        if spec.family == "rsa":
            return _rsa_material(spec, self.rsa(spec.bits))
        return generate(spec, self.random)

    def close(self) -> None:
        """Give all RSA keys back to the pool. The material drawn goes on to work."""
        with self._lock:
            drawn, self._drawn = self._drawn, None
        if drawn:
            self._pool.give_back(drawn)


class LazyMaterial:
    """Key material that is made when it is first needed, and is the same from then on. Thread safe.

    Of a seeded source it takes a seed at once, so that material does not depend on which key is used first.

    Args:
        spec: the key spec.
        source: what the material is drawn from.
        material: what exists already, such as imported material; then there is no source.
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
        """Hold material that exists already, such as imported material."""
        if material.spec.family == "rsa":
            RSA_POOL.retire(cast("RsaMaterial", material).private_key)
        return cls(material.spec, material=material)

    def get(self) -> Material:
        """Return the material; made now if it was not made before.

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
    """Make an RSA key; see `rsa.generate_key`."""
    from pytest_kmsmock._kms.crypto.rsa import (
        generate_key,  # here and below, so that who uses no RSA keys does not pay for their modules
    )

    return generate_key(bits, random)


def _rsa_material(spec: KeySpec, private: RSAPrivateKey) -> Material:
    from pytest_kmsmock._kms.crypto.rsa import RsaMaterial

    return RsaMaterial.of(spec, private)


@functools.lru_cache(maxsize=64)
def _seeded_rsa(bits: int, seed: bytes) -> RSAPrivateKey:
    """Make the RSA key of a seed. Slow, and each test of a run may well ask for the same one: so it is remembered."""
    return new_rsa_key(bits, expand(seed))


def expand(seed: bytes) -> Random:
    """Return a stream of bytes that is a function of ``seed``: SHAKE-256 of the seed and a call counter."""
    calls = 0

    def random(length: int) -> bytes:
        nonlocal calls
        calls += 1
        return hashlib.shake_256(seed + calls.to_bytes(8, "big")).digest(length)

    return random
