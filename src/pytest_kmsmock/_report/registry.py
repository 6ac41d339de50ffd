"""Which mocks a test used, and which of their calls were made in which phase of it.

However a mock is entered (fixture, decorator, `with`), it is noticed here. Nothing is kept beyond the test, and nothing
is looked at unless somebody asks: a test that does not fail costs a list entry for each mock.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pytest_kmsmock._kms.engine.call_record import CallRecord
    from pytest_kmsmock._mock.core import MockCore

_number = attrgetter("number")


class SeenCall(NamedTuple):
    """A call that the current test made.

    Attributes:
        phase: `setup`, `call` or `teardown`.
        mock: the mock that answered.
        record: the call.
    """

    phase: str
    mock: MockCore
    record: CallRecord


class Registry:
    """The mocks and calls of the current test.

    Args:
        active: gives the mocks that are active now, whoever entered them.
    """

    def __init__(self, active: Callable[[], Iterable[MockCore]]) -> None:
        self._active = active
        self.mocks: list[MockCore] = []
        self._phases: list[tuple[str, int]] = []  # each with the number of the last call before it
        self._last = 0

    def begin_test(self) -> None:
        """Forget the test before; mocks of wider scopes go on."""
        self._note_last()
        self.mocks = list(self._active())
        self._phases = []

    def begin_phase(self, name: str) -> None:
        """Count the calls from here on to a phase of the test."""
        self._note_last()
        self._phases.append((name, self._last))

    def entered(self, mock: MockCore) -> None:
        """Note a mock that was entered."""
        self.mocks.append(mock)

    def end_test(self) -> None:
        """Let go of what the test used, so that it can be freed."""
        self._note_last()
        self.mocks = []

    def calls(self) -> list[SeenCall]:
        """Return the calls of the current test, in the order in which they were made, over all its mocks."""
        if not self._phases:
            return []
        first = self._phases[0][1]
        found = [
            SeenCall(self._phase_of(record), mock, record)
            for mock in self.mocks
            for record in mock.calls[bisect_right(mock.calls, first, key=_number) :]
        ]
        found.sort(key=lambda seen: seen.record.number)
        return found

    def _phase_of(self, record: CallRecord) -> str:
        return next(name for name, last in reversed(self._phases) if last < record.number)

    def _note_last(self) -> None:
        # A test may clear the list of a mock: then the number noted before still separates before from after.
        for mock in self.mocks:
            if mock.calls:
                self._last = max(self._last, mock.calls[-1].number)
