"""Requests to S3 that `requests` sends: presigned URLs, forms, and whatever else is signed by hand.

The signer is the caller. URL, headers and form fields are translated to an operation of S3's API and its parameters, so
that the table of S3 applies as to a call of botocore.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from email.parser import BytesParser
from email.policy import HTTP
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from pytest_kmsmock._record import Record
from pytest_kmsmock._transport.endpoints import is_aws_host
from pytest_kmsmock._transport.hooks.requests_hook import dispatched, response_of
from pytest_kmsmock._transport.json_protocol import HttpAnswer

from . import catalog, engine, error_mapping
from .api import Api
from .botocore_events import is_beside
from .error_mapping import ServiceError
from .request import Request

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

    from pytest_kmsmock._transport.gate import Gate

#: Header -> parameter and member of responses.
_MEMBERS: Mapping[str, str] = {
    "x-amz-server-side-encryption": "ServerSideEncryption",
    "x-amz-server-side-encryption-aws-kms-key-id": "SSEKMSKeyId",
    "x-amz-server-side-encryption-context": "SSEKMSEncryptionContext",
    "x-amz-server-side-encryption-bucket-key-enabled": "BucketKeyEnabled",
    "x-amz-copy-source": "CopySource",
    "x-amz-checksum-mode": "ChecksumMode",
    "x-amz-version-id": "VersionId",
}
_BUCKET_KEY = "BucketKeyEnabled"
#: What the names of headers of encryption begin with.
_ENCRYPTION = "x-amz-server-side-encryption"
#: Query parameter -> parameter.
_QUERY: Mapping[str, str] = {"uploadId": "UploadId", "versionId": "VersionId"}
#: Query parameters of operations that do not touch the data of an object.
_OTHERS = frozenset({"acl", "legal-hold", "restore", "retention", "tagging", "torrent"})
#: Method, and what else identifies the request -> the operation.
_OPERATIONS: Mapping[tuple[str, str], str] = {
    ("PUT", ""): "PutObject",
    ("PUT", "copy"): "CopyObject",
    ("PUT", "upload"): "UploadPart",
    ("PUT", "upload copy"): "UploadPartCopy",
    ("POST", "uploads"): "CreateMultipartUpload",
    ("POST", "upload"): "CompleteMultipartUpload",
    ("POST", "select"): "SelectObjectContent",
    ("POST", "form"): "PutObject",
    ("GET", ""): "GetObject",
    ("GET", "upload"): "ListParts",
    ("GET", "attributes"): "GetObjectAttributes",
    ("HEAD", ""): "HeadObject",
}
_HOST = re.compile(
    r"(?:(?P<bucket>.+)\.)?s3(?:[.-](?:accelerate|dualstack|fips))*(?:[.-](?P<region>[a-z]{2,4}(?:-[a-z]+)+-\d+))?\."
)
_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d{8}/([^/]+)/s3/aws4_request")


class _Signer(Record):
    """The signer of a request."""

    access_key: str | None
    region: str | None
    is_v4: bool


def send(
    mock: Gate, request: PreparedRequest, send_on: Callable[..., Response], arguments: Mapping[str, Any]
) -> Response | None:
    """Send a request to S3 with the KMS calls before and after it.

    Args:
        mock: the active mock.
        request: the request.
        send_on: sends it, with further arguments.
        arguments: these arguments.

    Returns:
        The response, or S3's error if KMS refuses; None, unsent, if S3 makes no KMS calls for it.
    """
    found = _read(mock, request)
    if found is None:
        return None
    hooks, request.hooks = request.hooks, {"response": []}  # they get the final response
    try:
        _check_headers(found)
        engine.before(found)
        answer = send_on(request, **arguments)
        if answer.status_code < 300 or answer.status_code == 303:  # 303: a form with success_action_redirect
            found.answer = _members(answer.headers)
            engine.after(found)
            _write(answer, found.answer)
    except ServiceError as error:
        headers, body = error_mapping.write(error, "rest-xml", request.method or "", mock.service.new_request_id)
        answer = response_of(request, HttpAnswer(error.status, headers, body))
    finally:
        request.hooks = hooks
    if found.delay:
        time.sleep(found.delay)
    return dispatched(request, answer, arguments)


def _read(mock: Gate, request: PreparedRequest) -> Request | None:
    """Translate a request; None if S3 makes no KMS calls for it."""
    url = request.url or ""
    parts = urlsplit(url)
    host = _HOST.match(parts.netloc)
    if host is None or not is_aws_host(parts.netloc) or not is_beside(mock, url):
        return None
    bucket, key = host["bucket"], unquote(parts.path).lstrip("/")
    if bucket is None:
        bucket, _, key = key.partition("/")
    query = parse_qs(parts.query, keep_blank_values=True)
    form = {} if key else _form(request)
    key = form.get("key", key)
    # RESTObjectPOST: parameters "passed to PUT through HTTP headers are instead passed as form fields to POST"
    params = _members(form or request.headers)
    params |= {name: query[key][0] for key, name in _QUERY.items() if key in query}
    what = " ".join(
        name
        for name, there in (
            ("uploads", "uploads" in query), ("select", "select" in query), ("attributes", "attributes" in query),
            ("upload", "UploadId" in params), ("copy", "CopySource" in params), ("form", form),
        )
        if there
    )  # fmt: skip
    operation = _OPERATIONS.get((request.method or "", what))
    service = catalog.service("s3")
    if not key or operation is None or operation not in service.rules or _OTHERS & query.keys():
        return None
    signer = _signer(request.headers, form or {name.lower(): values[0] for name, values in query.items()})
    region = signer.region or host["region"] or mock.region
    found = Request(
        mock, "s3", service.name, operation, params | {"Bucket": bucket, "Key": key}, region, signer.access_key,
        {"headers": {} if form else request.headers}, Api("s3", region, f"{parts.scheme}://{parts.netloc}", None),
        signed=signer.is_v4,
    )  # fmt: skip
    found.notes["form"] = bool(form)
    if "X-Amz-SignedHeaders" in query:
        found.notes["signed headers"] = query["X-Amz-SignedHeaders"][0].split(";")
    return found


def _check_headers(request: Request) -> None:
    """Require that a request with a presigned URL has the headers of encryption that were signed, and no others.

    Amazon S3 User Guide, "Authenticating Requests: Using Query Parameters"; codes and messages: public issues.

    Raises:
        ServiceError: such a header is missing, or was not signed.
    """
    if "signed headers" not in request.notes:
        return
    signed, sent = (
        {name.lower() for name in names if name.lower().startswith(_ENCRYPTION)}
        for names in (request.notes["signed headers"], request.headers)
    )
    if not signed <= sent:
        raise ServiceError(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your key and signing "
            "method.",
            403,
        )
    if not sent <= signed:
        raise ServiceError(
            "AccessDenied", "There were headers present in the request which were not signed", 403,
            members={"HeadersNotSigned": ", ".join(sorted(sent - signed))},
        )  # fmt: skip


def _form(request: PreparedRequest) -> dict[str, str]:
    """Return the fields of a form by lower-case name; empty if the body is no form, or a stream."""
    kind, body = str(request.headers.get("Content-Type", "")), request.body
    if not kind.startswith("multipart/form-data") or not isinstance(body, bytes):
        return {}
    fields, file = {}, ""
    for part in BytesParser(policy=HTTP).parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + body).iter_parts():
        name, filename = str(part.get_param("name", header="content-disposition")).lower(), part.get_filename()
        if filename is None:
            payload = part.get_payload(decode=True)
            fields[name] = payload.decode(errors="replace") if isinstance(payload, bytes) else ""  # may be the file
        else:
            file = filename
    return {name: value.replace("${filename}", file) if name == "key" else value for name, value in fields.items()}


def _signer(headers: Mapping[str, Any], given: Mapping[str, str]) -> _Signer:
    """Return the signer of a request, from its header, query or form."""
    scope = _CREDENTIAL.search(str(headers.get("Authorization", "")))
    if scope is not None:
        return _Signer(scope[1], scope[2], is_v4=True)
    if "x-amz-credential" in given:
        access_key, _, region = (*given["x-amz-credential"].split("/"), "", "")[:3]  # S3 refuses a malformed one
        return _Signer(access_key, region, is_v4=True)
    return _Signer(given.get("awsaccesskeyid"), None, is_v4=False)


def _members(headers: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: headers[header] for header, name in _MEMBERS.items() if header in headers}
    texts = {name: value.decode() if isinstance(value, bytes) else str(value) for name, value in found.items()}
    return texts if _BUCKET_KEY not in texts else {**texts, _BUCKET_KEY: texts[_BUCKET_KEY].lower() == "true"}


def _write(answer: Response, members: Mapping[str, Any]) -> None:
    """Write members to the headers of a response."""
    for header, name in _MEMBERS.items():
        if name in members:
            answer.headers[header] = "true" if members[name] is True else str(members[name])
        else:
            answer.headers.pop(header, None)
