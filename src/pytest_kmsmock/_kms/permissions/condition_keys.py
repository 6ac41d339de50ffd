"""The table of condition keys for KMS: the permissions that each applies to, and the source of its values.

Keys apply to permissions, not operations: ReEncrypt has `ReEncryptFrom` and `ReEncryptTo`. The policy engine
(`_kms.policy`) looks up the values of a request in `lookup.ConditionValues`.

Sources: Developer Guide, "Condition keys for AWS KMS"
(https://docs.aws.amazon.com/kms/latest/developerguide/policy-conditions.html), and for `aws:` keys the IAM User Guide,
"AWS global condition context keys"
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kmsmock._record import Record

from . import condition_values as values
from .condition_values import condition_string

if TYPE_CHECKING:
    from pytest_kmsmock._kms.call.operation import AccessRequest

    from .condition_values import Find, Values


class ConditionKey(Record):
    """A row of the table.

    Attributes:
        name: the name in AWS's documentation. One that ends in a colon, a slash or `PCR` is a prefix.
        permissions: the permissions that it applies to, without `kms:`; None for all that have a value.
        find: returns the values. The request context that a test sets (`Caller.context`) takes precedence.
        overrides_context: whether the values of `find` take precedence instead.
    """

    name: str
    permissions: frozenset[str] | None
    find: Find
    overrides_context: bool = False

    @property
    def lowered(self) -> str:
        """The name in lower case, as the policy engine looks it up."""
        return self.name.lower()


# --- the table ----------------------------------------------------------------------------------------------------


def _of(*permissions: str) -> frozenset[str]:
    return frozenset(permissions)


def _of_principal(name: str) -> ConditionKey:
    return ConditionKey(name, None, values.principal_property(name.lower()))


DATA_KEYS = _of("GenerateDataKey", "GenerateDataKeyWithoutPlaintext")
DATA_KEY_PAIRS = _of("GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext")
#: Permissions of operations with an encryption context.
ENCRYPTION = _of("Decrypt", "Encrypt", "ReEncryptFrom", "ReEncryptTo") | DATA_KEYS | DATA_KEY_PAIRS
CRYPTOGRAPHY = ENCRYPTION | _of(
    "Decapsulate", "DeriveSharedSecret", "Encapsulate", "GenerateMac", "Sign", "Verify", "VerifyMac"
)
_GRANTS_CONTEXT = ENCRYPTION | _of("CreateGrant", "RetireGrant")
_ACCEPTS_RECIPIENT = _of("Decrypt", "DeriveSharedSecret", "GenerateDataKey", "GenerateDataKeyPair", "GenerateRandom")
_ADDS_TAGS = _of("CreateKey", "TagResource")
# Each for two condition keys: the deprecated ones work the same way as those that replaced them.
_KEY_SPEC = values.key_attribute("spec", "KeySpec", "SYMMETRIC_DEFAULT", "CustomerMasterKeySpec")
_KEY_USAGE = values.key_attribute("usage", "KeyUsage", "ENCRYPT_DECRYPT")

CONDITION_KEYS: tuple[ConditionKey, ...] = (
    ConditionKey("kms:BypassPolicyLockoutSafetyCheck", _of("CreateKey", "PutKeyPolicy"),
                 values.parameter("BypassPolicyLockoutSafetyCheck")),  # absent unless the request has it
    _of_principal("kms:CallerAccount"),
    ConditionKey("kms:CustomerMasterKeySpec", None, _KEY_SPEC),
    ConditionKey("kms:CustomerMasterKeyUsage", None, _KEY_USAGE),
    ConditionKey("kms:DataKeyPairSpec", DATA_KEY_PAIRS, values.parameter("KeyPairSpec")),
    ConditionKey("kms:EncapsulationAlgorithm", _of("Decapsulate", "Encapsulate"),
                 values.parameter("EncapsulationAlgorithm")),
    ConditionKey("kms:EncryptionAlgorithm", ENCRYPTION, values.encryption_algorithm),
    ConditionKey("kms:EncryptionContext:", _GRANTS_CONTEXT, values.encryption_context),
    ConditionKey("kms:EncryptionContextKeys", _GRANTS_CONTEXT, values.encryption_context_keys),
    ConditionKey("kms:ExpirationModel", _of("ImportKeyMaterial"),
                 values.parameter("ExpirationModel")),
    ConditionKey("kms:GrantConstraintSourceArn", _of("CreateGrant"), values.grant_constraint_source_arn),
    ConditionKey("kms:GrantConstraintType", _of("CreateGrant", "RetireGrant"), values.grant_constraint_type),
    ConditionKey("kms:GrantIsForAWSResource", _of("CreateGrant", "ListGrants", "RevokeGrant"),
                 values.grant_is_for_service),
    ConditionKey("kms:GrantOperations", _of("CreateGrant"),
                 lambda access, _suffix: tuple(access.call.params.get("Operations") or ()) or None),
    ConditionKey("kms:GranteePrincipal", _of("CreateGrant"), values.parameter("GranteePrincipal")),
    ConditionKey("kms:GranteeServicePrincipal", _of("CreateGrant"), values.parameter("GranteeServicePrincipal")),
    ConditionKey("kms:KeyAgreementAlgorithm", _of("DeriveSharedSecret"), values.parameter("KeyAgreementAlgorithm")),
    ConditionKey("kms:KeyOrigin", None, values.key_attribute("origin", "Origin", "AWS_KMS")),
    ConditionKey("kms:KeySpec", None, _KEY_SPEC),
    ConditionKey("kms:KeyUsage", None, _KEY_USAGE),
    ConditionKey("kms:MacAlgorithm", _of("GenerateMac", "VerifyMac"), values.parameter("MacAlgorithm")),
    ConditionKey("kms:MessageType", _of("Sign", "Verify"), values.parameter("MessageType", "RAW")),
    ConditionKey("kms:MultiRegion", None, values.multi_region),
    ConditionKey("kms:MultiRegionKeyType", None, values.multi_region_type),
    ConditionKey("kms:PolicyName", _of("PutKeyPolicy"), values.parameter("PolicyName", "default")),
    ConditionKey("kms:PrimaryRegion", _of("UpdatePrimaryRegion"), values.parameter("PrimaryRegion")),
    ConditionKey("kms:ReEncryptOnSameKey", _of("ReEncryptFrom", "ReEncryptTo"), values.re_encrypt_on_same_key),
    ConditionKey("kms:RecipientAttestation:ImageSha384", _ACCEPTS_RECIPIENT,
                 lambda access, _suffix: values.attestation(access, "imagesha384")),
    ConditionKey("kms:RecipientAttestation:PCR", _ACCEPTS_RECIPIENT,
                 lambda access, suffix: values.attestation(access, f"pcr{suffix}")),
    ConditionKey("kms:RecipientAttestation:NitroTPMPCR", _ACCEPTS_RECIPIENT,
                 lambda access, suffix: values.attestation(access, f"nitrotpmpcr{suffix}")),
    ConditionKey("kms:ReplicaRegion", _of("ReplicateKey"), values.parameter("ReplicaRegion")),
    ConditionKey("kms:RequestAlias", CRYPTOGRAPHY | _of("DescribeKey", "GetPublicKey"), values.request_alias),
    ConditionKey("kms:ResourceAliases", None, lambda access, _suffix: access.aliases or None),
    ConditionKey("kms:RetiringPrincipal", _of("CreateGrant"), values.parameter("RetiringPrincipal")),
    ConditionKey("kms:RetiringServicePrincipal", _of("CreateGrant"), values.parameter("RetiringServicePrincipal")),
    ConditionKey("kms:RotationPeriodInDays", _of("EnableKeyRotation"), values.parameter("RotationPeriodInDays", 365)),
    ConditionKey("kms:ScheduleKeyDeletionPendingWindowInDays", _of("ScheduleKeyDeletion"),
                 values.parameter("PendingWindowInDays", 30)),
    ConditionKey("kms:SigningAlgorithm", _of("Sign", "Verify"), values.parameter("SigningAlgorithm")),
    ConditionKey("kms:TrailingDaysWithoutKeyUsage", _of("DisableKey", "ScheduleKeyDeletion"), values.days_without_use),
    ConditionKey("kms:ValidTo", _of("ImportKeyMaterial"), values.valid_to),
    ConditionKey("kms:ViaService", None, values.via_service),
    ConditionKey("kms:WrappingAlgorithm", _of("GetParametersForImport"), values.parameter("WrappingAlgorithm")),
    ConditionKey("kms:WrappingKeySpec", _of("GetParametersForImport"), values.parameter("WrappingKeySpec")),
    # --- global condition keys: tags and resource
    ConditionKey("aws:RequestTag/", _ADDS_TAGS, values.request_tags),
    ConditionKey("aws:ResourceTag/", None, values.resource_tag),
    ConditionKey("aws:TagKeys", _ADDS_TAGS | _of("UntagResource"), values.tag_keys),
    ConditionKey("aws:ResourceAccount", None, values.resource_account),
    # For resources of other accounts a test sets them.
    ConditionKey("aws:ResourceOrgID", None, values.of_own_account("aws:principalorgid"), overrides_context=True),
    ConditionKey("aws:ResourceOrgPaths", None, values.of_own_account("aws:principalorgpaths"), overrides_context=True),
    # --- global condition keys: principal and session
    _of_principal("aws:PrincipalAccount"),
    _of_principal("aws:PrincipalArn"),
    _of_principal("aws:PrincipalIsAWSService"),
    _of_principal("aws:PrincipalOrgID"),
    _of_principal("aws:PrincipalOrgPaths"),
    _of_principal("aws:PrincipalServiceName"),
    ConditionKey("aws:PrincipalServiceNamesList", None, values.from_request_context),
    _of_principal("aws:PrincipalTag/"),
    _of_principal("aws:PrincipalType"),
    _of_principal("aws:userid"),
    _of_principal("aws:username"),
    _of_principal("aws:FederatedProvider"),
    ConditionKey("aws:AssumedRoot", None, values.from_request_context),
    ConditionKey("aws:ChatbotSourceArn", None, values.from_request_context),
    ConditionKey("aws:Ec2InstanceSourcePrivateIPv4", None, values.from_request_context),
    ConditionKey("aws:Ec2InstanceSourceVpc", None, values.from_request_context),
    ConditionKey("aws:MultiFactorAuthAge", None, values.from_request_context),
    ConditionKey("aws:MultiFactorAuthPresent", None, values.mfa_present),
    ConditionKey("aws:SignInSessionArn", None, values.from_request_context),
    ConditionKey("aws:SourceIdentity", None, values.from_request_context),
    ConditionKey("aws:TokenIssueTime", None, values.token_issue_time),
    # --- global condition keys: network and request
    ConditionKey("aws:CalledVia", None, values.called_via),
    ConditionKey("aws:CalledViaFirst", None, values.called_via_end(0)),
    ConditionKey("aws:CalledViaLast", None, values.called_via_end(-1)),
    ConditionKey("aws:CalledViaAWSMCP", None, values.from_request_context),
    ConditionKey("aws:IsMcpServiceAction", None, values.from_request_context),
    ConditionKey("aws:ViaAWSMCPService", None, values.from_request_context),
    ConditionKey("aws:ViaAWSService", None,
                 lambda access, _suffix: (condition_string(access.call.caller.forwarding_service is not None),)),
    ConditionKey("aws:SourceArn", None, values.from_request_context),
    ConditionKey("aws:SourceAccount", None, values.from_request_context),
    ConditionKey("aws:SourceOrgID", None, values.from_request_context),
    ConditionKey("aws:SourceOrgPaths", None, values.from_request_context),
    ConditionKey("aws:SourceIp", None, values.source_address(through_endpoint=False)),
    ConditionKey("aws:SourceVpc", None, values.from_request_context),
    ConditionKey("aws:SourceVpce", None, values.from_request_context),
    ConditionKey("aws:SourceVpcArn", None, values.from_request_context),
    ConditionKey("aws:VpcSourceIp", None, values.source_address(through_endpoint=True)),
    ConditionKey("aws:VpceAccount", None, values.from_request_context),
    ConditionKey("aws:VpceOrgID", None, values.from_request_context),
    ConditionKey("aws:VpceOrgPaths", None, values.from_request_context),
    ConditionKey("aws:Referer", None, values.from_request_context),
    ConditionKey("aws:UserAgent", None, lambda _asked, _suffix: ("pytest-kmsmock",)),
    ConditionKey("aws:SecureTransport", None, lambda _asked, _suffix: ("true",)),
    ConditionKey("aws:RequestedRegion", None,
                 lambda access, _suffix: (access.target.region or access.call.region.name,)),
    ConditionKey("aws:CurrentTime", None, lambda access, _suffix: (condition_string(access.call.now),)),
    ConditionKey("aws:EpochTime", None, lambda access, _suffix: (str(int(access.call.now.timestamp())),)),
)  # fmt: skip

_EXACT: dict[str, ConditionKey] = {row.lowered: row for row in CONDITION_KEYS}
_FAMILIES = tuple(row for row in CONDITION_KEYS if row.name.endswith((":", "/", "PCR")))
for _family in _FAMILIES:
    del _EXACT[_family.lowered]


#: Prefixes of keys that are "not used in FAS requests", those that AWS services forward:
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html
_OF_VPC_ENDPOINTS = ("aws:sourcevpc", "aws:vpc")


def find_row(key: str) -> tuple[ConditionKey | None, str]:
    """Return the row of a condition key (in lower case) and the part after a prefix; None for an unknown key."""
    row = _EXACT.get(key)
    if row is not None:
        return row, ""
    family = next((row for row in _FAMILIES if key.startswith(row.lowered)), None)
    return family, "" if family is None else key[len(family.lowered) :]


def values_of(access: AccessRequest, key: str) -> Values:
    """Return the values of a condition key (in lower case); None if the request does not have it."""
    row, suffix = find_row(key)
    context = access.call.caller.context
    if row is None:
        return context.get(key) if key else None
    if row.permissions is not None and access.target.permission.removeprefix("kms:") not in row.permissions:
        return None
    forwarded = key.startswith(_OF_VPC_ENDPOINTS) and access.call.caller.forwarding_service is not None
    if key in context and not forwarded:
        return (row.find(access, suffix) if row.overrides_context else None) or context[key]
    return row.find(access, suffix)
