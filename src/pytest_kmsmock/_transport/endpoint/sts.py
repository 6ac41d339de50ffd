"""AWS STS at the HTTP endpoint: the query protocol, with requests as forms and responses as XML.

The operations are in `_testing.identity.sts`, called through the mock.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from pytest_kmsmock._kms.api.errors import KmsError
from pytest_kmsmock._transport import json_protocol, sigv4
from pytest_kmsmock._transport.json_protocol import HttpAnswer

if TYPE_CHECKING:
    from pytest_kmsmock._transport.gate import Gate
    from pytest_kmsmock._transport.http_request import HttpRequest

_FORM = "application/x-www-form-urlencoded"
_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
#: Error codes with status 403.
_FORBIDDEN = frozenset(
    {"AccessDenied", "InvalidSignatureException", "MissingAuthenticationTokenException", "UnrecognizedClientException"}
)
#: The codes of protocol errors in the query protocol.
_CODES = {
    "InvalidSignatureException": "SignatureDoesNotMatch",
    "IncompleteSignatureException": "IncompleteSignature",
    "MissingAuthenticationTokenException": "MissingAuthenticationToken",
    "UnrecognizedClientException": "InvalidClientTokenId",
}


def is_for_sts(request: HttpRequest) -> bool:
    """Say whether a request may be for STS: a form, which KMS does not accept."""
    return request.method == "POST" and request.header("content-type").startswith(_FORM)


def answer(mock: Gate, request: HttpRequest, *, check_signature: bool) -> HttpAnswer:
    """Answer a request for STS.

    Args:
        mock: the mock.
        request: the request.
        check_signature: whether to verify the signature; its format is checked in any case.
    """
    request_id = mock.service.new_request_id()
    form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    action = form.get("Action", "")
    status = 200
    try:
        scope, signature = sigv4.read(request, None, "sts")
        key = scope.access_key
        if check_signature:
            sigv4.check(scope, signature, request, mock.secret_of(key), mock.session_token_of(key))
        result = mock.call_sts(action, form, key, scope.region)
        content = f"<{action}Result>{_xml(result)}</{action}Result>"
        metadata = f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
        text = f'<{action}Response xmlns="{_NAMESPACE}">{content}{metadata}</{action}Response>'
    except KmsError as error:
        status = 403 if error.code in _FORBIDDEN else error.status
        described = {"Type": "Sender", "Code": _CODES.get(error.code, error.code), "Message": error.message}
        text = (
            f'<ErrorResponse xmlns="{_NAMESPACE}"><Error>{_xml(described)}</Error>'
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    body = f"{text}\n".encode()
    headers = json_protocol.headers(request_id, mock.service.clock.timestamp(), len(body))
    return HttpAnswer(status, headers | {"content-type": "text/xml"}, body)


def _xml(members: Mapping[str, object]) -> str:
    return "".join(
        f"<{name}>{_xml(value) if isinstance(value, Mapping) else escape(str(value))}</{name}>"
        for name, value in members.items()
    )
