"""The JSON 1.1 protocol of KMS: parsing requests, writing answers and errors, and answers as botocore parses them.

On the wire, blobs are base64 and times are seconds since the epoch. `parsed` returns what botocore parses from `body`,
without writing it; a test compares the two for every operation.
"""

from __future__ import annotations

import functools
import json
import re
import time
from binascii import b2a_base64
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any

from dateutil.tz import tzlocal

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.api.service_model import service_description
from pytest_kmsmock._record import Record

CONTENT_TYPE = "application/x-amz-json-1.1"
TARGET_PREFIX = "TrentService."


def read_body(body: bytes) -> dict[str, Any]:
    """Return the parameters of a request.

    Raises:
        KmsError: `SerializationException` when the body is not a JSON object.
    """
    try:
        text = (body or b"{}").decode()
        if text[0] != "{" or text[-1] != "}":
            text = text.strip(_WHITE_SPACE)
        members, end = _decoder.raw_decode(text)
        if _HALF_CHARACTER.search(body):
            json.dumps(members, ensure_ascii=False).encode()  # refuses half of a surrogate pair
    except (ValueError, RecursionError):
        raise errors.SERIALIZATION(reason="") from None
    if type(members) is not dict or end != len(text):
        raise errors.SERIALIZATION(reason="")
    return members


_WHITE_SPACE = " \t\n\r"  # RFC 8259, 2
_HALF_CHARACTER = re.compile(rb"\\u[dD][89a-fA-F]")


def _no_json(constant: str) -> None:
    raise ValueError(f"{constant} is JavaScript, not JSON")


_decoder = json.JSONDecoder(parse_constant=_no_json)


def headers(request_id: str, now: float, length: int) -> dict[str, str]:
    """Return the headers of an answer with a body of `length` bytes; `now` is in seconds since the epoch."""
    return {
        "x-amzn-requestid": request_id,
        "cache-control": "no-cache, no-store, must-revalidate, private",
        "expires": "0",
        "pragma": "no-cache",
        "date": _http_date(int(now)),
        "content-type": CONTENT_TYPE,
        "content-length": str(length),
    }


@functools.lru_cache(maxsize=8)
def _http_date(seconds: int) -> str:
    return format_datetime(datetime.fromtimestamp(seconds, timezone.utc), usegmt=True)


def body(result: Mapping[str, object]) -> bytes:
    """Return the body of an answer; operations without output have an empty one."""
    return _encoder.encode(result).encode() if result else b""


def length(result: Mapping[str, Any]) -> int:
    """Return the length of `body` in bytes, without writing the strings and blobs, which are most of it."""
    if not result:
        return 0
    total = 1  # the braces, less the comma that the first member does not have
    for name, value in result.items():
        kind = type(value)
        if kind is str:
            total += len(name) + 4 + len(_quoted(value))
        elif kind is bytes:
            total += len(name) + 6 + (len(value) + 2) // 3 * 4
        else:
            total += len(name) + 4 + len(_encoder.encode(value))
    return total


def error_body(error: errors.KmsError) -> bytes:
    """Return the body of an error; empty for an HTTP status by a fault."""
    if error.kind == "http":
        return b""
    members = {"__type": error.code}
    if error.message:
        members[_MESSAGE.get(error.code, "message")] = error.message
    return _encoder.encode(members).encode()


#: Code -> the member with the message, if it is not `message`: aws/aws-nitro-enclaves-sdk-c#127, #157.
_MESSAGE = {"AccessDeniedException": "Message"}


def _write(value: object) -> object:
    if isinstance(value, bytes):
        return b2a_base64(value, newline=False).decode()
    assert isinstance(value, datetime), value
    return value.timestamp()


#: Without spaces, as AWS writes it.
_encoder = json.JSONEncoder(default=_write, separators=(",", ":"), check_circular=False)
_quoted = json.encoder.encode_basestring_ascii


def parsed(operation: str, result: Mapping[str, object]) -> dict[str, Any]:
    """Return an answer as botocore parses it: members in the order of the model, times in the local time zone."""
    parse = _parser(operation)
    return {} if parse is None else parse(result)


def _local(moment: datetime) -> datetime:
    """Return a time as botocore parses it: in the local time zone, which a test may change."""
    return _in_zone(moment, time.tzname, time.timezone, time.altzone)


@functools.lru_cache(maxsize=4096, typed=True)  # typed, since freezegun has a datetime of its own
def _in_zone(moment: datetime, *zone: object) -> datetime:
    local = _zone(*zone)
    offset = local.utcoffset(None)
    # For zones without daylight saving time, as on most test machines, dateutil's slow conversion is not needed.
    return moment.astimezone(local) if offset is None else (moment + offset).replace(tzinfo=local)


@functools.lru_cache(maxsize=16)
def _zone(*_zone: object) -> tzlocal:
    return tzlocal()


def parsed_error(error: errors.KmsError) -> dict[str, Any]:
    """Return an error as botocore parses it; the metadata, which come before the modelled members, are empty here."""
    members: dict[str, Any] = {"Error": {"Message": error.message, "Code": error.code}, "ResponseMetadata": {}}
    if error.message and error.code in _modelled_errors():
        members["message"] = error.message
    return members


@functools.cache
def _modelled_errors() -> frozenset[str]:
    shapes = service_description()["shapes"]
    return frozenset(name for name, shape in shapes.items() if shape.get("exception"))


_Parser = Callable[[Any], Any]


@functools.cache
def _parser(operation: str) -> _Parser | None:
    """Compile a function that converts an answer as botocore parses it; None if the operation has no output."""
    description = service_description()
    output = description["operations"][operation].get("output")
    return None if output is None else _structure_parser(description["shapes"], output["shape"])


def _parser_of(shapes: Mapping[str, Any], name: str) -> _Parser | None:
    """Compile a function that converts values of a shape; None if they need no conversion."""
    shape = shapes[name]
    if shape["type"] == "timestamp":
        return _local
    if shape["type"] == "structure":
        return _structure_parser(shapes, name)
    if shape["type"] == "list":
        item = shape["member"]["shape"]
        # Pages are long: items without times need no conversion, since their members are in order.
        parse = _parser_of(shapes, item) if _has_times(shapes, item) else None
        return None if parse is None else lambda value: [parse(item) for item in value]
    return None


def _has_times(shapes: Mapping[str, Any], name: str) -> bool:
    shape = shapes[name]
    parts = [shape["member"]] if shape["type"] == "list" else shape.get("members", {}).values()
    return shape["type"] == "timestamp" or any(_has_times(shapes, part["shape"]) for part in parts)


def _structure_parser(shapes: Mapping[str, Any], name: str) -> _Parser:
    members = [(member, _parser_of(shapes, part["shape"])) for member, part in shapes[name]["members"].items()]

    def parse_structure(value: Mapping[str, Any]) -> dict[str, Any]:
        result = {}
        for member, parse in members:  # the model's order is botocore's
            item = value.get(member)
            if item is not None:
                result[member] = item if parse is None else parse(item)
        return result

    return parse_structure


class HttpAnswer(Record):
    """An HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def reason(self) -> str:
        """The reason phrase of the status, such as `Bad Request`."""
        return HTTPStatus(self.status).phrase
