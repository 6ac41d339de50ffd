"""`kms.key_stores`: the clusters, proxies and external keys behind custom key stores."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, cast

from pytest_kmsmock._kms.api.key_specs import KEY_SPECS
from pytest_kmsmock._kms.engine.fake_kms import FakeKms
from pytest_kmsmock._kms.entropy.key_source import LazyMaterial
from pytest_kmsmock._kms.rules.custom_key_stores import (
    CLOUDHSM,
    CONNECTED,
    DISCONNECTED,
    EXTERNAL,
    STORES_PER_REGION,
    association_conflict,
)
from pytest_kmsmock._kms.state.backing_key_stores import Cluster, XksKey, XksProxy
from pytest_kmsmock._kms.state.records import CustomKeyStore
from pytest_kmsmock._kms.state.state import Region, State
from pytest_kmsmock._runtime.arguments import check_arguments, check_names
from pytest_kmsmock._runtime.checks import check_type
from pytest_kmsmock.errors import InvalidArgument, InvalidBacking, NotActive, UnknownBacking

from .backing_checks import check_connection_failure, check_region, checked, several

_Backing = TypeVar("_Backing", bound=Cluster | XksProxy)

_PATH = "/kms/xks/v1"
_PASSWORD = "kmsuser-password"
#: The characters of cluster ids after `cluster-`. Source: the pattern of CloudHsmClusterIdType.
_CLUSTER_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


@check_arguments("key_stores.")
class KeyStores:
    """The systems behind custom key stores: CloudHSM clusters, and proxies with external keys.

    CreateCustomKeyStore finds only those that a test adds. Methods return records of the current state; a change
    returns a new record. They belong to the mock's state, so a nested mock starts with a copy.

    Example:
        >>> from pytest_kmsmock import mock_kms
        >>> with mock_kms(region="us-east-1") as kms:
        ...     store = kms.key_stores.add_store()  # connected, on a cluster of its own
        ...     key = kms.client().create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store)["KeyMetadata"]
        >>> key["KeyState"]
        'Enabled'

    AWS: https://docs.aws.amazon.com/kms/latest/developerguide/key-store-overview.html
    """

    def __init__(self, service: FakeKms, account: str, region: str) -> None:
        self._fake_kms = service
        self._account = account
        self._region = region

    @property
    def _service(self) -> FakeKms:
        if self._fake_kms.clock.ended:
            raise NotActive
        return self._fake_kms

    # --- adding ------------------------------------------------------------------------------------------------------

    def add_cluster(
        self,
        cluster_id: str | None = None,
        *,
        hsms: int = 2,
        password: str = _PASSWORD,
        certificate: str | None = None,
    ) -> Cluster:  # fmt: skip
        """Add an active CloudHSM cluster. Its `parameters` are those of CreateCustomKeyStore.

        Args:
            cluster_id: `cluster-` and 11 to 16 characters; random if not given.
            hsms: the number of its active HSMs.
            password: the password of its crypto user `kmsuser`, 7 to 32 characters.
            certificate: its trust anchor certificate; a new one if not given. Clusters with the same certificate are
                related: they were created from backups of each other.

        Raises:
            InvalidBacking: a wrong value, or the cluster already exists.
        """
        return self._add(self._new_cluster(cluster_id, certificate, password, hsms))

    def add_xks_proxy(
        self,
        endpoint: str | None = None,
        path: str = _PATH,
        *,
        keys: Iterable[str] = (),
        access_key_id: str = "XKSPROXYACCESSKEYID2",
        secret_access_key: str = "xksproxysecretaccesskeyxksproxysecretaccesskey",
        vpc_endpoint_service: str | None = None,
        vpc_endpoint_service_owner: str | None = None,
    ) -> XksProxy:  # fmt: skip
        """Add an external key store proxy with a key manager behind it, both online.

        Its `parameters` are those of CreateCustomKeyStore.

        Args:
            endpoint: `https://` and a host name; random if not given.
            path: ends with `/kms/xks/v1`.
            keys: the ids of AES-256 keys in its key manager.
            access_key_id: the id of the credential for KMS, 20 to 30 characters of `A-Z2-7`.
            secret_access_key: its secret, 43 to 64 characters.
            vpc_endpoint_service: the name of a VPC endpoint service, such as
                `com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0`; without it the endpoint is public.
            vpc_endpoint_service_owner: the account of that service; the mock's if not given.

        Raises:
            InvalidBacking: a wrong value, or a proxy with this endpoint and path already exists.
        """
        if endpoint is None:
            endpoint = f"https://xks-{self._service.random(4).hex()}.example.com"
        owner = vpc_endpoint_service_owner
        if vpc_endpoint_service is not None and owner is None:
            owner = self._account
        held = {key_id: self._new_key(key_id) for key_id in several("keys", keys)}
        return self._add(XksProxy(endpoint, path, access_key_id, secret_access_key, vpc_endpoint_service, owner, held))

    def add_xks_key(
        self,
        proxy: XksProxy,
        key_id: str,
        *,
        enabled: bool = True,
        spec: str = "AES_256",
        usage: Iterable[str] = ("ENCRYPT", "DECRYPT"),
    ) -> XksProxy:  # fmt: skip
        """Add a key to the key manager behind a proxy; it replaces a key with the same id.

        Args:
            proxy: the proxy.
            key_id: the `XksKeyId` of CreateKey.
            enabled: whether it is enabled.
            spec: its spec; CreateKey accepts only `AES_256`.
            usage: its usage; CreateKey requires `ENCRYPT` and `DECRYPT`.

        Raises:
            InvalidBacking: a wrong value.
        """
        key = self._new_key(key_id)._replace(enabled=enabled, spec=spec, usage=several("usage", usage))
        return self._with_keys(proxy, {**self._proxy(proxy).keys, key_id: checked(key)})

    def add_store(
        self,
        backing: Cluster | XksProxy | None = None,
        *,
        name: str | None = None,
        region: str | None = None,
        connected: bool = True,
    ) -> str:
        """Add a custom key store as CreateCustomKeyStore and ConnectCustomKeyStore do, without a call; return its id.

        Args:
            backing: a cluster or a proxy that was added; a new cluster if not given.
            name: its name; random if not given.
            region: its Region; that of the mock if not given.
            connected: whether it is connected.

        Raises:
            InvalidBacking: a wrong name or Region; or the Region has a store of this name or on this proxy, or ten
                stores, or the account has a store on this cluster.
        """
        check_type(connected, bool, "connected", error=InvalidBacking)
        if region is not None:
            check_region(region)
        backing = self._new_cluster() if backing is None else self._now(backing)
        place = self._service.state.region(self._account, self._region if region is None else region)
        store_id = f"cks-{self._service.random(9).hex()[:17]}"
        settings, secret = _settings(backing)
        store = checked(
            CustomKeyStore(
                store_id,
                f"store-{store_id[4:]}" if name is None else name,
                CLOUDHSM if isinstance(backing, Cluster) else EXTERNAL,
                self._service.clock.now(),
                secret,
                CONNECTED if connected else DISCONNECTED,
                settings=settings,
            )
        )
        _check_room(self._service.state, place, store)
        self._put(backing)
        place.custom_key_stores[store_id] = store
        return store_id

    # --- changing ----------------------------------------------------------------------------------------------------

    def take_offline(self, backing: _Backing) -> _Backing:
        """Make a cluster, or a proxy with its key manager, unreachable for KMS.

        Keys stay `Enabled`, as AWS documents; only their use fails, with KMSInvalidStateException.
        """
        return self.change(backing, online=False)

    def bring_online(self, backing: _Backing) -> _Backing:
        """Make a cluster or a proxy reachable again."""
        return self.change(backing, online=True)

    def change(self, backing: _Backing, **fields: object) -> _Backing:
        """Change a cluster or a proxy: its password or secret access key, its number of HSMs, ...

        Args:
            backing: the cluster or proxy.
            **fields: attributes of `Cluster` or `XksProxy`, except those that identify it. `failure` is the failure
                mode of a proxy: `XKS_PROXY_INVALID_RESPONSE`, `XKS_PROXY_TIMED_OUT`, ...; None ends it.

        Raises:
            InvalidBacking: a wrong value.
            InvalidArgument: an unknown attribute, or one that identifies it.
        """
        now = self._now(backing)
        check_names("key_stores.change", fields, now._fields)
        changed = cast("_Backing", now._replace(**cast("dict[str, Any]", fields)))  # `checked` validates the values
        if _identity(changed) != _identity(now):
            raise InvalidArgument(f"{', '.join(map(str, _identity(now)))}: add another one instead of moving this one.")
        return self._put(checked(changed))

    def disable_xks_key(self, proxy: XksProxy, key_id: str) -> XksProxy:
        """Disable a key in the key manager behind a proxy; `add_xks_key` would replace it."""
        return self._set_enabled(proxy, key_id, enabled=False)

    def enable_xks_key(self, proxy: XksProxy, key_id: str) -> XksProxy:
        """Enable a key in the key manager behind a proxy."""
        return self._set_enabled(proxy, key_id, enabled=True)

    def remove(self, backing: Cluster | XksProxy) -> None:
        """Remove a cluster or a proxy, with all its keys."""
        held, place = self._held(self._now(backing))
        del held[place]

    def remove_xks_key(self, proxy: XksProxy, key_id: str) -> XksProxy:
        """Remove a key from the key manager behind a proxy: what it encrypted is lost."""
        return self._with_keys(
            proxy, {held: key for held, key in self._keys_with(proxy, key_id).items() if held != key_id}
        )

    def fail_next_connect(self, error_code: str, store_id: str | None = None) -> None:
        """Make the next ConnectCustomKeyStore end in `FAILED`.

        Args:
            error_code: the ConnectionErrorCode, such as `USER_LOCKED_OUT`.
            store_id: the store; by default the next one that is connected and can fail in this way.

        Raises:
            InvalidBacking: an unknown code or store, or a code that this store cannot have.
        """
        stores = [store for place in self._service.state.regions() for store in place.custom_key_stores.values()]
        check_connection_failure(error_code, store_id, stores)
        self._service.state.outside.connect_failures["" if store_id is None else store_id] = error_code

    # --- internal ----------------------------------------------------------------------------------------------------

    def _held(self, backing: Cluster | XksProxy) -> tuple[dict[Any, Any], object]:
        """Return the dict of clusters or of proxies, and the place of one in it."""
        outside = self._service.state.outside
        if isinstance(backing, Cluster):
            return outside.clusters, backing.id
        return outside.proxies, (backing.endpoint, backing.path)

    def _add(self, backing: _Backing) -> _Backing:
        held, place = self._held(checked(backing))
        if place in held:
            raise InvalidBacking(f"{' '.join(_identity(backing))} already exists. Use change(), or remove() it first.")
        return self._put(backing)

    def _new_cluster(
        self, cluster_id: str | None = None, certificate: str | None = None, password: str = _PASSWORD, hsms: int = 2
    ) -> Cluster:
        random = self._service.random
        if cluster_id is None:
            cluster_id = "cluster-" + "".join(_CLUSTER_ALPHABET[byte % 32] for byte in random(11))
        body = base64.b64encode(random(48)).decode()
        made_up = f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----"
        return Cluster(cluster_id, made_up if certificate is None else certificate, password, hsms)

    def _put(self, backing: _Backing) -> _Backing:
        held, place = self._held(backing)
        held[place] = backing
        return backing

    def _now(self, backing: _Backing) -> _Backing:
        """Return the current record of a cluster or proxy: the test may have an older one."""
        if not isinstance(backing, Cluster | XksProxy):
            raise InvalidArgument(f"Expected what add_cluster() or add_xks_proxy() returned, got {backing!r}.")
        held, place = self._held(backing)
        if place not in held:
            raise UnknownBacking(*_identity(backing))
        return cast("_Backing", held[place])

    def _proxy(self, proxy: Cluster | XksProxy) -> XksProxy:
        if isinstance(proxy, Cluster):
            raise InvalidArgument(
                f"Expected what add_xks_proxy() returned: the cluster {proxy.id} has no external keys."
            )
        return self._now(proxy)

    def _new_key(self, key_id: str) -> XksKey:
        return checked(XksKey(key_id, LazyMaterial(KEY_SPECS["SYMMETRIC_DEFAULT"], self._service.keys)))

    def _with_keys(self, proxy: XksProxy, keys: Mapping[str, XksKey]) -> XksProxy:
        return self._put(self._proxy(proxy)._replace(keys=keys))

    def _keys_with(self, proxy: XksProxy, key_id: str) -> Mapping[str, XksKey]:
        keys = self._proxy(proxy).keys
        if key_id not in list(keys):  # a list: the value may not be hashable
            raise UnknownBacking(*_identity(proxy), str(key_id))
        return keys

    def _set_enabled(self, proxy: XksProxy, key_id: str, *, enabled: bool) -> XksProxy:
        keys = self._keys_with(proxy, key_id)
        return self._with_keys(proxy, {**keys, key_id: keys[key_id]._replace(enabled=enabled)})


def _check_room(state: State, place: Region, store: CustomKeyStore) -> None:
    """Refuse a store that conflicts with others, as CreateCustomKeyStore does."""
    if any(other.name == store.name for other in place.custom_key_stores.values()):
        raise InvalidBacking(f"{place.name} has a custom key store {store.name!r} already.")
    if len(place.custom_key_stores) >= STORES_PER_REGION:
        raise InvalidBacking(f"{place.name} has {STORES_PER_REGION} custom key stores already, which is AWS's limit.")
    conflict = association_conflict(state, place, store)
    if conflict is not None:
        raise InvalidBacking(f"{place.name}: {conflict.message}")


def _identity(backing: Cluster | XksProxy) -> tuple[str, ...]:
    return (backing.id,) if isinstance(backing, Cluster) else (backing.endpoint, backing.path)


def _settings(backing: Cluster | XksProxy) -> tuple[dict[str, object], str]:
    """Return the settings of a store on it that DescribeCustomKeyStores returns, and the secret for KMS."""
    if isinstance(backing, Cluster):
        return {"CloudHsmClusterId": backing.id, "TrustAnchorCertificate": backing.certificate}, backing.password
    proxy = {
        "Connectivity": "VPC_ENDPOINT_SERVICE" if backing.vpc_endpoint_service else "PUBLIC_ENDPOINT",
        "UriEndpoint": backing.endpoint,
        "UriPath": backing.path,
        "AccessKeyId": backing.access_key_id,
    }
    if backing.vpc_endpoint_service is not None:
        proxy["VpcEndpointServiceName"] = backing.vpc_endpoint_service
        proxy["VpcEndpointServiceOwner"] = str(backing.vpc_endpoint_service_owner)
    return {"XksProxyConfiguration": proxy}, backing.secret_access_key
