"""The hook for `requests`: answers KMS requests by raw HTTP, signed by any signer.

Every request of the library goes through `Session.send`, above the adapters. Answering there does not affect mocks in
the adapters (`responses`, moto) or around them (`requests_mock`), in any order: they answer other hosts, and KMS is
answered here. A `requests_mock` that begins inside a mock wraps `Session.send` once more, and calls the method that it
saw when it was imported: KMS is answered there too.
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


#: Sends requests that are not for KMS: session, request, the original `send`, further arguments. None is that `send`.
passthrough: Callable[..., Response] | None = None


def install(sessions: ModuleType, _early: bool) -> None:
    """Hook `requests.sessions`, unless the hook is outermost already."""
    sessions.Session.send = _hooked(sessions.Session.send)


def install_beside(mocker: ModuleType) -> None:
    """Hook `requests_mock.mocker`, below its own mocks."""
    names = vars(mocker)
    if "_original_send" in names:  # it is private: other releases may not have it
        names["_original_send"] = _hooked(names["_original_send"], only_inside=True)


def _hooked(send: Callable[..., Response], *, only_inside: bool = False) -> Callable[..., Response]:
    """Wrap a method that sends requests, so that the mock answers those for KMS.

    Args:
        send: the method; returned as it is if it is wrapped already.
        only_inside: whether to call it without a check of real calls while no mock is active, because it does not use
            the network.
    """
    if getattr(send, "is_kms_hook", False):
        return send

    def send_or_answer(session: Session, request: PreparedRequest, **kwargs: Any) -> Response:
        if only_inside and gate.current() is None:
            return send(session, request, **kwargs)
        kms_request = _read(request)
        mock = answering_mock(kms_request)
        if mock is None:
            return (
                send(session, request, **kwargs)
                if passthrough is None
                else passthrough(session, request, send, **kwargs)
            )
        body: object = request.body
        if not isinstance(body, _WHOLE):
            kms_request.body = _drained(body)
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
        body = b""  # a stream: read only if the request is for a mock
    return HttpRequest(request.method or "", request.url or "", request.headers, body)


#: Types of bodies that are in memory; other bodies of `requests` are streams or iterables.
_WHOLE = (str, bytes, type(None))


def _drained(body: Any) -> bytes:
    whole = body.read() if hasattr(body, "read") else b"".join(body)
    return whole.encode() if isinstance(whole, str) else whole


def dispatched(request: PreparedRequest, response: Any, arguments: Mapping[str, Any]) -> Response:
    """Call the response hooks of a request, as `requests` does."""
    from requests.hooks import dispatch_hook

    answered: Response = dispatch_hook(  # type: ignore[no-untyped-call]  # its stubs leave out the types
        "response", request.hooks, response, **arguments
    )
    return answered


def response_of(request: PreparedRequest, answer: HttpAnswer) -> Response:
    """Return an answer as a response of `requests`."""
    from responses import Response as CannedResponse

    headers = {name: value for name, value in answer.headers.items() if name != "content-type"}
    canned = CannedResponse(
        request.method or "",
        request.url or "",
        body=b"" if request.method == "HEAD" else answer.body,  # a response to HEAD has no body
        status=answer.status,
        headers=headers,
        content_type=answer.headers["content-type"],
    )
    raw = canned.get_response(request)
    if request.method == "HEAD":
        raw.length_remaining = 0  # `responses` 0.25.0 does not tell urllib3 the method, which then waits for a body
    response = _adapter().build_response(request, raw)
    response.elapsed = timedelta()
    response.content  # noqa: B018 - read now, as with `stream=False`
    return response


@functools.cache
def _adapter() -> HTTPAdapter:
    """Return an adapter, which builds responses."""
    from requests.adapters import HTTPAdapter

    return HTTPAdapter()
