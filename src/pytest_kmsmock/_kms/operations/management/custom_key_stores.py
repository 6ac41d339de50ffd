"""Custom key stores: CloudHSM clusters and external key stores behind KMS.

See https://docs.aws.amazon.com/kms/latest/developerguide/key-store-overview.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pytest_kmsmock._kms.api import errors, key_store_errors
from pytest_kmsmock._kms.call.operation import Call, Result, operation
from pytest_kmsmock._kms.operations.pagination import after_in, paginate
from pytest_kmsmock._kms.operations.targets import anything
from pytest_kmsmock._kms.rules.custom_key_stores import (
    CLOUDHSM,
    CONNECTED,
    CONNECTING,
    DISCONNECTED,
    DISCONNECTING,
    EXTERNAL,
    FAILED,
    LEAST_HSMS,
    STORES_PER_REGION,
    VPC,
    can_fail_with,
    conflict_of,
    find_store,
    problem_of,
    proxy_settings,
    service_problem,
)
from pytest_kmsmock._kms.state.delays import end_of
from pytest_kmsmock._kms.state.records import CustomKeyStore

_STORES_PER_PAGE = 1000

#: Member of CreateCustomKeyStore and UpdateCustomKeyStore -> the member of XksProxyConfiguration that it sets.
_PROXY_MEMBERS: Mapping[str, str] = {
    "XksProxyConnectivity": "Connectivity",
    "XksProxyUriEndpoint": "UriEndpoint",
    "XksProxyUriPath": "UriPath",
    "XksProxyVpcEndpointServiceName": "VpcEndpointServiceName",
    "XksProxyVpcEndpointServiceOwner": "VpcEndpointServiceOwner",
}
_CREDENTIAL = "XksProxyAuthenticationCredential"
_SERVICE_MEMBERS = ("VpcEndpointServiceName", "VpcEndpointServiceOwner")
#: Type of store -> the members of a request that only stores of this type have.
_MEMBERS: Mapping[str, tuple[str, ...]] = {
    CLOUDHSM: ("CloudHsmClusterId", "TrustAnchorCertificate", "KeyStorePassword"),
    EXTERNAL: (*_PROXY_MEMBERS, _CREDENTIAL),
}
#: Type of store -> the members without which it cannot be made.
_REQUIRED: Mapping[str, tuple[str, ...]] = {
    CLOUDHSM: _MEMBERS[CLOUDHSM],
    EXTERNAL: ("XksProxyConnectivity", "XksProxyUriEndpoint", "XksProxyUriPath", _CREDENTIAL),
}
#: What UpdateCustomKeyStore changes on a connected store too. Source: its API reference.
_CHANGES_WHILE_CONNECTED = frozenset({"NewCustomKeyStoreName", "XksProxyUriPath", _CREDENTIAL})


@operation("CreateCustomKeyStore", targets=[anything()])
def create_custom_key_store(call: Call) -> Result:
    """Make a custom key store of a cluster or an external key store proxy. It is not connected then.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateCustomKeyStore.html
    """
    kind = call.params.get("CustomKeyStoreType", CLOUDHSM)
    _check_members(call, kind)
    for member in _REQUIRED[kind]:
        if member not in call.params:
            raise errors.MISSING(member=member[0].lower() + member[1:])
    name = call.params["CustomKeyStoreName"]
    _check_name(call, name)
    used = len(call.region.custom_key_stores)
    if used >= STORES_PER_REGION:
        raise key_store_errors.TOO_MANY_STORES(quota=STORES_PER_REGION, used=used)
    store = CustomKeyStore(f"cks-{call.random(9).hex()[:17]}", name, kind, call.now)
    store = _with_cluster(call, store) if kind == CLOUDHSM else _with_proxy(call, store)
    call.region.custom_key_stores[store.id] = store
    return {"CustomKeyStoreId": store.id}


@operation("DescribeCustomKeyStores", targets=[anything()])
def describe_custom_key_stores(call: Call) -> Result:
    """List the custom key stores of the account in the Region, or the one that is named.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeCustomKeyStores.html
    """
    stores = call.region.custom_key_stores
    store_id, name = call.params.get("CustomKeyStoreId"), call.params.get("CustomKeyStoreName")
    if store_id is not None and name is not None:
        raise errors.INVALID(reason="Specify either CustomKeyStoreId or CustomKeyStoreName, but not both.")
    found = [
        store.id
        for store in stores.values()
        if (store_id is None or store.id == store_id) and (name is None or store.name == name)
    ]
    if not found and (store_id is not None or name is not None):
        raise key_store_errors.STORE_NOT_FOUND(store=store_id or name)
    return paginate(
        call, "CustomKeyStores", after_in(found), lambda entry: _show(stores[entry]), default=_STORES_PER_PAGE
    )


def _show(store: CustomKeyStore) -> dict[str, object]:
    entry: dict[str, object] = {
        "CustomKeyStoreId": store.id,
        "CustomKeyStoreName": store.name,
        "CustomKeyStoreType": store.type,
        "ConnectionState": store.state,
        "CreationDate": store.created,
        **store.settings,
    }
    if store.state == FAILED:
        entry["ConnectionErrorCode"] = store.error_code
    return entry


@operation("UpdateCustomKeyStore", targets=[anything()])
def update_custom_key_store(call: Call) -> Result:
    """Change the name of a custom key store, or how KMS gets at its backing key store.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateCustomKeyStore.html
    """
    store = find_store(call.region, call.params["CustomKeyStoreId"])
    _check_members(call, store.type)
    changes = call.params.keys() - {"CustomKeyStoreId"}
    if store.state != DISCONNECTED and (store.state != CONNECTED or not changes <= _CHANGES_WHILE_CONNECTED):
        raise key_store_errors.STORE_STATE(reason=f"The custom key store {store.id} is not disconnected.")
    name = call.params.get("NewCustomKeyStoreName", store.name)
    if name != store.name:
        _check_name(call, name)
    if changes & set(_MEMBERS[store.type]):
        store = _with_cluster(call, store) if store.type == CLOUDHSM else _with_proxy(call, store)
    call.region.custom_key_stores[store.id] = replace(store, name=name)
    return {}


@operation("DeleteCustomKeyStore", targets=[anything()])
def delete_custom_key_store(call: Call) -> Result:
    """Delete a custom key store that is disconnected and has no keys.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_DeleteCustomKeyStore.html
    """
    store = find_store(call.region, call.params["CustomKeyStoreId"])
    if any(key.custom_key_store_id == store.id for key in call.region.keys.values()):
        raise key_store_errors.STORE_HAS_KEYS(store=store.id)
    if store.state != DISCONNECTED:
        raise key_store_errors.STORE_STATE(reason=f"The custom key store {store.id} is not disconnected.")
    del call.region.custom_key_stores[store.id]
    return {}


@operation("ConnectCustomKeyStore", targets=[anything()])
def connect_custom_key_store(call: Call) -> Result:
    """Begin to connect a custom key store; whether it worked is for DescribeCustomKeyStores to tell.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_ConnectCustomKeyStore.html
    """
    store = find_store(call.region, call.params["CustomKeyStoreId"])
    if store.state == DISCONNECTING:
        raise key_store_errors.STORE_STATE(reason=f"The custom key store {store.id} is disconnecting.")
    if store.state == FAILED:
        raise key_store_errors.STORE_STATE(
            reason=f"The custom key store {store.id} is failed. Disconnect it before you connect it."
        )
    if store.state in (CONNECTED, CONNECTING):
        return {}  # AWS: the operation is valid in these states; there is nothing to do
    failures = call.state.outside.connect_failures
    error_code = failures.pop(store.id, None)
    if error_code is None and "" in failures and can_fail_with(store.type, failures[""]):
        error_code = failures.pop("")
    problem = problem_of(store, call.state.outside) if store.type == CLOUDHSM and error_code is None else None
    # AWS tells these at once; a cluster that is gone turns up when KMS looks for it.
    if problem is not None and problem.error_code != "CLUSTER_NOT_FOUND":
        raise problem.refusal
    _pass_through(call, replace(store, error_code=error_code), CONNECTING, call.service.delays.connecting)
    return {}


@operation("DisconnectCustomKeyStore", targets=[anything()])
def disconnect_custom_key_store(call: Call) -> Result:
    """Disconnect a custom key store; its keys are unavailable from now on.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_DisconnectCustomKeyStore.html
    """
    store = find_store(call.region, call.params["CustomKeyStoreId"])
    if store.state in (DISCONNECTED, DISCONNECTING):
        raise key_store_errors.STORE_STATE(reason=f"The custom key store {store.id} is {store.state.lower()}.")
    _pass_through(call, replace(store, error_code=None), DISCONNECTING, call.service.delays.disconnecting)
    return {}


def _pass_through(call: Call, store: CustomKeyStore, passing_state: str, duration: Any) -> None:
    """Put a store into a transitional state, and say when it ends."""
    until = end_of(call.now, duration)
    call.region.custom_key_stores[store.id] = replace(store, state=passing_state, state_until=until)
    call.state.schedule(until, call.region, store.id)


# --- what a store is made of -----------------------------------------------------------------------------------------


def _check_members(call: Call, kind: str) -> None:
    for other, members in _MEMBERS.items():
        for member in members:
            if other != kind and member in call.params:
                raise key_store_errors.STORE_TYPE(member=member, type=kind)


def _check_name(call: Call, name: str) -> None:
    if any(store.name == name for store in call.region.custom_key_stores.values()):
        raise key_store_errors.STORE_NAME_IN_USE(name=name)


def _with_cluster(call: Call, store: CustomKeyStore) -> CustomKeyStore:
    """Return a CloudHSM key store with the cluster and password of the request."""
    store = replace(store, secret=call.params.get("KeyStorePassword", store.secret))
    cluster_id = call.params.get("CloudHsmClusterId")
    if cluster_id is None:
        return store
    cluster = call.state.outside.clusters.get(cluster_id)
    if cluster is None:
        raise key_store_errors.CLUSTER_NOT_FOUND(cluster=cluster_id)
    certificate = store.settings.get("TrustAnchorCertificate")
    if certificate is not None and certificate != cluster.certificate:
        raise key_store_errors.CLUSTER_NOT_RELATED(cluster=cluster_id)
    store = replace(store, settings={"CloudHsmClusterId": cluster_id, "TrustAnchorCertificate": cluster.certificate})
    _check_conflict(call, store)
    if not cluster.online:
        raise key_store_errors.CLUSTER_NOT_ACTIVE(cluster=cluster.id)
    if cluster.hsms < LEAST_HSMS:
        raise key_store_errors.CLUSTER_TOO_SMALL(cluster=cluster.id, least=LEAST_HSMS)
    given = call.params.get("TrustAnchorCertificate", cluster.certificate)
    if given.strip() != cluster.certificate.strip():
        raise key_store_errors.WRONG_TRUST_ANCHOR(cluster=cluster_id)
    return store


def _check_conflict(call: Call, store: CustomKeyStore) -> None:
    conflict = conflict_of(call.state, call.region, store)
    if conflict is not None:
        raise conflict


def _with_proxy(call: Call, store: CustomKeyStore) -> CustomKeyStore:
    """Return an external key store with the proxy settings of the request."""
    settings: dict[str, str] = dict(proxy_settings(store)) if store.settings else {}
    settings |= {name: call.params[member] for member, name in _PROXY_MEMBERS.items() if member in call.params}
    credential = call.params.get(_CREDENTIAL)
    if credential is not None:
        settings["AccessKeyId"] = credential["AccessKeyId"]
        store = replace(store, secret=credential["RawSecretAccessKey"])
    if settings["Connectivity"] == VPC:
        if "VpcEndpointServiceName" not in settings:
            raise errors.MISSING(member="xksProxyVpcEndpointServiceName")
        settings.setdefault("VpcEndpointServiceOwner", call.caller.account)
    else:
        for name in _SERVICE_MEMBERS:
            if call.params.get(f"XksProxy{name}"):
                raise key_store_errors.STORE_TYPE(member=f"XksProxy{name}", type="PUBLIC_ENDPOINT")
            settings.pop(name, None)
    store = replace(store, settings={"XksProxyConfiguration": settings})
    _check_conflict(call, store)
    problem = service_problem(settings, call.state.outside)
    if problem is not None:
        raise problem
    # AWS: KMS reaches a public endpoint at any time, one behind a VPC endpoint service while the store is connected.
    reachable = settings["Connectivity"] != VPC or store.state == CONNECTED
    problem_there = problem_of(store, call.state.outside) if reachable else None
    if problem_there is not None:
        raise problem_there.refusal
    return store
