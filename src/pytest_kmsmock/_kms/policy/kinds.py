"""The kinds of policies, and AWS's checks of each kind beyond the grammar."""

from __future__ import annotations

import json
import re
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping


class PolicyKind(Enum):
    """The kinds of policies; the values are their names in AWS's messages."""

    KEY = "resource-based policy"
    IDENTITY = "identity-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    SERVICE_CONTROL = "service control policy"
    RESOURCE_CONTROL = "resource control policy"
    VPC_ENDPOINT = "VPC endpoint policy"

    @property
    def names_principals(self) -> bool:
        """Whether statements must have a Principal element; other kinds must not have one."""
        return self in {PolicyKind.KEY, PolicyKind.RESOURCE_CONTROL, PolicyKind.VPC_ENDPOINT}


class MalformedPolicy(ValueError):
    """A document that AWS rejects as a policy of its kind.

    Attributes:
        reason: The message of MalformedPolicyDocumentException.
        statement: The number of the statement; 0 for other parts of the document.
        place: The path of the element, such as `Statement[1].Sid`, as far as it is known.
        found: The wrong name or value, as far as it is known.
        choices: The names that AWS knows in its place.
    """

    def __init__(self, reason: str, place: str = "", found: object = None, choices: Iterable[str] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.statement = 0
        self.place = place
        self.found = found
        self.choices = tuple(choices)


# --- sizes --------------------------------------------------------------------------------------------------------

#: Maximum length of the largest policies of a kind: inline policies of roles, managed policies passed for sessions.
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
#: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html (2026)
#: https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
_MAX_CHARACTERS: Mapping[PolicyKind, int] = {
    PolicyKind.IDENTITY: 10_240,
    PolicyKind.BOUNDARY: 6_144,
    PolicyKind.SESSION: 6_144,
    PolicyKind.SERVICE_CONTROL: 10_240,
    PolicyKind.RESOURCE_CONTROL: 5_120,
    PolicyKind.VPC_ENDPOINT: 20_480,
}
#: Policies of IAM and STS.
_OF_IAM = (PolicyKind.IDENTITY, PolicyKind.BOUNDARY, PolicyKind.SESSION)
#: Maximum length of the `Policy` parameter of AssumeRole and GetFederationToken.
INLINE_SESSION_CHARACTERS = 2_048


def check_size(text: str, kind: PolicyKind, most: int | None = None) -> None:
    """Check the size of a policy. KMS checks the size of key policies itself.

    Args:
        text: The document.
        kind: The kind of policy.
        most: The maximum number of characters, including white space; by default the quota of the largest policies of
            this kind.

    Raises:
        MalformedPolicy: With the size and the maximum.
    """
    limit = most or _MAX_CHARACTERS[kind]
    # "IAM does not count white space when calculating the size of a policy"
    size = len(compact(json.loads(text)) if most is None and kind in _OF_IAM else text)
    if size > limit:
        raise MalformedPolicy(f"It has {size:,} characters; AWS accepts at most {limit:,}.")


def compact(document: object) -> str:
    """Write a document without white space between its elements."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


# --- actions and resources ----------------------------------------------------------------------------------------

POLICY_TYPE_MISMATCH = "The provided policy document does not meet the requirements of the specified policy type."
#: hashicorp/terraform-provider-aws#3045, terraform-aws-modules/terraform-aws-iam#39 and others have the message.
_WRONG_PARTITION = 'Partition "{partition}" is not valid for resource "{resource}".'
#: theserverlessway/aws-baseline#1 (2018), boogy/iam-policy-validator#172 (2026).
_WILDCARD_VENDOR = "Action vendors (e.g., aws, ec2, etc.) must not contain wildcards."
#: This and the next two: getmoto/moto, `tests/test_iam/test_iam_policies.py`.
_INVALID_VENDOR = "Vendor {vendor} is not valid"
_RESOURCE_VENDOR = "Resource vendor must be fully qualified and cannot contain regexes."
_LEGACY_PARSING = "The policy failed legacy parsing"
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
    """Check actions: the name of the service; in resource control policies only services that support them.

    Raises:
        MalformedPolicy: With the message of IAM, or of AWS Organizations.
    """
    for text in texts:
        vendor = text.partition(":")[0]
        if text not in {"*", "*:*"} and _has_wildcard(vendor):
            raise MalformedPolicy(_WILDCARD_VENDOR)
        if not re.fullmatch(r"[*A-Za-z0-9.-]+", vendor):
            raise MalformedPolicy(_INVALID_VENDOR.format(vendor=vendor))
        if kind is PolicyKind.RESOURCE_CONTROL and vendor.lower() not in _RESOURCE_CONTROLLED:
            raise MalformedPolicy(POLICY_TYPE_MISMATCH)


def read_resources(texts: Iterable[str], kind: PolicyKind) -> tuple[str, ...]:
    """Return resources as patterns to match, completing ARNs of identity-based policies.

    "When you specify an incomplete ARN (one with fewer than the standard six fields) in an identity-based policy, AWS
    automatically completes the ARN by adding wildcard characters (*) to all missing fields." Session policies do not
    support incomplete ARNs. There are no wildcards for the service, and variables only after the fifth colon.

    Raises:
        MalformedPolicy: With IAM's message.

    See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html and
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    return tuple(text if text == "*" else _read_arn(text, kind) for text in texts)


def _read_arn(text: str, kind: PolicyKind) -> str:
    prefix, *fields = text.split(":", 5)
    missing = 5 - len(fields)
    completed = ":".join(["arn", *fields, *["*"] * missing])
    if fields:
        check_partition([completed], PARTITIONS)
    if prefix != "arn" or not fields:
        raise MalformedPolicy(f'Resource {text} must be in ARN format or "*".')
    if len(fields) < 2 or (kind in _OF_IAM and _has_wildcard(fields[1])):
        raise MalformedPolicy(_RESOURCE_VENDOR)
    if kind not in _OF_IAM:
        return text
    incomplete = missing and (kind is PolicyKind.SESSION or "" in fields)
    if incomplete or not fields[1] or any("$" in field for field in fields[:4]):
        raise MalformedPolicy(_LEGACY_PARSING)
    return completed


def _has_wildcard(text: str) -> bool:
    return "*" in text or "?" in text


def check_partition(texts: Iterable[str], partitions: Collection[str]) -> None:
    """Check that the partitions of ARNs are among `partitions` or have wildcards.

    Raises:
        MalformedPolicy: With IAM's message.
    """
    for text in texts:
        _, colon, rest = text.partition(":")
        partition = rest.partition(":")[0]
        if colon and partition not in partitions and not _has_wildcard(partition):
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
#: Prefix of a condition key, in lower case -> message.
_SINGLE_VALUED = {
    "kms:encryptioncontext:": _OVERLY_PERMISSIVE.format(tag=":EncryptionContext", what="encryption context"),
    "aws:requesttag/": _OVERLY_PERMISSIVE.format(tag="", what="tag"),
}


def check_condition_key(operator: str, key: str) -> None:
    """Check that key policies accept a condition key, with its set operator.

    Raises:
        MalformedPolicy: With KMS's message.
    """
    lowered = key.lower()
    if lowered.partition("/")[0] in _NOT_IN_KEY_POLICIES:
        raise MalformedPolicy(_KEYS_NOT_PERMITTED)
    if operator.startswith("ForAllValues:"):
        for prefix, message in _SINGLE_VALUED.items():
            if lowered.startswith(prefix):
                raise MalformedPolicy(message)


def check_stored(operator: str, kind: PolicyKind, *, stored: bool) -> None:
    """Check that the values of a condition fit its operator; STS checks only binary values.

    Observed with PutUserPolicy and AssumeRole, September 2026. IAM's message is recorded for dates (getmoto/moto,
    `tests/test_iam/test_iam_policies.py`) and ARNs (blinkist/terraform-aws-airship-ecs-service#70).

    Raises:
        MalformedPolicy: With IAM's message.
    """
    if not stored and (kind is not PolicyKind.SESSION or "Binary" in operator):
        raise MalformedPolicy(_LEGACY_PARSING)
