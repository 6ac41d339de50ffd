"""Failed connections that a fault asks for, as each library raises them; and late answers."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from pytest_kmsmock._kms.api.errors import InjectedError
from pytest_kmsmock._runtime import active_mocks

if TYPE_CHECKING:
    from requests import PreparedRequest, RequestException

    from .endpoints import Endpoint

_T = TypeVar("_T")

#: Why a connection fails, where botocore's exception says so.
_CAUSE = "injected by the test"

#: botocore's exception -> the one that `requests` raises in the same case.
_REQUESTS = {
    "ConnectTimeoutError": "ConnectTimeout",
    "ReadTimeoutError": "ReadTimeout",
    "SSLError": "SSLError",
    "ProxyConnectionError": "ProxyError",
}


def botocore_error(error: InjectedError, url: str) -> Exception:
    """Return the exception of botocore that a failed connection is."""
    from botocore import exceptions

    kind: Callable[..., Exception] = getattr(exceptions, error.code)
    made = kind(endpoint_url=url, proxy_url=url, error=error.message or _CAUSE)
    if error.message and error.message not in str(made):  # botocore's text has no place for a cause
        made.args = (f"{made}. {error.message}",)
    return made


def unknown_region(endpoint: Endpoint) -> InjectedError:
    """Return the failure of a call to a Region that does not exist: its endpoint has no address."""
    return InjectedError("EndpointConnectionError", endpoint.unknown, kind="connection")


def requests_error(error: InjectedError, request: PreparedRequest) -> RequestException:
    """Return the exception of `requests` that a failed connection is."""
    from requests import exceptions

    kind: type[RequestException] = getattr(exceptions, _REQUESTS.get(error.code, "ConnectionError"))
    return kind(error.message or f"{error.code}: {_CAUSE}", request=request)


def deliver(outcome: _T | Exception, seconds: float, *, asynchronous: bool) -> _T | Awaitable[_T]:
    """Return a response, or raise the exception in its place, after some time.

    Args:
        outcome: the response, or an exception.
        seconds: how long it takes.
        asynchronous: whether the receiver awaits what it gets: then the event loop is not held up.
    """
    if seconds and asynchronous:
        return _later(outcome, seconds)
    if seconds:
        time.sleep(seconds)
    return _result(outcome)


async def _later(outcome: _T | Exception, seconds: float) -> _T:
    trio = active_mocks.trio_here()
    if trio is None:
        import asyncio

        await asyncio.sleep(seconds)
    else:
        await trio.sleep(seconds)
    return _result(outcome)


def _result(outcome: _T | Exception) -> _T:
    if isinstance(outcome, Exception):
        raise outcome
    return outcome
