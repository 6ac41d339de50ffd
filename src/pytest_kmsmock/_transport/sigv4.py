"""AWS Signature Version 4, server side: parsing signatures, and verifying them on request.

A signature is in the header `Authorization` or in the query string. KMS has no SigV4A: its service model names only
`aws.auth#sigv4`.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html, for the query
https://docs.aws.amazon.com/kms/latest/APIReference/CommonParameters.html and, for the messages,
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html and those recorded of
DynamoDB and Kinesis (mhart/dynalite, mhart/kinesalite), services of the same protocol.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlsplit

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._record import Record
from pytest_kmsmock._runtime.checks import REGION
from pytest_kmsmock._runtime.machine_time import machine_time

if TYPE_CHECKING:
    from .http_request import HttpRequest

ALGORITHM = "AWS4-HMAC-SHA256"
#: The largest difference between the time of a request and that of the service.
SKEW = timedelta(minutes=5)
_TIME = "%Y%m%dT%H%M%SZ"
_PARAMETERS = ("Credential", "Signature", "SignedHeaders")
_ALGORITHM_IN_QUERY = "X-Amz-Algorithm"
_QUERY_PARAMETERS = (_ALGORITHM_IN_QUERY, "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date")


class Scope(Record):
    """The `Authorization` header of a request, or its parameters in the query, without the signature itself."""

    access_key: str
    date: str
    region: str
    signed_headers: tuple[str, ...]
    time: datetime
    in_query: bool = False
    token: str | None = None  # the session token, if it is in the query
    service: str = "kms"


def read(request: HttpRequest, region: str | None, service: str = "kms") -> tuple[Scope, str]:
    """Parse the signature of a request; return its scope and the signature itself.

    Args:
        request: the request.
        region: the Region whose endpoint was called; None if the URL does not name it.
        service: the service that it has to be signed for.

    Raises:
        KmsError: when there is none, or it is malformed, or its scope is another one.
    """
    header = request.header("authorization")
    if _ALGORITHM_IN_QUERY in request.url:  # rare
        query = dict(_query(request))
        if _ALGORITHM_IN_QUERY in query:
            if header:
                raise errors.BAD_REQUEST_SIGNATURE(
                    reason=f"Found both '{_ALGORITHM_IN_QUERY}' as a query-string param and 'Authorization' as HTTP "
                    "header."
                )
            return _read_query(query, region, service)
    if not header:
        raise errors.MISSING_TOKEN()
    date_of_request = request.header("x-amz-date") or request.header("date")
    before_value, _, value = header.rpartition("Signature=")
    scope = _parse_common_form(before_value, date_of_request, region, service) if value.isalnum() else None
    if scope is None:
        algorithm, parameters = _parameters(header)
        problems = [
            f"Authorization header requires '{name}' parameter." for name in _PARAMETERS if name not in parameters
        ]
        if not date_of_request:
            problems.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
        if problems:
            raise errors.INCOMPLETE_SIGNATURE(reason=f"{' '.join(problems)} Authorization={header}")
        value = parameters["Signature"]
        scope = _scope_of(
            algorithm, parameters["Credential"], parameters["SignedHeaders"], date_of_request, region, service
        )
    return scope, value


#: The header as most signers write it, up to the signature: algorithm, then the parameters in this order.
_COMMON_FORM = r"(\S+) Credential=([^,\s=]+), ?SignedHeaders=([^,\s=]+), ?"


@functools.lru_cache(maxsize=64)  # many requests are signed by the same signer in the same second
def _parse_common_form(before_value: str, date_of_request: str, region: str | None, service: str) -> Scope | None:
    """Parse a header in its most common form; None if it has another."""
    common = re.fullmatch(_COMMON_FORM, before_value)
    if common is None or not date_of_request:
        return None
    algorithm, credential, signed_headers = common.groups()
    return _scope_of(algorithm, credential, signed_headers, date_of_request, region, service)


def _read_query(query: Mapping[str, str], region: str | None, service: str) -> tuple[Scope, str]:
    """Parse a signature in the query. It has no `X-Amz-Expires`, which is of S3."""
    problems = [
        f"AWS query-string parameters must include '{name}'." for name in _QUERY_PARAMETERS if not query.get(name)
    ]
    if problems:
        raise errors.INCOMPLETE_SIGNATURE(reason=f"{' '.join(problems)} Re-examine the query-string parameters.")
    algorithm, credential, value, signed, date_of_request = (query[name] for name in _QUERY_PARAMETERS)
    scope = _scope_of(algorithm, credential, signed, date_of_request, region, service)
    return scope._replace(in_query=True, token=query.get("X-Amz-Security-Token")), value


def _scope_of(
    algorithm: str, credential: str, signed: str, date_of_request: str, region: str | None, expected: str
) -> Scope:  # fmt: skip
    """Parse the scope of a signature; raise the error that AWS raises first."""
    moment = _time_of(date_of_request)
    signed_headers = tuple(signed.split(";"))
    if "host" not in signed.lower().split(";"):
        raise errors.BAD_REQUEST_SIGNATURE(
            reason="'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
        )
    if algorithm != ALGORITHM:
        raise errors.INCOMPLETE_SIGNATURE(reason=f"Unsupported AWS 'algorithm': '{algorithm}'.")
    parts = credential.rstrip("/").split("/")
    if len(parts) != 5:
        raise errors.INCOMPLETE_SIGNATURE(
            reason="Credential must have exactly 5 slash-delimited elements, "
            f"e.g. keyid/date/region/service/term, got '{credential}'"
        )
    access_key, date, scoped_region, service, terminator = parts
    problems = []
    if scoped_region != region if region else not re.fullmatch(REGION, scoped_region):
        problems.append(_WRONG_REGION.format(region=scoped_region))
    if service != expected:
        problems.append(f"Credential should be scoped to correct service: '{expected}'.")
    if terminator != "aws4_request":
        problems.append(f"Credential should be scoped with a valid terminator: 'aws4_request', not '{terminator}'.")
    if date != moment.strftime("%Y%m%d"):
        problems.append(
            f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{date}' != '{moment:%Y%m%d}', from '{moment.strftime(_TIME)}'."
        )
    if problems:
        raise errors.BAD_REQUEST_SIGNATURE(reason=" ".join(problems))
    return Scope(access_key, date, scoped_region, signed_headers, moment, service=service)


_WRONG_REGION = "Credential should be scoped to a valid region, not '{region}'."


def wrong_region(region: str) -> errors.KmsError:
    """Return the error of a signature for another Region than that of the endpoint."""
    return errors.BAD_REQUEST_SIGNATURE(reason=_WRONG_REGION.format(region=region))


def check(
    scope: Scope, signature: str, request: HttpRequest, secret: str | None, token: str | None = None
) -> None:  # fmt: skip
    """Verify a signature.

    Args:
        scope: its scope.
        signature: the signature itself.
        request: the signed request.
        secret: the secret access key of the signer; None if the access key is unknown.
        token: the session token that temporary credentials need; None for long-term ones, which have none.

    Raises:
        KmsError: when it is wrong, expired or not yet current, or does not cover a header that has to be signed: every
            `x-amz-` header except the session token, which some services accept unsigned.
    """
    if secret is None or (scope.token or request.header("x-amz-security-token") or None) != token:
        raise errors.UNRECOGNIZED_CLIENT()
    _check_time(scope.time)
    signed = {name.lower() for name in scope.signed_headers}
    for name in request.headers:
        if name.startswith("x-amz-") and name not in signed and name != "x-amz-security-token":
            raise errors.BAD_REQUEST_SIGNATURE(
                reason=f"'{name.title()}' must be a 'SignedHeader' in the AWS Authorization."
            )
    if not hmac.compare_digest(calculate(scope, request, secret), signature.encode()):
        raise errors.SIGNATURE_DOES_NOT_MATCH()


def _check_time(made: datetime) -> None:
    """Refuse a signature that is expired or not yet current, by the machine's clock, which other programs sign by.

    Code that freezegun or time-machine shows another time signs with that time, so it is accepted too.
    """
    seen, real = time.time(), machine_time()
    if abs(made.timestamp() - real) <= SKEW.total_seconds():
        return
    now = datetime.fromtimestamp(int(seen), timezone.utc)
    earliest, latest = now - SKEW, now + SKEW
    if made < earliest:
        raise errors.BAD_REQUEST_SIGNATURE(
            reason=f"Signature expired: {made.strftime(_TIME)} is now earlier than {earliest.strftime(_TIME)} "
            f"({now.strftime(_TIME)} - 5 min.)"
        )
    if made > latest:
        raise errors.BAD_REQUEST_SIGNATURE(
            reason=f"Signature not yet current: {made.strftime(_TIME)} is still later than {latest.strftime(_TIME)} "
            f"({now.strftime(_TIME)} + 5 min.)"
        )


def calculate(scope: Scope, request: HttpRequest, secret: str) -> bytes:
    """Calculate the signature of a request, as lower-case hexadecimal digits."""
    parts = (scope.date, scope.region, scope.service, "aws4_request")
    to_sign = "\n".join(
        (
            ALGORITHM,
            scope.time.strftime(_TIME),
            "/".join(parts),
            hashlib.sha256(_canonical(request, scope.signed_headers, scope.in_query).encode()).hexdigest(),
        )
    )
    key = f"AWS4{secret}".encode()
    for part in parts:
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, to_sign.encode(), "sha256").hex().encode()


def _query(request: HttpRequest) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(request.url).query, keep_blank_values=True)


def _canonical(request: HttpRequest, signed_headers: tuple[str, ...], in_query: bool = False) -> str:
    url = urlsplit(request.url)
    headers = {"host": url.netloc} | request.headers
    query = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in _query(request)
        if not (in_query and name == "X-Amz-Signature")
    )
    return "\n".join(
        (
            request.method,
            quote(url.path or "/", safe="/-_.~%"),
            "&".join(f"{name}={value}" for name, value in query),
            *(f"{name}:{' '.join(headers.get(name, '').split())}" for name in signed_headers),
            "",
            ";".join(signed_headers),
            hashlib.sha256(request.body).hexdigest(),
        )
    )


def _parameters(header: str) -> tuple[str, dict[str, str]]:
    """Parse an `Authorization` header; return its algorithm and parameters."""
    algorithm, _, rest = header.strip().partition(" ")
    parameters = {}
    for part in re.split(r"[,\s]+", rest):
        if not part:
            continue
        name, equals, value = part.partition("=")
        if not equals:
            raise errors.INCOMPLETE_SIGNATURE(
                reason=f"'{part}' not a valid key=value pair (missing equal-sign) in Authorization header: '{header}'."
            )
        parameters[name] = value
    return algorithm, parameters


@functools.lru_cache(maxsize=64)  # many requests are signed in the same second, and strptime is slow
def _time_of(text: str) -> datetime:
    """Parse the `X-Amz-Date` or `Date` of a request."""
    try:
        return datetime.strptime(text, _TIME).replace(tzinfo=timezone.utc)
    except ValueError:
        pass
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(text).astimezone(timezone.utc)
    except (ValueError, TypeError, OverflowError):
        raise errors.INCOMPLETE_SIGNATURE(
            reason=f"Date must be in ISO-8601 'basic format'. Got '{text}'. See http://en.wikipedia.org/wiki/ISO_8601"
        ) from None
