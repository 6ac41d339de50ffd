"""What is the same for all services: whose keys are meant, what was encrypted without a mock, protocols of errors."""

from __future__ import annotations

import boto3
import pytest
import requests
import responses
from botocore.exceptions import ClientError
from moto import mock_aws

from pytest_kmsmock import mock_kms
from pytest_kmsmock._moto import deliveries
from pytest_kmsmock._moto.settings import s3, sns
from pytest_kmsmock._services import engine, error_mapping
from pytest_kmsmock._services.error_mapping import ServiceError
from pytest_kmsmock._services.messaging import deliveries as delivered
from pytest_kmsmock._services.protected import Protected
from pytest_kmsmock._services.request import Request
from pytest_kmsmock._services.table import DESCRIBE_KEY, GENERATE_WITHOUT_PLAINTEXT, Step
from pytest_kmsmock._transport import gate

SSE = {"ServerSideEncryption": "aws:kms"}


@pytest.mark.parametrize("form", ["alias", "id", "ARN"])
def test_a_bare_key_id_is_one_of_the_owner_s_account(world, form):
    # inferred: a queue's key is its owner's, whoever sends
    stranger = f"arn:aws:iam::{world.OTHER_ACCOUNT}:user/mallory"
    world.kms.iam.attach(stranger, world.EVERYTHING)
    key = world.kms.create_key(alias="alias/orders", policy=world.administered(world.allow(stranger)))
    world.kms.create_key(alias="alias/orders", account=world.OTHER_ACCOUNT)
    named = {"alias": "alias/orders", "id": key.id, "ARN": key.arn}[form]
    sqs = world.client("sqs")
    url = sqs.create_queue(QueueName="orders", Attributes={"KmsMasterKeyId": named})["QueueUrl"]
    with world.kms.as_principal(stranger):
        sqs.send_message(QueueUrl=url, MessageBody="x")
    assert [call.key.arn for call in world.kms.calls] == [key.arn] * 2


def test_what_is_no_key_id_stays_what_it_is(world):
    stranger = f"arn:aws:iam::{world.OTHER_ACCOUNT}:user/mallory"
    world.kms.iam.attach(stranger, world.EVERYTHING)
    sqs = world.client("sqs")
    url = sqs.create_queue(QueueName="orders", Attributes={"KmsMasterKeyId": "nonsense"})["QueueUrl"]
    with world.kms.as_principal(stranger), pytest.raises(ClientError, match="Invalid keyId 'nonsense'"):
        sqs.send_message(QueueUrl=url, MessageBody="x")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ({"origin": "EXTERNAL"}, "is pending import"),
        ({"spec": "RSA_2048", "usage": "SIGN_VERIFY"}, "key usage is SIGN_VERIFY which is not valid for Decrypt"),
    ],
)
def test_keys_that_cannot_have_encrypted_what_is_there(kind, message):
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="documents")
        s3.put_object(Bucket="documents", Key="k", SSEKMSKeyId="alias/app", **SSE)
        with mock_kms() as kms:
            kms.create_key(alias="alias/app", **kind)
            with pytest.raises(ClientError, match=message):
                s3.get_object(Bucket="documents", Key="k")


def test_a_server_of_moto_s(moto_server):
    with mock_kms(endpoint_urls=moto_server) as kms:
        key = kms.create_key(alias="alias/app")
        s3 = boto3.client("s3", region_name="us-east-1", endpoint_url=moto_server)
        s3.create_bucket(Bucket="documents")
        s3.put_bucket_encryption(Bucket="documents", ServerSideEncryptionConfiguration={"Rules": [
            {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/app"}}
        ]})  # fmt: skip
        s3.put_object(Bucket="documents", Key="k", Body=b"x")
        assert s3.get_object(Bucket="documents", Key="k")["SSEKMSKeyId"] == key.arn
        s3.copy_object(Bucket="documents", Key="copy", CopySource="documents/k")
        assert [call.operation for call in kms.calls] == [
            "GenerateDataKey", "Decrypt", "Decrypt", "GenerateDataKey"
        ]  # fmt: skip
        ssm = boto3.client("ssm", region_name="us-east-1", endpoint_url=moto_server)
        ssm.put_parameter(Name="p", Type="SecureString", Value="s", KeyId="alias/app")
        assert kms.calls[-1].params["EncryptionContext"] == {
            "PARAMETER_ARN": "arn:aws:ssm:us-east-1:123456789012:parameter/p"
        }  # fmt: skip
        before = len(kms.calls)
    with mock_kms() as other:  # not told of the server
        s3.put_object(Bucket="documents", Key="k", Body=b"x")
        assert len(other.calls) == 0
    assert len(kms.calls) == before


@pytest.mark.parametrize(("protocol", "service", "operation"), [
    ("ec2", "ec2", "CreateVolume"), ("rest-json", "lambda", "Invoke"), ("json", "logs", "CreateLogGroup"),
    ("query", "sns", "Publish"), ("rest-xml", "s3", "PutObject"),
])  # fmt: skip
@pytest.mark.parametrize("status", [400, 502])
def test_errors_in_each_protocol(protocol, service, operation, status):
    error = ServiceError("SomeCode", "a <message>", status, "request", members={"Type": "User"})
    model = boto3.client(service, region_name="us-east-1").meta.service_model.operation_model(operation)
    headers, body = error_mapping.write(error, protocol, "POST", str)
    parsed = error_mapping.parse(error, headers, body, protocol, model)
    assert (parsed["Error"]["Code"], parsed["Error"]["Message"]) == ("SomeCode", "a <message>")
    assert parsed["ResponseMetadata"]["RequestId"] == "request"
    assert parsed["ResponseMetadata"]["HTTPStatusCode"] == status


def test_a_moto_that_delivers_in_other_ways(monkeypatch):
    def changed(_decide):
        raise AttributeError

    monkeypatch.setitem(deliveries._WATCHES, "s3", changed)
    deliveries.watch("s3", lambda _: None)


def test_a_topic_that_cannot_be_looked_at(kms_mock, monkeypatch):
    def changed(_arn):
        raise AttributeError

    monkeypatch.setattr(sns, "_moto_topic_key", changed)
    with mock_aws():
        topic = "arn:aws:sns:us-east-1:123456789012:events"
        assert delivered.decide(deliveries.Delivery("s3", "arn:aws:s3:::b", "123456789012", topic)) is None


def test_an_object_whose_bucket_nobody_may_look_at(world, monkeypatch):
    client = world.client("s3")
    client.create_bucket(Bucket="documents")
    with mock_kms(services="off"):
        client.put_object(Bucket="documents", Key="k", Body=b"x", **SSE)
    monkeypatch.setattr(s3, "bucket", lambda *_: None)
    client.get_object(Bucket="documents", Key="k")
    assert len(world.kms.calls) == 0


def test_a_protection_without_encryption_context(kms_mock):
    key = kms_mock.create_key()
    request = Request(gate.current(), "s3", "s3", "GetObject", {}, "us-east-1", None, {}, lambda *_: {}, signed=True)
    engine.call_kms(request, Step(lambda _: (), (DESCRIBE_KEY, GENERATE_WITHOUT_PLAINTEXT)),
                    Protected(key.arn, {}, "us-east-1"))  # fmt: skip
    assert [(call.operation, call.params) for call in kms_mock.calls] == [
        ("DescribeKey", {"KeyId": key.arn}),
        ("GenerateDataKeyWithoutPlaintext", {"KeyId": key.arn, "KeySpec": "AES_256"}),
    ]


@responses.activate
def test_requests_to_other_hosts_are_left_alone(kms_mock):
    for url in ("https://documents.s3.example.com/k", "https://s3.us-east-1.amazonaws.com/documents/k"):
        responses.get(url, body=b"x", headers={"x-amz-server-side-encryption": "aws:kms"})
        assert requests.get(url).content == b"x"
    with mock_kms(services="off"):
        assert requests.get(url).content == b"x"
    assert len(kms_mock.calls) == 0
