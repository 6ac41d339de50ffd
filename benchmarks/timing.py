"""How seconds are taken, and how often."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple


class Effort(NamedTuple):
    """The counts of a run.

    Attributes:
        rounds: of calls.
        cycles: rounds of tests.
        thread_rounds: of calls by many threads, which the scheduler often disturbs.
        bursts: of cold calls.
        keys: that a mock with many keys has.
        grants: on a key with many grants.
        statements: of a large policy.
        nested: mocks in each other.
        processes: of each kind, at start-up.
        tests: of a suite beside one that never uses KMS.
        suites: how often each of these is run.
        large: tests of a large suite.
        large_suites: how often it is run.
        moto_tests: of moto's suites. They are small: its time grows with the number of tests, so that two of them tell
            how long a large one takes.
    """

    rounds: int = 20
    cycles: int = 5
    thread_rounds: int = 60
    bursts: int = 60
    keys: int = 100_000
    grants: int = 10_000
    statements: int = 1_000
    nested: int = 1_000
    processes: int = 30
    tests: int = 500
    suites: int = 4
    large: int = 2_000
    large_suites: int = 2
    moto_tests: tuple[int, int] = (50, 250)


FULL = Effort()
#: Runs every line once, and says nothing about time.
SMOKE = Effort(1, 1, 1, 1, 200, 2, 2, 2, 1, 1, 1, 2, 1, (1, 2))


def timed(call: Callable[[], object], count: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the seconds of one call, as the mean of `count`."""
    start = clock()
    for _ in range(count):
        call()
    return (clock() - start) / count
