"""Health checks and CORS of the HTTP endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pytest_kmsmock._transport.json_protocol import HttpAnswer

if TYPE_CHECKING:
    from pytest_kmsmock._transport.http_request import HttpRequest

_HEALTH = ("/health", "/ping")
#: The headers of AWS's front end for JSON services, as recorded of DynamoDB by mhart/dynalite.
_ALLOWED_ORIGIN = {"access-control-allow-origin": "*"}
_EXPOSED_HEADERS = {
    "access-control-expose-headers": "x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-id-2,"
    "x-amzn-ErrorMessage,Date"
}
_MAX_AGE = "172800"  # seconds


def answer(request: HttpRequest, *, cors: bool) -> HttpAnswer | None:
    """Answer a health check or a preflight request; None for other requests.

    Args:
        request: the request.
        cors: whether pages of other origins may call KMS.
    """
    if request.method in ("GET", "HEAD") and urlsplit(request.url).path in _HEALTH:
        body = b'{"status": "healthy"}\n'
        return HttpAnswer(200, {"content-type": "application/json", "content-length": str(len(body))}, body)
    if cors and request.method == "OPTIONS" and request.header("access-control-request-method"):
        headers = {
            **_ALLOWED_ORIGIN,
            "access-control-allow-methods": request.header("access-control-request-method"),
            "access-control-max-age": _MAX_AGE,
            "content-length": "0",
        }
        asked = request.header("access-control-request-headers")
        return HttpAnswer(200, headers | ({"access-control-allow-headers": asked} if asked else {}), b"")
    return None


def with_cors_headers(answer: HttpAnswer, request: HttpRequest) -> HttpAnswer:
    """Return an answer that pages of other origins may read, if the request has an origin."""
    if not request.header("origin"):
        return answer
    return answer._replace(headers=answer.headers | _ALLOWED_ORIGIN | _EXPOSED_HEADERS)
