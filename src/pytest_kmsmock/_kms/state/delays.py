"""Durations of transitional states and eventual consistency, by the mock's clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pytest_kmsmock._runtime.checks import did_you_mean
from pytest_kmsmock.errors import InvalidArgument, InvalidOption, NotActive

__tracebackhide__ = True  # pytest hides frames of this module, so that errors show the user's line

#: Seconds, or a timedelta.
Duration = float | timedelta
#: Maximum duration, which keeps all dates in the range of datetime.
MAX_DURATION = timedelta(days=3650)


class Delays:
    """Durations of transitional states and eventual consistency, in seconds of the mock's clock or as `timedelta`.

    All are zero unless a test sets them. Without a delay a response shows a transitional state once, and it ends when a
    call depends on its end: `Creating` in the response of ReplicateKey, `Updating` in the first DescribeKey, an
    on-demand rotation in the first GetKeyRotationStatus. So code that polls for the end polls once. Set a delay to
    observe the state, and the errors that come with it, until the clock has moved past the delay.

    Attributes:
        creating: how long a new replica key is `Creating` (AWS: a few seconds).
        updating: how long keys are `Updating` after UpdatePrimaryRegion (AWS: a few seconds).
        rotating: how long an on-demand rotation is in progress.
        connecting: how long a custom key store is `CONNECTING` (AWS: 5 to 20 minutes).
        disconnecting: how long a custom key store is `DISCONNECTING`.
        eventual_consistency: how long until a change of a grant, alias, tag or policy takes effect (AWS: usually
            less than five minutes). A new grant works earlier with its token.
        data_key_reuse: how long SQS and SNS, and S3 with a bucket key, reuse a data key without a KMS call, for one
            requester (AWS: five minutes, or as the queue is configured). A missing permission takes effect after it.

    Example:
        >>> from pytest_kmsmock import mock_kms
        >>> with mock_kms() as kms:
        ...     kms.delays.creating = 5
        ...     kms.delays
        Delays(creating=5)

    AWS: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
    """

    creating: Duration = 0
    updating: Duration = 0
    rotating: Duration = 0
    connecting: Duration = 0
    disconnecting: Duration = 0
    eventual_consistency: Duration = 0
    data_key_reuse: Duration = 0
    _ended = False

    def __init__(self, **durations: Duration) -> None:
        for name, duration in durations.items():
            setattr(self, name, duration)

    if not TYPE_CHECKING:  # pragma: no branch - with it, type checkers would accept any attribute

        def __setattr__(self, name: str, duration: object) -> None:
            if self._ended:
                raise NotActive
            if name not in Delays.__annotations__:
                hint = did_you_mean(name, Delays.__annotations__)
                raise AttributeError(f"Unknown delay {name!r}.{hint} Choose from: {', '.join(Delays.__annotations__)}.")
            check_duration(name, duration)
            object.__setattr__(self, name, duration)

    def __repr__(self) -> str:
        return (
            f"Delays({', '.join(f'{name}={duration!r}' for name, duration in vars(self).items() if name != '_ended')})"
        )

    def __copy__(self) -> Delays:
        """Return a copy for a nested mock, without checking each delay again: each test pays for this."""
        copied = Delays()
        vars(copied).update(vars(self))
        return copied


def end(delays: Delays) -> None:
    """End delays with their mock: from now on they refuse changes, which would have no effect."""
    vars(delays)["_ended"] = True


def end_of(start: datetime, duration: Duration) -> datetime:
    """Return the end of a duration that begins at `start`."""
    return start + (duration if isinstance(duration, timedelta) else timedelta(seconds=duration))


def check_duration(name: str, duration: object) -> None:
    """Check the type and range of a duration.

    Raises:
        InvalidArgument: another type.
        InvalidOption: out of range.
    """
    if isinstance(duration, bool) or not isinstance(duration, int | float | timedelta):
        raise InvalidArgument(f"{name}: expected seconds or a timedelta, got {duration!r}.")
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else duration
    if not 0 <= seconds <= MAX_DURATION.total_seconds():
        raise InvalidOption(f"{name}: expected 0 to {MAX_DURATION.days} days, got {duration!r}.")
