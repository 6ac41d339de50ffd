"""Custom key stores: making and changing them, their connection, and the keys in them.

Sources: "API" is the API reference of the operation or exception, "guide" the Developer Guide's "Troubleshooting
external key stores".
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from botocore.client import BaseClient

from pytest_kmsmock import mock_kms
from pytest_kmsmock._mock.kms_mock import KmsMock

START = datetime(2030, 1, 1, tzinfo=timezone.utc)
SERVICE = "com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0"
OTHER_SERVICE = "com.amazonaws.vpce.us-east-1.vpce-svc-0fedcba9876543210"
NOT_REACHABLE = (
    "AWS KMS cannot communicate with the external key store proxy. Verify that your external key store proxy is active "
    "and is connected to the network, and that its URI path and endpoint URI or VPC service name are correct in your "
    "external key store."
)
CREDENTIALS = (
    "The external key store proxy rejected the request because it could not authenticate AWS KMS. Verify the "
    "credentials for your external key store and update if necessary."
)
PATH = (
    "The external key store proxy rejected the request because of an invalid URI path. Verify the URI path for your "
    "external key store and update if necessary."
)
#: What can be wrong with a proxy that answers -> the exception of management operations, and the text of all.
#: Source: guide, "Proxy issues", "Latency and timeout errors", "General configuration errors", "Proxy authorization
#: issues". The guide names no exception of management operations for the last one.
FAILURES = {
    "XKS_PROXY_INVALID_RESPONSE": (
        "XksProxyInvalidResponseException",
        "AWS KMS cannot interpret the response from the external key store proxy. If you see this error repeatedly, "
        "consult your external key store proxy administrator.",
    ),
    "XKS_PROXY_TIMED_OUT": (
        "XksProxyUriUnreachableException",
        "AWS KMS rejected the request because the external key store proxy did not respond in time. Retry the request. "
        "If you see this error repeatedly, report it to your external key store proxy administrator.",
    ),
    "XKS_PROXY_INVALID_TLS_CONFIGURATION": (
        "XksProxyInvalidConfigurationException",
        "AWS KMS cannot establish a TLS connection to the external key store proxy. Verify the TLS configuration, "
        "including its certificate.",
    ),
    "XKS_PROXY_ACCESS_DENIED": (
        "XksProxyInvalidConfigurationException",
        "The external key store proxy denied access to the operation. Verify that the user and the external key are "
        "both authorized for this operation, and try the request again.",
    ),
}
KEY_NOT_FOUND = "The external key store proxy rejected the request because it could not find the external key."


def create(client: BaseClient, backing: Any, name: str = "mine", **changes: Any) -> str:
    members = {key: value for key, value in (backing.parameters | changes).items() if value is not None}
    store: str = client.create_custom_key_store(CustomKeyStoreName=name, **members)["CustomKeyStoreId"]
    return store


def describe(client: BaseClient, store: str) -> dict[str, Any]:
    found: dict[str, Any] = client.describe_custom_key_stores(CustomKeyStoreId=store)["CustomKeyStores"][0]
    return found


def connection(client: BaseClient, store: str) -> tuple[str, str | None]:
    found = describe(client, store)
    return found["ConnectionState"], found.get("ConnectionErrorCode")


def key_state(client: BaseClient, key: str) -> str:
    found: str = client.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
    return found


# --- making ---


def test_a_cloudhsm_store_shows_its_cluster(kms, kms_client):
    cluster = kms.key_stores.add_cluster()
    store = create(kms_client, cluster)
    assert store.startswith("cks-")
    assert len(store) == len("cks-1234567890abcdef0")
    assert describe(kms_client, store) == {
        "CustomKeyStoreId": store,
        "CustomKeyStoreName": "mine",
        "CustomKeyStoreType": "AWS_CLOUDHSM",
        "CloudHsmClusterId": cluster.id,
        "TrustAnchorCertificate": cluster.certificate,
        "ConnectionState": "DISCONNECTED",
        "CreationDate": START,
    }


@pytest.mark.parametrize("service", [None, SERVICE])
def test_an_external_store_shows_its_proxy(kms, kms_client, service):
    proxy = kms.key_stores.add_xks_proxy("https://xks.example.com", vpc_endpoint_service=service)
    store = create(kms_client, proxy)
    settings = {
        "Connectivity": "PUBLIC_ENDPOINT",
        "AccessKeyId": proxy.access_key_id,
        "UriEndpoint": "https://xks.example.com",
        "UriPath": "/kms/xks/v1",
    }
    if service:
        settings |= {
            "Connectivity": "VPC_ENDPOINT_SERVICE",
            "VpcEndpointServiceName": service,
            "VpcEndpointServiceOwner": "123456789012",
        }
    found = describe(kms_client, store)
    assert (found["CustomKeyStoreType"], found["XksProxyConfiguration"]) == ("EXTERNAL_KEY_STORE", settings)
    assert "CloudHsmClusterId" not in found


@pytest.mark.parametrize("missing", ["CloudHsmClusterId", "TrustAnchorCertificate", "KeyStorePassword"])
def test_a_cloudhsm_store_requires_all_its_parameters(kms, kms_client, refusal, missing):
    with refusal("ValidationException"):
        create(kms_client, kms.key_stores.add_cluster(), **{missing: None})


@pytest.mark.parametrize(
    "missing",
    ["XksProxyUriEndpoint", "XksProxyUriPath", "XksProxyAuthenticationCredential", "XksProxyConnectivity"],
)
def test_an_external_store_requires_all_its_parameters(kms, kms_client, refusal, missing):
    with refusal("ValidationException"):
        create(kms_client, kms.key_stores.add_xks_proxy(), **{missing: None})


def test_a_vpc_store_needs_the_name_of_its_service(kms, kms_client, refusal):
    proxy = kms.key_stores.add_xks_proxy(vpc_endpoint_service=SERVICE)
    with refusal("ValidationException"):
        create(kms_client, proxy, XksProxyVpcEndpointServiceName=None, XksProxyVpcEndpointServiceOwner=None)
    with refusal("ValidationException"):
        create(kms_client, proxy, XksProxyConnectivity="PUBLIC_ENDPOINT")


def test_members_of_the_other_type_are_refused(kms, kms_client, refusal):
    with refusal("ValidationException"):
        create(kms_client, kms.key_stores.add_cluster(), XksProxyUriPath="/kms/xks/v1")
    with refusal("ValidationException"):
        create(kms_client, kms.key_stores.add_xks_proxy(), KeyStorePassword="password")


def test_names_are_unique(kms, kms_client, refusal):
    create(kms_client, kms.key_stores.add_cluster())
    with refusal("CustomKeyStoreNameInUseException"):
        create(kms_client, kms.key_stores.add_cluster())
    create(kms.client(region="eu-west-1"), kms.key_stores.add_cluster())


def test_there_are_ten_stores_at_most(kms, kms_client, refusal):
    for number in range(10):
        create(kms_client, kms.key_stores.add_cluster(), f"store {number}")
    text = "Custom key stores quota for this account in this region is 10, current usage is 10."  # (B)
    with refusal("LimitExceededException", text):
        create(kms_client, kms.key_stores.add_cluster(), "one more")


def test_a_cluster_must_exist(kms, kms_client, refusal):
    with mock_kms(fresh=True) as elsewhere:
        cluster = elsewhere.key_stores.add_cluster()
    with refusal("CloudHsmClusterNotFoundException"):
        create(kms_client, cluster)


def test_a_cluster_is_for_one_store(kms, kms_client, refusal):
    cluster = kms.key_stores.add_cluster()
    create(kms_client, cluster)
    for again in (cluster, kms.key_stores.add_cluster(certificate=cluster.certificate)):
        with refusal("CloudHsmClusterInUseException"):
            create(kms_client, again, "other")


def test_a_cluster_is_for_one_store_in_all_regions(kms, kms_client, refusal):
    """API, CloudHsmClusterInUseException: "Each CloudHSM key store in the account" has a cluster of its own."""
    cluster, abroad = kms.key_stores.add_cluster(), kms.client(region="eu-west-1")
    store = create(kms_client, cluster)
    for again in (cluster, kms.key_stores.add_cluster(certificate=cluster.certificate)):
        with refusal("CloudHsmClusterInUseException"):
            create(abroad, again)
    kms_client.delete_custom_key_store(CustomKeyStoreId=store)
    assert create(abroad, cluster)


def test_a_proxy_is_for_one_store_in_each_region(kms, kms_client):
    """API, XksProxyUriInUseException: "in this Amazon Web Services Region"."""
    proxy = kms.key_stores.add_xks_proxy()
    assert create(kms_client, proxy) != create(kms.client(region="eu-west-1"), proxy)


def test_a_cluster_must_be_active_and_have_two_hsms(kms, kms_client, refusal):
    cluster = kms.key_stores.take_offline(kms.key_stores.add_cluster())
    with refusal("CloudHsmClusterNotActiveException"):
        create(kms_client, cluster)
    with refusal("CloudHsmClusterInvalidConfigurationException"):
        create(kms_client, kms.key_stores.add_cluster(hsms=1))


def test_the_trust_anchor_must_be_the_clusters(kms, kms_client, refusal):
    cluster, other = kms.key_stores.add_cluster(), kms.key_stores.add_cluster()
    with refusal("IncorrectTrustAnchorException"):
        create(kms_client, cluster, TrustAnchorCertificate=other.certificate)
    create(kms_client, cluster, TrustAnchorCertificate=cluster.certificate + "\n")


def test_kms_tries_a_public_proxy_at_once(kms, kms_client, refusal):
    proxy = kms.key_stores.add_xks_proxy()
    with refusal("XksProxyUriUnreachableException"):
        create(kms_client, proxy, XksProxyUriEndpoint="https://elsewhere.example.com")
    with refusal("XksProxyInvalidConfigurationException", PATH):
        create(kms_client, proxy, XksProxyUriPath="/other/kms/xks/v1")
    credential = {"AccessKeyId": proxy.access_key_id, "RawSecretAccessKey": "A" * 43}
    with refusal("XksProxyIncorrectAuthenticationCredentialException", CREDENTIALS):
        create(kms_client, proxy, XksProxyAuthenticationCredential=credential)
    kms.key_stores.take_offline(proxy)
    with refusal("XksProxyUriUnreachableException"):
        create(kms_client, proxy)
    inside = kms.key_stores.add_xks_proxy(vpc_endpoint_service=SERVICE)
    with refusal("XksProxyUriUnreachableException"):
        create(kms_client, inside, XksProxyConnectivity="PUBLIC_ENDPOINT", XksProxyVpcEndpointServiceName=None,
               XksProxyVpcEndpointServiceOwner=None)  # fmt: skip


def test_kms_checks_the_vpc_endpoint_service_at_once(kms, kms_client, refusal):
    proxy = kms.key_stores.add_xks_proxy(vpc_endpoint_service=SERVICE, vpc_endpoint_service_owner="111122223333")
    with refusal("XksProxyVpcEndpointServiceNotFoundException"):
        create(kms_client, proxy, XksProxyVpcEndpointServiceName=OTHER_SERVICE)
    with refusal("XksProxyVpcEndpointServiceNotFoundException"):  # API: the caller's own account by default
        create(kms_client, proxy, XksProxyVpcEndpointServiceOwner=None)
    with refusal("XksProxyVpcEndpointServiceInvalidConfigurationException"):
        create(kms_client, proxy, XksProxyUriEndpoint="https://other.example.com")
    kms.key_stores.take_offline(proxy)  # the proxy itself is tried when the store is connected
    create(kms_client, proxy)


def test_proxies_are_for_one_store(kms, kms_client, refusal):
    """API CreateCustomKeyStore, "Uniqueness requirements"."""
    one = kms.key_stores.add_xks_proxy("https://one.example.com")
    create(kms_client, one)
    with refusal("XksProxyUriInUseException"):
        create(kms_client, one, "other")
    create(kms_client, kms.key_stores.add_xks_proxy("https://one.example.com", "/two/kms/xks/v1"), "two")
    inside = kms.key_stores.add_xks_proxy("https://one.example.com", "/three/kms/xks/v1", vpc_endpoint_service=SERVICE)
    with refusal("XksProxyUriEndpointInUseException"):
        create(kms_client, inside, "three")
    inside = kms.key_stores.add_xks_proxy("https://four.example.com", vpc_endpoint_service=SERVICE)
    create(kms_client, inside, "four")
    again = kms.key_stores.add_xks_proxy("https://five.example.com", vpc_endpoint_service=SERVICE)
    with refusal("XksProxyVpcEndpointServiceInUseException"):
        create(kms_client, again, "five")


# --- describing ---


def test_stores_are_found_by_id_and_name(kms, kms_client, refusal):
    ids = [create(kms_client, kms.key_stores.add_cluster(), name) for name in ("one", "two", "three")]
    listed = kms_client.describe_custom_key_stores()
    assert [store["CustomKeyStoreId"] for store in listed["CustomKeyStores"]] == ids
    assert listed["Truncated"] is False
    found = kms_client.describe_custom_key_stores(CustomKeyStoreName="two")["CustomKeyStores"]
    assert [store["CustomKeyStoreId"] for store in found] == [ids[1]]
    page = kms_client.describe_custom_key_stores(Limit=2)
    assert len(page["CustomKeyStores"]) == 2
    rest = kms_client.describe_custom_key_stores(Marker=page["NextMarker"])["CustomKeyStores"]
    assert [store["CustomKeyStoreId"] for store in rest] == ids[2:]
    for members in ({"CustomKeyStoreId": "cks-0"}, {"CustomKeyStoreName": "four"}):
        with refusal("CustomKeyStoreNotFoundException"):
            kms_client.describe_custom_key_stores(**members)
    with refusal("ValidationException"):
        kms_client.describe_custom_key_stores(CustomKeyStoreId=ids[0], CustomKeyStoreName="one")


@pytest.mark.parametrize(
    "operation",
    ["connect_custom_key_store", "disconnect_custom_key_store", "update_custom_key_store", "delete_custom_key_store"],
)
def test_a_store_must_exist(kms, kms_client, refusal, operation):
    with refusal("CustomKeyStoreNotFoundException", "The custom key store cks-0 does not exist."):
        getattr(kms_client, operation)(CustomKeyStoreId="cks-0")


# --- connecting ---


@pytest.mark.parametrize("external", [False, True])
def test_connecting_is_finished_at_the_next_call(kms, kms_client, external):
    stores = kms.key_stores
    store = create(kms_client, stores.add_xks_proxy() if external else stores.add_cluster())
    answer = kms_client.connect_custom_key_store(CustomKeyStoreId=store)
    assert answer.keys() == {"ResponseMetadata"}
    assert connection(kms_client, store) == ("CONNECTED", None)
    kms_client.disconnect_custom_key_store(CustomKeyStoreId=store)
    assert connection(kms_client, store) == ("DISCONNECTED", None)


def test_connecting_takes_as_long_as_the_test_says(kms, kms_client, refusal):
    store = create(kms_client, kms.key_stores.add_cluster())
    kms.delays.connecting = timedelta(minutes=20)
    kms.delays.disconnecting = 60
    kms_client.connect_custom_key_store(CustomKeyStoreId=store)
    kms.clock.advance(minutes=19)
    assert connection(kms_client, store) == ("CONNECTING", None)
    kms_client.connect_custom_key_store(CustomKeyStoreId=store)  # API: valid in this state
    with refusal("CustomKeyStoreInvalidStateException"):
        kms_client.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store)
    kms.clock.advance(minutes=1)
    assert connection(kms_client, store) == ("CONNECTED", None)
    kms_client.connect_custom_key_store(CustomKeyStoreId=store)  # API: valid in this state
    assert connection(kms_client, store) == ("CONNECTED", None)
    kms_client.disconnect_custom_key_store(CustomKeyStoreId=store)
    assert connection(kms_client, store) == ("DISCONNECTING", None)
    for operation in (kms_client.connect_custom_key_store, kms_client.disconnect_custom_key_store):
        with refusal("CustomKeyStoreInvalidStateException"):
            operation(CustomKeyStoreId=store)
    kms.clock.advance(minutes=1)
    with refusal("CustomKeyStoreInvalidStateException"):
        kms_client.disconnect_custom_key_store(CustomKeyStoreId=store)


def test_connecting_can_be_cancelled(kms, kms_client):
    store = create(kms_client, kms.key_stores.add_cluster())
    kms.delays.connecting = 60
    kms_client.connect_custom_key_store(CustomKeyStoreId=store)
    kms_client.disconnect_custom_key_store(CustomKeyStoreId=store)
    assert connection(kms_client, store) == ("DISCONNECTED", None)
    kms.clock.advance(minutes=5)
    assert connection(kms_client, store) == ("DISCONNECTED", None)


def test_a_failed_store_has_to_be_disconnected_first(kms, kms_client, refusal):
    store = create(kms_client, kms.key_stores.add_cluster())
    kms.key_stores.fail_next_connect("USER_LOCKED_OUT")
    kms_client.connect_custom_key_store(CustomKeyStoreId=store)
    assert connection(kms_client, store) == ("FAILED", "USER_LOCKED_OUT")
    with refusal("CustomKeyStoreInvalidStateException"):
        kms_client.connect_custom_key_store(CustomKeyStoreId=store)
    kms_client.disconnect_custom_key_store(CustomKeyStoreId=store)
    kms_client.connect_custom_key_store(CustomKeyStoreId=store)
    assert connection(kms_client, store) == ("CONNECTED", None)


def test_connection_problems_of_a_cluster(kms, kms_client, refusal):
    stores = kms.key_stores
    cluster = stores.add_cluster()
    store = create(kms_client, cluster)
    stores.take_offline(cluster)
    with refusal("CloudHsmClusterNotActiveException"):
        kms_client.connect_custom_key_store(CustomKeyStoreId=store)
    stores.change(stores.bring_online(cluster), hsms=0)
    with refusal("CloudHsmClusterInvalidConfigurationException"):  # API: at least one active HSM
        kms_client.connect_custom_key_store(CustomKeyStoreId=store)
    stores.change(cluster, hsms=1, password="another-password")
    kms_client.connect_custom_key_store(CustomKeyStoreId=store)
    assert connection(kms_client, store) == ("FAILED", "INVALID_CREDENTIALS")
    kms_client.disconnect_custom_key_store(CustomKeyStoreId=store)
    kms_client.update_custom_key_store(CustomKeyStoreId=store, KeyStorePassword="another-password")
    kms_client.connect_custom_key_store(CustomKeyStoreId=store)
    assert connection(kms_client, store) == ("CONNECTED", None)
    kms_client.disconnect_custom_key_store(CustomKeyStoreId=store)
    stores.remove(cluster)
    kms_client.connect_custom_key_store(CustomKeyStoreId=store)
    assert connection(kms_client, store) == ("FAILED", "CLUSTER_NOT_FOUND")


@pytest.mark.parametrize("change", ["offline", "credential", "removed", "moved", "service"])
def test_connection_problems_of_a_proxy(kms, kms_client, change):
    stores = kms.key_stores
    proxy = stores.add_xks_proxy(vpc_endpoint_service=SERVICE)
    store = create(kms_client, proxy)
    expected = "XKS_PROXY_NOT_REACHABLE"
    if change == "offline":
        stores.take_offline(proxy)
    elif change == "credential":
        stores.change(proxy, secret_access_key="B" * 43)
        expected = "INVALID_CREDENTIALS"
    elif change == "removed":
        stores.remove(proxy)
        expected = "XKS_VPC_ENDPOINT_SERVICE_NOT_FOUND"
    elif change == "moved":
        stores.remove(proxy)
        stores.add_xks_proxy(proxy.endpoint, "/moved/kms/xks/v1", vpc_endpoint_service=SERVICE)
        expected = "XKS_PROXY_INVALID_CONFIGURATION"
    else:
        stores.remove(proxy)
        stores.add_xks_proxy("https://other.example.com", vpc_endpoint_service=SERVICE)
        expected = "XKS_VPC_ENDPOINT_SERVICE_INVALID_CONFIGURATION"
    kms_client.connect_custom_key_store(CustomKeyStoreId=store)
    assert connection(kms_client, store) == ("FAILED", expected)


@pytest.mark.parametrize("failure", FAILURES)
def test_a_proxy_with_invalid_responses(kms, kms_client, external, refusal, failure):
    """Guide: CreateKey answers CustomKeyStoreInvalidStateException, cryptography KMSInvalidStateException."""
    stores = kms.key_stores
    proxy, store, key = external
    blob = kms_client.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    stores.change(stores.add_xks_key(proxy, "two"), failure=failure)
    code, text = FAILURES[failure]
    with refusal("KMSInvalidStateException", text):
        kms_client.decrypt(CiphertextBlob=blob)
    with refusal("CustomKeyStoreInvalidStateException", text):
        kms_client.create_key(Origin="EXTERNAL_KEY_STORE", CustomKeyStoreId=store, XksKeyId="two")
    with refusal(code, text):
        kms_client.update_custom_key_store(CustomKeyStoreId=store, XksProxyUriPath="/kms/xks/v1")
    with refusal(code, text):
        create(kms_client, stores.change(stores.add_xks_proxy(), failure=failure), "other")
    kms_client.disconnect_custom_key_store(CustomKeyStoreId=store)
    kms_client.connect_custom_key_store(CustomKeyStoreId=store)
    assert connection(kms_client, store) == ("FAILED", failure)
    stores.change(proxy, failure=None)
    kms_client.disconnect_custom_key_store(CustomKeyStoreId=store)
    kms_client.connect_custom_key_store(CustomKeyStoreId=store)
    assert kms_client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_changes_of_a_connected_vpc_store_are_tried(kms, kms_client, refusal):
    """Guide, "General configuration errors": with VPC endpoint service connectivity KMS tests when it connects and
    when the store is updated; it has a connection to test with only while the store is connected."""
    proxy = kms.key_stores.add_xks_proxy(vpc_endpoint_service=SERVICE)
    store = kms.key_stores.add_store(proxy)
    update = {"CustomKeyStoreId": store, "XksProxyUriPath": "/other/kms/xks/v1"}
    with refusal("XksProxyInvalidConfigurationException", PATH):
        kms_client.update_custom_key_store(**update)
    kms_client.disconnect_custom_key_store(CustomKeyStoreId=store)
    kms_client.update_custom_key_store(**update)
    kms_client.connect_custom_key_store(CustomKeyStoreId=store)
    assert connection(kms_client, store) == ("FAILED", "XKS_PROXY_INVALID_CONFIGURATION")


# --- changing and deleting ---


def test_what_can_be_changed_while_connected(kms, kms_client, refusal):
    """API UpdateCustomKeyStore: the name of any store; credential and path of an external one."""
    stores = kms.key_stores
    cluster, proxy = stores.add_cluster(), stores.add_xks_proxy("https://xks.example.com")
    hsm, xks = stores.add_store(cluster, name="hsm"), stores.add_store(proxy, name="xks")
    kms_client.update_custom_key_store(CustomKeyStoreId=hsm, NewCustomKeyStoreName="hsm 2")
    assert describe(kms_client, hsm)["CustomKeyStoreName"] == "hsm 2"
    stores.change(proxy, secret_access_key="C" * 43)
    stores.add_xks_proxy("https://xks.example.com", "/new/kms/xks/v1", secret_access_key="C" * 43)
    credential = {"AccessKeyId": proxy.access_key_id, "RawSecretAccessKey": "C" * 43}
    kms_client.update_custom_key_store(
        CustomKeyStoreId=xks, XksProxyAuthenticationCredential=credential, XksProxyUriPath="/new/kms/xks/v1"
    )
    assert describe(kms_client, xks)["XksProxyConfiguration"]["UriPath"] == "/new/kms/xks/v1"
    for store, members in (
        (hsm, {"KeyStorePassword": "another-password"}),
        (hsm, {"CloudHsmClusterId": cluster.id}),
        (xks, {"XksProxyUriEndpoint": "https://xks.example.com"}),
        (xks, {"XksProxyConnectivity": "PUBLIC_ENDPOINT"}),
    ):
        with refusal("CustomKeyStoreInvalidStateException"):
            kms_client.update_custom_key_store(CustomKeyStoreId=store, **members)


def test_changes_are_looked_at_as_a_new_store_is(kms, kms_client, refusal):
    stores = kms.key_stores
    cluster, proxy = stores.add_cluster(), stores.add_xks_proxy()
    hsm = stores.add_store(cluster, name="hsm", connected=False)
    xks = stores.add_store(proxy, name="xks", connected=False)
    update = kms_client.update_custom_key_store
    with refusal("CustomKeyStoreNameInUseException"):
        update(CustomKeyStoreId=hsm, NewCustomKeyStoreName="xks")
    update(CustomKeyStoreId=hsm, NewCustomKeyStoreName="hsm")
    with refusal("CloudHsmClusterNotFoundException"):
        update(CustomKeyStoreId=hsm, CloudHsmClusterId="cluster-22222222222")
    with refusal("CloudHsmClusterNotRelatedException"):
        update(CustomKeyStoreId=hsm, CloudHsmClusterId=stores.add_cluster().id)
    restored = stores.add_cluster(certificate=cluster.certificate)
    update(CustomKeyStoreId=hsm, CloudHsmClusterId=restored.id)
    assert describe(kms_client, hsm)["CloudHsmClusterId"] == restored.id
    with refusal("ValidationException"):
        update(CustomKeyStoreId=hsm, XksProxyUriPath="/kms/xks/v1")
    with refusal("XksProxyUriUnreachableException"):
        update(CustomKeyStoreId=xks, XksProxyUriEndpoint="https://nowhere.example.com")
    inside = stores.add_xks_proxy(vpc_endpoint_service=SERVICE)
    update(
        CustomKeyStoreId=xks,
        XksProxyConnectivity="VPC_ENDPOINT_SERVICE",
        XksProxyUriEndpoint=inside.endpoint,
        XksProxyVpcEndpointServiceName=SERVICE,
    )
    settings = describe(kms_client, xks)["XksProxyConfiguration"]
    assert (settings["Connectivity"], settings["VpcEndpointServiceName"]) == ("VPC_ENDPOINT_SERVICE", SERVICE)
    update(CustomKeyStoreId=xks, XksProxyConnectivity="PUBLIC_ENDPOINT", XksProxyUriEndpoint=proxy.endpoint)
    assert "VpcEndpointServiceName" not in describe(kms_client, xks)["XksProxyConfiguration"]


def test_a_changed_cluster_is_checked_like_a_new_one(kms, kms_client, refusal):
    stores = kms.key_stores
    cluster = stores.add_cluster()
    store = stores.add_store(cluster, connected=False)
    away = stores.take_offline(stores.add_cluster(certificate=cluster.certificate))
    small = stores.add_cluster(certificate=cluster.certificate, hsms=1)
    with refusal("CloudHsmClusterNotActiveException"):
        kms_client.update_custom_key_store(CustomKeyStoreId=store, CloudHsmClusterId=away.id)
    with refusal("CloudHsmClusterInvalidConfigurationException"):
        kms_client.update_custom_key_store(CustomKeyStoreId=store, CloudHsmClusterId=small.id)
    assert describe(kms_client, store)["CloudHsmClusterId"] == cluster.id


INSIDE = {"XksProxyConnectivity": "VPC_ENDPOINT_SERVICE", "XksProxyVpcEndpointServiceName": SERVICE}


@pytest.mark.parametrize(
    ("code", "members"),
    [
        ("XksProxyUriInUseException", {"XksProxyUriEndpoint": "https://taken.example.com"}),
        ("XksProxyUriEndpointInUseException", {"XksProxyUriEndpoint": "https://inside.example.com"}),
        (
            "XksProxyIncorrectAuthenticationCredentialException",
            {"XksProxyAuthenticationCredential": {"AccessKeyId": "A" * 20, "RawSecretAccessKey": "A" * 43}},
        ),
        ("XksProxyVpcEndpointServiceInUseException", {**INSIDE, "XksProxyUriEndpoint": "https://new.example.com"}),
        (
            "XksProxyVpcEndpointServiceNotFoundException",
            {**INSIDE, "XksProxyVpcEndpointServiceName": SERVICE + "0", "XksProxyUriEndpoint": "https://a.example.com"},
        ),
        (
            "XksProxyVpcEndpointServiceInvalidConfigurationException",
            {**INSIDE, "XksProxyVpcEndpointServiceName": OTHER_SERVICE, "XksProxyUriEndpoint": "https://a.example.com"},
        ),
    ],
    ids=lambda value: f"API: {value}" if isinstance(value, str) else "",
)
def test_a_changed_proxy_is_checked_like_a_new_one(kms, kms_client, refusal, code, members):
    stores = kms.key_stores
    store = stores.add_store(stores.add_xks_proxy("https://mine.example.com"), connected=False)
    stores.add_store(stores.add_xks_proxy("https://taken.example.com"))
    stores.add_store(
        stores.add_xks_proxy("https://inside.example.com", "/inside/kms/xks/v1", vpc_endpoint_service=SERVICE)
    )
    stores.add_xks_proxy("https://other.example.com", vpc_endpoint_service=OTHER_SERVICE)
    before = describe(kms_client, store)
    with refusal(code):
        kms_client.update_custom_key_store(CustomKeyStoreId=store, **members)
    assert describe(kms_client, store) == before


def test_a_store_is_deleted_when_it_is_empty_and_disconnected(kms, kms_client, refusal):
    store = kms.key_stores.add_store()
    key = kms_client.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store)["KeyMetadata"]["KeyId"]
    kms_client.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    with refusal("CustomKeyStoreHasCMKsException"):
        kms_client.delete_custom_key_store(CustomKeyStoreId=store)
    kms.clock.advance(days=7)
    with refusal("CustomKeyStoreInvalidStateException"):
        kms_client.delete_custom_key_store(CustomKeyStoreId=store)
    kms_client.disconnect_custom_key_store(CustomKeyStoreId=store)
    kms_client.delete_custom_key_store(CustomKeyStoreId=store)
    assert kms_client.describe_custom_key_stores()["CustomKeyStores"] == []


# --- keys in stores ---


@pytest.fixture
def external(kms: KmsMock, kms_client: BaseClient) -> tuple[Any, str, str]:
    """A proxy with the external key `one`, a connected store on it, and a KMS key."""
    proxy = kms.key_stores.add_xks_proxy(keys=["one"])
    store = kms.key_stores.add_store(proxy)
    members = {"Origin": "EXTERNAL_KEY_STORE", "CustomKeyStoreId": store, "XksKeyId": "one"}
    return proxy, store, kms_client.create_key(**members)["KeyMetadata"]["Arn"]


def test_a_key_in_a_cloudhsm_store(kms, kms_client):
    cluster = kms.key_stores.add_cluster()
    store = kms.key_stores.add_store(cluster)
    found = kms_client.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store)["KeyMetadata"]
    assert (found["Origin"], found["CustomKeyStoreId"], found["CloudHsmClusterId"]) == (
        "AWS_CLOUDHSM",
        store,
        cluster.id,
    )
    assert found["KeyState"] == "Enabled"
    # API KeyMetadata, CurrentKeyMaterialId: for keys with AWS_KMS or EXTERNAL origin
    assert not {"CurrentKeyMaterialId", "XksKeyConfiguration"} & found.keys()
    blob = kms_client.encrypt(KeyId=found["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    assert kms_client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_a_key_in_an_external_store(kms_client, external):
    _, store, key = external
    found = kms_client.describe_key(KeyId=key)["KeyMetadata"]
    assert found["XksKeyConfiguration"] == {"Id": "one"}
    assert found["CustomKeyStoreId"] == store
    assert "CloudHsmClusterId" not in found
    data_key = kms_client.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext={"a": "b"})
    opened = kms_client.decrypt(CiphertextBlob=data_key["CiphertextBlob"], EncryptionContext={"a": "b"})
    assert opened["Plaintext"] == data_key["Plaintext"]


def test_both_keys_are_needed_to_decrypt(kms, kms_client, external, refusal):
    """Guide: double encryption. Failures are KMSInvalidStateException, whatever the cause."""
    proxy, _, key = external
    blob = kms_client.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    text = (
        "The external key store proxy rejected the request because the specified ciphertext or additional "
        "authenticated data is corrupted, missing, or otherwise invalid."
    )
    with refusal("KMSInvalidStateException", text):
        kms_client.decrypt(CiphertextBlob=blob, EncryptionContext={"wrong": "context"})
    kms.key_stores.add_xks_key(proxy, "one")  # another key in its place
    with refusal("KMSInvalidStateException", text):
        kms_client.decrypt(CiphertextBlob=blob)


def test_keys_are_unavailable_while_their_store_is_disconnected(kms, kms_client, external, refusal):
    _, store, key = external
    blob = kms_client.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    kms_client.disconnect_custom_key_store(CustomKeyStoreId=store)
    assert key_state(kms_client, key) == "Unavailable"
    with refusal("KMSInvalidStateException", f"{key} is unavailable."):
        kms_client.decrypt(CiphertextBlob=blob)
    kms_client.disable_key(KeyId=key)
    assert key_state(kms_client, key) == "Unavailable"
    kms.key_stores.fail_next_connect("INTERNAL_ERROR")
    kms_client.connect_custom_key_store(CustomKeyStoreId=store)
    assert (connection(kms_client, store)[0], key_state(kms_client, key)) == ("FAILED", "Unavailable")
    kms_client.disconnect_custom_key_store(CustomKeyStoreId=store)
    kms.delays.connecting = 60
    kms_client.connect_custom_key_store(CustomKeyStoreId=store)
    assert (connection(kms_client, store), key_state(kms_client, key)) == (("CONNECTING", None), "Unavailable")
    kms.clock.advance(seconds=60)
    assert key_state(kms_client, key) == "Disabled"
    kms_client.enable_key(KeyId=key)
    assert kms_client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_deletion_goes_on_while_the_store_is_disconnected(kms_client, external):
    """Key states, footnote 13."""
    _, store, key = external
    kms_client.schedule_key_deletion(KeyId=key)
    kms_client.disconnect_custom_key_store(CustomKeyStoreId=store)
    assert key_state(kms_client, key) == "PendingDeletion"
    kms_client.cancel_key_deletion(KeyId=key)
    assert key_state(kms_client, key) == "Unavailable"


@pytest.mark.parametrize("how", ["offline", "no HSM", "removed"])
def test_keys_in_an_unreachable_cluster_fail(kms, kms_client, refusal, how):
    cluster = kms.key_stores.add_cluster()
    store = kms.key_stores.add_store(cluster)
    key = kms_client.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store)["KeyMetadata"]["KeyId"]
    if how == "offline":
        kms.key_stores.take_offline(cluster)
    elif how == "no HSM":
        kms.key_stores.change(cluster, hsms=0)
    else:
        kms.key_stores.remove(cluster)
    with refusal("KMSInvalidStateException", "KMS cannot communicate with your CloudHSM cluster"):
        kms_client.encrypt(KeyId=key, Plaintext=b"x")
    with refusal("CustomKeyStoreInvalidStateException"):
        kms_client.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store)
    assert key_state(kms_client, key) == "Enabled"  # the state of the key says nothing of the cluster's
    assert kms_client.describe_custom_key_stores()["CustomKeyStores"][0]["ConnectionState"] == "CONNECTED"


@pytest.mark.parametrize(
    ("how", "text"),
    [
        pytest.param("offline", NOT_REACHABLE, id="guide: XKS_PROXY_NOT_REACHABLE"),
        pytest.param("removed", NOT_REACHABLE, id="guide: no proxy at the endpoint"),
        pytest.param("moved", PATH, id="guide: invalid URI path"),
        pytest.param("credential", CREDENTIALS, id="guide: authentication credential errors"),
        pytest.param("key removed", KEY_NOT_FOUND, id="guide: external key not found"),
        pytest.param(
            "key disabled",
            "The external key store proxy rejected the request because the external key is not enabled in the external "
            "key manager.",
            id="guide: external key not enabled",
        ),
        pytest.param(
            "key usage",
            "The external key store proxy rejected the request because the external key does not support the requested "
            "operation.",
            id="guide: external key usage",
        ),
    ],
)
def test_keys_behind_a_failing_proxy_fail(kms, kms_client, external, refusal, how, text):
    proxy, _, key = external
    stores = kms.key_stores
    actions: dict[str, Callable[[], Any]] = {
        "offline": lambda: stores.take_offline(proxy),
        "removed": lambda: stores.remove(proxy),
        "moved": lambda: (stores.remove(proxy), stores.add_xks_proxy(proxy.endpoint, "/moved/kms/xks/v1")),
        "credential": lambda: stores.change(proxy, access_key_id="B" * 20),
        "key removed": lambda: stores.remove_xks_key(proxy, "one"),
        "key disabled": lambda: stores.disable_xks_key(proxy, "one"),
        "key usage": lambda: stores.add_xks_key(proxy, "one", usage=["ENCRYPT"]),
    }
    actions[how]()
    with refusal("KMSInvalidStateException", text):
        kms_client.encrypt(KeyId=key, Plaintext=b"x")
    assert key_state(kms_client, key) == "Enabled"


def test_an_offline_backing_store_can_come_back(kms, kms_client, external, refusal):
    proxy, _, key = external
    blob = kms_client.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    kms.key_stores.take_offline(proxy)
    with refusal("KMSInvalidStateException", NOT_REACHABLE):
        kms_client.decrypt(CiphertextBlob=blob)
    kms.key_stores.bring_online(proxy)
    kms.key_stores.disable_xks_key(proxy, "one")
    kms.key_stores.enable_xks_key(proxy, "one")
    assert kms_client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


@pytest.mark.parametrize(
    ("key", "code", "text"),
    [
        pytest.param("two", "XksKeyNotFoundException", KEY_NOT_FOUND, id="guide: not found"),
        pytest.param("one", "XksKeyAlreadyInUseException", None, id="API: one external key, one KMS key"),
        pytest.param(
            "rsa",
            "XksKeyInvalidConfigurationException",
            "The key spec of the external key must be AES_256. The key spec of specified external key is RSA_2048.",
            id="guide: key spec",
        ),
        pytest.param(
            "disabled",
            "XksKeyInvalidConfigurationException",
            "The status of the external key must be ENABLED. The status of specified external key is DISABLED.",
            id="guide: status",
        ),
        pytest.param(
            "encrypts",
            "XksKeyInvalidConfigurationException",
            "The key usage of the external key must include ENCRYPT and DECRYPT. The key use of specified external key "
            "is ENCRYPT.",
            id="guide: key usage",
        ),
    ],
)
def test_unsuitable_external_keys(kms, kms_client, external, refusal, key, code, text):
    proxy, store, _ = external
    kms.key_stores.add_xks_key(proxy, "rsa", spec="RSA_2048")
    kms.key_stores.add_xks_key(proxy, "disabled", enabled=False)
    kms.key_stores.add_xks_key(proxy, "encrypts", usage=["ENCRYPT"])
    with refusal(code, text):
        kms_client.create_key(Origin="EXTERNAL_KEY_STORE", CustomKeyStoreId=store, XksKeyId=key)


def test_no_new_keys_behind_a_failing_proxy(kms, kms_client, external, refusal):
    proxy, store, _ = external
    kms.key_stores.take_offline(proxy)
    with refusal("CustomKeyStoreInvalidStateException", NOT_REACHABLE):
        kms_client.create_key(Origin="EXTERNAL_KEY_STORE", CustomKeyStoreId=store, XksKeyId="two")


def test_create_key_and_its_store_must_agree(kms, kms_client, external, refusal):
    _, xks, _ = external
    hsm = kms.key_stores.add_store()
    cases: list[tuple[str, dict[str, Any]]] = [
        ("ValidationException", {"Origin": "AWS_CLOUDHSM"}),
        ("ValidationException", {"Origin": "EXTERNAL_KEY_STORE", "CustomKeyStoreId": xks}),
        ("ValidationException", {"Origin": "EXTERNAL_KEY_STORE", "XksKeyId": "two"}),
        ("ValidationException", {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": hsm, "XksKeyId": "two"}),
        ("ValidationException", {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": xks}),
        ("ValidationException", {"Origin": "EXTERNAL_KEY_STORE", "CustomKeyStoreId": hsm, "XksKeyId": "two"}),
        ("ValidationException", {"CustomKeyStoreId": hsm}),
        ("ValidationException", {"XksKeyId": "two"}),
        (
            "ValidationException",
            {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": hsm, "KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"},
        ),
        ("UnsupportedOperationException", {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": hsm, "MultiRegion": True}),
        ("CustomKeyStoreNotFoundException", {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": "cks-0"}),
    ]
    for code, members in cases:
        with refusal(code):
            kms_client.create_key(**members)
    kms_client.disconnect_custom_key_store(CustomKeyStoreId=hsm)
    with refusal("CustomKeyStoreInvalidStateException"):
        kms_client.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=hsm)


def test_a_new_key_needs_two_hsms(kms, kms_client, refusal):
    cluster = kms.key_stores.add_cluster()
    store = kms.key_stores.add_store(cluster)
    kms.key_stores.change(cluster, hsms=1)
    with refusal("CloudHsmClusterInvalidConfigurationException"):
        kms_client.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store)


def test_data_key_pairs_are_not_for_keys_in_stores(kms_client, external, refusal):
    with refusal("UnsupportedOperationException"):
        kms_client.generate_data_key_pair(KeyId=external[2], KeyPairSpec="ECC_NIST_P256")
