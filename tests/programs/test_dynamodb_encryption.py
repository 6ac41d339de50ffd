"""The DynamoDB Encryption Client and credstash: KMS and DynamoDB at once, so this mock and moto at once."""

from __future__ import annotations

import boto3
import credstash
import pytest
from boto3.dynamodb.types import Binary
from dynamodb_encryption_sdk.encrypted.table import EncryptedTable
from dynamodb_encryption_sdk.exceptions import UnwrappingError
from dynamodb_encryption_sdk.material_providers.aws_kms import AwsKmsCryptographicMaterialsProvider
from moto import mock_aws


@pytest.fixture
def aws(kms_mock):
    with mock_aws():
        yield kms_mock


def table(name: str, key: str):
    return boto3.resource("dynamodb", region_name="us-east-1").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def test_items_encrypted_by_the_dynamodb_encryption_client(aws):
    plain = table("people", "id")
    key = aws.create_key()
    encrypted = EncryptedTable(
        table=plain, materials_provider=AwsKmsCryptographicMaterialsProvider(key_id=key.arn)
    )  # fmt: skip
    encrypted.put_item(Item={"id": "1", "name": "Ada"})
    assert isinstance(plain.get_item(Key={"id": "1"})["Item"]["name"], Binary)
    assert encrypted.get_item(Key={"id": "1"})["Item"] == {"id": "1", "name": "Ada"}
    (made, *_) = [call for call in aws.calls if call.operation == "GenerateDataKey"]
    assert made.encryption_context["id"] == "1"
    aws.client().disable_key(KeyId=key.arn)
    with pytest.raises(UnwrappingError, match="Failed to unwrap AWS KMS protected materials"):
        encrypted.get_item(Key={"id": "1"})


def test_secrets_of_credstash(aws):
    aws.create_key(alias="alias/credstash")
    credstash.createDdbTable(region="us-east-1", table="credential-store", tags=None)
    credstash.putSecret("database", "hunter2", version="1", context={"role": "web"}, region="us-east-1")
    assert credstash.getSecret("database", context={"role": "web"}, region="us-east-1") == "hunter2"
    with pytest.raises(credstash.KmsError, match="The encryption context provided may not match"):
        credstash.getSecret("database", context={"role": "mail"}, region="us-east-1")
