"""`kms.key_stores`: what a test author sets up, changes and breaks."""

from __future__ import annotations

import doctest
import json

import pytest

from pytest_kmsmock import mock_kms
from pytest_kmsmock.console import key_stores, snapshot
from pytest_kmsmock.errors import UnknownBacking
from pytest_kmsmock.handle import KmsMock
from pytest_kmsmock.service import delays


@pytest.mark.parametrize("module", [key_stores, delays])
def test_the_examples_are_right(module: object) -> None:
    result = doctest.testmod(module)  # type: ignore[arg-type]
    assert (result.failed, result.attempted > 0) == (0, True)


def test_a_store_takes_one_line(kms_mock: KmsMock) -> None:
    store = kms_mock.key_stores.add_store()
    client = kms_mock.client()
    assert client.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store)["KeyMetadata"]["KeyState"] == "Enabled"


def test_an_external_store_takes_two(kms_mock: KmsMock) -> None:
    proxy = kms_mock.key_stores.add_xks_proxy(keys=["one"])
    store = kms_mock.key_stores.add_store(proxy, name="outside", region="eu-west-1")
    client = kms_mock.client(region="eu-west-1")
    found = client.describe_custom_key_stores()["CustomKeyStores"][0]
    assert (found["CustomKeyStoreId"], found["CustomKeyStoreName"]) == (store, "outside")
    assert client.create_key(Origin="EXTERNAL_KEY_STORE", CustomKeyStoreId=store, XksKeyId="one")


def test_a_store_behind_a_vpc_endpoint_service(kms_mock: KmsMock) -> None:
    service = "com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0"
    proxy = kms_mock.key_stores.add_xks_proxy(keys=["one"], vpc_endpoint_service=service)
    store = kms_mock.key_stores.add_store(proxy)
    client = kms_mock.client()
    settings = client.describe_custom_key_stores()["CustomKeyStores"][0]["XksProxyConfiguration"]
    assert (settings["VpcEndpointServiceName"], settings["VpcEndpointServiceOwner"]) == (service, "123456789012")
    key = client.create_key(Origin="EXTERNAL_KEY_STORE", CustomKeyStoreId=store, XksKeyId="one")["KeyMetadata"]
    assert client.encrypt(KeyId=key["KeyId"], Plaintext=b"x")


def test_setting_up_is_no_call(kms_mock: KmsMock) -> None:
    kms_mock.key_stores.add_store()
    assert len(kms_mock.calls) == 0


def test_nested_mocks_have_an_outside_of_their_own(kms_mock: KmsMock) -> None:
    proxy = kms_mock.key_stores.add_xks_proxy(keys=["one"])
    store = kms_mock.key_stores.add_store(proxy)
    key = kms_mock.client().create_key(Origin="EXTERNAL_KEY_STORE", CustomKeyStoreId=store, XksKeyId="one")
    key_id = key["KeyMetadata"]["KeyId"]
    kms_mock.delays.connecting = 7
    with mock_kms() as inner:
        assert inner.delays.connecting == 7
        inner.delays.connecting = 9
        inner.key_stores.take_offline(proxy)
        with pytest.raises(inner.client().exceptions.KMSInvalidStateException):
            inner.client().encrypt(KeyId=key_id, Plaintext=b"x")
    assert kms_mock.delays.connecting == 7
    assert kms_mock.client().encrypt(KeyId=key_id, Plaintext=b"x")


def test_the_outside_is_in_a_dump(kms_mock: KmsMock) -> None:
    proxy = kms_mock.key_stores.add_xks_proxy(keys=["one"])
    store = kms_mock.key_stores.add_store(proxy)
    client = kms_mock.client()
    key = client.create_key(Origin="EXTERNAL_KEY_STORE", CustomKeyStoreId=store, XksKeyId="one")["KeyMetadata"]["KeyId"]
    blob = client.encrypt(KeyId=key, Plaintext=b"kept")["CiphertextBlob"]
    document = json.loads(json.dumps(snapshot.dump(kms_mock.service)))
    with mock_kms(fresh=True) as other:
        snapshot.load(other.service, document)
        assert other.client().decrypt(CiphertextBlob=blob)["Plaintext"] == b"kept"


def test_older_records_still_say_what_is_meant(kms_mock: KmsMock) -> None:
    stores = kms_mock.key_stores
    first = stores.add_xks_proxy()
    stores.add_xks_key(first, "one")
    stores.add_xks_key(first, "two")
    stores.take_offline(first)
    now = stores.bring_online(first)
    assert (set(now.keys), now.online) == ({"one", "two"}, True)


def test_what_is_not_there_is_named(kms_mock: KmsMock) -> None:
    stores = kms_mock.key_stores
    proxy = stores.add_xks_proxy("https://xks.example.com")
    with pytest.raises(UnknownBacking, match=r"no https://xks.example.com /kms/xks/v1 one in this mock"):
        stores.disable_xks_key(proxy, "one")
    with pytest.raises(UnknownBacking):
        stores.remove_xks_key(proxy, "one")
    cluster = stores.add_cluster("cluster-22222222222")
    stores.remove(cluster)
    with pytest.raises(UnknownBacking, match="cluster-22222222222"):
        stores.take_offline(cluster)
    with pytest.raises(UnknownBacking):
        stores.add_store(cluster)


def test_a_cluster_and_a_proxy_stay_where_they_are(kms_mock: KmsMock) -> None:
    stores = kms_mock.key_stores
    with pytest.raises(TypeError, match="add another one"):
        stores.change(stores.add_cluster(), id="cluster-22222222222")
    with pytest.raises(TypeError, match="colour"):
        stores.change(stores.add_cluster(), colour="blue")


def test_error_codes_are_aws(kms_mock: KmsMock) -> None:
    with pytest.raises(ValueError, match="Did you mean 'USER_LOCKED_OUT'"):
        kms_mock.key_stores.fail_next_connect("USER_LOCKED")
    with pytest.raises(ValueError, match="They are: INVALID_CREDENTIALS"):
        kms_mock.key_stores.fail_next_connect("?")


def test_a_failure_is_for_the_store_that_was_named(kms_mock: KmsMock) -> None:
    stores, client = kms_mock.key_stores, kms_mock.client()
    one, two = stores.add_store(connected=False), stores.add_store(connected=False)
    stores.fail_next_connect("INTERNAL_ERROR", two)
    for store in (one, two):
        client.connect_custom_key_store(CustomKeyStoreId=store)
    found = client.describe_custom_key_stores()["CustomKeyStores"]
    assert [store["ConnectionState"] for store in found] == ["CONNECTED", "FAILED"]


def test_what_is_made_up_is_what_aws_takes(kms_mock: KmsMock) -> None:
    stores, client = kms_mock.key_stores, kms_mock.client()
    for number, backing in enumerate([stores.add_cluster(), stores.add_xks_proxy()]):
        assert client.create_custom_key_store(CustomKeyStoreName=f"store {number}", **backing.parameters)


# --- AWS managed keys ---


def test_the_key_of_a_service(kms_mock: KmsMock) -> None:
    arn = kms_mock.managed_key("s3")
    found = kms_mock.client().describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    assert (found["Arn"], found["KeyManager"]) == (arn, "AWS")
    assert kms_mock.managed_key("s3") == arn
    assert kms_mock.managed_key("s3", region="eu-west-1").split(":")[3] == "eu-west-1"
    with pytest.raises(ValueError, match="AWS has no alias alias/aws/s4"):
        kms_mock.managed_key("s4")
