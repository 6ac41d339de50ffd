"""Backing key stores of custom key stores: CloudHSM clusters, external key store proxies and external keys.

Tests add and change them through `kms.key_stores` (`_testing.views.key_store_console`). They are frozen records like
those of `records`, which nested scopes share and restore.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_kmsmock._record import Record

if TYPE_CHECKING:
    from pytest_kmsmock._kms.entropy.key_source import LazyMaterial


class Cluster(Record):
    """A CloudHSM cluster.

    Attributes:
        id: `cluster-` and 11 to 16 characters.
        certificate: its trust anchor certificate (`customerCA.crt`). Clusters with the same certificate are related:
            they share a backup history.
        password: the password of its crypto user `kmsuser`, 7 to 32 characters.
        hsms: the number of active HSMs; AWS requires two, of which one may fail.
        online: whether it is active and reachable.
    """

    id: str
    certificate: str
    password: str
    hsms: int = 2
    online: bool = True

    @property
    def parameters(self) -> dict[str, object]:
        """The parameters of CreateCustomKeyStore for it, without the name."""
        return {
            "CustomKeyStoreType": "AWS_CLOUDHSM",
            "CloudHsmClusterId": self.id,
            "TrustAnchorCertificate": self.certificate,
            "KeyStorePassword": self.password,
        }


class XksKey(Record):
    """A key in an external key manager.

    Attributes:
        id: the id that the proxy uses.
        secret: its key material, which is never in KMS.
        enabled: whether it is enabled in the key manager.
        spec: its key spec; AWS accepts `AES_256` only.
        usage: its key usage; AWS requires both `ENCRYPT` and `DECRYPT`.
    """

    id: str
    secret: LazyMaterial
    enabled: bool = True
    spec: str = "AES_256"
    usage: tuple[str, ...] = ("ENCRYPT", "DECRYPT")


NO_KEYS: Mapping[str, XksKey] = MappingProxyType({})


class XksProxy(Record):
    """An external key store proxy with the key manager behind it.

    Attributes:
        endpoint: such as `https://xks.example.com`.
        path: such as `/kms/xks/v1`.
        access_key_id: the id of the credential that KMS must sign with, 20 to 30 characters.
        secret_access_key: its secret, 43 to 64 characters.
        vpc_endpoint_service: the name of its VPC endpoint service; None if it has a public endpoint.
        vpc_endpoint_service_owner: the account that owns that service.
        keys: the keys in its key manager, by id.
        online: whether proxy and key manager respond.
        failure: its failure mode, by the ConnectionErrorCode that KMS has for it, such as
            `XKS_PROXY_INVALID_RESPONSE` (the page "Custom key stores" has all); None without a failure.
    """

    endpoint: str
    path: str
    access_key_id: str
    secret_access_key: str
    vpc_endpoint_service: str | None = None
    vpc_endpoint_service_owner: str | None = None
    keys: Mapping[str, XksKey] = NO_KEYS
    online: bool = True
    failure: str | None = None

    @property
    def parameters(self) -> dict[str, object]:
        """The parameters of CreateCustomKeyStore for it, without the name."""
        parameters: dict[str, object] = {
            "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
            "XksProxyUriEndpoint": self.endpoint,
            "XksProxyUriPath": self.path,
            "XksProxyAuthenticationCredential": {
                "AccessKeyId": self.access_key_id,
                "RawSecretAccessKey": self.secret_access_key,
            },
            "XksProxyConnectivity": "VPC_ENDPOINT_SERVICE" if self.vpc_endpoint_service else "PUBLIC_ENDPOINT",
        }
        if self.vpc_endpoint_service is not None:
            parameters["XksProxyVpcEndpointServiceName"] = self.vpc_endpoint_service
            parameters["XksProxyVpcEndpointServiceOwner"] = self.vpc_endpoint_service_owner
        return parameters


class BackingKeyStores:
    """All clusters and proxies, and connection failures that the test has set."""

    __slots__ = ("clusters", "connect_failures", "proxies")

    clusters: dict[str, Cluster]
    proxies: dict[tuple[str, str], XksProxy]  # by endpoint and path
    #: Custom key store id, or "" for any -> the ConnectionErrorCode of its next attempt to connect.
    connect_failures: dict[str, str]

    def __init__(self) -> None:
        self.clusters = {}
        self.proxies = {}
        self.connect_failures = {}

    def copy(self) -> BackingKeyStores:
        """Return an independent copy that shares the records."""
        clone = BackingKeyStores()
        clone.clusters = self.clusters.copy()
        clone.proxies = self.proxies.copy()
        clone.connect_failures = self.connect_failures.copy()
        return clone
