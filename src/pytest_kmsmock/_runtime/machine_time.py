"""The machine's time, which freezegun and time-machine do not change."""

from __future__ import annotations

import sys
import time


def machine_time() -> float:
    """Return the machine's time, in seconds since the epoch."""
    traveling = sys.modules.get("time_machine")  # it replaces all clock functions of Python
    if traveling is not None and traveling.escape_hatch.is_travelling():
        seconds: float = traveling.escape_hatch.time.time()
        return seconds
    if hasattr(time, "clock_gettime"):  # freezegun does not replace it; Windows has none
        return time.clock_gettime(time.CLOCK_REALTIME)
    return time.time()  # pragma: no cover - Windows has no clock_gettime, and no test runs there
