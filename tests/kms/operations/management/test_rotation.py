"""Automatic and on-demand rotation, and ciphertexts of earlier key material.

Sources: "API" is the API reference of the operation, "KS" the Developer Guide's "Key states of AWS KMS keys".
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from botocore import xform_name
from botocore.client import BaseClient
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_kmsmock import mock_kms

START = datetime(2030, 1, 1, tzinfo=timezone.utc)
DAY = timedelta(days=1)


def current(client: BaseClient, key_id: str) -> str:
    material: str = client.describe_key(KeyId=key_id)["KeyMetadata"]["CurrentKeyMaterialId"]
    return material


def status(client: BaseClient, key_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = client.get_key_rotation_status(KeyId=key_id)
    del answer["ResponseMetadata"]
    return answer


def rotations(client: BaseClient, key_id: str) -> list[tuple[datetime, str]]:
    listed = client.list_key_rotations(KeyId=key_id)["Rotations"]
    return [(entry["RotationDate"], entry["RotationType"]) for entry in listed]


# --- the calendar ---


def test_a_new_key_is_not_rotated(kms, kms_client, new_key):
    key = new_key()
    assert status(kms_client, key) == {"KeyId": key, "KeyRotationEnabled": False}


@pytest.mark.parametrize(
    ("members", "days"),
    [
        pytest.param({}, 365, id="API: 365 days by default"),
        pytest.param({"RotationPeriodInDays": 90}, 90, id="API: 90 days at least"),
        pytest.param({"RotationPeriodInDays": 2560}, 2560, id="API: 2560 days at most"),
    ],
)
def test_the_first_rotation_is_a_period_after_enabling(kms, kms_client, new_key, members, days):
    key = new_key()
    kms.clock.advance(days=3)
    kms_client.enable_key_rotation(KeyId=key, **members)
    due = START + 3 * DAY + days * DAY
    assert status(kms_client, key) == {
        "KeyId": key,
        "KeyRotationEnabled": True,
        "RotationPeriodInDays": days,
        "NextRotationDate": due,
    }
    first = current(kms_client, key)
    kms.clock.move_to(due - timedelta(milliseconds=1))
    assert current(kms_client, key) == first
    kms.clock.move_to(due)
    assert current(kms_client, key) != first
    assert status(kms_client, key)["NextRotationDate"] == due + days * DAY
    assert rotations(kms_client, key) == [(due, "AUTOMATIC")]


def test_a_period_out_of_range_is_refused(kms_client, new_key, refusal):
    with refusal(
        "ValidationException",
        "1 validation error detected: Value '2561' at 'rotationPeriodInDays' failed to satisfy constraint: "
        "Member must have value less than or equal to 2560",
    ):
        kms_client.enable_key_rotation(KeyId=new_key(), RotationPeriodInDays=2561)  # botocore itself refuses 89


def test_several_periods_can_pass_at_once(kms, kms_client, new_key):
    key = new_key()
    kms_client.enable_key_rotation(KeyId=key, RotationPeriodInDays=100)
    kms.clock.advance(days=450)
    assert rotations(kms_client, key) == [(START + n * 100 * DAY, "AUTOMATIC") for n in (1, 2, 3, 4)]
    assert status(kms_client, key)["NextRotationDate"] == START + 500 * DAY


def test_enabling_again_changes_the_period_from_then_on(kms, kms_client, new_key):
    key = new_key()
    kms_client.enable_key_rotation(KeyId=key, RotationPeriodInDays=100)
    kms.clock.advance(days=50)
    kms_client.enable_key_rotation(KeyId=key, RotationPeriodInDays=200)
    assert status(kms_client, key)["NextRotationDate"] == START + 250 * DAY
    kms.clock.advance(days=60)
    assert rotations(kms_client, key) == []


@pytest.mark.parametrize("members", [{}, {"RotationPeriodInDays": 100}], ids=["no period", "the same period"])
def test_enabling_again_without_another_period_changes_nothing(kms, kms_client, new_key, members):
    """Captured from AWS KMS, 2026-09."""
    key = new_key()
    kms_client.enable_key_rotation(KeyId=key, RotationPeriodInDays=100)
    kms.clock.advance(days=50)
    before = status(kms_client, key)
    kms_client.enable_key_rotation(KeyId=key, **members)
    assert status(kms_client, key) == before
    assert (before["RotationPeriodInDays"], before["NextRotationDate"]) == (100, START + 100 * DAY)


def test_the_period_is_a_year_again_after_rotation_was_disabled(kms, kms_client, new_key):
    """Captured from AWS KMS, 2026-09."""
    key = new_key()
    kms_client.enable_key_rotation(KeyId=key, RotationPeriodInDays=100)
    kms_client.disable_key_rotation(KeyId=key)
    kms_client.enable_key_rotation(KeyId=key)
    assert status(kms_client, key)["RotationPeriodInDays"] == 365


def test_disabling_rotation_keeps_the_material(kms, kms_client, new_key):
    key = new_key()
    kms_client.enable_key_rotation(KeyId=key)
    kms_client.disable_key_rotation(KeyId=key)
    kms_client.disable_key_rotation(KeyId=key)
    kms.clock.advance(days=1000)
    assert status(kms_client, key) == {"KeyId": key, "KeyRotationEnabled": False}
    assert rotations(kms_client, key) == []


def test_old_ciphertexts_decrypt_and_report_their_material(kms, kms_client, new_key):
    key = new_key()
    kms_client.enable_key_rotation(KeyId=key)
    made = []
    for _ in range(3):
        blob = kms_client.encrypt(KeyId=key, Plaintext=b"kept")["CiphertextBlob"]
        made.append((blob, current(kms_client, key)))
        kms.clock.advance(days=365)
    assert len({material for _, material in made}) == 3
    for blob, material in made:
        answer = kms_client.decrypt(CiphertextBlob=blob)
        assert (answer["Plaintext"], answer["KeyMaterialId"], answer["KeyId"]) == (b"kept", material, key)


def test_a_disabled_key_is_rotated_at_once_when_it_is_enabled_after_its_time(kms, kms_client, new_key):
    """API GetKeyRotationStatus: not rotated for a whole period: at once, and every period thereafter."""
    key = new_key()
    kms_client.enable_key_rotation(KeyId=key, RotationPeriodInDays=100)
    kms_client.disable_key(KeyId=key)
    kms.clock.advance(days=130)
    assert status(kms_client, key)["KeyRotationEnabled"] is True
    assert rotations(kms_client, key) == []
    kms_client.enable_key(KeyId=key)
    assert rotations(kms_client, key) == [(START + 130 * DAY, "AUTOMATIC")]
    assert status(kms_client, key)["NextRotationDate"] == START + 230 * DAY


def test_a_key_rotated_lately_resumes_its_schedule_when_it_is_enabled(kms, kms_client, new_key):
    """API GetKeyRotationStatus: rotated less than a period ago: the prior schedule."""
    key = new_key()
    kms_client.enable_key_rotation(KeyId=key, RotationPeriodInDays=100)
    kms.clock.advance(days=50)
    kms_client.rotate_key_on_demand(KeyId=key)
    kms_client.disable_key(KeyId=key)
    kms.clock.advance(days=60)
    kms_client.enable_key(KeyId=key)
    assert [kind for _, kind in rotations(kms_client, key)] == ["ON_DEMAND"]
    assert status(kms_client, key)["NextRotationDate"] == START + 200 * DAY
    kms.clock.advance(days=90)
    assert rotations(kms_client, key)[-1] == (START + 200 * DAY, "AUTOMATIC")


def test_a_key_enabled_before_its_time_is_rotated_on_time(kms, kms_client, new_key):
    key = new_key()
    kms_client.enable_key_rotation(KeyId=key, RotationPeriodInDays=100)
    kms_client.disable_key(KeyId=key)
    kms.clock.advance(days=99)
    kms_client.enable_key(KeyId=key)
    kms.clock.advance(days=2)
    assert rotations(kms_client, key) == [(START + 100 * DAY, "AUTOMATIC")]


def test_a_key_pending_deletion_reports_no_rotation_and_has_it_back_when_kept(kms, kms_client, new_key):
    """API GetKeyRotationStatus, "Pending deletion"."""
    key = new_key()
    kms_client.enable_key_rotation(KeyId=key, RotationPeriodInDays=90)
    kms.clock.advance(days=80)
    kms_client.schedule_key_deletion(KeyId=key)
    assert status(kms_client, key) == {"KeyId": key, "KeyRotationEnabled": False}
    kms.clock.advance(days=20)
    kms_client.cancel_key_deletion(KeyId=key)
    assert status(kms_client, key)["KeyRotationEnabled"] is True
    assert rotations(kms_client, key) == []


def test_aws_managed_keys_are_rotated_every_year_and_only_so(kms, kms_client, refusal):
    """Captured from AWS KMS, 2026-09: a new one is not said to rotate. API GetKeyRotationStatus: it does, always."""
    key = kms.managed_key("s3")
    assert status(kms_client, key) == {"KeyId": key, "KeyRotationEnabled": False}
    kms.clock.advance(days=740)
    assert status(kms_client, key)["RotationPeriodInDays"] == 365  # inferred
    assert len(rotations(kms_client, key)) == 2
    for change in (kms_client.enable_key_rotation, kms_client.disable_key_rotation, kms_client.rotate_key_on_demand):
        with refusal("AccessDeniedException"):
            change(KeyId=key)


@given(
    period=st.integers(90, 2560),
    steps=st.lists(st.integers(0, 1500), max_size=5),
)
@settings(max_examples=25)
def test_rotations_do_not_depend_on_the_time_of_calls(period, steps):
    with mock_kms(fresh=True) as kms:
        kms.clock.freeze(START)
        client = kms.client()
        key = client.create_key()["KeyMetadata"]["KeyId"]
        client.enable_key_rotation(KeyId=key, RotationPeriodInDays=period)
        for step in steps:
            kms.clock.advance(days=step)
            client.describe_key(KeyId=key)
        expected = [START + n * period * DAY for n in range(1, sum(steps) // period + 1)]
        assert [date for date, _ in rotations(client, key)] == expected


# --- on demand ---


def test_rotation_on_demand_is_immediate_and_keeps_the_automatic_schedule(kms, kms_client, new_key):
    key = new_key()
    kms_client.enable_key_rotation(KeyId=key)
    first = current(kms_client, key)
    kms.clock.advance(days=10)
    assert kms_client.rotate_key_on_demand(KeyId=key)["KeyId"] == key
    assert current(kms_client, key) != first
    assert status(kms_client, key)["NextRotationDate"] == START + 365 * DAY
    assert rotations(kms_client, key) == [(START + 10 * DAY, "ON_DEMAND")]


def test_rotation_on_demand_is_seen_under_way(kms, kms_client, new_key):
    key = new_key()
    kms.delays.rotating = timedelta(minutes=5)
    kms_client.rotate_key_on_demand(KeyId=key)
    assert status(kms_client, key)["OnDemandRotationStartDate"] == START
    assert rotations(kms_client, key) == []
    assert status(kms_client, key)["OnDemandRotationStartDate"] == START
    kms.clock.advance(minutes=3)
    kms_client.rotate_key_on_demand(KeyId=key)  # captured from AWS KMS, 2026-09: no error, and no second rotation
    kms.clock.advance(minutes=2)
    assert "OnDemandRotationStartDate" not in status(kms_client, key)
    assert rotations(kms_client, key) == [(START + timedelta(minutes=5), "ON_DEMAND")]


def test_rotation_on_demand_without_a_delay_is_seen_once(kms, kms_client, new_key):
    key, other = new_key(), new_key()
    for _ in range(2):  # captured from AWS KMS, 2026-09: one rotation
        kms_client.rotate_key_on_demand(KeyId=key)
    assert status(kms_client, key)["OnDemandRotationStartDate"] == START
    assert "OnDemandRotationStartDate" not in status(kms_client, key)
    assert rotations(kms_client, key) == [(START, "ON_DEMAND")]
    kms_client.rotate_key_on_demand(KeyId=key)
    assert "OnDemandRotationStartDate" not in status(kms_client, other)
    assert len(rotations(kms_client, key)) == 2
    kms_client.rotate_key_on_demand(KeyId=key)
    kms.clock.advance(minutes=1)  # longer than it takes AWS at least
    assert "OnDemandRotationStartDate" not in status(kms_client, key)


def test_rotation_on_demand_works_25_times(kms, kms_client, new_key, refusal):
    key = new_key()
    for _ in range(25):
        kms_client.rotate_key_on_demand(KeyId=key)
        kms.clock.advance(minutes=1)
    with refusal("LimitExceededException"):
        kms_client.rotate_key_on_demand(KeyId=key)
    assert len(rotations(kms_client, key)) == 25


@pytest.mark.parametrize(("minutes", "refused"), [(21, False), (20, True), (1, True)])
def test_rotation_on_demand_is_refused_shortly_before_an_automatic_one(
    kms, kms_client, new_key, refusal, minutes, refused
):
    key = new_key()
    kms_client.enable_key_rotation(KeyId=key)
    kms.clock.move_to(START + 365 * DAY - timedelta(minutes=minutes))
    if refused:
        with refusal(
            "ConflictException",
            "The request was rejected because an automatic rotation of this key is currently in progress or scheduled "
            "to begin within the next 20 minutes.",
        ):
            kms_client.rotate_key_on_demand(KeyId=key)
    else:
        kms_client.rotate_key_on_demand(KeyId=key)


# --- keys that have no rotation ---


@pytest.mark.parametrize("operation", ["enable_key_rotation", "rotate_key_on_demand"])
@pytest.mark.parametrize(("spec", "usage"), [("RSA_2048", "SIGN_VERIFY"), ("HMAC_256", "GENERATE_VERIFY_MAC")])
def test_asymmetric_and_hmac_keys_cannot_be_rotated(kms_client, new_key, refusal, operation, spec, usage):
    """Captured from AWS KMS, 2026-09, for HMAC keys."""
    with refusal("UnsupportedOperationException", ""):
        getattr(kms_client, operation)(KeyId=new_key(spec, usage))


@pytest.mark.parametrize(
    ("spec", "usage"),
    [("RSA_2048", "SIGN_VERIFY"), ("RSA_2048", "ENCRYPT_DECRYPT"), ("ECC_NIST_P256", "SIGN_VERIFY"),
     ("ML_DSA_44", "SIGN_VERIFY"), ("HMAC_256", "GENERATE_VERIFY_MAC")],
)  # fmt: skip
def test_the_rotation_of_asymmetric_and_hmac_keys_is_always_disabled(kms_client, new_key, refusal, spec, usage):
    """Captured from AWS KMS, 2026-09, for HMAC keys; Terraform and CloudFormation read the status of all of them."""
    key = new_key(spec, usage)
    assert status(kms_client, key) == {"KeyId": key, "KeyRotationEnabled": False}
    kms_client.disable_key_rotation(KeyId=key)
    assert kms_client.list_key_rotations(KeyId=key)["Rotations"] == []
    with refusal("ValidationException", "Input parameter includeKeyMaterial can only be used with symmetric keys."):
        kms_client.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")


@pytest.mark.parametrize(
    "operation",
    [
        "enable_key_rotation",
        "disable_key_rotation",
        "get_key_rotation_status",
        "rotate_key_on_demand",
        "list_key_rotations",
    ],
)
@pytest.mark.parametrize("origin", ["AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"])
def test_keys_of_custom_key_stores_have_no_rotation(kms, kms_client, new_key, refusal, operation, origin):
    if origin == "AWS_CLOUDHSM":
        key = new_key(Origin=origin, CustomKeyStoreId=kms.key_stores.add_store())
    else:
        store = kms.key_stores.add_store(kms.key_stores.add_xks_proxy(keys=["one"]))
        key = new_key(Origin=origin, CustomKeyStoreId=store, XksKeyId="one")
    # Recorded of GetKeyRotationStatus and AWS_CLOUDHSM: crossplane-contrib/provider-aws#2310.
    with refusal("UnsupportedOperationException", f"{key} origin is {origin} which is not valid for this operation."):
        getattr(kms_client, operation)(KeyId=key)


@pytest.mark.parametrize("operation", ["enable_key_rotation", "disable_key_rotation"])
def test_imported_material_is_not_rotated_by_the_calendar(kms, kms_client, new_key, refusal, operation):
    """Guide, "Key states", footnote 6; captured from AWS KMS, 2026-09: the status is false, without an error."""
    key = new_key(Origin="EXTERNAL")
    with refusal("UnsupportedOperationException", f"{key} origin is EXTERNAL which is not valid for this operation."):
        getattr(kms_client, operation)(KeyId=key)
    assert status(kms_client, key) == {"KeyId": key, "KeyRotationEnabled": False}


def test_the_rotation_of_imported_material_is_seen_under_way(kms, kms_client, new_key, import_material):
    """Captured from AWS KMS, 2026-09."""
    key = new_key(Origin="EXTERNAL")
    import_material(kms_client, key, bytes(32))
    import_material(kms_client, key, bytes(range(32)), ImportType="NEW_KEY_MATERIAL")
    kms_client.rotate_key_on_demand(KeyId=key)
    assert status(kms_client, key) == {
        "KeyId": key,
        "KeyRotationEnabled": False,
        "OnDemandRotationStartDate": START,
    }


# --- ListKeyRotations ---


def test_all_material_begins_with_the_first(kms, kms_client, new_key):
    key = new_key()
    first = current(kms_client, key)
    kms_client.rotate_key_on_demand(KeyId=key)
    second = current(kms_client, key)
    listed = kms_client.list_key_rotations(KeyId=key.partition("/")[2], IncludeKeyMaterial="ALL_KEY_MATERIAL")
    assert listed["Rotations"] == [
        # Captured from AWS KMS, 2026-09: the key ARN, also by key id
        {"KeyId": key, "KeyMaterialId": first, "KeyMaterialState": "NON_CURRENT"},
        {
            "KeyId": key,
            "KeyMaterialId": second,
            "KeyMaterialState": "CURRENT",
            "RotationDate": START,
            "RotationType": "ON_DEMAND",
        },
    ]


def test_rotations_come_in_pages(kms, kms_client, new_key, refusal):
    key, other = new_key(), new_key()
    for _ in range(5):
        kms_client.rotate_key_on_demand(KeyId=key)
        kms_client.describe_key(KeyId=key)  # which finds the rotation done
    page = kms_client.list_key_rotations(KeyId=key, Limit=2)
    assert (len(page["Rotations"]), page["Truncated"]) == (2, True)
    pages = kms_client.get_paginator("list_key_rotations").paginate(KeyId=key, PaginationConfig={"PageSize": 2})
    whole = [entry for each in pages for entry in each["Rotations"]]
    assert whole == kms_client.list_key_rotations(KeyId=key)["Rotations"]
    assert len(whole) == 5
    with refusal("InvalidMarkerException", ""):  # captured from AWS KMS, 2026-09
        kms_client.list_key_rotations(KeyId=other, Marker=page["NextMarker"])


# --- multi-Region keys ---


def test_rotation_is_shared_and_set_on_the_primary_key(kms, kms_client, new_key, refusal):
    primary = new_key(MultiRegion=True)
    key_id = primary.partition("/")[2]
    replica = kms_client.replicate_key(KeyId=key_id, ReplicaRegion="eu-west-1")["ReplicaKeyMetadata"]["Arn"]
    abroad = kms.client(region="eu-west-1")
    kms_client.enable_key_rotation(KeyId=key_id)
    assert status(abroad, key_id) == status(kms_client, key_id) | {"KeyId": replica}
    kms.clock.advance(days=365)
    kms_client.rotate_key_on_demand(KeyId=key_id)
    assert rotations(abroad, key_id) == rotations(kms_client, key_id)
    assert current(abroad, key_id) == current(kms_client, key_id)
    for operation in ("EnableKeyRotation", "DisableKeyRotation", "RotateKeyOnDemand"):
        # Captured from AWS KMS, 2026-09
        text = f"{replica} is a multi-region replica key which is not valid for {operation}."
        with refusal("UnsupportedOperationException", text):
            getattr(abroad, xform_name(operation))(KeyId=key_id)


def test_the_rotation_status_of_a_primary_key_that_waits_for_its_replicas(kms, kms_client, new_key):
    """Captured from AWS KMS, 2026-09: as before, until it is pending deletion."""
    key_id = new_key(MultiRegion=True).partition("/")[2]
    kms_client.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=200)
    before = status(kms_client, key_id)
    kms_client.replicate_key(KeyId=key_id, ReplicaRegion="eu-west-1")
    kms_client.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    assert status(kms_client, key_id) == before
    kms.client(region="eu-west-1").schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    kms.clock.advance(days=7)
    assert status(kms_client, key_id)["KeyRotationEnabled"] is False


def test_a_rotation_without_a_delay_ends_where_a_replica_shows_it(kms, kms_client, new_key):
    key_id = new_key(MultiRegion=True).partition("/")[2]
    kms_client.replicate_key(KeyId=key_id, ReplicaRegion="eu-west-1")
    abroad = kms.client(region="eu-west-1")
    kms_client.rotate_key_on_demand(KeyId=key_id)
    assert status(abroad, key_id)["OnDemandRotationStartDate"] == START
    assert "OnDemandRotationStartDate" not in status(kms_client, key_id)
    assert len(rotations(kms_client, key_id)) == 1
    logged = [(event.name, event.key.region) for event in kms._service.state.events]
    assert logged == [("RotateKey", "us-east-1"), ("SynchronizeMultiRegionKey", "eu-west-1")]


def test_the_new_primary_key_keeps_the_automatic_schedule(kms, kms_client, new_key):
    key_id = new_key(MultiRegion=True).partition("/")[2]
    kms_client.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=100)
    kms_client.replicate_key(KeyId=key_id, ReplicaRegion="eu-west-1")
    kms_client.update_primary_region(KeyId=key_id, PrimaryRegion="eu-west-1")
    kms.clock.advance(days=250)
    assert rotations(kms_client, key_id) == [(START + n * 100 * DAY, "AUTOMATIC") for n in (1, 2)]


def test_a_rotation_under_way_ends_though_the_primary_key_moves(kms, kms_client, new_key):
    key_id = new_key(MultiRegion=True).partition("/")[2]
    kms_client.replicate_key(KeyId=key_id, ReplicaRegion="eu-west-1")
    kms.delays.rotating = 60
    kms_client.rotate_key_on_demand(KeyId=key_id)
    kms_client.update_primary_region(KeyId=key_id, PrimaryRegion="eu-west-1")
    kms.clock.advance(minutes=2)
    assert len(rotations(kms.client(region="eu-west-1"), key_id)) == 1


def test_kms_logs_what_it_does_on_its_own(kms, kms_client, new_key):
    key_id = new_key(MultiRegion=True).partition("/")[2]
    kms_client.replicate_key(KeyId=key_id, ReplicaRegion="eu-west-1")
    kms_client.enable_key_rotation(KeyId=key_id)
    kms.clock.advance(days=366)
    new = current(kms_client, key_id)
    events = kms._service.state.events
    assert [(event.name, event.key.region, event.time) for event in events] == [
        ("RotateKey", "us-east-1", START + 365 * DAY),
        ("SynchronizeMultiRegionKey", "eu-west-1", START + 365 * DAY),
    ]
    assert events[0].details["currentKeyMaterialId"] == new
    assert events[0].details["rotationType"] == "AUTOMATIC"
