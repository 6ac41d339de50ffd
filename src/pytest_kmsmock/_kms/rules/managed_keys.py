"""AWS managed keys: the predefined aliases `alias/aws/...`, and the keys that come to them on first use.

Source: Developer Guide, "AWS managed keys"
(https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-cmk). The descriptions of the keys
are as AWS shows them where known, else worded alike (B).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pytest_kmsmock._kms.api.arns import partition_of, service_endpoint
from pytest_kmsmock._kms.state.records import Alias, Key
from pytest_kmsmock._kms.state.state import Region

from .key_factory import make_key

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_kmsmock._kms.call.operation import Call
    from pytest_kmsmock._kms.state.backend import Backend

PREFIX = "alias/aws/"

#: Service -> what its key's description says it protects.
_SERVICES: Mapping[str, str] = {
    "acm": "ACM private keys", "backup": "Backup data", "codecommit": "CodeCommit repositories",
    "dynamodb": "DynamoDB tables", "ebs": "EBS volumes", "elasticfilesystem": "EFS file systems",
    "es": "Elasticsearch domains", "fsx": "FSx resources", "glue": "Glue data catalogs", "kinesis": "Kinesis streams",
    "kinesisvideo": "Kinesis video streams", "lambda": "Lambda environment variables", "lightsail": "Lightsail disks",
    "rds": "RDS database volumes", "redshift": "Redshift clusters", "s3": "S3 objects",
    "secretsmanager": "Secrets Manager secrets", "ses": "SES messages", "sns": "SNS topics", "sqs": "SQS queues",
    "ssm": "SSM parameters", "workspaces": "WorkSpaces volumes", "xray": "X-Ray traces",
}  # fmt: skip


#: Services that call KMS by another name than that of their alias.
_VIA: Mapping[str, str] = {"ebs": "ec2"}


def predefined_aliases() -> list[str]:
    """Return the names of the aliases that AWS has in every account and Region, in order."""
    return [PREFIX + service for service in sorted(_SERVICES)]


def show_predefined(region: Region) -> None:
    """Put the predefined aliases that have no key yet among the Region's aliases."""
    for name in predefined_aliases():
        if name not in region.aliases:
            region.put_alias(Alias(name, None, None, None))


def key_of_service_alias(call: Call, region: Region, name: str) -> Key | None:
    """Return the AWS managed key of a predefined alias, made now if this is the alias's first use.

    None when there is no such predefined alias, or when it is another account's.
    """
    service = name.removeprefix(PREFIX)
    if not name.startswith(PREFIX) or service not in _SERVICES or region.account != call.caller.account:
        return None
    return _make(call.service, region, call.now, service)


def managed_key(fake: Backend, region: Region, service: str) -> Key:
    """Return the AWS managed key of a service in a Region, made now if it was never used.

    Args:
        fake: the fake KMS.
        region: where the key is.
        service: as in the alias: `s3` for `alias/aws/s3`.

    Raises:
        ValueError: for a service that has no such key.
    """
    if not isinstance(service, str) or service not in _SERVICES:
        raise ValueError(f"AWS has no alias {PREFIX}{service}. The services are: {', '.join(sorted(_SERVICES))}.")
    entry = region.aliases.get(PREFIX + service)
    if entry is not None and entry.key_id is not None:
        return region.keys[entry.key_id]
    return _make(fake, region, fake.clock.now(), service)


def _make(fake: Backend, region: Region, now: datetime, service: str) -> Key:
    key = make_key(
        fake, region, now,
        policy=_policy(service, region), manager="AWS",
        description=f"Default key that protects my {_SERVICES[service]} when no other key is defined",
    )  # fmt: skip
    region.put_alias(Alias(PREFIX + service, key.id, now, now))
    return key


def _policy(service: str, region: Region) -> str:
    """Return the policy of an AWS managed key: use through its service only, metadata for the account."""
    partition = partition_of(region.name)
    statements = [
        {
            "Sid": f"Allow access through {service} for all principals in the account that are authorized to use it",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant",
                       "kms:DescribeKey"],
            "Resource": "*",
            "Condition": {"StringEquals": {
                "kms:CallerAccount": region.account,
                "kms:ViaService": service_endpoint(_VIA.get(service, service), region.name),
            }},
        },
        {
            "Sid": "Allow direct access to key metadata to the account",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:{partition}:iam::{region.account}:root"},
            "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
            "Resource": "*",
        },
    ]  # fmt: skip
    return json.dumps(
        {"Version": "2012-10-17", "Id": f"auto-{service}-1", "Statement": statements},
        indent=2,
        separators=(",", " : "),
    )
