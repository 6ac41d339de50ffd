"""What was not understood in the files of this process, for the end of a test run."""

from __future__ import annotations

from collections.abc import Iterable

from .model import Unknown

#: In the order in which it was met; each entry once, however many tests begin with its file.
_met: dict[str, None] = {}


def tell(unknowns: Iterable[Unknown]) -> None:
    """Remember what was not understood."""
    _met.update(dict.fromkeys(map(str, unknowns)))


def take() -> list[str]:
    """Return all that was met, and forget it."""
    found = list(_met)
    _met.clear()
    return found
