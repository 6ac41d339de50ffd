"""The mocks of a test, and the phases of the test in which their calls were made.

Mocks are recorded however they are entered (fixture, decorator, `with`). Nothing is kept after the test, and calls are
read on demand only: a passing test costs a list entry for each mock.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from operator import attrgetter
from threading import get_ident
from typing import TYPE_CHECKING, Any

from pytest_kmsmock._record import Record

if TYPE_CHECKING:
    import pytest

    from pytest_kmsmock._kms.engine.call_record import CallRecord
    from pytest_kmsmock._mock.core import MockCore

_number = attrgetter("number")


class SeenCall(Record):
    """A call that the current test made.

    Attributes:
        phase: `setup`, `call` or `teardown`.
        mock: the mock that answered.
        record: the call.
    """

    phase: str
    mock: MockCore
    record: CallRecord


class Started(Record):
    """A mock that was entered while a test ran.

    Attributes:
        mock: the mock.
        test: the node id of the test.
        fixture: the fixture of a wider scope that entered it; None if the test did.
    """

    mock: MockCore
    test: str
    fixture: pytest.FixtureDef[Any] | None

    @property
    def is_over(self) -> bool:
        """Whether the test or fixture that entered it has ended; valid at the end of a test."""
        return self.fixture is None or self.fixture.cached_result is None

    def __str__(self) -> str:
        """Return which test or fixture entered it."""
        if self.fixture is None:
            return f"Test {self.test}"
        return f"Fixture {self.fixture.argname!r} of scope {self.fixture.scope}, set up for test {self.test},"


class Registry:
    """The mocks and calls of the current test.

    Args:
        active: returns all active mocks.

    Attributes:
        mocks: the mocks that the test used.
        test: the node id of the test; None between tests.
        fixture: the fixture of a wider scope that is being set up now, if any.
    """

    def __init__(self, active: Callable[[], Iterable[MockCore]]) -> None:
        self._active = active
        self.mocks: list[MockCore] = []
        self._phases: list[tuple[str, int]] = []  # each with the number of the last call before it started
        self._last = 0
        self.test: str | None = None
        self.fixture: pytest.FixtureDef[Any] | None = None
        self._thread = 0
        self._started: list[Started] = []

    def begin_test(self, test: str) -> None:
        """Start a test; active mocks of wider scopes belong to it too."""
        self.test, self._thread = test, get_ident()
        self._note_last()
        self.mocks = list(self._active())
        self._phases = []

    def begin_phase(self, name: str) -> None:
        """Assign the calls from now on to a phase of the test."""
        self._note_last()
        self._phases.append((name, self._last))

    def entered(self, mock: MockCore) -> None:
        """Record a mock that was entered."""
        self.mocks.append(mock)
        if self.test is not None and get_ident() == self._thread:  # other threads may outlive the test
            self._started.append(Started(mock, self.test, self.fixture))

    def take_forgotten(self) -> list[Started]:
        """End the test; return the mocks that are active although the test or fixture that entered them has ended."""
        self.test = None
        if not self._started:
            return []
        running = [started for started in self._started if started.mock.active]
        forgotten = [started for started in running if started.is_over]
        self._started = [started for started in running if not started.is_over]
        return forgotten

    def end_test(self) -> None:
        """Release the mocks of the test."""
        self._note_last()
        self.mocks = []

    def calls(self) -> list[SeenCall]:
        """Return the calls of the current test over all its mocks, in order."""
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
        # A test may clear the list of a mock: then the number recorded earlier still separates the phases.
        for mock in self.mocks:
            if mock.calls:
                self._last = max(self._last, mock.calls[-1].number)
