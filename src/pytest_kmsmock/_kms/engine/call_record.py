"""`CallRecord`: one call as it was made and answered, for whoever looks at calls afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from pytest_kmsmock._kms.api.errors import InjectedError, KmsError
from pytest_kmsmock._kms.call.operation import Asked, Target
from pytest_kmsmock._kms.permissions.access import decide
from pytest_kmsmock._kms.policy.decision import Decision
from pytest_kmsmock._kms.state.caller import Caller
from pytest_kmsmock._kms.state.records import Key


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
    def via(self) -> str | None:
        """The AWS service that made the call, for its caller or by itself, such as `s3`; None for a direct call."""
        if self.caller.principal.is_service:
            return self.caller.arn.partition(".")[0]
        return self.caller.forwarding_service

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

    def __str__(self) -> str:
        """Return it as one line: what was called, where, by whom if not by the default caller, and what went wrong."""
        from pytest_kmsmock._kms.call.short_text import request, who

        text = f"{request(self.operation, self.params)} in {self.region}{who(self.caller)}"
        if self.error is not None:
            injected = " (injected)" if self.injected else ""
            message = f": {self.error.message}" if self.error.message else ""
            text += f" -> {self.error.code}{injected}{message}"
        return text

    def __repr__(self) -> str:
        return f"<CallRecord {self}>"
