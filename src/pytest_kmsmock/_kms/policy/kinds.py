"""The kinds of policies, and what AWS does not store as one of them although its grammar is right."""

from __future__ import annotations

import json
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping


class PolicyKind(Enum):
    """The kinds of policies; the value is what AWS's messages call them."""

    KEY = "resource-based policy"
    IDENTITY = "identity-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    SERVICE_CONTROL = "service control policy"
    RESOURCE_CONTROL = "resource control policy"
    VPC_ENDPOINT = "VPC endpoint policy"

    @property
    def names_principals(self) -> bool:
        """Whether statements must have a Principal element; those of the other kinds must not."""
        return self in {PolicyKind.KEY, PolicyKind.RESOURCE_CONTROL, PolicyKind.VPC_ENDPOINT}


class MalformedPolicy(ValueError):
    """A document that AWS refuses as a policy of its kind.

    Attributes:
        reason: The text for MalformedPolicyDocumentException.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


# --- sizes --------------------------------------------------------------------------------------------------------

#: What the largest policy of a kind may have: an inline policy of a role, a managed policy passed for a session.
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
#: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html (2026)
#: https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
_MOST_CHARACTERS: Mapping[PolicyKind, int] = {
    PolicyKind.IDENTITY: 10_240,
    PolicyKind.BOUNDARY: 6_144,
    PolicyKind.SESSION: 6_144,
    PolicyKind.SERVICE_CONTROL: 10_240,
    PolicyKind.RESOURCE_CONTROL: 5_120,
    PolicyKind.VPC_ENDPOINT: 20_480,
}
#: "IAM does not count white space when calculating the size of a policy".
_WITHOUT_WHITE_SPACE = (PolicyKind.IDENTITY, PolicyKind.BOUNDARY, PolicyKind.SESSION)
#: The `Policy` parameter of AssumeRole and GetFederationToken, which is no policy of IAM's.
INLINE_SESSION_CHARACTERS = 2_048


def check_size(text: str, kind: PolicyKind, most: int | None = None) -> None:
    """Refuse a policy that is too long. The size of key policies is for KMS to check.

    Args:
        text: The document.
        kind: What it is used as.
        most: How many characters it may have, white space included; by default what AWS lets the largest policy of its
            kind have.

    Raises:
        MalformedPolicy: With what it may have.
    """
    limit = most or _MOST_CHARACTERS[kind]
    size = len(compact(json.loads(text)) if most is None and kind in _WITHOUT_WHITE_SPACE else text)
    if size > limit:
        raise MalformedPolicy(f"It has {size:,} characters; AWS takes {limit:,} at most.")


def compact(document: object) -> str:
    """Write a document without white space between its elements."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


# --- actions and resources ----------------------------------------------------------------------------------------

NOT_OF_ITS_TYPE = "The provided policy document does not meet the requirements of the specified policy type."
#: hashicorp/terraform-provider-aws#3045, terraform-aws-modules/terraform-aws-iam#39 and others have the message.
_WRONG_PARTITION = 'Partition "{partition}" is not valid for resource "{resource}".'
#: theserverlessway/aws-baseline#1 (2018), boogy/iam-policy-validator#172 (2026).
_WILDCARD_VENDOR = "Action vendors (e.g., aws, ec2, etc.) must not contain wildcards."
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html, and those of botocore.
PARTITIONS = frozenset({
    "aws", "aws-cn", "aws-eusc", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-us-gov",
})  # fmt: skip
#: As of 2026:
#: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html#rcp-supported-services
_RESOURCE_CONTROLLED = frozenset({
    "aoss", "appconfig", "appstream", "autoscaling", "autoscaling-plans", "budgets", "clouddirectory", "cloudfront",
    "cloudsearch", "cloudtrail-data", "codeartifact", "codebuild", "codecommit", "codepipeline", "cognito-identity",
    "cognito-idp", "comprehend", "comprehendmedical", "compute-optimizer", "cost-optimization-hub", "dax", "dsql",
    "dynamodb", "ecr", "ecr-public", "events", "firehose", "fis", "fms", "gamelift", "health", "inspector-scan",
    "kendra", "kinesisvideo", "kms", "logs", "memorydb", "networkmonitor", "notifications", "opensearch",
    "pca-connector-ad", "personalize", "polly", "pricing", "resource-groups", "rolesanywhere", "s3", "secretsmanager",
    "servicediscovery", "signin", "sqs", "sts", "support", "swf", "textract", "timestream-influxdb", "transcribe",
    "transfer", "translate", "wafv2", "workspaces", "xray",
})  # fmt: skip


def check_actions(texts: Iterable[str], kind: PolicyKind) -> None:
    """Refuse actions with a wildcard for the service, and in resource control policies services that have none.

    Raises:
        MalformedPolicy: With the message of IAM, or of AWS Organizations.
    """
    for text in texts:
        vendor = text.partition(":")[0].lower()
        if text not in {"*", "*:*"} and ("*" in vendor or "?" in vendor):
            raise MalformedPolicy(_WILDCARD_VENDOR)
        if kind is PolicyKind.RESOURCE_CONTROL and vendor not in _RESOURCE_CONTROLLED:
            raise MalformedPolicy(NOT_OF_ITS_TYPE)


def check_resources(texts: Collection[str]) -> None:
    """Refuse what is neither an ARN nor `*`, and ARNs of partitions that there are not.

    Raises:
        MalformedPolicy: With IAM's message.
    """
    for text in texts:
        if text != "*" and not (text.startswith("arn:") and text.count(":") >= 2):
            raise MalformedPolicy(f'Resource {text} must be in ARN format or "*".')
    check_partition(texts, PARTITIONS)


def check_partition(texts: Iterable[str], partitions: Collection[str]) -> None:
    """Refuse ARNs of other partitions than some; a partition may have wildcards.

    Raises:
        MalformedPolicy: With IAM's message.
    """
    for text in texts:
        partition = text.split(":")[1] if ":" in text else "*"
        if partition not in partitions and "*" not in partition and "?" not in partition:
            raise MalformedPolicy(_WRONG_PARTITION.format(partition=partition, resource=text))


# --- condition keys -----------------------------------------------------------------------------------------------

_NOT_IN_KEY_POLICIES = ("aws:resourcetag", "kms:resourcetag", "kms:resourcealiases")
#: awsdocs/aws-kms-developer-guide#47 (2022).
_KEYS_NOT_PERMITTED = (
    "These condition keys are not permitted in a key policy: aws:ResourceTag, kms:ResourceTag, kms:ResourceAliases"
)
_OVERLY_PERMISSIVE = (
    "OverlyPermissiveCondition{tag}: Using the ForAllValues set operator with a single-valued condition key matches "
    "requests without the specified {what} or with an unspecified {what}. To fix, remove ForAllValues."
)
#: By the start of the key, in lower case.
_SINGLE_VALUED = {
    "kms:encryptioncontext:": _OVERLY_PERMISSIVE.format(tag=":EncryptionContext", what="encryption context"),
    "aws:requesttag/": _OVERLY_PERMISSIVE.format(tag="", what="tag"),
}


def check_condition_key(operator: str, key: str) -> None:
    """Refuse a condition key that key policies do not take, or not with ForAllValues.

    Raises:
        MalformedPolicy: With the message of KMS.
    """
    lowered = key.lower()
    if lowered.partition("/")[0] in _NOT_IN_KEY_POLICIES:
        raise MalformedPolicy(_KEYS_NOT_PERMITTED)
    if operator.startswith("ForAllValues:"):
        for start, refusal in _SINGLE_VALUED.items():
            if lowered.startswith(start):
                raise MalformedPolicy(refusal)


def check_stored(operator: str, kind: PolicyKind, *, stored: bool) -> None:
    """Refuse a condition whose values are none of its operator; STS looks at bytes only.

    Observed with PutUserPolicy and AssumeRole, September 2026; the message is inferred.

    Raises:
        MalformedPolicy: With IAM's message.
    """
    if not stored and (kind is not PolicyKind.SESSION or "Binary" in operator):
        raise MalformedPolicy("Syntax errors in policy.")
