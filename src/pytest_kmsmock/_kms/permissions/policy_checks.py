"""AWS's checks of a new key policy, for CreateKey, ReplicateKey and PutKeyPolicy.

See https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.api.arns import key_arn, partition_of, placeholder_key_arn
from pytest_kmsmock._kms.call.operation import AccessRequest, Call, Target
from pytest_kmsmock._kms.policy.decision import would_lock_out
from pytest_kmsmock._kms.policy.key_policy_format import format_key_policy
from pytest_kmsmock._kms.policy.kinds import MalformedPolicy
from pytest_kmsmock._kms.policy.policy import compile_policy
from pytest_kmsmock._kms.rules.tags import read_tags

from .lookup import ConditionValues

if TYPE_CHECKING:
    from pytest_kmsmock._kms.policy.patterns import Lookup
    from pytest_kmsmock._kms.policy.policy import Policy

MAX_POLICY_BYTES = 32_768
_KEYS_OF_THIS_CALL = ("kms:bypasspolicylockoutsafetycheck", "aws:requesttag/", "aws:tagkeys")


def check_new_policy(call: Call) -> str | None:
    """Check the `Policy` of a request and return it as KMS stores it; None without a policy.

    Raises:
        KmsError: `LimitExceededException` for more than 32,768 bytes; `MalformedPolicyDocumentException` for a
            malformed key policy, for principals that do not exist or are in another partition, and for a policy that
            locks the caller out.
    """
    policy = call.params.get("Policy")
    if policy is None:
        return None
    text = str(policy)
    if len(text.encode()) > MAX_POLICY_BYTES:
        raise errors.POLICY_SIZE(most=MAX_POLICY_BYTES)
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
    """Check that the policy, together with the caller's IAM policies, lets the caller replace it later.

    Raises:
        KmsError: `MalformedPolicyDocumentException`.
    """
    access = _future_put_key_policy(call)
    principal, account = call.caller.principal, call.region.account
    identity = call.state.iam.policies(call.caller, account).identity
    resource, context = access.target.arn, _future_conditions(access)
    if would_lock_out(policy, principal, identity, account=account, resource=resource, context=context):
        raise errors.POLICY_LOCKOUT()


def _future_put_key_policy(call: Call) -> AccessRequest:
    """Return the access request of a subsequent PutKeyPolicy by the same caller, on the key after this call."""
    target = call.targets[0]
    key, region, account = target.key, call.region, call.region.account
    if key is None:
        arn = placeholder_key_arn(region.name, account, multi_region=bool(call.params.get("MultiRegion")))
        return AccessRequest(call, target._replace(arn=arn), tags=read_tags(call))
    if call.operation.name == "PutKeyPolicy":
        return AccessRequest(call, target, tags=key.tags, aliases=region.aliases_of.get(key.id, ()))
    # The permission kms:CreateKey of ReplicateKey, in the replica's Region.
    place = call.params["ReplicaRegion"]
    created = Target("kms:CreateKey", key_arn(place, account, key.id), region=place)
    return AccessRequest(call, created, tags=read_tags(call))


def _future_conditions(access: AccessRequest) -> Lookup:
    """Return the condition values of that PutKeyPolicy: those of the call, without keys that only this call has."""
    values = ConditionValues(access)

    def lookup(key: str) -> tuple[str, ...] | None:
        if key == "kms:policyname":
            return ("default",)
        return None if key.startswith(_KEYS_OF_THIS_CALL) else values(key)

    return lookup
