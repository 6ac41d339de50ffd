"""What AWS decides on a request, all policies together.

[logic]    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
[accounts] https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
[scp]      https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
[rcp]      https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
[key]      https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
[default]  https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
[cross]    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
[vpce]     https://docs.aws.amazon.com/kms/latest/developerguide/vpce-policy.html
[aliases]  https://docs.aws.amazon.com/kms/latest/developerguide/alias-access.html
[grants]   https://docs.aws.amazon.com/kms/latest/developerguide/grants.html, and [observed] in September 2026
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .conditions import RequestDeniedError
from .context import REGION, Case, caller_of, context_of, key_arn
from .statements import Policy, Request, applies, manner, statements

#: https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html, "Cross-account use: Yes"
ACROSS_ACCOUNTS = {"Encrypt", "Decrypt", "GenerateDataKey", "DescribeKey", "CreateGrant", "ListGrants"}
ON_ALIASES = ("kms:CreateAlias", "kms:DeleteAlias")
#: [grants] Operations that encryption context constraints bear on.
_WITH_CONTEXT = {"Encrypt", "Decrypt", "GenerateDataKey"}


@dataclass
class Verdict:
    """A decision, and why.

    Attributes:
        allowed: whether the request is allowed.
        reasons: how that was found, in words.
        denying: the kinds of policies with a Deny that applies.
        lacking: the kinds of policies that had to allow the request and do not.
    """

    allowed: bool = False
    reasons: list[str] = field(default_factory=list)
    denying: set[str] = field(default_factory=set)
    lacking: set[str] = field(default_factory=set)

    def because(self, allowed: bool, reason: str) -> Verdict:
        """End with a decision."""
        self.allowed = allowed
        self.reasons.append(f"{'allowed' if allowed else 'denied'}: {reason}")
        return self


def decide(case: Case) -> Verdict:
    """Decide on a case.

    [aliases] Operations on aliases need permission on the alias, which is from IAM policies, and then on its key.
    """
    if case["action"] not in ON_ALIASES:
        return _decide(case, key_arn(case))
    alias = f"arn:aws:kms:{REGION}:{caller_of(case).account}:{case['members']['AliasName']}"
    verdict = _decide({**case, "key": None}, alias)
    return _decide(case, key_arn(case)) if verdict.allowed else verdict


def _decide(case: Case, resource: str) -> Verdict:
    """Decide on one permission as the documentation says, in its order."""
    caller, verdict = caller_of(case), Verdict()
    context = context_of(case, caller)
    request = Request(caller, case["action"], resource, context)
    verdict.reasons += [f"caller: {caller}", *(f"{name} = {value!r}" for name, value in sorted(context.items()))]
    # [logic] "If the code finds even one explicit deny that applies, the code returns a final decision of Deny."
    try:
        for name, policy in _bearing(case, request):
            if _any(policy, "Deny", request, _is_resource_based(name)):
                verdict.denying.add(name)
        if verdict.denying:
            return verdict.because(False, f"a Deny applies: {sorted(verdict.denying)}")
        return _without_deny(case, request, verdict)
    except RequestDeniedError as error:
        return verdict.because(False, str(error))


def _bearing(case: Case, request: Request) -> Iterator[tuple[str, Policy]]:
    """Give every policy that bears on a request, with its kind."""
    iam = request.caller.kind != "service"
    kinds = {
        "identity-based policy": case["identity"] if iam else [],
        "permissions boundary": [case["boundary"]] if case["boundary"] and iam else [],
        "session policy": case["session"],
        # [scp] "SCPs affect all users and roles in attached accounts, including the root user"; not AWS services.
        "service control policy": [policy for level in case["scp"] for policy in level] if iam else [],
        # [rcp] They concern resources of the account, whoever calls.
        "resource control policy": case["rcp"] if case["key"] else [],
        "VPC endpoint policy": [case["vpce"]] if _through_endpoint(case) else [],
        "resource-based policy": [case["key"]["policy"]] if case["key"] else [],
    }
    return ((kind, policy) for kind, policies in kinds.items() for policy in policies)


def _through_endpoint(case: Case) -> bool:
    """[vpce] Without a policy of its own an endpoint lets everything pass. Requests of AWS services use none."""
    return bool(case["vpce"]) and "source_vpce" in case["caller"] and "via_service" not in case["caller"]


def _is_resource_based(kind: str) -> bool:
    return kind in ("resource control policy", "VPC endpoint policy", "resource-based policy")


def _any(policy: Policy, effect: str, request: Request, resource_based: bool = False) -> bool:
    return any(
        applies(statement, variables, request) and (not resource_based or manner(statement, request.caller) is not None)
        for statement, variables in statements(policy, effect)
    )


def _without_deny(case: Case, request: Request, verdict: Verdict) -> Verdict:
    caller = request.caller
    # [scp] "there must be an explicit Allow statement at every level from the root through each OU to the account".
    levels = case["scp"] if caller.kind != "service" else []
    if not all(any(_any(policy, "Allow", request) for policy in level) for level in levels):
        verdict.lacking.add("service control policy")
        return verdict.because(False, "a level of service control policies does not allow it")
    # [vpce] The endpoint's policy must allow it too; it gives nothing by itself.
    if _through_endpoint(case) and not _any(case["vpce"], "Allow", request, resource_based=True):
        verdict.lacking.add("VPC endpoint policy")
        return verdict.because(False, "the VPC endpoint policy does not allow it")

    # [logic] "the exception of the AWS account root user, which has full access"
    identity = caller.kind == "root" or any(_any(policy, "Allow", request) for policy in case["identity"])
    boundary = not case["boundary"] or _any(case["boundary"], "Allow", request)
    # [logic] Several session policies count together. GetFederationToken: "if you do not pass a policy, then the
    # resulting federated user session has no permissions", except by resource-based policies.
    unlimited = not case["session"] and caller.kind != "federated"
    session = unlimited or any(_any(policy, "Allow", request) for policy in case["session"])
    verdict.reasons.append(f"allow: {identity=}, {boundary=}, {session=}")
    iam = identity and boundary and session
    allowing = {"identity-based policy": identity, "permissions boundary": boundary, "session policy": session}
    verdict.lacking |= {kind for kind, allows in allowing.items() if not allows}

    if case["key"] is None:
        return verdict.because(iam, "IAM policies decide alone, for it is not on a key")
    by_policy = _manners(case["key"]["policy"], request)
    by_grant = {_granted(grant, request, case["members"]) for grant in case["grants"]} - {None}
    verdict.reasons.append(f"the key policy names the caller {sorted(by_policy)}, grants {sorted(by_grant)}")
    manners = by_policy | by_grant
    if not by_policy:
        verdict.lacking.add("resource-based policy")
    if caller.kind == "service":
        return verdict.because("directly" in manners, "the key policy decides alone on AWS services")
    if caller.account != case["key"]["account"]:
        # [cross] [accounts] "The request is allowed only if both evaluations return a decision of Allow."
        if case["action"].removeprefix("kms:") not in ACROSS_ACCOUNTS:
            verdict.lacking.add("resource-based policy")
            return verdict.because(False, "the operation does not work across accounts")
        # [observed] Of a session that a grant names, AWS calls what its session policy lacks identity-based.
        if "directly" in by_grant and not session:
            verdict.lacking.add("identity-based policy")
        return verdict.because(iam and bool(manners), "across accounts both sides must allow")
    # [logic] Named directly, "an implicit deny in an identity-based policy, a permissions boundary, or a session policy
    # does not impact the final decision". [default] The account's principal lets its IAM policies decide; its root user
    # needs none.
    if "directly" in manners:
        return verdict.because(True, "it is given to the caller itself")
    # [logic] Given to a role's ARN it is "limited by an implicit deny in a permissions boundary or session policy".
    if "by its source" in manners and boundary and session:
        return verdict.because(True, "it is given to the role or user behind the session")
    return verdict.because("by its account" in manners and iam, "what is left is the account's IAM policies")


def _manners(policy: Policy, request: Request) -> set[str]:
    """Tell in which manners a key policy allows a request."""
    applicable = (entry for entry, variables in statements(policy, "Allow") if applies(entry, variables, request))
    return {how for how in (manner(entry, request.caller) for entry in applicable) if how is not None}


def _granted(grant: Mapping[str, Any], request: Request, members: Mapping[str, Any]) -> str | None:
    """Tell in which manner a grant gives a permission; None if it does not.

    [grants] It is for its grantee, for its operations, and if its encryption context constraint holds. [observed] It
    gives to a user, session or federated user directly, to a role within session policy and permissions boundary.
    """
    manners = {request.caller.arn: "directly", request.caller.source: "by its source"}
    name = request.action.removeprefix("kms:")
    if name not in grant["Operations"] or request.caller.kind == "root":
        return None
    limits = grant.get("Constraints", {}).items()
    if name == "CreateGrant":
        # [grants] A child grant has some of its parent's operations, and a constraint that is as strict or stricter.
        given = members.get("Constraints", {}).items()
        fits = set(members["Operations"]) <= set(grant["Operations"])
        fits &= all(any(_as_strict(kind, pairs, *limit) for kind, pairs in given) for limit in limits)
    else:
        context = members.get("EncryptionContext", {})
        fits = name not in _WITH_CONTEXT or all(
            _as_strict("EncryptionContextEquals", context, *limit) for limit in limits
        )
    return manners.get(grant["GranteePrincipal"]) if fits else None


def _as_strict(kind: str, pairs: Mapping[str, str], limit: str, wanted: Mapping[str, str]) -> bool:
    """[grants] EncryptionContextEquals wants exactly its pairs, EncryptionContextSubset at least its pairs."""
    if limit == "EncryptionContextEquals":
        return kind == limit and pairs == wanted
    return wanted.items() <= pairs.items()
