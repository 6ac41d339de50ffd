"""The mock's clock: the only source of time of the fake KMS.

It follows real time by default, read through the `time` module so that freezegun and time-machine work. There are no
threads and no waiting: scheduled changes are made before the next access to the state (see `_kms.rules.timeline`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

from pytest_kmsmock._runtime.arguments import check_arguments
from pytest_kmsmock._runtime.checks import is_number
from pytest_kmsmock.errors import InvalidArgument, InvalidOption, NotActive

__tracebackhide__ = True  # pytest hides frames of this module, so that errors show the user's line

#: The range of the clock: AWS's times count from 1970, and times of scheduled changes must fit into a datetime.
EARLIEST = datetime(1970, 1, 1, tzinfo=timezone.utc)
LATEST = datetime(9000, 1, 1, tzinfo=timezone.utc)
_UNITS = ("weeks", "days", "hours", "minutes", "seconds", "milliseconds", "microseconds")


@check_arguments("clock.")
class Clock:
    """The clock of the fake KMS, which a test controls until the mock ends.

    All times are aware datetimes in UTC, to the millisecond, which is what AWS sends on the wire.
    """

    __slots__ = ("_ended", "_frozen_at", "_offset")

    def __init__(self) -> None:
        self._offset = 0.0  # seconds that this clock is ahead of the machine's
        self._frozen_at: float | None = None  # seconds since the epoch, while frozen
        self._ended = False

    @property
    def frozen(self) -> bool:
        """Whether the clock is frozen."""
        return self._frozen_at is not None

    @property
    def ended(self) -> bool:
        """Whether the mock has ended."""
        return self._ended

    def timestamp(self) -> float:
        """Return the current time in seconds since the epoch."""
        return time.time() + self._offset if self._frozen_at is None else self._frozen_at

    def now(self) -> datetime:
        """Return the current time."""
        # Rounded to microseconds first: floats fall short, and 0.123 s would become 122 ms.
        return datetime.fromtimestamp(round(self.timestamp() * 1_000_000) // 1000 / 1000, timezone.utc)

    def advance(self, delta: timedelta | None = None, **units: float) -> datetime:
        """Move the clock forward; changes that become due happen.

        Args:
            delta: how far; or give keyword arguments of `timedelta`, such as `days=30`.
            **units: keyword arguments of `datetime.timedelta`.

        Returns:
            The new current time.

        Raises:
            InvalidArgument: a TypeError, for anything but a timedelta or its keyword arguments.
            InvalidOption: a ValueError, for a step backwards (use `move_to`), or beyond the year 8999.
            NotActive: the mock has ended.
        """
        _check_step(delta, units)
        try:
            step = (delta or timedelta()) + timedelta(**units)
            moment = self.now() + step
        except OverflowError:
            raise InvalidOption(f"advance() cannot move beyond {LATEST:%Y-%m-%d}, and that step is longer.") from None
        if step < timedelta():
            raise InvalidOption(f"advance() moves forward; got {step}. Use move_to() to go back in time.")
        return self.move_to(moment)

    def move_to(self, when: datetime | str) -> datetime:
        """Set the current time.

        Args:
            when: an aware datetime, a naive one (taken as UTC), or an ISO 8601 string.

        Returns:
            The new current time.

        Raises:
            InvalidArgument: a TypeError, for anything else.
            InvalidOption: a ValueError, for another string, or a time before 1970 or after the year 8999.
            NotActive: the mock has ended.
        """
        self._must_be_active()
        moment = _read(when)
        if self._frozen_at is None:
            self._offset = moment.timestamp() - time.time()
        else:
            self._frozen_at = moment.timestamp()
        return self.now()

    def freeze(self, when: datetime | str | None = None) -> datetime:
        """Freeze the clock, at the current time or at the given one; arguments and errors are those of `move_to`."""
        self._must_be_active()
        self._frozen_at = self.timestamp() if when is None else _read(when).timestamp()
        return self.now()

    def unfreeze(self) -> datetime:
        """Let the clock run from its current time."""
        self._must_be_active()
        if self._frozen_at is not None:
            self._offset, self._frozen_at = self._frozen_at - time.time(), None
        return self.now()

    def _must_be_active(self) -> None:
        if self._ended:
            raise NotActive

    def __copy__(self) -> Clock:
        """Return an independent clock with the same time."""
        clone = Clock()
        clone._offset, clone._frozen_at = self._offset, self._frozen_at
        return clone


def end(clock: Clock) -> None:
    """End a clock with its mock: from now on it refuses changes, which would have no effect."""
    clock._ended = True  # noqa: SLF001 - no method: tests do not end a clock


def _check_step(delta: object, units: Mapping[str, object]) -> None:
    """Check the arguments of `advance`: timedelta's own error messages would not mention it."""
    wrong = [] if delta is None or isinstance(delta, timedelta) else [repr(delta)]
    for unit, amount in units.items():
        if unit not in _UNITS or not is_number(amount):
            wrong.append(f"{unit}={amount!r}")
    if wrong or (delta is None and not units):
        raise InvalidArgument(
            "advance() takes a timedelta or its keyword arguments, such as advance(days=30); "
            f"got {', '.join(wrong) or 'nothing'}."
        )


def _read(when: datetime | str) -> datetime:
    """Parse and check a time to move to, and return it as an aware datetime."""
    moment = when
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment.replace("Z", "+00:00"))
        except ValueError:
            raise InvalidOption(f"Expected an ISO 8601 string such as '2030-01-01T12:00:00Z', got {when!r}.") from None
    if not isinstance(moment, datetime):
        raise InvalidArgument(
            "Expected a datetime such as datetime(2030, 1, 1, tzinfo=timezone.utc), or a string such as '2030-01-01'; "
            f"got {when!r}. To move by a time, use advance()."
        )
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    if not EARLIEST <= moment <= LATEST:
        raise InvalidOption(f"The clock moves from {EARLIEST:%Y-%m-%d} to {LATEST:%Y-%m-%d}; got {when}.")
    return moment
