"""The machine's time, whatever freezegun or time-machine let the test's code see."""

from __future__ import annotations

import sys
import time


def machine_time() -> float:
    """Return the seconds since the epoch by the machine's clock."""
    traveling = sys.modules.get("time_machine")  # it replaces every way of Python's to read the clock
    if traveling is not None and traveling.escape_hatch.is_travelling():
        seconds: float = traveling.escape_hatch.time.time()
        return seconds
    if hasattr(time, "clock_gettime"):  # freezegun leaves it alone; Windows has none
        return time.clock_gettime(time.CLOCK_REALTIME)
    return time.time()  # pragma: no cover - Windows
