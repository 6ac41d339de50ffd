"""Keys that are provisioned: by CloudFormation, by hand, by other services."""

from __future__ import annotations

import json

import boto3
import pytest

from .conftest import ACCOUNT

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
    ],
}
KEY = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": POLICY, "Description": "stack", "EnableKeyRotation": True}}
ALIAS = {"Type": "AWS::KMS::Alias", "Properties": {"AliasName": "alias/stack", "TargetKeyId": {"Ref": "Key"}}}


def test_a_stack_makes_a_key(kms, stack):
    outputs = stack({"Key": KEY}, {"Id": {"Value": {"Ref": "Key"}}, "Arn": {"Value": {"Fn::GetAtt": ["Key", "Arn"]}}})
    [key] = kms.list_keys()["Keys"]
    assert key == {"KeyId": outputs["Id"], "KeyArn": outputs["Arn"]}


def test_a_stack_makes_an_alias(kms, stack):
    stack({"Key": KEY, "Alias": ALIAS})
    blob = kms.encrypt(KeyId="alias/stack", Plaintext=b"x")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_a_stack_rotates_its_key(kms, stack):
    key_id = stack({"Key": KEY}, {"Id": {"Value": {"Ref": "Key"}}})["Id"]
    assert kms.get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"]


def test_a_stack_is_in_the_list_of_keys(kms, stack):
    key_id = stack({"Key": KEY}, {"Id": {"Value": {"Ref": "Key"}}})["Id"]
    assert key_id in [key["KeyId"] for key in kms.list_keys()["Keys"]]


def test_a_bucket_of_a_stack_uses_its_key(kms, stack):
    rule = {
        "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]}}
    }
    bucket = {
        "Type": "AWS::S3::Bucket",
        "Properties": {"BucketName": "documents", "BucketEncryption": {"ServerSideEncryptionConfiguration": [rule]}},
    }
    arn = stack({"Key": KEY, "Bucket": bucket}, {"Arn": {"Value": {"Fn::GetAtt": ["Key", "Arn"]}}})["Arn"]
    s3 = boto3.client("s3")
    s3.put_object(Bucket="documents", Key="k", Body=b"text")
    answer = s3.get_object(Bucket="documents", Key="k")
    assert (answer["Body"].read(), answer["SSEKMSKeyId"]) == (b"text", arn)


def test_a_queue_of_a_stack_uses_its_key(stack):
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "jobs", "KmsMasterKeyId": {"Ref": "Key"}}}
    stack({"Key": KEY, "Queue": queue})
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName="jobs")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="job")
    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "job"


def test_a_deleted_stack_takes_its_alias_along(kms, stack):
    stack({"Key": KEY, "Alias": ALIAS})
    boto3.client("cloudformation").delete_stack(StackName="app")
    assert "alias/stack" not in [alias["AliasName"] for alias in kms.list_aliases()["Aliases"]]


def test_a_stack_in_another_region(kms):
    body = json.dumps({"Resources": {"Key": KEY}})
    boto3.client("cloudformation", region_name="eu-west-1").create_stack(StackName="app", TemplateBody=body)
    assert len(boto3.client("kms", region_name="eu-west-1").list_keys()["Keys"]) == 1
    assert kms.list_keys()["Keys"] == []


def test_a_volume_is_encrypted_by_default_with_the_key_of_ebs(kms):
    volume = boto3.client("ec2").create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True)
    assert kms.describe_key(KeyId=volume["KmsKeyId"])["KeyMetadata"]["Enabled"]


def test_a_table_is_encrypted_with_the_key_of_dynamodb(kms):
    table = boto3.client("dynamodb").create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        SSESpecification={"Enabled": True},
    )["TableDescription"]
    assert kms.describe_key(KeyId=table["SSEDescription"]["KMSMasterKeyArn"])["KeyMetadata"]["Enabled"]


def test_tagged_keys_are_found(kms):
    arn = kms.create_key(Tags=[{"TagKey": "team", "TagValue": "blue"}])["KeyMetadata"]["Arn"]
    found = boto3.client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "team", "Values": ["blue"]}])
    assert [entry["ResourceARN"] for entry in found["ResourceTagMappingList"]] == [arn]


@pytest.mark.parametrize("spec", ["RSA_2048", "ECC_NIST_P256"])
def test_a_signing_key(kms, spec):
    key_id = kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    algorithm = "RSASSA_PSS_SHA_256" if spec == "RSA_2048" else "ECDSA_SHA_256"
    signature = kms.sign(KeyId=key_id, Message=b"m", SigningAlgorithm=algorithm)["Signature"]
    assert kms.verify(KeyId=key_id, Message=b"m", Signature=signature, SigningAlgorithm=algorithm)["SignatureValid"]
