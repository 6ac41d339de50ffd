"""Why a request was allowed or refused: what each statement and each grant says of it.

The decision itself is in `decision`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .decision import by_grant, groups, is_foreign
from .kinds import PolicyKind
from .principals import Match, PrincipalKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .decision import Decision, Policies, Request
    from .policy import Policy
    from .statements import Statement


@dataclass(frozen=True, slots=True)
class Step:
    """One line of an explanation.

    Attributes:
        policy: What the statement belongs to, such as `identity-based policy 1`; or what else was looked at.
        statement: The statement, by number and Sid; empty if the line is about the whole.
        matched: Whether it applies to the request.
        text: What follows from it, or why it does not apply.
    """

    policy: str
    statement: str
    matched: bool
    text: str

    def __str__(self) -> str:
        sign = "+" if self.matched else "-"
        return f"{sign} {self.policy}{', ' if self.statement else ''}{self.statement}: {self.text}"


_EFFECTS = {
    Match.ACCOUNT: "lets IAM policies of the account allow",
    Match.ISSUER: "allows, within permissions boundary and session policies,",
    Match.DIRECT: "allows",
}


def explain(decision: Decision) -> tuple[Step, ...]:
    """Decide again, and write down each statement with what it says, or why it does not apply.

    The request's context is asked again: explain while it still gives the values of the call.
    """
    return tuple(_steps(decision))


def _steps(decision: Decision) -> Iterator[Step]:
    request, policies = decision.request, decision.policies
    for name, policy in _named(policies):
        for statement in policy.statements:
            yield _of_statement(name, policy, statement, request, bounded=policies.boundary is not None)
    if not policies.identity and request.principal.kind not in {PrincipalKind.ROOT, PrincipalKind.SERVICE}:
        yield Step("identity-based policies", "", False, f"{request.principal.arn} has none")
    if policies.session == ():
        text = f"{request.principal.arn} has none; without them, IAM policies allow a federated user nothing"
        yield Step("session policies", "", False, text)
    if is_foreign(request) and not request.cross_account:
        yield Step("operation", "", False, f"{request.action} works only on keys of the caller's own account")
    if policies.key:
        yield from _of_grants(decision)
    yield Step("decision", "", decision.allowed, decision.message or "allowed")


def _named(policies: Policies) -> Iterator[tuple[str, Policy]]:
    """List all policies with their names: by number if a kind has several, and by the level of the organization."""
    levels = len(policies.service_control)
    for place, group in enumerate(groups(policies), start=1):
        level = f" of level {place}" if place <= levels and levels > 1 else ""
        for number, policy in enumerate(group, start=1):
            several = f" {number}" if len(group) > 1 else ""
            yield f"{policy.kind.value}{several}{level}", policy


def _of_statement(name: str, policy: Policy, statement: Statement, request: Request, *, bounded: bool) -> Step:
    reason = statement.why_not(request.principal, request.action, request.resource, request.context, bounded=bounded)
    if reason is not None:
        return Step(name, statement.name, False, reason)
    undecided = statement.holds(request.resource, request.context) is None
    effect = "denies" if statement.deny or undecided else "allows"
    if effect == "allows" and policy.kind is PolicyKind.KEY:
        effect = _EFFECTS[statement.match(request.principal, request.action)]
    conditions = "; ".join(condition.describe(request.context) for condition in statement.conditions)
    return Step(name, statement.name, True, f"{effect} {request.action}" + (f": {conditions}" if conditions else ""))


def _of_grants(decision: Decision) -> Iterator[Step]:
    granted, unused = list(decision.grants()), list(decision.unused())
    for grant in granted:
        denial = by_grant(decision.request, decision.policies, grant)
        text = "allows the request" if denial is None else f"is not enough: {denial.value}"
        yield Step("grants", "", denial is None, f"grant {grant.id} {text.format(action=decision.request.action)}")
    for grant_id, reason in unused:
        yield Step("grants", "", False, f"grant {grant_id} {reason}")
    if not granted and not unused:
        yield Step("grants", "", False, "no grant allows the request")
