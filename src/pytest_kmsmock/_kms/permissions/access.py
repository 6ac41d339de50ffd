"""Whether a call may do what it wants: what the pipeline asks the policy engine, and with what in hand.

See https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html and
https://docs.aws.amazon.com/kms/latest/developerguide/resource-control-policies.html
"""

from __future__ import annotations

from functools import lru_cache
from itertools import islice

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.call.consistency import in_force
from pytest_kmsmock._kms.call.operation import Asked, Call, Target
from pytest_kmsmock._kms.policy.decision import Decision, InapplicableGrants, evaluate
from pytest_kmsmock._kms.policy.evaluation import Request
from pytest_kmsmock._kms.policy.policy import Policy, compile_policy
from pytest_kmsmock._kms.state.records import Grant, Key

from .condition_keys import ConditionValues
from .grants import candidates, granted_by_token, grants_that_allow, grants_to_retire, why_not_retire, why_unused

#: How many grants to other principals the explanation of a refusal names.
_OTHER_GRANTS_SHOWN = 5


def authorize(call: Call, target: Target) -> None:
    """Let a call pass or refuse it; what was decided is kept with the call.

    Raises:
        KmsError: `AccessDeniedException` with AWS's text.
    """
    if "GrantTokens" in call.params:
        granted_by_token(call)  # a token that is none is refused, whoever needs it
    if not call.service.enforce_policies:
        return
    asked = ask(call, target)
    unconditional = asked.policies.allow_unconditionally(call.caller.principal, target.permission, asked.account)
    if unconditional and not asked.grants:  # nearly always
        call.decided += (asked,)
        return
    decision = decide(asked)
    call.decided += (decision,)
    if decision.denial is not None:
        raise errors.ACCESS_DENIED(reason=decision.message)


def ask(call: Call, target: Target) -> Asked:
    """Return one of the permissions that a call needs, with all that is decided on."""
    caller, key, iam = call.caller, target.key, call.state.iam
    if key is None:
        # Aliases and actions without a resource: only IAM policies count.
        account = "" if target.arn == "*" else call.region.account
        return Asked(call, target, account, iam.policies(caller, account))
    home = call.state.home(key)
    late = call.service.delays.eventual_consistency
    policy, tags, aliases = key.policy, key.tags, home.aliases_of.get(key.id, ())
    if late:
        policy, tags, aliases = in_force(call, key, aliases)
    compiled = compile_policy(policy)
    if target.permission == "kms:RetireGrant":
        # The grant says who may. Key policies can only forbid it, IAM policies pass on what the grant gives to accounts
        # and are needed beside a grant of another account; resource control policies have no effect on it.
        # See https://docs.aws.amazon.com/kms/latest/developerguide/grant-delete.html
        policies = iam.policies(caller, "", _denials(compiled))
        return Asked(call, target, key.account, policies, tags, aliases)
    # "Resource control policies in your organization do not apply to AWS managed keys."
    policies = iam.policies(caller, "" if key.manager == "AWS" else key.account, compiled)
    has_grants = call.operation.grantable and (late or key.id in home.grants)
    grants = candidates(call, key, home) if has_grants else ()
    return Asked(call, target, key.account, policies, tags, aliases, grants)


def decide(asked: Asked) -> Decision:
    """Decide whether a call has one of the permissions that it needs."""
    call, target, policies = asked.call, asked.target, asked.policies
    request = Request(
        call.caller.principal, target.permission, target.arn, asked.account, ConditionValues(asked),
        call.operation.cross_account or target.key is None, target.from_ciphertext, target.new,
        call.state.iam.origins,
    )  # fmt: skip
    if target.permission == "kms:RetireGrant":
        grant: Grant = call.notes["grant"]
        decision = evaluate(request, policies, lambda: grants_to_retire(call.caller.principal, grant))
        return decision if decision.allowed else decision._replace(inapplicable_grants=lambda: why_not_retire(grant))
    if asked.grants:
        decision = evaluate(request, policies, lambda: grants_that_allow(call, target.permission, asked.grants))
    else:
        decision = evaluate(request, policies)
    if decision.denial is None or target.key is None or not call.operation.grantable:
        return decision
    return decision._replace(inapplicable_grants=_inapplicable_grants(asked, target.key))


def _inapplicable_grants(asked: Asked, key: Key) -> InapplicableGrants:
    """Return what finds out why grants on a key do not give a permission: the caller's, and some of the others."""
    every = asked.call.state.home(key).grants.get(key.id, {})
    own = {grant.id for grant in asked.grants}
    others = [grant for grant in islice(every.values(), len(own) + _OTHER_GRANTS_SHOWN) if grant.id not in own]
    shown = (*asked.grants, *others[:_OTHER_GRANTS_SHOWN])
    more = max(0, len(every) - len(shown))
    return lambda: why_unused(asked.call, asked.target.permission, shown, more)


@lru_cache(maxsize=256)
def _denials(policy: Policy) -> Policy:
    return Policy(policy.text, policy.kind, tuple(each for each in policy.statements if each.may_deny))
