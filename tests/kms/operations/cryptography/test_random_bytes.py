"""GenerateRandom."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

Refusal = Callable[..., AbstractContextManager[None]]
FAILED = "1 validation error detected: Value {} at 'numberOfBytes' failed to satisfy constraint: Member must "


@pytest.mark.parametrize("count", [1, 32, 1024])
def test_random_bytes_are_as_many_as_wanted_and_never_the_same(kms_client, count):
    made = kms_client.generate_random(NumberOfBytes=count)
    assert len(made["Plaintext"]) == count
    assert set(made) == {"Plaintext", "ResponseMetadata"}
    if count > 1:
        assert made["Plaintext"] != kms_client.generate_random(NumberOfBytes=count)["Plaintext"]


def test_the_number_is_needed_and_limited(kms_client, refusal):
    # API reference: "There is no default value for string length." The message is recorded from AWS, 2025.
    with refusal("ValidationException", "NumberOfBytes is required."):
        kms_client.generate_random()
    with refusal("ValidationException", FAILED.format("'1025'") + "have value less than or equal to 1024"):
        kms_client.generate_random(NumberOfBytes=1025)


def test_a_cloudhsm_key_store_gives_random_bytes_while_connected(kms_mock, kms_client, refusal):
    request = {"NumberOfBytes": 8, "CustomKeyStoreId": kms_mock.key_stores.add_store()}
    assert len(kms_client.generate_random(**request)["Plaintext"]) == 8
    kms_client.disconnect_custom_key_store(CustomKeyStoreId=request["CustomKeyStoreId"])
    with refusal(
        "CustomKeyStoreInvalidStateException",
        f"The custom key store {request['CustomKeyStoreId']} is not connected.",
    ):
        kms_client.generate_random(**request)


@pytest.mark.parametrize("how", ["offline", "no HSM", "removed"])
def test_an_unreachable_cluster_gives_no_random_bytes(kms_mock, kms_client, refusal, how):
    """API: the bytes are generated in the cluster. The store still says that it is connected."""
    stores = kms_mock.key_stores
    cluster = stores.add_cluster()
    request = {"NumberOfBytes": 8, "CustomKeyStoreId": stores.add_store(cluster)}
    if how == "offline":
        stores.take_offline(cluster)
    elif how == "no HSM":
        stores.change(cluster, hsms=0)
    else:
        stores.remove(cluster)
    with refusal("CustomKeyStoreInvalidStateException", "KMS cannot communicate with your CloudHSM cluster"):
        kms_client.generate_random(**request)


def test_an_external_key_store_gives_no_random_bytes(kms_mock, kms_client, refusal):
    # API reference, CustomKeyStoreId: "GenerateRandom throws an UnsupportedOperationException".
    store = kms_mock.key_stores.add_store(kms_mock.key_stores.add_xks_proxy())
    with refusal("UnsupportedOperationException", ""):
        kms_client.generate_random(NumberOfBytes=8, CustomKeyStoreId=store)


def test_a_key_store_that_does_not_exist(kms_client, refusal):
    with refusal("CustomKeyStoreNotFoundException", "The custom key store cks-0 does not exist."):
        kms_client.generate_random(NumberOfBytes=8, CustomKeyStoreId="cks-0")
