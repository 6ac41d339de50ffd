"""Why policies allowed or refused a call: each statement and grant that was looked at, and what it said.

Decisions are kept with the calls (`CallRecord.decisions`); nothing is decided again on the state of today.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import NoSuchCall
from ..service.access import decide
from ..service.authorization.decision import Decision
from ..service.operation import Call, Operation, Target
from ..service.pipeline import find_operation
from ..service.service import CallRecord
from ..service.targets import find_key

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

    from ..service.caller import Caller
    from ..service.service import FakeKms


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was decided on a call, or would be: print it.

    Attributes:
        decisions: a decision for each permission that is needed, until one is refused.
        otherwise: what is to be said when no policy was asked, or what came after the policies.
    """

    decisions: tuple[Decision, ...]
    otherwise: str = ""

    @property
    def allowed(self) -> bool:
        """Whether the policies allow all of it; false also when something before them refused the call."""
        return bool(self.decisions) and all(decision.allowed for decision in self.decisions)

    @property
    def message(self) -> str:
        """AWS's text of the refusal; empty if the policies allow it."""
        return next((decision.message for decision in self.decisions if not decision.allowed), "")

    @property
    def lines(self) -> list[str]:
        """The explanation, a line for each statement and grant that was looked at."""
        lines: list[str] = []
        for decision in self.decisions:
            request = decision.request
            verdict = "allowed" if decision.allowed else "refused"
            lines.append(f"{request.action} on {request.resource} for {request.principal.arn}: {verdict}")
            lines += [f"  {step}" for step in decision.explain()]
        if self.otherwise:
            lines.append(self.otherwise)
        return lines

    def __bool__(self) -> bool:
        return self.allowed

    def __str__(self) -> str:
        return "\n".join(self.lines)


def explain(record: CallRecord) -> Explanation:
    """Explain what the policies said of a call."""
    if not record.decisions:
        before = "no policy was asked" if record.error is None else f"no policy was asked: {record.error}"
        return Explanation((), before)
    refused_later = record.error is not None and all(decision.allowed for decision in record.decisions)
    return Explanation(record.decisions, f"refused after that: {record.error}" if refused_later else "")


def find_record(calls: Iterable[CallRecord], wanted: CallRecord | ClientError) -> CallRecord:
    """Return the call that an error is the answer to.

    Raises:
        NoSuchCall: for an error of no call of these.
    """
    if isinstance(wanted, CallRecord):
        return wanted
    request_id = wanted.response.get("ResponseMetadata", {}).get("RequestId")
    for record in calls:
        if record.request_id == request_id:
            return record
    raise NoSuchCall(f"No call of this mock has the request id {request_id}: {wanted}")


def simulate(
    service: FakeKms, caller: Caller, action: str, key: str | None, region: str, members: Mapping[str, object]
) -> Explanation:  # fmt: skip
    """Decide whether a principal may do something, without a call.

    Args:
        service: the fake KMS.
        caller: the principal, with the condition keys of the request in its context.
        action: the permission, such as `kms:Encrypt` or `kms:ReEncryptFrom`.
        key: the key; None for what has no key, such as `kms:CreateKey`.
        region: the Region called.
        members: members of the request that conditions look at, such as `EncryptionContext`.

    Raises:
        KmsError: there is no such key.
    """
    permission = action if action.startswith("kms:") else f"kms:{action}"
    operation = _operation_of(permission.removeprefix("kms:"))
    with service.lock:
        call = Call(
            service, operation, dict(members), caller, service.state.region(caller.account, region),
            service.clock.now(), "simulated",
        )  # fmt: skip
        target = Target(permission, "*") if key is None else find_key(call, key, permission, aliases=True)
        call.targets = (target,)
        return Explanation((decide(call, target),))


def _operation_of(name: str) -> Operation:
    """Return the operation that needs a permission.

    Raises:
        KmsError: `UnknownOperationException` for what is no permission of KMS.
    """
    return find_operation("ReEncrypt" if name in ("ReEncryptFrom", "ReEncryptTo") else name)
