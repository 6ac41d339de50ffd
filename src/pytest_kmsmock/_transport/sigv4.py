"""AWS Signature Version 4 as the service sees it: reading signatures, and checking them on request.

A signature stands in the header `Authorization` or in the query of the address; SigV4A is not for KMS, whose service
model names `aws.auth#sigv4` alone.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html, for the query
https://docs.aws.amazon.com/kms/latest/APIReference/CommonParameters.html and, for the texts,
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html and those recorded of DynamoDB
and Kinesis (mhart/dynalite, mhart/kinesalite), services of the same protocol.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, quote, urlsplit

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._runtime.checks import REGION
from pytest_kmsmock._runtime.machine_time import machine_time

if TYPE_CHECKING:
    from .http_request import HttpRequest

ALGORITHM = "AWS4-HMAC-SHA256"
#: How far the time of a request may be from that of the service.
SKEW = timedelta(minutes=5)
_TIME = "%Y%m%dT%H%M%SZ"
_PARAMETERS = ("Credential", "Signature", "SignedHeaders")
_ALGORITHM_IN_QUERY = "X-Amz-Algorithm"
_QUERY_PARAMETERS = (_ALGORITHM_IN_QUERY, "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date")


class Scope(NamedTuple):
    """What the `Authorization` header of a request says, or its query, besides the signature itself."""

    access_key: str
    date: str
    region: str
    signed_headers: tuple[str, ...]
    time: datetime
    in_query: bool = False
    token: str | None = None  # the session token, if it stands in the query
    service: str = "kms"


def read(request: HttpRequest, region: str | None, service: str = "kms") -> tuple[Scope, str]:
    """Read the signature of a request: what it is made for, and the signature itself.

    Args:
        request: the request.
        region: the Region whose endpoint was called; None if the address does not say.
        service: the service that it has to be signed for.

    Raises:
        KmsError: when there is none, or it is malformed or made for something else.
    """
    header = request.header("authorization")
    if _ALGORITHM_IN_QUERY in request.url:  # hardly ever
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
    scope = _usual(before_value, date_of_request, region, service) if value.isalnum() else None
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
        scope = _scoped(
            algorithm, parameters["Credential"], parameters["SignedHeaders"], date_of_request, region, service
        )
    return scope, value


#: The header as all signers write it, up to the value: algorithm, then the parameters in this order.
_USUAL = re.compile(r"(\S+) Credential=([^,\s=]+), ?SignedHeaders=([^,\s=]+), ?")


@functools.lru_cache(maxsize=64)  # many requests are signed by the same signer in the same second
def _usual(before_value: str, date_of_request: str, region: str | None, service: str) -> Scope | None:
    """Read what a signature is made for from a header in the usual form; None if it has another."""
    usual = _USUAL.fullmatch(before_value)
    if usual is None or not date_of_request:
        return None
    algorithm, credential, signed_headers = usual.groups()
    return _scoped(algorithm, credential, signed_headers, date_of_request, region, service)


def _read_query(query: Mapping[str, str], region: str | None, service: str) -> tuple[Scope, str]:
    """Read a signature that stands in the query. How long it is valid is not for the signer to say, as S3 has it."""
    problems = [
        f"AWS query-string parameters must include '{name}'." for name in _QUERY_PARAMETERS if not query.get(name)
    ]
    if problems:
        raise errors.INCOMPLETE_SIGNATURE(reason=f"{' '.join(problems)} Re-examine the query-string parameters.")
    algorithm, credential, value, signed, date_of_request = (query[name] for name in _QUERY_PARAMETERS)
    scope = _scoped(algorithm, credential, signed, date_of_request, region, service)
    return scope._replace(in_query=True, token=query.get("X-Amz-Security-Token")), value


def _scoped(
    algorithm: str, credential: str, signed: str, date_of_request: str, region: str | None, expected: str
) -> Scope:  # fmt: skip
    """Read what a signature is made for, and stop where AWS does."""
    moment = _moment(date_of_request)
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
    if scoped_region != region if region else not REGION.fullmatch(scoped_region):
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
    """Return the error of a signature that is made for another Region than that of the endpoint."""
    return errors.BAD_REQUEST_SIGNATURE(reason=_WRONG_REGION.format(region=region))


def check(
    scope: Scope, signature: str, request: HttpRequest, secret: str | None, token: str | None = None
) -> None:  # fmt: skip
    """Check a signature.

    Args:
        scope: what it is made for.
        signature: the signature itself.
        request: the request that it is of.
        secret: the secret access key of the signer; None if nobody has this access key.
        token: the session token that has to be in the request if the signer's credentials are temporary; None if they
            are not, and there must be none.

    Raises:
        KmsError: when it is not right, made too long ago or in the future, or leaves out a header that has to be
            signed: every `x-amz-` header but the session token, which some services take unsigned.
    """
    # A token belongs to temporary credentials: those of a user go with none.
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
    """Refuse a signature that is not of now: by the machine's clock, as programs sign that run beside the test.

    Those that freezegun or time-machine show another time sign with that one, so it will do as well.
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
    """Return what the signature of a request has to be: lower-case hexadecimal digits."""
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
    """Return the algorithm of an `Authorization` header, and its parameters."""
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
def _moment(text: str) -> datetime:
    """Return the time of a request from its `X-Amz-Date` or `Date`."""
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
