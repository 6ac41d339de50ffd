"""Access decisions of a call: collects policies, grants and condition values, and evaluates them.

See https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html and
https://docs.aws.amazon.com/kms/latest/developerguide/resource-control-policies.html
"""

from __future__ import annotations

from functools import lru_cache
from itertools import islice

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.call.consistency import effective_attributes
from pytest_kmsmock._kms.call.operation import AccessRequest, Call, Target
from pytest_kmsmock._kms.policy.decision import Decision, InapplicableGrants, evaluate
from pytest_kmsmock._kms.policy.evaluation import Request
from pytest_kmsmock._kms.policy.policy import Policy, compile_policy
from pytest_kmsmock._kms.state.records import Grant, Key

from .grants import (
    explain_inapplicable,
    explain_not_retirable,
    grants_by_token,
    grants_of_caller,
    grants_that_allow,
    grants_to_retire,
)
from .lookup import ConditionValues

#: Maximum number of grants to other principals in the explanation of a denial.
_OTHER_GRANTS_SHOWN = 5


def authorize(call: Call, target: Target) -> None:
    """Authorize a call for a target, and add the decision to the call.

    Raises:
        KmsError: `AccessDeniedException` with AWS's message.
    """
    if "GrantTokens" in call.params:
        grants_by_token(call)  # an invalid grant token is an error even if it is not needed
    if not call.service.enforce_policies and _can_be_allowed(call, target):
        return
    access = access_request(call, target)
    unconditional = access.policies.allow_unconditionally(call.caller.principal, target.permission, access.account)
    if unconditional and not access.grants:  # the usual case
        call.decided += (access,)
        return
    decision = decide(access)
    call.decided += (decision,)
    if decision.denial is not None:
        raise errors.ACCESS_DENIED(reason=decision.message)


def _can_be_allowed(call: Call, target: Target) -> bool:
    """Whether any policies could allow it: most operations do not support keys of other accounts."""
    return call.operation.cross_account or target.key is None or target.key.account == call.caller.account


def access_request(call: Call, target: Target) -> AccessRequest:
    """Collect the inputs of the access decision on a target."""
    caller, key, iam = call.caller, target.key, call.state.iam
    if key is None:
        # Aliases and actions without a resource: only IAM policies apply.
        account = "" if target.arn == "*" else call.region.account
        return AccessRequest(call, target, account, iam.policies(caller, account))
    home = call.state.home(key)
    late = call.service.delays.eventual_consistency
    policy, tags, aliases = key.policy, key.tags, home.aliases_of.get(key.id, ())
    if late:
        policy, tags, aliases = effective_attributes(call, key, aliases)
    compiled = compile_policy(policy)
    if target.permission == "kms:RetireGrant":
        # The grant allows it. Key policies can only deny it. IAM policies are needed if the grant names the account, or
        # if another account issued it. Resource control policies do not apply.
        # See https://docs.aws.amazon.com/kms/latest/developerguide/grant-delete.html
        policies = iam.policies(caller, "", _denials(compiled))
        return AccessRequest(call, target, key.account, policies, tags, aliases)
    # "Resource control policies in your organization do not apply to AWS managed keys."
    policies = iam.policies(caller, "" if key.manager == "AWS" else key.account, compiled)
    # Deleted grants may still be effective.
    has_grants = call.operation.grantable and (key.id in home.grants or key.arn in call.state.recent.gone_grants)
    grants = grants_of_caller(call, key, home) if has_grants else ()
    return AccessRequest(call, target, key.account, policies, tags, aliases, grants)


def decide(access: AccessRequest) -> Decision:
    """Evaluate an access request."""
    call, target, policies = access.call, access.target, access.policies
    request = Request(
        call.caller.principal, target.permission, target.arn, access.account, ConditionValues(access),
        call.operation.cross_account, target.from_ciphertext, target.creates_key,
        call.state.iam.origins, call.state.iam.identity,
    )  # fmt: skip
    if target.permission == "kms:RetireGrant":
        grant: Grant = call.notes["grant"]
        decision = evaluate(request, policies, lambda: grants_to_retire(call.caller.principal, grant))
        return (
            decision
            if decision.allowed
            else decision._replace(inapplicable_grants=lambda: explain_not_retirable(grant))
        )
    if access.grants:
        decision = evaluate(request, policies, lambda: grants_that_allow(call, target.permission, access.grants))
    else:
        decision = evaluate(request, policies)
    if decision.denial is None or target.key is None or not call.operation.grantable:
        return decision
    return decision._replace(inapplicable_grants=_inapplicable_grants(access, target.key))


def _inapplicable_grants(access: AccessRequest, key: Key) -> InapplicableGrants:
    """Return the explanation why grants on a key do not apply: all of the caller's, and some of the others."""
    every = access.call.state.home(key).grants.get(key.id, {})
    own = {grant.id for grant in access.grants}
    others = [grant for grant in islice(every.values(), len(own) + _OTHER_GRANTS_SHOWN) if grant.id not in own]
    shown = (*access.grants, *others[:_OTHER_GRANTS_SHOWN])
    more = max(0, len(every) - len(shown))
    return lambda: explain_inapplicable(access.call, access.target.permission, shown, more)


@lru_cache(maxsize=256)
def _denials(policy: Policy) -> Policy:
    return Policy(policy.text, policy.kind, tuple(each for each in policy.statements if each.may_deny))
