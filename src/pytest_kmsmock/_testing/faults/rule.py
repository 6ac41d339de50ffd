"""`Rule`: a fault, with the calls that it matches and its effect on them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_kmsmock._kms.engine.call_record import CallRecord

if TYPE_CHECKING:
    from pytest_kmsmock._kms.api.errors import InjectedError
    from pytest_kmsmock._kms.call.operation import Call
    from pytest_kmsmock._kms.engine.fake_kms import FakeKms
    from pytest_kmsmock._testing.calls.call_pattern import CallPattern
    from pytest_kmsmock._testing.calls.error_codes import ErrorMaker


@dataclass(slots=True, eq=False)
class Rule:
    """A fault: the calls that it matches, and its effect on them.

    Attributes:
        description: its effect and calls, for messages.
        patterns: the patterns of its calls; one of them has to match.
        make_error: creates the error; None if it only delays.
        when: a predicate of calls; None for all.
        times: how often it fires; None for every call.
        after: the number of matching calls before it fires.
        rate: the share of calls that it fires at.
        random: selects this share.
        delay: seconds of real time by which the response is late.
        clock_delay: seconds by which the mock's clock advances before the call is executed.
        executed: whether the call is executed and only its response is lost.
        fired: the number of calls that it fired on.
        passed: the number of matching calls that it did not fire on.
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
        """Whether it has fired `times` times."""
        return self.times is not None and self.fired >= self.times

    def concerns(self, operation: str) -> bool:
        """Say whether it may fire at calls of an operation."""
        return not self.exhausted and any(pattern.operation in (None, operation) for pattern in self.patterns)

    def fits(self, record: CallRecord, owner: FakeKms) -> bool:
        """Say whether it matches a call."""
        if self.exhausted or not any(pattern.matches(record, owner.state) for pattern in self.patterns):
            return False
        return self.when is None or self.when(record)

    def fires(self) -> bool:
        """Decide whether it fires on a matching call, and count the call."""
        if self.exhausted:  # by a concurrent call
            return False
        if self.fired + self.passed < self.after or (self.rate < 1 and self.random.random() >= self.rate):
            self.passed += 1
            return False
        self.fired += 1
        return True

    def error_for(self, call: Call) -> InjectedError | None:
        """Return the error for a call; None if it only delays."""
        if self.make_error is None:
            return None
        arn = next((target.arn for target in call.targets), "*")
        return self.make_error({"arn": arn, "caller": call.caller.arn, "operation": call.operation.name})
