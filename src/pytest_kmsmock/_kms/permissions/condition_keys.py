"""Condition keys of requests to KMS: one table, with the permissions each applies to and where its values come from.

A key applies to permissions, not operations: `ReEncryptFrom` and `ReEncryptTo` are two. Operators and policies are
the engine's business (`_kms.policy`); it asks `ConditionValues` for the values of one request.

Sources: Developer Guide, "Condition keys for AWS KMS"
(https://docs.aws.amazon.com/kms/latest/developerguide/policy-conditions.html), and for `aws:` keys the IAM User Guide,
"AWS global condition context keys"
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_kmsmock._kms.policy.principals import organization_path

from . import condition_values as values
from .condition_values import condition_text

if TYPE_CHECKING:
    from pytest_kmsmock._kms.call.operation import Asked

    from .condition_values import Find, Values


@dataclass(frozen=True, slots=True)
class ConditionKey:
    """A row of the table.

    Attributes:
        name: as AWS writes it. A name that ends in a colon, a slash or a register is one of a family: what follows it
            says which.
        permissions: which permissions it applies to, without `kms:`; None if their resource or the caller decides.
        find: gives the values. What the test says of a caller (`Caller.context`) goes before.
        found_first: whether what it gives goes before what the test says.
    """

    name: str
    permissions: frozenset[str] | None
    find: Find
    found_first: bool = False

    @property
    def lowered(self) -> str:
        """The name in lower case, as the engine asks for it."""
        return self.name.lower()


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
_ADDS_TAGS = _of("CreateKey", "TagResource")

CONDITION_KEYS: tuple[ConditionKey, ...] = (
    ConditionKey("kms:BypassPolicyLockoutSafetyCheck", _of("CreateKey", "PutKeyPolicy"),
                 values.member("BypassPolicyLockoutSafetyCheck")),  # absent unless the request has it
    ConditionKey("kms:CallerAccount", None, values.of_caller("kms:calleraccount")),
    ConditionKey("kms:CustomerMasterKeySpec", None,
                 values.key_attribute("spec", "KeySpec", "SYMMETRIC_DEFAULT", "CustomerMasterKeySpec")),
    ConditionKey("kms:CustomerMasterKeyUsage", None, values.key_attribute("usage", "KeyUsage", "ENCRYPT_DECRYPT")),
    ConditionKey("kms:DataKeyPairSpec", DATA_KEY_PAIRS, values.member("KeyPairSpec")),
    ConditionKey("kms:EncapsulationAlgorithm", _of("Decapsulate", "Encapsulate"),
                 values.member("EncapsulationAlgorithm")),
    ConditionKey("kms:EncryptionAlgorithm", ENCRYPTION, values.encryption_algorithm),
    ConditionKey("kms:EncryptionContext:", _GRANTS_CONTEXT, values.encryption_context),
    ConditionKey("kms:EncryptionContextKeys", _GRANTS_CONTEXT, values.encryption_context_keys),
    ConditionKey("kms:ExpirationModel", _of("ImportKeyMaterial"),
                 values.member("ExpirationModel")),
    ConditionKey("kms:GrantConstraintSourceArn", _of("CreateGrant"), values.grant_constraint_source_arn),
    ConditionKey("kms:GrantConstraintType", _of("CreateGrant", "RetireGrant"), values.grant_constraint_type),
    ConditionKey("kms:GrantIsForAWSResource", _of("CreateGrant", "ListGrants", "RevokeGrant"),
                 values.grant_is_for_service),
    ConditionKey("kms:GrantOperations", _of("CreateGrant"),
                 lambda asked, _rest: tuple(asked.call.params.get("Operations") or ()) or None),
    ConditionKey("kms:GranteePrincipal", _of("CreateGrant"), values.member("GranteePrincipal")),
    ConditionKey("kms:GranteeServicePrincipal", _of("CreateGrant"), values.member("GranteeServicePrincipal")),
    ConditionKey("kms:KeyAgreementAlgorithm", _of("DeriveSharedSecret"), values.member("KeyAgreementAlgorithm")),
    ConditionKey("kms:KeyOrigin", None, values.key_attribute("origin", "Origin", "AWS_KMS")),
    ConditionKey("kms:KeySpec", None,
                 values.key_attribute("spec", "KeySpec", "SYMMETRIC_DEFAULT", "CustomerMasterKeySpec")),
    ConditionKey("kms:KeyUsage", None, values.key_attribute("usage", "KeyUsage", "ENCRYPT_DECRYPT")),
    ConditionKey("kms:MacAlgorithm", _of("GenerateMac", "VerifyMac"), values.member("MacAlgorithm")),
    ConditionKey("kms:MessageType", _of("Sign", "Verify"), values.member("MessageType", "RAW")),
    ConditionKey("kms:MultiRegion", None, values.multi_region),
    ConditionKey("kms:MultiRegionKeyType", None, values.multi_region_type),
    ConditionKey("kms:PolicyName", _of("PutKeyPolicy"), values.member("PolicyName", "default")),
    ConditionKey("kms:PrimaryRegion", _of("UpdatePrimaryRegion"), values.member("PrimaryRegion")),
    ConditionKey("kms:ReEncryptOnSameKey", _of("ReEncryptFrom", "ReEncryptTo"), values.same_key),
    ConditionKey("kms:RecipientAttestation:ImageSha384", _TAKES_RECIPIENT,
                 lambda asked, _rest: values.attestation(asked, "imagesha384")),
    ConditionKey("kms:RecipientAttestation:PCR", _TAKES_RECIPIENT,
                 lambda asked, rest: values.attestation(asked, f"pcr{rest}")),
    ConditionKey("kms:RecipientAttestation:NitroTPMPCR", _TAKES_RECIPIENT,
                 lambda asked, rest: values.attestation(asked, f"nitrotpmpcr{rest}")),
    ConditionKey("kms:ReplicaRegion", _of("ReplicateKey"), values.member("ReplicaRegion")),
    ConditionKey("kms:RequestAlias", CRYPTOGRAPHY | _of("DescribeKey", "GetPublicKey"), values.request_alias),
    ConditionKey("kms:ResourceAliases", None, lambda asked, _rest: asked.aliases or None),
    ConditionKey("kms:RetiringPrincipal", _of("CreateGrant"), values.member("RetiringPrincipal")),
    ConditionKey("kms:RetiringServicePrincipal", _of("CreateGrant"), values.member("RetiringServicePrincipal")),
    ConditionKey("kms:RotationPeriodInDays", _of("EnableKeyRotation"), values.member("RotationPeriodInDays", 365)),
    ConditionKey("kms:ScheduleKeyDeletionPendingWindowInDays", _of("ScheduleKeyDeletion"),
                 values.member("PendingWindowInDays", 30)),
    ConditionKey("kms:SigningAlgorithm", _of("Sign", "Verify"), values.member("SigningAlgorithm")),
    ConditionKey("kms:TrailingDaysWithoutKeyUsage", _of("DisableKey", "ScheduleKeyDeletion"), values.days_without_use),
    ConditionKey("kms:ValidTo", _of("ImportKeyMaterial"), values.valid_to),
    ConditionKey("kms:ViaService", None, values.via_service),
    ConditionKey("kms:WrappingAlgorithm", _of("GetParametersForImport"), values.member("WrappingAlgorithm")),
    ConditionKey("kms:WrappingKeySpec", _of("GetParametersForImport"), values.member("WrappingKeySpec")),
    # --- of all of AWS: the request's tags and the resource's
    ConditionKey("aws:RequestTag/", _ADDS_TAGS, values.request_tags),
    ConditionKey("aws:ResourceTag/", None, values.resource_tag),
    ConditionKey("aws:TagKeys", _ADDS_TAGS | _of("UntagResource"), values.tag_keys),
    ConditionKey("aws:ResourceAccount", None, values.resource_account),
    # The test says them of other accounts' resources.
    ConditionKey("aws:ResourceOrgID", None, values.resource_organization(), found_first=True),
    ConditionKey("aws:ResourceOrgPaths", None, values.resource_organization(organization_path), found_first=True),
    # --- the caller
    ConditionKey("aws:PrincipalAccount", None, values.of_caller("aws:principalaccount")),
    ConditionKey("aws:PrincipalArn", None, values.of_caller("aws:principalarn")),
    ConditionKey("aws:PrincipalIsAWSService", None, values.of_caller("aws:principalisawsservice")),
    ConditionKey("aws:PrincipalOrgID", None, values.of_caller("aws:principalorgid")),
    ConditionKey("aws:PrincipalOrgPaths", None, values.of_caller("aws:principalorgpaths")),
    ConditionKey("aws:PrincipalServiceName", None, values.of_caller("aws:principalservicename")),
    ConditionKey("aws:PrincipalServiceNamesList", None, values.given),
    ConditionKey("aws:PrincipalTag/", None, values.of_caller("aws:principaltag/")),
    ConditionKey("aws:PrincipalType", None, values.of_caller("aws:principaltype")),
    ConditionKey("aws:userid", None, values.of_caller("aws:userid")),
    ConditionKey("aws:username", None, values.of_caller("aws:username")),
    ConditionKey("aws:FederatedProvider", None, values.of_caller("aws:federatedprovider")),
    ConditionKey("aws:AssumedRoot", None, values.given),
    ConditionKey("aws:ChatbotSourceArn", None, values.given),
    ConditionKey("aws:Ec2InstanceSourcePrivateIPv4", None, values.given),
    ConditionKey("aws:Ec2InstanceSourceVpc", None, values.given),
    ConditionKey("aws:MultiFactorAuthAge", None, values.given),
    ConditionKey("aws:MultiFactorAuthPresent", None, values.mfa_present),
    ConditionKey("aws:SignInSessionArn", None, values.given),
    ConditionKey("aws:SourceIdentity", None, values.given),
    ConditionKey("aws:TokenIssueTime", None, values.token_issue_time),
    # --- the way and the time
    ConditionKey("aws:CalledVia", None, values.called_via),
    ConditionKey("aws:CalledViaFirst", None, values.called_via_end(0)),
    ConditionKey("aws:CalledViaLast", None, values.called_via_end(-1)),
    ConditionKey("aws:CalledViaAWSMCP", None, values.given),
    ConditionKey("aws:IsMcpServiceAction", None, values.given),
    ConditionKey("aws:ViaAWSMCPService", None, values.given),
    ConditionKey("aws:ViaAWSService", None,
                 lambda asked, _rest: (condition_text(asked.call.caller.forwarding_service is not None),)),
    ConditionKey("aws:SourceArn", None, values.given),
    ConditionKey("aws:SourceAccount", None, values.given),
    ConditionKey("aws:SourceOrgID", None, values.given),
    ConditionKey("aws:SourceOrgPaths", None, values.given),
    ConditionKey("aws:SourceIp", None, values.address(through_endpoint=False)),
    ConditionKey("aws:SourceVpc", None, values.given),
    ConditionKey("aws:SourceVpce", None, values.given),
    ConditionKey("aws:SourceVpcArn", None, values.given),
    ConditionKey("aws:VpcSourceIp", None, values.address(through_endpoint=True)),
    ConditionKey("aws:VpceAccount", None, values.given),
    ConditionKey("aws:VpceOrgID", None, values.given),
    ConditionKey("aws:VpceOrgPaths", None, values.given),
    ConditionKey("aws:Referer", None, values.given),
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


def find_row(key: str) -> tuple[ConditionKey | None, str]:
    """Return the row of a condition key, named in lower case, and what follows the name of a family; None if none."""
    row = _EXACT.get(key)
    if row is not None:
        return row, ""
    family = next((row for row in _FAMILIES if key.startswith(row.lowered)), None)
    return family, "" if family is None else key[len(family.lowered) :]


@dataclass(frozen=True, slots=True)
class ConditionValues:
    """The condition values of one permission, as the policy engine asks for them; equal for what is equal."""

    asked: Asked

    def __call__(self, key: str) -> Values:
        """Return the values of a condition key, named in lower case; None if the request does not have it."""
        asked = self.asked
        row, rest = find_row(key)
        context = asked.call.caller.context
        if row is None:
            return context.get(key) if key else None
        if row.permissions is not None and asked.target.permission.removeprefix("kms:") not in row.permissions:
            return None
        if key in context:
            return (row.find(asked, rest) if row.found_first else None) or context[key]
        return row.find(asked, rest)
