"""What `Ref` and `Fn::GetAtt` give, by resource type: a table of forms.

Sources: "Return values" of each type in
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
"""

from __future__ import annotations

from collections.abc import Mapping

from pytest_kmsmock._record import Record

from ..names import ARNS


class ResourceType(Record):
    """How resources of a type are named.

    Attributes:
        named_by: the property that has the name; empty if it is always generated.
        ref: the form of what `Ref` gives, as `names.fill` takes it.
        attributes: the forms of what `Fn::GetAtt` gives.
        max_length: the longest generated name.
        lower: whether it is in lower case.
    """

    named_by: str = ""
    ref: str = "{name}"
    attributes: Mapping[str, str] = {}
    max_length: int = 64
    lower: bool = False


_NAME = "{name}"


def _arn(form: str) -> dict[str, str]:
    return {"Arn": "arn:{partition}:" + form}


_HERE = "{region}:{account}:"
_LAMBDA = "arn:{partition}:lambda:" + _HERE
_ECS = "arn:{partition}:ecs:" + _HERE
_BY_ID = "arn:{partition}:kms:" + _HERE + "key/{name}"
_KEY = ResourceType(attributes={"Arn": _BY_ID, "KeyId": _NAME})
_BUCKET_HOST = "{name}.s3.{region}.{suffix}"

TYPES: Mapping[str, ResourceType] = {
    "AWS::KMS::Key": _KEY,
    "AWS::KMS::ReplicaKey": _KEY,
    "AWS::KMS::Alias": ResourceType("AliasName"),
    "AWS::IAM::Role": ResourceType("RoleName", _NAME, {"Arn": ARNS["role"], "RoleId": "AROA{random}EXAMPLE"}),
    "AWS::IAM::User": ResourceType("UserName", _NAME, {"Arn": ARNS["user"]}),
    "AWS::IAM::Group": ResourceType("GroupName", _NAME, {"Arn": ARNS["group"]}, 128),
    "AWS::IAM::Policy": ResourceType("PolicyName", _NAME, {"Id": _NAME}),
    "AWS::IAM::ManagedPolicy": ResourceType(
        "ManagedPolicyName", ARNS["policy"], {"PolicyArn": ARNS["policy"], "PolicyId": "ANPA{random}EXAMPLE"}, 128
    ),
    "AWS::IAM::InstanceProfile": ResourceType(
        "InstanceProfileName", _NAME, _arn("iam::{account}:instance-profile{path}{name}"), 128
    ),
    "AWS::S3::Bucket": ResourceType(
        "BucketName", _NAME,
        {"Arn": ARNS["bucket"], "DomainName": "{name}.s3.{suffix}", "RegionalDomainName": _BUCKET_HOST,
         "DualStackDomainName": "{name}.s3.dualstack.{region}.{suffix}",
         "WebsiteURL": "http://{name}.s3-website-{region}.{suffix}"},
        63, True,
    ),
    "AWS::SQS::Queue": ResourceType(
        "QueueName", ARNS["queue-url"], {"Arn": ARNS["queue"], "QueueName": _NAME, "QueueUrl": ARNS["queue-url"]}, 80
    ),
    "AWS::SNS::Topic": ResourceType(
        "TopicName", ARNS["topic"], {"TopicArn": ARNS["topic"], "TopicName": _NAME}, 256
    ),
    "AWS::SecretsManager::Secret": ResourceType("Name", ARNS["secret"], {"Id": ARNS["secret"]}, 128),
    "AWS::SSM::Parameter": ResourceType("Name", _NAME, {"Type": "String", "Value": "placeholder"}, 128),
    "AWS::DynamoDB::Table": ResourceType(
        "TableName", _NAME,
        {"Arn": ARNS["table"], "StreamArn": ARNS["table"] + "/stream/2026-01-01T00:00:00.000"}, 255,
    ),
    "AWS::DynamoDB::GlobalTable": ResourceType(
        "TableName", _NAME, {"Arn": ARNS["table"], "TableId": _NAME, "StreamArn": ARNS["table"] + "/stream/2026"}, 255
    ),
    "AWS::Logs::LogGroup": ResourceType("LogGroupName", _NAME, {"Arn": ARNS["log-group"] + ":*"}, 255),
    "AWS::Kinesis::Stream": ResourceType("Name", _NAME, {"Arn": ARNS["stream"]}, 128),
    "AWS::KinesisFirehose::DeliveryStream": ResourceType(
        "DeliveryStreamName", _NAME, _arn("firehose:" + _HERE + "deliverystream/{name}")
    ),
    "AWS::Lambda::Function": ResourceType("FunctionName", _NAME, {"Arn": ARNS["function"]}),
    "AWS::Lambda::Version": ResourceType("", _LAMBDA + "function:{name}:1", {"Version": "1"}),
    "AWS::Lambda::Alias": ResourceType("Name", _LAMBDA + "function:{name}"),
    "AWS::Lambda::LayerVersion": ResourceType("LayerName", _LAMBDA + "layer:{name}:1"),
    "AWS::StepFunctions::StateMachine": ResourceType(
        "StateMachineName", "arn:{partition}:states:" + _HERE + "stateMachine:{name}",
        {**_arn("states:" + _HERE + "stateMachine:{name}"), "Name": _NAME}, 80,
    ),
    "AWS::Events::Rule": ResourceType("Name", _NAME, _arn("events:" + _HERE + "rule/{name}")),
    "AWS::Events::EventBus": ResourceType(
        "Name", _NAME, {**_arn("events:" + _HERE + "event-bus/{name}"), "Name": _NAME}
    ),
    "AWS::ECR::Repository": ResourceType(
        "RepositoryName", _NAME, _arn("ecr:" + _HERE + "repository/{name}"), 256, True
    ),
    "AWS::ECS::Cluster": ResourceType("ClusterName", _NAME, {"Arn": ARNS["cluster"]}, 255),
    "AWS::ECS::TaskDefinition": ResourceType("Family", _ECS + "task-definition/{name}:1"),
    "AWS::ECS::Service": ResourceType("ServiceName", _ECS + "service/{name}", {"Name": _NAME}),
    "AWS::CloudTrail::Trail": ResourceType("TrailName", _NAME, _arn("cloudtrail:" + _HERE + "trail/{name}"), 128),
    "AWS::RDS::DBInstance": ResourceType(
        "DBInstanceIdentifier", _NAME, {"DBInstanceArn": "arn:{partition}:rds:" + _HERE + "db:{name}"}, 63, True
    ),
    "AWS::RDS::DBCluster": ResourceType(
        "DBClusterIdentifier", _NAME, {"DBClusterArn": "arn:{partition}:rds:" + _HERE + "cluster:{name}"}, 63, True
    ),
    "AWS::EFS::FileSystem": ResourceType(
        "", "fs-{random}", {"Arn": "arn:{partition}:elasticfilesystem:" + _HERE + "file-system/fs-{random}"}
    ),
    "AWS::CodeBuild::Project": ResourceType("Name", _NAME, _arn("codebuild:" + _HERE + "project/{name}"), 255),
    "AWS::CodePipeline::Pipeline": ResourceType("Name", _NAME, {"Version": "1"}, 100),
    "AWS::Cognito::UserPool": ResourceType(
        "", "{region}_{random}", {"Arn": "arn:{partition}:cognito-idp:" + _HERE + "userpool/{region}_{random}"}
    ),
    "AWS::Backup::BackupVault": ResourceType(
        "BackupVaultName", _NAME, {"BackupVaultArn": "arn:{partition}:backup:" + _HERE + "backup-vault:{name}"}, 50
    ),
    "AWS::OpenSearchService::Domain": ResourceType(
        "DomainName", _NAME, _arn("es:" + _HERE + "domain/{name}"), 28, True
    ),
    "AWS::EKS::Cluster": ResourceType("Name", _NAME, _arn("eks:" + _HERE + "cluster/{name}"), 100),
    "AWS::CloudWatch::Alarm": ResourceType("AlarmName", _NAME, _arn("cloudwatch:" + _HERE + "alarm:{name}"), 255),
}  # fmt: skip
