"""Applies faults to calls. Tests add them with `KmsMock.faults`.

Faults apply in `FakeKms.call`, which all transports use; each transport turns a connection error into its own form
(`_transport.failures`). While faults concern an operation, botocore's clients send it through their whole request path,
so that their retry modes see the fault.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from pytest_kmsmock._kms.engine.call_record import CallRecord
from pytest_kmsmock._kms.engine.pipeline import perform

from .preview import preview

if TYPE_CHECKING:
    from pytest_kmsmock._kms.api.errors import InjectedError
    from pytest_kmsmock._kms.call.operation import Call, Result
    from pytest_kmsmock._kms.engine.fake_kms import FakeKms

    from .rule import Rule


class Injector:
    """The faults of one mock, in the order in which they were added.

    Of those that match a call, the first one with an error takes precedence; delays add up.

    Args:
        service: the fake KMS.
        changed: called when faults were added or removed.
        must_be_active: raises an error when the mock has ended.

    Attributes:
        rules: the faults.
        removed: those that were removed.
        skip_backoff: whether retry backoff is skipped.
        backoffs: the backoff before each retry in seconds, skipped or not.
    """

    def __init__(self, service: FakeKms, changed: Callable[[], None], must_be_active: Callable[[], None]) -> None:
        self._service = service
        self._changed = changed
        self.must_be_active = must_be_active
        self._lock = threading.RLock()  # a predicate may make calls itself
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
        """Remove a fault, if it has not been removed."""
        if rule in self.rules:
            self.rules.remove(rule)
            self.removed.append(rule)
            self._changed()

    @property
    def unused(self) -> list[Rule]:
        """The faults that never fired, including removed ones."""
        return [rule for rule in [*self.removed, *self.rules] if not rule.fired]

    def concerns(self, operation: str) -> bool:
        """Say whether a fault may fire at the next call of an operation."""
        return any(rule.concerns(operation) for rule in self.rules)

    def execute(self, call: Call, go_on: Callable[[Call], Result] = perform) -> Result:
        """Execute a call unless a fault fires.

        Args:
            call: the call.
            go_on: executes it.

        Raises:
            InjectedError: the error of the fault.
        """
        if not self.concerns(call.operation.name):
            return go_on(call)
        error, executed = self._draw(call)
        if error is None:
            return go_on(call)
        if executed:
            error.lost_response = go_on(call)  # an error of KMS itself takes precedence
        raise error

    def take_delay(self) -> float:
        """Return the delay of the response to this thread's last call in seconds, once."""
        seconds: float = getattr(self._due, "seconds", 0.0)
        self._due.seconds = 0.0
        return seconds

    def note_backoff(self, seconds: float) -> bool:
        """Record a retry backoff of botocore; say whether to skip it."""
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
            # Only the counting is locked: a predicate may wait for another call.
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
