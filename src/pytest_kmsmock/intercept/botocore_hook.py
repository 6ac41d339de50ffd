"""The way in for botocore, boto3, aiobotocore and aioboto3: two events of botocore, registered once.

`before-call.kms` fires when a request has been serialised and not yet signed: answering there skips signing, HTTP
objects and parsing, and is the default. `before-send.kms` has the request as it goes on the wire; it is used when the
wire matters. Both give the caller the same. While no mock is active the handlers let everything pass.
"""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .. import environment, guard, scopes
from ..service.errors import MISSING_TOKEN, KmsError
from . import wire
from .endpoints import kms_endpoint

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse
    from botocore.credentials import Credentials

    from ..handle import KmsMock

_installed = False


def install() -> None:
    """Register the hook: for all future clients, and on all that exist.

    Clients and sessions keep a copy of botocore's handlers from the time they were made, so the event emitters that are
    there already are looked up once, through the garbage collector.
    """
    global _installed
    if _installed:
        return
    _installed = True
    is_early = "botocore.hooks" not in sys.modules
    from botocore import handlers
    from botocore.hooks import HierarchicalEmitter

    handlers.BUILTIN_HANDLERS.extend(_HANDLERS)
    if is_early:
        return
    for candidate in gc.get_objects():
        if issubclass(type(candidate), HierarchicalEmitter):
            for event, handler in _HANDLERS:
                candidate.register_first(event, handler)


def before_call(
    model: Any, params: dict[str, Any], request_signer: Any, context: dict[str, Any], **_: Any
) -> tuple[AWSResponse, dict[str, Any]] | None:
    """Answer a call before it is signed, or leave it to the wire."""
    mock = scopes.current()
    if mock is None:
        guard.check_real_call(model.name)
        return None
    url = params["url"]
    region = answered_region(mock, url, context.get("client_region"))
    if region is None:
        return None
    credentials = request_signer._credentials  # noqa: SLF001 - the signer shows them nowhere else
    if credentials is None and "AWS_ACCESS_KEY_ID" not in os.environ:
        return None  # the test took the credentials away: botocore raises NoCredentialsError, as it would for AWS
    access_key = None if credentials is None else credentials.access_key
    if mock.goes_by_wire(model.name):
        if not mock.knows(access_key):
            context.setdefault("signing", {})["request_credentials"] = _stand_in()
        return None
    return _answer(mock, model.name, params["body"], access_key, region, url, _is_unsigned(context, request_signer))


def _stand_in() -> Credentials:
    """Return credentials that sign in place of ones that are not the mock's own: real ones must not sign anything."""
    from botocore.credentials import Credentials

    return Credentials(environment.DUMMY_ACCESS_KEY_ID, environment.DUMMY_SECRET_ACCESS_KEY)


def _is_unsigned(context: Mapping[str, Any], request_signer: Any) -> bool:
    from botocore import UNSIGNED

    return context.get("auth_type") == "none" or request_signer.signature_version is UNSIGNED


def answered_region(mock: KmsMock, url: str, client_region: str | None) -> str | None:
    """Return the Region that a URL addresses; None if it is not for the mock to answer."""
    endpoint = kms_endpoint(url)
    if endpoint is not None:
        return endpoint.region
    if any(url.startswith(prefix) for prefix in mock.options.endpoint_urls):
        return client_region or mock.region
    return None


def _answer(
    mock: KmsMock, operation: str, body: bytes, access_key: str | None, region: str, url: str, unsigned: bool
) -> tuple[AWSResponse, dict[str, Any]]:  # fmt: skip
    from botocore.awsrequest import AWSResponse

    request_id = mock.new_request_id()
    try:
        if unsigned:
            raise MISSING_TOKEN()
        result = mock.answer(operation, wire.read_body(body), access_key, region, url, request_id)
        status, members = 200, wire.parsed(operation, result)
    except KmsError as error:
        status, members = error.status, wire.parsed_error(error)
    headers = wire.headers(request_id, mock.clock.now())
    members["ResponseMetadata"] = {
        "RequestId": request_id,
        "HTTPStatusCode": status,
        "HTTPHeaders": headers,
        "RetryAttempts": 0,
    }
    return AWSResponse(url, status, headers, None), members


def before_send(request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
    """Answer a call on the wire."""
    mock = scopes.current()
    if mock is None:
        return None
    region = answered_region(mock, request.url, _scope(request.headers).get("region"))
    return None if region is None else wire_response(mock, request, region)


def wire_response(mock: KmsMock, request: AWSPreparedRequest, region: str) -> AWSResponse:
    """Answer a request as it goes on the wire with a response as it comes from the wire."""
    from botocore.awsrequest import AWSResponse

    answer = mock.answer_http(
        request.url,
        {name.lower(): _text(value) for name, value in request.headers.items()},
        request.body,
        region,
    )
    return AWSResponse(request.url, answer.status, answer.headers, _Raw(answer.body))


def _scope(headers: Mapping[str, Any]) -> dict[str, str]:
    """Return access key and Region of a request's SigV4 signature; empty if it has none."""
    return wire.credential_scope(_text(headers.get("Authorization", "")))


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


class _Raw(io.BytesIO):
    """The body of a response, as urllib3 would give it to botocore."""

    def stream(self, **_: Any) -> list[bytes]:
        """Return the whole body as the only chunk."""
        return [self.read()]


_HANDLERS: tuple[tuple[str, Callable[..., Any]], ...] = (
    ("before-call.kms", before_call),
    ("before-send.kms", before_send),
)
