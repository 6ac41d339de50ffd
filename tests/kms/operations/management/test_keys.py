"""CreateKey, DescribeKey, ListKeys, EnableKey, DisableKey, UpdateKeyDescription and deletion."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone

import pytest
from botocore.loaders import Loader

from pytest_kmsmock import mock_kms
from pytest_kmsmock._kms.api.key_specs import KEY_SPECS
from pytest_kmsmock._kms.operations.management import keys

EXAMPLES = Loader().load_service_model("kms", "examples-1")["examples"]
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
SINGLE = [example for example in EXAMPLES["CreateKey"] if "CustomKeyStoreId" not in example["input"]]


def metadata(client, key_id):
    return client.describe_key(KeyId=key_id)["KeyMetadata"]


# --- CreateKey ---------------------------------------------------------------------------------------------------


@mock_kms(account="111122223333", region="us-east-2")
@pytest.mark.parametrize("example", [pytest.param(example, id=example["title"]) for example in SINGLE])
def test_the_examples_of_the_documentation(example):
    """botocore's examples-1.json, which the API reference of CreateKey prints.

    What they leave to chance is compared by its form. CurrentKeyMaterialId is newer than the examples.
    """
    from botocore.session import Session

    client = Session().create_client("kms", region_name="us-east-2")
    created = client.create_key(**example["input"])["KeyMetadata"]
    expected = example["output"]["KeyMetadata"]
    key_id = created["KeyId"]
    multi_region = bool(example["input"].get("MultiRegion"))
    assert re.fullmatch("mrk-[0-9a-f]{32}" if multi_region else UUID, key_id)
    arn = f"arn:aws:kms:us-east-2:111122223333:key/{key_id}"
    by_chance = {"KeyId": key_id, "Arn": arn, "CreationDate": created["CreationDate"]}
    if multi_region:
        related = {
            "MultiRegionKeyType": "PRIMARY",
            "PrimaryKey": {"Arn": arn, "Region": "us-east-2"},
            "ReplicaKeys": [],
        }
        by_chance["MultiRegionConfiguration"] = related
    material_id = created.pop("CurrentKeyMaterialId", None)
    assert created == expected | by_chance
    # API KeyMetadata: "present for symmetric encryption keys with AWS_KMS or EXTERNAL origin", once there is material
    symmetric = created["KeySpec"] == "SYMMETRIC_DEFAULT" and created["Origin"] == "AWS_KMS"
    assert bool(material_id and re.fullmatch("[0-9a-f]{64}", material_id)) is symmetric
    described = metadata(client, key_id)
    described.pop("CurrentKeyMaterialId", None)
    assert described == created


def test_the_creation_date_is_now_to_the_millisecond(kms_mock, kms_client):
    kms_mock.clock.freeze("2024-05-06T07:08:09.123Z")
    created = kms_client.create_key()["KeyMetadata"]["CreationDate"]
    assert created == datetime(2024, 5, 6, 7, 8, 9, 123_000, timezone.utc)


def test_each_call_makes_another_key(kms_client):
    made = [kms_client.create_key()["KeyMetadata"] for _ in range(3)]
    assert len({key["KeyId"] for key in made}) == 3
    assert len({key["CurrentKeyMaterialId"] for key in made}) == 3


def test_description_tags_policy_and_bypass_are_accepted(kms_client):
    root = "arn:aws:iam::123456789012:root"
    policy = json.dumps(
        {"Statement": [{"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}]}
    )
    tags = [{"TagKey": "Purpose", "TagValue": "Test"}, {"TagKey": "empty", "TagValue": ""}]
    created = kms_client.create_key(
        Description="for tests", Tags=tags, Policy=policy, BypassPolicyLockoutSafetyCheck=True
    )["KeyMetadata"]
    assert created["Description"] == "for tests"
    assert kms_client.list_resource_tags(KeyId=created["KeyId"])["Tags"] == tags
    shown = kms_client.get_key_policy(KeyId=created["KeyId"])["Policy"]
    assert shown.startswith('{\n  "Statement" : [ {\n    "Effect" : "Allow",\n')  # as KMS writes it
    assert json.loads(shown) == json.loads(policy)


def test_every_spec_with_every_usage(kms_client):
    """API CreateKey, KeyUsage: which key specs go with which."""
    allowed = {
        "SYMMETRIC_DEFAULT": {"ENCRYPT_DECRYPT"},
        **{f"RSA_{bits}": {"ENCRYPT_DECRYPT", "SIGN_VERIFY"} for bits in (2048, 3072, 4096)},
        **{f"ECC_NIST_P{bits}": {"SIGN_VERIFY", "KEY_AGREEMENT"} for bits in (256, 384, 521)},
        "ECC_SECG_P256K1": {"SIGN_VERIFY"},
        "ECC_NIST_EDWARDS25519": {"SIGN_VERIFY"},
        **{f"HMAC_{bits}": {"GENERATE_VERIFY_MAC"} for bits in (224, 256, 384, 512)},
        **{f"ML_DSA_{level}": {"SIGN_VERIFY"} for level in (44, 65, 87)},
        **{f"ML_KEM_{size}": {"ENCAPSULATE_DECAPSULATE"} for size in (512, 768, 1024)},
    }
    usages = {"ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT", "ENCAPSULATE_DECAPSULATE"}
    for spec, fitting in allowed.items():
        for usage in fitting:
            created = kms_client.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]
            assert (created["KeySpec"], created["KeyUsage"], created["KeyState"]) == (spec, usage, "Enabled")
        for usage in usages - fitting:
            with pytest.raises(kms_client.exceptions.ClientError) as refused:
                kms_client.create_key(KeySpec=spec, KeyUsage=usage)
            error = refused.value.response["Error"]
            text = f"KeyUsage {usage} is not compatible with KeySpec {spec}"  # local-kms (B)
            assert (error["Code"], error["Message"]) == ("ValidationException", text)
    assert allowed.keys() == KEY_SPECS.keys() - {"SM2"}


@pytest.mark.parametrize("usage", ["ENCRYPT_DECRYPT", "SIGN_VERIFY", "KEY_AGREEMENT"])
def test_sm2_is_for_china(kms_mock, usage):
    created = kms_mock.client(region="cn-north-1").create_key(KeySpec="SM2", KeyUsage=usage)["KeyMetadata"]
    assert created["Arn"].startswith("arn:aws-cn:kms:cn-north-1:")
    with pytest.raises(kms_mock.client().exceptions.UnsupportedOperationException):
        kms_mock.client().create_key(KeySpec="SM2", KeyUsage=usage)


def test_ml_kem_is_not_for_china(kms_mock, refusal):
    """API CreateKey: "The ML-KEM key specs are not available in China Regions"."""
    with refusal("UnsupportedOperationException"):
        kms_mock.client(region="cn-north-1").create_key(KeySpec="ML_KEM_768", KeyUsage="ENCAPSULATE_DECAPSULATE")


@pytest.mark.parametrize("spec", sorted(KEY_SPECS.keys() - {"SYMMETRIC_DEFAULT", "SM2"}))
def test_the_usage_is_required_for_all_but_symmetric_keys(kms_client, refusal, spec):
    text = "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."
    with refusal("ValidationException", text):
        kms_client.create_key(KeySpec=spec)


def test_the_deprecated_name_of_the_key_spec(kms_client, refusal):
    created = kms_client.create_key(CustomerMasterKeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    assert created["KeySpec"] == created["CustomerMasterKeySpec"] == "ECC_NIST_P256"
    text = (  # quoted in several code bases
        "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated."
    )
    with refusal("ValidationException", text):
        kms_client.create_key(KeySpec="SYMMETRIC_DEFAULT", CustomerMasterKeySpec="SYMMETRIC_DEFAULT")


@pytest.mark.parametrize(
    ("spec", "usage"),
    [("ML_DSA_44", "SIGN_VERIFY"), ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY"), ("ML_KEM_512", "ENCAPSULATE_DECAPSULATE")],
)
def test_newer_specs_show_the_deprecated_name_too(kms_client, spec, usage):
    """Though the enumeration lacks them: example output for ML_DSA_65 in the AWS Security Blog, "How to create
    post-quantum signatures using AWS KMS and ML-DSA"."""
    assert kms_client.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["CustomerMasterKeySpec"] == spec


@pytest.mark.parametrize("origin", ["AWS_KMS", "EXTERNAL"])
@pytest.mark.parametrize(("member", "value"), [("CustomKeyStoreId", "cks-1"), ("XksKeyId", "key")])
def test_key_store_members_need_a_key_store_origin(kms_client, refusal, origin, member, value):
    with refusal("ValidationException", f"{member} is not valid for a KMS key with Origin {origin}."):  # (B)
        kms_client.create_key(Origin=origin, **{member: value})


def test_a_multi_region_key_of_external_origin(kms_client):
    created = kms_client.create_key(MultiRegion=True, Origin="EXTERNAL")["KeyMetadata"]
    assert (created["KeyState"], created["MultiRegion"]) == ("PendingImport", True)


def test_the_quota_of_keys_leaves_aws_managed_keys_out(kms_client, refusal, monkeypatch):
    monkeypatch.setattr(keys, "KEYS_PER_REGION", 2)
    kms_client.describe_key(KeyId="alias/aws/s3")
    first = kms_client.create_key()["KeyMetadata"]["KeyId"]
    kms_client.create_key()
    kms_client.schedule_key_deletion(KeyId=first)  # counts until it is gone
    text = "Key quota for this account in this region is 2 but the current usage is 2."  # convox/rack#347, 2016
    with refusal("LimitExceededException", text):
        kms_client.create_key()
    monkeypatch.setattr(keys, "KEYS_PER_REGION", 3)  # the managed key is the third
    kms_client.create_key()


def test_a_refused_key_leaves_nothing_behind(kms_client, refusal):
    with refusal("TagException"):
        kms_client.create_key(Tags=[{"TagKey": "aws:a", "TagValue": ""}])
    assert kms_client.list_keys()["Keys"] == []


# --- DescribeKey, ListKeys, accounts and Regions -----------------------------------------------------------------


def test_keys_are_visible_in_their_own_region_only(kms_mock, kms_client, refusal):
    other = kms_mock.client(region="eu-west-1")
    key = kms_client.create_key()["KeyMetadata"]
    assert other.list_keys()["Keys"] == []
    arn = f"arn:aws:kms:eu-west-1:123456789012:key/{key['KeyId']}"
    with refusal("NotFoundException", f"Key '{arn}' does not exist"):
        other.describe_key(KeyId=key["KeyId"])
    with refusal("NotFoundException", "Invalid arn us-east-1"):
        other.describe_key(KeyId=key["Arn"])


def test_keys_are_visible_in_their_own_account_only(kms_client, refusal):
    key = kms_client.create_key()["KeyMetadata"]
    kms_client.create_alias(AliasName="alias/mine", TargetKeyId=key["KeyId"])
    with mock_kms(account="111122223333") as inner:  # begins with a copy of the outer state
        other = inner.client()
        assert other.list_keys()["Keys"] == []
        assert not [entry for entry in other.list_aliases()["Aliases"] if entry["AliasName"] == "alias/mine"]
        with refusal(
            "NotFoundException", f"Key 'arn:aws:kms:us-east-1:111122223333:key/{key['KeyId']}' does not exist"
        ):
            other.describe_key(KeyId=key["KeyId"])
        with refusal("NotFoundException", "Alias arn:aws:kms:us-east-1:111122223333:alias/mine is not found."):
            other.describe_key(KeyId="alias/mine")
        with refusal("AccessDeniedException"):
            other.describe_key(KeyId="arn:aws:kms:us-east-1:123456789012:alias/none")
        with refusal("AccessDeniedException"):
            other.describe_key(KeyId="arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab")
    assert [entry["KeyId"] for entry in kms_client.list_keys()["Keys"]] == [key["KeyId"]]


def test_list_keys_shows_id_and_arn_of_keys_in_every_state(kms_client):
    made = [kms_client.create_key()["KeyMetadata"], kms_client.create_key(Origin="EXTERNAL")["KeyMetadata"]]
    kms_client.disable_key(KeyId=made[0]["KeyId"])
    made.append(kms_client.create_key()["KeyMetadata"])
    kms_client.schedule_key_deletion(KeyId=made[2]["KeyId"])
    made.append(metadata(kms_client, "alias/aws/s3"))  # AWS managed keys too
    listed = kms_client.list_keys()
    assert listed["Truncated"] is False
    assert "NextMarker" not in listed
    expected = [{"KeyId": key["KeyId"], "KeyArn": key["Arn"]} for key in made]
    assert sorted(listed["Keys"], key=lambda entry: entry["KeyId"]) == sorted(
        expected, key=lambda entry: entry["KeyId"]
    )


@pytest.mark.parametrize(
    ("owners", "count"),
    [(["SELF"], 1), (["OTHER_ACCOUNTS_VIA_RAM"], 0), (["SELF", "OTHER_ACCOUNTS_VIA_RAM"], 1)],
)
def test_resource_owners(kms_client, owners, count):
    """API ListKeys: nothing is shared by RAM here, so the list of other accounts' keys is empty."""
    kms_client.create_key()
    assert len(kms_client.list_keys(ResourceOwners=owners)["Keys"]) == count


def test_a_marker_is_bound_to_the_resource_owners(kms_client, refusal):
    for _ in range(3):
        kms_client.create_key()
    both = ["SELF", "OTHER_ACCOUNTS_VIA_RAM"]
    marker = kms_client.list_keys(Limit=1, ResourceOwners=both)["NextMarker"]
    assert len(kms_client.list_keys(Marker=marker, ResourceOwners=both[::-1])["Keys"]) == 2  # "in either order"
    with refusal("InvalidMarkerException"):
        kms_client.list_keys(Marker=marker)


# --- EnableKey, DisableKey, UpdateKeyDescription -----------------------------------------------------------------


def test_enable_and_disable(kms_client):
    key_id = kms_client.create_key()["KeyMetadata"]["KeyId"]
    for _ in range(2):  # on a disabled key it succeeds as well: Developer Guide, key states
        kms_client.disable_key(KeyId=key_id)
        assert metadata(kms_client, key_id)["KeyState"] == "Disabled"
    for _ in range(2):
        kms_client.enable_key(KeyId=key_id)
        assert metadata(kms_client, key_id)["KeyState"] == "Enabled"


def test_a_description_changes(kms_client, refusal):
    key = kms_client.create_key(Description="old")["KeyMetadata"]
    kms_client.update_key_description(KeyId=key["KeyId"], Description="")
    assert metadata(kms_client, key["KeyId"])["Description"] == ""
    kms_client.update_key_description(KeyId=key["KeyId"], Description="x" * 8192)
    kms_client.schedule_key_deletion(KeyId=key["KeyId"])
    with refusal("KMSInvalidStateException", f"{key['Arn']} is pending deletion."):
        kms_client.update_key_description(KeyId=key["KeyId"], Description="new")
    assert metadata(kms_client, key["KeyId"])["Description"] == "x" * 8192


# --- deletion ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "days"), [({}, 30), ({"PendingWindowInDays": 7}, 7), ({"PendingWindowInDays": 30}, 30)]
)
def test_scheduling_deletion(kms_mock, kms_client, given, days):
    kms_mock.clock.freeze("2024-01-01")
    key = kms_client.create_key()["KeyMetadata"]
    answer = kms_client.schedule_key_deletion(KeyId=key["KeyId"], **given)
    del answer["ResponseMetadata"]
    date = datetime(2024, 1, 1, tzinfo=timezone.utc) + timedelta(days=days)
    assert answer == {
        "KeyId": key["Arn"], "DeletionDate": date, "KeyState": "PendingDeletion", "PendingWindowInDays": days,
    }  # fmt: skip
    described = metadata(kms_client, key["KeyId"])
    assert (described["KeyState"], described["Enabled"], described["DeletionDate"]) == ("PendingDeletion", False, date)
    assert "PendingDeletionWindowInDays" not in described


@pytest.mark.parametrize("days", [1, 6, 31, 365])
def test_the_waiting_period_is_7_to_30_days(kms_client, refusal, days):
    """API ScheduleKeyDeletion; the model allows 1 to 365."""
    key_id = kms_client.create_key()["KeyMetadata"]["KeyId"]
    bound = "greater than or equal to 7" if days < 7 else "less than or equal to 30"
    text = (
        f"1 validation error detected: Value '{days}' at 'pendingWindowInDays' failed to satisfy constraint: "
        f"Member must have value {bound}"
    )
    with refusal("ValidationException", text):
        kms_client.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=days)


def test_a_key_is_deleted_after_the_waiting_period_with_its_aliases(kms_mock, kms_client, refusal):
    kms_mock.clock.freeze()
    key = kms_client.create_key()["KeyMetadata"]
    kms_client.create_alias(AliasName="alias/doomed", TargetKeyId=key["KeyId"])
    kms_client.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    kms_mock.clock.advance(days=7, milliseconds=-1)
    assert metadata(kms_client, key["KeyId"])["KeyState"] == "PendingDeletion"
    kms_mock.clock.advance(milliseconds=1)
    with refusal("NotFoundException", f"Key '{key['Arn']}' does not exist"):
        kms_client.describe_key(KeyId=key["KeyId"])
    with refusal("NotFoundException", "Alias arn:aws:kms:us-east-1:123456789012:alias/doomed is not found."):
        kms_client.describe_key(KeyId="alias/doomed")
    assert kms_client.list_keys()["Keys"] == []


def test_cancelling_deletion(kms_mock, kms_client, refusal):
    key = kms_client.create_key()["KeyMetadata"]
    with refusal("KMSInvalidStateException", f"{key['Arn']} is not pending deletion."):
        kms_client.cancel_key_deletion(KeyId=key["KeyId"])
    kms_client.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    with refusal("KMSInvalidStateException", f"{key['Arn']} is pending deletion."):  # terraform-provider-aws#17889
        kms_client.schedule_key_deletion(KeyId=key["KeyId"])
    answer = kms_client.cancel_key_deletion(KeyId=key["KeyId"])
    del answer["ResponseMetadata"]
    assert answer == {"KeyId": key["Arn"]}
    described = metadata(kms_client, key["KeyId"])
    assert (described["KeyState"], described["Enabled"]) == ("Disabled", False)  # API: disabled, never enabled
    assert "DeletionDate" not in described
    kms_mock.clock.advance(days=100)  # nothing is left of the schedule
    kms_client.enable_key(KeyId=key["KeyId"])


def test_cancelling_deletion_of_a_key_that_waits_for_import(kms_client):
    """It has no material still: facts on key states, (B)."""
    key_id = kms_client.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
    kms_client.schedule_key_deletion(KeyId=key_id)
    kms_client.cancel_key_deletion(KeyId=key_id)
    assert metadata(kms_client, key_id)["KeyState"] == "PendingImport"
