"""The vocabulary of cases: principals, condition keys, values of requests and of policies.

Vocabularies are small, so that policies often meet the request. What documentation and observations leave open is not
here, nor are values that IAM does not store in a policy.
"""
# ruff: noqa: RUF001 - letters that look alike are there on purpose

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .context import HOME, OTHER, REGION

KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
ENDPOINT = "vpce-1234abcd5678ef90a"
ALICE, FRED = f"arn:aws:iam::{HOME}:user/alice", f"arn:aws:iam::{HOME}:user/staff/fred"
APP, APP_SESSION = f"arn:aws:iam::{HOME}:role/service/app", f"arn:aws:sts::{HOME}:assumed-role/app/s1"
BOB, JOB = f"arn:aws:iam::{OTHER}:user/bob", f"arn:aws:iam::{OTHER}:role/job"
FEDERATED = f"arn:aws:sts::{HOME}:federated-user/fred"
ROOT, OTHER_ROOT = f"arn:aws:iam::{HOME}:root", f"arn:aws:iam::{OTHER}:root"
SERVICE, TOPIC = "sns.amazonaws.com", f"arn:aws:sns:{REGION}:{HOME}:topic"

#: Who calls, as arguments of `credentials`.
CALLERS: Sequence[Mapping[str, str]] = (
    {"principal": ALICE},
    {"principal": ALICE},
    {"principal": APP, "session_name": "s1"},
    {"principal": APP, "session_name": "s1"},
    {"principal": ROOT},
    {"principal": FEDERATED, "issuer_arn": FRED},
    {"principal": BOB},
    {"principal": JOB, "session_name": "s2"},
    {"principal": OTHER_ROOT},
    {"principal": SERVICE, "source_arn": TOPIC, "source_account": HOME},
)

#: Condition keys that only the test can give -> their values.
CONTEXTS: Mapping[str, Sequence[Any]] = {
    "aws:SourceIdentity": ("blue", "red"),
    "aws:MultiFactorAuthAge": ("59", "3600"),
}

OPERATIONS = ("Encrypt", "Decrypt", "GenerateDataKey", "DescribeKey", "TagResource", "CreateGrant")
RARE_OPERATIONS = ("ListGrants", "GetKeyPolicy", "EnableKeyRotation", "ScheduleKeyDeletion", "CreateKey", "ListKeys")
RARE_OPERATIONS += ("CreateAlias", "DeleteAlias")
ON_ALIASES = ("CreateAlias", "DeleteAlias")
WITHOUT_KEY = ("CreateKey", "ListKeys")
BY_ALIAS = ("Encrypt", "Decrypt", "GenerateDataKey", "DescribeKey")
GRANTABLE = (*BY_ALIAS, "CreateGrant")

_COMPARISONS = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
_STRINGS = ("Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike")
#: Kind of value -> its operators.
OPERATORS: Mapping[str, Sequence[str]] = {
    "text": [f"String{name}" for name in _STRINGS],
    "number": [f"Numeric{name}" for name in _COMPARISONS],
    "date": [f"Date{name}" for name in _COMPARISONS],
    "address": ["IpAddress", "NotIpAddress"],
    "arn": ["ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike"],
    "binary": ["BinaryEquals"],
    "flag": ["Bool"],
}

#: Kind -> values of requests. Tags and encryption contexts of cases have a pair for each kind, named by it.
VALUES: Mapping[str, Sequence[str]] = {
    "text": ("blue", "Blue", "red", "a*b", "a/b", "a?b", "a\nb", "É", "K", "ß", "ς", "ΟΣ", "𐐀", "𐐀", "𐐀", "$", ""),
    "number": ("1", "01", "+1", "1.0", "1e0", "2", "10", "-3", "no-number", "NaN", ""),
    "date": (
        "2030-01-01", "2030-01-01T00:00:00Z", "2030-01-01T00:00:00", "2030-01-01T02:30:00+02:30",
        "2030-01-01T00:00:00.0004Z", "2030-01-01T00:00:00.25Z", "1893456000", "+1893456000", "2031-07-09",
        "not-a-date", "",
    ),
    "address": (
        "192.0.2.1", "192.0.2.200", "198.51.100.7", "2001:db8::1", "::1", "::ffff:192.0.2.1", "::FFFF:c000:201",
        "192.0.2.1/32", "192.0.513", "3221225985", "2001:db8::192.0.2.1", "not-an-ip", "",
    ),
    "arn": (ALICE, APP, f"arn:aws:sns:{REGION}:{HOME}:a:b/c", "not-an-arn", ""),
    "binary": ("YQ==", "YR==", "YQ", "Yg==", "no-binary", ""),
    "flag": ("true", "false", "True", "FALSE", "yes", "1", " true ", ""),
}  # fmt: skip

#: Kind -> values of policies.
PATTERNS: Mapping[str, Sequence[Any]] = {
    "text": (
        "blue", "BLUE", "red", "b*", "?lue", "*", "a*b", "a${*}b", "a?b", "a${?}b", "${$}", "é", "\u212a", "ẞ", "Σ",
        "ος", "οσ", "𐐨", "?", "??", "",
    ),
    "number": ("1", "01", "2", "9.5", "-3", 5),
    "date": ("2030-01-01T00:00:00Z", "2030-01-01", "2030-01-01T00:00:00.001Z", "2031-01-01T00:00:00Z", "1893456000"),
    "address": (
        "192.0.2.0/24", "192.0.2.1", "192.0.2.5/24", "192.0.2.0/25", "0.0.0.0/0", "198.51.100.7/32", "2001:db8::/64",
        "::/0", "::ffff:c000:200/120",
    ),
    "arn": (
        ALICE, "arn:aws:iam::*:user/*", "arn:aws:iam::*:role/*/ap?", "arn:*:sns:*:*:a*", "arn:aws:sns:*:*:b/c",
        "arn:*:*:*:*:*",
    ),
    "binary": ("YQ==", "Yg=="),
    "flag": ("true", "false", "TRUE", "yes", True, False),
}  # fmt: skip

#: Kind -> values of requests, with the patterns for which it takes a rule to tell whether they match.
RELATED: Mapping[str, Sequence[tuple[Sequence[str], Sequence[str]]]] = {
    "text": [
        (("blue", "Blue", "red"), ("blue", "BLUE", "b*", "?lue")),
        (("a*b", "a/b", "a?b", "a\nb"), ("a*b", "a${*}b", "a?b", "a${?}b")),
        (("É", "K", "ß", "ς", "ΟΣ"), ("é", "\u212a", "ẞ", "Σ", "ος", "οσ")),
        (("𐐀",), ("𐐨", "?", "??")),
        (("$",), ("${$}",)),
    ],
    "date": [
        (("2030-01-01", "2030-01-01T00:00:00", "2030-01-01T00:00:00.0004Z", "+1893456000"), ("2030-01-01T00:00:00Z",)),
    ],
    "address": [
        (("::ffff:192.0.2.1", "::FFFF:c000:201", "192.0.2.1/32"), ("192.0.2.0/24", "::/0", "::ffff:c000:200/120")),
        (("2001:db8::192.0.2.1",), ("2001:db8::/64",)),
    ],
    "binary": [(("YR==", "YQ"), ("YQ==",))],
}

#: Other condition keys -> their kind, and values of policies.
KEYS: Mapping[str, tuple[str, Sequence[Any]]] = {
    "aws:PrincipalArn": (
        "arn",
        [ALICE, APP, BOB, "arn:aws:iam::*:role/*", "arn:aws:iam::*:user/*", f"arn:aws:*::{HOME}:*"],
    ),
    "aws:PrincipalAccount": ("text", [HOME, OTHER]),
    "kms:CallerAccount": ("text", [HOME, OTHER, "1*"]),
    "aws:PrincipalType": ("text", ["User", "AssumedRole", "*e*", "Account", "FederatedUser"]),
    "aws:PrincipalOrgID": ("text", ["o-a1b2c3d4e5", "o-zzzzzzzzzz"]),
    "aws:PrincipalIsAWSService": ("flag", ["true", "false"]),
    "aws:username": ("text", ["alice", "bob", "a*"]),
    "aws:MultiFactorAuthPresent": ("flag", ["true", "false"]),
    "aws:SourceIdentity": ("text", ["blue", "b*", "${aws:PrincipalTag/text}"]),
    "aws:MultiFactorAuthAge": ("number", ["60", "3600"]),
    "aws:CurrentTime": ("date", ["2030-01-01T00:00:00Z", "2031-01-01", "1924992000"]),
    "aws:SourceVpc": ("text", ["vpc-1234abcd5678ef90a", "vpc-*"]),
    "aws:PrincipalServiceName": ("text", [SERVICE, "*.amazonaws.com", "sqs.amazonaws.com"]),
    "aws:ViaAWSService": ("flag", ["true", "false"]),
    "kms:ViaService": ("text", [f"s3.{REGION}.amazonaws.com", "s3.*", "ec2.*"]),
    "aws:SourceVpce": ("text", [ENDPOINT, "vpce-99999999"]),
    "aws:SourceIp": ("address", ["192.0.2.0/24", "198.51.100.7", "2001:db8::/64", "0.0.0.0/0"]),
    "aws:VpcSourceIp": ("address", ["192.0.2.0/24", "198.51.100.7", "2001:db8::/64"]),
    "aws:SecureTransport": ("flag", ["true", "false"]),
    "aws:RequestedRegion": ("text", [REGION, "eu-west-1", "us-*"]),
    "aws:ResourceAccount": ("text", [HOME, OTHER]),
    "aws:ResourceOrgID": ("text", ["o-a1b2c3d4e5", "o-zzzzzzzzzz", "${aws:PrincipalOrgID}"]),
    "kms:RequestAlias": ("text", ["alias/app", "alias/*", "alias/other"]),
    "kms:KeySpec": ("text", ["SYMMETRIC_DEFAULT", "RSA_2048"]),
    "kms:MultiRegion": ("flag", ["true", "false"]),
    "kms:EncryptionAlgorithm": ("text", ["SYMMETRIC_DEFAULT", "RSA*"]),
    "kms:RotationPeriodInDays": ("number", ["90", "180", "365"]),
    "kms:ScheduleKeyDeletionPendingWindowInDays": ("number", ["7", "10", "30"]),
    "kms:GranteePrincipal": ("arn", [ALICE, APP, "arn:aws:iam::*:role/*"]),
    "kms:GrantConstraintType": ("text", ["EncryptionContextSubset", "EncryptionContextEquals"]),
    "aws:SourceArn": ("arn", [f"arn:aws:sns:*:{HOME}:topic", "arn:aws:sns:*:*:other", "arn:aws:s3:::*"]),
    "aws:SourceAccount": ("text", [HOME, OTHER]),
    "aws:TagKeys": ("text", ["text", "date", "flag", "*"]),
    "kms:EncryptionContextKeys": ("text", ["text", "arn", "number", "*a*"]),
    "kms:ResourceAliases": ("text", ["alias/app", "alias/*", "alias/other"]),
    "kms:GrantOperations": ("text", ["Encrypt", "Decrypt", "*crypt"]),
    "aws:CalledVia": ("text", ["s3.amazonaws.com", "*.amazonaws.com", "sqs.amazonaws.com"]),
    "aws:CalledViaFirst": ("text", ["s3.amazonaws.com", "sqs.*"]),
    "aws:CalledViaLast": ("text", ["s3.amazonaws.com", "sqs.*"]),
}
MULTIVALUED = (
    "aws:TagKeys",
    "kms:EncryptionContextKeys",
    "kms:ResourceAliases",
    "kms:GrantOperations",
    "aws:CalledVia",
)
PREFIXES = ("aws:PrincipalTag/", "aws:ResourceTag/", "aws:RequestTag/", "kms:EncryptionContext:")
#: "These condition keys are not permitted in a key policy": https://github.com/awsdocs/aws-kms-developer-guide/pull/47
NOT_IN_KEY_POLICIES = ("aws:ResourceTag", "kms:ResourceAliases")
#: Condition keys that permissions on aliases have as well: those of the caller and of the network.
OF_ALIASES = ("aws:Principal", "aws:username", "aws:Source", "aws:VpcSourceIp", "aws:MultiFactor", "aws:ViaAWSService")
OF_ALIASES += ("aws:SecureTransport", "aws:CurrentTime", "kms:CallerAccount", "kms:ViaService")
#: Keys that conditions on AWS services look at; of others, what such requests have is not documented.
OF_SERVICES = ("aws:SourceArn", "aws:SourceAccount", "aws:PrincipalIsAWSService", "aws:PrincipalServiceName")
