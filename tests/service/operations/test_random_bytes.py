"""GenerateRandom."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timezone

import pytest
from botocore.client import BaseClient

from pytest_kmsmock.handle import KmsMock
from pytest_kmsmock.service.records import CustomKeyStore

Refusal = Callable[..., AbstractContextManager[None]]
FAILED = "1 validation error detected: Value {} at 'numberOfBytes' failed to satisfy constraint: Member must "


@pytest.mark.parametrize("count", [1, 32, 1024])
def test_random_bytes_are_as_many_as_wanted_and_never_the_same(kms_client: BaseClient, count: int) -> None:
    made = kms_client.generate_random(NumberOfBytes=count)
    assert len(made["Plaintext"]) == count
    assert set(made) == {"Plaintext", "ResponseMetadata"}
    if count > 1:
        assert made["Plaintext"] != kms_client.generate_random(NumberOfBytes=count)["Plaintext"]


def test_the_number_is_needed_and_limited(kms_client: BaseClient, refusal: Refusal) -> None:
    # API reference: "There is no default value for string length."
    with refusal("ValidationException", FAILED.format("null") + "not be null"):
        kms_client.generate_random()
    with refusal("ValidationException", FAILED.format("'1025'") + "have value less than or equal to 1024"):
        kms_client.generate_random(NumberOfBytes=1025)


@pytest.fixture
def store(kms_mock: KmsMock) -> Callable[[str, str], str]:
    """Put a custom key store of a type in a state, whatever makes such stores."""

    def put(kind: str, state: str) -> str:
        region = kms_mock.service.state.region("123456789012", "us-east-1")
        created = datetime(2024, 1, 1, tzinfo=timezone.utc)
        region.custom_key_stores["cks-1"] = CustomKeyStore("cks-1", "store", kind, created, state=state)
        return "cks-1"

    return put


def test_a_cloudhsm_key_store_gives_random_bytes_while_connected(
    kms_client: BaseClient, store: Callable[[str, str], str], refusal: Refusal
) -> None:
    request = {"NumberOfBytes": 8, "CustomKeyStoreId": store("AWS_CLOUDHSM", "CONNECTED")}
    assert len(kms_client.generate_random(**request)["Plaintext"]) == 8
    store("AWS_CLOUDHSM", "DISCONNECTED")
    with refusal("CustomKeyStoreInvalidStateException"):
        kms_client.generate_random(**request)


def test_an_external_key_store_gives_none(
    kms_client: BaseClient, store: Callable[[str, str], str], refusal: Refusal
) -> None:
    # API reference, CustomKeyStoreId: "GenerateRandom throws an UnsupportedOperationException".
    with refusal("UnsupportedOperationException", ""):
        kms_client.generate_random(NumberOfBytes=8, CustomKeyStoreId=store("EXTERNAL_KEY_STORE", "CONNECTED"))


def test_a_key_store_that_does_not_exist(kms_client: BaseClient, refusal: Refusal) -> None:
    with refusal("CustomKeyStoreNotFoundException"):
        kms_client.generate_random(NumberOfBytes=8, CustomKeyStoreId="cks-0")
