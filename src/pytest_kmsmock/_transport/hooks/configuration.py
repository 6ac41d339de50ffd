"""Settings of KMS clients in the environment and the config file, which are ignored while a mock is active.

The mock answers calls to an endpoint that `AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_KMS` or `~/.aws/config` names, and
retries follow botocore's defaults. Clients that are made under a mock get the endpoints of AWS; clients that were made
before keep their endpoint, and are answered there. Clients of other services are not affected.

Sources: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html and
https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pytest_kmsmock._runtime import active_mocks
from pytest_kmsmock._transport import http
from pytest_kmsmock._transport.endpoints import has_prefix

if TYPE_CHECKING:
    from pytest_kmsmock._transport.gate import Gate

#: Settings of the config file that are ignored. Environment variables of the same meaning are not.
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
            for provider in chain._providers  # noqa: SLF001 - a chain has no public attribute for them
            if not isinstance(provider, config.ScopedConfigProvider)
        ]
        return config.ChainProvider(providers=providers, conversion_func=chain._conversion_func)  # noqa: SLF001

    kind._add_configured_endpoint_provider = add_unless_mocked  # noqa: SLF001


def is_answered(mock: Gate, url: str) -> bool:
    """Say whether a mock answers calls to a URL: those of `http.is_answered`, and configured endpoints."""
    return http.is_answered(mock, url) or is_configured(url)


def is_configured(url: str) -> bool:
    """Say whether the environment or any profile of the config file names a URL as the endpoint of KMS."""
    return has_prefix(url, tuple(_from_environment() | _INITIAL)) or has_prefix(url, tuple(_from_config_file()))


def _from_environment() -> frozenset[str]:
    return frozenset(filter(None, map(os.environ.get, ("AWS_ENDPOINT_URL_KMS", "AWS_ENDPOINT_URL"))))


#: Endpoints in the environment before the first mock: existing clients keep them when a test changes the environment.
_INITIAL = _from_environment()


def _from_config_file() -> Iterator[str]:
    """Yield the endpoints of all profiles: a client does not know its profile."""
    session = sys.modules["botocore.session"]
    file = session.Session().full_config
    sections: list[dict[str, Any]] = [*file["profiles"].values()]
    sections += [section.get("kms", {}) for section in file.get("services", {}).values()]
    for section in sections:
        if "endpoint_url" in section:
            yield section["endpoint_url"]
