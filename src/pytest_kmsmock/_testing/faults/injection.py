"""What faults do to calls: which calls they meet, and what becomes of these. Tests add them by `KmsMock.faults`.

A fault is drawn in `FakeKms.call`, where all ways in meet; what a failed connection is to a caller is up to the way in
(`_transport.failures`). While faults concern an operation, botocore's clients send it through their whole request path,
so that their retry modes see the fault.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_kmsmock._kms.engine.call_record import CallRecord
from pytest_kmsmock._kms.engine.pipeline import perform

from .preview import preview

if TYPE_CHECKING:
    from pytest_kmsmock._kms.api.errors import InjectedError
    from pytest_kmsmock._kms.call.operation import Call, Result
    from pytest_kmsmock._kms.engine.fake_kms import FakeKms
    from pytest_kmsmock._testing.calls.call_pattern import CallPattern
    from pytest_kmsmock._testing.calls.error_codes import ErrorMaker


@dataclass(slots=True, eq=False)
class Rule:
    """A fault: the calls that it is meant for, and what it does to them.

    Attributes:
        description: what it does at which calls, for messages.
        patterns: the calls that it is meant for; one of them has to fit.
        make_error: makes the error; None if it only answers late.
        when: says of a call whether it may fire at it; None for any.
        times: how often it fires; None for as long as it is there.
        after: the number of matching calls before it fires.
        rate: the share of calls that it fires at.
        random: picks this share.
        delay: seconds that the answer takes, really.
        clock_delay: seconds that the mock's clock moves on before the call is carried out.
        executed: whether the call is carried out all the same and only its answer is lost.
        fired: how many calls it met.
        passed: how many calls that it fits it let pass.
    """

    description: str
    patterns: tuple[CallPattern, ...]
    make_error: ErrorMaker | None
    when: Callable[[CallRecord], bool] | None
    times: int | None
    after: int
    rate: float
    random: random.Random
    delay: float
    clock_delay: float
    executed: bool
    fired: int = field(default=0)
    passed: int = field(default=0)

    @property
    def exhausted(self) -> bool:
        """Whether it has fired as often as it may."""
        return self.times is not None and self.fired >= self.times

    def concerns(self, operation: str) -> bool:
        """Say whether it may fire at calls of an operation."""
        return not self.exhausted and any(pattern.operation in (None, operation) for pattern in self.patterns)

    def fits(self, record: CallRecord, owner: FakeKms) -> bool:
        """Say whether a call is one that it is meant for."""
        if self.exhausted or not any(pattern.matches(record, owner.state) for pattern in self.patterns):
            return False
        return self.when is None or self.when(record)

    def fires(self) -> bool:
        """Decide whether it fires at a call that it fits, and count it."""
        if self.exhausted:  # by another call, since
            return False
        if self.fired + self.passed < self.after or (self.rate < 1 and self.random.random() >= self.rate):
            self.passed += 1
            return False
        self.fired += 1
        return True

    def error_for(self, call: Call) -> InjectedError | None:
        """Return the error that it makes of a call; None if it only slows it down."""
        if self.make_error is None:
            return None
        arn = next((target.arn for target in call.targets), "*")
        return self.make_error({"arn": arn, "caller": call.caller.arn, "operation": call.operation.name})


class Injector:
    """The faults of one mock, in the order in which they were added.

    Of those that fit a call, the first that makes an error decides; those that only slow a call down add up.

    Args:
        service: the fake KMS.
        changed: called when faults were added or removed.

    Attributes:
        rules: the faults.
        removed: those that were removed.
        skip_backoff: whether delays before a retry are skipped.
        backoffs: how long each of them was, or would have been; in seconds.
    """

    def __init__(self, service: FakeKms, changed: Callable[[], None]) -> None:
        self._service = service
        self._changed = changed
        self._lock = threading.RLock()  # a predicate may make calls of its own
        self._due = threading.local()
        self.rules: list[Rule] = []
        self.removed: list[Rule] = []
        self.skip_backoff = True
        self.backoffs: list[float] = []

    def add(self, rule: Rule) -> None:
        """Add a fault."""
        self.rules.append(rule)
        self._changed()

    def remove(self, rule: Rule) -> None:
        """Remove a fault, if it is there."""
        if rule in self.rules:
            self.rules.remove(rule)
            self.removed.append(rule)
            self._changed()

    @property
    def unused(self) -> list[Rule]:
        """The faults that never fired, removed ones too."""
        return [rule for rule in [*self.removed, *self.rules] if not rule.fired]

    def concerns(self, operation: str) -> bool:
        """Say whether a fault may fire at the next call of an operation."""
        return any(rule.concerns(operation) for rule in self.rules)

    def carry_out(self, call: Call, go_on: Callable[[Call], Result] = perform) -> Result:
        """Carry out a call unless a fault fires at it.

        Args:
            call: the call.
            go_on: what carries it out.

        Raises:
            InjectedError: what the fault makes of it.
        """
        if not self.concerns(call.operation.name):
            return go_on(call)
        error, executed = self._draw(call)
        if error is None:
            return go_on(call)
        if executed:
            error.lost_response = go_on(
                call
            )  # if KMS refuses the call itself, that is lost as well: let its error show
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

    def _count(self, rule: Rule) -> bool:
        with self._lock:
            return rule.fires()

    def _draw(self, call: Call) -> tuple[InjectedError | None, bool]:
        seen = preview(call)
        record = CallRecord(
            call.operation.name, seen.params, call.caller, call.caller.account, call.region.name, call.now,
            call.request_id, None, None, seen.targets,
        )  # fmt: skip
        delay, clock_delay = 0.0, 0.0
        error, executed = None, False
        for rule in tuple(self.rules):
            # Only the counting is locked: what a test gives as `when` may wait for another call.
            if (error is None or rule.make_error is None) and rule.fits(record, self._service) and self._count(rule):
                delay += rule.delay
                clock_delay += rule.clock_delay
                if error is None:
                    error, executed = rule.error_for(seen), rule.executed
        self._due.seconds = delay
        if clock_delay:
            call.now = self._service.clock.advance(seconds=clock_delay)
        if error is not None:
            call.params, call.targets = seen.params, seen.targets  # for the record of the call
        return error, executed
