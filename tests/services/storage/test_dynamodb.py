"""DynamoDB tables under a KMS key beside moto.

The message of an access denial is recorded from AWS; those of UpdateTable are from a public document of 2026.
"""

from __future__ import annotations

import pytest

ITEM = {"id": {"S": "1"}}


@pytest.fixture
def dynamodb(world):
    return world.client("dynamodb")


def create(dynamodb, key=None, **parameters):
    sse = {"Enabled": True, "SSEType": "KMS"} | ({} if key is None else {"KMSMasterKeyId": getattr(key, "arn", key)})
    return dynamodb.create_table(
        TableName="orders", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        **{"SSESpecification": sse, **parameters},
    )["TableDescription"]  # fmt: skip


def test_an_alias_is_resolved_once(world, dynamodb):
    key = world.kms.create_key(alias="alias/app")
    create(dynamodb, "alias/app")
    world.kms.client().update_alias(AliasName="alias/app", TargetKeyId=world.kms.create_key().id)
    dynamodb.put_item(TableName="orders", Item=ITEM)
    assert dynamodb.describe_table(TableName="orders")["Table"]["SSEDescription"]["KMSMasterKeyArn"] == key.arn
    assert world.kms.calls[-1].key.arn == key.arn
    assert world.kms.calls[-1].params["EncryptionContext"] == {
        "aws:dynamodb:tableName": "orders", "aws:dynamodb:subscriberId": "123456789012"
    }  # fmt: skip


def test_the_grant(world, dynamodb):
    key = world.kms.create_key()
    create(dynamodb, key)
    (grant,) = world.kms.client().list_grants(KeyId=key.id)["Grants"]
    assert grant["GranteePrincipal"] == grant["RetiringPrincipal"] == "dynamodb.us-east-1.amazonaws.com"
    assert "Decrypt" in grant["Operations"]
    assert grant["Constraints"] == {"EncryptionContextSubset": {
        "aws:dynamodb:tableName": "orders", "aws:dynamodb:subscriberId": "123456789012"}}  # fmt: skip


def test_what_dynamodb_does_by_its_grant(world, dynamodb):
    key = world.kms.create_key()
    create(dynamodb, key)
    made = world.kms.calls[-1]
    principal = "dynamodb.us-east-1.amazonaws.com"
    assert (made.operation, made.caller.arn) == ("GenerateDataKey", principal)
    dynamodb.delete_table(TableName="orders")
    retired = world.kms.calls[-1]
    assert (retired.operation, retired.caller.arn) == ("RetireGrant", principal)
    assert world.kms.client().list_grants(KeyId=key.id)["Grants"] == []
    with pytest.raises(dynamodb.exceptions.ResourceNotFoundException):
        dynamodb.delete_table(TableName="orders")


def test_only_grants_for_services(world, dynamodb):
    # the condition that the KMS Developer Guide recommends
    key = world.kms.create_key(policy=world.administered(
        world.allow(world.ROLE, None, "kms:DescribeKey"),
        world.allow(world.ROLE, {"Bool": {"kms:GrantIsForAWSResource": "true"}}, "kms:CreateGrant")))  # fmt: skip
    with world.as_role(world.ALL_BUT_KMS):
        create(dynamodb, key)
    assert len(world.kms.client().list_grants(KeyId=key.id)["Grants"]) == 1


@pytest.mark.parametrize("situation", ["disabled", "pending deletion", "deleted key"])
def test_a_table_whose_key_is_unusable(world, dynamodb, situation):
    world.kms.clock.freeze()
    key = world.kms.create_key()
    create(dynamodb, key)
    assert dynamodb.describe_table(TableName="orders")["Table"]["TableStatus"] == "ACTIVE"
    world.spoil(situation, key.arn, "dynamodb")
    table = dynamodb.describe_table(TableName="orders")["Table"]
    assert table["TableStatus"] == "INACCESSIBLE_ENCRYPTION_CREDENTIALS"
    assert table["SSEDescription"]["InaccessibleEncryptionDateTime"] == world.kms.clock.now()


def test_the_managed_key(world, dynamodb):
    with world.as_role(world.ALL_BUT_KMS):
        create(dynamodb)
        dynamodb.put_item(TableName="orders", Item=ITEM)
    table = dynamodb.describe_table(TableName="orders")["Table"]
    assert table["SSEDescription"]["KMSMasterKeyArn"] == world.kms.managed_key("dynamodb")


def test_tables_under_a_key_that_aws_owns(world, dynamodb):
    create(dynamodb, SSESpecification={"Enabled": False})
    dynamodb.put_item(TableName="orders", Item=ITEM)
    dynamodb.update_table(TableName="orders", BillingMode="PAY_PER_REQUEST")
    assert len(world.kms.calls) == 0
    key = world.kms.create_key()
    dynamodb.update_table(TableName="orders", SSESpecification={"Enabled": True, "KMSMasterKeyId": key.arn})
    table = dynamodb.update_table(TableName="orders", SSESpecification={"Enabled": False})["TableDescription"]
    assert "SSEDescription" not in table
    before = len(world.kms.calls)
    dynamodb.get_item(TableName="orders", Key=ITEM)
    with pytest.raises(dynamodb.exceptions.ResourceInUseException):
        create(dynamodb, "alias/none")
    with pytest.raises(dynamodb.exceptions.ResourceNotFoundException):
        dynamodb.put_item(TableName="none", Item=ITEM)
    dynamodb.delete_table(TableName="orders")
    assert len(world.kms.calls) == before


def test_another_key_for_a_table(world, dynamodb):
    first, second = world.kms.create_key(), world.kms.create_key()
    create(dynamodb, first)
    dynamodb.put_item(TableName="orders", Item=ITEM)
    sse = {"Enabled": True, "KMSMasterKeyId": second.arn}
    table = dynamodb.update_table(TableName="orders", SSESpecification=sse)["TableDescription"]
    assert table["SSEDescription"]["KMSMasterKeyArn"] == second.arn
    assert dynamodb.describe_table(TableName="orders")["Table"]["SSEDescription"]["KMSMasterKeyArn"] == second.arn
    world.kms.client().disable_key(KeyId=first.id)
    dynamodb.get_item(TableName="orders", Key=ITEM)
    made = [*world.kms.calls.of("GenerateDataKey"), *world.kms.calls.of("Decrypt")]
    assert [call.key.arn for call in made] == [first.arn, second.arn, first.arn, second.arn]
