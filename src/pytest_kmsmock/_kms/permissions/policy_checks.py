"""What AWS demands of a new key policy. Used by CreateKey, ReplicateKey and PutKeyPolicy.

See https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.api.arns import key_arn, partition_of, placeholder_key_arn
from pytest_kmsmock._kms.call.operation import Asked, Call, Target
from pytest_kmsmock._kms.policy.decision import would_lock_out
from pytest_kmsmock._kms.policy.key_policy_format import format_key_policy
from pytest_kmsmock._kms.policy.kinds import MalformedPolicy
from pytest_kmsmock._kms.policy.policy import compile_policy
from pytest_kmsmock._kms.rules.tags import read_tags

from .condition_keys import ConditionValues

if TYPE_CHECKING:
    from pytest_kmsmock._kms.policy.patterns import Lookup
    from pytest_kmsmock._kms.policy.policy import Policy

MOST_BYTES = 32_768
_OF_THIS_CALL = ("kms:bypasspolicylockoutsafetycheck", "aws:requesttag/", "aws:tagkeys")


def check_new_policy(call: Call) -> str | None:
    """Return the `Policy` of a request as KMS keeps it, once it has been found fit; None if there is none.

    Raises:
        KmsError: `LimitExceededException` for more than 32,768 bytes, `MalformedPolicyDocumentException` for a document
            that is no key policy, that names who does not exist or is of another partition, or that locks the caller
            out.
    """
    policy = call.params.get("Policy")
    if policy is None:
        return None
    text = str(policy)
    if len(text.encode()) > MOST_BYTES:
        raise errors.POLICY_SIZE(most=MOST_BYTES)
    try:
        compiled = compile_policy(text)
    except MalformedPolicy as malformed:
        raise errors.MALFORMED_POLICY(reason=malformed.reason) from None
    if compiled.principals & call.state.iam.missing or compiled.partitions - {partition_of(call.region.name)}:
        raise errors.INVALID_PRINCIPAL()
    if call.service.enforce_policies and not call.params.get("BypassPolicyLockoutSafetyCheck"):
        _check_lockout(call, compiled)
    return format_key_policy(text, partition_of(call.region.name))


def _check_lockout(call: Call, policy: Policy) -> None:
    """Refuse a policy that would not let the caller replace it: by itself, or together with the caller's IAM policies.

    Raises:
        KmsError: `MalformedPolicyDocumentException`.
    """
    asked = _next(call)
    principal, account = call.caller.principal, call.region.account
    identity = call.state.iam.policies(call.caller, account).identity
    resource, context = asked.target.arn, _conditions(asked)
    if would_lock_out(policy, principal, identity, account=account, resource=resource, context=context):
        raise errors.POLICY_LOCKOUT()


def _next(call: Call) -> Asked:
    """Return the PutKeyPolicy that must be allowed: by this caller, on the key as the call leaves it."""
    target = call.targets[0]
    key, region, account = target.key, call.region, call.region.account
    if call.operation.name == "PutKeyPolicy" and key is not None:
        return Asked(call, target, tags=key.tags, aliases=region.aliases_of.get(key.id, ()))
    if key is None:
        arn = placeholder_key_arn(region.name, account, multi_region=bool(call.params.get("MultiRegion")))
        return Asked(call, target._replace(arn=arn), tags=read_tags(call))
    # The CreateKey of ReplicateKey, which is in the replica's Region.
    place = call.params["ReplicaRegion"]
    created = Target("kms:CreateKey", key_arn(place, account, key.id), region=place)
    return Asked(call, created, tags=read_tags(call))


def _conditions(asked: Asked) -> Lookup:
    """Return the condition values of that PutKeyPolicy: those of the call, but for what only the call has."""
    values = ConditionValues(asked)

    def lookup(key: str) -> tuple[str, ...] | None:
        if key == "kms:policyname":
            return ("default",)
        return None if key.startswith(_OF_THIS_CALL) else values(key)

    return lookup
