"""Failed connections by faults, as the exceptions of each library; and delayed responses."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from pytest_kmsmock._kms.api.errors import InjectedError
from pytest_kmsmock._runtime import active_mocks
from pytest_kmsmock._runtime.checks import MISUSE

if TYPE_CHECKING:
    from requests import PreparedRequest, RequestException

    from .endpoints import Endpoint

_T = TypeVar("_T")
_E = TypeVar("_E", bound=Exception)

#: The cause of a failed connection, for exceptions of botocore that name one.
_CAUSE = "injected by the test"

#: Exception of botocore -> that of `requests` in the same case.
_REQUESTS = {
    "ConnectTimeoutError": "ConnectTimeout",
    "ReadTimeoutError": "ReadTimeout",
    "SSLError": "SSLError",
    "ProxyConnectionError": "ProxyError",
}


def botocore_error(error: InjectedError, url: str) -> Exception:
    """Return the exception of botocore for a failed connection."""
    from botocore import exceptions

    kind: Callable[..., Exception] = getattr(exceptions, error.code)
    made = kind(endpoint_url=url, proxy_url=url, error=error.message or _CAUSE)
    if error.message and error.message not in str(made):  # botocore's message has no place for a cause
        made.args = (f"{made}. {error.message}",)
    return _marked(made, error)


def unknown_region(endpoint: Endpoint) -> InjectedError:
    """Return the failure of a call to a Region that does not exist: its endpoint cannot be resolved."""
    return _UnknownRegion("EndpointConnectionError", endpoint.unknown, kind="connection")


class _UnknownRegion(InjectedError):
    """A connection that fails by a mistake of the test, not by a fault."""


def _marked(made: _E, error: InjectedError) -> _E:
    if isinstance(error, _UnknownRegion):
        vars(made)[MISUSE] = True
    return made


def requests_error(error: InjectedError, request: PreparedRequest) -> RequestException:
    """Return the exception of `requests` for a failed connection."""
    from requests import exceptions

    kind: type[RequestException] = getattr(exceptions, _REQUESTS.get(error.code, "ConnectionError"))
    return _marked(kind(error.message or f"{error.code}: {_CAUSE}", request=request), error)


def deliver(outcome: _T | Exception, seconds: float, *, asynchronous: bool) -> _T | Awaitable[_T]:
    """Return a response or raise an exception, after a delay.

    Args:
        outcome: the response, or the exception.
        seconds: the delay.
        asynchronous: whether the caller awaits the result: then the delay does not block the event loop.
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
