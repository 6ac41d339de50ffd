"""Lists of calls for failure messages: the closest calls or the last ones, with differences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pytest_kmsmock._kms.call.short_repr import format_value

from .call_pattern import CallPattern, Difference

if TYPE_CHECKING:
    from pytest_kmsmock._kms.engine.call_record import CallRecord
    from pytest_kmsmock._kms.state.state import State

#: The maximum number of calls in a failure message.
_SHOWN = 5


def differences(found: Iterable[Difference]) -> list[str]:
    """Return the differences of a call, a line each."""
    return [
        f"{path}: expected {format_value(expected)}, got {format_value(actual)}" for path, expected, actual in found
    ]


def count(number: int) -> str:
    """Return a number of times as words."""
    return {0: "never", 1: "once", 2: "twice"}.get(number, f"{number} times")


def nearest(pattern: CallPattern, calls: Sequence[CallRecord], state: State) -> list[str]:
    """Return the calls that are closest to a pattern, with their differences.

    Calls with fewer differences come first, then later ones. If the operation was not called, the last calls.
    """
    if not calls:
        return ["No KMS call was made at all."]
    same = [record for record in calls if pattern.operation in (None, record.operation)]
    if not same:
        return [f"{pattern.operation} was not called. The last calls:", *listing(calls)]
    same.reverse()
    same.sort(key=lambda record: len(pattern.differences(record, state)))
    return ["The nearest calls:", *_shorten([_compared(pattern, record, state) for record in same])]


def others(pattern: CallPattern, calls: Sequence[CallRecord], state: State) -> list[str]:
    """Return calls that do not match, with their differences if they are of the operation."""
    return _shorten([_compared(pattern, record, state) for record in calls])


def _compared(pattern: CallPattern, record: CallRecord, state: State) -> str:
    """Return a call, with its differences if it is one of the operation."""
    found = pattern.differences(record, state)
    if pattern.operation not in (None, record.operation):
        found = []
    return "\n".join([f"  - {record}", *(f"      {text}" for text in differences(found))])


def listing(calls: Sequence[CallRecord]) -> list[str]:
    """Return the last calls, oldest first."""
    return _shorten([f"  - {record}" for record in calls], last=True)


def _shorten(entries: Sequence[str], *, last: bool = False) -> list[str]:
    """Return some entries, equal ones once with their count, and the number of the others."""
    numbers = Counter(entries)
    chosen = list(numbers)[-_SHOWN:] if last else list(numbers)[:_SHOWN]
    shown = []
    for entry in chosen:
        first, newline, rest = entry.partition("\n")
        times = f" ({count(numbers[entry])})" if numbers[entry] > 1 else ""
        shown.append(f"{first}{times}{newline}{rest}")
    more = len(entries) - sum(numbers[entry] for entry in chosen)
    if not more:
        return shown
    return [f"  … {more} before them", *shown] if last else [*shown, f"  … and {more} more"]
