"""Where the values of condition keys come from: the request, the key, the caller, the way the call takes.

Which keys there are, with the permissions that each applies to, is the table of `condition_keys`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone

from pytest_kmsmock._kms.attestation.recipient import read_recipient
from pytest_kmsmock._kms.call.operation import Asked, Call
from pytest_kmsmock._kms.policy.principals import PrincipalKind
from pytest_kmsmock._kms.state.records import Grant

Values = tuple[str, ...] | None
#: Finds the values of a key; those of one of a family by what follows the family's name, in lower case.
Find = Callable[[Asked, str], Values]


def condition_text(value: object) -> str:
    """Return a value as conditions compare it; a time without a zone is in UTC."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        moment = value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value)


def member(name: str, default: object = None) -> Find:
    """Take the value from a member of the request, or its default."""

    def find(asked: Asked, _rest: str) -> Values:
        value = asked.call.params.get(name, default)
        return None if value is None else (condition_text(value),)

    return find


def valid_to(asked: Asked, _rest: str) -> Values:
    value = asked.call.params.get("ValidTo")
    # "The value is expressed in Unix time": so numeric operators compare it, which the guide's example takes.
    return None if value is None else (str(value.timestamp()) if isinstance(value, datetime) else str(value),)


def given(_asked: Asked, _rest: str) -> Values:
    """Take the value from what the test says of the caller, only."""
    return None


def of_caller(name: str) -> Find:
    return lambda asked, rest: asked.call.caller.principal.condition_value(name + rest)


def key_attribute(attribute: str, member: str, default: str, deprecated_member: str = "") -> Find:
    """Take the value from the key, or from the request that creates one."""

    def find(asked: Asked, _rest: str) -> Values:
        key, call = asked.target.key, asked.call
        if key is None and call.operation.name == "ReplicateKey":
            key = call.key  # the replica will be like it
        if key is not None:
            value = getattr(key, attribute)
            return (value if isinstance(value, str) else value.name,)
        if asked.target.permission != "kms:CreateKey":
            return None
        return (call.params.get(member) or call.params.get(deprecated_member) or default,)

    return find


def multi_region(asked: Asked, _rest: str) -> Values:
    kind = multi_region_type(asked, "")
    creates_or_has_key = asked.target.key is not None or asked.target.permission == "kms:CreateKey"
    return (condition_text(kind is not None),) if creates_or_has_key else None


def multi_region_type(asked: Asked, _rest: str) -> Values:
    key, call = asked.target.key, asked.call
    if key is not None:
        if key.multi_region is None:
            return None
        return ("PRIMARY" if key.multi_region.primary == key.region else "REPLICA",)
    if asked.target.permission != "kms:CreateKey":
        return None
    if call.operation.name == "ReplicateKey":
        return ("REPLICA",)
    return ("PRIMARY",) if call.params.get("MultiRegion") else None


_ALGORITHM_MEMBERS = {
    "kms:ReEncryptFrom": "SourceEncryptionAlgorithm",
    "kms:ReEncryptTo": "DestinationEncryptionAlgorithm",
}


def encryption_algorithm(asked: Asked, _rest: str) -> Values:
    member = _ALGORITHM_MEMBERS.get(asked.target.permission, "EncryptionAlgorithm")
    return (asked.call.params.get(member, "SYMMETRIC_DEFAULT"),)


_CONTEXT_MEMBERS = {"kms:ReEncryptFrom": "SourceEncryptionContext", "kms:ReEncryptTo": "DestinationEncryptionContext"}
_CONTEXT_CONSTRAINTS = ("EncryptionContextEquals", "EncryptionContextSubset")


def context_of(call: Call, permission: str) -> Mapping[str, str]:
    """Return the encryption context that goes with a permission: for grants, that of their constraints."""
    if permission == "kms:CreateGrant":
        constraints = call.params.get("Constraints") or {}
        return {key: value for name in _CONTEXT_CONSTRAINTS for key, value in (constraints.get(name) or {}).items()}
    if permission == "kms:RetireGrant":
        grant = _grant(call)
        return {} if grant is None else {**(grant.context_equals or {}), **(grant.context_subset or {})}
    return call.params.get(_CONTEXT_MEMBERS.get(permission, "EncryptionContext")) or {}


def _grant(call: Call) -> Grant | None:
    """Return the grant that a RetireGrant is about."""
    grant: Grant | None = call.notes.get("grant")
    return grant


def encryption_context(asked: Asked, rest: str) -> Values:
    # The name in a condition key is compared without regard to case, the value as the operator says.
    context = context_of(asked.call, asked.target.permission)
    return tuple(value for key, value in context.items() if key.lower() == rest) or None


def encryption_context_keys(asked: Asked, _rest: str) -> Values:
    return tuple(context_of(asked.call, asked.target.permission)) or None


def grant_constraint_source_arn(asked: Asked, _rest: str) -> Values:
    arn = (asked.call.params.get("Constraints") or {}).get("SourceArn")
    return None if arn is None else (arn,)


def grant_constraint_type(asked: Asked, _rest: str) -> Values:
    if asked.target.permission == "kms:CreateGrant":
        constraints = asked.call.params.get("Constraints") or {}
        return tuple(name for name in _CONTEXT_CONSTRAINTS if constraints.get(name)) or None
    grant = _grant(asked.call)
    if grant is None:
        return None
    held = zip(_CONTEXT_CONSTRAINTS, (grant.context_equals, grant.context_subset), strict=True)
    return tuple(name for name, context in held if context) or None


def grant_is_for_service(asked: Asked, _rest: str) -> Values:
    return (condition_text(asked.call.caller.forwarding_service is not None),)


def same_key(asked: Asked, _rest: str) -> Values:
    keys = {target.arn for target in asked.call.targets if target.key is not None}
    return (condition_text(len(keys) == 1),)


def days_without_use(asked: Asked, _rest: str) -> Values:
    # Whole days since the last use; of a key that was never used, since tracking began, here with its creation.
    key, call = asked.target.key, asked.call
    assert key is not None, asked.target  # only permissions on keys have this
    if "days without use" not in call.notes:  # kept, for the key may be used again before somebody asks why
        usage = call.state.home(key).last_usage.get(key.id)
        call.notes["days without use"] = (call.now - (key.created if usage is None else usage.time)).days
    return (str(call.notes["days without use"]),)


def attestation(asked: Asked, rest: str) -> Values:
    attestation = read_recipient(asked.call)
    if attestation is None:
        return None
    from pytest_kmsmock._kms.attestation.document import (
        attestation_condition_values,  # only who uses enclaves needs its packages
    )

    values = {name.lower(): value for name, value in attestation_condition_values(attestation).items()}
    value = values.get(f"kms:recipientattestation:{rest}")
    return None if value is None else (value,)


def request_tags(asked: Asked, rest: str) -> Values:
    tags = asked.call.params.get("Tags") or ()
    return tuple(tag["TagValue"] for tag in tags if tag["TagKey"].lower() == rest) or None


def tag_keys(asked: Asked, _rest: str) -> Values:
    tags = asked.call.params.get("Tags") or ()
    return (*(tag["TagKey"] for tag in tags), *(asked.call.params.get("TagKeys") or ())) or None


def resource_tag(asked: Asked, rest: str) -> Values:
    return tuple(value for key, value in asked.tags.items() if key.lower() == rest) or None


def request_alias(asked: Asked, _rest: str) -> Values:
    return None if asked.target.alias is None else (asked.target.alias,)


def resource_account(asked: Asked, _rest: str) -> Values:
    parts = asked.target.arn.split(":")
    return (parts[4],) if len(parts) > 4 else None


def resource_organization(write: Callable[[str], str] = str) -> Find:
    """Take the organization of the caller, if the resource is of the caller's account."""

    def find(asked: Asked, _rest: str) -> Values:
        principal = asked.call.caller.principal
        own = resource_account(asked, "") == (principal.account,)
        return (write(principal.org_id),) if own and principal.org_id is not None else None

    return find


def address(*, through_endpoint: bool) -> Find:
    """Take the address of the caller: `aws:SourceIp`, or `aws:VpcSourceIp` through a VPC endpoint."""

    def find(asked: Asked, _rest: str) -> Values:
        caller = asked.call.caller
        hidden = caller.principal.is_service or caller.forwarding_service is not None
        return ("127.0.0.1",) if not hidden and ("aws:sourcevpce" in caller.context) is through_endpoint else None

    return find


def via_service(asked: Asked, _rest: str) -> Values:
    service = asked.call.caller.via_service(asked.target.region or asked.call.region.name)
    return None if service is None else (service,)


def called_via(asked: Asked, _rest: str) -> Values:
    return asked.call.caller.called_via or None


def called_via_end(index: int) -> Find:
    def find(asked: Asked, _rest: str) -> Values:
        chain = asked.call.caller.called_via
        return (chain[index],) if chain else None

    return find


_TEMPORARY = (PrincipalKind.ASSUMED_ROLE, PrincipalKind.FEDERATED_USER)


def mfa_present(asked: Asked, _rest: str) -> Values:
    # Long-term credentials do not have the key.
    return ("false",) if asked.call.caller.principal.kind in _TEMPORARY else None


def token_issue_time(asked: Asked, _rest: str) -> Values:
    # As if temporary credentials were fetched for each call: they have no age of their own here.
    return (condition_text(asked.call.now),) if asked.call.caller.principal.kind in _TEMPORARY else None
