"""`KmsMock.faults`: errors, failed connections and slow answers that the test asks for.

A fault is drawn in `FakeKms.call`, where all ways in meet; what a failed connection is to a caller is up to the way in
(`_transport.failures`). While faults concern an operation, botocore's clients send it through their whole request path,
so that their retry modes see the fault. What can go wrong is in `fault_errors`.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pytest_kmsmock._kms.api.errors import InjectedError
from pytest_kmsmock._kms.engine.call_record import CallRecord
from pytest_kmsmock._kms.engine.pipeline import perform
from pytest_kmsmock._runtime.checks import check_type, is_number, is_whole
from pytest_kmsmock._testing.calls import error_codes, formatting
from pytest_kmsmock._testing.calls.call_pattern import CallPattern
from pytest_kmsmock.errors import InvalidFault, UnusedFaults

from .preview import preview

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from pytest_kmsmock._kms.call.operation import Call, Result
    from pytest_kmsmock._kms.engine.fake_kms import FakeKms


class Fault:
    """A fault that was added: a handle to see what became of it and to remove it; `with` removes it at the end.

    Attributes:
        fired: how many calls it met.
        passed: how many calls that it fits it let pass, because of `after`, `rate` or `times`.
    """

    def __init__(
        self,
        owner: Faults,
        patterns: tuple[CallPattern, ...],
        make_error: error_codes.ErrorMaker | None,
        when: Callable[[CallRecord], bool] | None,
        limits: tuple[int | None, int, float, int],
        delays: tuple[float, float],
        executed: bool,
        description: str,
    ) -> None:
        self._owner = owner
        self._patterns = patterns
        self._make_error = make_error
        self._when = when
        self._times, self._after, self._rate, seed = limits
        self.delay, self.clock_delay = delays
        self.executed = executed
        self._random = random.Random(seed)
        self._description = description
        self.fired = 0
        self.passed = 0

    def __repr__(self) -> str:
        return f"<Fault {self._description}, fired {formatting.count(self.fired)}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.remove()

    def remove(self) -> None:
        """Let it fire no more. Removing it twice does no harm."""
        self._owner.remove(self)

    @property
    def exhausted(self) -> bool:
        """Whether it has fired as often as it may."""
        return self._times is not None and self.fired >= self._times

    def concerns(self, operation: str) -> bool:
        """Say whether it may fire at calls of an operation."""
        return not self.exhausted and any(pattern.operation in (None, operation) for pattern in self._patterns)

    def fits(self, record: CallRecord, owner: FakeKms) -> bool:
        """Say whether a call is one that it is meant for."""
        if self.exhausted or not any(pattern.matches(record, owner.state) for pattern in self._patterns):
            return False
        return self._when is None or self._when(record)

    def fires(self) -> bool:
        """Decide whether it fires at a call that it fits, and count it."""
        if self.exhausted:  # by another call, since
            return False
        if self.fired + self.passed < self._after or (self._rate < 1 and self._random.random() >= self._rate):
            self.passed += 1
            return False
        self.fired += 1
        return True

    @property
    def fails(self) -> bool:
        """Whether it makes calls fail, and does not only slow them down."""
        return self._make_error is not None

    def error_for(self, call: Call) -> InjectedError | None:
        """Return the error that it makes of a call; None if it only slows it down."""
        if self._make_error is None:
            return None
        arn = next((target.arn for target in call.targets), "*")
        return self._make_error({"arn": arn, "caller": call.caller.arn, "operation": call.operation.name})


class Faults:
    """The faults of one mock, in the order in which they were added.

    Of those that fit a call, the first that makes an error decides; those that only slow a call down add up. A nested
    mock begins without any.

    Attributes:
        backoffs: how long each delay before a retry was, or would have been; in seconds.
    """

    def __init__(self, service: FakeKms, changed: Callable[[], None]) -> None:
        self._service = service
        self._changed = changed
        self._faults: list[Fault] = []
        self._removed: list[Fault] = []
        self._lock = threading.RLock()  # a predicate may make calls of its own
        self._due = threading.local()
        self._skip_backoff = True
        self.backoffs: list[float] = []

    @property
    def skip_backoff(self) -> bool:
        """Whether botocore's retry backoff is skipped, so that tests stay fast; True at first.

        The mock's clock moves on by them, unless it is frozen.

        Raises:
            InvalidFault: set to anything but True and False.
        """
        return self._skip_backoff

    @skip_backoff.setter
    def skip_backoff(self, value: bool) -> None:
        check_type(value, bool, "faults.skip_backoff", error=InvalidFault)
        self._skip_backoff = value

    def __len__(self) -> int:
        return len(self._faults)

    def __iter__(self) -> Iterator[Fault]:
        return iter(list(self._faults))

    def add(
        self,
        operation: str | Iterable[str] | None = None,
        /,
        *,
        error: object = None,
        message: str | None = None,
        status: int | None = None,
        times: int | None = None,
        after: int = 0,
        rate: float = 1.0,
        seed: int = 0,
        when: Callable[[CallRecord], bool] | None = None,
        delay: float = 0.0,
        clock_delay: float = 0.0,
        executed: bool = False,
        **members: object,
    ) -> Fault:
        """Let calls fail, or answer them late.

        Args:
            operation: the operation, several, or None for all.
            error: an error code (`ThrottlingException`, `KMSInternalException`, any other of KMS or common to AWS); an
                HTTP status such as 503 for an answer without KMS's body; a connection error by name or class
                (`EndpointConnectionError`, `ConnectTimeoutError`, `ReadTimeoutError`, `ConnectionClosedError`, ...);
                None to answer late only.
            message: the error's text in place of the usual one.
            status: the HTTP status in place of the usual one.
            times: how often it fires; None for as long as it is there. Each retry is a call.
            after: how many calls that fit pass before it fires.
            rate: the share of calls that it fires at, from 0 to 1; `seed` makes which ones they are.
            seed: the seed of `rate`; the same seed picks the same calls.
            when: says of a call whether the fault may fire at it. The call has no result yet.
            delay: seconds that the answer takes, really.
            clock_delay: seconds that the mock's clock moves on before the call is carried out.
            executed: whether the call is carried out all the same and only its answer is lost, as at a read
                time-out that came too early.
            **members: what the members of the request are like, as in `KmsMock.calls.of`.

        Returns:
            The fault; as a context manager it is removed at the end.

        Raises:
            InvalidFault: for a value that makes no sense.
            InvalidCallPattern: for an operation or a member that there is not.
        """
        operations = _operations(operation)
        _check(error, message, status, executed, late=delay != 0 or clock_delay != 0)
        _check_values(
            {"message": message, "status": status, "times": times, "after": after, "rate": rate, "seed": seed,
             "when": when, "delay": delay, "clock_delay": clock_delay, "executed": executed}
        )  # fmt: skip
        if seed and rate == 1:
            raise InvalidFault("faults.add(): seed says which calls a rate picks: give a rate below 1.")
        fault = Fault(
            self,
            tuple(CallPattern(name, members) for name in operations),
            None if error is None else error_codes.maker(error, message, status),
            when,
            (times, after, rate, seed),
            (delay, clock_delay),
            executed,
            _describe(operations, error, members),
        )
        self._faults.append(fault)
        self._changed()
        return fault

    def remove(self, fault: Fault) -> None:
        """Remove a fault, if it is there."""
        if fault in self._faults:
            self._faults.remove(fault)
            self._removed.append(fault)
            self._changed()

    def clear(self) -> None:
        """Remove all faults."""
        for fault in self:
            self.remove(fault)

    @property
    def unused(self) -> list[Fault]:
        """The faults that never fired, removed ones too."""
        return [fault for fault in [*self._removed, *self._faults] if not fault.fired]

    def assert_all_used(self) -> None:
        """Fail if a fault never fired: the test did not test what it says.

        Raises:
            UnusedFaults: an `AssertionError` that lists them.
        """
        __tracebackhide__ = True
        if self.unused:
            raise UnusedFaults(
                "These faults never fired:\n"
                + "\n".join(f"  - {fault!r}" for fault in self.unused)
                + "\nWas the operation called, by a client that the mock answers, with such members?"
            )

    def concern(self, operation: str) -> bool:
        """Say whether a fault may fire at the next call of an operation."""
        return any(fault.concerns(operation) for fault in self._faults)

    def carry_out(self, call: Call, go_on: Callable[[Call], Result] = perform) -> Result:
        """Carry out a call unless a fault fires at it.

        Args:
            call: the call.
            go_on: what carries it out.

        Raises:
            InjectedError: what the fault makes of it.
        """
        if not self.concern(call.operation.name):
            return go_on(call)
        error, executed = self._draw(call)
        if error is None:
            return go_on(call)
        if executed:
            error.lost = go_on(call)  # if KMS refuses the call itself, that is lost as well: let its error show
        raise error

    def take_delay(self) -> float:
        """Return the seconds by which the answer to this thread's last call is late, once."""
        seconds: float = getattr(self._due, "seconds", 0.0)
        self._due.seconds = 0.0
        return seconds

    def note_backoff(self, seconds: float) -> bool:
        """Note a delay that botocore wants to make before it retries; say whether it is to be skipped."""
        self.backoffs.append(seconds)
        if self.skip_backoff and not self._service.clock.frozen:
            self._service.clock.advance(seconds=seconds)
        return self.skip_backoff

    def _count(self, fault: Fault) -> bool:
        with self._lock:
            return fault.fires()

    def _draw(self, call: Call) -> tuple[InjectedError | None, bool]:
        seen = preview(call)
        record = CallRecord(
            call.operation.name, seen.params, call.caller, call.caller.account, call.region.name, call.now,
            call.request_id, None, None, seen.targets,
        )  # fmt: skip
        delay, clock_delay = 0.0, 0.0
        error, executed = None, False
        for fault in tuple(self._faults):
            # Only the counting is locked: what a test gives as `when` may wait for another call.
            if (error is None or not fault.fails) and fault.fits(record, self._service) and self._count(fault):
                delay += fault.delay
                clock_delay += fault.clock_delay
                if error is None:
                    error, executed = fault.error_for(seen), fault.executed
        self._due.seconds = delay
        if clock_delay:
            call.now = self._service.clock.advance(seconds=clock_delay)
        if error is not None:
            call.params, call.targets = seen.params, seen.targets  # for the record of the call
        return error, executed


def _operations(given: object) -> tuple[str | None, ...]:
    """Return the operations of a fault; whether there are such, `CallPattern` says."""
    if given is None or isinstance(given, str):
        return (given,)
    names = tuple(given) if isinstance(given, Iterable) else ()
    if not names or not all(isinstance(name, str) for name in names):
        raise InvalidFault(
            f"faults.add(): give an operation such as 'Decrypt', several in a list, or none for all; not {given!r}."
        )
    return names


def _are_seconds(value: Any) -> bool:
    return is_number(value) and 0 <= value <= threading.TIMEOUT_MAX


#: Argument of `Faults.add` -> what it must be, in words, and whether a value is; None is left out where it may be.
_VALUES: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "message": ("a string", lambda value: isinstance(value, str)),
    "status": ("an HTTP status from 400 to 599", lambda value: is_whole(value) and 400 <= value <= 599),
    "times": ("1 or more, or None", lambda value: is_whole(value) and value >= 1),
    "after": ("0 or more", lambda value: is_whole(value) and value >= 0),
    "rate": ("more than 0 and at most 1", lambda value: is_number(value) and 0 < value <= 1),
    "seed": ("a whole number", is_whole),
    "when": ("a function that takes a CallRecord", callable),
    "delay": ("seconds from 0 on", _are_seconds),
    "clock_delay": ("seconds from 0 on", _are_seconds),
    "executed": ("True or False", lambda value: isinstance(value, bool)),
}
_OPTIONAL = frozenset({"message", "status", "times", "when"})


def _check_values(given: Mapping[str, object]) -> None:
    for name, value in given.items():
        expected, fits = _VALUES[name]
        if not (value is None and name in _OPTIONAL) and not fits(value):
            raise InvalidFault(f"faults.add(): {name} must be {expected}, not {value!r}.")


def _check(error: object, message: object, status: object, executed: object, *, late: bool) -> None:
    """Refuse arguments that do not go together."""
    if error is None and not late:
        raise InvalidFault("faults.add(): give an error, a delay or a clock_delay: this fault does nothing.")
    if error is None and (message is not None or status is not None or executed):
        raise InvalidFault("faults.add(): message, status and executed belong to an error: give one.")


def _describe(operations: tuple[str | None, ...], error: object, members: dict[str, object]) -> str:
    what = "late answer" if error is None else getattr(error, "__name__", None) or str(error)
    return f"{what} at {', '.join(formatting.request(name, members) for name in operations)}"
