"""AWS managed keys and the predefined aliases."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from pytest_kmsmock import mock_kms
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
    with pytest.raises(ValueError, match=r"AWS has no alias alias/aws/coffee\. The services are: acm, backup, "):
        kms_mock.managed_key("coffee")


def test_each_region_has_its_own(kms_mock):
    keys = [
        kms_mock.client(region=region).describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]
        for region in ("us-east-1", "eu-west-1")
    ]
    assert keys[0]["KeyId"] != keys[1]["KeyId"]


@pytest.mark.parametrize("name", predefined_aliases())
def test_every_predefined_alias(kms_client, name):
    description = kms_client.describe_key(KeyId=name)["KeyMetadata"]["Description"]
    assert description.startswith("Default key that protects my ")


def test_a_service_that_is_not_there(kms_client, refusal):
    text = "Alias arn:aws:kms:us-east-1:123456789012:alias/aws/coffee is not found."
    with refusal("NotFoundException", text):
        kms_client.describe_key(KeyId="alias/aws/coffee")


def test_another_accounts_predefined_alias_makes_no_key(kms_client, refusal):
    with refusal("AccessDeniedException"):
        kms_client.describe_key(KeyId="arn:aws:kms:us-east-1:111122223333:alias/aws/s3")
    with mock_kms(account_id="111122223333") as inner:
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


@pytest.mark.parametrize(
    ("operation", "request_members"),
    [
        ("disable_key", {}),
        ("enable_key", {}),
        ("schedule_key_deletion", {}),
        ("cancel_key_deletion", {}),
        ("update_key_description", {"Description": "mine"}),
    ],
)
def test_owners_cannot_manage_them(kms_client, refusal, operation, request_members):
    key = kms_client.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    with refusal("AccessDeniedException"):
        getattr(kms_client, operation)(KeyId=key["KeyId"], **request_members)
    assert kms_client.describe_key(KeyId=key["KeyId"])["KeyMetadata"] == key


def test_they_rotate_every_year(kms_mock, kms_client):
    """Developer Guide, "AWS managed keys": rotated automatically every year."""
    key_id = kms_client.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["KeyId"]
    record = kms_mock._service.state.region("123456789012", "us-east-1").keys[key_id]
    assert (record.rotation.period_days, record.rotation.next_date) == (365, record.created + timedelta(days=365))


def test_owners_cannot_manage_them_without_policies_either(refusal):
    with mock_kms(enforce_policies=False) as kms:
        arn = kms.managed_key("s3")
        with refusal("AccessDeniedException"):
            kms.client().disable_key(KeyId=arn)
