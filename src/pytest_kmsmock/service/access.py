"""Whether a call may do what it wants: what the pipeline asks the policy engine, and with what in hand.

See https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html and
https://docs.aws.amazon.com/kms/latest/developerguide/resource-control-policies.html
"""

from __future__ import annotations

from functools import lru_cache

from . import errors
from .authorization.decision import Decision, Request, evaluate
from .authorization.policy import Policy, compile_policy
from .condition_keys import Asked
from .consistency import in_force
from .grants import candidates, grant_that_allows, granted_by_token, may_retire
from .operation import Call, Target
from .records import Grant


def authorize(call: Call, target: Target) -> None:
    """Let a call pass or refuse it; the decision is kept with the call.

    Raises:
        KmsError: `AccessDeniedException` with AWS's text.
    """
    if "GrantTokens" in call.params:
        granted_by_token(call)  # a token that is none is refused, whoever needs it
    if not call.service.enforce_policies:
        return
    decision = decide(call, target)
    call.decisions += (decision,)
    if decision.denial is not None:
        raise errors.ACCESS_DENIED(reason=decision.message)


def decide(call: Call, target: Target) -> Decision:
    """Decide whether a call has the permission that one of its targets needs."""
    caller, key = call.caller, target.key
    iam = call.state.iam
    if key is None:
        # Aliases and actions without a resource: only IAM policies count.
        account = "" if target.arn == "*" else call.region.account
        request = Request(
            caller.principal, target.permission, target.arn, account, Asked(call, target), unnamed=target.new
        )  # fmt: skip
        return evaluate(request, iam.policies(caller, account))
    policy, tags, aliases = in_force(call, key)
    request = Request(
        caller.principal, target.permission, key.arn, key.account, Asked(call, target, tags, aliases),
        call.operation.cross_account, target.from_ciphertext,
    )  # fmt: skip
    compiled = compile_policy(policy)
    if target.permission == "kms:RetireGrant":
        return _decide_on_retiring(call, request, compiled)
    # "Resource control policies in your organization do not apply to AWS managed keys."
    policies = iam.policies(caller, "" if key.manager == "AWS" else key.account, compiled)
    own = candidates(call, key) if call.operation.grantable else ()
    if not own:
        return evaluate(request, policies)
    return evaluate(request, policies, lambda: grant_that_allows(call, request, own, policies))


def _decide_on_retiring(call: Call, request: Request, key_policy: Policy) -> Decision:
    """Decide on RetireGrant: the grant says who may; key policies and IAM policies can only forbid it, and IAM policies
    pass on what the grant gives to accounts. Resource control policies have no effect on it.

    See https://docs.aws.amazon.com/kms/latest/developerguide/grant-delete.html and
    https://docs.aws.amazon.com/kms/latest/developerguide/resource-control-policies.html
    """  # noqa: D205
    grant: Grant = call.notes["grant"]
    policies = call.state.iam.policies(call.caller, "", _denials(key_policy))
    # As if the key were the caller's own: it does not matter whose it is.
    request = request._replace(account=request.principal.account)
    return evaluate(request, policies, lambda: may_retire(request, grant, policies))


@lru_cache(maxsize=256)
def _denials(policy: Policy) -> Policy:
    return Policy(policy.text, policy.kind, tuple(statement for statement in policy.statements if statement.deny))
