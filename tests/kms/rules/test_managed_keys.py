"""AWS managed keys and the predefined aliases."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from pytest_kmsmock import mock_kms
from pytest_kmsmock._kms.rules.managed_key_table import MANAGED_KEYS, key_policy
from pytest_kmsmock._kms.rules.managed_keys import predefined_aliases


def test_describing_a_predefined_alias_makes_its_key(kms_client):
    """API DescribeKey: KMS associates the alias with an AWS managed key."""
    key = kms_client.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    assert key["KeyManager"] == "AWS"
    assert key["Description"] == "Default key that protects my S3 objects when no other key is defined"
    assert (key["KeySpec"], key["KeyUsage"], key["Origin"]) == ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "AWS_KMS")
    assert (key["KeyState"], key["MultiRegion"]) == ("Enabled", False)
    again = kms_client.describe_key(KeyId="arn:aws:kms:us-east-1:123456789012:alias/aws/s3")["KeyMetadata"]
    assert again == key
    assert [entry["KeyId"] for entry in kms_client.list_keys()["Keys"]] == [key["KeyId"]]


def test_a_test_can_have_the_key_made(kms_mock, kms_client):
    made = kms_mock.managed_key("s3")
    assert made == kms_mock.managed_key("s3") == kms_client.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["Arn"]
    kms_client.list_aliases()  # now the others are there without a key
    assert kms_mock.managed_key("ebs") == kms_client.describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]["Arn"]
    with pytest.raises(
        ValueError, match=r"AWS has no alias alias/aws/coffee\. The services are: acm, appflow, backup, "
    ):
        kms_mock.managed_key("coffee")


def test_each_region_has_its_own(kms_mock):
    keys = [
        kms_mock.client(region=region).describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]
        for region in ("us-east-1", "eu-west-1")
    ]
    assert keys[0]["KeyId"] != keys[1]["KeyId"]


#: cloud-custodian, `test_kms_access_denied` (2021), `test_cross_account_kms_condition_keys_1` (2022) and two more.
LISTED = ["dynamodb", "ebs", "elasticfilesystem", "es", "glue", "kinesisvideo", "rds", "redshift", "s3", "ssm", "xray"]


def test_the_aliases_that_are_listed_before_there_is_a_key(kms_client):
    names = [f"alias/aws/{service}" for service in LISTED]
    assert kms_client.list_aliases()["Aliases"] == [
        {"AliasName": name, "AliasArn": f"arn:aws:kms:us-east-1:123456789012:{name}"} for name in names
    ]
    assert predefined_aliases() == names


@pytest.mark.parametrize("service", MANAGED_KEYS)
def test_every_service_has_a_key_and_its_alias_is_listed_then(kms_client, service):
    """FogSecurity/aws-managed-kms-keys has 39 of them; DescribeKey makes them."""
    name = f"alias/aws/{service}"
    key = kms_client.describe_key(KeyId=name)["KeyMetadata"]
    protects = MANAGED_KEYS[service].protects
    assert key["Description"] == f"Default key that protects my {protects} when no other key is defined"
    listed = {alias["AliasName"]: alias.get("TargetKeyId") for alias in kms_client.list_aliases()["Aliases"]}
    assert set(listed) == {f"alias/aws/{other}" for other in LISTED} | {name}
    assert listed[name] == key["KeyId"]
    assert kms_client.get_key_policy(KeyId=key["KeyId"])["Policy"] == key_policy(service, "123456789012", "us-east-1")


@pytest.mark.parametrize(
    ("service", "description"),
    [
        # cloud-custodian's recordings, 2021 to 2025
        pytest.param("elasticfilesystem", "EFS filesystems", id="efs-cloud-custodian"),
        pytest.param("sqs", "SQS messages", id="sqs-captured-2026-09"),
        pytest.param("codecommit", "CodeCommit repositories", id="codecommit-pgurnig/aws-cli"),
        # aquasecurity/cloudsploit's DescribeKey answers
        pytest.param("kinesisvideo", "kinesis video data", id="kinesisvideo-cloudsploit"),
        pytest.param("xray", "X-Ray data", id="xray-cloudsploit"),
    ],
)
def test_descriptions_that_are_recorded(kms_client, service, description):
    key = kms_client.describe_key(KeyId=f"alias/aws/{service}")["KeyMetadata"]
    assert key["Description"] == f"Default key that protects my {description} when no other key is defined"


@pytest.mark.parametrize("operation", ["GetKeyRotationStatus", "ListKeyRotations", "ListResourceTags"])
def test_what_the_owner_may_not_ask_of_the_key_for_certificates(kms_mock, kms_client, refusal, operation):
    """elastic/cloudbeat#1749 and prowler-cloud/prowler#1842 (2023), aws-nuke#550: the only key that refuses."""
    key = kms_mock.managed_key("acm")
    user = "arn:aws:iam::123456789012:user/Administrator"
    with refusal(
        "AccessDeniedException",
        f"User: {user} is not authorized to perform: kms:{operation} on resource: {key} because no resource-based "
        f"policy allows the kms:{operation} action",
    ):
        getattr(kms_client, xform_name(operation))(KeyId=key)
    assert kms_client.describe_key(KeyId=key)["KeyMetadata"]["Arn"] == key
    assert kms_client.list_grants(KeyId=key)["Grants"] == []


@pytest.mark.parametrize("service", [service for service in MANAGED_KEYS if service != "acm"])
def test_what_the_owner_may_ask_of_every_other_key(kms_mock, kms_client, service):
    key = kms_mock.managed_key(service)
    assert kms_client.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False  # aws/sqs, 2026-09
    assert kms_client.list_key_rotations(KeyId=key)["Rotations"] == []
    assert kms_client.list_resource_tags(KeyId=key)["Tags"] == []


def test_an_alias_of_a_service_that_does_not_exist(kms_client, refusal):
    text = "Alias arn:aws:kms:us-east-1:123456789012:alias/aws/coffee is not found."
    with refusal("NotFoundException", text):
        kms_client.describe_key(KeyId="alias/aws/coffee")


def test_another_accounts_predefined_alias_makes_no_key(kms_client, refusal):
    with refusal("AccessDeniedException"):
        kms_client.describe_key(KeyId="arn:aws:kms:us-east-1:111122223333:alias/aws/s3")
    with mock_kms(account="111122223333") as inner:
        assert inner.client().list_keys()["Keys"] == []


@pytest.mark.parametrize(
    ("region", "name", "via", "root"),
    [
        ("us-east-1", "ebs", "ec2.us-east-1.amazonaws.com", "arn:aws:iam::123456789012:root"),
        ("us-east-1", "ssm", "ssm.us-east-1.amazonaws.com", "arn:aws:iam::123456789012:root"),
        ("cn-north-1", "s3", "s3.cn-north-1.amazonaws.com.cn", "arn:aws-cn:iam::123456789012:root"),
        ("us-gov-west-1", "s3", "s3.us-gov-west-1.amazonaws.com", "arn:aws-us-gov:iam::123456789012:root"),
    ],
)
def test_the_policy_allows_use_through_the_service(kms_mock, region, name, via, root):
    """Developer Guide, "AWS managed keys"; condition key kms:ViaService."""
    client = kms_mock.client(region=region)
    key_id = client.describe_key(KeyId=f"alias/aws/{name}")["KeyMetadata"]["KeyId"]
    use, metadata = json.loads(client.get_key_policy(KeyId=key_id)["Policy"])["Statement"]
    assert use["Condition"] == {"StringEquals": {"kms:CallerAccount": "123456789012", "kms:ViaService": via}}
    assert metadata["Principal"] == {"AWS": root}


#: What changes a key or uses it directly -> the other parameters.
REFUSED: dict[str, dict[str, Any]] = {
    "CancelKeyDeletion": {},
    "CreateGrant": {"GranteePrincipal": "arn:aws:iam::123456789012:user/alice", "Operations": ["Decrypt"]},
    "DeleteImportedKeyMaterial": {},
    "DisableKey": {},
    "DisableKeyRotation": {},
    "EnableKey": {},
    "EnableKeyRotation": {},
    "Encrypt": {"Plaintext": b"text"},
    "GenerateDataKey": {"KeySpec": "AES_256"},
    "ImportKeyMaterial": {"ImportToken": b"token", "EncryptedKeyMaterial": b"material"},
    "PutKeyPolicy": {"Policy": "{}"},
    "ReplicateKey": {"ReplicaRegion": "eu-west-1"},
    "RevokeGrant": {"GrantId": "0" * 64},
    "RotateKeyOnDemand": {},
    "ScheduleKeyDeletion": {},
    "TagResource": {"Tags": [{"TagKey": "a", "TagValue": "b"}]},
    "UntagResource": {"TagKeys": ["a"]},
    "UpdateKeyDescription": {"Description": "mine"},
    "UpdatePrimaryRegion": {"PrimaryRegion": "eu-west-1"},
}
USES = {"CreateGrant", "Encrypt", "GenerateDataKey", "RevokeGrant"}


@pytest.mark.parametrize("operation", REFUSED)
def test_owners_neither_manage_nor_use_them(kms_client, refusal, operation):
    """What the key policies of FogSecurity/aws-managed-kms-keys do not allow, in the words recorded of `aws/acm`."""
    key = kms_client.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    with refusal(
        "AccessDeniedException",
        f"User: arn:aws:iam::123456789012:user/Administrator is not authorized to perform: kms:{operation} on "
        f"resource: {key['Arn']} because no resource-based policy allows the kms:{operation} action",
    ):
        getattr(kms_client, xform_name(operation))(KeyId=key["KeyId"], **REFUSED[operation])
    assert kms_client.describe_key(KeyId=key["KeyId"])["KeyMetadata"] == key


@pytest.mark.parametrize("operation", REFUSED.keys() - USES)
def test_owners_cannot_manage_them_without_policies_either(refusal, operation):
    with mock_kms(enforce_policies=False) as kms:
        key = kms.managed_key("s3")
        with refusal("AccessDeniedException", re.compile(f".* perform: kms:{operation} on resource: {key} because .*")):
            getattr(kms.client(), xform_name(operation))(KeyId=key, **REFUSED[operation])


@pytest.mark.parametrize(
    ("service", "is_allowed"), [("ebs", True), ("rds", True), ("s3", False), ("ssm", False), ("ses", False)]
)
def test_owners_revoke_the_grants_of_some_services(kms_mock, kms_client, service, is_allowed):
    """The recorded policies have kms:RevokeGrant where kms:CreateGrant is allowed through the service."""
    with pytest.raises(ClientError) as refused:
        kms_client.revoke_grant(KeyId=kms_mock.managed_key(service), GrantId="0" * 64)
    assert refused.value.response["Error"]["Code"] == ("NotFoundException" if is_allowed else "AccessDeniedException")
