"""Keys that moto's other services make, look up and list are those of the mock."""

from __future__ import annotations

import json
import sys
from types import ModuleType

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.cloudformation import parsing
from moto.kms.models import kms_backends
from moto.resourcegroupstaggingapi import models as tagging

from pytest_kmsmock import mock_kms
from pytest_kmsmock._mock import moto_keys
from pytest_kmsmock._moto import backend
from pytest_kmsmock._moto import kms as kms_module

REGION = "us-east-1"


def client(service: str, region: str = REGION):
    return boto3.client(service, region_name=region)


# --- default keys ---------------------------------------------------------------------------------------------------


def test_the_default_key_of_ebs(kms):
    arn = client("ec2").create_volume(AvailabilityZone=f"{REGION}a", Size=1, Encrypted=True)["KmsKeyId"]
    metadata = client("kms").describe_key(KeyId=arn)["KeyMetadata"]
    assert metadata["KeyManager"] == "AWS"
    assert metadata["Arn"] == client("kms").describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]["Arn"] == arn


def test_another_default_key_of_ebs(kms):
    key = kms.create_key(alias="alias/volumes")
    assert client("ec2").modify_ebs_default_kms_key_id(KmsKeyId="alias/volumes")["KmsKeyId"] == key.arn


def test_the_default_key_of_dynamodb(kms):
    table = client("dynamodb").create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        SSESpecification={"Enabled": True, "SSEType": "KMS"},
    )["TableDescription"]
    arn = table["SSEDescription"]["KMSMasterKeyArn"]
    metadata = client("kms").describe_key(KeyId=arn)["KeyMetadata"]
    assert (metadata["KeyManager"], metadata["Arn"]) == ("AWS", kms.managed_key("dynamodb"))


def test_the_key_of_a_master_password_of_rds(kms):
    made = client("rds").create_db_instance(
        DBInstanceIdentifier="db",
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        MasterUsername="admin",
        ManageMasterUserPassword=True,
        AllocatedStorage=20,
    )["DBInstance"]
    arn = made["MasterUserSecret"]["KmsKeyId"]
    assert client("kms").describe_key(KeyId=arn)["KeyMetadata"]["KeyManager"] == "AWS"


def test_what_moto_does_inside_is_not_among_the_calls(kms):
    client("ec2").create_volume(AvailabilityZone=f"{REGION}a", Size=1, Encrypted=True)
    assert [(call.operation, call.caller.forwarding_service) for call in kms.calls] == [
        ("GenerateDataKeyWithoutPlaintext", "ec2")
    ]


# --- the tagging API ------------------------------------------------------------------------------------------------


def test_the_tagging_api_finds_the_keys(kms):
    key = client("kms").create_key(Tags=[{"TagKey": "team", "TagValue": "blue"}])["KeyMetadata"]
    client("kms").create_key()
    client("kms").describe_key(KeyId="alias/aws/s3")
    tagging = client("resourcegroupstaggingapi")
    found = tagging.get_resources(ResourceTypeFilters=["kms"], TagFilters=[{"Key": "team"}])["ResourceTagMappingList"]
    assert found == [{"ResourceARN": key["Arn"], "Tags": [{"Key": "team", "Value": "blue"}]}]


def test_the_tagging_api_changes_tags(kms):
    key = client("kms").create_key(Tags=[{"TagKey": "team", "TagValue": "blue"}])["KeyMetadata"]
    tagging = client("resourcegroupstaggingapi")
    tagging.tag_resources(ResourceARNList=[key["Arn"]], Tags={"env": "test"})
    tagging.untag_resources(ResourceARNList=[key["Arn"]], TagKeys=["team"])
    assert client("kms").list_resource_tags(KeyId=key["KeyId"])["Tags"] == [{"TagKey": "env", "TagValue": "test"}]


def test_the_tagging_api_finds_motos_keys_without_a_mock():
    with mock_kms():
        pass
    with mock_aws():
        arn = client("kms").create_key(Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyMetadata"]["Arn"]
        found = client("resourcegroupstaggingapi").get_resources(ResourceTypeFilters=["kms"])["ResourceTagMappingList"]
        assert [entry["ResourceARN"] for entry in found] == [arn]


# --- CloudFormation -------------------------------------------------------------------------------------------------

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*", "Resource": "*"}
    ],
}


def template(key: dict | None = None, alias: dict | None = None) -> str:
    resources = {"Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": POLICY, **(key or {})}}}
    if alias is not None:
        resources["Alias"] = {
            "Type": "AWS::KMS::Alias",
            "Properties": {"AliasName": "alias/app", "TargetKeyId": {"Ref": "Key"}, **alias},
        }
    outputs = {
        "Ref": {"Value": {"Ref": "Key"}},
        "Arn": {"Value": {"Fn::GetAtt": ["Key", "Arn"]}},
        "KeyId": {"Value": {"Fn::GetAtt": ["Key", "KeyId"]}},
    }
    return json.dumps({"Resources": resources, "Outputs": outputs})


def create(body: str, region: str = REGION, name: str = "stack") -> dict[str, str]:
    cloudformation = client("cloudformation", region)
    cloudformation.create_stack(StackName=name, TemplateBody=body)
    return outputs(region, name)


def outputs(region: str = REGION, name: str = "stack") -> dict[str, str]:
    stack = client("cloudformation", region).describe_stacks(StackName=name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def test_a_key_of_a_stack_is_in_the_mock(kms):
    given = create(template({"Description": "of the stack", "Tags": [{"Key": "team", "Value": "blue"}]}, alias={}))
    metadata = client("kms").describe_key(KeyId="alias/app")["KeyMetadata"]
    assert given == {"Ref": metadata["KeyId"], "Arn": metadata["Arn"], "KeyId": metadata["KeyId"]}
    assert metadata["Description"] == "of the stack"
    assert json.loads(client("kms").get_key_policy(KeyId=metadata["KeyId"])["Policy"]) == POLICY
    assert client("kms").list_resource_tags(KeyId=metadata["KeyId"])["Tags"] == [{"TagKey": "team", "TagValue": "blue"}]
    blob = client("kms").encrypt(KeyId="alias/app", Plaintext=b"x")["CiphertextBlob"]
    assert client("kms").decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    assert [call.operation for call in kms.calls if call.operation == "CreateKey"] == []


def test_all_properties_of_a_key(kms):
    given = create(
        template({"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY", "Enabled": False, "MultiRegion": True})
    )
    metadata = client("kms").describe_key(KeyId=given["Ref"])["KeyMetadata"]
    assert (metadata["KeySpec"], metadata["KeyUsage"], metadata["Enabled"], metadata["MultiRegion"]) == (
        "ECC_NIST_P256",
        "SIGN_VERIFY",
        False,
        True,
    )


@pytest.mark.parametrize("rotated", [True, "true"])
def test_rotation(kms, rotated):
    key_id = create(template({"EnableKeyRotation": rotated, "RotationPeriodInDays": 90}))["Ref"]
    status = client("kms").get_key_rotation_status(KeyId=key_id)
    assert (status["KeyRotationEnabled"], status["RotationPeriodInDays"]) == (True, 90)


def test_an_update_changes_what_may_be_changed(kms):
    first = {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "1"}], "EnableKeyRotation": True}
    key_id = create(template(first, alias={}))["Ref"]
    policy = {**POLICY, "Id": "other"}
    second = {"Tags": [{"Key": "b", "Value": "2"}], "Description": "new", "Enabled": False, "KeyPolicy": policy}
    client("cloudformation").update_stack(StackName="stack", TemplateBody=template(second, alias={}))
    metadata = client("kms").describe_key(KeyId="alias/app")["KeyMetadata"]
    assert (metadata["KeyId"], metadata["Description"], metadata["Enabled"]) == (key_id, "new", False)
    assert client("kms").list_resource_tags(KeyId=key_id)["Tags"] == [{"TagKey": "b", "TagValue": "2"}]
    assert json.loads(client("kms").get_key_policy(KeyId=key_id)["Policy"])["Id"] == "other"
    client("cloudformation").update_stack(StackName="stack", TemplateBody=template({}, alias={}))
    assert client("kms").describe_key(KeyId="alias/app")["KeyMetadata"]["Enabled"]
    assert client("kms").list_resource_tags(KeyId=key_id)["Tags"] == []
    assert not client("kms").get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"]


def test_what_a_key_is_cannot_be_changed(kms):
    # "If you change the value of the KeySpec property on an existing KMS key, the update request fails":
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html
    create(template())
    with pytest.raises(ClientError, match="KeySpec cannot be changed after creation"):
        client("cloudformation").update_stack(StackName="stack", TemplateBody=template({"KeySpec": "RSA_2048"}))


def test_an_alias_gets_another_key_and_another_name(kms):
    create(template(alias={}))
    other = kms.create_key().id
    client("cloudformation").update_stack(StackName="stack", TemplateBody=template(alias={"TargetKeyId": other}))
    assert client("kms").describe_key(KeyId="alias/app")["KeyMetadata"]["KeyId"] == other
    body = template(alias={"AliasName": "alias/renamed", "TargetKeyId": other})
    client("cloudformation").update_stack(StackName="stack", TemplateBody=body)
    names = [alias["AliasName"] for alias in client("kms").list_aliases(KeyId=other)["Aliases"]]
    assert names == ["alias/renamed"]


@pytest.mark.parametrize(("given", "days"), [({}, 30), ({"PendingWindowInDays": 7}, 7)])
def test_the_key_of_a_deleted_stack_is_pending_deletion(kms, given, days):
    key_id = create(template(given, alias={}))["Ref"]
    client("cloudformation").delete_stack(StackName="stack")
    metadata = client("kms").describe_key(KeyId=key_id)["KeyMetadata"]
    assert metadata["KeyState"] == "PendingDeletion"
    assert round((metadata["DeletionDate"].timestamp() - kms.clock.timestamp()) / 86400) == days
    with pytest.raises(ClientError, match="is not found"):
        client("kms").describe_key(KeyId="alias/app")


def test_a_stack_is_deleted_after_its_key_was(kms):
    key_id = create(template(alias={}))["Ref"]
    client("kms").delete_alias(AliasName="alias/app")
    client("kms").schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    client("cloudformation").delete_stack(StackName="stack")
    assert client("kms").describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"] == "PendingDeletion"


def test_a_replica_key(kms):
    primary = create(template({"MultiRegion": True}))["Arn"]
    properties = {"PrimaryKeyArn": primary, "KeyPolicy": POLICY, "Description": "replica"}
    body = {
        "Resources": {"Replica": {"Type": "AWS::KMS::ReplicaKey", "Properties": properties}},
        "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Replica", "Arn"]}}},
    }
    given = create(json.dumps(body), "eu-west-1", "replica")
    assert given["Arn"] == primary.replace("us-east-1", "eu-west-1")
    metadata = client("kms", "eu-west-1").describe_key(KeyId=given["Arn"])["KeyMetadata"]
    assert (metadata["MultiRegionConfiguration"]["MultiRegionKeyType"], metadata["Description"]) == (
        "REPLICA",
        "replica",
    )


def test_what_kms_refuses_the_stack_refuses(kms):
    with pytest.raises(ClientError, match=r"AWS::KMS::Key: .*\(ValidationException\)"):
        create(template({"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "SIGN_VERIFY"}))
    assert len(kms.keys) == 0


def test_attributes_that_there_are_not(kms):
    body = json.loads(template())
    body["Outputs"] = {"Wrong": {"Value": {"Fn::GetAtt": ["Key", "Name"]}}}
    with pytest.raises(ClientError):
        create(json.dumps(body))
    del body["Outputs"]
    body["Resources"]["Queue"] = {
        "Type": "AWS::SQS::Queue",
        "Properties": {"QueueName": {"Fn::GetAtt": ["Key", "Name"]}},
    }
    with pytest.raises(ClientError):
        create(json.dumps(body), name="other")


def test_moto_makes_its_own_keys_without_a_mock():
    with mock_kms():
        pass
    with mock_aws():
        body = json.dumps({"Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": POLICY}}}})
        client("cloudformation").create_stack(StackName="stack", TemplateBody=body)
        assert len(kms_backends["123456789012"][REGION].keys) == 1


# --- the backend itself ---------------------------------------------------------------------------------------------


@pytest.fixture(name="backend")
def motos_backend(kms):
    return kms_backends["123456789012"][REGION]


def test_a_backend_has_the_keys_of_the_mock(kms, backend):
    key = kms.create_key(alias="alias/app", description="text", rotation_period_in_days=90)
    [found] = backend.list_keys()
    assert backend.keys.keys() == {key.id}
    assert (found.arn, found.description, found.key_rotation_status) == (key.arn, "text", True)
    assert list(found.aliases) == ["alias/app"]
    assert [alias.alias_name for alias in backend.list_aliases()] == ["alias/app"]
    assert list(backend.list_aliases("another")) == []
    assert found.aliases["alias/app"].alias_arn == key.arn.replace(f"key/{key.id}", "alias/app")
    assert backend.get_key_id_from_alias("alias/app") == key.id
    assert found.to_dict()["KeyMetadata"]["KeyId"] == key.id


def test_a_backend_changes_the_keys_of_the_mock(kms, backend):
    key = backend.create_key(None, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "text", [{"TagKey": "a", "TagValue": "b"}])
    other = kms.create_key()
    assert backend.list_resource_tags(key.arn) == {"Tags": [{"TagKey": "a", "TagValue": "b"}]}
    assert not backend.alias_exists("alias/app")
    assert backend.create_alias(key.id, "alias/app").target_key_id == key.id
    assert backend.alias_exists("alias/app")
    assert backend.update_alias(other.id, "alias/app").target_key_id == other.id
    backend.delete_alias("alias/app")
    assert not backend.alias_exists("alias/app")
    backend.delete_key(key.id)
    assert client("kms").describe_key(KeyId=key.id)["KeyMetadata"]["KeyState"] == "PendingDeletion"


def test_a_backend_has_every_region_and_says_what_kms_says(kms, backend):
    assert "eu-west-1" in kms_backends["123456789012"]
    with pytest.raises(Exception, match="is not found"):
        backend.describe_key("alias/none")


@pytest.mark.parametrize("service", ["acm", "ebs", "kafka", "lambda", "workspaces"])
def test_a_backend_has_the_managed_key_of_every_service(kms, backend, service):
    """FogSecurity/aws-managed-kms-keys: 39 services have one."""
    key = backend.describe_key(f"alias/aws/{service}")
    assert (key.arn, key.key_manager, key.key_rotation_status) == (kms.managed_key(service), "AWS", False)
    assert json.loads(key.policy)["Id"].startswith("auto-")


def test_accounts_have_backends_of_their_own(kms):
    made = kms_backends["999999999999"][REGION].create_key(None, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "", None)
    assert made.arn.split(":")[4] == "999999999999"
    assert len(kms.keys) == 0


def test_laying_the_seams_again_changes_nothing(kms):
    def seams():
        return (
            type(kms_backends),
            parsing.resource_class_from_type,
            getattr(tagging, "iter_taggable_backends", None),
        )

    before = seams()
    moto_keys.install()
    assert seams() == before


def test_the_tagging_api_of_an_older_moto_reads_the_backend_itself():
    backend.install_tagging(ModuleType("moto.resourcegroupstaggingapi.models"))


def test_a_list_of_many_pages(kms):
    made = {kms.create_key().id for _ in range(3)}
    names = kms_module.pages(Paged(), "123456789012", REGION, "ListKeys", "Keys")
    assert {entry["KeyId"] for entry in names} == made


class Paged(moto_keys.ActiveKms):
    """Gives pages of one key."""

    def call(self, account, region, operation, /, **params):
        return super().call(account, region, operation, Limit=1, **params)


def test_properties_that_stay_as_they_are(kms):
    given = {"Tags": [{"Key": "a", "Value": "1"}], "Enabled": False}
    key_id = create(template(given))["Ref"]
    client("cloudformation").update_stack(
        StackName="stack", TemplateBody=template({**given, "Tags": [{"Key": "b", "Value": "1"}], "KeyPolicy": None})
    )
    client("cloudformation").update_stack(StackName="stack", TemplateBody=template({"Enabled": True}))
    assert client("kms").describe_key(KeyId=key_id)["KeyMetadata"]["Enabled"]


def test_what_other_services_ask_for_costs_the_same_among_many_keys(kms, backend):
    def calls_made() -> int:
        count = 0

        def trace(*_: object) -> None:
            nonlocal count
            count += 1

        before = sys.getprofile()
        sys.setprofile(trace)
        try:
            backend.describe_key("alias/app")
        finally:
            sys.setprofile(before)
        return count

    kms.create_key(alias="alias/app")
    calls_made()
    few = calls_made()
    for _ in range(100):
        kms.create_key()
    assert calls_made() <= few + 5  # a date or a lookup more
