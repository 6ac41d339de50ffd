"""The application: secrets, objects, messages, parameters and a Lambda function."""

from __future__ import annotations

import base64
import importlib

import boto3
import pytest


@pytest.fixture
def handler():
    """Import the function inside of the mock, as moto asks for."""
    return importlib.import_module(".handler", __package__)


@pytest.fixture
def bucket():
    boto3.client("s3").create_bucket(Bucket="documents")
    return "documents"


def test_the_function_decrypts_and_stores(kms, key, bucket, handler):
    blob = kms.encrypt(KeyId=key, Plaintext=b"token")["CiphertextBlob"]
    answer = handler.handler({"token": base64.b64encode(blob).decode(), "bucket": bucket}, None)
    assert answer == {"statusCode": 200, "length": 5}
    assert boto3.client("s3").get_object(Bucket=bucket, Key="token")["Body"].read() == b"token"


def test_envelope_encryption(kms, key, bucket):
    data_key = kms.generate_data_key(KeyId=key, KeySpec="AES_256")
    boto3.client("s3").put_object(Bucket=bucket, Key="k", Body=data_key["CiphertextBlob"])
    blob = boto3.client("s3").get_object(Bucket=bucket, Key="k")["Body"].read()
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == data_key["Plaintext"]


def test_an_encryption_context(kms, key):
    blob = kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"a": "b"})["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext={"a": "b"})["Plaintext"] == b"x"
    with pytest.raises(kms.exceptions.InvalidCiphertextException):
        kms.decrypt(CiphertextBlob=blob)


def test_an_object_with_a_key(key, bucket):
    s3 = boto3.client("s3")
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


def test_an_object_with_the_key_of_s3(bucket):
    s3 = boto3.client("s3")
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="aws:kms")
    assert s3.head_object(Bucket=bucket, Key="k")["ServerSideEncryption"] == "aws:kms"


def test_a_secret_with_a_key(key):
    secrets = boto3.client("secretsmanager")
    secrets.create_secret(Name="s", SecretString="x", KmsKeyId=key)
    assert secrets.get_secret_value(SecretId="s")["SecretString"] == "x"


def test_a_secure_string(key):
    ssm = boto3.client("ssm")
    ssm.put_parameter(Name="p", Value="x", Type="SecureString", KeyId=key)
    assert ssm.get_parameter(Name="p", WithDecryption=True)["Parameter"]["Value"] == "x"


def test_a_message_with_a_key(key):
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName="q", Attributes={"KmsMasterKeyId": key})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x")
    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "x"


def test_a_disabled_key_encrypts(kms, key):
    kms.disable_key(KeyId=key)
    assert kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]


def test_an_object_with_a_key_that_does_not_exist(bucket):
    s3 = boto3.client("s3")
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId="alias/nowhere")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


def test_re_encryption(kms, key):
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    moved = kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=other)["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=moved)["Plaintext"] == b"x"


def test_a_key_that_does_not_exist(kms):
    with pytest.raises(kms.exceptions.NotFoundException):
        kms.describe_key(KeyId="11111111-2222-4333-8444-555555555555")
