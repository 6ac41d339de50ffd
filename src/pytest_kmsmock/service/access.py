"""Whether a call may do what it wants: what the pipeline asks the policy engine, and with what in hand.

See https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
"""

from __future__ import annotations

from . import errors
from .authorization.decision import Decision, Request, evaluate
from .authorization.policy import compile_policy
from .condition_keys import Asked
from .operation import Call, Target


def authorize(call: Call, target: Target) -> None:
    """Let a call pass or refuse it; the decision is kept with the call.

    Raises:
        KmsError: `AccessDeniedException` with AWS's text.
    """
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
        request = Request(caller.principal, target.permission, target.arn, account, Asked(call, target))
        return evaluate(request, iam.policies(caller, account))
    asked = Asked(call, target, key.tags, call.state.home(key).aliases_of.get(key.id, ()))
    request = Request(
        caller.principal, target.permission, key.arn, key.account, asked,
        call.operation.cross_account, target.from_ciphertext,
    )  # fmt: skip
    return evaluate(request, iam.policies(caller, key.account, compile_policy(key.policy)))
