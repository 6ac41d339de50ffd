"""Validation of clusters, proxies, external keys and stores that a test adds, by AWS's rules.

Without it a mistake would show late, when CreateCustomKeyStore refuses it, or not at all. `key_store_console` has the
methods.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from pytest_kmsmock._kms.api.service_model import matches_shape, misspelt_region, service_description
from pytest_kmsmock._kms.rules.custom_key_stores import FAILURES, can_fail_with
from pytest_kmsmock._kms.state.backing_key_stores import Cluster, XksKey, XksProxy
from pytest_kmsmock._kms.state.records import CustomKeyStore
from pytest_kmsmock._runtime.checks import check_type, did_you_mean, is_whole
from pytest_kmsmock.errors import InvalidBacking

Record = TypeVar("Record", bound=Cluster | XksProxy | XksKey | CustomKeyStore)

#: Record -> its attributes that are parameters of requests -> their shape in the service model.
_SHAPES: Mapping[type, Mapping[str, str]] = {
    Cluster: {
        "id": "CloudHsmClusterIdType",
        "certificate": "TrustAnchorCertificateType",
        "password": "KeyStorePasswordType",
    },
    XksProxy: {
        "endpoint": "XksProxyUriEndpointType",
        "path": "XksProxyUriPathType",
        "access_key_id": "XksProxyAuthenticationAccessKeyIdType",
        "secret_access_key": "XksProxyAuthenticationRawSecretAccessKeyType",
        "vpc_endpoint_service": "XksProxyVpcEndpointServiceNameType",
        "vpc_endpoint_service_owner": "AccountIdType",
    },
    XksKey: {"id": "XksKeyIdType"},
    CustomKeyStore: {"name": "CustomKeyStoreNameType"},
}
#: Source: https://docs.aws.amazon.com/cloudhsm/latest/userguide/limits.html
_MOST_HSMS = 28
_YES_OR_NO = ("online", "enabled")
_OPTIONAL = ("vpc_endpoint_service", "vpc_endpoint_service_owner")


def checked(record: Record) -> Record:
    """Validate a record by AWS's rules, and return it.

    Raises:
        InvalidBacking: with the expected form.
    """
    for attribute, shape in _SHAPES[type(record)].items():
        value = getattr(record, attribute)
        if value is not None or attribute not in _OPTIONAL:
            _check_text(type(record).__name__, attribute, value, shape)
    for attribute in _YES_OR_NO:
        check_type(getattr(record, attribute, True), bool, attribute, error=InvalidBacking)
    if isinstance(record, Cluster):
        if not is_whole(record.hsms) or not 0 <= record.hsms <= _MOST_HSMS:
            raise InvalidBacking(
                f"hsms: expected the number of active HSMs of the cluster, at most {_MOST_HSMS}, got {record.hsms!r}."
            )
    elif isinstance(record, XksProxy):
        _check_proxy(record)
    elif isinstance(record, XksKey):
        _check_key(record)
    return record


def check_region(region: str) -> None:
    """Validate a Region.

    Raises:
        InvalidBacking: not a Region, or a misspelt one.
    """
    _check_text("CustomKeyStore", "region", region, "RegionType")
    meant = misspelt_region(region)
    if meant is not None:
        raise InvalidBacking(f"CustomKeyStore region: unknown Region {region!r}. Did you mean {meant!r}?")


def _check_text(kind: str, attribute: str, value: object, shape_name: str) -> None:
    if matches_shape(value, shape_name):
        return
    shape = service_description()["shapes"][shape_name]
    least, most, pattern = shape["min"], shape["max"], shape.get("pattern")
    length = f"{least}" if least == most else f"{least} to {most}"
    matching = f" that match {pattern}" if pattern else ""
    raise InvalidBacking(f"{kind} {attribute}: expected {length} characters{matching}, as AWS does, got {value!r}.")


def _check_proxy(proxy: XksProxy) -> None:
    if (proxy.vpc_endpoint_service is None) != (proxy.vpc_endpoint_service_owner is None):
        raise InvalidBacking("vpc_endpoint_service_owner is the account that owns a vpc_endpoint_service: give both.")
    # Searched in a list: the value may not be hashable.
    if proxy.failure is not None and proxy.failure not in list(FAILURES):
        raise InvalidBacking(f"failure: expected one of {', '.join(sorted(FAILURES))}, or None; got {proxy.failure!r}.")
    if not isinstance(proxy.keys, Mapping) or not all(isinstance(key, XksKey) for key in proxy.keys.values()):
        raise InvalidBacking("keys: change them with add_xks_key, remove_xks_key, enable_xks_key and disable_xks_key.")


def _check_key(key: XksKey) -> None:
    for attribute, values, example in (("spec", (key.spec,), "AES_256"), ("usage", key.usage, "ENCRYPT")):
        for value in values:
            if not isinstance(value, str) or not value:
                raise InvalidBacking(f"XksKey {attribute}: expected strings such as {example!r}, got {value!r}.")


def several(what: str, values: Iterable[str]) -> tuple[str, ...]:
    """Return a list of strings; a single string is not a list of its characters.

    Raises:
        InvalidBacking: a single string, or not a list.
    """
    if isinstance(values, str):
        raise InvalidBacking(f"{what}: expected a list of strings, got {values!r}. Write [{values!r}].")
    if not isinstance(values, Iterable):
        raise InvalidBacking(f"{what}: expected a list of strings, got {values!r}.")
    return tuple(values)


def check_connection_failure(error_code: str, store_id: str | None, stores: Iterable[CustomKeyStore]) -> None:
    """Validate a failure of ConnectCustomKeyStore.

    Args:
        error_code: the ConnectionErrorCode.
        store_id: the store that fails, if one was named.
        stores: all stores.

    Raises:
        InvalidBacking: an unknown code or store, or a code that stores of this type never have.
    """
    codes = service_description()["shapes"]["ConnectionErrorCodeType"]["enum"]
    if error_code not in codes:
        hint = did_you_mean(error_code, codes)
        raise InvalidBacking(f"Unknown ConnectionErrorCode {error_code!r}.{hint} Choose from: {', '.join(codes)}.")
    if store_id is None:
        return
    known = {store.id: store for store in stores}
    if store_id not in list(known):
        there = f"They are: {', '.join(known)}." if known else "There are none: add one with add_store()."
        raise InvalidBacking(f"Unknown custom key store {store_id!r}. {there}")
    kind = known[store_id].type
    if not can_fail_with(kind, error_code):
        fitting = ", ".join(code for code in codes if can_fail_with(kind, code))
        raise InvalidBacking(f"A store of type {kind} does not fail with {error_code}, but with {fitting}.")
