"""SAM: its resources as plain CloudFormation, as far as they matter for IAM and KMS.

SAM's own translator (aws-sam-translator) needs boto3 with a Region, pydantic and jsonschema, and computes much that
does not affect permissions: APIs, deployments, event mappings. What decides here are roles with their policies,
keys of functions and encrypted tables, which this module writes out.

Sources: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html and
https://github.com/aws/serverless-application-model (`policy_templates.json`, `role_constructor.py`, `pull.py`), as of
2026-05.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

from ..policies import as_list, aws_managed_names
from ..reading import Located, line_of
from .functions import function_of

TRANSFORM = "AWS::Serverless-2016-10-31"

#: Policy templates that are about KMS: the actions they allow on a key.
KMS_TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "KMSDecryptPolicy": ("kms:Decrypt",),
    "KMSEncryptPolicy": ("kms:Encrypt",),
    "KMSEncryptPolicy_v2": (
        "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:GenerateDataKeyPair",
        "kms:GenerateDataKeyPairWithoutPlaintext",
    ),
}  # fmt: skip
#: Those that are not.
_OTHER_TEMPLATES = frozenset({
    "AMIDescribePolicy", "AWSSecretsManagerGetSecretValuePolicy", "AWSSecretsManagerRotationPolicy",
    "AcmGetCertificatePolicy", "AthenaQueryPolicy", "CloudFormationDescribeStacksPolicy", "CloudWatchDashboardPolicy",
    "CloudWatchDescribeAlarmHistoryPolicy", "CloudWatchPutMetricPolicy", "CodeCommitCrudPolicy", "CodeCommitReadPolicy",
    "CodePipelineLambdaExecutionPolicy", "CodePipelineReadOnlyPolicy", "ComprehendBasicAccessPolicy",
    "CostExplorerReadOnlyPolicy", "DynamoDBBackupFullAccessPolicy", "DynamoDBCrudPolicy", "DynamoDBReadPolicy",
    "DynamoDBReconfigurePolicy", "DynamoDBRestoreFromBackupPolicy", "DynamoDBStreamReadPolicy", "DynamoDBWritePolicy",
    "EC2CopyImagePolicy", "EC2DescribePolicy", "EFSWriteAccessPolicy", "EKSDescribePolicy", "EcsRunTaskPolicy",
    "ElasticMapReduceAddJobFlowStepsPolicy", "ElasticMapReduceCancelStepsPolicy",
    "ElasticMapReduceModifyInstanceFleetPolicy", "ElasticMapReduceModifyInstanceGroupsPolicy",
    "ElasticMapReduceSetTerminationProtectionPolicy", "ElasticMapReduceTerminateJobFlowsPolicy",
    "ElasticsearchHttpPostPolicy", "EventBridgePutEventsPolicy", "FilterLogEventsPolicy", "FirehoseCrudPolicy",
    "FirehoseWritePolicy", "KinesisCrudPolicy", "KinesisStreamReadPolicy", "LambdaInvokePolicy",
    "MobileAnalyticsWriteOnlyAccessPolicy", "OrganizationsListAccountsPolicy", "PinpointEndpointAccessPolicy",
    "PollyFullAccessPolicy", "RekognitionDetectOnlyPolicy", "RekognitionFacesManagementPolicy",
    "RekognitionFacesPolicy", "RekognitionLabelsPolicy", "RekognitionNoDataAccessPolicy", "RekognitionReadPolicy",
    "RekognitionWriteOnlyAccessPolicy", "Route53ChangeResourceRecordSetsPolicy", "S3CrudPolicy", "S3FullAccessPolicy",
    "S3ReadPolicy", "S3WritePolicy", "SESBulkTemplatedCrudPolicy", "SESBulkTemplatedCrudPolicy_v2", "SESCrudPolicy",
    "SESEmailTemplateCrudPolicy", "SESSendBouncePolicy", "SNSCrudPolicy", "SNSPublishMessagePolicy", "SQSPollerPolicy",
    "SQSSendMessagePolicy", "SSMParameterReadPolicy", "SSMParameterWithSlashPrefixReadPolicy",
    "SageMakerCreateEndpointConfigPolicy", "SageMakerCreateEndpointPolicy", "ServerlessRepoReadWriteAccessPolicy",
    "StepFunctionsCallbackPolicy", "StepFunctionsExecutionPolicy", "StepFunctionsExecutionPolicy_v2",
    "TextractDetectAnalyzePolicy", "TextractGetResultPolicy", "TextractPolicy", "VPCAccessPolicy",
})  # fmt: skip
#: The managed policy that a role gets besides the policies of its function.
_LAMBDA_BASIC = "service-role/AWSLambdaBasicExecutionRole"
_ROLES: Mapping[str, tuple[str, str, str | None]] = {
    "AWS::Serverless::Function": ("lambda.amazonaws.com", "AWS::Lambda::Function", _LAMBDA_BASIC),
    "AWS::Serverless::StateMachine": ("states.amazonaws.com", "AWS::StepFunctions::StateMachine", None),
}
#: Resources that SAM turns into others with the same properties, as far as these matter.
_RENAMED = {"AWS::Serverless::SimpleTable": "AWS::DynamoDB::Table"}


def expand(resources: Mapping[str, Any], global_settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the resources of a template, those of SAM as plain CloudFormation; `Globals` are the settings of all."""
    found: dict[str, Any] = {}
    for logical_id, body in resources.items():
        kind = str(body.get("Type")) if isinstance(body, dict) else ""
        if kind in _ROLES:
            found |= _with_role(logical_id, body, global_settings)
        elif kind in _RENAMED:
            found[logical_id] = Located({**body, "Type": _RENAMED[kind]} | _table(body), line_of(body))
        else:
            found[logical_id] = body
    return found


def _table(body: Mapping[str, Any]) -> dict[str, Any]:
    given = dict(body.get("Properties") or {})
    key = given.pop("PrimaryKey", None) or {"Name": "id", "Type": "String"}
    return {
        "Properties": {
            "KeySchema": [{"AttributeName": key["Name"], "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": key["Name"], "AttributeType": str(key["Type"])[0]}],
            "BillingMode": "PAY_PER_REQUEST",
            **given,
        }
    }


def _with_role(logical_id: str, body: Mapping[str, Any], global_settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return a function or state machine, and its role unless it names one."""
    service, kind, basic = _ROLES[body["Type"]]
    line = line_of(body)
    shared = global_settings.get(body["Type"].rpartition("::")[2])
    given = {**(shared if isinstance(shared, dict) else {}), **(body.get("Properties") or {})}
    if given.get("Role") is not None:
        return {logical_id: Located({**body, "Type": kind, "Properties": Located(given, line)}, line)}
    role_id = f"{logical_id}Role"
    managed, inline = [] if basic is None else [_arn_of(basic)], []
    for index, entry in enumerate(as_list(given.get("Policies"))):
        if isinstance(entry, dict) and not function_of(entry):
            inline.append({"PolicyName": f"{role_id}Policy{index}", "PolicyDocument": _document(entry)})
        else:
            managed.append(_arn_of(entry) if isinstance(entry, str) else entry)
    decrypt = KMS_TEMPLATES["KMSDecryptPolicy"]
    inline += [{"PolicyName": f"{role_id}Key", "PolicyDocument": _on_key(decrypt, key)} for key in _secret_keys(given)]
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    ]}  # fmt: skip
    role = {
        "AssumeRolePolicyDocument": given.get("AssumeRolePolicyDocument") or trust,
        "ManagedPolicyArns": managed,
        "Policies": inline,
        **({"Path": given["RolePath"]} if given.get("RolePath") is not None else {}),
        **({"PermissionsBoundary": given["PermissionsBoundary"]} if "PermissionsBoundary" in given else {}),
    }
    condition = {"Condition": body["Condition"]} if "Condition" in body else {}
    made = {**given, "Role": {"Fn::GetAtt": [role_id, "Arn"]}}
    return {
        role_id: Located({"Type": "AWS::IAM::Role", "Properties": Located(role, line), **condition}, line),
        logical_id: Located({**body, "Type": kind, "Properties": Located(made, line)}, line),
    }


def _arn_of(name: str) -> str:
    """Return the ARN of an AWS managed policy that is named without its path, which SAM looks up."""
    if name.startswith("arn:") or not name:
        return name
    return f"arn:aws:iam::aws:policy/{_paths().get(name.rpartition('/')[2], name)}"


@functools.cache
def _paths() -> Mapping[str, str]:
    return {name.rpartition("/")[2]: name for name in aws_managed_names()}


def _document(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the policy that an entry of `Policies` stands for: itself, or a policy template."""
    if "Statement" in entry or len(entry) != 1:
        return entry
    [(name, parameters)] = entry.items()
    if name in KMS_TEMPLATES:
        key = parameters.get("KeyId") if isinstance(parameters, dict) else None
        return _on_key(KMS_TEMPLATES[name], key, line_of(entry))
    if name in _OTHER_TEMPLATES:
        return {"Version": "2012-10-17", "Statement": []}
    return {"Fn::SamPolicyTemplate": name}


def _on_key(actions: tuple[str, ...], key: Any, line: int = 0) -> dict[str, Any]:
    resource = {"Fn::Sub": ["arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/${keyId}", {"keyId": key}]}
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [Located(statement, line)]}


def _secret_keys(given: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the keys of secrets that event sources are reached with: SAM lets the role decrypt by them."""
    events = given.get("Events")
    for event in events.values() if isinstance(events, dict) else ():
        properties = event.get("Properties") if isinstance(event, dict) else None
        if isinstance(properties, dict) and "SecretsManagerKmsKeyId" in properties:
            yield properties["SecretsManagerKmsKeyId"]
