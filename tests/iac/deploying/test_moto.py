"""Resources of other services in moto, with the keys that files give them; either nested in the other."""

from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from tests.iac.conftest import ACCOUNT, DATA, REGION

from pytest_kmsmock import mock_kms
from pytest_kmsmock._iac import unknowns

PAYMENTS = DATA / "cdk.out" / "Payments.template.json"


@pytest.fixture(params=["moto inside", "moto outside", "seeded later"])
def kms(request):
    """The mock beside moto, with what the template declares."""
    if request.param == "moto inside":
        with mock_kms(seed=PAYMENTS) as kms, mock_aws():
            yield kms
    elif request.param == "moto outside":
        with mock_aws(), mock_kms(seed=PAYMENTS) as kms:
            yield kms
    else:
        with mock_aws(), mock_kms() as kms:
            kms.seed(PAYMENTS)
            yield kms


def client(service, **more):
    return boto3.client(service, region_name=REGION, **more)


def test_resources_have_the_keys_of_the_template(kms):
    key = kms.deployed("DataKey")
    [rule] = client("s3").get_bucket_encryption(Bucket=kms.deployed("Documents"))["ServerSideEncryptionConfiguration"][
        "Rules"
    ]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    queue = client("sqs").get_queue_attributes(QueueUrl=kms.deployed("Jobs"), AttributeNames=["KmsMasterKeyId"])
    assert queue["Attributes"] == {"KmsMasterKeyId": key}
    topic = client("sns").get_topic_attributes(TopicArn=kms.deployed("Events"))["Attributes"]
    assert topic["KmsMasterKeyId"] == key
    assert client("secretsmanager").describe_secret(SecretId=kms.deployed("Password"))["KmsKeyId"] == key
    table = client("dynamodb").describe_table(TableName=kms.deployed("Ledger"))["Table"]
    assert table["SSEDescription"]["KMSMasterKeyArn"] == key
    function = client("lambda").get_function_configuration(FunctionName=kms.deployed("Worker"))
    assert (function["KMSKeyArn"], function["Role"]) == (key, kms.deployed("WorkerRole"))
    assert function["Environment"]["Variables"]["KEY"] == key
    [group] = client("logs").describe_log_groups()["logGroups"]
    assert group["logGroupName"] == f"/aws/lambda/{kms.deployed('Worker')}"
    assert unknowns.take() == []


def test_making_them_is_no_call_of_kms(kms):
    assert len(kms.calls) == 0


def test_sessions_that_sts_gives_out_have_the_policies_of_the_template(kms):
    role = kms.deployed("WorkerRole")
    given = client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    session = {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
    s3 = client("s3", **session)
    s3.put_object(Bucket=kms.deployed("Documents"), Key="a", Body=b"a")
    assert s3.get_object(Bucket=kms.deployed("Documents"), Key="a")["Body"].read() == b"a"
    with pytest.raises(ClientError, match="no identity-based policy allows the kms:Decrypt action"):
        kms.client(**session).decrypt(
            CiphertextBlob=kms.client().encrypt(KeyId=kms.deployed("DataKey"), Plaintext=b"x")["CiphertextBlob"]
        )


def test_a_nested_mock_creates_nothing_twice(kms):
    with mock_kms(), mock_kms(seed=PAYMENTS):
        assert len(client("s3").list_buckets()["Buckets"]) == 1
    assert unknowns.take() == []


def test_a_fresh_mock_finds_existing_resources():
    with mock_aws():
        for _ in range(2):
            with mock_kms(seed=PAYMENTS):
                assert client("dynamodb").list_tables()["TableNames"] == ["payments-ledger"]
    assert unknowns.take() == []


def test_moto_that_begins_again_is_filled_again():
    with mock_kms(seed=PAYMENTS):
        for _ in range(2):
            with mock_aws():
                assert len(client("s3").list_buckets()["Buckets"]) == 1
                with mock_aws():
                    assert len(client("s3").list_buckets()["Buckets"]) == 1


def test_moto_without_a_deployment_stays_empty():
    with mock_kms(), mock_aws():
        assert client("s3").list_buckets()["Buckets"] == []
    with mock_aws():
        assert client("s3").list_buckets()["Buckets"] == []


def test_resources_of_another_account_and_region(write):
    queue = {"Resources": {"Jobs": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "jobs"}}}}
    listed = {"stacks": [{"template": "queue.json", "account": "111122223333", "region": "eu-west-1"}]}
    write("queue.json", queue)
    with mock_kms(seed=write("all.json", listed)), mock_aws():
        sts = client("sts")
        given = sts.assume_role(RoleArn="arn:aws:iam::111122223333:role/x", RoleSessionName="test")["Credentials"]
        session = {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }
        queues = boto3.client("sqs", region_name="eu-west-1", **session).list_queues()
        assert queues["QueueUrls"] == ["https://sqs.eu-west-1.amazonaws.com/111122223333/jobs"]
        assert "QueueUrls" not in client("sqs").list_queues()


EVERYTHING = {
    "Bucket": {
        "Type": "AWS::S3::Bucket",
        "Properties": {
            "NotificationConfiguration": {
                "QueueConfigurations": [{"Event": "s3:ObjectCreated:*", "Queue": {"Fn::GetAtt": ["Queue", "Arn"]}}],
            }
        },
    },
    "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"SqsManagedSseEnabled": True}},
    "Topic": {
        "Type": "AWS::SNS::Topic",
        "Properties": {
            "Subscription": [{"Protocol": "sqs", "Endpoint": {"Fn::GetAtt": ["Queue", "Arn"]}}],
        },
    },
    "Parameter": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/a", "Type": "String", "Value": "x"}},
    "Key": {"Type": "AWS::KMS::Key"},
    "Stream": {
        "Type": "AWS::Kinesis::Stream",
        "Properties": {
            "ShardCount": "2",
            "StreamEncryption": {"EncryptionType": "KMS", "KeyId": {"Fn::GetAtt": ["Key", "Arn"]}},
        },
    },
    "Plain": {"Type": "AWS::Kinesis::Stream"},
    "Table": {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "SSESpecification": {"SSEEnabled": False},
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "ProvisionedThroughput": {"ReadCapacityUnits": "1", "WriteCapacityUnits": 1},
        },
    },
    "User": {"Type": "AWS::IAM::User", "Properties": {"UserName": "ann", "Path": "/team/"}},
}


def test_the_other_resources(write):
    with mock_kms(seed=write("app.json", {"Resources": EVERYTHING})) as kms, mock_aws():
        assert unknowns.take() == []
        assert client("ssm").get_parameter(Name="/a")["Parameter"]["Value"] == "x"
        [subscription] = client("sns").list_subscriptions()["Subscriptions"]
        assert subscription["TopicArn"] == kms.deployed("Topic")
        stream = client("kinesis").describe_stream_summary(StreamName=kms.deployed("Stream"))[
            "StreamDescriptionSummary"
        ]
        assert (stream["EncryptionType"], stream["KeyId"]) == ("KMS", kms.deployed("Key"))
        configured = client("s3").get_bucket_notification_configuration(Bucket=kms.deployed("Bucket"))
        assert len(configured["QueueConfigurations"]) == 1
        assert client("iam").get_user(UserName="ann")["User"]["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/team/ann"


@pytest.mark.parametrize("file", ["state.json", "plan.json"])
def test_terraform(file):
    with mock_kms(seed=DATA / "terraform" / file) as kms, mock_aws():
        assert unknowns.take() == []
        s3 = boto3.client("s3", region_name="eu-west-1")
        with kms.as_principal(kms.deployed("aws_iam_role.worker")):
            s3.put_object(Bucket=kms.deployed("aws_s3_bucket.documents"), Key="a", Body=b"a")
            assert s3.get_object(Bucket="payments-documents", Key="a")["Body"].read() == b"a"
        ssm = boto3.client("ssm", region_name="eu-west-1")
        assert ssm.get_parameter(Name="/payments/token", WithDecryption=True)["Parameter"]["Value"] == "secret"
        assert [call.operation for call in kms.calls] == ["GenerateDataKey", "Decrypt", "Decrypt"]


def test_the_other_resources_of_terraform(write):
    def resource(kind, **values):
        return {"address": f"{kind}.this", "mode": "managed", "type": kind, "name": "this", "values": values}

    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:jobs"
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:events"
    content = {
        "terraform_version": "1",
        "values": {
            "root_module": {
                "resources": [
                    resource("aws_sns_topic", name="events", arn=topic, kms_master_key_id="", fifo_topic=False),
                    resource("aws_sns_topic_subscription", topic_arn=topic, protocol="sqs", endpoint=queue),
                    resource("aws_s3_bucket", bucket="documents"),
                    resource(
                        "aws_s3_bucket_notification",
                        bucket="documents",
                        queue=[{"queue_arn": queue, "events": ["s3:ObjectCreated:*"]}],
                    ),
                    resource("aws_sqs_queue", name="jobs", arn=queue, url="x"),
                    resource("aws_secretsmanager_secret", name="password"),
                    resource("aws_secretsmanager_secret_version", secret_id="password", secret_string="secret"),
                    resource(
                        "aws_kinesis_stream",
                        name="stream",
                        shard_count=1,
                        encryption_type="KMS",
                        kms_key_id="alias/aws/kinesis",
                    ),
                    resource("aws_cloudwatch_log_group", name="logs"),
                    resource("aws_iam_role", name="fn", arn=f"arn:aws:iam::{ACCOUNT}:role/fn"),
                    resource(
                        "aws_lambda_function",
                        function_name="fn",
                        role=f"arn:aws:iam::{ACCOUNT}:role/fn",
                        environment=[{"variables": {"A": "b"}}],
                    ),
                    resource(
                        "aws_dynamodb_table",
                        name="table",
                        hash_key="id",
                        range_key="at",
                        attribute=[
                            {"name": "id", "type": "S"},
                            {"name": "at", "type": "N"},
                            {"name": "x", "type": "S"},
                        ],
                    ),
                ]
            }
        },
    }
    with mock_kms(seed=write("state.json", content)), mock_aws():
        assert unknowns.take() == []
        assert client("secretsmanager").get_secret_value(SecretId="password")["SecretString"] == "secret"
        assert client("lambda").get_function_configuration(FunctionName="fn")["Environment"]["Variables"] == {"A": "b"}
        assert len(client("dynamodb").describe_table(TableName="table")["Table"]["KeySchema"]) == 2


def test_what_moto_cannot_create_is_listed(write):
    wrong = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "No"}}
    subscription = {
        "Type": "AWS::SNS::Subscription",
        "Properties": {"TopicArn": "x", "Protocol": {"Ref": "AWS::NoValue"}},
    }
    secret = {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": ""}}
    with mock_kms(seed=write("app.json", {"Resources": {"A": wrong, "B": subscription, "C": secret}})), mock_aws():
        told = unknowns.take()
    assert told[0].startswith("app.json:3, A: moto refuses s3 CreateBucket: ")
    assert any("C: moto" in each for each in told)
