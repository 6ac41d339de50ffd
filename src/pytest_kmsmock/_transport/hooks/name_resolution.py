"""The guard of name look-ups: no KMS endpoint is looked up while a mock is active or calls are blocked.

httpx, aiohttp, urllib3 and other HTTP libraries all call `socket.getaddrinfo`. The mock answers requests of botocore
and `requests` before that; a request that gets here would reach the real KMS.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from pytest_kmsmock._runtime import network_guard
from pytest_kmsmock._transport import gate
from pytest_kmsmock._transport.endpoints import is_kms_host


def install() -> None:
    """Guard `socket.getaddrinfo`, unless it is guarded. A function that replaced it is wrapped."""
    if not hasattr(socket.getaddrinfo, _GUARDED):
        socket.getaddrinfo = _guarding(socket.getaddrinfo)


def restore() -> None:
    """Restore `socket.getaddrinfo`, unless other code has replaced it since."""
    socket.getaddrinfo = getattr(socket.getaddrinfo, _GUARDED, socket.getaddrinfo)


#: The attribute of a guard that has the original function. Each guard has its own: a test may replace the function
#: inside a mock, enter another mock, and restore the first guard.
_GUARDED = "kms_mock_guarded"


def _guarding(look_up: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
        if isinstance(name, str) and is_kms_host(name):
            network_guard.check_look_up(name, inside_mock=gate.current() is not None)
        return look_up(host, *args, **kwargs)

    setattr(guarded, _GUARDED, look_up)
    return guarded
