"""What the environment and the config file say about KMS clients: it does not count while a mock is active.

An endpoint that only `AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_KMS` or `~/.aws/config` names leads no call away, and
retries go as botocore's own defaults say. Clients that are made under a mock get the endpoints of AWS; those that
were made before keep their address, and are answered there. Clients of other services are left alone.

Sources: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html and
https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
"""

from __future__ import annotations

import functools
import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pytest_kmsmock._runtime import active_mocks
from pytest_kmsmock._transport import http
from pytest_kmsmock._transport.endpoints import is_below

if TYPE_CHECKING:
    from pytest_kmsmock._transport.gate import Gate

#: Settings of the config file that change what a KMS client does. Environment variables of the same meaning count.
_SETTINGS = ("max_attempts", "retry_mode", "parameter_validation", "use_dualstack_endpoint", "use_fips_endpoint")


def install(session: ModuleType) -> None:
    """Keep configured endpoints and settings away from KMS clients that are made under a mock.

    Args:
        session: the module `botocore.session`.
    """
    kind, config = session.Session, sys.modules["botocore.configprovider"]
    add_endpoint = kind._add_configured_endpoint_provider  # noqa: SLF001 - each client gets its configuration there

    @functools.wraps(add_endpoint)
    def add_unless_mocked(self: Any, client_name: str, config_store: Any) -> None:
        if client_name != "kms" or active_mocks.current() is None:
            add_endpoint(self, client_name=client_name, config_store=config_store)
            return
        for name in _SETTINGS:
            config_store.set_config_provider(name, without_file(config_store.get_config_provider(name)))

    def without_file(chain: Any) -> Any:
        providers = [
            provider
            for provider in chain._providers  # noqa: SLF001 - botocore gives no other way to a chain's parts
            if not isinstance(provider, config.ScopedConfigProvider)
        ]
        return config.ChainProvider(providers=providers, conversion_func=chain._conversion_func)  # noqa: SLF001

    kind._add_configured_endpoint_provider = add_unless_mocked  # noqa: SLF001


def is_answered(mock: Gate, url: str) -> bool:
    """Say whether a mock answers calls to an address: where `http.is_answered` does, and where it is configured."""
    return http.is_answered(mock, url) or is_configured(url)


def is_configured(url: str) -> bool:
    """Say whether the environment or the config file names an address as the endpoint of KMS."""
    configured = _from_environment() or _from_config_file()
    return configured is not None and is_below(url, (configured,))


def _from_environment() -> str | None:
    return os.environ.get("AWS_ENDPOINT_URL_KMS") or os.environ.get("AWS_ENDPOINT_URL")


def _from_config_file() -> str | None:
    session = sys.modules["botocore.session"]
    reader = session.Session()
    try:
        scoped = reader.get_scoped_config()
        services = reader.full_config.get("services", {})
    except session.ProfileNotFound:
        return None
    section: Any = services.get(scoped.get("services"), {}).get("kms", {})
    found: str | None = section.get("endpoint_url") or scoped.get("endpoint_url")
    return found
