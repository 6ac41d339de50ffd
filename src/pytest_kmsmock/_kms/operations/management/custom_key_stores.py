"""Custom key stores: CloudHSM key stores and external key stores.

See https://docs.aws.amazon.com/kms/latest/developerguide/key-store-overview.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_kmsmock._kms.api import errors, key_store_errors
from pytest_kmsmock._kms.call.operation import Call, Result, operation
from pytest_kmsmock._kms.operations.pagination import in_given_order, paginate
from pytest_kmsmock._kms.operations.targets import any_resource
from pytest_kmsmock._kms.rules.custom_key_stores import (
    CLOUDHSM,
    CONNECTED,
    CONNECTING,
    DISCONNECTED,
    DISCONNECTING,
    EXTERNAL,
    FAILED,
    MIN_HSMS,
    STORES_PER_REGION,
    VPC,
    association_conflict,
    can_fail_with,
    connection_problem,
    endpoint_service_error,
    find_store,
    proxy_settings,
)
from pytest_kmsmock._kms.state.delays import end_of
from pytest_kmsmock._kms.state.records import CustomKeyStore

_STORES_PER_PAGE = 1000

#: Parameter of CreateCustomKeyStore and UpdateCustomKeyStore -> the field of XksProxyConfiguration that it sets.
_PROXY_PARAMETERS: Mapping[str, str] = {
    "XksProxyConnectivity": "Connectivity",
    "XksProxyUriEndpoint": "UriEndpoint",
    "XksProxyUriPath": "UriPath",
    "XksProxyVpcEndpointServiceName": "VpcEndpointServiceName",
    "XksProxyVpcEndpointServiceOwner": "VpcEndpointServiceOwner",
}
_CREDENTIAL = "XksProxyAuthenticationCredential"
_SERVICE_SETTINGS = ("VpcEndpointServiceName", "VpcEndpointServiceOwner")
#: Type of store -> parameters for stores of this type only.
_PARAMETERS: Mapping[str, tuple[str, ...]] = {
    CLOUDHSM: ("CloudHsmClusterId", "TrustAnchorCertificate", "KeyStorePassword"),
    EXTERNAL: (*_PROXY_PARAMETERS, _CREDENTIAL),
}
#: Type of store -> required parameters of CreateCustomKeyStore.
_REQUIRED: Mapping[str, tuple[str, ...]] = {
    CLOUDHSM: _PARAMETERS[CLOUDHSM],
    EXTERNAL: ("XksProxyConnectivity", "XksProxyUriEndpoint", "XksProxyUriPath", _CREDENTIAL),
}
#: Parameters of UpdateCustomKeyStore that a connected store accepts too. Source: its API reference.
_CHANGES_WHILE_CONNECTED = frozenset({"NewCustomKeyStoreName", "XksProxyUriPath", _CREDENTIAL})


@operation("CreateCustomKeyStore", targets=[any_resource()])
def create_custom_key_store(call: Call) -> Result:
    """Create a custom key store for a CloudHSM cluster or an external key store proxy, not connected yet.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateCustomKeyStore.html
    """
    kind = call.params.get("CustomKeyStoreType", CLOUDHSM)
    _check_parameters(call, kind)
    for parameter in _REQUIRED[kind]:
        if parameter not in call.params:
            raise errors.MISSING(parameter=parameter[0].lower() + parameter[1:])
    name = call.params["CustomKeyStoreName"]
    _check_name(call, name)
    used = len(call.region.custom_key_stores)
    if used >= STORES_PER_REGION:
        raise key_store_errors.TOO_MANY_STORES(quota=STORES_PER_REGION, used=used)
    store = CustomKeyStore(f"cks-{call.random(9).hex()[:17]}", name, kind, call.now)
    store = _with_cluster(call, store) if kind == CLOUDHSM else _with_proxy(call, store)
    call.region.custom_key_stores[store.id] = store
    return {"CustomKeyStoreId": store.id}


@operation("DescribeCustomKeyStores", targets=[any_resource()])
def describe_custom_key_stores(call: Call) -> Result:
    """List the custom key stores of the account in the Region, or the one of the request.

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
        call, "CustomKeyStores", in_given_order(found), lambda entry: _show(stores[entry]), default=_STORES_PER_PAGE
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


@operation("UpdateCustomKeyStore", targets=[any_resource()])
def update_custom_key_store(call: Call) -> Result:
    """Change the name of a custom key store, or its connection settings.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateCustomKeyStore.html
    """
    store = find_store(call.region, call.params["CustomKeyStoreId"])
    _check_parameters(call, store.type)
    changes = call.params.keys() - {"CustomKeyStoreId"}
    if store.state != DISCONNECTED and (store.state != CONNECTED or not changes <= _CHANGES_WHILE_CONNECTED):
        raise key_store_errors.STORE_STATE(reason=f"The custom key store {store.id} is not disconnected.")
    name = call.params.get("NewCustomKeyStoreName", store.name)
    if name != store.name:
        _check_name(call, name)
    if changes & set(_PARAMETERS[store.type]):
        store = _with_cluster(call, store) if store.type == CLOUDHSM else _with_proxy(call, store)
    call.region.custom_key_stores[store.id] = store._replace(name=name)
    return {}


@operation("DeleteCustomKeyStore", targets=[any_resource()])
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


@operation("ConnectCustomKeyStore", targets=[any_resource()])
def connect_custom_key_store(call: Call) -> Result:
    """Start connecting a custom key store; DescribeCustomKeyStores has the result.

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
        return {}  # AWS: the operation is valid in these states, and does nothing
    failures = call.state.outside.connect_failures
    error_code = failures.pop(store.id, None)
    if error_code is None and "" in failures and can_fail_with(store.type, failures[""]):
        error_code = failures.pop("")
    problem = connection_problem(store, call.state.outside) if store.type == CLOUDHSM and error_code is None else None
    # AWS reports these errors at once; a missing cluster only in the result of the connection.
    if problem is not None and problem.error_code != "CLUSTER_NOT_FOUND":
        raise problem.error
    _begin_transition(call, store._replace(error_code=error_code), CONNECTING, call.service.delays.connecting)
    return {}


@operation("DisconnectCustomKeyStore", targets=[any_resource()])
def disconnect_custom_key_store(call: Call) -> Result:
    """Disconnect a custom key store, which makes its keys unavailable.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_DisconnectCustomKeyStore.html
    """
    store = find_store(call.region, call.params["CustomKeyStoreId"])
    if store.state in (DISCONNECTED, DISCONNECTING):
        raise key_store_errors.STORE_STATE(reason=f"The custom key store {store.id} is {store.state.lower()}.")
    _begin_transition(call, store._replace(error_code=None), DISCONNECTING, call.service.delays.disconnecting)
    return {}


def _begin_transition(call: Call, store: CustomKeyStore, transitional_state: str, duration: Any) -> None:
    """Put a store into a transitional state, and schedule its end."""
    until = end_of(call.now, duration)
    call.region.custom_key_stores[store.id] = store._replace(state=transitional_state, state_until=until)
    call.state.schedule(until, call.region, store.id)


# --- parameters of a store -------------------------------------------------------------------------------------------


def _check_parameters(call: Call, kind: str) -> None:
    for other, parameters in _PARAMETERS.items():
        for parameter in parameters:
            if other != kind and parameter in call.params:
                raise key_store_errors.STORE_TYPE(parameter=parameter, type=kind)


def _check_name(call: Call, name: str) -> None:
    if any(store.name == name for store in call.region.custom_key_stores.values()):
        raise key_store_errors.STORE_NAME_IN_USE(name=name)


def _with_cluster(call: Call, store: CustomKeyStore) -> CustomKeyStore:
    """Return a CloudHSM key store with the cluster and password of the request."""
    store = store._replace(secret=call.params.get("KeyStorePassword", store.secret))
    cluster_id = call.params.get("CloudHsmClusterId")
    if cluster_id is None:
        return store
    cluster = call.state.outside.clusters.get(cluster_id)
    if cluster is None:
        raise key_store_errors.CLUSTER_NOT_FOUND(cluster=cluster_id)
    certificate = store.settings.get("TrustAnchorCertificate")
    if certificate is not None and certificate != cluster.certificate:
        raise key_store_errors.CLUSTER_NOT_RELATED(cluster=cluster_id)
    store = store._replace(settings={"CloudHsmClusterId": cluster_id, "TrustAnchorCertificate": cluster.certificate})
    _check_conflict(call, store)
    if not cluster.online:
        raise key_store_errors.CLUSTER_NOT_ACTIVE(cluster=cluster.id)
    if cluster.hsms < MIN_HSMS:
        raise key_store_errors.CLUSTER_TOO_SMALL(cluster=cluster.id, least=MIN_HSMS)
    given = call.params.get("TrustAnchorCertificate", cluster.certificate)
    if given.strip() != cluster.certificate.strip():
        raise key_store_errors.WRONG_TRUST_ANCHOR(cluster=cluster_id)
    return store


def _check_conflict(call: Call, store: CustomKeyStore) -> None:
    conflict = association_conflict(call.state, call.region, store)
    if conflict is not None:
        raise conflict


def _with_proxy(call: Call, store: CustomKeyStore) -> CustomKeyStore:
    """Return an external key store with the proxy settings of the request."""
    settings: dict[str, str] = dict(proxy_settings(store)) if store.settings else {}
    settings |= {
        name: call.params[parameter] for parameter, name in _PROXY_PARAMETERS.items() if parameter in call.params
    }
    credential = call.params.get(_CREDENTIAL)
    if credential is not None:
        settings["AccessKeyId"] = credential["AccessKeyId"]
        store = store._replace(secret=credential["RawSecretAccessKey"])
    if settings["Connectivity"] == VPC:
        if "VpcEndpointServiceName" not in settings:
            raise errors.MISSING(parameter="xksProxyVpcEndpointServiceName")
        settings.setdefault("VpcEndpointServiceOwner", call.caller.account)
    else:
        for name in _SERVICE_SETTINGS:
            if call.params.get(f"XksProxy{name}"):
                raise key_store_errors.STORE_TYPE(parameter=f"XksProxy{name}", type="PUBLIC_ENDPOINT")
            settings.pop(name, None)
    store = store._replace(settings={"XksProxyConfiguration": settings})
    _check_conflict(call, store)
    service_error = endpoint_service_error(settings, call.state.outside)
    if service_error is not None:
        raise service_error
    # AWS: KMS can reach a public endpoint at any time, a VPC endpoint service only while the store is connected.
    reachable = settings["Connectivity"] != VPC or store.state == CONNECTED
    problem = connection_problem(store, call.state.outside) if reachable else None
    if problem is not None:
        raise problem.error
    return store
