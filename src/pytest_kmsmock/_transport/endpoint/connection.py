"""One connection of a client: HTTP/1.1 requests in, answers out in the same order. Parsing is httptools's.

What is answered is not known here: `listener` says.
"""

from __future__ import annotations

import asyncio
import functools
from collections import deque
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple, final
from urllib.parse import urlsplit

import httptools

from pytest_kmsmock._transport.http_request import HttpRequest
from pytest_kmsmock._transport.json_protocol import HttpAnswer

if TYPE_CHECKING:
    from .listener import Listener

#: Far above what any operation takes (a policy has 32 KiB, a plaintext 4 KiB), so that nobody fills the memory. Bytes.
_MOST_BODY = 1 << 20
_MOST_HEAD = 1 << 18
#: Requests that a client may send before it has read the answers to earlier ones; then it has to wait.
_MOST_WAITING = 64


class Outcome(NamedTuple):
    """What becomes of a request.

    Attributes:
        answer: the answer; None closes the connection without one.
        delay: by how many seconds it is late.
    """

    answer: HttpAnswer | None
    delay: float = 0.0


class _Received(NamedTuple):
    """A request as it came, or the status with which it is refused."""

    request: HttpRequest
    keeps_alive: bool = False
    refused: HTTPStatus | None = None


_NO_REQUEST = HttpRequest("GET", "", {}, b"")


class _Refused(Exception):
    """Stops the parser."""


@final
class Connection(asyncio.Protocol):
    """A connection. All of it runs in the thread of the event loop.

    Args:
        listener: answers requests, and keeps the connections.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[_Received] = deque()
        self._busy = False  # a request is being answered
        self._ended = False  # nothing more is read
        self._early: bytes | None = None  # what came with the end of a TLS handshake, before its transport is there
        self._parser = httptools.HttpRequestParser(self)
        self._in_head, self._begun, self._head_length = False, False, 0
        self._url = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._body_length = 0

    # --- asyncio's side ------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._listener.connections.add(self)
        if self._early is not None:
            early, self._early = self._early, None
            self.data_received(early)

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - of asyncio
        """End: what is still waiting will not be answered."""
        if self._transport is not None:
            self._transport.close()  # or Python 3.10 warns of a TLS transport that the client has closed
        self._transport = None
        self._waiting.clear()
        self._listener.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        """Read what has come, and answer the requests that are complete."""
        if self._early is not None:
            self._early += data
            return
        if self._ended or not data:
            return
        self._begun = False
        self._feed(data)
        if self._in_head and not self._begun:  # all of it
            self._head_length += len(data)
            if self._head_length > _MOST_HEAD:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        self._next()

    def eof_received(self) -> bool:
        """Answer what has come, and close."""
        self._ended = True
        assert self._transport is not None
        return self._busy and self._transport.get_extra_info("ssl_object") is None

    def pause_writing(self) -> None:
        """Stop reading from a client that does not read."""
        self._set_reading(reading=False)

    def resume_writing(self) -> None:
        """Go on reading."""
        self._set_reading(reading=True)

    def finish(self) -> None:
        """Answer what is being carried out, and close."""
        self._ended = True
        self._waiting.clear()
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
            else:  # to a protocol that is not spoken here: the request is answered in this one, and no other
                self._ended = True
                self._waiting[-1] = self._waiting[-1]._replace(keeps_alive=False)
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
        """Take a part of the address."""
        self._url += url

    def on_header(self, name: bytes, value: bytes | None) -> None:
        """Take a header; what comes twice is one list."""
        self._head_length += len(name) + len(value or b"")
        if self._head_length > _MOST_HEAD:
            self._stop(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        key, text = name.decode("latin-1").lower(), (value or b"").decode("latin-1")
        self._headers[key] = f"{self._headers[key]}, {text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        """Refuse what is too long, and let a client send its body that asks first."""
        self._in_head = False
        length = self._headers.get("content-length", "")
        if length.isdecimal() and int(length[:20]) > _MOST_BODY:
            self._stop(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if self._headers.get("expect", "").lower() == "100-continue" and not self._busy and not self._waiting:
            self._write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, part: bytes) -> None:
        """Take a part of the body."""
        self._body.append(part)
        self._body_length += len(part)
        if self._body_length > _MOST_BODY:
            self._stop(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

    def on_message_complete(self) -> None:
        """Let the request be answered, after those that came before."""
        method = self._parser.get_method().decode("latin-1")
        target, host = self._url.decode("latin-1"), self._headers.get("host", "")
        url = f"http://{host}{target}" if target.startswith(("/", "*")) else target
        try:
            urlsplit(url)
        except ValueError:  # half an IPv6 address, say
            if url == target:
                self._stop(HTTPStatus.BAD_REQUEST)
            url = f"http://{target}"  # a client says what it likes in the header
        self._waiting.append(
            _Received(HttpRequest(method, url, self._headers, b"".join(self._body)), self._parser.should_keep_alive())
        )

    def _stop(self, status: HTTPStatus) -> None:
        self._refuse(status)
        raise _Refused

    def _refuse(self, status: HTTPStatus) -> None:
        """Answer a request that is none, after those before it, and close."""
        self._in_head, self._ended = False, True
        self._waiting.append(_Received(_NO_REQUEST, refused=status))

    # --- answering -----------------------------------------------------------------------------------------------

    def _next(self) -> None:
        """Answer what is complete, one request after the other."""
        while self._waiting and not self._busy:
            received = self._waiting.popleft()
            if received.refused is not None:
                self._deliver(received, _refusal(received.refused))
            elif self._listener.blocks(received.request):
                self._busy = True
                self._listener.answer_later(received.request, functools.partial(self._finished, received))
            else:
                self._finished(received, self._listener.answer(received.request))
        if self._transport is not None:
            if self._ended and not self._busy:
                self._transport.close()
            elif self._busy and len(self._waiting) > _MOST_WAITING:
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
            self._waiting.clear()
            return
        lines = [f"HTTP/1.1 {answer.status} {answer.reason}"]
        lines += [f"{_spelled(name)}: {text}" for name, text in answer.headers.items()]
        if not received.keeps_alive:
            self._ended = True
            self._waiting.clear()
            lines.append("Connection: close")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        self._write(head if received.request.method == "HEAD" else head + answer.body)

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    # --- CONNECT -------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        """Be the host that the client wants to reach through a proxy, if it is KMS."""
        host = self._url.decode("latin-1").rpartition(":")[0]
        self._waiting.clear()
        context = self._listener.context_for(host)
        if context is None or self._busy or self._transport is None:
            self._refuse(HTTPStatus.FORBIDDEN)
            return
        self._write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self._parser = httptools.HttpRequestParser(self)
        self._early = b""
        self._listener.start_tls(self._transport, self, context)


@functools.cache
def _spelled(name: str) -> str:
    """Return a header's name as AWS spells it: some clients, libmongocrypt among them, look for nothing else."""
    return "x-amzn-RequestId" if name == "x-amzn-requestid" else name.title()


def _refusal(status: HTTPStatus) -> HttpAnswer:
    body = f"{status.phrase}\n".encode()
    if status is HTTPStatus.FORBIDDEN:
        body = b"This proxy answers KMS hosts of AWS alone, over TLS: start the server with TLS.\n"
    return HttpAnswer(status, {"content-type": "text/plain", "content-length": str(len(body))}, body)
