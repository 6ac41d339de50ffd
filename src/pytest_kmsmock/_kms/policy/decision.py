"""The decision on a request: AWS's text of a refusal, and why policies and grants allow or refuse.

What is decided, and in which order, is in `evaluation`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from .evaluation import (
    Denial,
    Grants,
    Policies,
    Request,
    by_grant,
    denies,
    explicit,
    groups,
    implicit,
    is_foreign,
    no_grants,
)
from .kinds import PolicyKind
from .patterns import no_context
from .principals import Match, PrincipalKind, made_up_id, management_account, organization_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .evaluation import Origin
    from .patterns import Lookup
    from .policy import Policy
    from .principals import Principal
    from .statements import Statement

#: Gives grants that do not give the permission: the id of each, and why not.
Unused = Callable[[], Iterable[tuple[str, str]]]
_THIS_RESOURCE = " on this resource"


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


class Decision(NamedTuple):
    """What was decided.

    Attributes:
        denial: Why the request was refused; None if it is allowed.
        request: What was asked.
        policies: What it was decided from.
        grants: Gives the grants that give the caller the permission.
        unused: Gives the grants on the key that do not, of a request that was refused; for explanations.
    """

    denial: Denial | None
    request: Request
    policies: Policies
    grants: Grants = no_grants
    unused: Unused = no_grants

    @property
    def allowed(self) -> bool:
        """Whether the request is allowed."""
        return self.denial is None

    @property
    def message(self) -> str:
        """AWS's message of AccessDeniedException; empty if the request is allowed."""
        if self.denial is None:
            return ""
        request = self.request
        if request.unnamed:
            resource = ""
        elif is_foreign(request) or self.denial is Denial.OTHER_ACCOUNT:
            resource = " on the resource associated with this ciphertext" if request.from_ciphertext else _THIS_RESOURCE
        else:
            resource = f" on resource: {request.resource}"
        reason = self.denial.value.format(action=request.action)
        if self.denial is Denial.RESOURCE_CONTROL_EXPLICIT:
            reason = f"{reason}: {_control_policy_arn(request, self.policies)}"
        return f"User: {request.principal.arn} is not authorized to perform: {request.action}{resource} {reason}"

    def explain(self) -> tuple[Step, ...]:
        """Decide again, and write down each statement with what it says, or why it does not apply.

        The request's context is asked again: explain while it still gives the values of the call.
        """
        return tuple(_steps(self))


def evaluate(request: Request, policies: Policies, grants: Grants = no_grants) -> Decision:
    """Decide on a request in AWS's order: explicit denials, organization, key and identity policies, grants.

    Args:
        request: What is asked for.
        policies: All policies that bear on it.
        grants: Gives the grants that give the caller the permission. Asked only if policies do not.

    Returns:
        The decision.
    """
    outright = policies.allow_outright(request.principal, request.action, request.account)
    if outright:
        return Decision(None, request, policies, grants)
    denial = explicit(request, policies) or implicit(request, policies, grants)
    if outright is None:
        place = (request.principal.identity, request.action, request.account)
        policies.outright[place] = denial is None and _is_outright(request, policies)
    return Decision(denial, request, policies, grants)


def _is_outright(request: Request, policies: Policies) -> bool:
    """Say whether what allows a request does so whatever its resource, its context and the grants there are."""
    settled = all(policy.settles(request.principal, request.action) for group in groups(policies) for policy in group)
    if policies.boundary is not None and any(policy.exempts for policy in policies.denying):
        return False
    return settled and not is_foreign(request) and implicit(request, policies, no_grants) is None


def would_lock_out(
    policy: Policy,
    principal: Principal,
    identity: tuple[Policy, ...] = (),
    *,
    account: str | None = None,
    resource: str = "*",
    context: Lookup = no_context,
) -> bool:
    """Say whether a new key policy would forbid the caller to change the key policy again.

    Args:
        policy: The new key policy.
        principal: Who sets it.
        identity: Policies of the caller, which count if the key policy lets IAM policies decide.
        account: Id of the account that owns the key; the caller's by default.
        resource: ARN of the key.
        context: The condition keys of the PutKeyPolicy request to come; `kms:PolicyName` is `default` in it.

    See the description of BypassPolicyLockoutSafetyCheck in
    https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
    """
    owner = principal.account if account is None else account
    request = Request(principal, "kms:PutKeyPolicy", resource, owner, context, cross_account=False)
    return not evaluate(request, Policies(key=(policy,), identity=identity)).allowed


def _control_policy_arn(request: Request, policies: Policies) -> str:
    """Return the ARN of the resource control policy that denies a request, which AWS's text ends with.

    Ids of policies are made up, and those of the organization and its management account if nobody said them.
    """
    denying = next(policy for policy in policies.resource_control if denies(policy, request, policies))
    organization = next(iter(request.context("aws:resourceorgid") or ()), None) or organization_of(request.account)
    partition = request.resource.split(":")[1]
    policy_id = made_up_id("p-", denying.text, 8).lower()
    return (
        f"arn:{partition}:organizations::{management_account(organization)}:"
        f"policy/{organization}/resource_control_policy/{policy_id}"
    )


# --- explanations -------------------------------------------------------------------------------------------------

_EFFECTS = {
    Match.ACCOUNT: "lets IAM policies of the account allow",
    Match.ISSUER: "allows, within permissions boundary and session policies,",
    Match.DIRECT: "allows",
}


def _steps(decision: Decision) -> Iterator[Step]:
    request, policies = decision.request, decision.policies
    for name, policy in _named(policies):
        origin = _origin(request, policy)
        shown = name if origin is None else f"{name} ({origin})"
        for statement in policy.statements:
            step = _of_statement(shown, policy, statement, request, bounded=policies.boundary is not None)
            line = "" if origin is None else origin.statement(statement.number)
            yield replace(step, statement=f"{step.statement} in {line}") if line else step
    if not policies.identity and request.principal.kind not in {PrincipalKind.ROOT, PrincipalKind.SERVICE}:
        holder = request.principal.issuer_arn or request.principal.arn  # of a session, its role has them
        origin = request.origins.get(holder, {}).get("")
        name = "identity-based policies" if origin is None else f"identity-based policies ({origin})"
        yield Step(name, "", False, f"{holder} has none")
    if policies.session == ():
        text = f"{request.principal.arn} has none; without them, IAM policies allow a federated user nothing"
        yield Step("session policies", "", False, text)
    if is_foreign(request) and not request.cross_account:
        yield Step("operation", "", False, f"{request.action} works only on keys of the caller's own account")
    if policies.key:
        yield from _of_grants(decision)
    yield Step("decision", "", decision.allowed, decision.message or "allowed")


def _origin(request: Request, policy: Policy) -> Origin | None:
    """Return where a policy of a request is written; None if that is not known."""
    principal = request.principal
    holder = request.resource if policy.kind is PolicyKind.KEY else principal.issuer_arn or principal.arn
    return request.origins.get(holder, {}).get(policy.text)


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
