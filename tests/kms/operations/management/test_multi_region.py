"""Multi-Region keys: replicas, what they share, and the primary Region.

Sources: "API" is the API reference of the operation, "guide" the Developer Guide's "Multi-Region keys in AWS KMS".
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from botocore.client import BaseClient

from pytest_kmsmock._kms.operations.management import keys
from pytest_kmsmock._mock.kms_mock import KmsMock

START = datetime(2030, 1, 1, tzinfo=timezone.utc)
HOME, ABROAD, FAR = "us-east-1", "eu-west-1", "ap-southeast-2"


@pytest.fixture
def primary(kms: KmsMock, new_key: Callable[..., str]) -> str:
    """The id of a multi-Region primary key."""
    return new_key(MultiRegion=True, Description="at home").partition("/")[2]


@pytest.fixture
def abroad(kms: KmsMock) -> BaseClient:
    return kms.client(region=ABROAD)


def arn(region: str, key_id: str) -> str:
    return f"arn:aws:kms:{region}:123456789012:key/{key_id}"


def related(primary: str, *replicas: str, key_id: str) -> dict[str, Any]:
    return {
        "PrimaryKey": {"Arn": arn(primary, key_id), "Region": primary},
        "ReplicaKeys": [{"Arn": arn(region, key_id), "Region": region} for region in replicas],
    }


def configuration(client: BaseClient, key_id: str) -> dict[str, Any]:
    found: dict[str, Any] = client.describe_key(KeyId=key_id)["KeyMetadata"]["MultiRegionConfiguration"]
    return found


def state(client: BaseClient, key_id: str) -> str:
    found: str = client.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"]
    return found


# --- ReplicateKey ---


def test_a_replica_has_the_same_id_in_another_region(kms, kms_client, primary, abroad):
    assert configuration(kms_client, primary) == {"MultiRegionKeyType": "PRIMARY"} | related(HOME, key_id=primary)
    kms.clock.advance(days=1)
    answer = kms_client.replicate_key(KeyId=primary, ReplicaRegion=ABROAD)
    shown = answer["ReplicaKeyMetadata"]
    assert shown["KeyId"] == primary
    assert shown["Arn"] == arn(ABROAD, primary)
    assert shown["CreationDate"] == START + timedelta(days=1)
    assert (shown["KeyState"], shown["Enabled"]) == ("Creating", False)
    assert "CurrentKeyMaterialId" not in shown  # captured from AWS KMS, 2026-09
    assert shown["Description"] == ""
    both = related(HOME, ABROAD, key_id=primary)
    assert shown["MultiRegionConfiguration"] == {"MultiRegionKeyType": "REPLICA"} | both
    assert configuration(abroad, primary) == {"MultiRegionKeyType": "REPLICA"} | both
    assert configuration(kms_client, primary) == {"MultiRegionKeyType": "PRIMARY"} | both


def test_a_replica_has_its_own_policy_tags_and_description(kms_client, primary, abroad):
    policy = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
                    "Action": "kms:*",
                    "Resource": "*",
                }
            ],
        }
    )
    kms_client.tag_resource(KeyId=primary, Tags=[{"TagKey": "place", "TagValue": "home"}])
    tags = [{"TagKey": "place", "TagValue": "abroad"}]
    answer = kms_client.replicate_key(
        KeyId=primary, ReplicaRegion=ABROAD, Policy=policy, Tags=tags, Description="abroad"
    )
    assert (json.loads(answer["ReplicaPolicy"]), answer["ReplicaTags"]) == (json.loads(policy), tags)
    assert abroad.get_key_policy(KeyId=primary)["Policy"] == answer["ReplicaPolicy"]
    assert kms_client.get_key_policy(KeyId=primary)["Policy"] != answer["ReplicaPolicy"]
    assert abroad.list_resource_tags(KeyId=primary)["Tags"] == tags
    assert abroad.describe_key(KeyId=primary)["KeyMetadata"]["Description"] == "abroad"
    assert kms_client.describe_key(KeyId=primary)["KeyMetadata"]["Description"] == "at home"


def test_a_replica_without_a_policy_has_the_default_one_and_no_tags(kms_client, primary):
    """The example of ReplicateKey in botocore's examples-1.json."""
    answer = kms_client.replicate_key(KeyId=primary, ReplicaRegion=ABROAD)
    assert json.loads(answer["ReplicaPolicy"])["Id"] == "key-default-1"
    assert "ReplicaTags" not in answer  # captured from AWS KMS, 2026-09


def test_ciphertexts_are_good_in_every_region(kms_client, primary, abroad):
    before = kms_client.encrypt(KeyId=primary, Plaintext=b"before")["CiphertextBlob"]
    kms_client.replicate_key(KeyId=primary, ReplicaRegion=ABROAD)
    after = abroad.encrypt(KeyId=primary, Plaintext=b"after")["CiphertextBlob"]
    answer = abroad.decrypt(CiphertextBlob=before)
    assert (answer["Plaintext"], answer["KeyId"]) == (b"before", arn(ABROAD, primary))
    answer = kms_client.decrypt(CiphertextBlob=after)
    assert (answer["Plaintext"], answer["KeyId"]) == (b"after", arn(HOME, primary))


def test_ciphertexts_of_single_region_keys_are_not(kms_client, new_key, abroad, refusal):
    blob = kms_client.encrypt(KeyId=new_key(), Plaintext=b"x")["CiphertextBlob"]
    with refusal("AccessDeniedException"):
        abroad.decrypt(CiphertextBlob=blob)


@pytest.mark.parametrize(("spec", "usage"), [("ECC_NIST_P256", "SIGN_VERIFY"), ("HMAC_256", "GENERATE_VERIFY_MAC")])
def test_keys_of_other_types_have_replicas_too(kms_client, new_key, abroad, spec, usage):
    key_id = new_key(spec, usage, MultiRegion=True).partition("/")[2]
    kms_client.replicate_key(KeyId=key_id, ReplicaRegion=ABROAD)
    if usage == "SIGN_VERIFY":
        signed = kms_client.sign(KeyId=key_id, Message=b"m", SigningAlgorithm="ECDSA_SHA_256")["Signature"]
        assert abroad.verify(KeyId=key_id, Message=b"m", Signature=signed, SigningAlgorithm="ECDSA_SHA_256")
    else:
        mac = kms_client.generate_mac(KeyId=key_id, Message=b"m", MacAlgorithm="HMAC_SHA_256")["Mac"]
        assert abroad.verify_mac(KeyId=key_id, Message=b"m", Mac=mac, MacAlgorithm="HMAC_SHA_256")


def test_state_aliases_and_use_are_each_keys_own(kms_client, primary, abroad):
    kms_client.replicate_key(KeyId=primary, ReplicaRegion=ABROAD)
    kms_client.create_alias(AliasName="alias/mine", TargetKeyId=primary)
    kms_client.disable_key(KeyId=primary)
    assert (state(kms_client, primary), state(abroad, primary)) == ("Disabled", "Enabled")
    assert abroad.list_aliases(KeyId=primary)["Aliases"] == []
    abroad.encrypt(KeyId=primary, Plaintext=b"x")
    assert kms_client.get_key_last_usage(KeyId=primary)["KeyLastUsage"] == {}


def test_a_replica_is_creating_for_a_while(kms, kms_client, primary, abroad, refusal):
    kms.delays.creating = 5
    kms_client.replicate_key(KeyId=primary, ReplicaRegion=ABROAD)
    kms.clock.advance(seconds=4.999)
    assert state(abroad, primary) == "Creating"
    assert "CurrentKeyMaterialId" not in abroad.describe_key(KeyId=primary)["KeyMetadata"]
    with refusal("KMSInvalidStateException", f"{arn(ABROAD, primary)} is creating."):
        abroad.encrypt(KeyId=primary, Plaintext=b"x")
    kms.clock.advance(milliseconds=1)
    assert state(abroad, primary) == "Enabled"


def test_a_replica_of_an_imported_key_waits_for_its_import(kms, kms_client, new_key, abroad, import_material):
    key_id = new_key(MultiRegion=True, Origin="EXTERNAL").partition("/")[2]
    import_material(kms_client, key_id, bytes(32))
    kms.delays.creating = timedelta(seconds=5)
    kms_client.replicate_key(KeyId=key_id, ReplicaRegion=ABROAD)
    assert state(abroad, key_id) == "Creating"
    kms.clock.advance(seconds=5)
    assert state(abroad, key_id) == "PendingImport"


def test_material_waits_no_longer_for_a_replica_that_is_gone(kms, kms_client, new_key, abroad, import_material):
    """API RotationsListEntry, KeyMaterialState: it is PENDING_ROTATION once all related keys have the material."""
    key_id = new_key(MultiRegion=True, Origin="EXTERNAL").partition("/")[2]
    import_material(kms_client, key_id, bytes(32))
    kms_client.replicate_key(KeyId=key_id, ReplicaRegion=ABROAD)
    import_material(abroad, key_id, bytes(32))
    import_material(kms_client, key_id, bytes(range(32)), ImportType="NEW_KEY_MATERIAL")

    def states() -> list[str]:
        answer = kms_client.list_key_rotations(KeyId=key_id, IncludeKeyMaterial="ALL_KEY_MATERIAL")
        return [entry["KeyMaterialState"] for entry in answer["Rotations"]]

    assert states() == ["CURRENT", "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"]
    abroad.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    kms.clock.advance(days=7)
    assert states() == ["CURRENT", "PENDING_ROTATION"]
    kms_client.rotate_key_on_demand(KeyId=key_id)
    assert states() == ["NON_CURRENT", "CURRENT"]


#: Captured from AWS KMS, 2026-09.
ONE_REPLICA = "You can create only one replica of each primary key in each AWS Region."


@pytest.mark.parametrize(
    ("region", "code", "text"),
    [
        (HOME, "ValidationException", "us-east-1 cannot have a replica because it contains the primary."),
        (ABROAD, "AlreadyExistsException", ONE_REPLICA),
    ],
)
def test_one_key_in_a_region(kms_client, primary, refusal, region, code, text):
    """Captured from AWS KMS, 2026-09."""
    kms_client.replicate_key(KeyId=primary, ReplicaRegion=ABROAD)
    with refusal(code, text):
        kms_client.replicate_key(KeyId=primary, ReplicaRegion=region)


def test_a_replica_pending_deletion_is_still_there(kms, kms_client, primary, abroad, refusal):
    kms_client.replicate_key(KeyId=primary, ReplicaRegion=ABROAD)
    abroad.schedule_key_deletion(KeyId=primary, PendingWindowInDays=7)
    with refusal("AlreadyExistsException", ONE_REPLICA):
        kms_client.replicate_key(KeyId=primary, ReplicaRegion=ABROAD)
    kms.clock.advance(days=7)
    assert configuration(kms_client, primary)["ReplicaKeys"] == []
    kms_client.replicate_key(KeyId=primary, ReplicaRegion=ABROAD)
    assert state(abroad, primary) == "Enabled"


@pytest.mark.parametrize(
    ("region", "text"),
    [
        pytest.param(
            "cn-north-1",
            "The replica key Region must be in the same AWS partition as the primary key Region.",
            id="another partition",
        ),
        pytest.param(
            "us-esat-1",
            "Region us-esat-1 is not a valid Region or multi-Region keys are not supported in Region us-esat-1.",
            id="no such Region",
        ),
    ],
)
def test_regions_where_no_replica_can_be(kms_client, primary, refusal, region, text):
    """Captured from AWS KMS, 2026-09."""
    with refusal("ValidationException", text):
        kms_client.replicate_key(KeyId=primary, ReplicaRegion=region)


@pytest.mark.parametrize(
    ("operation", "code", "text"),
    [
        ("replicate_key", "UnsupportedOperationException", "{} is not a multi-region primary key."),
        ("update_primary_region", "KMSInvalidStateException", "{} is not a multi-Region primary key."),
    ],
)
def test_only_a_primary_key_is_replicated_and_moved(
    kms_client, new_key, primary, abroad, refusal, operation, code, text
):
    """Of a replica captured from AWS KMS, 2026-09, with a small r for one of the two."""
    member = "ReplicaRegion" if operation == "replicate_key" else "PrimaryRegion"
    single = new_key()
    with refusal("UnsupportedOperationException", f"{single} is not a multi-Region key."):
        getattr(kms_client, operation)(KeyId=single, **{member: ABROAD})
    kms_client.replicate_key(KeyId=primary, ReplicaRegion=ABROAD)
    with refusal(code, text.format(arn(ABROAD, primary))):
        getattr(abroad, operation)(KeyId=primary, **{member: FAR})


def test_replicas_count_as_keys_of_their_region(kms_client, primary, abroad, refusal, monkeypatch):
    abroad.create_key()
    monkeypatch.setattr(keys, "KEYS_PER_REGION", 1)
    with refusal("LimitExceededException"):
        kms_client.replicate_key(KeyId=primary, ReplicaRegion=ABROAD)


def test_an_invalid_policy_or_invalid_tags_create_no_replica(kms_client, primary, refusal):
    with refusal("MalformedPolicyDocumentException"):
        kms_client.replicate_key(KeyId=primary, ReplicaRegion=ABROAD, Policy="{}")
    with refusal("TagException"):
        kms_client.replicate_key(KeyId=primary, ReplicaRegion=ABROAD, Tags=[{"TagKey": "aws:x", "TagValue": ""}])
    assert configuration(kms_client, primary)["ReplicaKeys"] == []


# --- UpdatePrimaryRegion ---


def test_the_primary_region_moves(kms, kms_client, primary, abroad):
    for region in (ABROAD, FAR):
        kms_client.replicate_key(KeyId=primary, ReplicaRegion=region)
    answer = kms_client.update_primary_region(KeyId=primary, PrimaryRegion=ABROAD)
    assert answer.keys() == {"ResponseMetadata"}
    moved = related(ABROAD, FAR, HOME, key_id=primary)
    assert configuration(abroad, primary) == {"MultiRegionKeyType": "PRIMARY"} | moved
    for region in (HOME, FAR):
        client = kms.client(region=region)
        assert configuration(client, primary) == {"MultiRegionKeyType": "REPLICA"} | moved
    abroad.update_primary_region(KeyId=primary, PrimaryRegion=HOME)
    assert configuration(kms_client, primary)["MultiRegionKeyType"] == "PRIMARY"


def test_both_keys_are_updating_for_a_while(kms, kms_client, primary, abroad, refusal):
    """API: usable in cryptographic operations; not to be replicated, enabled or disabled."""
    kms_client.replicate_key(KeyId=primary, ReplicaRegion=ABROAD)
    kms_client.replicate_key(KeyId=primary, ReplicaRegion=FAR)
    kms.delays.updating = 3
    kms_client.update_primary_region(KeyId=primary, PrimaryRegion=ABROAD)
    states = {region: state(kms.client(region=region), primary) for region in (HOME, ABROAD, FAR)}
    assert states == {HOME: "Updating", ABROAD: "Updating", FAR: "Enabled"}
    assert abroad.encrypt(KeyId=primary, Plaintext=b"x")["CiphertextBlob"]
    with refusal("KMSInvalidStateException", f"{arn(ABROAD, primary)} is updating."):
        abroad.replicate_key(KeyId=primary, ReplicaRegion="ca-central-1")
    with refusal("KMSInvalidStateException", f"{arn(HOME, primary)} is updating."):
        kms_client.disable_key(KeyId=primary)
    kms.clock.advance(seconds=3)
    assert (state(kms_client, primary), state(abroad, primary)) == ("Enabled", "Enabled")


def test_keys_are_shown_updating_once_without_a_delay(kms, kms_client, primary, abroad):
    """Captured from AWS KMS, 2026-09: both keys are `Updating` after the call, for seconds."""
    kms_client.replicate_key(KeyId=primary, ReplicaRegion=ABROAD)
    kms_client.update_primary_region(KeyId=primary, PrimaryRegion=ABROAD)
    assert (state(kms_client, primary), state(abroad, primary)) == ("Updating", "Updating")
    assert (state(kms_client, primary), state(abroad, primary)) == ("Enabled", "Enabled")
    abroad.update_primary_region(KeyId=primary, PrimaryRegion=HOME)
    kms_client.disable_key(KeyId=primary)  # no call has to wait
    assert state(abroad, primary) == "Enabled"
    kms_client.enable_key(KeyId=primary)
    kms_client.update_primary_region(KeyId=primary, PrimaryRegion=ABROAD)
    kms.clock.advance(seconds=3)
    assert state(abroad, primary) == "Enabled"


def test_where_the_primary_key_cannot_move(kms_client, primary, refusal):
    """Captured from AWS KMS, 2026-09."""
    with refusal("ValidationException", f"{primary} does not have a replica key in the specified Region."):
        kms_client.update_primary_region(KeyId=primary, PrimaryRegion=ABROAD)


def test_moving_the_primary_key_where_it_is_has_no_effect(kms_client, primary):
    """Captured from AWS KMS, 2026-09."""
    kms_client.update_primary_region(KeyId=primary, PrimaryRegion=HOME)
    assert state(kms_client, primary) == "Enabled"
    assert configuration(kms_client, primary)["PrimaryKey"]["Region"] == HOME


def test_a_ciphertext_and_the_arn_of_the_primary_key_in_a_replicas_region(kms_client, primary, abroad, refusal):
    """Captured from AWS KMS, 2026-09. Other ARNs of another Region are not found: nakedible/openssl-engine-kms#1."""
    kms_client.replicate_key(KeyId=primary, ReplicaRegion=ABROAD)
    blob = kms_client.encrypt(KeyId=primary, Plaintext=b"x")["CiphertextBlob"]
    text = "The key ID in the request does not identify a CMK that can perform this operation."
    with refusal("IncorrectKeyException", text):
        abroad.decrypt(CiphertextBlob=blob, KeyId=arn(HOME, primary))
    with refusal("NotFoundException", f"Invalid arn {HOME}"):
        abroad.decrypt(CiphertextBlob=blob, KeyId=arn(HOME, "mrk-" + "0" * 32))


def test_a_disabled_replica_becomes_no_primary_key(kms_client, primary, abroad, refusal):
    kms_client.replicate_key(KeyId=primary, ReplicaRegion=ABROAD)
    abroad.disable_key(KeyId=primary)
    with refusal("DisabledException", f"{arn(ABROAD, primary)} is disabled."):
        kms_client.update_primary_region(KeyId=primary, PrimaryRegion=ABROAD)


# --- deleting ---


def test_a_primary_key_is_deleted_after_its_replicas(kms, kms_client, primary, abroad, refusal):
    """Guide, "Deleting multi-Region keys": its own window begins when the last replica is gone."""
    kms_client.replicate_key(KeyId=primary, ReplicaRegion=ABROAD)
    kms_client.replicate_key(KeyId=primary, ReplicaRegion=FAR)
    answer = kms_client.schedule_key_deletion(KeyId=primary, PendingWindowInDays=10)
    del answer["ResponseMetadata"]
    assert answer == {"KeyId": arn(HOME, primary), "KeyState": "PendingReplicaDeletion", "PendingWindowInDays": 10}
    found = kms_client.describe_key(KeyId=primary)["KeyMetadata"]
    assert (found["PendingDeletionWindowInDays"], "DeletionDate" in found) == (10, False)
    with refusal("KMSInvalidStateException", f"{arn(HOME, primary)} is pending replica deletion."):
        kms_client.encrypt(KeyId=primary, Plaintext=b"x")
    kms.clock.advance(days=1000)
    assert state(kms_client, primary) == "PendingReplicaDeletion"
    abroad.schedule_key_deletion(KeyId=primary, PendingWindowInDays=7)
    kms.client(region=FAR).schedule_key_deletion(KeyId=primary, PendingWindowInDays=9)
    kms.clock.advance(days=8)
    assert state(kms_client, primary) == "PendingReplicaDeletion"
    kms.clock.advance(days=5)
    found = kms_client.describe_key(KeyId=primary)["KeyMetadata"]
    assert found["KeyState"] == "PendingDeletion"
    assert found["DeletionDate"] == START + timedelta(days=1000 + 9 + 10)
    assert "PendingDeletionWindowInDays" not in found
    kms.clock.move_to(found["DeletionDate"])
    with refusal("NotFoundException"):
        kms_client.describe_key(KeyId=primary)


def test_everything_can_become_due_at_once(kms, kms_client, primary, abroad, refusal):
    kms_client.replicate_key(KeyId=primary, ReplicaRegion=ABROAD)
    kms_client.schedule_key_deletion(KeyId=primary, PendingWindowInDays=7)
    abroad.schedule_key_deletion(KeyId=primary, PendingWindowInDays=7)
    kms.clock.advance(days=14)
    for client in (kms_client, abroad):
        with refusal("NotFoundException"):
            client.describe_key(KeyId=primary)


def test_a_waiting_primary_key_can_be_kept(kms, kms_client, primary, abroad):
    kms_client.replicate_key(KeyId=primary, ReplicaRegion=ABROAD)
    kms_client.schedule_key_deletion(KeyId=primary)
    kms_client.cancel_key_deletion(KeyId=primary)
    assert state(kms_client, primary) == "Disabled"
    abroad.schedule_key_deletion(KeyId=primary, PendingWindowInDays=7)
    kms.clock.advance(days=7)
    assert state(kms_client, primary) == "Disabled"
    assert kms_client.schedule_key_deletion(KeyId=primary)["KeyState"] == "PendingDeletion"
