"""The error that a service returns for an error of KMS, and its serialization in the protocol of the service."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from pytest_kmsmock._kms.api.errors import KmsError

if TYPE_CHECKING:
    from pytest_kmsmock._kms.api.errors import InjectedError

#: What services built on the AWS SDK for Java append to KMS's message. Captured from AWS, 2026-09.
JAVA_SDK = " (Service: AWSKMS; Status Code: {status}; Error Code: {code}; Request ID: {request_id}; Proxy: null)"
#: What services built on version 2 of that SDK append. Recorded from AWS Lambda, 2025-02 and 2026-09.
JAVA_SDK_2 = " (Service: Kms, Status Code: {status}, Request ID: {request_id})"


class ServiceError(Exception):
    """The error that a service returns.

    Args:
        code: the error code; for services that once used the query protocol, the name of the shape.
        message: the message.
        status: the HTTP status.
        request_id: the id of the refused KMS request; empty if KMS was not called.
        query_code: the error code of the query protocol, where a service has both.
        members: further members of the error.
    """

    def __init__(
        self, code: str, message: str, status: int = 400, request_id: str = "", query_code: str = "",
        members: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(code, message)
        self.code, self.message, self.status, self.request_id = code, message, status, request_id
        self.query_code = query_code
        self.members = members or {}
        #: The HTTP response and the parsed one, once they are made for botocore.
        self.response: tuple[Any, dict[str, Any]] | None = None


class Answered(Exception):
    """A successful response although KMS refused, such as that of a batch whose entries failed.

    Args:
        members: the members of the response.
        request_id: the id of the refused KMS request.
    """

    def __init__(self, members: dict[str, Any], request_id: str) -> None:
        super().__init__(members)
        self.members, self.request_id = members, request_id


@dataclass(frozen=True, slots=True)
class ErrorTemplate:
    """The template of a service's error for an error of KMS.

    `{code}` and `{message}` are those of KMS, `{about}` is the first value of the encryption context, `{key}` the key
    as the service passed it, `{state}` the key state in KMS's message, such as `DISABLED`.

    Attributes:
        code: the error code.
        message: the message.
        status: the HTTP status.
        query_code: the error code of the query protocol, where a service has both.
        members: further members of the error.
    """

    code: str
    message: str = "{message}"
    status: int = 400
    query_code: str = ""
    members: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ErrorMapping:
    """The errors of a service for those of KMS.

    Attributes:
        by_code: code of KMS -> the service's error.
        otherwise: the service's error for all other codes.
        suffix: what is appended to KMS's message, with `{code}`, `{status}` and `{request_id}` of KMS.
        bare_key_id: whether `Invalid keyId 'x'` becomes `Invalid keyId x`.
    """

    by_code: Mapping[str, ErrorTemplate] = field(repr=False)
    otherwise: ErrorTemplate
    suffix: str = ""
    bare_key_id: bool = False

    def translate(self, error: KmsError, request_id: str, about: str, key: str) -> ServiceError:
        """Return the service's error for an error of KMS.

        Args:
            error: the error.
            request_id: the id of the KMS request.
            about: the first value of the encryption context, which names the resource.
            key: the key, as the service passed it.
        """
        template = self.by_code.get(error.code, self.otherwise)
        message = error.message
        if self.bare_key_id:
            message = _KEY_ID.sub(r"Invalid keyId \1", message)
        suffix = self.suffix.format(code=error.code, status=error.status, request_id=request_id)
        state = error.message.rpartition(" is ")[2].rstrip(".").replace(" ", "_").upper()
        shown = {"code": error.code, "message": message + suffix, "about": about, "key": key, "state": state}
        return ServiceError(
            template.code.format(**shown),
            template.message.format(**shown),
            template.status,
            request_id,
            template.query_code.format(**shown),
            {name: value.format(**shown) for name, value in template.members.items()},
        )


_KEY_ID = re.compile(r"^Invalid keyId '(.*)'$")


def as_answer(error: InjectedError) -> KmsError:
    """Return the error that a fault is for a service: without a response of KMS, an internal error. Inferred."""
    return error if error.kind == "answer" else KmsError("KMSInternalException", error.message, status=500)


# --- protocols ----------------------------------------------------------------------------------------------------

#: Headers and body of a response.
Written = tuple[dict[str, str], bytes]


def _rest_xml(error: ServiceError) -> Written:
    members = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in error.members.items())
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{escape(error.code)}</Code>'
        f"<Message>{escape(error.message)}</Message>{members}"
        f"<RequestId>{error.request_id}</RequestId><HostId>pytest-kmsmock</HostId></Error>"
    )
    headers = {
        "x-amz-request-id": error.request_id,
        "x-amz-id-2": "pytest-kmsmock",
        "content-type": "application/xml",
    }
    return headers, body.encode()


def _query(error: ServiceError) -> Written:
    sender = "Sender" if error.status < 500 else "Receiver"
    body = (
        f"<ErrorResponse><Error><Type>{sender}</Type><Code>{escape(error.code)}</Code>"
        f"<Message>{escape(error.message)}</Message></Error><RequestId>{error.request_id}</RequestId></ErrorResponse>"
    )
    return {"x-amzn-requestid": error.request_id, "content-type": "text/xml"}, body.encode()


def _ec2(error: ServiceError) -> Written:
    body = (
        f"<Response><Errors><Error><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message></Error>"
        f"</Errors><RequestID>{error.request_id}</RequestID></Response>"
    )
    return {"x-amzn-requestid": error.request_id, "content-type": "text/xml"}, body.encode()


def _json(error: ServiceError) -> Written:
    headers = {"x-amzn-requestid": error.request_id, "content-type": "application/x-amz-json-1.1"}
    if error.query_code:
        headers["x-amzn-query-error"] = f"{error.query_code};Sender"
    return headers, json.dumps({"__type": error.code, "message": error.message, **error.members}).encode()


def _rest_json(error: ServiceError) -> Written:
    headers = {
        "x-amzn-requestid": error.request_id,
        "x-amzn-errortype": error.code,
        "content-type": "application/json",
    }
    return headers, json.dumps({"Message": error.message, **error.members}).encode()


_WRITERS: Mapping[str, Callable[[ServiceError], Written]] = {
    "rest-xml": _rest_xml,
    "query": _query,
    "ec2": _ec2,
    "json": _json,
    "rest-json": _rest_json,
}


def write(error: ServiceError, protocol: str, method: str, new_request_id: Callable[[], str]) -> Written:
    """Serialize an error in a protocol; a response to HEAD has no body, and one without a KMS call an id of its own."""
    error.request_id = error.request_id or new_request_id()
    headers, body = _WRITERS[protocol](error)
    return headers, b"" if method == "HEAD" else body


def parse(error: ServiceError, headers: Mapping[str, str], body: bytes, protocol: str, model: Any) -> dict[str, Any]:
    """Return a serialized error as botocore parses it.

    Args:
        error: the error.
        headers: the headers, by lower-case name.
        body: the body.
        protocol: the protocol of the service.
        model: the operation's model.
    """
    from botocore.parsers import create_parser

    parser = create_parser(protocol)
    response = {
        "headers": headers,
        "status_code": error.status,
        "body": body,
        "context": {"operation_name": model.name},
    }
    parsed: dict[str, Any] = parser.parse(response, model.output_shape)
    shape = model.service_model.shape_for_error_code(parsed.get("Error", {}).get("Code"))
    if shape is not None:
        parsed.update(parser.parse(response, shape))
    parsed["ResponseMetadata"]["RetryAttempts"] = 0
    return parsed
