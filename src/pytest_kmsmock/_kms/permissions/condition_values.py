"""Values of condition keys: from the request, the key, the caller and the network.

`condition_keys` has the table of the keys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone

from pytest_kmsmock._kms.attestation.recipient import read_recipient
from pytest_kmsmock._kms.call.operation import AccessRequest, Call
from pytest_kmsmock._kms.policy.principals import PrincipalKind
from pytest_kmsmock._kms.state.records import Grant

Values = tuple[str, ...] | None
#: Returns the values of a condition key, given the access request and the part after a prefix, in lower case.
Find = Callable[[AccessRequest, str], Values]


def condition_string(value: object) -> str:
    """Return a value as conditions compare it; UTC is the default time zone."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        moment = value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value)


def parameter(name: str, default: object = None) -> Find:
    """Return a finder of a request parameter's value, or its default."""

    def find(access: AccessRequest, _suffix: str) -> Values:
        value = access.call.params.get(name, default)
        return None if value is None else (condition_string(value),)

    return find


def valid_to(access: AccessRequest, _suffix: str) -> Values:
    value = access.call.params.get("ValidTo")
    # "The value is expressed in Unix time": numeric operators compare it, as in the guide's example.
    return None if value is None else (str(value.timestamp()) if isinstance(value, datetime) else str(value),)


def from_request_context(_asked: AccessRequest, _suffix: str) -> Values:
    """Return None: only the request context that a test sets has a value."""
    return None


def principal_property(name: str) -> Find:
    return lambda access, suffix: access.call.caller.principal.condition_value(name + suffix)


def key_attribute(attribute: str, parameter: str, default: str, deprecated_member: str = "") -> Find:
    """Return a finder of a key's attribute, or of the parameter in the request that creates a key."""

    def find(access: AccessRequest, _suffix: str) -> Values:
        call = access.call
        # A replica will have the attributes of the key that is replicated.
        key = call.key if call.operation.name == "ReplicateKey" else access.target.key
        if key is not None:
            value = getattr(key, attribute)
            return (value if isinstance(value, str) else value.name,)
        if access.target.permission != "kms:CreateKey":
            return None
        return (call.params.get(parameter) or call.params.get(deprecated_member) or default,)

    return find


def multi_region(access: AccessRequest, _suffix: str) -> Values:
    kind = multi_region_type(access, "")
    creates_or_has_key = access.target.key is not None or access.target.permission == "kms:CreateKey"
    return (condition_string(kind is not None),) if creates_or_has_key else None


def multi_region_type(access: AccessRequest, _suffix: str) -> Values:
    key, call = access.target.key, access.call
    if key is not None:
        if key.multi_region is None:
            return None
        return ("PRIMARY" if key.multi_region.primary == key.region else "REPLICA",)
    if access.target.permission != "kms:CreateKey":
        return None
    if call.operation.name == "ReplicateKey":
        return ("REPLICA",)
    return ("PRIMARY",) if call.params.get("MultiRegion") else None


_ALGORITHM_PARAMETERS = {
    "kms:ReEncryptFrom": "SourceEncryptionAlgorithm",
    "kms:ReEncryptTo": "DestinationEncryptionAlgorithm",
}


def encryption_algorithm(access: AccessRequest, _suffix: str) -> Values:
    parameter = _ALGORITHM_PARAMETERS.get(access.target.permission, "EncryptionAlgorithm")
    return (access.call.params.get(parameter, "SYMMETRIC_DEFAULT"),)


_CONTEXT_PARAMETERS = {
    "kms:ReEncryptFrom": "SourceEncryptionContext",
    "kms:ReEncryptTo": "DestinationEncryptionContext",
}
_CONTEXT_CONSTRAINTS = ("EncryptionContextEquals", "EncryptionContextSubset")


def encryption_context_of(call: Call, permission: str) -> Mapping[str, str]:
    """Return the encryption context of a request for a permission; of grants, that in their constraints."""
    if permission == "kms:CreateGrant":
        constraints = call.params.get("Constraints") or {}
        return {key: value for name in _CONTEXT_CONSTRAINTS for key, value in (constraints.get(name) or {}).items()}
    if permission == "kms:RetireGrant":
        grant = _grant(call)
        return {} if grant is None else {**(grant.context_equals or {}), **(grant.context_subset or {})}
    return call.params.get(_CONTEXT_PARAMETERS.get(permission, "EncryptionContext")) or {}


def _grant(call: Call) -> Grant | None:
    """Return the grant of a RetireGrant request."""
    grant: Grant | None = call.notes.get("grant")
    return grant


def encryption_context(access: AccessRequest, suffix: str) -> Values:
    # The context key in a condition key is case-insensitive; the operator decides how values are compared.
    context = encryption_context_of(access.call, access.target.permission)
    return tuple(value for key, value in context.items() if key.lower() == suffix) or None


def encryption_context_keys(access: AccessRequest, _suffix: str) -> Values:
    return tuple(encryption_context_of(access.call, access.target.permission)) or None


def grant_constraint_source_arn(access: AccessRequest, _suffix: str) -> Values:
    arn = (access.call.params.get("Constraints") or {}).get("SourceArn")
    return None if arn is None else (arn,)


def grant_constraint_type(access: AccessRequest, _suffix: str) -> Values:
    if access.target.permission == "kms:CreateGrant":
        constraints = access.call.params.get("Constraints") or {}
        return tuple(name for name in _CONTEXT_CONSTRAINTS if constraints.get(name)) or None
    grant = _grant(access.call)
    if grant is None:
        return None
    held = zip(_CONTEXT_CONSTRAINTS, (grant.context_equals, grant.context_subset), strict=True)
    return tuple(name for name, context in held if context) or None


def grant_is_for_service(access: AccessRequest, _suffix: str) -> Values:
    return (condition_string(access.call.caller.forwarding_service is not None),)


def re_encrypt_on_same_key(access: AccessRequest, _suffix: str) -> Values:
    keys = {target.arn for target in access.call.targets}
    return (condition_string(len(keys) == 1),)


def days_without_use(access: AccessRequest, _suffix: str) -> Values:
    # Whole days since the last use; for a key that was never used, since tracking began: here at its creation.
    key, call = access.target.key, access.call
    assert key is not None, access.target  # only permissions on keys have this condition key
    if "days without use" not in call.notes:  # kept for explanations: the key may be used later
        usage = call.state.home(key).last_usage.get(key.id)
        call.notes["days without use"] = (call.now - (key.created if usage is None else usage.time)).days
    return (str(call.notes["days without use"]),)


def attestation(access: AccessRequest, suffix: str) -> Values:
    attestation = read_recipient(access.call)
    if attestation is None:
        return None
    from pytest_kmsmock._kms.attestation.document import (
        attestation_condition_values,  # imported here, for its packages are needed for enclaves only
    )

    values = {name.lower(): value for name, value in attestation_condition_values(attestation).items()}
    value = values.get(f"kms:recipientattestation:{suffix}")
    return None if value is None else (value,)


def request_tags(access: AccessRequest, suffix: str) -> Values:
    tags = access.call.params.get("Tags") or ()
    return tuple(tag["TagValue"] for tag in tags if tag["TagKey"].lower() == suffix) or None


def tag_keys(access: AccessRequest, _suffix: str) -> Values:
    tags = access.call.params.get("Tags") or ()
    return (*(tag["TagKey"] for tag in tags), *(access.call.params.get("TagKeys") or ())) or None


def resource_tag(access: AccessRequest, suffix: str) -> Values:
    return tuple(value for key, value in access.tags.items() if key.lower() == suffix) or None


def request_alias(access: AccessRequest, _suffix: str) -> Values:
    return None if access.target.alias is None else (access.target.alias,)


def resource_account(access: AccessRequest, _suffix: str) -> Values:
    arn = access.target.arn
    return (arn.split(":")[4],) if arn.startswith("arn:") else None


def of_own_account(name: str) -> Find:
    """Return a finder of a property of the caller's account, for resources in that account."""

    def find(access: AccessRequest, _suffix: str) -> Values:
        caller = access.call.caller
        own = resource_account(access, "") == (caller.principal.account,)
        return (caller.context.get(name) or caller.principal.condition_value(name)) if own else None

    return find


def source_address(*, through_endpoint: bool) -> Find:
    """Return a finder of the caller's IP address: `aws:SourceIp`, or `aws:VpcSourceIp` through a VPC endpoint.

    "When a FAS request is made after an initial request is received by a public AWS service endpoint, subsequent FAS
    requests will be made with the same aws:SourceIP condition key value."
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html
    """

    def find(access: AccessRequest, _suffix: str) -> Values:
        caller = access.call.caller
        through = "aws:sourcevpce" in caller.context
        hidden = caller.principal.is_service or (through and caller.forwarding_service is not None)
        return ("127.0.0.1",) if through is through_endpoint and not hidden else None

    return find


def via_service(access: AccessRequest, _suffix: str) -> Values:
    service = access.call.caller.via_service(access.target.region or access.call.region.name)
    return None if service is None else (service,)


def called_via(access: AccessRequest, _suffix: str) -> Values:
    return access.call.caller.called_via or None


def called_via_end(index: int) -> Find:
    def find(access: AccessRequest, _suffix: str) -> Values:
        chain = access.call.caller.called_via
        return (chain[index],) if chain else None

    return find


_TEMPORARY = (PrincipalKind.ASSUMED_ROLE, PrincipalKind.FEDERATED_USER)


def mfa_present(access: AccessRequest, _suffix: str) -> Values:
    # Long-term credentials do not have the key.
    return ("false",) if access.call.caller.principal.kind in _TEMPORARY else None


def token_issue_time(access: AccessRequest, _suffix: str) -> Values:
    # Temporary credentials count as new at each call.
    return (condition_string(access.call.now),) if access.call.caller.principal.kind in _TEMPORARY else None
