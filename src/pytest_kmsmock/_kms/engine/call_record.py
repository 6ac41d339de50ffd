"""`CallRecord`: a recorded call, with request, response, targets and decisions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pytest_kmsmock._kms.api.errors import InjectedError, KmsError
from pytest_kmsmock._kms.call.operation import AccessRequest, Target
from pytest_kmsmock._kms.permissions.access import decide
from pytest_kmsmock._kms.policy.decision import Decision
from pytest_kmsmock._kms.state.caller import Caller
from pytest_kmsmock._kms.state.records import Key
from pytest_kmsmock._record import Record


class CallRecord(Record):
    """A call, as in `KmsMock.calls`.

    Attributes:
        operation: the operation's name.
        params: its parameters, with blobs as bytes.
        caller: the principal that called, with its request context.
        account: the account of the caller.
        region: the Region.
        time: the time of the call on the mock's clock.
        request_id: the request id of the response.
        result: the response; None if the call failed.
        error: the error, with `code`, `message` and HTTP `status`; None if the call succeeded.
        targets: the permissions and resources of the call, as far as they were found; keys in their state before the
            call.
        authorized: whether the caller has all these permissions; an error then came from a later step.
        decided: the decisions and access requests from which `decisions` are computed.
        number: increases from call to call in the whole process, over all mocks.
        started: the start, in seconds of `time.perf_counter`.
        took: the time spent in the fake KMS, in seconds.
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
    decided: tuple[Decision | AccessRequest, ...] = ()
    number: int = 0
    started: float = 0.0
    took: float = 0.0

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """The policy decision on each target, up to the first denial; empty if no policy was evaluated."""
        # Most calls are allowed unconditionally; their decisions are evaluated only when they are read.
        return tuple(entry if isinstance(entry, Decision) else decide(entry) for entry in self.decided)

    @property
    def refused(self) -> bool:
        """Whether the caller got an error."""
        return self.error is not None

    @property
    def injected(self) -> bool:
        """Whether the error came from a fault (`KmsMock.faults`)."""
        return isinstance(self.error, InjectedError)

    @property
    def via(self) -> str | None:
        """The AWS service that made the call, for its caller or itself, such as `s3`; None for a direct call."""
        if self.caller.principal.is_service:
            return self.caller.arn.partition(".")[0]
        return self.caller.forwarding_service

    @property
    def keys(self) -> tuple[Key, ...]:
        """The keys of the call, as far as they exist: two for ReEncrypt, none for CreateKey."""
        return tuple(target.key for target in self.targets if target.key is not None)

    @property
    def key(self) -> Key | None:
        """The key of the call, the first if there are two; None if it has none or the key was not found."""
        return next(iter(self.keys), None)

    @property
    def encryption_context(self) -> Mapping[str, str]:
        """The encryption context of the request; that of the source for ReEncrypt; empty if it has none."""
        context = self.params.get("EncryptionContext", self.params.get("SourceEncryptionContext"))
        return context if isinstance(context, Mapping) else {}

    def __str__(self) -> str:
        """Return one line: request, Region, caller unless it is the default caller, and error."""
        from pytest_kmsmock._kms.call.short_repr import format_caller, format_request

        text = f"{format_request(self.operation, self.params)} in {self.region}{format_caller(self.caller)}"
        if self.error is not None:
            injected = " (injected)" if self.injected else ""
            message = f": {self.error.message}" if self.error.message else ""
            text += f" -> {self.error.code}{injected}{message}"
        return text

    def __repr__(self) -> str:
        return f"<CallRecord {self}>"
