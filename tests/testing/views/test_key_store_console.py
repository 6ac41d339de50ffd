"""`kms.key_stores`: what a test author sets up, changes and breaks."""

from __future__ import annotations

import doctest
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from pytest_kmsmock import mock_kms
from pytest_kmsmock._kms.state import delays
from pytest_kmsmock._mock.kms_mock import KmsMock
from pytest_kmsmock._testing.dumps import dump
from pytest_kmsmock._testing.views import key_store_console
from pytest_kmsmock._testing.views.key_store_console import KeyStores
from pytest_kmsmock.errors import InvalidArgument, InvalidBacking, UnknownBacking

SERVICE = "com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0"


@pytest.mark.parametrize("module", [key_store_console, delays])
def test_the_examples_are_right(module: ModuleType) -> None:
    result = doctest.testmod(module)
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
    document = json.loads(json.dumps(dump.dump(kms_mock._service)))
    with mock_kms(fresh=True) as other:
        dump.load(other._service, document)
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
    with pytest.raises(UnknownBacking, match=r"https://xks.example.com /kms/xks/v1 one does not exist in this mock"):
        stores.disable_xks_key(proxy, "one")
    nobodies: list[Any] = ["one", None, ["one"]]
    for nobody in nobodies:
        with pytest.raises(UnknownBacking, match=r"/kms/xks/v1 .*(one|None)"):
            stores.remove_xks_key(proxy, nobody)
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
    with pytest.raises(InvalidArgument) as refused:
        stores.change(stores.add_cluster(), colour="blue")
    assert str(refused.value) == (
        "key_stores.change(): unknown argument 'colour'. Choose from: id, certificate, password, hsms, online."
    )


def test_error_codes_are_aws(kms_mock: KmsMock) -> None:
    with pytest.raises(ValueError, match="Did you mean 'USER_LOCKED_OUT'"):
        kms_mock.key_stores.fail_next_connect("USER_LOCKED")
    with pytest.raises(ValueError, match="Choose from: INVALID_CREDENTIALS"):
        kms_mock.key_stores.fail_next_connect("?")


def test_a_failure_is_for_the_store_that_was_named(kms_mock: KmsMock) -> None:
    stores, client = kms_mock.key_stores, kms_mock.client()
    one, two = stores.add_store(connected=False), stores.add_store(connected=False)
    stores.fail_next_connect("INTERNAL_ERROR", two)
    for store in (one, two):
        client.connect_custom_key_store(CustomKeyStoreId=store)
    found = client.describe_custom_key_stores()["CustomKeyStores"]
    assert [store["ConnectionState"] for store in found] == ["CONNECTED", "FAILED"]


def test_a_failure_is_for_a_store_that_is_there(kms_mock: KmsMock) -> None:
    stores = kms_mock.key_stores
    for nobody in ("cks-nope", ""):
        with pytest.raises(InvalidBacking, match=f"Unknown custom key store '{nobody}'. There are none"):
            stores.fail_next_connect("INTERNAL_ERROR", nobody)
    known = stores.add_store(region="eu-west-1", connected=False)
    with pytest.raises(InvalidBacking, match=f"Unknown custom key store 'cks-nope'. They are: {known}."):
        stores.fail_next_connect("INTERNAL_ERROR", "cks-nope")
    stores.fail_next_connect("INTERNAL_ERROR", known)


def test_a_failure_is_one_that_the_store_can_have(kms_mock: KmsMock) -> None:
    stores, client = kms_mock.key_stores, kms_mock.client()
    hsm = stores.add_store(connected=False)
    xks = stores.add_store(stores.add_xks_proxy(), connected=False)
    with pytest.raises(InvalidBacking, match="AWS_CLOUDHSM does not fail with XKS_PROXY_TIMED_OUT, but with INVALID_C"):
        stores.fail_next_connect("XKS_PROXY_TIMED_OUT", hsm)
    with pytest.raises(InvalidBacking, match="EXTERNAL_KEY_STORE does not fail with USER_LOCKED_OUT"):
        stores.fail_next_connect("USER_LOCKED_OUT", xks)
    stores.fail_next_connect("XKS_PROXY_TIMED_OUT")  # for the first that can have it
    for store in (hsm, xks):
        client.connect_custom_key_store(CustomKeyStoreId=store)
    found = client.describe_custom_key_stores()["CustomKeyStores"]
    assert [store.get("ConnectionErrorCode") for store in found] == [None, "XKS_PROXY_TIMED_OUT"]


Method = Callable[[KeyStores], Any]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        pytest.param(
            lambda stores: stores.add_cluster("cluster-1"),
            r"Cluster id: expected 19 to 24 characters that match cluster-\[2-7a-zA-Z\]\{11,16\}, as AWS does,",
            id="API: CloudHsmClusterId",
        ),
        pytest.param(lambda stores: stores.add_cluster("hsm-abcdefgh2345"), "Cluster id", id="no cluster id"),
        pytest.param(lambda stores: stores.add_cluster(""), "Cluster id", id="an empty cluster id"),
        pytest.param(lambda stores: stores.add_cluster(5), "Cluster id", id="a number"),
        pytest.param(
            lambda stores: stores.add_cluster(password="short"),
            "password: expected 7 to 32 characters, as",
            id="password",
        ),
        pytest.param(
            lambda stores: stores.add_cluster(certificate=""), "certificate: expected 1 to 5000", id="certif."
        ),
        pytest.param(lambda stores: stores.add_cluster(hsms=-1), "hsms: expected the number", id="less than no HSM"),
        pytest.param(lambda stores: stores.add_cluster(hsms=29), "active HSMs of the cluster, at most 28", id="HSMs"),
        pytest.param(lambda stores: stores.add_cluster(hsms=True), "hsms: expected the number", id="HSMs are counted"),
        pytest.param(
            lambda stores: stores.add_xks_proxy("http://xks.example.com"), r"endpoint: expected 10 to 128", id="no TLS"
        ),
        pytest.param(lambda stores: stores.add_xks_proxy("https://a.example.com:8443"), "endpoint", id="a port"),
        pytest.param(lambda stores: stores.add_xks_proxy("https://a.example.com/"), "endpoint", id="a slash"),
        pytest.param(lambda stores: stores.add_xks_proxy(""), "endpoint", id="an empty endpoint"),
        pytest.param(lambda stores: stores.add_xks_proxy(path="/kms/xks"), "path: expected 10 to 128", id="no version"),
        pytest.param(lambda stores: stores.add_xks_proxy(path="kms/xks/v1"), "path", id="a relative path"),
        pytest.param(lambda stores: stores.add_xks_proxy(access_key_id="A"), "access_key_id: expected 20", id="id"),
        pytest.param(lambda stores: stores.add_xks_proxy(secret_access_key="A"), "secret_access_key: exp", id="secret"),
        pytest.param(
            lambda stores: stores.add_xks_proxy(vpc_endpoint_service="vpce-svc-0"), "vpc_endpoint_service", id="service"
        ),
        pytest.param(
            lambda stores: stores.add_xks_proxy(vpc_endpoint_service=SERVICE, vpc_endpoint_service_owner="1"),
            "vpc_endpoint_service_owner: expected 12 characters that match",
            id="owner",
        ),
        pytest.param(
            lambda stores: stores.add_xks_proxy(vpc_endpoint_service_owner="111122223333"), "give both", id="no service"
        ),
        pytest.param(lambda stores: stores.add_xks_proxy(keys="one"), r"Write \['one'\]", id="keys are a list"),
        pytest.param(lambda stores: stores.add_xks_proxy(keys=["a key"]), "XksKey id: expected 1 to 128", id="key id"),
        pytest.param(
            lambda stores: stores.add_xks_key(stores.add_xks_proxy(), "one", usage="ENCRYPT"), "usage: ", id="usage"
        ),
        pytest.param(lambda stores: stores.add_xks_key(stores.add_xks_proxy(), ""), "XksKey id", id="an empty key id"),
        pytest.param(lambda stores: stores.add_store(name=""), "name: expected 1 to 256", id="an empty name"),
        pytest.param(
            lambda stores: stores.change(stores.add_cluster(), password="short"), "password: expected", id="changed"
        ),
        pytest.param(
            lambda stores: stores.change(stores.add_cluster(), online="yes"),
            "online must be True or False, not 'yes'",
            id="online",
        ),
        pytest.param(
            lambda stores: stores.change(stores.add_xks_proxy(), keys=["one"]), "keys: change them with", id="keys"
        ),
        pytest.param(
            lambda stores: stores.change(stores.add_xks_proxy(), keys={"one": "AES_256"}), "keys: change", id="no keys"
        ),
        pytest.param(
            lambda stores: stores.change(stores.add_xks_proxy(), failure="TIMED_OUT"),
            "failure: expected one of XKS_PROXY_ACCESS_DENIED, .*, or None; got 'TIMED_OUT'",
            id="trouble",
        ),
        pytest.param(
            lambda stores: stores.change(stores.add_xks_proxy(), failure=["XKS_PROXY_TIMED_OUT"]),
            r"failure: expected one of .* got \['XKS_PROXY_TIMED_OUT'\]",
            id="several troubles",
        ),
        pytest.param(lambda stores: stores.add_cluster(["cluster-2"]), "Cluster id: expected", id="a list as an id"),
        pytest.param(
            lambda stores: stores.add_xks_proxy(keys=None), "keys: expected a list of strings, got None", id="none"
        ),
        pytest.param(
            lambda stores: stores.add_xks_key(stores.add_xks_proxy(), "one", usage=2),
            "usage: expected a list",
            id="two",
        ),
        pytest.param(
            lambda stores: stores.add_xks_key(stores.add_xks_proxy(), "one", usage=["ENCRYPT", 2]),
            "XksKey usage: expected strings such as 'ENCRYPT', got 2",
            id="a use that is a number",
        ),
        pytest.param(
            lambda stores: stores.add_xks_key(stores.add_xks_proxy(), "one", spec=256),
            "XksKey spec: expected strings such as 'AES_256', got 256",
            id="spec",
        ),
        pytest.param(
            lambda stores: stores.add_xks_key(stores.add_xks_proxy(), "one", spec=""), "XksKey spec", id="an empty spec"
        ),
        pytest.param(
            lambda stores: stores.add_xks_key(stores.add_xks_proxy(), "one", enabled="no"),
            "enabled must be True or False, not 'no'",
            id="enabled",
        ),
        pytest.param(
            lambda stores: stores.add_store(connected="no"),
            "connected must be True or False, not 'no'",
            id="connected",
        ),
        pytest.param(
            lambda stores: stores.add_store(region="nowhere"),
            "CustomKeyStore region: expected 1 to 32 .*'now",
            id="Region",
        ),
        pytest.param(lambda stores: stores.add_store(name="\ud800"), "name: expected 1 to 256", id="a surrogate"),
        pytest.param(lambda stores: stores.add_store(region=""), "region: expected", id="an empty Region"),
        pytest.param(lambda stores: stores.add_store(region=5), "region: expected", id="a number as a Region"),
        pytest.param(
            lambda stores: stores.fail_next_connect("INTERNAL_ERROR", [stores.add_store()]),
            "Unknown custom key store",
            id="stores to fail",
        ),
    ],
)
def test_what_aws_does_not_have_is_refused(kms_mock: KmsMock, call: Method, text: str) -> None:
    with pytest.raises(InvalidBacking, match=text):
        call(kms_mock.key_stores)


def test_nothing_is_added_twice(kms_mock: KmsMock) -> None:
    stores = kms_mock.key_stores
    cluster = stores.add_cluster("cluster-22222222222")
    proxy = stores.add_xks_proxy("https://xks.example.com")
    with pytest.raises(InvalidBacking, match=r"cluster-22222222222 already exists. Use change\(\), or remove\(\) it"):
        stores.add_cluster("cluster-22222222222")
    with pytest.raises(InvalidBacking, match=r"https://xks\.example\.com /kms/xks/v1 already exists"):
        stores.add_xks_proxy("https://xks.example.com")
    stores.add_store(cluster, name="mine")
    stores.add_store(proxy)
    with pytest.raises(InvalidBacking, match="us-east-1 has a custom key store 'mine' already"):
        stores.add_store(name="mine")
    for taken in (cluster, stores.add_cluster(certificate=cluster.certificate), proxy):
        with pytest.raises(InvalidBacking, match=r"^us-east-1: The .* is already associated with"):
            stores.add_store(taken)
    with pytest.raises(InvalidBacking, match=r"^eu-west-1: The cluster .* is already associated with"):
        stores.add_store(cluster, region="eu-west-1")
    stores.add_store(proxy, name="mine", region="eu-west-1")
    for _ in range(8):
        stores.add_store()
    with pytest.raises(InvalidBacking, match="us-east-1 has 10 custom key stores already"):
        stores.add_store()


@pytest.mark.parametrize("wrong", [{"name": ""}, {"name": "taken"}, {"region": "nowhere"}, {"connected": 1}])
def test_a_refused_store_leaves_no_cluster(kms_mock: KmsMock, wrong: dict[str, Any]) -> None:
    kms_mock.key_stores.add_store(name="taken")
    before = kms_mock.dump()
    with pytest.raises(InvalidBacking):
        kms_mock.key_stores.add_store(**wrong)
    assert kms_mock.dump()["outside"] == before["outside"]


def test_methods_take_what_was_added_not_its_name(kms_mock: KmsMock) -> None:
    stores = kms_mock.key_stores
    stores.add_cluster("cluster-22222222222")
    for method in (stores.take_offline, stores.add_store, stores.remove):
        with pytest.raises(
            TypeError, match=r"Expected what add_cluster\(\) or add_xks_proxy\(\) returned, got 'cluster-"
        ):
            method("cluster-22222222222")  # this is what is tested


def test_external_keys_are_behind_a_proxy(kms_mock: KmsMock) -> None:
    stores = kms_mock.key_stores
    cluster: Any = stores.add_cluster("cluster-22222222222")
    for method in (stores.add_xks_key, stores.disable_xks_key, stores.enable_xks_key, stores.remove_xks_key):
        with pytest.raises(TypeError, match="the cluster cluster-22222222222 has no external keys"):
            method(cluster, "one")


def test_what_is_made_up_is_what_aws_takes(kms_mock: KmsMock) -> None:
    stores, client = kms_mock.key_stores, kms_mock.client()
    for number, backing in enumerate([stores.add_cluster(), stores.add_xks_proxy()]):
        assert client.create_custom_key_store(CustomKeyStoreName=f"store {number}", **backing.parameters)  # type: ignore[attr-defined]  # of a table


# --- AWS managed keys ---


def test_the_key_of_a_service(kms_mock: KmsMock) -> None:
    arn = kms_mock.managed_key("s3")
    found = kms_mock.client().describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    assert (found["Arn"], found["KeyManager"]) == (arn, "AWS")
    assert kms_mock.managed_key("s3") == arn
    assert kms_mock.managed_key("s3", region="eu-west-1").split(":")[3] == "eu-west-1"
    with pytest.raises(ValueError, match="AWS has no alias alias/aws/s4"):
        kms_mock.managed_key("s4")


@pytest.mark.parametrize("service", ["alias/aws/s3", "S3", "", None, ["s3"]])
def test_services_are_named_as_in_their_alias(kms_mock: KmsMock, service: Any) -> None:
    with pytest.raises(ValueError, match=r"AWS has no alias alias/aws/.*The services are: acm, .*, xray\."):
        kms_mock.managed_key(service)


@pytest.mark.parametrize("region", ["nowhere", "EU-WEST-1", "", 5])
def test_the_key_of_a_service_is_in_a_region(kms_mock: KmsMock, region: Any) -> None:
    with pytest.raises(ValueError, match=r"managed_key\(\): region must be a Region such as 'eu-west-1', not"):
        kms_mock.managed_key("s3", region=region)
