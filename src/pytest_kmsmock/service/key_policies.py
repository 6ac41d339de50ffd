"""What AWS demands of a new key policy. Used by CreateKey, ReplicateKey and PutKeyPolicy.

See https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import errors
from .authorization.decision import would_lock_out
from .authorization.documents import MalformedPolicy
from .authorization.policy import compile_policy
from .condition_keys import Asked
from .operation import Call

if TYPE_CHECKING:
    from .authorization.patterns import Lookup
    from .authorization.policy import Policy

MOST_BYTES = 32_768


def check_new_policy(call: Call) -> str | None:
    """Return the `Policy` of a request once it has been found fit to be a key policy; None if there is none.

    Raises:
        KmsError: `LimitExceededException` for more than 32,768 bytes, `MalformedPolicyDocumentException` for a document
            that is no key policy, that names who does not exist, or that locks the caller out.
    """
    policy = call.get("Policy")
    if policy is None:
        return None
    text = str(policy)
    if len(text.encode()) > MOST_BYTES:
        raise errors.LIMIT_EXCEEDED(reason=f"The key policy document is longer than {MOST_BYTES} bytes.")
    try:
        compiled = compile_policy(text)
    except MalformedPolicy as malformed:
        raise errors.MALFORMED_POLICY(reason=malformed.reason) from None
    if compiled.principals & call.state.iam.missing:
        raise errors.INVALID_PRINCIPAL()
    if call.service.enforce_policies and not call.get("BypassPolicyLockoutSafetyCheck"):
        _check_lockout(call, compiled)
    return text


def _check_lockout(call: Call, policy: Policy) -> None:
    """Refuse a policy that would not let the caller replace it: by itself, or together with the caller's IAM policies.

    Raises:
        KmsError: `MalformedPolicyDocumentException`.
    """
    target = call.targets[0]
    principal, account = call.caller.principal, call.region.account
    identity = call.state.iam.policies(call.caller, account).identity
    resource = "*" if target.key is None else target.arn
    if would_lock_out(policy, principal, identity, account=account, resource=resource, context=_of_next(call)):
        raise errors.POLICY_LOCKS_OUT()


def _of_next(call: Call) -> Lookup:
    """Return the condition values of the PutKeyPolicy that must be allowed: this caller's, as the key is now."""
    target = call.targets[0]
    tags = target.key.tags if target.key is not None else {}
    asked = Asked(call, target, tags, call.region.aliases_of.get(target.key.id, ()) if target.key is not None else ())

    def lookup(key: str) -> tuple[str, ...] | None:
        if key == "kms:policyname":
            return ("default",)
        return None if key == "kms:bypasspolicylockoutsafetycheck" else asked(key)

    return lookup
