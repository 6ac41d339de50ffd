"""AWS Secrets Manager beside moto. Calls, codes and messages: captured from AWS, 2026-09."""

from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from moto import mock_aws

from pytest_kmsmock import mock_kms

NOT_ALLOWED = "Access to KMS is not allowed"


@pytest.fixture
def secrets(world):
    return world.client("secretsmanager")


def create(secrets, key=None, name="db", **parameters):
    named = {} if key is None else {"KmsKeyId": getattr(key, "arn", key)}
    return secrets.create_secret(Name=name, SecretString="s", **named, **parameters)


def operations(world):
    return [call.operation for call in world.kms.calls if call.caller.via]


def test_what_is_no_key_id(world, secrets):
    # captured 2026-09: in quotes
    with pytest.raises(secrets.exceptions.InvalidParameterException) as denied:
        create(secrets, "not-a-key")
    assert world.error_of(denied)[2].startswith(
        "The operation failed because of an invalid KMS key: Invalid keyId 'not-a-key' (Service: AWSKMS; "
    )


def test_describing_needs_no_key(world, secrets):
    create(secrets, world.kms.create_key())
    with world.as_role(world.ALL_BUT_KMS):
        secrets.describe_secret(SecretId="db")
    assert len(operations(world)) == 3


def test_nested_either_way(either_world):
    secrets = either_world.client("secretsmanager")
    key = either_world.kms.create_key()
    create(secrets, key)
    with either_world.as_role(either_world.ALL_BUT_KMS), pytest.raises(ClientError, match=NOT_ALLOWED) as denied:
        secrets.get_secret_value(SecretId="db")
    assert "kms:Decrypt" in str(either_world.kms.explain(denied))


def test_the_context_is_the_version(world, secrets):
    key = world.kms.create_key()
    made = create(secrets, key)
    secrets.get_secret_value(SecretId="db")
    contexts = [call.params["EncryptionContext"] for call in world.kms.calls]
    tried = {"SecretARN": made["ARN"], "SecretVersionId": "RequestToValidateKeyAccess"}
    version = {"SecretARN": made["ARN"], "SecretVersionId": made["VersionId"]}
    assert contexts == [tried, tried, version, version]
    assert world.kms.calls[-1].params["CiphertextBlob"] == world.kms.calls[-2].result["CiphertextBlob"]


def test_a_secret_without_a_value_only_tries_the_key(world, secrets):
    secrets.create_secret(Name="empty", KmsKeyId=world.kms.create_key().arn)
    assert operations(world) == ["GenerateDataKey", "Decrypt"]
    secrets.create_secret(Name="none")
    secrets.update_secret(SecretId="none", Description="d")
    assert len(operations(world)) == 2


def test_the_managed_key(world, secrets):
    with world.as_role(world.ALL_BUT_KMS):
        arn = create(secrets)["ARN"]
        secrets.get_secret_value(SecretId=arn)
    assert {call.key.arn for call in world.kms.calls} == {world.kms.managed_key("secretsmanager")}
    stranger = f"arn:aws:iam::{world.OTHER_ACCOUNT}:user/mallory"
    world.kms.iam.attach(stranger, world.EVERYTHING)
    with world.kms.as_principal(stranger), pytest.raises(ClientError, match=NOT_ALLOWED):
        secrets.get_secret_value(SecretId=arn)


def test_putting_needs_no_decrypt(world, secrets):
    create(secrets, world.kms.create_key())
    generate = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:Generate*", "Resource": "*"}]}
    with world.as_role(generate):
        token = secrets.put_secret_value(SecretId="db", SecretString="new")["VersionId"]
        with pytest.raises(ClientError, match=NOT_ALLOWED):  # the same token again is compared with what is there
            secrets.put_secret_value(SecretId="db", SecretString="new", ClientRequestToken=token)


def test_updating_the_value(world, secrets):
    create(secrets, world.kms.create_key())
    secrets.update_secret(SecretId="db", SecretString="new")
    assert operations(world)[3:] == ["GenerateDataKey"]


def test_changing_the_key(world, secrets):
    # captured 2026-09: versions with stages of Secrets Manager's own open with either key
    old, new = world.kms.create_key(), world.kms.create_key()
    create(secrets, old)
    before = len(world.kms.calls)
    secrets.update_secret(SecretId="db", KmsKeyId=new.arn)
    made = [(call.operation, call.key.arn) for call in world.kms.calls[before:]]
    assert made == [("GenerateDataKey", new.arn), ("Decrypt", new.arn), ("Decrypt", old.arn),
                    ("GenerateDataKey", new.arn)]  # fmt: skip
    secrets.get_secret_value(SecretId="db")
    assert world.kms.calls[-1].key.arn == new.arn
    world.kms.client().disable_key(KeyId=new.id)
    secrets.get_secret_value(SecretId="db")
    assert world.kms.calls[-1].key.arn == old.arn
    world.kms.client().disable_key(KeyId=old.id)
    with pytest.raises(secrets.exceptions.DecryptionFailure):
        secrets.get_secret_value(SecretId="db")
    with pytest.raises(secrets.exceptions.EncryptionFailure, match="is disabled"):
        secrets.put_secret_value(SecretId="db", SecretString="new")


def test_who_may_not_decrypt_with_the_old_key_changes_it_all_the_same(world, secrets):
    # captured 2026-09: success, and nothing is encrypted anew
    old = world.kms.create_key(policy=world.administered())
    new = world.kms.create_key()
    create(secrets, old)
    with world.as_role():
        secrets.update_secret(SecretId="db", KmsKeyId=new.arn)
        with pytest.raises(ClientError, match=NOT_ALLOWED):
            secrets.get_secret_value(SecretId="db")
        secrets.put_secret_value(SecretId="db", SecretString="new")
        assert secrets.get_secret_value(SecretId="db")["SecretString"] == "new"


def test_the_keys_of_versions(world, secrets):
    # the name of the managed key: recorded, 2023 to 2026; two keys after UpdateSecret: captured 2026-09
    old, new = world.kms.create_key(alias="alias/old"), world.kms.create_key()

    def keys():
        listed = secrets.list_secret_version_ids(SecretId="db")["Versions"]
        return {tuple(each["VersionStages"]): each["KmsKeyIds"] for each in listed}

    create(secrets)
    assert keys() == {("AWSCURRENT",): ["DefaultEncryptionKey"]}
    secrets.update_secret(SecretId="db", KmsKeyId="alias/old")
    assert keys() == {("AWSCURRENT",): [old.arn, "DefaultEncryptionKey"]}
    secrets.update_secret(SecretId="db", KmsKeyId=new.arn)
    secrets.put_secret_value(SecretId="db", SecretString="new")
    assert keys() == {("AWSPREVIOUS",): [new.arn, old.arn], ("AWSCURRENT",): [new.arn]}
    secrets.delete_secret(SecretId="db")
    assert "KmsKeyIds" not in secrets.list_secret_version_ids(SecretId="db")["Versions"][0]


def test_the_keys_of_versions_from_before_the_mock():
    with mock_aws():
        secrets = boto3.client("secretsmanager", region_name="us-east-1")
        create(secrets)
        create(secrets, "alias/app", "app")
        with mock_kms():
            listed = [secrets.list_secret_version_ids(SecretId=name)["Versions"][0] for name in ("db", "app")]
    assert [each["KmsKeyIds"] for each in listed] == [["DefaultEncryptionKey"], ["alias/app"]]


def test_a_batch(world, secrets):
    good, bad = world.kms.create_key(), world.kms.create_key(policy=world.administered())
    create(secrets, good, "good")
    refused = create(secrets, bad, "bad")["ARN"]
    with world.as_role():
        answer = secrets.batch_get_secret_value(SecretIdList=["good", "bad"])
    assert [value["Name"] for value in answer["SecretValues"]] == ["good"]
    assert answer["Errors"] == [
        {"SecretId": refused, "ErrorCode": "AccessDeniedException", "Message": NOT_ALLOWED}
    ]  # fmt: skip


def test_a_rotation_itself_needs_no_key(world, secrets):
    # User Guide: the rotation function gets and puts the values, as its own role
    create(secrets, world.kms.create_key())
    with world.as_role(world.ALL_BUT_KMS):
        secrets.rotate_secret(SecretId="db", RotationRules={"AutomaticallyAfterDays": 30})
    assert len(operations(world)) == 3


def test_replicas(world, secrets):
    there = world.kms.create_key(region="eu-west-1")
    secrets.create_secret(
        Name="db", SecretString="s", AddReplicaRegions=[{"Region": "eu-west-1", "KmsKeyId": there.arn}]
    )
    assert [(call.operation, call.region, call.caller.via_service(call.region)) for call in world.kms.calls] == [
        ("GenerateDataKey", "us-east-1", "secretsmanager.us-east-1.amazonaws.com"),
        ("Decrypt", "us-east-1", "secretsmanager.us-east-1.amazonaws.com"),
        ("GenerateDataKey", "eu-west-1", "secretsmanager.eu-west-1.amazonaws.com"),
    ]
    elsewhere = world.client("secretsmanager", "eu-west-1")
    assert elsewhere.get_secret_value(SecretId="db")["SecretString"] == "s"
    assert world.kms.calls[-1].key.arn == there.arn
    answer = secrets.replicate_secret_to_regions(
        SecretId="db", AddReplicaRegions=[{"Region": "eu-north-1", "KmsKeyId": "alias/none"}]
    )
    failed = answer["ReplicationStatus"][-1]
    assert (failed["Region"], failed["Status"]) == ("eu-north-1", "Failed")
    assert "alias/none is not found" in failed["StatusMessage"]


def test_replicas_of_a_secret_that_is_not_created(world, secrets):
    replicas = [{"Region": "eu-west-1"}]
    with pytest.raises(secrets.exceptions.InvalidParameterException):
        secrets.create_secret(Name="db", SecretString="s", KmsKeyId="alias/none", AddReplicaRegions=replicas)
    for region in ("us-east-1", "eu-west-1"):
        assert world.client("secretsmanager", region).list_secrets()["SecretList"] == []


def test_the_key_of_a_replica(world, secrets):
    # ReplicationStatusType: "KmsKeyId: Can be an ARN, Key ID, or Alias"; a new version is under it, too
    there = world.kms.create_key(region="eu-west-1", alias="alias/there")
    replicas = [{"Region": "eu-west-1", "KmsKeyId": "alias/there"}, {"Region": "eu-north-1"}]
    secrets.create_secret(Name="db", SecretString="s")
    answer = secrets.replicate_secret_to_regions(SecretId="db", AddReplicaRegions=replicas)
    keys = ["alias/there", "alias/aws/secretsmanager"]
    assert [state["KmsKeyId"] for state in answer["ReplicationStatus"]] == keys
    described = secrets.describe_secret(SecretId="db")["ReplicationStatus"]
    assert [state["KmsKeyId"] for state in described] == keys
    secrets.put_secret_value(SecretId="db", SecretString="t")
    elsewhere = world.client("secretsmanager", "eu-west-1")
    assert elsewhere.get_secret_value(SecretId="db")["SecretString"] == "t"
    world.kms.client(region="eu-west-1").disable_key(KeyId=there.id)
    with pytest.raises(elsewhere.exceptions.DecryptionFailure, match="is disabled"):
        elsewhere.get_secret_value(SecretId="db")


def test_what_is_not_there(world, secrets):
    for call in (
        lambda: secrets.get_secret_value(SecretId="none"),
        lambda: secrets.put_secret_value(SecretId="none", SecretString="s"),
        lambda: secrets.update_secret(SecretId="none", KmsKeyId="alias/none"),
    ):
        with pytest.raises(secrets.exceptions.ResourceNotFoundException):
            call()
    assert world.made() == []


def test_a_stubbed_client_is_left_alone(world):
    secrets = world.client("secretsmanager")
    with Stubber(secrets) as stubber:
        stubber.add_response("get_secret_value", {"SecretString": "s"})
        secrets.get_secret_value(SecretId="db")
    assert world.made() == []
