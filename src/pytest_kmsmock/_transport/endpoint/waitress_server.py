"""How the HTTP endpoint listens: by waitress, an optional dependency. Imported when a server starts."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterable
from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import create_server

from pytest_kmsmock.errors import InvalidOption

#: Far above what any operation takes (a policy has 32 KiB, a plaintext 4 KiB), so that nobody fills the memory. Bytes.
_MOST_BODY = 1 << 20
#: Threads that answer. The service does one call at a time; more threads only wait for slow connections.
_THREADS = 8
#: Each client of an SDK holds a connection that it may use again, and tests make many clients: with waitress's limit of
#: 100 the next one would hang until another has been silent for two minutes.
_MOST_CONNECTIONS = 1000


class _Parser(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """Answers status 400 to addresses that are none, such as `http://[::1`, on which waitress drops the connection."""

    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError:
            raise ParsingError("Bad URI") from None


class _Channel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    parser_class = _Parser


def listen(application: Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]], host: str, port: int) -> Any:
    """Return a server of waitress that listens already; its `run` answers.

    Args:
        application: the WSGI application.
        host: the name or address to listen on.
        port: the port; 0 takes a free one.

    Raises:
        InvalidOption: when the host has no address.
        OSError: when the address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.getaddrinfo(host, port, family)
    except (UnicodeError, socket.gaierror) as error:
        raise InvalidOption(f"host {host!r} has no address: {error}") from None
    listening = socket.create_server((host, port), family=family)
    server = create_server(
        application,
        sockets=[listening],
        threads=_THREADS,
        connection_limit=_MOST_CONNECTIONS,
        asyncore_use_poll=True,  # `select` knows no more than 1024 files
        max_request_body_size=_MOST_BODY,
        ident=None,
    )
    server.channel_class = _Channel
    # That requests wait while all threads are busy is no news: without this waitress says so at every one of them.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    return server
