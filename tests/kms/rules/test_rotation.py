"""Moving the clock over many rotations: only the last ones are made, in time that does not depend on the distance.

That the first ones are left out is this package's choice; AWS keeps every rotation.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, timezone

import pytest

from pytest_kmsmock import KmsMock
from pytest_kmsmock._kms.rules import rotation
from pytest_kmsmock._kms.rules.rotation import MAX_ROTATIONS_AT_ONCE
from pytest_kmsmock._kms.state.clock import LATEST

START = datetime(2030, 1, 1, tzinfo=timezone.utc)
PERIOD = timedelta(days=90)


@pytest.fixture
def rotated(kms_mock: KmsMock, kms_client) -> str:
    kms_mock.clock.freeze(START)
    key_id = kms_mock.create_key().id
    kms_client.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=PERIOD.days)
    return key_id


def dates(client, key_id: str) -> list[datetime]:
    pages = client.get_paginator("list_key_rotations").paginate(KeyId=key_id)
    return [entry["RotationDate"] for page in pages for entry in page["Rotations"]]


def test_to_the_end_of_the_clock(kms_mock, kms_client, rotated):
    first = kms_client.encrypt(KeyId=rotated, Plaintext=b"x")["CiphertextBlob"]
    kms_mock.clock.move_to(LATEST)
    found = dates(kms_client, rotated)
    due = (LATEST - START) // PERIOD
    assert due > 28_000
    assert found == [START + number * PERIOD for number in range(due - MAX_ROTATIONS_AT_ONCE + 1, due + 1)]
    assert kms_client.get_key_rotation_status(KeyId=rotated)["NextRotationDate"] == found[-1] + PERIOD
    assert kms_client.decrypt(CiphertextBlob=first)["Plaintext"] == b"x"
    logged = [event for event in kms_mock.cloudtrail_events() if event["eventName"] == "RotateKey"]
    assert len(logged) == MAX_ROTATIONS_AT_ONCE


@pytest.mark.parametrize("count", [1, 2, MAX_ROTATIONS_AT_ONCE])
def test_up_to_the_maximum_all_rotations_are_made(kms_mock, kms_client, rotated, count):
    kms_mock.clock.move_to(START + count * PERIOD)
    assert dates(kms_client, rotated) == [START + number * PERIOD for number in range(1, count + 1)]


def test_moving_the_clock_costs_the_same_for_any_distance(kms_mock, kms_client, rotated, monkeypatch):
    monkeypatch.setattr(rotation, "MAX_ROTATIONS_AT_ONCE", 10)

    def calls_of(when: datetime) -> int:
        count = 0

        def profile(*_: object) -> None:
            nonlocal count
            count += 1

        kms_mock.clock.move_to(when)
        before = sys.getprofile()
        sys.setprofile(profile)
        try:
            kms_client.describe_key(KeyId=rotated)
        finally:
            sys.setprofile(before)
        return count

    calls_of(START)
    near = calls_of(START + 20 * PERIOD)
    assert calls_of(LATEST) < near * 1.05
