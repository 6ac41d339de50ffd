"""`FakeKms`: one fake KMS with its state, clock, randomness and options, for one mock."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_kmsmock._kms.api.arns import new_uuid
from pytest_kmsmock._kms.api.errors import InjectedError, KmsError
from pytest_kmsmock._kms.api.validation import as_far_as_readable
from pytest_kmsmock._kms.call.operation import Call, Result, Target
from pytest_kmsmock._kms.entropy.drbg import Drbg
from pytest_kmsmock._kms.entropy.key_source import KeySource
from pytest_kmsmock._kms.permissions.access import decide
from pytest_kmsmock._kms.policy.decision import Decision
from pytest_kmsmock._kms.state.caller import Caller
from pytest_kmsmock._kms.state.clock import Clock
from pytest_kmsmock._kms.state.delays import Delays
from pytest_kmsmock._kms.state.records import Key
from pytest_kmsmock._kms.state.state import State

from .pipeline import find_operation, perform

if TYPE_CHECKING:
    from pytest_kmsmock._kms.permissions.condition_keys import Asked


class CallRecord(NamedTuple):
    """One call that was made, as `KmsMock.calls` shows it.

    A tuple, as all that is made anew at every call: a frozen dataclass takes ten times as long to make.

    Attributes:
        operation: the operation's name.
        params: the members of the request.
        caller: who called.
        account: the account of the caller.
        region: the Region called.
        time: when, by the mock's clock.
        request_id: the request id of the answer.
        result: the members of the answer; None if it was refused.
        error: the error that refused it; None if it was carried out.
        targets: what the call needed permission for, as far as it was found; keys as they were before the call.
        authorized: whether the caller was found to have all these permissions, so that anything that refused the call
            came later.
        decided: what `decisions` are made of.
        number: grows from call to call in the whole process, over all mocks.
        started: when, in seconds of `time.perf_counter`.
        took: how long the fake KMS worked on it, in seconds.
    """

    operation: str
    params: Mapping[str, Any]
    caller: Caller
    account: str
    region: str
    time: datetime
    request_id: str
    result: Mapping[str, Any] | None
    error: KmsError | None
    targets: tuple[Target, ...]
    authorized: bool = False
    decided: tuple[Decision | Asked, ...] = ()
    number: int = 0
    started: float = 0.0
    took: float = 0.0

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """What the policies decided on each target, until one was refused; empty if they were not asked."""
        # Most calls are allowed outright, and nobody looks: spared until somebody does.
        return tuple(entry if isinstance(entry, Decision) else decide(entry) for entry in self.decided)

    @property
    def refused(self) -> bool:
        """Whether the caller got an error."""
        return self.error is not None

    @property
    def injected(self) -> bool:
        """Whether the error came from a fault of the test's (`KmsMock.faults`)."""
        return isinstance(self.error, InjectedError)

    @property
    def keys(self) -> tuple[Key, ...]:
        """The keys that the call was about, as far as they were found: two of ReEncrypt, none of CreateKey."""
        return tuple(target.key for target in self.targets if target.key is not None)

    @property
    def key(self) -> Key | None:
        """The key that the call was about, the first if there are two; None if there is none or it was not found."""
        return next(iter(self.keys), None)

    @property
    def encryption_context(self) -> Mapping[str, str]:
        """The encryption context of the request; that of the source for ReEncrypt; empty if it has none."""
        context = self.params.get("EncryptionContext", self.params.get("SourceEncryptionContext"))
        return context if isinstance(context, Mapping) else {}

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._fields[:9])
        return f"CallRecord({shown})"


_numbers = itertools.count(1)
#: For ids that protect nothing, without a system call for each.
_anything = Random().randbytes


class FakeKms:
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
        self.random = random or os.urandom
        # Not from the stream above: a call that is refused or retried would change what the keys after it are.
        self._request_random = random.child("request ids") if isinstance(random, Drbg) else _anything
        self.keys = KeySource(random)
        self.state = state or State()
        self.clock = clock or Clock()
        self.enforce_policies = enforce_policies
        self.delays = Delays()
        self.calls: list[CallRecord] = []
        #: Held while a call is carried out.
        self.lock = threading.RLock()
        #: Carries out calls in place of `perform`: faults and request quotas. None as long as there are none.
        self.interference: Callable[[Call], Result] | None = None

    def call(
        self, operation: str, params: Mapping[str, Any], caller: Caller, region: str, request_id: str | None = None
    ) -> Result:  # fmt: skip
        """Carry out one call.

        Args:
            operation: such as `Encrypt`.
            params: the members of the request; blobs as bytes or base64 text.
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
            error = refusal
            call.params = as_far_as_readable(operation, call.params)
            raise
        finally:
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
            clock=self.clock.copy(),
            enforce_policies=self.enforce_policies,
        )
        inner.delays = self.delays.copy()
        return inner

    def close(self) -> None:
        """Give back what was borrowed from the process: RSA keys."""
        self.keys.close()
