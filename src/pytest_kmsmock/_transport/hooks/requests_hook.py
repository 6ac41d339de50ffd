"""The way in for `requests`: a KMS request by raw HTTP, signed by any signer, is a call like any other.

`Session.send` is the one place that every request of the library passes, above the adapters. Answering there leaves
alone what tests put into the adapters (`responses`, moto) or around them (`requests_mock`), whoever came first: their
answers to other hosts stay theirs, and KMS is answered here. A `requests_mock` that begins inside a mock wraps
`Session.send` once more, and goes on from there to the one that it has seen when it was imported: there KMS is
answered too.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from datetime import timedelta
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pytest_kmsmock._kms.api.errors import InjectedError
from pytest_kmsmock._transport import failures, gate
from pytest_kmsmock._transport.http import answer, answering_mock
from pytest_kmsmock._transport.http_request import HttpRequest

if TYPE_CHECKING:
    from requests import PreparedRequest, Response, Session
    from requests.adapters import HTTPAdapter

    from pytest_kmsmock._transport.json_protocol import HttpAnswer


#: Sends what is not for KMS: session, request, what to send it with, further arguments. None sends it as it is.
beyond: Callable[..., Response] | None = None


def install(sessions: ModuleType, _early: bool) -> None:
    """Lay the way into `requests.sessions`, unless it is the outermost already."""
    sessions.Session.send = _hooked(sessions.Session.send)


def install_beside(mocker: ModuleType) -> None:
    """Lay the way into `requests_mock.mocker`, below its stand-ins."""
    names = vars(mocker)
    if "_original_send" in names:  # it is not for others: another release may not have it
        names["_original_send"] = _hooked(names["_original_send"], only_inside=True)


def _hooked(send: Callable[..., Response], *, only_inside: bool = False) -> Callable[..., Response]:
    """Return what answers KMS requests and hands on all others.

    Args:
        send: what others are handed to; returned as it is if it answers already.
        only_inside: whether requests outside of a mock are to be handed on even if the guard forbids real ones: then
            something that is no network comes next.
    """
    if getattr(send, "is_kms_hook", False):
        return send

    def send_or_answer(session: Session, request: PreparedRequest, **kwargs: Any) -> Response:
        if only_inside and gate.current() is None:
            return send(session, request, **kwargs)
        kms_request = _read(request)
        mock = answering_mock(kms_request)
        if mock is None:
            return send(session, request, **kwargs) if beyond is None else beyond(session, request, send, **kwargs)
        body: object = request.body
        if not isinstance(body, _WHOLE):
            kms_request.body = _drained(body)  # nobody else will send it
        outcome: Response | Exception
        try:
            outcome = response_of(request, answer(mock, kms_request))
        except InjectedError as error:
            outcome = failures.requests_error(error, request)
        response = failures.deliver(outcome, mock.take_delay(), asynchronous=False)
        return dispatched(request, response, kwargs)

    vars(send_or_answer)["is_kms_hook"] = True
    return send_or_answer


def _read(request: PreparedRequest) -> HttpRequest:
    body: object = request.body
    if not isinstance(body, _WHOLE):
        body = b""  # a stream: read only once it is clear that the request is for a mock
    return HttpRequest(request.method or "", request.url or "", request.headers, body)


#: Bodies that are there as a whole; what else `requests` takes is read, or yields parts.
_WHOLE = (str, bytes, type(None))


def _drained(body: Any) -> bytes:
    whole = body.read() if hasattr(body, "read") else b"".join(body)
    return whole.encode() if isinstance(whole, str) else whole


def dispatched(request: PreparedRequest, response: Any, arguments: Mapping[str, Any]) -> Response:
    """Hand a response to the hooks of its request, as `requests` does with those that come over the network."""
    from requests.hooks import dispatch_hook

    answered: Response = dispatch_hook(  # type: ignore[no-untyped-call]  # its stubs leave out the types
        "response", request.hooks, response, **arguments
    )
    return answered


def response_of(request: PreparedRequest, answer: HttpAnswer) -> Response:
    """Return an answer as `requests` gives those that come over the network."""
    from responses import Response as CannedResponse

    headers = {name: value for name, value in answer.headers.items() if name != "content-type"}
    canned = CannedResponse(
        request.method or "",
        request.url or "",
        body=b"" if request.method == "HEAD" else answer.body,  # to HEAD no server sends one
        status=answer.status,
        headers=headers,
        content_type=answer.headers["content-type"],
    )
    response = _adapter().build_response(request, canned.get_response(request))
    response.elapsed = timedelta()
    response.content  # noqa: B018 - read now: nothing is left open, as after `stream=False`
    return response


@functools.cache
def _adapter() -> HTTPAdapter:
    """Return an adapter, which knows how to build responses."""
    from requests.adapters import HTTPAdapter

    return HTTPAdapter()
