"""How seconds are taken."""

from __future__ import annotations

import time
from collections.abc import Callable


def timed(call: Callable[[], object], count: int) -> float:
    """Return the seconds of one call, as the mean of `count`."""
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count
