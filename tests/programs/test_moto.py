"""Beside moto: KMS is answered here and every other service by moto, whichever is inside the other."""

from __future__ import annotations

import unittest
from contextlib import ExitStack

import boto3
import pytest
from moto import mock_aws

from pytest_kmsmock import mock_kms


def use_both() -> None:
    """Use four services; KMS in a way that tells who has answered."""
    kms = boto3.client("kms", region_name="us-east-1")
    key = kms.create_key()["KeyMetadata"]
    assert "CurrentKeyMaterialId" in key  # moto gives none
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"secret")["CiphertextBlob"]
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="name", Body=blob, ServerSideEncryption="aws:kms", SSEKMSKeyId=key["Arn"])
    table = boto3.resource("dynamodb", region_name="us-east-1").create_table(
        TableName="table",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    table.put_item(Item={"id": "1", "blob": s3.get_object(Bucket="bucket", Key="name")["Body"].read()})
    secrets = boto3.client("secretsmanager", region_name="us-east-1")
    secrets.create_secret(Name="name", SecretString="text", KmsKeyId=key["KeyId"])
    assert secrets.get_secret_value(SecretId="name")["SecretString"] == "text"
    stored = table.get_item(Key={"id": "1"})["Item"]["blob"].value
    assert kms.decrypt(CiphertextBlob=stored)["Plaintext"] == b"secret"
    identity = boto3.client("sts", region_name="us-east-1").get_caller_identity()
    assert identity["Account"] == key["AWSAccountId"]


@pytest.mark.parametrize("wire", [False, True])
@pytest.mark.parametrize("order", [("moto", "kms"), ("kms", "moto")], ids=":".join)
def test_nested_either_way(order, wire):
    with ExitStack() as stack:
        for name in order:
            stack.enter_context(mock_aws() if name == "moto" else mock_kms(wire=wire))
        use_both()


@mock_aws
@mock_kms
def test_decorators_with_moto_outside():
    use_both()


@mock_kms
@mock_aws
def test_decorators_with_moto_inside():
    use_both()


@pytest.fixture
def aws():
    with mock_aws():
        yield


def test_fixtures_with_moto_outside(aws, kms_mock):
    use_both()


def test_fixtures_with_moto_inside(kms_mock, aws):
    use_both()
    assert kms_mock.calls[0].operation == "CreateKey"


@mock_aws
def test_a_fixture_and_a_decorator(kms_mock):
    use_both()


@mock_aws
class TestClass:
    @pytest.mark.kms_mock
    def test_a_marked_method_of_a_class_of_motos(self):
        use_both()


@mock_aws
@mock_kms
class MotoOutside(unittest.TestCase):
    def setUp(self):
        use_both()  # moto's state begins anew for each test, or the table would be there already

    def test_one(self):
        pass

    def test_other(self):
        pass


@mock_kms
@mock_aws
class MotoInside(unittest.TestCase):
    def test_one(self):
        use_both()

    def test_other(self):
        use_both()


@mock_aws
@mock_kms
class MotoOutsideWithoutSetUp(unittest.TestCase):
    def test_one(self):
        use_both()

    def test_other(self):
        use_both()


def test_when_one_ends_the_other_goes_on():
    with mock_aws():
        with mock_kms():
            ours = boto3.client("kms", region_name="us-east-1")
            ours.create_key()
        motos = boto3.client("kms", region_name="us-east-1")
        assert motos.list_keys()["Keys"] == []  # moto answers KMS again, with its own keys
        assert boto3.client("s3", region_name="us-east-1").list_buckets()["Buckets"] == []
    with mock_kms(), mock_aws():
        boto3.client("kms", region_name="us-east-1").create_key()
        boto3.client("s3", region_name="us-east-1").list_buckets()
