"""Times of scheduled changes of a record, which states from files need."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pytest_kmsmock._kms.rules.timeline import due_dates
from pytest_kmsmock._kms.state.records import Alias


def record_of(kms_mock, key_id: str):
    return kms_mock._service.state.region(kms_mock.account, kms_mock.region).keys[key_id]


def test_nothing_is_due_on_a_new_key_or_an_alias(kms_mock):
    assert due_dates(record_of(kms_mock, kms_mock.create_key().id)) == set()
    assert due_dates(Alias("alias/a", None, None, None)) == set()


@pytest.mark.parametrize(
    ("change", "after"),
    [
        pytest.param(
            lambda client, key_id: client.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7),
            timedelta(days=7),
            id="deletion",
        ),
        pytest.param(
            lambda client, key_id: client.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=90),
            timedelta(days=90),
            id="rotation",
        ),
        pytest.param(lambda client, key_id: client.rotate_key_on_demand(KeyId=key_id), timedelta(), id="on-demand"),
    ],
)
def test_scheduled_changes_are_due(kms_mock, kms_client, change, after):
    now = kms_mock.clock.freeze("2030-01-01")
    key_id = kms_mock.create_key().id
    change(kms_client, key_id)
    assert due_dates(record_of(kms_mock, key_id)) == {now + after}


def test_a_key_store_that_is_connecting_is_due(kms_mock, kms_client):
    now = kms_mock.clock.freeze("2030-01-01")
    kms_mock.delays.connecting = 60
    cluster = kms_mock.key_stores.add_cluster()
    store_id = kms_client.create_custom_key_store(CustomKeyStoreName="c", **cluster.parameters)["CustomKeyStoreId"]
    region = kms_mock._service.state.region(kms_mock.account, kms_mock.region)
    assert due_dates(region.custom_key_stores[store_id]) == set()
    kms_client.connect_custom_key_store(CustomKeyStoreId=store_id)
    assert due_dates(region.custom_key_stores[store_id]) == {now + timedelta(seconds=60)}
