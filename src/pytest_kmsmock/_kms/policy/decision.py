"""The decision on a request: AWS's AccessDenied message, and an explanation by policy statements and grants.

`evaluation` has the order of the evaluation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from pytest_kmsmock._record import Record

from .evaluation import (
    Denial,
    Grants,
    Policies,
    Request,
    denies,
    evaluate_grant,
    explicit_denial,
    implicit_denial,
    is_cross_account,
    no_grants,
    policy_groups,
)
from .kinds import PolicyKind
from .patterns import no_context
from .principals import Match, PrincipalKind, generated_id, management_account, organization_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .evaluation import Origin
    from .patterns import Lookup
    from .policy import Policy
    from .principals import Principal
    from .statements import Statement

#: Returns the grants that do not allow the request: (grant id, reason).
InapplicableGrants = Callable[[], Iterable[tuple[str, str]]]
_THIS_RESOURCE = " on this resource"
#: Maximum number of cached (caller, action, account) for the same policies.
_MAX_CACHED = 1024
#: Explicit denials by managed policies, whose ARN is at the end of AWS's message.
_MANAGED = {
    Denial.BOUNDARY_EXPLICIT: PolicyKind.BOUNDARY,
    Denial.SERVICE_CONTROL_EXPLICIT: PolicyKind.SERVICE_CONTROL,
    Denial.RESOURCE_CONTROL_EXPLICIT: PolicyKind.RESOURCE_CONTROL,
}


class Step(Record):
    """One line of an explanation.

    Attributes:
        policy: The policy, such as `identity-based policy 1`; or another part of the decision, such as `grants`.
        statement: The statement, by number and Sid; empty if the line is about the whole policy.
        matched: Whether it applies to the request.
        text: Its effect, or the reason why it does not apply.
    """

    policy: str
    statement: str
    matched: bool
    text: str

    def __str__(self) -> str:
        sign = "+" if self.matched else "-"
        return f"{sign} {self.policy}{', ' if self.statement else ''}{self.statement}: {self.text}"


class Decision(Record):
    """The policy decision on one permission of a call, on one resource.

    Attributes:
        denial: the reason for AccessDeniedException; None if the request is allowed.
        request: the request: principal, action, resource and conditions.
        policies: the policies that were evaluated.
        grants: a function that returns the grants that allow the request.
        inapplicable_grants: a function that returns the other grants on the key, if the request is denied.

    AWS: https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
    """

    denial: Denial | None
    request: Request
    policies: Policies
    grants: Grants = no_grants
    inapplicable_grants: InapplicableGrants = no_grants

    @property
    def allowed(self) -> bool:
        """Whether the request is allowed."""
        return self.denial is None

    @property
    def message(self) -> str:
        """The message of AWS's AccessDeniedException; empty if the request is allowed."""
        if self.denial is None:
            return ""
        request = self.request
        if request.creates_resource:
            resource = ""
        elif is_cross_account(request) or self.denial is Denial.OTHER_ACCOUNT:
            resource = " on the resource associated with this ciphertext" if request.from_ciphertext else _THIS_RESOURCE
        else:
            resource = f" on resource: {request.resource}"
        reason = self.denial.value.format(action=request.action)
        if self.denial in _MANAGED and _is_told_policies(request):
            reason = f"{reason}: {_arn_of_denying(_MANAGED[self.denial], request, self.policies)}"
        return f"User: {request.principal.arn} is not authorized to perform: {request.action}{resource} {reason}"

    def explain(self) -> tuple[Step, ...]:
        """Evaluate again and return a line for each statement: its effect, or why it does not apply.

        The evaluation reads the request context again, so it must still have the values of the call.
        """
        return tuple(_steps(self))


def evaluate(request: Request, policies: Policies, grants: Grants = no_grants) -> Decision:
    """Evaluate a request in AWS's order: explicit denials, organization, key and identity policies, grants.

    Args:
        request: The request.
        policies: All policies that apply to it.
        grants: Returns the grants that allow the request. Called only if policies do not allow it.
    """
    unconditional = policies.allow_unconditionally(request.principal, request.action, request.account)
    if unconditional:
        return Decision(None, request, policies, grants)
    denial = explicit_denial(request, policies) or implicit_denial(request, policies, grants)
    if unconditional is None:
        place = (request.principal.identity, request.action, request.account)
        if len(policies.unconditional) >= _MAX_CACHED:
            policies.unconditional.clear()
        policies.unconditional[place] = denial is None and _is_unconditional(request, policies)
    return Decision(denial, request, policies, grants)


def _is_unconditional(request: Request, policies: Policies) -> bool:
    """Whether policies allow a request with any resource and context, and without grants."""
    unconditional = all(
        policy.is_unconditional(request.principal, request.action)
        for group in policy_groups(policies)
        for policy in group
    )
    if policies.boundary is not None and any(policy.denies_by_not_principal for policy in policies.denying):
        return False
    return unconditional and not is_cross_account(request) and implicit_denial(request, policies, no_grants) is None


def would_lock_out(
    policy: Policy,
    principal: Principal,
    identity: tuple[Policy, ...] = (),
    *,
    account: str | None = None,
    resource: str = "*",
    context: Lookup = no_context,
) -> bool:
    """Whether a new key policy would prevent the caller from changing the key policy again.

    Args:
        policy: The new key policy.
        principal: The caller that sets it.
        identity: Identity-based policies of the caller, which count if the key policy delegates to IAM.
        account: Id of the account that owns the key; by default the caller's.
        resource: ARN of the key.
        context: The condition keys of the subsequent PutKeyPolicy request; its `kms:PolicyName` is `default`.

    See the description of BypassPolicyLockoutSafetyCheck in
    https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
    """
    owner = principal.account if account is None else account
    request = Request(principal, "kms:PutKeyPolicy", resource, owner, context, cross_account=False)
    return not evaluate(request, Policies(key=(policy,), identity=identity)).allowed


def _is_told_policies(request: Request) -> bool:
    """Whether messages have ARNs of policies: "only provided in same-account and same-organization scenarios".

    See https://aws.amazon.com/blogs/security/enhanced-access-denied-error-messages-with-policy-arns
    """
    organization = request.context("aws:principalorgid")
    same = organization is not None and organization == request.context("aws:resourceorgid")
    return same or request.account in {"", request.principal.account}


def _arn_of_denying(kind: PolicyKind, request: Request, policies: Policies) -> str:
    """Return the ARN of the managed policy that denies a request.

    Ids of policies and management accounts are generated, and those of organizations unless a test sets them.
    """
    caller = request.principal
    denying = next(policy for policy in policies.denying if policy.kind is kind and denies(policy, request, policies))
    policy_id = generated_id("p-", denying.text, 8).lower()
    if kind is PolicyKind.BOUNDARY:
        return f"arn:{caller.partition}:iam::{caller.account}:policy/{policy_id}"
    (organization,) = request.context("aws:principalorgid") or (organization_of(caller.account),)
    return (
        f"arn:{caller.partition}:organizations::{management_account(organization)}:"
        f"policy/{organization}/{kind.value.replace(' ', '_')}/{policy_id}"
    )


# --- explanations -------------------------------------------------------------------------------------------------

_EFFECTS = {
    Match.ACCOUNT: "lets IAM policies of the account allow",
    Match.ISSUER: "allows, within permissions boundary and session policies,",
    Match.DIRECT: "allows",
}


def _steps(decision: Decision) -> Iterator[Step]:
    request, policies = decision.request, decision.policies
    for name, policy in with_names(policies):
        origin = _origin(request, policy)
        shown = name if origin is None else f"{name} ({origin})"
        for statement in policy.statements:
            step = _statement_step(shown, policy, statement, request, bounded=policies.boundary is not None)
            line = "" if origin is None else origin.statement(statement.number)
            yield step._replace(statement=f"{step.statement} in {line}") if line else step
    if not policies.identity and request.principal.kind not in {PrincipalKind.ROOT, PrincipalKind.SERVICE}:
        holder = (
            request.principal.issuer_arn or request.principal.arn
        )  # the policies of a session are those of its role
        origin = request.origins.get(holder, {}).get("")
        name = "identity-based policies" if origin is None else f"identity-based policies ({origin})"
        yield Step(name, "", False, f"{holder} has none")
    if policies.session == ():
        text = f"{request.principal.arn} has none; without them, IAM policies allow a federated user nothing"
        yield Step("session policies", "", False, text)
    if is_cross_account(request) and not request.cross_account:
        yield Step("operation", "", False, f"{request.action} works only on keys of the caller's own account")
    if policies.key:
        yield from _grant_steps(decision)
    yield Step("decision", "", decision.allowed, decision.message or "allowed")


def _origin(request: Request, policy: Policy) -> Origin | None:
    """Return the file that declares a policy; None if it is unknown."""
    principal = request.principal
    holder = request.resource if policy.kind is PolicyKind.KEY else principal.issuer_arn or principal.arn
    return request.origins.get(holder, {}).get(policy.text)


def with_names(policies: Policies) -> Iterator[tuple[str, Policy]]:
    """Yield all policies with display names: kind, number if several, and level of the organization."""
    levels = len(policies.service_control)
    for place, group in enumerate(policy_groups(policies), start=1):
        level = f" of level {place}" if place <= levels and levels > 1 else ""
        for number, policy in enumerate(group, start=1):
            several = f" {number}" if len(group) > 1 else ""
            yield f"{policy.kind.value}{several}{level}", policy


def _statement_step(name: str, policy: Policy, statement: Statement, request: Request, *, bounded: bool) -> Step:
    reason = statement.explain_mismatch(
        request.principal, request.action, request.resource, request.context, bounded=bounded
    )
    if reason is not None:
        return Step(name, statement.name, False, reason)
    undecided = statement.holds(request.resource, request.context) is None
    effect = "denies" if statement.deny or undecided else "allows"
    if effect == "allows" and policy.kind is PolicyKind.KEY:
        effect = _EFFECTS[statement.match(request.principal, request.action)]
    conditions = "; ".join(condition.describe(request.context) for condition in statement.conditions)
    return Step(name, statement.name, True, f"{effect} {request.action}" + (f": {conditions}" if conditions else ""))


def _grant_steps(decision: Decision) -> Iterator[Step]:
    applicable, inapplicable = list(decision.grants()), list(decision.inapplicable_grants())
    for grant in applicable:
        denial = evaluate_grant(decision.request, decision.policies, grant)
        text = "allows the request" if denial is None else f"is not enough: {denial.value}"
        yield Step("grants", "", denial is None, f"grant {grant.id} {text.format(action=decision.request.action)}")
    for grant_id, reason in inapplicable:
        yield Step("grants", "", False, f"grant {grant_id} {reason}")
    if not applicable and not inapplicable:
        yield Step("grants", "", False, "no grant allows the request")
