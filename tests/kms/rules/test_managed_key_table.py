"""The table of AWS managed keys. Source of the policies: FogSecurity/aws-managed-kms-keys, `reference_key_policies/`.

AWS printed them in us-east-1 between July 2024 and March 2025; the account is a placeholder there.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from pytest_kmsmock._kms.api.arns import partition_of
from pytest_kmsmock._kms.policy.key_policy_format import format_key_policy
from pytest_kmsmock._kms.policy.policy import compile_policy
from pytest_kmsmock._kms.rules.managed_key_table import MANAGED_KEYS, key_policy

ACCOUNT = "123412341234"
REGION = "us-east-1"

#: Service -> the first 16 hexadecimal digits of the SHA-256 of its policy, without the line feed at its end.
RECORDED = {
    "acm": "508e01e228960cc6", "appflow": "2e34972fdd44677d", "backup": "aab23be1ffd55389",
    "cloud9": "f658c20a610c82c9", "codeartifact": "dd363ff5a108749d", "codecommit": "ce939d02b0ddbae2",
    "connect": "0ebf03acc0e09ffc", "dax": "2812a948715dae29", "dms": "a5cc2f6333e6eec3",
    "dynamodb": "a957baaa5a909875", "ebs": "bf1ec736d94bba4c", "ecr": "a32d5ea3407a9f92",
    "eks": "805208eaa3a78cdc", "elasticache": "a94f87402c0b28c1", "elasticfilesystem": "a375a76222a4f331",
    "es": "ed396c42284304e6", "fsx": "944fef4bfaee9960", "glue": "6fd56bc888413a3f",
    "imagebuilder": "213ad992a22d64ee", "kafka": "c968d930a10befc5", "kendra": "d7354a5ac909a8f2",
    "kinesis": "fdf0e423cb8997fc", "kinesisvideo": "c35ef01483d98d7c", "lambda": "96b80952d2d61f5d",
    "lex": "5c0f1b08f6f47e99", "lightsail": "fdb9afc4636e2cdb", "mq": "095830c05681dd2b",
    "rds": "b33557ef85c204af", "redshift": "acd01666a7e93848", "s3": "049e98502269cd4a",
    "secretsmanager": "5e9e56c2fdfb224c", "ses": "1d9f856bdc51ff4e", "sns": "2d25877d34ac3339",
    "sqs": "00f0e0b32abb0450", "ssm": "0a059b37a2c8c49d", "timestream": "e1280499855592be",
    "translate": "199188a36c6ba0ee", "workspaces": "ea142880d80a5c92", "xray": "dffc2db63d42f08f",
}  # fmt: skip


def test_every_service_of_the_recordings_and_no_other():
    assert list(MANAGED_KEYS) == sorted(RECORDED)


@pytest.mark.parametrize("service", RECORDED)
def test_a_policy_is_the_recorded_one_character_for_character(service):
    policy = key_policy(service, ACCOUNT, REGION)
    if service == "sqs":  # captured from AWS KMS, 2026-09: kms:ViaService comes first
        policy = format_key_policy(policy, "aws")
    assert hashlib.sha256(policy.encode()).hexdigest().startswith(RECORDED[service]), policy


def test_the_policy_of_a_key_for_sqs_as_captured_in_2026():
    assert (
        key_policy("sqs", "123456789012", "us-east-1")
        == """{
  "Version" : "2012-10-17",
  "Id" : "auto-sqs-1",
  "Statement" : [ {
    "Sid" : "Allow access through Simple Queue Service (SQS) for all principals in the account that are authorized to use SQS",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "*"
    },
    "Action" : [ "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant", "kms:DescribeKey" ],
    "Resource" : "*",
    "Condition" : {
      "StringEquals" : {
        "kms:ViaService" : "sqs.us-east-1.amazonaws.com",
        "kms:CallerAccount" : "123456789012"
      }
    }
  }, {
    "Sid" : "Allow direct access to key metadata to the account",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::123456789012:root"
    },
    "Action" : [ "kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant" ],
    "Resource" : "*"
  } ]
}"""  # noqa: E501 - AWS writes lists on one line
    )


@pytest.mark.parametrize("service", MANAGED_KEYS)
@pytest.mark.parametrize("region", ["us-east-1", "eu-west-2", "cn-north-1", "us-gov-west-1"])
def test_a_policy_is_one_in_every_partition(service, region):
    assert compile_policy(key_policy(service, ACCOUNT, region)).partitions <= {partition_of(region)}


def test_a_policy_of_another_region_has_the_names_of_that_region():
    """Policies of eu-west-2 and eu-central-1 are known (public Terraform files); those of China are inferred."""
    statements = json.loads(key_policy("secretsmanager", ACCOUNT, "cn-north-1"))["Statement"]
    assert statements[0]["Condition"]["StringEquals"]["kms:ViaService"] == "secretsmanager.cn-north-1.amazonaws.com.cn"
    assert statements[1]["Condition"]["StringLike"]["kms:ViaService"] == "secretsmanager.*.amazonaws.com.cn"
    assert statements[2]["Principal"] == {"AWS": f"arn:aws-cn:iam::{ACCOUNT}:root"}


def test_the_documentation_lists_every_service_as_it_is():
    page = (Path(__file__).parents[3] / "docs" / "managed-keys.md").read_text()
    rows = re.findall(r"^\| `(\S+)` \| (.+?) \| `(\S+)` \| (yes|)\s*\|", page, re.MULTILINE)
    assert rows == [
        (service, key.protects, key.policy_id, "yes" if key.listed else "") for service, key in MANAGED_KEYS.items()
    ]
