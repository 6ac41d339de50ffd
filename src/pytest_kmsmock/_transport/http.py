"""KMS calls as HTTP requests of all transports, and AWS's protocol errors.

`answering_mock` decides whether a request is for a mock. Signatures are parsed in `sigv4`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.api.errors import KmsError
from pytest_kmsmock._kms.api.service_model import operation_names
from pytest_kmsmock._runtime import network_guard

from . import failures, gate, json_protocol, sigv4
from .endpoints import has_prefix, kms_endpoint

if TYPE_CHECKING:
    from .endpoints import Endpoint
    from .gate import Gate
    from .http_request import HttpRequest

_CONTENT_TYPE = r"application/x-amz-json-1\.[01]\s*(;.*)?"


def is_answered(mock: Gate, url: str) -> bool:
    """Say whether a mock answers KMS calls to a URL: KMS endpoints of AWS, and those of the option `endpoint_urls`."""
    return kms_endpoint(url) is not None or has_prefix(url, mock.options.endpoint_urls)


def answering_mock(request: HttpRequest) -> Gate | None:
    """Return the mock that a raw request is for; None if it is for none.

    Raises:
        RealKmsCall: for a request to AWS outside of a mock, if the guard is on.
    """
    mock = gate.current()
    if mock is not None:
        # An endpoint of the option `endpoint_urls` may have other services too, as LocalStack's.
        is_ours = is_answered(mock, request.url) and (kms_endpoint(request.url) is not None or request.names_kms)
        return mock if is_ours else None
    if network_guard.blocking and kms_endpoint(request.url) is not None:
        network_guard.check_real_call(request.operation or request.method)
    return None


def answer(mock: Gate, request: HttpRequest, *, check_signature: bool = False) -> json_protocol.HttpAnswer:
    """Answer a request.

    Args:
        mock: the mock.
        request: the request.
        check_signature: whether to verify the signature; its format is checked in any case.

    Raises:
        InjectedError: when a fault makes the connection fail, or the Region does not exist: the transport raises what
            its library would (`failures`).
    """
    endpoint = kms_endpoint(request.url)
    if endpoint is not None and endpoint.unknown and endpoint.region != mock.options.region:
        raise failures.unknown_region(endpoint)
    request_id = mock.service.new_request_id()
    now = mock.service.clock.timestamp()
    content_type = request.header("content-type")
    if request.method != "POST" or not (
        content_type == json_protocol.CONTENT_TYPE or re.fullmatch(_CONTENT_TYPE, content_type, re.IGNORECASE)
    ):
        # Not the protocol of KMS: AWS's front end answers with this element only.
        body = b"<UnknownOperationException/>\n"
        headers = json_protocol.headers(request_id, now, len(body)) | {"content-type": "text/xml"}
        return json_protocol.HttpAnswer(404, headers, body)
    try:
        status, body = 200, json_protocol.body(_carry_out(mock, request, endpoint, check_signature, request_id))
    except KmsError as error:
        if error.kind == "connection":
            raise
        status, body = error.status, json_protocol.error_body(error)
    return json_protocol.HttpAnswer(status, json_protocol.headers(request_id, now, len(body)), body)


def _carry_out(
    mock: Gate, request: HttpRequest, endpoint: Endpoint | None, check_signature: bool, request_id: str
) -> dict[str, object]:  # fmt: skip
    """Make the call of a request: AWS checks the operation first, then the signature, then the body.

    Raises:
        KmsError: what AWS would answer.
    """
    target = request.header("x-amz-target")
    operation = target.removeprefix(json_protocol.TARGET_PREFIX)
    if operation == target or operation not in operation_names():
        raise errors.UNKNOWN_OPERATION()
    scope, signature = sigv4.read(request, endpoint.region if endpoint else None)
    access_key = scope.access_key
    if check_signature:
        sigv4.check(scope, signature, request, mock.secret_of(access_key), mock.session_token_of(access_key))
    return mock.answer(
        operation,
        json_protocol.read_body(request.body),
        access_key,
        scope.region,
        endpoint,
        request_id,
    )
