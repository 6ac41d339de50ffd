"""Deterministic random bytes, for `mock_kms(deterministic=True)`.

Streams are seeded by names: the same names yield the same bytes. `pytest_kmsmock._mock.determinism` chooses the names
of a mock. Nothing here is secret: never use it outside of a fake.
"""

from __future__ import annotations

import hashlib
import threading

from .key_source import expand


class Drbg:
    """A deterministic stream of random bytes, seeded by its names. Thread-safe.

    Args:
        *names: identify the stream, from general to specific.

    Example:
        >>> Drbg("a test")(4) == Drbg("a test")(4) != Drbg("another test")(4)
        True
    """

    __slots__ = ("_lock", "_names", "_stream")

    def __init__(self, *names: str) -> None:
        self._names = names
        # With the length of each name, different lists of names are different seeds.
        text = b"".join(len(name.encode()).to_bytes(4, "big") + name.encode() for name in names)
        self._stream = expand(hashlib.sha256(text).digest())
        self._lock = threading.Lock()

    def __call__(self, length: int) -> bytes:
        """Return the next `length` bytes."""
        with self._lock:
            return self._stream(length)

    def child(self, name: str) -> Drbg:
        """Return the stream with a further name, independent of this stream's position."""
        return Drbg(*self._names, name)

    def __repr__(self) -> str:
        return f"Drbg{self._names!r}"
