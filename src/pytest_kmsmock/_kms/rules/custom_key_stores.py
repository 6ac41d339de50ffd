"""Custom key stores: connection problems between KMS and a backing key store, and keys in custom key stores.

The operations are in `_kms.operations.management.custom_key_stores`, clusters and proxies in
`_kms.state.backing_key_stores`. CreateKey and the pipeline use this module too: a key in a custom key store needs a
working cluster or proxy.
Source: Developer Guide, "Troubleshooting external key stores"
(https://docs.aws.amazon.com/kms/latest/developerguide/xks-troubleshooting.html) and "Troubleshooting a custom key
store" (https://docs.aws.amazon.com/kms/latest/developerguide/fix-keystore.html).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from pytest_kmsmock._kms.api import errors, key_store_errors
from pytest_kmsmock._record import Record

if TYPE_CHECKING:
    from pytest_kmsmock._kms.api.key_specs import KeySpec
    from pytest_kmsmock._kms.call.operation import Call
    from pytest_kmsmock._kms.state.backing_key_stores import BackingKeyStores, Cluster, XksKey, XksProxy
    from pytest_kmsmock._kms.state.records import CustomKeyStore, Key
    from pytest_kmsmock._kms.state.state import Region, State

CLOUDHSM, EXTERNAL = "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"
CONNECTED, CONNECTING, FAILED = "CONNECTED", "CONNECTING", "FAILED"
DISCONNECTED, DISCONNECTING = "DISCONNECTED", "DISCONNECTING"

VPC = "VPC_ENDPOINT_SERVICE"
#: Failure modes of a proxy, by ConnectionErrorCode -> the error of CreateCustomKeyStore and UpdateCustomKeyStore, whose
#: message CreateKey and cryptographic operations have too.
FAILURES: Mapping[str, errors.ErrorTemplate] = {
    "XKS_PROXY_ACCESS_DENIED": key_store_errors.PROXY_ACCESS,
    "XKS_PROXY_INVALID_RESPONSE": key_store_errors.PROXY_RESPONSE,
    "XKS_PROXY_INVALID_TLS_CONFIGURATION": key_store_errors.PROXY_TLS,
    "XKS_PROXY_TIMED_OUT": key_store_errors.PROXY_TIMED_OUT,
}
#: ConnectionErrorCodes of both types of custom key stores. Source: API reference, CustomKeyStoresListEntry.
_COMMON_ERROR_CODES = frozenset({"INTERNAL_ERROR", "INVALID_CREDENTIALS", "NETWORK_ERRORS"})
STORES_PER_REGION = 10
#: Minimum number of active HSMs in a cluster, to associate it with a custom key store or to create a key.
MIN_HSMS = 2


class ConnectionProblem(Record):
    """A reason why KMS cannot use a backing key store.

    Attributes:
        error_code: the ConnectionErrorCode of an attempt to connect.
        message: the message of cryptographic operations and CreateKey.
        error: the error of CreateCustomKeyStore and UpdateCustomKeyStore.
    """

    error_code: str
    message: str
    error: errors.KmsError


def find_store(region: Region, store_id: str) -> CustomKeyStore:
    """Return a custom key store.

    Raises:
        KmsError: `CustomKeyStoreNotFoundException`.
    """
    store = region.custom_key_stores.get(store_id)
    if store is None:
        raise key_store_errors.STORE_NOT_FOUND(store=store_id)
    return store


def proxy_settings(store: CustomKeyStore) -> Mapping[str, str]:
    """Return the `XksProxyConfiguration` of an external key store."""
    return cast("Mapping[str, str]", store.settings["XksProxyConfiguration"])


def cluster_of(store: CustomKeyStore, outside: BackingKeyStores) -> Cluster | None:
    """Return the cluster of a CloudHSM key store; None if it was deleted."""
    return outside.clusters.get(str(store.settings["CloudHsmClusterId"]))


def proxy_of(store: CustomKeyStore, outside: BackingKeyStores) -> XksProxy | None:
    """Return the proxy of an external key store; None if its endpoint and path have no proxy."""
    settings = proxy_settings(store)
    return outside.proxies.get((settings["UriEndpoint"], settings["UriPath"]))


def can_fail_with(kind: str, error_code: str) -> bool:
    """Whether a store of a type can fail to connect with a ConnectionErrorCode."""
    return error_code in _COMMON_ERROR_CODES or error_code.startswith("XKS_") == (kind == EXTERNAL)


def association_conflict(state: State, region: Region, store: CustomKeyStore) -> errors.KmsError | None:
    """Return the error if another store uses the same cluster or proxy; None if no store does.

    AWS: a cluster can be associated with one store of the account, a proxy with one store of the Region.
    See https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateCustomKeyStore.html
    """
    is_cluster = store.type == CLOUDHSM
    places = [place for place in state.regions() if place.account == region.account] if is_cluster else [region]
    others = (other for place in places for other in place.custom_key_stores.values())
    same_type = (other for other in others if other.type == store.type and other.id != store.id)
    conflict = _cluster_conflict if is_cluster else _proxy_conflict
    return next((found for other in same_type if (found := conflict(store, other)) is not None), None)


def _cluster_conflict(store: CustomKeyStore, other: CustomKeyStore) -> errors.KmsError | None:
    # AWS: the clusters must not share a backup history; such clusters have the same certificate.
    if store.settings["TrustAnchorCertificate"] != other.settings["TrustAnchorCertificate"]:
        return None
    return key_store_errors.CLUSTER_IN_USE(cluster=store.settings["CloudHsmClusterId"])


def _proxy_conflict(store: CustomKeyStore, other: CustomKeyStore) -> errors.KmsError | None:
    own, other_settings = proxy_settings(store), proxy_settings(other)
    endpoint, path = own["UriEndpoint"], own["UriPath"]
    if other_settings["UriEndpoint"] == endpoint:
        if other_settings["UriPath"] == path:
            return key_store_errors.PROXY_URI_IN_USE(uri=endpoint + path)
        if VPC in (other_settings["Connectivity"], own["Connectivity"]):
            return key_store_errors.PROXY_ENDPOINT_IN_USE(endpoint=endpoint)
    service = own.get("VpcEndpointServiceName")
    if service is not None and service == other_settings.get("VpcEndpointServiceName"):
        return key_store_errors.PROXY_SERVICE_IN_USE(service=service)
    return None


def connection_problem(store: CustomKeyStore, outside: BackingKeyStores) -> ConnectionProblem | None:
    """Return the reason why KMS cannot use the backing key store of a store; None if it can."""
    return _cluster_problem(store, outside) if store.type == CLOUDHSM else _proxy_problem(store, outside)


def _cluster_problem(store: CustomKeyStore, outside: BackingKeyStores) -> ConnectionProblem | None:
    cluster_id = str(store.settings["CloudHsmClusterId"])
    cluster = outside.clusters.get(cluster_id)
    message = key_store_errors.CLUSTER_UNREACHABLE.template
    if cluster is None:
        return ConnectionProblem("CLUSTER_NOT_FOUND", message, key_store_errors.CLUSTER_NOT_FOUND(cluster=cluster_id))
    if not cluster.online:
        return ConnectionProblem("NETWORK_ERRORS", message, key_store_errors.CLUSTER_NOT_ACTIVE(cluster=cluster_id))
    if cluster.hsms < 1:
        return ConnectionProblem(
            "INSUFFICIENT_CLOUDHSM_HSMS", message, key_store_errors.CLUSTER_TOO_SMALL(cluster=cluster_id, least=1)
        )
    return None


def _proxy_problem(store: CustomKeyStore, outside: BackingKeyStores) -> ConnectionProblem | None:
    settings = proxy_settings(store)
    proxy = proxy_of(store, outside)
    if proxy is None:
        if any(endpoint == settings["UriEndpoint"] for endpoint, _ in outside.proxies):
            return ConnectionProblem(
                "XKS_PROXY_INVALID_CONFIGURATION", key_store_errors.PROXY_PATH.template, key_store_errors.PROXY_PATH()
            )
    elif proxy.online and (proxy.vpc_endpoint_service is None) == (settings["Connectivity"] != VPC):
        if proxy.failure is not None:
            failure = FAILURES[proxy.failure]
            return ConnectionProblem(proxy.failure, failure.template, failure())
        if (proxy.access_key_id, proxy.secret_access_key) == (settings["AccessKeyId"], store.secret):
            return None
        return ConnectionProblem(
            "INVALID_CREDENTIALS", key_store_errors.PROXY_CREDENTIALS.template, key_store_errors.PROXY_CREDENTIALS()
        )
    return ConnectionProblem(
        "XKS_PROXY_NOT_REACHABLE", key_store_errors.XKS_UNREACHABLE, key_store_errors.PROXY_UNREACHABLE()
    )


def endpoint_service_error(settings: Mapping[str, str], outside: BackingKeyStores) -> errors.KmsError | None:
    """Return the error of the VPC endpoint service of an external key store; None without an error."""
    name = settings.get("VpcEndpointServiceName")
    if name is None:
        return None
    owner = settings["VpcEndpointServiceOwner"]
    endpoints = [
        proxy.endpoint
        for proxy in outside.proxies.values()
        if (proxy.vpc_endpoint_service, proxy.vpc_endpoint_service_owner) == (name, owner)
    ]
    if not endpoints:
        return key_store_errors.PROXY_SERVICE_NOT_FOUND(service=name)
    return None if settings["UriEndpoint"] in endpoints else key_store_errors.PROXY_SERVICE_MISMATCH()


def finish_connection(state: State, region: Region, store: CustomKeyStore, when: datetime) -> None:
    """Finish connecting or disconnecting a store, if it is due."""
    if store.state_until is None or store.state_until > when:
        return
    error_code = None
    if store.state == CONNECTING:
        problem = connection_problem(store, state.outside)
        error_code = store.error_code or _service_error_code(store, state.outside)
        if error_code is None and problem is not None:
            error_code = problem.error_code
        if error_code is None and store.type == CLOUDHSM:
            cluster = cluster_of(store, state.outside)
            if cluster is not None and cluster.password != store.secret:
                error_code = "INVALID_CREDENTIALS"
        done = CONNECTED if error_code is None else FAILED
    else:
        done = DISCONNECTED
    region.custom_key_stores[store.id] = store._replace(state=done, state_until=None, error_code=error_code)


def _service_error_code(store: CustomKeyStore, outside: BackingKeyStores) -> str | None:
    problem = endpoint_service_error(proxy_settings(store), outside) if store.type == EXTERNAL else None
    if problem is None:
        return None
    found = problem.code != key_store_errors.PROXY_SERVICE_NOT_FOUND.code
    return f"XKS_VPC_ENDPOINT_SERVICE_{'INVALID_CONFIGURATION' if found else 'NOT_FOUND'}"


# --- keys in stores --------------------------------------------------------------------------------------------------


def check_backing_key_store(key: Key, state: State) -> None:
    """Check that the backing key store of a key works, for a cryptographic operation.

    Raises:
        KmsError: `KMSInvalidStateException`, AWS's error for every cause; its message has the cause.
    """
    if key.custom_key_store_id is None:
        return
    store = state.home(key).custom_key_stores[key.custom_key_store_id]
    problem = connection_problem(store, state.outside)
    if problem is not None:
        raise key_store_errors.XKS_CRYPTO(reason=problem.message)
    if key.xks_key_id is not None:
        external = external_key(key, state)
        if external is None:
            raise key_store_errors.XKS_CRYPTO(reason=key_store_errors.XKS_KEY_NOT_FOUND.template)
        if not external.enabled:
            raise key_store_errors.XKS_CRYPTO(reason=key_store_errors.XKS_KEY_DISABLED)
        if not _can_encrypt_and_decrypt(external):
            raise key_store_errors.XKS_CRYPTO(reason=key_store_errors.XKS_KEY_OPERATION_UNSUPPORTED)


def external_key(key: Key, state: State) -> XksKey | None:
    """Return the external key of a KMS key; None if it was deleted."""
    assert key.custom_key_store_id is not None
    assert key.xks_key_id is not None
    proxy = proxy_of(state.home(key).custom_key_stores[key.custom_key_store_id], state.outside)
    return None if proxy is None else proxy.keys.get(key.xks_key_id)


def _can_encrypt_and_decrypt(external: XksKey) -> bool:
    return external.spec == "AES_256" and {"ENCRYPT", "DECRYPT"} <= set(external.usage)


def cloudhsm_key_fields(call: Call, spec: KeySpec) -> dict[str, Any]:
    """Check the parameters of CreateKey for a CloudHSM key store, and return fields of the key's record."""
    if "XksKeyId" in call.params:
        raise errors.INVALID(reason=f"XksKeyId is not valid for a KMS key with Origin {CLOUDHSM}.")
    store = _store_for_key(call, spec, CLOUDHSM)
    cluster = cluster_of(store, call.state.outside)
    if cluster is not None and cluster.hsms < MIN_HSMS:
        raise key_store_errors.CLUSTER_TOO_SMALL(cluster=cluster.id, least=MIN_HSMS)
    return {"custom_key_store_id": store.id}


def external_key_fields(call: Call, spec: KeySpec) -> dict[str, Any]:
    """Check the parameters of CreateKey for an external key store, and return fields of the key's record."""
    xks_key_id = call.params.get("XksKeyId")
    if xks_key_id is None:
        raise errors.MISSING(parameter="xksKeyId")
    store = _store_for_key(call, spec, EXTERNAL)
    used = (key.xks_key_id for key in call.region.keys.values() if key.custom_key_store_id == store.id)
    if xks_key_id in used:
        raise key_store_errors.XKS_KEY_IN_USE(xks_key=xks_key_id)
    proxy = proxy_of(store, call.state.outside)
    assert proxy is not None, "the store works"
    external = proxy.keys.get(xks_key_id)
    if external is None:
        raise key_store_errors.XKS_KEY_NOT_FOUND()
    if external.spec != "AES_256":
        raise key_store_errors.XKS_KEY_SPEC(spec=external.spec)
    if not external.enabled:
        raise key_store_errors.XKS_KEY_STATUS(status="DISABLED")
    if not _can_encrypt_and_decrypt(external):
        raise key_store_errors.XKS_KEY_USAGE(usage=", ".join(external.usage))
    return {"custom_key_store_id": store.id, "xks_key_id": xks_key_id}


def _store_for_key(call: Call, spec: KeySpec, origin: str) -> CustomKeyStore:
    """Check the custom key store of a CreateKey request, and return it."""
    store_id = call.params.get("CustomKeyStoreId")
    if store_id is None:
        raise errors.MISSING(parameter="customKeyStoreId")
    if spec.name != "SYMMETRIC_DEFAULT":
        raise errors.SPEC_NOT_FOR_ORIGIN(spec=spec.name, origin=origin)
    if call.params.get("MultiRegion"):
        raise key_store_errors.STORE_AND_MULTI_REGION()
    store = find_store(call.region, store_id)
    if store.type != origin:
        raise key_store_errors.STORE_OF_OTHER_TYPE(origin=origin, store=store.id, type=store.type)
    if store.state != CONNECTED:
        raise key_store_errors.STORE_STATE(reason=f"The custom key store {store.id} is not connected.")
    problem = connection_problem(store, call.state.outside)
    if problem is not None:
        raise key_store_errors.STORE_STATE(reason=problem.message)
    return store
