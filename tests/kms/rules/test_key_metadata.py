"""KeyMetadata of keys with imported material, in custom key stores, and of replica keys."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from pytest_kmsmock._kms.state.records import CustomKeyStore, MultiRegion

EARLY, LATE = (datetime(year, 1, 1, tzinfo=timezone.utc) for year in (2098, 2099))


@pytest.fixture
def described(kms_mock, kms_client):
    """Create a key, change fields of its record, and describe it."""

    def describe(request=None, **changes):
        key_id = kms_client.create_key(**request or {})["KeyMetadata"]["KeyId"]
        state = kms_mock._service.state
        record = state.region("123456789012", "us-east-1").keys[key_id]
        state.change_key(record, **changes)
        return kms_client.describe_key(KeyId=key_id)["KeyMetadata"]

    return describe


@pytest.fixture
def material(kms_mock, kms_client):
    """Material of a key that exists."""
    key_id = kms_client.create_key()["KeyMetadata"]["KeyId"]
    return kms_mock._service.state.region("123456789012", "us-east-1").keys[key_id].materials[0]


EXTERNAL = {"Origin": "EXTERNAL"}


def test_a_key_without_imported_material(described):
    found = described(EXTERNAL)
    assert (found["KeyState"], found["Enabled"]) == ("PendingImport", False)
    assert not {"ExpirationModel", "ValidTo", "CurrentKeyMaterialId"} & found.keys()


def test_imported_material_that_does_not_expire(described, material):
    found = described(EXTERNAL, materials=(material,))
    assert found["KeyState"] == "Enabled"
    assert found["ExpirationModel"] == "KEY_MATERIAL_DOES_NOT_EXPIRE"
    assert found["CurrentKeyMaterialId"] == material.id
    assert "ValidTo" not in found


def test_the_earliest_time_at_which_material_expires(described, material):
    """API KeyMetadata, ValidTo: "The earliest time at which any imported key material ... expires"."""
    old = material._replace(id="0" * 64, state="NON_CURRENT", expires=EARLY)
    found = described(EXTERNAL, materials=(old, material._replace(expires=LATE)))
    assert (found["ExpirationModel"], found["ValidTo"]) == ("KEY_MATERIAL_EXPIRES", EARLY)
    assert found["CurrentKeyMaterialId"] == material.id


def test_old_material_that_is_missing_makes_the_key_wait_for_import(described, material):
    """Developer Guide, key states: every material that the key needs must be there."""
    old = material._replace(id="0" * 64, state="NON_CURRENT", secret=None)
    assert described(EXTERNAL, materials=(old, material))["KeyState"] == "PendingImport"


@pytest.mark.parametrize(
    ("connection", "state"),
    [
        ("CONNECTED", "Enabled"),
        ("DISCONNECTED", "Unavailable"),
        ("FAILED", "Unavailable"),
        ("CONNECTING", "Unavailable"),
    ],
)
def test_a_key_in_a_cloudhsm_key_store(kms_mock, described, connection, state):
    """botocore's examples-1.json, CreateKey "in a custom key store"."""
    region = kms_mock._service.state.region("123456789012", "us-east-1")
    settings = {"CloudHsmClusterId": "cluster-1a23b4cdefg"}
    region.custom_key_stores["cks-1"] = CustomKeyStore(
        "cks-1", "store", "AWS_CLOUDHSM", EARLY, state=connection, settings=settings
    )
    found = described(origin="AWS_CLOUDHSM", custom_key_store_id="cks-1")
    assert (found["CustomKeyStoreId"], found["CloudHsmClusterId"]) == ("cks-1", "cluster-1a23b4cdefg")
    assert found["KeyState"] == state
    # API KeyMetadata, CurrentKeyMaterialId: for keys with AWS_KMS or EXTERNAL origin
    assert not {"CurrentKeyMaterialId", "XksKeyConfiguration"} & found.keys()


def test_a_key_in_an_external_key_store(kms_mock, described):
    region = kms_mock._service.state.region("123456789012", "us-east-1")
    region.custom_key_stores["cks-1"] = CustomKeyStore("cks-1", "store", "EXTERNAL_KEY_STORE", EARLY, state="CONNECTED")
    found = described(origin="EXTERNAL_KEY_STORE", custom_key_store_id="cks-1", xks_key_id="bb8562717f809024")
    assert found["XksKeyConfiguration"] == {"Id": "bb8562717f809024"}
    assert "CloudHsmClusterId" not in found


@pytest.mark.parametrize(("primary", "kind"), [("us-east-1", "PRIMARY"), ("us-west-2", "REPLICA")])
def test_related_keys(described, primary, kind):
    """botocore's examples-1.json, DescribeKey of a replica: ReplicaKeys has the key itself too."""
    others = ("eu-west-1", "us-east-1") if kind == "REPLICA" else ("eu-west-1",)
    found = described({"MultiRegion": True}, multi_region=MultiRegion(primary, others))

    def shown(region):
        return {"Arn": found["Arn"].replace("us-east-1", region), "Region": region}

    assert found["MultiRegionConfiguration"] == {
        "MultiRegionKeyType": kind,
        "PrimaryKey": shown(primary),
        "ReplicaKeys": [shown(region) for region in others],
    }


def test_material_that_only_awaits_rotation_does_not_make_the_key_expire(described, material):
    """API RotationsListEntry, KeyMaterialState: pending material "is not permanently associated with the KMS key"."""
    pending = material._replace(id="0" * 64, state="PENDING_ROTATION", expires=EARLY)
    found = described(EXTERNAL, materials=(material, pending))
    assert found["ExpirationModel"] == "KEY_MATERIAL_DOES_NOT_EXPIRE"
    assert "ValidTo" not in found
