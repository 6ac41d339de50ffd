"""Settings read from moto's objects are those that the services' APIs tell: moto's server, or another moto."""

from __future__ import annotations

import json
import sys

import boto3
import pytest
from botocore.credentials import Credentials
from moto import mock_aws

from pytest_kmsmock import mock_kms
from pytest_kmsmock._moto import settings
from pytest_kmsmock._moto.settings import (
    awslambda,
    dynamodb,
    events,
    kinesis,
    logs,
    s3,
    secretsmanager,
    sns,
    sqs,
    ssm,
    stepfunctions,
)  # fmt: skip
from pytest_kmsmock._services.api import Api

KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-4333-8444-555555555555"
VERSION = "12345678-1234-1234-1234-123456789012"
REGION = "us-east-1"


@pytest.fixture(autouse=True)
def aws():
    with mock_aws():
        yield


def client(service):
    return boto3.client(service, region_name=REGION)


def api(service):
    url = client(service).meta.endpoint_url
    return Api(service, REGION, f"{url}/path", Credentials("a", "b"))


def fill_s3():
    made = client("s3")
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}
    made.create_bucket(Bucket="plain")
    made.create_bucket(Bucket="documents", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    made.put_bucket_encryption(Bucket="documents", ServerSideEncryptionConfiguration={
        "Rules": [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]})  # fmt: skip
    made.put_bucket_versioning(Bucket="documents", VersioningConfiguration={"Status": "Enabled"})
    version = made.put_object(Bucket="documents", Key="k", Body=b"x")["VersionId"]
    made.delete_object(Bucket="documents", Key="k")
    made.put_object(Bucket="plain", Key="k", Body=b"x")
    return version


def both(read, monkeypatch):
    """Return a setting as it is read from moto's objects, and as the API tells."""
    inside = read()
    with monkeypatch.context() as patch:
        patch.setattr(settings, "is_active", lambda: False)
        return inside, read()


def test_buckets(monkeypatch):
    fill_s3()
    inside, outside = both(lambda: s3.bucket(api("s3"), "documents"), monkeypatch)
    assert (inside.region, inside.account) == ("eu-west-1", "123456789012")
    assert (outside.region, outside.account) == ("eu-west-1", "")  # the API does not tell
    assert outside.rule["ApplyServerSideEncryptionByDefault"] == inside.rule["ApplyServerSideEncryptionByDefault"]
    assert str(inside.rule["BucketKeyEnabled"]).lower() == str(outside.rule["BucketKeyEnabled"]).lower() == "true"
    plain = both(lambda: s3.bucket(api("s3"), "plain"), monkeypatch)
    assert [(bucket.region, dict(bucket.rule)) for bucket in plain] == [("us-east-1", {})] * 2
    assert both(lambda: s3.bucket(api("s3"), "none"), monkeypatch) == (None, None)


def test_objects(monkeypatch):
    version = fill_s3()
    found = s3.Stored("aws:kms", KEY, bucket_key=True, version=version)
    assert both(lambda: s3.stored_object(api("s3"), "documents", "k", version), monkeypatch) == (found, found)
    for place in (("documents", "k", None), ("plain", "none", None), ("none", "k", None), ("plain", "k", VERSION)):
        assert both(lambda place=place: s3.stored_object(api("s3"), *place), monkeypatch) == (None, None), place
    plain = both(lambda: s3.stored_object(api("s3"), "plain", "k", None), monkeypatch)
    assert [(stored.key, stored.bucket_key, stored.version) for stored in plain] == [("", False, "null")] * 2


def test_uploads(monkeypatch):
    fill_s3()
    begun = client("s3").create_multipart_upload(
        Bucket="plain", Key="k", ServerSideEncryption="aws:kms", SSEKMSKeyId=KEY
    )["UploadId"]
    assert both(lambda: s3.upload(api("s3"), "plain", "k", begun), monkeypatch) == (
        s3.Stored("aws:kms", KEY), s3.Stored("", "")  # the API does not tell how it is encrypted
    )  # fmt: skip
    for bucket in ("plain", "none"):
        read = lambda bucket=bucket: s3.upload(api("s3"), bucket, "k", "none")  # noqa: E731
        assert both(read, monkeypatch) == (None, None)


def test_queues(monkeypatch):
    made = client("sqs")
    url = made.create_queue(QueueName="q", Attributes={
        "KmsMasterKeyId": KEY, "KmsDataKeyReusePeriodSeconds": "60"})["QueueUrl"]  # fmt: skip
    plain = made.create_queue(QueueName="plain")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:123456789012:q"
    for given, expected in (
        (url, sqs.Queue(arn, KEY, 60)), (plain, sqs.Queue(arn[:-1] + "plain", "")), (url + "none", None)
    ):  # fmt: skip
        read = lambda given=given: sqs.queue(api("sqs"), "a", REGION, given)  # noqa: E731
        assert both(read, monkeypatch) == (expected, expected)
    assert both(lambda: sqs.queue_of_arn(arn), monkeypatch) == (sqs.Queue(arn, KEY, 60), None)


def test_topics(monkeypatch):
    made = client("sns")
    arn = made.create_topic(Name="t", Attributes={"KmsMasterKeyId": KEY})["TopicArn"]
    plain = made.create_topic(Name="plain")["TopicArn"]
    endpoint = f"arn:aws:sns:{REGION}:123456789012:endpoint/GCM/app/1:2"
    for given, expected in ((arn, KEY), (plain, ""), (f"{arn}none", ""), (endpoint, "")):
        read = lambda given=given: sns.topic_key(api("sns"), given)  # noqa: E731
        assert both(read, monkeypatch) == (expected, expected)


def test_secrets(monkeypatch):
    made = client("secretsmanager")
    arn = made.create_secret(
        Name="db",
        SecretString="s",
        KmsKeyId=KEY,
        ClientRequestToken=VERSION,
        AddReplicaRegions=[{"Region": "eu-west-1"}],
    )["ARN"]
    made.create_secret(Name="managed", SecretString="s", ClientRequestToken=VERSION)
    made.create_secret(Name="deleted", SecretString="s")
    made.delete_secret(SecretId="deleted")
    versions = {VERSION: ("AWSCURRENT",)}
    for given in ("db", arn):
        read = lambda given=given: secretsmanager.secret(api("secretsmanager"), "a", REGION, given)  # noqa: E731
        assert both(read, monkeypatch) == (secretsmanager.Secret(arn, KEY, versions),) * 2
    managed = both(lambda: secretsmanager.secret(api("secretsmanager"), "a", REGION, "managed"), monkeypatch)
    assert [(secret.key, secret.versions) for secret in managed] == [("", versions)] * 2
    for given in ("none", "deleted"):
        read = lambda given=given: secretsmanager.secret(api("secretsmanager"), "a", REGION, given)  # noqa: E731
        assert both(read, monkeypatch) == (None, None)
    replica = secretsmanager.secret(api("secretsmanager"), "a", "eu-west-1", "db")
    assert (replica.arn, replica.key) == (arn.replace(REGION, "eu-west-1"), "")


def test_parameters(monkeypatch):
    made = client("ssm")
    made.put_parameter(Name="p", Type="SecureString", Value="1", KeyId=KEY)
    made.put_parameter(Name="p", Type="SecureString", Value="2", KeyId="alias/aws/ssm", Overwrite=True)
    made.put_parameter(Name="plain", Type="String", Value="1", Tier="Advanced")
    for place, expected in (
        (("p",), ssm.Parameter("SecureString", "alias/aws/ssm", "Standard")),
        (("p", 1), ssm.Parameter("SecureString", KEY, "Standard")),
        (("plain",), ssm.Parameter("String", "", "Advanced")),
        (("none",), None),
        (("p", 9), None),
    ):
        read = lambda place=place: ssm.parameter(api("ssm"), "a", REGION, *place)  # noqa: E731
        assert both(read, monkeypatch) == (expected, expected), place


def test_a_moto_that_has_changed(monkeypatch):
    """What it cannot read inside, the plugin asks for."""
    fill_s3()

    def gone(_name):
        raise AttributeError

    monkeypatch.setattr(s3, "_fake_bucket", gone)
    with mock_kms() as kms:
        key = kms.create_key()
        made = client("s3")
        made.put_object(Bucket="plain", Key="new", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=key.arn)
        assert made.get_object(Bucket="plain", Key="new")["SSEKMSKeyId"] == key.arn
        assert [call.operation for call in kms.calls] == ["GenerateDataKey", "Decrypt"]


def test_is_active(monkeypatch):
    from moto.core import models

    assert settings.is_active()
    monkeypatch.delattr(models.botocore_stubber, "enabled")
    assert settings.is_active()  # another moto is taken to be
    monkeypatch.delitem(sys.modules, "moto.core.models")
    assert not settings.is_active()


def test_streams(monkeypatch):
    made = client("kinesis")
    for name in ("s", "plain"):
        made.create_stream(StreamName=name, ShardCount=1)
    made.start_stream_encryption(StreamName="s", EncryptionType="KMS", KeyId=KEY)
    arn = f"arn:aws:kinesis:{REGION}:123456789012:stream/s"
    for place, expected in (
        (("s", ""), kinesis.Stream(arn, KEY)), (("", arn), kinesis.Stream(arn, KEY)),
        (("plain", ""), kinesis.Stream(arn[:-1] + "plain", "")), (("none", ""), None),
    ):  # fmt: skip
        read = lambda place=place: kinesis.stream(api("kinesis"), "a", REGION, *place)  # noqa: E731
        assert both(read, monkeypatch) == (expected, expected)
    iterator = made.get_shard_iterator(
        StreamName="s", ShardId="shardId-000000000000", ShardIteratorType="LATEST"
    )["ShardIterator"]  # fmt: skip
    found = both(lambda: kinesis.stream_of_iterator("a", REGION, iterator), monkeypatch)
    assert found == (kinesis.Stream(arn, KEY), None)


def test_log_groups(monkeypatch):
    client("logs").create_log_group(logGroupName="app")
    assert both(lambda: logs.is_there(api("logs"), "a", REGION, "app"), monkeypatch) == (True, True)
    assert both(lambda: logs.is_there(api("logs"), "a", REGION, "ap"), monkeypatch) == (False, False)


def test_tables(monkeypatch):
    made = client("dynamodb")
    for name, sse in (
        ("orders", {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY}),
        ("plain", {"Enabled": False}),
    ):
        made.create_table(
            TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], SSESpecification=sse,
        )  # fmt: skip
    for given, expected in (
        ("orders", dynamodb.Table("orders", KEY)), ("plain", dynamodb.Table("plain", "")), ("none", None),
        (f"arn:aws:dynamodb:{REGION}:123456789012:table/orders", dynamodb.Table("orders", KEY)),
    ):  # fmt: skip
        read = lambda given=given: dynamodb.table(api("dynamodb"), "a", REGION, given)  # noqa: E731
        assert both(read, monkeypatch) == (expected, expected)
    assert both(lambda: dynamodb.change_key("a", REGION, "plain", KEY), monkeypatch) == (None, None)
    assert dynamodb.table(api("dynamodb"), "a", REGION, "plain").key == KEY


def test_functions(monkeypatch):
    role = client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    for name, given in (("plain", {}), ("secret", {"KMSKeyArn": KEY, "Environment": {"Variables": {"A": "b"}}})):
        client("lambda").create_function(
            FunctionName=name, Role=role, Runtime="python3.12", Handler="m.h", Code={"ZipFile": b"x"}, **given
        )
        inside, outside = both(lambda name=name: awslambda.function(api("lambda"), "a", REGION, name), monkeypatch)
        assert inside == outside
        kept = client("lambda").get_function_configuration(FunctionName=name).get("KMSKeyArn")  # since moto 5.2.4
        assert (inside.key, inside.variables) == (kept or "", {"A": "b"} if given else {})
    assert both(lambda: awslambda.function(api("lambda"), "a", REGION, "none"), monkeypatch) == (None, None)


def test_event_buses(monkeypatch):
    client("events").create_event_bus(Name="secret", KmsKeyIdentifier=KEY)
    arn = "arn:aws:events:us-east-1:123456789012:event-bus/"
    for name, key in (("secret", KEY), ("default", "")):
        assert both(lambda name=name: events.bus(api("events"), arn + name), monkeypatch) == (events.Bus(key),) * 2
    assert both(lambda: events.bus(api("events"), arn + "none"), monkeypatch) == (None, None)


def test_state_machines(monkeypatch):
    role = "arn:aws:iam::123456789012:role/r"
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
    under = {"encryptionConfiguration": {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": KEY}}
    arn = "arn:aws:states:us-east-1:123456789012:stateMachine:"
    for name, given in (("plain", {}), ("secret", under)):
        client("stepfunctions").create_state_machine(name=name, definition=definition, roleArn=role, **given)
        expected = stepfunctions.StateMachine(arn + name, role, KEY if given else "")
        read = lambda name=name: stepfunctions.machine(api("stepfunctions"), arn + name)  # noqa: E731
        assert both(read, monkeypatch) == (expected, expected)
    assert both(lambda: stepfunctions.machine(api("stepfunctions"), arn + "none"), monkeypatch) == (None, None)
