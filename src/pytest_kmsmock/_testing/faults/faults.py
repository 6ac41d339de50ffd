"""`KmsMock.faults`: injects errors, failed connections and delays.

`injection` applies faults to calls; `error_codes` has the errors.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pytest_kmsmock._kms.call.short_repr import format_request
from pytest_kmsmock._runtime.arguments import check_arguments
from pytest_kmsmock._runtime.checks import check_type, is_number, is_whole
from pytest_kmsmock._testing.calls import error_codes, formatting
from pytest_kmsmock._testing.calls.call_pattern import CallPattern
from pytest_kmsmock.errors import InvalidFault, UnusedFaults

from .rule import Rule

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from pytest_kmsmock._kms.engine.call_record import CallRecord

    from .injection import Injector


class Fault:
    """A fault: whether it has fired, and a way to remove it; `with` removes it at the end.

    A test gets one from `kms_mock.faults.add(...)`.
    """

    def __init__(self, injector: Injector, rule: Rule) -> None:
        self._injector, self._rule = injector, rule

    def __repr__(self) -> str:
        return f"<Fault {describe(self._rule)}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fault) and self._rule is other._rule

    def __hash__(self) -> int:
        return hash(self._rule)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.remove()

    def remove(self) -> None:
        """Remove the fault. Removing it twice has no effect."""
        self._injector.remove(self._rule)

    @property
    def fired(self) -> int:
        """The number of calls that it fired on."""
        return self._rule.fired

    @property
    def passed(self) -> int:
        """The number of matching calls that it did not fire on, because of `after`, `rate` or `times`."""
        return self._rule.passed

    @property
    def exhausted(self) -> bool:
        """Whether it has fired `times` times."""
        return self._rule.exhausted


def describe(rule: Rule) -> str:
    """Return what a fault does, at which calls, and how often it has fired."""
    return f"{rule.description}, fired {formatting.count(rule.fired)}"


def unused_text(injector: Injector) -> str:
    """Return which faults never fired, and what to check."""
    return (
        "These faults never fired:\n"
        + "\n".join(f"  - <Fault {describe(rule)}>" for rule in injector.unused)
        + "\nCheck that the operation was called with these parameters, by a client that this mock answers."
    )


@check_arguments("faults.")
class Faults:
    """The faults of one mock, in the order in which they were added.

    Of those that match a call, the first one with an error takes precedence; delays add up. A nested
    mock starts without any.
    """

    __slots__ = ("_injector",)

    def __init__(self, injector: Injector) -> None:
        self._injector = injector

    @property
    def backoffs(self) -> list[float]:
        """The backoff before each retry in seconds, skipped or not."""
        return self._injector.backoffs

    @property
    def skip_backoff(self) -> bool:
        """Whether botocore's retry backoff is skipped, so that tests stay fast; True by default.

        The mock's clock advances by the backoff, unless it is frozen.

        Raises:
            InvalidFault: set to another value than True and False.
        """
        return self._injector.skip_backoff

    @skip_backoff.setter
    def skip_backoff(self, value: bool) -> None:
        self._injector.must_be_active()
        check_type(value, bool, "faults.skip_backoff", error=InvalidFault)
        self._injector.skip_backoff = value

    def __len__(self) -> int:
        return len(self._injector.rules)

    def __iter__(self) -> Iterator[Fault]:
        return iter([Fault(self._injector, rule) for rule in self._injector.rules])

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
        **params: object,
    ) -> Fault:
        """Make calls fail, or delay them.

        Args:
            operation: the operation, several, or None for all.
            error: an error code (`ThrottlingException`, `KMSInternalException`, any other of KMS or common to AWS); an
                HTTP status such as 503 for a response without KMS's body; a connection error by name or class
                (`EndpointConnectionError`, `ConnectTimeoutError`, `ReadTimeoutError`, `ConnectionClosedError`, ...);
                None for a delay only.
            message: the error's message, by default AWS's.
            status: the HTTP status, by default AWS's.
            times: how often it fires; None for every call. Each retry is a call.
            after: the number of matching calls before it fires.
            rate: the share of calls that it fires at, from 0 to 1, selected at random by `seed`.
            seed: the seed of `rate`; the same seed selects the same calls.
            when: a predicate of a `CallRecord`, which has no result yet.
            delay: seconds of real time by which the response is late.
            clock_delay: seconds by which the mock's clock advances before the call is executed.
            executed: whether the call is executed and only its response is lost, as with a read timeout.
            **params: expected parameters of the call, as in `KmsMock.calls.of`.

        Returns:
            The fault; as a context manager it is removed at the end.

        Raises:
            InvalidFault: a wrong value.
            InvalidCallPattern: the operation or a parameter does not exist.
            NotActive: the mock has ended.
        """
        self._injector.must_be_active()
        operations = _operations(operation)
        patterns = tuple(CallPattern(name, params, ["error", *_VALUES]) for name in operations)
        _check(error, message, status, executed, late=delay != 0 or clock_delay != 0)
        _check_values(
            {"message": message, "status": status, "times": times, "after": after, "rate": rate, "seed": seed,
             "when": when, "delay": delay, "clock_delay": clock_delay, "executed": executed}
        )  # fmt: skip
        if seed and rate == 1:
            raise InvalidFault("faults.add(): seed says which calls a rate picks: give a rate below 1.")
        rule = Rule(
            _describe(operations, error, params),
            patterns,
            None if error is None else error_codes.maker(error, message, status),
            when,
            times,
            after,
            rate,
            random.Random(seed),
            delay,
            clock_delay,
            executed,
        )
        self._injector.add(rule)
        return Fault(self._injector, rule)

    def remove(self, fault: Fault) -> None:
        """Remove a fault. Removing it twice has no effect.

        Raises:
            InvalidFault: not a fault.
        """
        check_type(fault, Fault, "faults.remove(): fault", "what faults.add() returned", InvalidFault)
        fault.remove()

    def clear(self) -> None:
        """Remove all faults."""
        for fault in self:
            fault.remove()

    @property
    def unused(self) -> list[Fault]:
        """The faults that never fired, including removed ones."""
        return [Fault(self._injector, rule) for rule in self._injector.unused]

    def assert_all_used(self) -> None:
        """Fail if a fault never fired.

        Raises:
            UnusedFaults: an `AssertionError` that lists them.
        """
        __tracebackhide__ = True
        if self.unused:
            raise UnusedFaults(unused_text(self._injector))


def _operations(given: object) -> tuple[str | None, ...]:
    """Return the operations of a fault; `CallPattern` validates them."""
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


#: Argument of `Faults.add` -> the description of its values, and a predicate; `_OPTIONAL` ones may be None.
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
    """Validate the combination of arguments."""
    if error is None and not late:
        raise InvalidFault("faults.add(): give an error, a delay or a clock_delay: this fault does nothing.")
    if error is None and (message is not None or status is not None or executed):
        raise InvalidFault("faults.add(): message, status and executed belong to an error: give one.")


def _describe(operations: tuple[str | None, ...], error: object, params: dict[str, object]) -> str:
    what = "late answer" if error is None else getattr(error, "__name__", None) or str(error)
    return f"{what} at {', '.join(format_request(name, params) for name in operations)}"
