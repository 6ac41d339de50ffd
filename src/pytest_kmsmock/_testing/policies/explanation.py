"""Why policies allowed or denied a call: a line for each statement and grant that was evaluated.

Decisions are kept with the calls (`CallRecord.decisions`), so later changes of the state do not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from pytest_kmsmock._kms.engine.call_record import CallRecord
from pytest_kmsmock._kms.policy.decision import Decision
from pytest_kmsmock.errors import NoSuchCall

from .misspelt import misspelt


@dataclass(frozen=True, slots=True, repr=False)
class Explanation:
    """The policy decision on a call, with reasons: print it.

    Attributes:
        decisions: the decision on each required permission, up to the first denial.
        otherwise: the reason if no policy was evaluated, or an error after the policies.
    """

    decisions: tuple[Decision, ...]
    otherwise: str = ""

    @property
    def allowed(self) -> bool:
        """Whether the policies allow the call; False also if it was refused before they were evaluated."""
        return bool(self.decisions) and all(decision.allowed for decision in self.decisions)

    @property
    def message(self) -> str:
        """AWS's message of the denial; empty if the policies allow the call."""
        return next((decision.message for decision in self.decisions if not decision.allowed), "")

    @property
    def lines(self) -> list[str]:
        """The explanation, a line for each statement and grant that was evaluated."""
        lines: list[str] = []
        for decision in self.decisions:
            request = decision.request
            verdict = "allowed" if decision.allowed else "refused"
            lines.append(f"{request.action} on {request.resource} for {request.principal.arn}: {verdict}")
            *steps, outcome = (f"  {step}" for step in decision.explain())
            lines += [*steps, *(f"  {each}" for each in misspelt(decision)), outcome]
        return lines + self.otherwise.splitlines()

    def __bool__(self) -> bool:
        return self.allowed

    def __str__(self) -> str:
        return "\n".join(self.lines)

    def __repr__(self) -> str:
        """Return the outcome as one short line: pytest shows it for `assert kms_mock.simulate(...)`."""
        if not self.decisions:
            return f"<Explanation: {self.otherwise}>"
        decision = self.decisions[-1]  # a denied one is the last
        request, denial = decision.request, decision.denial
        resource, principal = (arn.rpartition(":")[2] for arn in (request.resource, request.principal.arn))
        verdict = "allowed" if denial is None else "refused"
        reason = f", {self.otherwise}" if self.otherwise else ""
        if denial is not None:
            reason = f", {denial.value.format(action=request.action)}"
        return f"<Explanation: {verdict} {request.action} on {resource} for {principal}{reason}>"


def explain(record: CallRecord) -> Explanation:
    """Explain the policy decisions on a call."""
    if not record.decisions:
        return Explanation((), "\n".join(_before_policies(record)))
    refused_later = record.error is not None and all(decision.allowed for decision in record.decisions)
    return Explanation(record.decisions, f"refused after that: {record.error}" if refused_later else "")


#: What AWS's message does not tell: by operation, and for all others.
_OUT_OF_SIGHT = {"ListRetirableGrants": "The retiring principal is of another account."}
_NO_SUCH_KEY = (
    "The key or alias does not exist in this mock, which AWS does not tell callers of another account. Create it as a "
    "caller of its account."
)


def _before_policies(record: CallRecord) -> Iterable[str]:
    """Yield the explanation of a call for which no policy was evaluated."""
    if record.error is None:
        yield "no policy was evaluated"
        return
    yield f"no policy was evaluated: {record.error}"
    if "the resource does not exist in this Region" in record.error.message:
        yield _OUT_OF_SIGHT.get(record.operation, _NO_SUCH_KEY)


class Caught(Protocol):
    """An expected error, as `pytest.raises` returns it."""

    @property
    def value(self) -> BaseException:
        """The error."""


def find_record(calls: Iterable[CallRecord], wanted: CallRecord | BaseException | Caught) -> CallRecord:
    """Return the call that an error belongs to.

    Raises:
        NoSuchCall: none of the calls had the error, or it is not an error of a client.
    """
    if isinstance(wanted, CallRecord):
        return wanted
    error = wanted if isinstance(wanted, BaseException) else getattr(wanted, "value", None)
    response = getattr(error, "response", None)
    if not isinstance(response, Mapping):
        raise NoSuchCall(f"Expected a call, or the ClientError that a client raised, not {wanted!r}.")
    request_id = response.get("ResponseMetadata", {}).get("RequestId")
    for record in calls:
        if record.request_id == request_id:
            return record
    raise NoSuchCall(f"No call of this mock has the request id {request_id}: {error}")
