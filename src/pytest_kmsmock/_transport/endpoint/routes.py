"""What the HTTP endpoint answers besides KMS calls: health checks, and what browsers ask before they call."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pytest_kmsmock._transport.json_protocol import HttpAnswer

if TYPE_CHECKING:
    from pytest_kmsmock._transport.http_request import HttpRequest

_HEALTH = ("/health", "/ping")
#: As AWS's front end of JSON services sends them: recorded of DynamoDB by mhart/dynalite.
_ORIGIN = {"access-control-allow-origin": "*"}
_EXPOSED = {
    "access-control-expose-headers": "x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-id-2,"
    "x-amzn-ErrorMessage,Date"
}
_SECONDS = "172800"


def answer(request: HttpRequest, *, cors: bool) -> HttpAnswer | None:
    """Answer a request that is no KMS call; None if it may be one.

    Args:
        request: the request.
        cors: whether pages of other origins may call.
    """
    if request.method in ("GET", "HEAD") and urlsplit(request.url).path in _HEALTH:
        body = b'{"status": "healthy"}\n'
        return HttpAnswer(200, {"content-type": "application/json", "content-length": str(len(body))}, body)
    if cors and request.method == "OPTIONS" and request.header("access-control-request-method"):
        headers = {
            **_ORIGIN,
            "access-control-allow-methods": request.header("access-control-request-method"),
            "access-control-max-age": _SECONDS,
            "content-length": "0",
        }
        asked = request.header("access-control-request-headers")
        return HttpAnswer(200, headers | ({"access-control-allow-headers": asked} if asked else {}), b"")
    return None


def readable(given: HttpAnswer, request: HttpRequest) -> HttpAnswer:
    """Return an answer that pages of other origins may read, if one asks."""
    return given._replace(headers=given.headers | _ORIGIN | _EXPOSED) if request.header("origin") else given
