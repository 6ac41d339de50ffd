"""One connection of a client: HTTP/1.1 requests, parsed by httptools, and their responses in the same order.

The `Listener` answers requests.
"""

from __future__ import annotations

import asyncio
import functools
from collections import deque
from http import HTTPStatus
from typing import TYPE_CHECKING, final
from urllib.parse import urlsplit

import httptools

from pytest_kmsmock._record import Record
from pytest_kmsmock._transport.http_request import HttpRequest
from pytest_kmsmock._transport.json_protocol import HttpAnswer

if TYPE_CHECKING:
    from .listener import Listener

#: Bytes; far above what any operation accepts (a policy has 32 KiB, a plaintext 4 KiB), to limit the memory.
_MAX_BODY = 1 << 20
_MAX_HEADERS = 1 << 18
#: Requests that a client may pipeline; then the server stops reading.
_MAX_PIPELINED = 64


class Outcome(Record):
    """The outcome of a request.

    Attributes:
        answer: the response; None closes the connection without one.
        delay: its delay in seconds.
    """

    answer: HttpAnswer | None
    delay: float = 0.0


class _Received(Record):
    """A request, or the status with which it is refused."""

    request: HttpRequest
    keeps_alive: bool = False
    refused: HTTPStatus | None = None


_NO_REQUEST = HttpRequest("GET", "", {}, b"")


class _Refused(Exception):
    """Stops the parser."""


@final
class Connection(asyncio.Protocol):
    """A connection. All methods run in the thread of the event loop.

    Args:
        listener: answers requests, and has the set of connections.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._transport: asyncio.Transport | None = None
        self._queue: deque[_Received] = deque()
        self._busy = False  # a request is being answered
        self._ended = False  # nothing more is read
        self._early_data: bytes | None = None  # received with the end of a TLS handshake, before its transport exists
        self._parser = httptools.HttpRequestParser(self)
        self._in_head, self._begun, self._head_length = False, False, 0
        self._url = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._body_length = 0

    # --- asyncio's side ------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to read."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._listener.connections.add(self)
        if self._early_data is not None:
            early, self._early_data = self._early_data, None
            self.data_received(early)

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - of asyncio
        """Drop the requests in the queue."""
        if self._transport is not None:
            self._transport.close()  # else Python 3.10 warns of a TLS transport that the client has closed
        self._transport = None
        self._queue.clear()
        self._listener.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        """Parse data, and answer the requests that are complete."""
        if self._early_data is not None:
            self._early_data += data
            return
        if self._ended or not data:
            return
        self._begun = False
        self._feed(data)
        if self._in_head and not self._begun:  # all data is of one unfinished head
            self._head_length += len(data)
            if self._head_length > _MAX_HEADERS:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        self._next()

    def eof_received(self) -> bool:
        """Answer the requests that are complete, and close."""
        self._ended = True
        assert self._transport is not None
        return self._busy and self._transport.get_extra_info("ssl_object") is None

    def pause_writing(self) -> None:
        """Stop reading from a client that does not read its responses."""
        self._set_reading(reading=False)

    def resume_writing(self) -> None:
        """Continue reading."""
        self._set_reading(reading=True)

    def finish(self) -> None:
        """Answer the current request, and close."""
        self._ended = True
        self._queue.clear()
        if not self._busy and self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def _set_reading(self, *, reading: bool) -> None:
        if self._transport is not None and not self._transport.is_closing():
            (self._transport.resume_reading if reading else self._transport.pause_reading)()

    # --- parsing -------------------------------------------------------------------------------------------------

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            if self._parser.get_method() == b"CONNECT":
                self._connect()
            else:  # to an unsupported protocol: answer this request in HTTP/1.1, and close
                self._ended = True
                self._queue[-1] = self._queue[-1]._replace(keeps_alive=False)
        except httptools.HttpParserCallbackError:
            pass  # `_refuse` was called
        except httptools.HttpParserError:
            self._refuse(HTTPStatus.BAD_REQUEST)

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._in_head, self._begun, self._head_length = True, True, 0
        self._url, self._headers = b"", {}
        self._body, self._body_length = [], 0

    def on_url(self, url: bytes) -> None:
        """Append a part of the request target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes | None) -> None:
        """Add a header; repeated headers are joined."""
        self._head_length += len(name) + len(value or b"")
        if self._head_length > _MAX_HEADERS:
            self._stop(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        key, text = name.decode("latin-1").lower(), (value or b"").decode("latin-1")
        self._headers[key] = f"{self._headers[key]}, {text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        """Refuse a body that is too long, and answer `Expect: 100-continue`."""
        self._in_head = False
        length = self._headers.get("content-length", "")
        if length.isdecimal() and int(length[:20]) > _MAX_BODY:
            self._stop(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if self._headers.get("expect", "").lower() == "100-continue" and not self._busy and not self._queue:
            self._write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, part: bytes) -> None:
        """Append a part of the body."""
        self._body.append(part)
        self._body_length += len(part)
        if self._body_length > _MAX_BODY:
            self._stop(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

    def on_message_complete(self) -> None:
        """Add the request to the queue."""
        method = self._parser.get_method().decode("latin-1")
        target, host = self._url.decode("latin-1"), self._headers.get("host", "")
        url = f"http://{host}{target}" if target.startswith(("/", "*")) else target
        try:
            urlsplit(url)
        except ValueError:  # such as half an IPv6 address
            if url == target:
                self._stop(HTTPStatus.BAD_REQUEST)
            url = f"http://{target}"  # the header can have any value
        self._queue.append(
            _Received(HttpRequest(method, url, self._headers, b"".join(self._body)), self._parser.should_keep_alive())
        )

    def _stop(self, status: HTTPStatus) -> None:
        self._refuse(status)
        raise _Refused

    def _refuse(self, status: HTTPStatus) -> None:
        """Refuse an invalid request, after the responses to those before it, and close."""
        self._in_head, self._ended = False, True
        self._queue.append(_Received(_NO_REQUEST, refused=status))

    # --- answering -----------------------------------------------------------------------------------------------

    def _next(self) -> None:
        """Answer the requests in the queue, one after the other."""
        while self._queue and not self._busy:
            received = self._queue.popleft()
            if received.refused is not None:
                self._deliver(received, _refusal(received.refused))
            elif (pool := self._listener.pool_of(received.request)) is None:
                self._finished(received, self._listener.answer(received.request))
            else:
                self._busy = True
                self._listener.answer_in(pool, received.request, functools.partial(self._finished, received))
        if self._transport is not None:
            if self._ended and not self._busy:
                self._transport.close()
            elif self._busy and len(self._queue) > _MAX_PIPELINED:
                self._set_reading(reading=False)

    def _finished(self, received: _Received, outcome: Outcome) -> None:
        if outcome.delay:
            self._busy = True
            self._listener.loop.call_later(outcome.delay, self._finished, received, outcome._replace(delay=0.0))
            return
        was_busy, self._busy = self._busy, False
        self._deliver(received, outcome.answer)
        if was_busy:
            self._set_reading(reading=True)
            self._next()

    def _deliver(self, received: _Received, answer: HttpAnswer | None) -> None:
        if answer is None:
            self._ended = True
            self._queue.clear()
            return
        lines = [f"HTTP/1.1 {answer.status} {answer.reason}"]
        lines += [f"{_spelled(name)}: {text}" for name, text in answer.headers.items()]
        if not received.keeps_alive:
            self._ended = True
            self._queue.clear()
            lines.append("Connection: close")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        self._write(head if received.request.method == "HEAD" else head + answer.body)

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    # --- CONNECT -------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        """Act as the host of a CONNECT request, if it is a KMS endpoint."""
        host = self._url.decode("latin-1").rpartition(":")[0]
        self._queue.clear()
        context = self._listener.context_for(host)
        if context is None or self._busy or self._transport is None:
            self._refuse(HTTPStatus.FORBIDDEN)
            return
        self._write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self._parser = httptools.HttpRequestParser(self)
        self._early_data = b""
        self._listener.start_tls(self._transport, self, context)


@functools.cache
def _spelled(name: str) -> str:
    """Return a header's name as AWS spells it: some clients, such as libmongocrypt, are case-sensitive."""
    return "x-amzn-RequestId" if name == "x-amzn-requestid" else name.title()


def _refusal(status: HTTPStatus) -> HttpAnswer:
    body = f"{status.phrase}\n".encode()
    if status is HTTPStatus.FORBIDDEN:
        body = b"This proxy answers only KMS endpoints of AWS, over TLS. Start the server with TLS.\n"
    return HttpAnswer(status, {"content-type": "text/plain", "content-length": str(len(body))}, body)
