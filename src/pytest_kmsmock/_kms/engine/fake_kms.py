"""`FakeKms`: carries out and records calls, for one mock. What it works with is its `Backend`."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from copy import copy
from random import Random
from typing import Any

from pytest_kmsmock._kms.api.arns import new_uuid
from pytest_kmsmock._kms.api.errors import KmsError
from pytest_kmsmock._kms.api.validation import read_leniently
from pytest_kmsmock._kms.call.operation import Call, Result
from pytest_kmsmock._kms.entropy.drbg import Drbg
from pytest_kmsmock._kms.state.backend import Backend
from pytest_kmsmock._kms.state.caller import Caller
from pytest_kmsmock._kms.state.clock import Clock
from pytest_kmsmock._kms.state.state import State

from .call_record import CallRecord
from .pipeline import find_operation, perform

_numbers = itertools.count(1)
#: For ids that protect nothing, without a system call for each.
_anything = Random().randbytes


class FakeKms(Backend):
    """A fake KMS.

    Args:
        random: gives `n` random bytes; the operating system's by default. With a `Drbg` everything that the fake KMS
            makes up is the same in every run, request ids too.
        state: what it remembers at the beginning.
        clock: its clock.
        enforce_policies: whether policies, grants and IAM decide who may do what.
    """

    def __init__(
        self,
        *,
        random: Callable[[int], bytes] | None = None,
        state: State | None = None,
        clock: Clock | None = None,
        enforce_policies: bool = True,
    ) -> None:
        super().__init__(random=random, state=state, clock=clock, enforce_policies=enforce_policies)
        # Not from the stream above: a call that is refused or retried would change what the keys after it are.
        self._request_random = random.child("request ids") if isinstance(random, Drbg) else _anything
        self.calls: list[CallRecord] = []
        #: How many calls are kept at most; the oldest go first, a tenth at a time.
        self.max_calls = 1_000_000
        #: Carries out calls in place of `perform`: faults and request quotas. None as long as there are none.
        self.interference: Callable[[Call], Result] | None = None

    def call(
        self, operation: str, params: Mapping[str, Any], caller: Caller, region: str, request_id: str | None = None
    ) -> Result:  # fmt: skip
        """Carry out one call.

        Args:
            operation: such as `Encrypt`.
            params: the members of the request; blobs as bytes or a base64 string.
            caller: who calls.
            region: the Region called.
            request_id: the id that the answer will have.

        Returns:
            The members of the answer: blobs as bytes, times as aware datetimes.

        Raises:
            KmsError: what AWS would answer; then nothing has changed.
        """
        found = find_operation(operation)
        now = self.clock.now()
        call = Call(
            self, self.state, found, dict(params), caller, self.state.region(caller.account, region), now,
            request_id or self.new_request_id(),
        )  # fmt: skip
        result: Result | None = None
        error: KmsError | None = None
        number, started = next(_numbers), time.perf_counter()
        try:
            result = perform(call) if self.interference is None else self.interference(call)
        except KmsError as refusal:
            error = copy(refusal)  # its own traceback would keep the request's body, and what the caller had
            call.params = read_leniently(operation, call.params)
            raise
        finally:
            if len(self.calls) >= self.max_calls:
                del self.calls[: self.max_calls // 10 or 1]
            self.calls.append(
                CallRecord(
                    operation,
                    call.params,
                    caller,
                    caller.account,
                    region,
                    now,
                    call.request_id,
                    result,
                    error,
                    call.targets,
                    call.authorized,
                    call.decided,
                    number,
                    started,
                    time.perf_counter() - started,
                )
            )
        return result

    def new_request_id(self) -> str:
        """Return the id of the next request."""
        return new_uuid(self._request_random)

    def fork(self, random: Callable[[int], bytes] | None = None) -> FakeKms:
        """Return a fake KMS that begins with a copy of this one's state, for a nested scope.

        Args:
            random: where it takes random bytes from; never this one's source, which goes on as if nothing had been.
        """
        inner = FakeKms(
            random=random,
            state=self.state.copy(),
            clock=copy(self.clock),
            enforce_policies=self.enforce_policies,
        )
        inner.delays = copy(self.delays)
        return inner

    def aside(self) -> FakeKms:
        """Return a fake KMS on the same state, without policies, whose calls are not among this one's."""
        beside = FakeKms(random=self.random, state=self.state, clock=self.clock, enforce_policies=False)
        beside.keys, beside.delays, beside.lock = self.keys, self.delays, self.lock
        return beside

    def close(self) -> None:
        """Give back what was borrowed from the process: RSA keys."""
        self.keys.close()
