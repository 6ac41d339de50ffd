"""Errors that faults can inject: KMS errors with their messages, HTTP statuses, connection errors."""

from __future__ import annotations

import functools
import html
import http
import re
from collections.abc import Callable, Mapping

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.api.errors import InjectedError, KmsError
from pytest_kmsmock._kms.api.service_model import service_description
from pytest_kmsmock._runtime.checks import did_you_mean, is_whole
from pytest_kmsmock.errors import InvalidCallPattern, InvalidFault

#: Connection errors, by the name of botocore's exception.
CONNECTION_ERRORS = (
    "EndpointConnectionError",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "ConnectionClosedError",
    "SSLError",
    "ProxyConnectionError",
)

#: Messages of errors that AWS documents or that were recorded; `{arn}` is that of the key.
_TEXTS: Mapping[str, str] = {
    **{
        text.code: text.template
        for text in (
            errors.THROTTLED, errors.DISABLED, errors.INVALID_CIPHERTEXT, errors.INCORRECT_KEY, errors.DRY_RUN,
            errors.MISSING_TOKEN, errors.UNKNOWN_OPERATION,
        )
    },
    "KMSInvalidStateException": errors.PENDING_DELETION.template,
    "NotFoundException": errors.KEY_NOT_FOUND.template,
    "AccessDeniedException": "User: {caller} is not authorized to perform: kms:{operation} on resource: {arn} "
    "because no identity-based policy allows the kms:{operation} action",
    # aws/aws-encryption-sdk-java#9
    "UnrecognizedClientException": errors.UNRECOGNIZED_CLIENT.template,
    # Codes common to AWS services; their messages are inferred (B).
    "ExpiredTokenException": "The security token included in the request is expired",
    "IncompleteSignatureException": "The request signature does not conform to AWS standards.",
    "InternalFailure": "The request processing has failed because of an unknown error, exception or failure.",
    "InvalidClientTokenId": "The security token included in the request is invalid.",
    "InvalidSignatureException": "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
    "NotAuthorized": "You do not have permission to perform this action.",
    "OptInRequired": "The AWS Access Key Id needs a subscription for the service",
    "RequestExpired": "Request has expired.",
    "RequestLimitExceeded": "Request limit exceeded.",
    "SerializationException": "",
    "ServiceUnavailable": "The request has failed due to a temporary failure of the server.",
    "ServiceUnavailableException": "The request has failed due to a temporary failure of the server.",
    "Throttling": "Rate exceeded",
    "ThrottledException": "Rate exceeded",
    "TooManyRequestsException": "Rate exceeded",
    "ValidationException": "The input fails to satisfy the constraints specified by an AWS service.",
}  # fmt: skip

_STATUS = {"ServiceUnavailable": 503, "ServiceUnavailableException": 503}

#: Creates the error for a call from the placeholders of its message: `arn`, `caller`, `operation`.
ErrorMaker = Callable[[Mapping[str, str]], InjectedError]


def maker(error: object, message: str | None, status: int | None) -> ErrorMaker:
    """Return the function that creates the errors of a fault.

    Args:
        error: an error code of KMS or common to AWS; an HTTP status for a response without a body; the name or class of
            a connection error of botocore; or a `KmsError` to raise.
        message: the message, by default AWS's.
        status: the HTTP status, by default AWS's; with it any error code is accepted.

    Raises:
        InvalidFault: anything else.
    """
    if isinstance(error, KmsError):
        given = InjectedError(error.code, error.message if message is None else message, status=status or error.status)
        return lambda _: InjectedError(given.code, given.message, status=given.status)
    if isinstance(error, type) and issubclass(error, Exception):
        error = error.__name__
    if is_whole(error):
        return _without_body(error, is_bare=message is None and status is None)
    if not isinstance(error, str):
        raise InvalidFault(
            f"error must be an error code, an HTTP status, or a connection error by its name or class, not {error!r}."
        )
    name = error
    if name in CONNECTION_ERRORS:
        if status is not None:
            raise InvalidFault(f"error={name!r} is a failed connection, which has no answer: give no status to it.")
        return lambda _: InjectedError(name, "" if message is None else message, status=503, kind="connection")
    if name not in known_codes() and status is None:
        raise InvalidFault(
            f"Unknown error={name!r}: neither an error code of KMS nor a connection error of botocore."
            f"{_hint(name)} To use it all the same, give its HTTP status: status=400."
        )
    template = known_codes().get(name, "") if message is None else message
    http_status = status if status is not None else _STATUS.get(name)
    fixed = message is not None

    def make(names: Mapping[str, str]) -> InjectedError:
        return InjectedError(name, template if fixed else template.format_map(names), status=http_status)

    return make


def _without_body(status: int, *, is_bare: bool) -> ErrorMaker:
    """Return the function that creates responses of an HTTP status, as from a load balancer."""
    if not 400 <= status <= 599:
        raise InvalidFault(f"error={status!r} must be an error code, or an HTTP status from 400 to 599.")
    if not is_bare:
        raise InvalidFault(
            f"error={status!r} is a response without a body, and takes neither message nor status. For an error with a "
            "message give an error code, such as 'KMSInternalException'."
        )
    return lambda _: InjectedError(str(status), _reason(status), status=status, kind="http")


@functools.cache
def known_codes() -> Mapping[str, str]:
    """Return all error codes that a fault can have, with their messages; by default the model's description."""
    shapes = service_description()["shapes"]
    modelled = {name: _prose(shape) for name, shape in shapes.items() if shape.get("exception")}
    return {**modelled, **_TEXTS}


def check_code(code: str) -> None:
    """Refuse an unknown error code, which no call can have.

    Raises:
        InvalidCallPattern: with the most similar code.
    """
    is_status = code.isdecimal() and 400 <= int(code) <= 599
    if not is_status and code not in known_codes() and code not in CONNECTION_ERRORS:
        raise InvalidCallPattern(
            f"Unknown error {code!r}: neither an error code of KMS nor a connection error of botocore, and no call "
            "had it."
            f"{_hint(code)}"
        )


def _prose(shape: Mapping[str, str]) -> str:
    """Return the first paragraph of a shape's documentation as plain text, without braces."""
    paragraph = re.search(r"<p>(.*?)</p>", shape.get("documentation", ""), re.DOTALL)
    text = html.unescape(re.sub(r"<[^>]+>", "", paragraph[1])) if paragraph else ""
    return " ".join(text.split()).replace("{", "").replace("}", "")


def _reason(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return ""


def _hint(name: str) -> str:
    return did_you_mean(name, [*known_codes(), *CONNECTION_ERRORS])
