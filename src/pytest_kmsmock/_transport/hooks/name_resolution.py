"""The guard behind all ways in: no KMS endpoint is looked up while a mock is active or calls are blocked.

httpx, aiohttp, urllib3 and SDKs of their own all come to `socket.getaddrinfo`. What botocore and `requests` send to KMS
is answered long before; what arrives here would reach the real KMS.
"""

from __future__ import annotations

import socket
from typing import Any

from pytest_kmsmock._runtime import network_guard
from pytest_kmsmock._transport import gate
from pytest_kmsmock._transport.endpoints import is_kms_host

_look_up = socket.getaddrinfo


def install() -> None:
    """Have look-ups of names pass here, unless they do; whoever replaced the function before is asked after."""
    global _look_up
    if socket.getaddrinfo is not _guarded:
        _look_up, socket.getaddrinfo = socket.getaddrinfo, _guarded


def restore() -> None:
    """Put back what was there, unless somebody else replaced it since."""
    if socket.getaddrinfo is _guarded:
        socket.getaddrinfo = _look_up


def _guarded(host: Any, *args: Any, **kwargs: Any) -> Any:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if isinstance(name, str) and is_kms_host(name):
        network_guard.check_look_up(name, inside_mock=gate.current() is not None)
    return _look_up(host, *args, **kwargs)
