"""The listening thread: an event loop with the connections, and threads for requests that would block it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal, final

from pytest_kmsmock._kms.api.errors import KmsError
from pytest_kmsmock._record import Record
from pytest_kmsmock._transport.json_protocol import CONTENT_TYPE, HttpAnswer, error_body
from pytest_kmsmock.errors import InvalidOption

from .connection import Connection, Outcome

if TYPE_CHECKING:
    from pytest_kmsmock._transport.http_request import HttpRequest

_LOG = logging.getLogger("pytest_kmsmock.server")
#: The largest number of connections that are not accepted yet.
_BACKLOG = 2048
Pool = Literal["waiting", "rsa"]
#: The threads of each pool: for calls that wait for the disk or another server, and for calls that make RSA keys, which
#: would otherwise occupy all threads.
_THREADS: Mapping[Pool, int] = {"waiting": 32, "rsa": 2}
#: How long connections may take to end, in seconds.
_SHUTDOWN_TIMEOUT = 5.0
#: The first byte of a TLS handshake.
_TLS_HANDSHAKE = b"\x16"


class Application(Record):
    """The functions that answer requests.

    Attributes:
        answer: answers a request.
        pool_of: returns the pool of threads for a request that may block; None if it is answered in the event loop.
        context_for: returns the TLS context for a host (None: the server itself); None if there is no TLS for it.
    """

    answer: Callable[[HttpRequest], Outcome]
    pool_of: Callable[[HttpRequest], Pool | None]
    context_for: Callable[[str | None], ssl.SSLContext | None]


class _Loop(asyncio.SelectorEventLoop):
    """An event loop with the machine's time, even if a test replaces functions of the module `time`."""

    def time(self) -> float:
        if hasattr(time, "clock_gettime"):  # pragma: no branch - not on Windows
            return time.clock_gettime(time.CLOCK_MONOTONIC)
        return super().time()  # pragma: no cover - Windows


@final
class Listener:
    """Listens and answers requests in its own thread.

    Args:
        application: answers requests.
        host: the name or address to listen on.
        port: the port; 0 takes a free one.

    Attributes:
        loop: the event loop.
        connections: the open ones.

    Raises:
        InvalidOption: when the host cannot be resolved.
        OSError: when it cannot listen on the address.
    """

    def __init__(self, application: Application, host: str, port: int) -> None:
        self._socket = _listening(host, port)
        self.loop = _Loop()
        self.connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._accepting = threading.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._idle: set[socket.socket] = set()  # accepted, without data so far
        self._pools = {
            pool: ThreadPoolExecutor(count, thread_name_prefix=f"pytest-kmsmock-{pool}")
            for pool, count in _THREADS.items()
        }
        self._thread = threading.Thread(target=self._run, name="pytest-kmsmock-server", daemon=True)
        self._answer, self.pool_of, self.context_for = application

    @property
    def address(self) -> tuple[str, int]:
        """The address that it listens on."""
        host, port = self._socket.getsockname()[:2]
        return host, port

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the current requests, and stop."""
        self._accepting.wait()
        self.loop.call_soon_threadsafe(self._spawn, self._end())
        self._thread.join()
        for threads in self._pools.values():
            threads.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self._spawn(self._accept())
        try:
            self.loop.run_forever()
        finally:
            for task in self._tasks:
                task.cancel()
            self.loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
            self.loop.close()

    async def _end(self) -> None:
        if self._server is None:
            self.loop.remove_reader(self._socket)
            self._socket.close()
        else:
            self._server.close()
        for idle in list(self._idle):
            self._drop(idle)
        for connection in list(self.connections):
            connection.finish()
        latest = self.loop.time() + _SHUTDOWN_TIMEOUT
        while self.connections and self.loop.time() < latest:
            await asyncio.sleep(0.005)
        for connection in list(self.connections):
            connection.abort()
        self.loop.call_soon(self.loop.stop)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- accepting -----------------------------------------------------------------------------------------------

    async def _accept(self) -> None:
        """Accept connections; the first byte tells TLS from plain HTTP on the same port."""
        self._socket.setblocking(False)
        if self.context_for(None) is None:
            self._server = await self.loop.create_server(lambda: Connection(self), sock=self._socket, backlog=_BACKLOG)
            self._accepting.set()
            return
        self._accepting.set()
        while True:
            try:
                accepted, _ = await self.loop.sock_accept(self._socket)
            except OSError:  # no file descriptors left
                await asyncio.sleep(0.1)
                continue
            self._idle.add(accepted)
            self.loop.add_reader(accepted, self._begin, accepted)

    def _begin(self, accepted: socket.socket) -> None:
        self.loop.remove_reader(accepted)
        self._idle.discard(accepted)
        try:
            secured = accepted.recv(1, socket.MSG_PEEK) == _TLS_HANDSHAKE
        except OSError:
            accepted.close()
            return
        self._spawn(self._serve(accepted, self.context_for(None) if secured else None))

    async def _serve(self, accepted: socket.socket, context: ssl.SSLContext | None) -> None:
        with contextlib.suppress(OSError):  # a handshake that fails
            await self.loop.connect_accepted_socket(lambda: Connection(self), accepted, ssl=context)

    def _drop(self, idle: socket.socket) -> None:
        self.loop.remove_reader(idle)
        self._idle.discard(idle)
        idle.close()

    # --- for connections -----------------------------------------------------------------------------------------

    def answer(self, request: HttpRequest) -> Outcome:
        """Answer a request; with status 500 if the mock raises, such as for a key spec whose package is missing."""
        try:
            return self._answer(request)
        except Exception as error:
            _LOG.exception("%s failed", request.operation or request.method)
            failure = KmsError("InternalFailure", str(error))
            body = error_body(failure)
            headers = {"content-type": CONTENT_TYPE, "content-length": str(len(body))}
            return Outcome(HttpAnswer(failure.status, headers, body))

    def answer_in(self, pool: Pool, request: HttpRequest, finished: Callable[[Outcome], None]) -> None:
        """Answer a request in a thread of a pool."""
        future = self.loop.run_in_executor(self._pools[pool], self.answer, request)
        future.add_done_callback(lambda done: None if done.cancelled() else finished(done.result()))

    def start_tls(self, transport: asyncio.Transport, connection: Connection, context: ssl.SSLContext) -> None:
        """Switch a connection to TLS."""
        self._spawn(self._secure(transport, connection, context))

    async def _secure(self, transport: asyncio.Transport, connection: Connection, context: ssl.SSLContext) -> None:
        self.connections.discard(connection)
        try:
            secured = await self.loop.start_tls(transport, connection, context, server_side=True)
        except OSError:
            transport.abort()
        else:
            if secured is not None and not secured.is_closing():
                connection.connection_made(secured)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.getaddrinfo(host, port, family)
    except (UnicodeError, socket.gaierror) as error:
        raise InvalidOption(f"host {host!r} cannot be resolved: {error}") from None
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)
