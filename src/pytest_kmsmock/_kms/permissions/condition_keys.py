"""Condition keys of requests to KMS: one table, with the permissions each applies to and where its values come from.

A key applies to permissions, not operations: `ReEncryptFrom` and `ReEncryptTo` are two. Operators and policies are
the engine's business (`authorization`); it asks `ConditionValues` for the values of one request.

Sources: Developer Guide, "Condition keys for AWS KMS"
(https://docs.aws.amazon.com/kms/latest/developerguide/policy-conditions.html), and for `aws:` keys the IAM User Guide,
"AWS global condition context keys"
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone

from pytest_kmsmock._kms.attestation.recipient import read_recipient
from pytest_kmsmock._kms.call.operation import Asked, Call
from pytest_kmsmock._kms.policy.principals import PrincipalKind
from pytest_kmsmock._kms.state.records import Grant

Values = tuple[str, ...] | None


Find = Callable[[Asked, str], Values]


@dataclass(frozen=True, slots=True)
class ConditionKey:
    """A row of the table.

    Attributes:
        name: as AWS writes it. A name that ends in a colon, a slash or a register is one of a family: what follows it
            says which.
        permissions: which permissions it applies to, without `kms:`; None if their resource or the caller decides.
        find: gives the values. What the test says of a caller (`Caller.context`) goes before.
    """

    name: str
    permissions: frozenset[str] | None
    find: Find

    @property
    def lowered(self) -> str:
        """The name in lower case, as the engine asks for it."""
        return self.name.lower()


# --- where values come from ---------------------------------------------------------------------------------------


def condition_text(value: object) -> str:
    """Return a value as conditions compare it; a time without a zone is in UTC."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        moment = value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value)


def _member(name: str, default: object = None) -> Find:
    """Take the value from a member of the request, or its default."""

    def find(asked: Asked, _rest: str) -> Values:
        value = asked.call.params.get(name, default)
        return None if value is None else (condition_text(value),)

    return find


def _valid_to(asked: Asked, _rest: str) -> Values:
    value = asked.call.params.get("ValidTo")
    # "The value is expressed in Unix time": so numeric operators compare it, which the guide's example takes.
    return None if value is None else (str(value.timestamp()) if isinstance(value, datetime) else str(value),)


def _given(_asked: Asked, _rest: str) -> Values:
    """Take the value from what the test says of the caller, only."""
    return None


def _of_caller(name: str) -> Find:
    return lambda asked, rest: asked.call.caller.principal.condition_value(name + rest)


def _key_attribute(attribute: str, member: str, default: str, deprecated_member: str = "") -> Find:
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


def _multi_region(asked: Asked, _rest: str) -> Values:
    kind = _multi_region_type(asked, "")
    creates_or_has_key = asked.target.key is not None or asked.target.permission == "kms:CreateKey"
    return (condition_text(kind is not None),) if creates_or_has_key else None


def _multi_region_type(asked: Asked, _rest: str) -> Values:
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


def _encryption_algorithm(asked: Asked, _rest: str) -> Values:
    member = _ALGORITHM_MEMBERS.get(asked.target.permission, "EncryptionAlgorithm")
    return (asked.call.params.get(member, "SYMMETRIC_DEFAULT"),)


_CONTEXT_MEMBERS = {"kms:ReEncryptFrom": "SourceEncryptionContext", "kms:ReEncryptTo": "DestinationEncryptionContext"}
_CONTEXT_CONSTRAINTS = ("EncryptionContextEquals", "EncryptionContextSubset")


def encryption_context(call: Call, permission: str) -> Mapping[str, str]:
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


def _encryption_context(asked: Asked, rest: str) -> Values:
    # The name in a condition key is compared without regard to case, the value as the operator says.
    context = encryption_context(asked.call, asked.target.permission)
    return tuple(value for key, value in context.items() if key.lower() == rest) or None


def _encryption_context_keys(asked: Asked, _rest: str) -> Values:
    return tuple(encryption_context(asked.call, asked.target.permission)) or None


def _grant_constraint_source_arn(asked: Asked, _rest: str) -> Values:
    arn = (asked.call.params.get("Constraints") or {}).get("SourceArn")
    return None if arn is None else (arn,)


def _grant_constraint_type(asked: Asked, _rest: str) -> Values:
    if asked.target.permission == "kms:CreateGrant":
        constraints = asked.call.params.get("Constraints") or {}
        return tuple(name for name in _CONTEXT_CONSTRAINTS if constraints.get(name)) or None
    grant = _grant(asked.call)
    if grant is None:
        return None
    held = zip(_CONTEXT_CONSTRAINTS, (grant.context_equals, grant.context_subset), strict=True)
    return tuple(name for name, context in held if context) or None


def _grant_is_for_service(asked: Asked, _rest: str) -> Values:
    return (condition_text(asked.call.caller.forwarding_service is not None),)


def _same_key(asked: Asked, _rest: str) -> Values:
    keys = {target.arn for target in asked.call.targets if target.key is not None}
    return (condition_text(len(keys) == 1),)


def _days_without_use(asked: Asked, _rest: str) -> Values:
    # Whole days since the last use; of a key that was never used, since tracking began, here with its creation.
    key, call = asked.target.key, asked.call
    assert key is not None, asked.target  # only permissions on keys have this
    if "days without use" not in call.notes:  # kept, for the key may be used again before somebody asks why
        usage = call.state.home(key).last_usage.get(key.id)
        call.notes["days without use"] = (call.now - (key.created if usage is None else usage.time)).days
    return (str(call.notes["days without use"]),)


def _attestation(asked: Asked, rest: str) -> Values:
    attestation = read_recipient(asked.call)
    if attestation is None:
        return None
    from pytest_kmsmock._kms.attestation.document import (
        attestation_condition_values,  # only who uses enclaves needs its packages
    )

    values = {name.lower(): value for name, value in attestation_condition_values(attestation).items()}
    value = values.get(f"kms:recipientattestation:{rest}")
    return None if value is None else (value,)


def _request_tags(asked: Asked, rest: str) -> Values:
    tags = asked.call.params.get("Tags") or ()
    return tuple(tag["TagValue"] for tag in tags if tag["TagKey"].lower() == rest) or None


def _tag_keys(asked: Asked, _rest: str) -> Values:
    tags = asked.call.params.get("Tags") or ()
    return (*(tag["TagKey"] for tag in tags), *(asked.call.params.get("TagKeys") or ())) or None


def _resource_tag(asked: Asked, rest: str) -> Values:
    return tuple(value for key, value in asked.tags.items() if key.lower() == rest) or None


def _request_alias(asked: Asked, _rest: str) -> Values:
    return None if asked.target.alias is None else (asked.target.alias,)


def _resource_account(asked: Asked, _rest: str) -> Values:
    parts = asked.target.arn.split(":")
    return (parts[4],) if len(parts) > 4 else None


def _source_ip(asked: Asked, _rest: str) -> Values:
    # Absent when a service calls for the principal, or through a VPC endpoint.
    caller = asked.call.caller
    hidden = caller.principal.is_service or caller.forwarding_service is not None or "aws:sourcevpce" in caller.context
    return None if hidden else ("127.0.0.1",)


def _via_service(asked: Asked, _rest: str) -> Values:
    service = asked.call.caller.via_service(asked.target.region or asked.call.region.name)
    return None if service is None else (service,)


def _called_via(asked: Asked, _rest: str) -> Values:
    return asked.call.caller.called_via or None


def _called_via_end(index: int) -> Find:
    def find(asked: Asked, _rest: str) -> Values:
        chain = asked.call.caller.called_via
        return (chain[index],) if chain else None

    return find


_TEMPORARY = (PrincipalKind.ASSUMED_ROLE, PrincipalKind.FEDERATED_USER)


def _mfa_present(asked: Asked, _rest: str) -> Values:
    # Long-term credentials do not have the key.
    return ("false",) if asked.call.caller.principal.kind in _TEMPORARY else None


def _token_issue_time(asked: Asked, _rest: str) -> Values:
    # As if temporary credentials were fetched for each call: they have no age of their own here.
    return (condition_text(asked.call.now),) if asked.call.caller.principal.kind in _TEMPORARY else None


# --- the table ----------------------------------------------------------------------------------------------------


def _of(*permissions: str) -> frozenset[str]:
    return frozenset(permissions)


DATA_KEYS = _of("GenerateDataKey", "GenerateDataKeyWithoutPlaintext")
DATA_KEY_PAIRS = _of("GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext")
#: Permissions for what takes an encryption context.
ENCRYPTION = _of("Decrypt", "Encrypt", "ReEncryptFrom", "ReEncryptTo") | DATA_KEYS | DATA_KEY_PAIRS
CRYPTOGRAPHY = ENCRYPTION | _of(
    "Decapsulate", "DeriveSharedSecret", "Encapsulate", "GenerateMac", "Sign", "Verify", "VerifyMac"
)
_GRANTS_CONTEXT = ENCRYPTION | _of("CreateGrant", "RetireGrant")
_TAKES_RECIPIENT = _of("Decrypt", "DeriveSharedSecret", "GenerateDataKey", "GenerateDataKeyPair", "GenerateRandom")
_ADDS_TAGS = _of("CreateKey", "ReplicateKey", "TagResource")

CONDITION_KEYS: tuple[ConditionKey, ...] = (
    ConditionKey("kms:BypassPolicyLockoutSafetyCheck", _of("CreateKey", "PutKeyPolicy"),
                 _member("BypassPolicyLockoutSafetyCheck")),  # absent unless the request has it
    ConditionKey("kms:CallerAccount", None, _of_caller("kms:calleraccount")),
    ConditionKey("kms:CustomerMasterKeySpec", None,
                 _key_attribute("spec", "KeySpec", "SYMMETRIC_DEFAULT", "CustomerMasterKeySpec")),
    ConditionKey("kms:CustomerMasterKeyUsage", None, _key_attribute("usage", "KeyUsage", "ENCRYPT_DECRYPT")),
    ConditionKey("kms:DataKeyPairSpec", DATA_KEY_PAIRS, _member("KeyPairSpec")),
    ConditionKey("kms:EncryptionAlgorithm", ENCRYPTION, _encryption_algorithm),
    ConditionKey("kms:EncryptionContext:", _GRANTS_CONTEXT, _encryption_context),
    ConditionKey("kms:EncryptionContextKeys", _GRANTS_CONTEXT, _encryption_context_keys),
    ConditionKey("kms:ExpirationModel", _of("ImportKeyMaterial"),
                 _member("ExpirationModel")),
    ConditionKey("kms:GrantConstraintSourceArn", _of("CreateGrant"), _grant_constraint_source_arn),
    ConditionKey("kms:GrantConstraintType", _of("CreateGrant", "RetireGrant"), _grant_constraint_type),
    ConditionKey("kms:GrantIsForAWSResource", _of("CreateGrant", "ListGrants", "RevokeGrant"), _grant_is_for_service),
    ConditionKey("kms:GrantOperations", _of("CreateGrant"),
                 lambda asked, _rest: tuple(asked.call.params.get("Operations") or ()) or None),
    ConditionKey("kms:GranteePrincipal", _of("CreateGrant"), _member("GranteePrincipal")),
    ConditionKey("kms:GranteeServicePrincipal", _of("CreateGrant"), _member("GranteeServicePrincipal")),
    ConditionKey("kms:KeyAgreementAlgorithm", _of("DeriveSharedSecret"), _member("KeyAgreementAlgorithm")),
    ConditionKey("kms:KeyOrigin", None, _key_attribute("origin", "Origin", "AWS_KMS")),
    ConditionKey("kms:KeySpec", None,
                 _key_attribute("spec", "KeySpec", "SYMMETRIC_DEFAULT", "CustomerMasterKeySpec")),
    ConditionKey("kms:KeyUsage", None, _key_attribute("usage", "KeyUsage", "ENCRYPT_DECRYPT")),
    ConditionKey("kms:MacAlgorithm", _of("GenerateMac", "VerifyMac"), _member("MacAlgorithm")),
    ConditionKey("kms:MessageType", _of("Sign", "Verify"), _member("MessageType", "RAW")),
    ConditionKey("kms:MultiRegion", None, _multi_region),
    ConditionKey("kms:MultiRegionKeyType", None, _multi_region_type),
    ConditionKey("kms:PolicyName", _of("PutKeyPolicy"), _member("PolicyName", "default")),
    ConditionKey("kms:PrimaryRegion", _of("UpdatePrimaryRegion"), _member("PrimaryRegion")),
    ConditionKey("kms:ReEncryptOnSameKey", _of("ReEncryptFrom", "ReEncryptTo"), _same_key),
    ConditionKey("kms:RecipientAttestation:ImageSha384", _TAKES_RECIPIENT,
                 lambda asked, _rest: _attestation(asked, "imagesha384")),
    ConditionKey("kms:RecipientAttestation:PCR", _TAKES_RECIPIENT,
                 lambda asked, rest: _attestation(asked, f"pcr{rest}")),
    ConditionKey("kms:RecipientAttestation:NitroTPMPCR", _TAKES_RECIPIENT,
                 lambda asked, rest: _attestation(asked, f"nitrotpmpcr{rest}")),
    ConditionKey("kms:ReplicaRegion", _of("ReplicateKey"), _member("ReplicaRegion")),
    ConditionKey("kms:RequestAlias", CRYPTOGRAPHY | _of("DescribeKey", "GetPublicKey"), _request_alias),
    ConditionKey("kms:ResourceAliases", None, lambda asked, _rest: asked.aliases or None),
    ConditionKey("kms:RetiringPrincipal", _of("CreateGrant"), _member("RetiringPrincipal")),
    ConditionKey("kms:RetiringServicePrincipal", _of("CreateGrant"), _member("RetiringServicePrincipal")),
    ConditionKey("kms:RotationPeriodInDays", _of("EnableKeyRotation"), _member("RotationPeriodInDays", 365)),
    ConditionKey("kms:ScheduleKeyDeletionPendingWindowInDays", _of("ScheduleKeyDeletion"),
                 _member("PendingWindowInDays", 30)),
    ConditionKey("kms:SigningAlgorithm", _of("Sign", "Verify"), _member("SigningAlgorithm")),
    ConditionKey("kms:TrailingDaysWithoutKeyUsage", _of("DisableKey", "ScheduleKeyDeletion"), _days_without_use),
    ConditionKey("kms:ValidTo", _of("ImportKeyMaterial"), _valid_to),
    ConditionKey("kms:ViaService", None, _via_service),
    ConditionKey("kms:WrappingAlgorithm", _of("GetParametersForImport"), _member("WrappingAlgorithm")),
    ConditionKey("kms:WrappingKeySpec", _of("GetParametersForImport"), _member("WrappingKeySpec")),
    # --- of all of AWS: the request's tags and the resource's
    ConditionKey("aws:RequestTag/", _ADDS_TAGS, _request_tags),
    ConditionKey("aws:ResourceTag/", None, _resource_tag),
    ConditionKey("aws:TagKeys", _ADDS_TAGS | _of("UntagResource"), _tag_keys),
    ConditionKey("aws:ResourceAccount", None, _resource_account),
    ConditionKey("aws:ResourceOrgID", None, _given),
    ConditionKey("aws:ResourceOrgPaths", None, _given),
    # --- the caller
    ConditionKey("aws:PrincipalAccount", None, _of_caller("aws:principalaccount")),
    ConditionKey("aws:PrincipalArn", None, _of_caller("aws:principalarn")),
    ConditionKey("aws:PrincipalIsAWSService", None, _of_caller("aws:principalisawsservice")),
    ConditionKey("aws:PrincipalOrgID", None, _of_caller("aws:principalorgid")),
    ConditionKey("aws:PrincipalOrgPaths", None, _given),
    ConditionKey("aws:PrincipalServiceName", None, _of_caller("aws:principalservicename")),
    ConditionKey("aws:PrincipalServiceNamesList", None, _given),
    ConditionKey("aws:PrincipalTag/", None, _of_caller("aws:principaltag/")),
    ConditionKey("aws:PrincipalType", None, _of_caller("aws:principaltype")),
    ConditionKey("aws:userid", None, _of_caller("aws:userid")),
    ConditionKey("aws:username", None, _of_caller("aws:username")),
    ConditionKey("aws:FederatedProvider", None, _of_caller("aws:federatedprovider")),
    ConditionKey("aws:MultiFactorAuthAge", None, _given),
    ConditionKey("aws:MultiFactorAuthPresent", None, _mfa_present),
    ConditionKey("aws:SourceIdentity", None, _given),
    ConditionKey("aws:TokenIssueTime", None, _token_issue_time),
    # --- the way and the time
    ConditionKey("aws:CalledVia", None, _called_via),
    ConditionKey("aws:CalledViaFirst", None, _called_via_end(0)),
    ConditionKey("aws:CalledViaLast", None, _called_via_end(-1)),
    ConditionKey("aws:ViaAWSService", None,
                 lambda asked, _rest: (condition_text(asked.call.caller.forwarding_service is not None),)),
    ConditionKey("aws:SourceArn", None, _given),
    ConditionKey("aws:SourceAccount", None, _given),
    ConditionKey("aws:SourceOrgID", None, _given),
    ConditionKey("aws:SourceOrgPaths", None, _given),
    ConditionKey("aws:SourceIp", None, _source_ip),
    ConditionKey("aws:SourceVpc", None, _given),
    ConditionKey("aws:SourceVpce", None, _given),
    ConditionKey("aws:VpcSourceIp", None, _given),
    ConditionKey("aws:Referer", None, _given),
    ConditionKey("aws:UserAgent", None, lambda _asked, _rest: ("pytest-kmsmock",)),
    ConditionKey("aws:SecureTransport", None, lambda _asked, _rest: ("true",)),
    ConditionKey("aws:RequestedRegion", None,
                 lambda asked, _rest: (asked.target.region or asked.call.region.name,)),
    ConditionKey("aws:CurrentTime", None, lambda asked, _rest: (condition_text(asked.call.now),)),
    ConditionKey("aws:EpochTime", None, lambda asked, _rest: (str(int(asked.call.now.timestamp())),)),
)  # fmt: skip

_EXACT: dict[str, ConditionKey] = {row.lowered: row for row in CONDITION_KEYS}
_FAMILIES = tuple(row for row in CONDITION_KEYS if row.name.endswith((":", "/", "PCR")))
for _family in _FAMILIES:
    del _EXACT[_family.lowered]


@dataclass(frozen=True, slots=True)
class ConditionValues:
    """The condition values of one permission, as the policy engine asks for them; equal for what is equal."""

    asked: Asked

    def __call__(self, key: str) -> Values:
        """Return the values of a condition key, named in lower case; None if the request does not have it."""
        asked = self.asked
        row, rest = _EXACT.get(key), ""
        if row is None:
            for family in _FAMILIES:
                if key.startswith(family.lowered):
                    row, rest = family, key[len(family.lowered) :]
                    break
        context = asked.call.caller.context
        if row is None:
            return context.get(key) if key else None
        if row.permissions is not None and asked.target.permission.removeprefix("kms:") not in row.permissions:
            return None
        return context[key] if key in context else row.find(asked, rest)
