"""The table of AWS managed keys: one row per service, with description and key policy.

The key policies are those of FogSecurity/aws-managed-kms-keys, `reference_key_policies/` (pulled from AWS, us-east-1,
2024-07 to 2025-03), character for character; policies of ssm, es, kafka, ebs, lambda, sns, rds, s3 and lightsail in
eu-west-2 and eu-central-1 differ in the Region alone. A key for SQS of 2026-09 had kms:ViaService before
kms:CallerAccount. Descriptions marked (B) are inferred from recorded ones.
"""

from __future__ import annotations

from string import Template
from typing import TYPE_CHECKING

from pytest_kmsmock._kms.api.arns import partition_of, service_endpoint
from pytest_kmsmock._kms.policy.key_policy_format import format_json
from pytest_kmsmock._record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_kmsmock._kms.policy.documents import Json

    Statement = dict[str, Json]


class ManagedKey(Record):
    """An AWS managed key.

    Attributes:
        protects: the protected data, as in its description.
        policy_id: the `Id` of its key policy.
        statements: the statements of its key policy, with placeholders.
        listed: whether ListAliases has its alias before the key exists.
    """

    protects: str
    policy_id: str
    statements: tuple[Statement, ...]
    listed: bool = False


def key_policy(service: str, account: str, region: str) -> str:
    """Return the key policy of an AWS managed key, character for character as GetKeyPolicy returns it."""
    row = MANAGED_KEYS[service]
    text = format_json({"Version": "2012-10-17", "Id": row.policy_id, "Statement": list(row.statements)})
    _, _, endpoint = service_endpoint(service, region).partition(".")
    _, _, domain = endpoint.partition(".")
    root = f"arn:{partition_of(region)}:iam::{account}:root"
    return Template(text).substitute(
        account=account, domain=domain, endpoint=endpoint, region=region, root=root, service=service
    )


_READ = "Describe* Get* List*"
_READ_REVOKE = f"{_READ} RevokeGrant"
_USE = "Encrypt Decrypt ReEncrypt* GenerateDataKey* DescribeKey"
_USE_GRANT = "Encrypt Decrypt ReEncrypt* GenerateDataKey* CreateGrant DescribeKey"
_USE_LIST_GRANTS = "Encrypt Decrypt ReEncrypt* GenerateDataKey* CreateGrant ListGrants DescribeKey"
_CALLER: Mapping[str, Json] = {"kms:CallerAccount": "$account"}


def _statement(
    sid: str, actions: str, condition: Json = None, *, principal: Json = None, effect: str = "Allow"
) -> Statement:
    listed: list[Json] = [f"kms:{action}" for action in actions.split()]
    element: Statement = {
        "Sid": sid,
        "Effect": effect,
        "Principal": principal or {"AWS": "*"},
        "Action": listed if len(listed) > 1 else listed[0],
        "Resource": "*",
    }
    return element if condition is None else element | {"Condition": condition}


def _via(service: Json = "$service.$endpoint") -> Statement:
    return {"StringEquals": {**_CALLER, "kms:ViaService": service}}


def _via_any_region() -> Statement:
    return {"StringEquals": {**_CALLER}, "StringLike": {"kms:ViaService": "$service.*.$domain"}}


def _use(
    name: str, actions: str = _USE_GRANT, condition: Statement | None = None, *, access: str | None = None
) -> Statement:
    """Return the statement that allows all principals in the account to use the key through a service."""
    access = access or f"through {name}"
    sid = f"Allow access {access} for all principals in the account that are authorized to use {name}"
    return _statement(sid, actions, condition or _via())


def _metadata(actions: str = _READ_REVOKE) -> Statement:
    return _statement("Allow direct access to key metadata to the account", actions, principal={"AWS": "$root"})


def _described(sid: str) -> Statement:
    return _statement(sid, _READ, principal={"Service": "$service.amazonaws.com"})


def _described_by(name: str) -> Statement:
    return _described(f"Allow {name} with service principal name $service.amazonaws.com to describe the key directly")


def _acm_grants(sid: str, operations: Json) -> Statement:
    condition = {"ForAllValues:StringEquals": {"kms:GrantOperations": operations}}
    return _statement(sid, "CreateGrant", {**_via(), **condition, "Bool": {"kms:GrantIsForAWSResource": "true"}})


def _restricted(sid: str, condition_key: str) -> Statement:
    return _statement(sid, "Encrypt GenerateDataKey* ReEncrypt*", {"Null": {condition_key: "true"}}, effect="Deny")


def _row(protects: str, policy_id: str, *statements: Statement, listed: bool = False) -> ManagedKey:
    return ManagedKey(protects, policy_id, statements, listed)


_SES: Json = {"Service": "ses.$region.amazonaws.com"}

#: Service, as in the alias name -> AWS managed key.
MANAGED_KEYS: Mapping[str, ManagedKey] = {
    "acm": _row(
        "ACM private keys", "auto-acm-4",
        _acm_grants("Allow creation of decryption grants", "Decrypt"),
        _acm_grants("Allow creation of encryption grant", ["Encrypt", "ReEncryptFrom", "ReEncryptTo"]),
        _statement("Allowed operations for the key owner", "DescribeKey ListGrants RevokeGrant GetKeyPolicy",
                   {"StringEquals": {**_CALLER}}),
        _statement("Deny re-encryption to any other key", "ReEncrypt*",
                   {"Bool": {"kms:ReEncryptOnSameKey": "false"}}, effect="Deny"),
        _statement("Allow decrypt", "Decrypt", _via()),
    ),
    "appflow": _row(
        "AppFlow data", "auto-appflow-2",  # (B)
        _use("Amazon AppFlow"), _metadata(), _described_by("AppFlow Service"),
        _use("S3", "Decrypt", _via("s3.$endpoint")), _use("SecretManager", condition=_via("secretsmanager.$endpoint")),
    ),
    "backup": _row(
        "Backup data", "auto-backup-1",
        _use("Backup Storage", "CreateGrant Decrypt GenerateDataKey*", access="through Backup"), _metadata(),
    ),
    "cloud9": _row("Cloud9 data", "auto-cloud9-1", _use("Cloud9", _USE), _metadata(_READ)),  # (B)
    "codeartifact": _row(
        "CodeArtifact data", "auto-codeartifact-1",  # (B)
        _use("Amazon CodeArtifact"), _metadata(), _described_by("CodeArtifact Service"),
    ),
    "codecommit": _row(
        "CodeCommit repositories", "auto-codecommit-2", _use("CodeCommit", _USE), _metadata(_READ)
    ),
    "connect": _row(
        "Connect data", "auto-connect-3",  # (B)
        _use("Connect", "CreateGrant Describe* Get* List*"), _described("Allow Connect to directly describe the key"),
        _metadata(), _restricted("Restrict direct usage", "kms:ViaService"),
        _restricted("Restrict usage to Connect data", "kms:EncryptionContext:aws:connect:OrganizationId"),
        _use("S3", "Decrypt", _via("s3.$endpoint")), _use("KVS", "Decrypt", _via("kinesisvideo.$endpoint")),
    ),
    "dax": _row("DAX data", "auto-dax-1", _use("DAX", _USE_LIST_GRANTS), _metadata()),  # (B)
    "dms": _row("DMS replication instance volumes", "auto-dms-1", _use("DMS", _USE_LIST_GRANTS), _metadata()),
    "dynamodb": _row(
        "DynamoDB data", "auto-dynamodb-3",
        _use("Amazon DynamoDB", condition=_via_any_region()), _metadata(),
        _described("Allow DynamoDB to directly describe the key"), listed=True,
    ),
    "ebs": _row("EBS volumes", "auto-ebs-2", _use("EBS", condition=_via("ec2.$endpoint")), _metadata(), listed=True),
    "ecr": _row("ECR data", "auto-ecr-1", _use("Amazon ECR", f"{_USE_GRANT} RetireGrant"), _metadata()),
    "eks": _row(
        "EKS data", "auto-eks-1",  # (B)
        _use("Amazon EKS"), _metadata(), _described("Allow the EKS Service to describe the key directly"),
    ),
    "elasticache": _row(
        "ElastiCache data", "auto-elasticache-1",  # (B)
        _use("ElastiCache Service", _USE_LIST_GRANTS), _metadata(),
        _described("Allow ElastiCache service principals to describe the key directly"),
    ),
    "elasticfilesystem": _row(
        "EFS filesystems", "auto-elasticfilesystem-1", _use("EFS", access="to EFS"), _metadata(), listed=True
    ),
    "es": _row(
        "Amazon OpenSearch Service (successor to Amazon Elasticsearch Service) data", "auto-es-2",
        _use("OpenSearch Service"), _metadata(),
        _described("Allow OpenSearch service principals to describe the key directly"), listed=True,
    ),
    "fsx": _row("FSx resources", "auto-fsx-1", _use("FSx", _USE_LIST_GRANTS), _metadata()),
    "glue": _row("Glue data", "auto-glue-1", _use("Glue"), _metadata(), listed=True),
    "imagebuilder": _row(
        "EC2 Image Builder data", "auto-imagebuilder-1",  # (B)
        _use("Amazon EC2 Image Builder"), _metadata(),
        _described("Allow the EC2 Image Builder Service to describe the key directly"),
    ),
    "kafka": _row("Kafka data", "auto-kafka-1", _use("Kafka", _USE_LIST_GRANTS), _metadata()),
    "kendra": _row(
        "Kendra data", "auto-kendra-1",  # (B)
        _use("Amazon Kendra"), _metadata(), _described("Allow Kendra Service to describe the key directly"),
    ),
    "kinesis": _row("Kinesis data", "auto-kinesis-1", _use("Amazon Kinesis", _USE), _metadata(_READ)),  # (B)
    "kinesisvideo": _row(
        "kinesis video data", "auto-kinesisvideo-1", _use("Kinesis Video Streams"), _metadata(), listed=True
    ),
    "lambda": _row("Lambda functions", "auto-awslambda", _use("AWS Lambda"), _metadata()),
    "lex": _row("Lex data", "auto-lex-1", _use("lex"), _metadata()),  # (B)
    "lightsail": _row(
        "Lightsail signing keys", "auto-lightsail-1",
        _use("Lightsail", _USE), _metadata(_READ), _described_by("Lightsail"),
    ),
    "mq": _row(
        "Amazon MQ data", "auto-mq-1",  # (B)
        _use("Amazon MQ", "CreateGrant Decrypt DescribeKey GenerateDataKey* Encrypt ReEncrypt*",
             _via(["mq.$endpoint", "elasticfilesystem.$endpoint"]), access="to Amazon MQ"),
        _metadata(),
    ),
    "rds": _row("RDS database volumes", "auto-rds-2", _use("RDS", _USE_LIST_GRANTS), _metadata(), listed=True),
    "redshift": _row(
        "Redshift data", "auto-redshift-3",
        _use("RedShift"), _use("RedShift-Serverless", condition=_via("redshift-serverless.$endpoint")), _metadata(),
        listed=True,
    ),
    "s3": _row("S3 objects", "auto-s3-2", _use("S3", _USE), _metadata(_READ), listed=True),
    "secretsmanager": _row(
        "Secrets Manager data", "auto-secretsmanager-2",
        _use("AWS Secrets Manager", "Encrypt Decrypt ReEncrypt* CreateGrant DescribeKey"),
        _use("AWS Secrets Manager", "GenerateDataKey*", _via_any_region()), _metadata(),
    ),
    "ses": _row(
        "SES messages", "auto-ses-2",  # (B)
        _statement(
            "Allow SES to encrypt messages belonging to this account", "Encrypt GenerateDataKey*",
            {"StringEquals": {"kms:EncryptionContext:aws:ses:source-account": "$account"},
             "Null": {"kms:EncryptionContext:aws:ses:rule-name": "false",
                      "kms:EncryptionContext:aws:ses:message-id": "false"}},
            principal=_SES,
        ),
        _statement("Allow SES to describe this key", "DescribeKey", principal=_SES),
        _statement("Allow direct access to key metadata & decryption to the account",
                   f"{_READ} Decrypt ReEncryptFrom", principal={"AWS": "$root"}),
    ),
    "sns": _row(
        "SNS data", "auto-sns-2",
        _use("SNS", "Decrypt GenerateDataKey* CreateGrant ListGrants DescribeKey"), _metadata(),
        _statement(
            "Allow SNS to decrypt archived messages", "Decrypt",
            {"StringEquals": {"aws:SourceAccount": "$account"},
             "ArnLike": {"aws:SourceArn": "arn:*:sns:$region:$account:*"}},
            principal={"Service": "sns.amazonaws.com"},
        ),
    ),
    "sqs": _row(
        "SQS messages", "auto-sqs-1",
        _use("SQS", _USE_GRANT, {"StringEquals": {"kms:ViaService": "sqs.$endpoint", **_CALLER}},
             access="through Simple Queue Service (SQS)"),
        _metadata(),
    ),
    "ssm": _row("SSM parameters", "auto-ssm-1", _use("SSM", _USE), _metadata(_READ), listed=True),
    "timestream": _row(
        "Timestream data", "auto-timestream-1",  # (B)
        _use("Amazon Timestream"), _metadata(), _described("Allow the Timestream Service to describe the key directly"),
    ),
    "translate": _row(
        "Translate data", "auto-translate-1",  # (B)
        _use("Amazon Translate"), _metadata(), _described_by("Translate Service"),
    ),
    "workspaces": _row(
        "WorkSpaces volumes", "auto-workspaces-1",  # (B)
        _use("Workspaces", _USE_LIST_GRANTS), _metadata("Describe* RevokeGrant List* Get*"),
    ),
    "xray": _row("X-Ray data", "auto-xray-1", _use("X-Ray"), _metadata(), _described_by("X-Ray Service"), listed=True),
}  # fmt: skip
