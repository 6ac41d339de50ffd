"""`FakeKms`: executes and records calls, for one mock. `Backend` has its state and settings."""

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
from pytest_kmsmock._kms.state import clock as clocks
from pytest_kmsmock._kms.state import delays
from pytest_kmsmock._kms.state.backend import Backend
from pytest_kmsmock._kms.state.caller import Caller
from pytest_kmsmock._kms.state.state import State

from .call_record import CallRecord
from .pipeline import find_operation, perform

_numbers = itertools.count(1)
#: For ids that need not be secure, without a system call for each.
_insecure_random = Random().randbytes


class FakeKms(Backend):
    """A fake KMS.

    Args:
        random: returns `n` random bytes; by default those of the operating system. With a `Drbg` all generated values
            are deterministic, including request ids.
        state: the initial state.
        clock: its clock.
        enforce_policies: whether key policies, grants and IAM policies are enforced.
    """

    def __init__(
        self,
        *,
        random: Callable[[int], bytes] | None = None,
        state: State | None = None,
        clock: clocks.Clock | None = None,
        enforce_policies: bool = True,
    ) -> None:
        super().__init__(random=random, state=state, clock=clock, enforce_policies=enforce_policies)
        # A separate stream: refused and retried calls must not change the keys that are created later.
        self._request_random = random.child("request ids") if isinstance(random, Drbg) else _insecure_random
        self.calls: list[CallRecord] = []
        #: Maximum number of recorded calls; when it is reached, the oldest tenth is removed.
        self.max_calls = 1_000_000
        #: Executes calls instead of `perform`, for faults and request quotas. None without them.
        self.interceptor: Callable[[Call], Result] | None = None

    def call(
        self, operation: str, params: Mapping[str, Any], caller: Caller, region: str, request_id: str | None = None
    ) -> Result:  # fmt: skip
        """Execute and record a call.

        Args:
            operation: such as `Encrypt`.
            params: the request parameters; blobs as bytes or a base64 string.
            caller: the caller.
            region: the Region.
            request_id: the request id of the response.

        Returns:
            The response: blobs as bytes, times as aware datetimes.

        Raises:
            KmsError: AWS's error; what has changed nevertheless, `pipeline.perform` says.
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
            result = perform(call) if self.interceptor is None else self.interceptor(call)
        except KmsError as raised:
            error = copy(raised)  # a copy has no traceback, which would keep the caller's frames alive
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
        """Return a fake KMS with a copy of this one's state, for a nested scope.

        Args:
            random: its random source, other than this one's: this one's stream must not change.
        """
        inner = FakeKms(
            random=random,
            state=self.state.copy(),
            clock=copy(self.clock),
            enforce_policies=self.enforce_policies,
        )
        inner.delays = copy(self.delays)
        return inner

    def privileged(self) -> FakeKms:
        """Return a fake KMS that shares the state, does not enforce policies, and records its calls separately."""
        privileged = FakeKms(random=self.random, state=self.state, clock=self.clock, enforce_policies=False)
        privileged.keys, privileged.delays, privileged.lock = self.keys, self.delays, self.lock
        return privileged

    def close(self) -> None:
        """Return RSA keys to the pool of the process, and refuse changes."""
        self.keys.close()
        clocks.end(self.clock)
        delays.end(self.delays)
