"""What a test's author sees of calls that services make: assertions, reports, policies, CloudTrail."""

from __future__ import annotations

import functools
from datetime import timedelta

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from pytest_kmsmock import mock_kms
from pytest_kmsmock.errors import InvalidCallPattern, KmsHygieneError

SSE = {"ServerSideEncryption": "aws:kms"}


@pytest.fixture
def s3(world):
    client = world.client("s3")
    client.create_bucket(Bucket="documents")
    return client


def put(s3, key, name="k"):
    s3.put_object(Bucket="documents", Key=name, Body=b"x", SSEKMSKeyId=getattr(key, "arn", key), **SSE)


def test_assertions(world, s3):
    key = world.kms.create_key()
    put(s3, key)
    world.kms.client().describe_key(KeyId=key.id)
    world.kms.assert_called("GenerateDataKey", via="s3", KeyId=key.arn, times=1)
    world.kms.assert_not_called("GenerateDataKey", via="sqs")
    world.kms.assert_not_called("GenerateDataKey", via=None)
    assert [call.via for call in world.kms.calls] == ["s3", None]
    assert len(world.kms.calls.of(via="s3")) == 1
    with pytest.raises(AssertionError, match=r"via: expected 'sqs', got 's3'"):
        world.kms.assert_called("GenerateDataKey", via="sqs")
    with pytest.raises(AssertionError, match=r"in us-east-1 via s3"):
        world.kms.assert_not_called("GenerateDataKey")
    with pytest.raises(InvalidCallPattern):
        world.kms.calls.of(vai="s3")


def test_last_usage(world, s3):
    key = world.kms.create_key()
    put(s3, key)
    usage = world.kms.client().get_key_last_usage(KeyId=key.id)
    assert usage["KeyLastUsage"]["Operation"] == "GenerateDataKey"


def test_hygiene_checks_leave_out_the_calls_of_services(s3):
    with mock_kms(hygiene="error") as kms:
        put(s3, kms.create_key())  # a data key that is not decrypted here
    with pytest.raises(KmsHygieneError, match="data keys"), mock_kms(hygiene="error") as kms:
        kms.client().generate_data_key(KeyId=kms.create_key().id, KeySpec="AES_256", EncryptionContext={"a": "b"})


def test_a_request_quota_throttles_services_too(s3):
    with mock_kms(request_quotas=True) as kms:
        kms.clock.freeze()
        kms.request_quotas["Cryptographic operations (symmetric) request rate"] = 2
        put(s3, kms.create_key(alias="alias/a"))
        put(s3, "alias/a")
        with pytest.raises(ClientError, match=r"KMS\.ThrottlingException"):
            put(s3, "alias/a")
        kms.clock.advance(timedelta(seconds=1))
        put(s3, "alias/a")


def test_the_smallest_policies(world, s3):
    key = world.kms.create_key()
    sqs = world.client("sqs")
    url = sqs.create_queue(QueueName="orders", Attributes={"KmsMasterKeyId": key.arn})["QueueUrl"]
    secrets = world.client("secretsmanager")
    secret = secrets.create_secret(Name="db", SecretString="s", KmsKeyId=key.arn)["ARN"]

    def work(name):
        put(s3, key, name)
        s3.get_object(Bucket="documents", Key=name)["Body"].read()
        s3.put_object(Bucket="documents", Key="managed", Body=b"x", **SSE)
        sqs.send_message(QueueUrl=url, MessageBody="x")
        secrets.put_secret_value(SecretId="db", SecretString=name)
        secrets.get_secret_value(SecretId="db")

    with mock_kms(enforce_policies=False) as learning, learning.as_principal("role/app"):
        work("first")
        policies = learning.least_privilege()
    policy = policies.identity_policies[world.ROLE]
    assert policy["Statement"] == [
        {
            "Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": key.arn,
            "Condition": {"StringEquals": {
                "kms:EncryptionContext:SecretARN": secret,
                "kms:ViaService": "secretsmanager.us-east-1.amazonaws.com",
            }},
        },
        {
            "Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": key.arn,
            "Condition": {
                "StringLike": {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::documents/*"},
                "StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"},
            },
        },
        {
            "Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": key.arn,
            "Condition": {"StringEquals": {
                "kms:EncryptionContext:aws:sqs:arn": "arn:aws:sqs:us-east-1:123456789012:orders",
                "kms:ViaService": "sqs.us-east-1.amazonaws.com",
            }},
        },
    ]  # fmt: skip
    with world.as_role(policy):
        work("second")  # other objects and versions
        blob = world.kms.calls.of("GenerateDataKey", via="s3")[0].result["CiphertextBlob"]
        with pytest.raises(ClientError, match="AccessDenied"):  # not directly
            world.kms.client().decrypt(
                CiphertextBlob=blob, EncryptionContext={"aws:s3:arn": "arn:aws:s3:::documents/second"}
            )


def attach_volume(client, key):
    ec2 = client("ec2")
    instance = ec2.run_instances(ImageId=ec2.register_image(Name="app")["ImageId"], MinCount=1, MaxCount=1)
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True, KmsKeyId=key.arn)["VolumeId"]
    instance = instance["Instances"][0]["InstanceId"]
    ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdc")
    assert ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["Attachments"]


def test_cloudtrail_of_an_instance(world):
    # KMS Developer Guide, "How Amazon EBS uses AWS KMS"
    attach_volume(world.client, world.kms.create_key())
    role = "arn:aws:iam::123456789012:role/aws:ec2-infrastructure"
    identity = world.kms.cloudtrail_events()[-1]["userIdentity"]
    assert identity["sessionContext"]["sessionIssuer"]["arn"] == role
    assert identity["arn"].startswith("arn:aws:sts::123456789012:assumed-role/aws:ec2-infrastructure/i-")


def make_table(client, key):
    client("dynamodb").create_table(
        TableName="orders", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key.arn},
    )  # fmt: skip


def make_file_system(client, key):
    client("efs").create_file_system(Encrypted=True, KmsKeyId=key.arn)


def make_warehouse(client, key):
    client("redshift").create_cluster(
        ClusterIdentifier="dw", NodeType="ra3.large", Encrypted=True, KmsKeyId=key.arn, MasterUsername="admin",
        MasterUserPassword="Secret123",
    )  # fmt: skip


@pytest.mark.parametrize("work", [attach_volume, make_table, make_file_system, make_warehouse])
def test_what_services_do_by_grants_and_what_is_new_each_time(kms_mock, work):
    key = kms_mock.create_key()
    client = functools.partial(boto3.client, region_name="us-east-1")
    with mock_aws(), mock_kms(enforce_policies=False) as learning, learning.as_principal("role/app"):
        work(client, key)
        policies = learning.least_privilege()
    (principal,) = policies.identity_policies
    statements = policies.key_policy_statements[key.arn]
    assert {statement["Principal"]["AWS"] for statement in statements} == {principal}
    kms_mock.clock.advance(timedelta(hours=1))
    kms_mock.iam.attach("role/app", policies.identity_policies[principal])
    with mock_aws(), kms_mock.as_principal("role/app"):
        work(client, key)
    assert len(kms_mock.calls.refused) == 0


def test_what_a_key_policy_needs_for_a_delivery(world):
    key = world.kms.create_key(policy=world.key_policy(world.allow(world.ROOT), world.allow(
        {"Service": "sns.amazonaws.com"})))  # fmt: skip
    world.client("sqs").create_queue(QueueName="inbox", Attributes={"KmsMasterKeyId": key.arn})
    sns = world.client("sns")
    topic = sns.create_topic(Name="events")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:inbox")
    sns.publish(TopicArn=topic, Message="x")
    assert world.kms.least_privilege().key_policy_statements[key.arn] == [{
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": "*",
        "Condition": {"StringEquals": {
            "aws:SourceAccount": "123456789012",
            "aws:SourceArn": topic,
            "kms:EncryptionContext:aws:sqs:arn": "arn:aws:sqs:us-east-1:123456789012:inbox",
        }},
    }]  # fmt: skip


def test_cloudtrail(world, s3):
    # recorded from AWS, 2020 to 2026-09
    key = world.kms.create_key()
    with world.as_role():
        put(s3, key)
        s3.get_object(Bucket="documents", Key="k")
    generated, decrypted = world.kms.cloudtrail_events()
    for event in (generated, decrypted):
        assert event["userIdentity"]["type"] == "AssumedRole"
        assert event["userIdentity"]["arn"] == world.SESSION
        assert (
            event["userIdentity"]["invokedBy"]
            == event["sourceIPAddress"]
            == event["userAgent"]
            == "fas.s3.amazonaws.com"
        )
        assert "tlsDetails" not in event
        assert event["responseElements"] is None
    context = {"aws:s3:arn": "arn:aws:s3:::documents/k"}
    assert generated["requestParameters"] == {"keyId": key.arn, "keySpec": "AES_256", "encryptionContext": context}
    assert decrypted["requestParameters"] == {"encryptionAlgorithm": "SYMMETRIC_DEFAULT", "encryptionContext": context}
    world.kms.iam.detach("role/app")
    with world.as_role(world.ALL_BUT_KMS), pytest.raises(ClientError):
        s3.get_object(Bucket="documents", Key="k")
    refused = world.kms.cloudtrail_events()[-1]
    assert refused["errorCode"] == "AccessDenied"
    assert "kms:Decrypt" in refused["errorMessage"]
    assert refused["requestParameters"] == {"encryptionAlgorithm": "SYMMETRIC_DEFAULT"}
    assert "resources" not in refused
