"""Random bytes that are the same in every run, for `mock_kms(deterministic=True)`.

A stream is named, not seeded by chance: who asks for the stream of the same names gets the same bytes. Where mocks
take their streams' names from is in `pytest_kmsmock._mock.kms_mock`; what the bytes are used for is none of this
module's business. Nothing here is secret: never use it outside of a fake.
"""

from __future__ import annotations

import hashlib
import threading

from .key_source import expand


class Drbg:
    """A stream of random bytes that is a function of its names. Thread safe.

    Args:
        *names: what the stream is for, from the general to the particular.

    Example:
        >>> Drbg("a test")(4) == Drbg("a test")(4) != Drbg("another test")(4)
        True
    """

    __slots__ = ("_lock", "_names", "_stream")

    def __init__(self, *names: str) -> None:
        self._names = names
        # Each name goes with its length, so that no two lists of names give the same bytes.
        text = b"".join(len(name.encode()).to_bytes(4, "big") + name.encode() for name in names)
        self._stream = expand(hashlib.sha256(text).digest())
        self._lock = threading.Lock()

    def __call__(self, length: int) -> bytes:
        """Return the next `length` bytes."""
        with self._lock:
            return self._stream(length)

    def child(self, name: str) -> Drbg:
        """Return the stream of a further name; what was drawn from this one does not matter to it."""
        return Drbg(*self._names, name)

    def __repr__(self) -> str:
        return f"Drbg{self._names!r}"
