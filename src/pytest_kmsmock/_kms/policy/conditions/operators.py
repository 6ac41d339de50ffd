"""The table of condition operators, and how they compare a value of a policy with a value of a request.

Malformed values, as observed in calls to AWS in September 2026: a malformed number or date equals nothing, so requests
meet the negated operators; a malformed IP address or ARN meets neither an operator nor its negation.

See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import base64
import operator
import re
from datetime import datetime, timedelta, timezone
from decimal import ROUND_FLOOR, Decimal
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TYPE_CHECKING, TypeAlias

from pytest_kmsmock._kms.policy.patterns import matcher, pattern_text, utf16
from pytest_kmsmock._record import Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_kmsmock._kms.policy.patterns import Matcher, Pattern

#: Whether a value of the request matches; None if it cannot be evaluated, which denies the request.
Comparison: TypeAlias = "Callable[[str], bool | None]"
Test: TypeAlias = "Callable[[Pattern], Comparison]"


class Operator(Record):
    """A row of the operator table.

    Attributes:
        test: Compiles a value of the policy into a predicate over a value of the request.
        negated: Whether the operator negates the test.
        wildcards: Whether values of the policy can have wildcards.
        variables: Whether values of the policy can have policy variables.
        comparable: Whether it can compare a value of the request; None for any value.
        stored: Whether IAM stores a value of the policy; None for any value.
    """

    test: Test
    negated: bool = False
    wildcards: bool = False
    variables: bool = False
    comparable: Matcher | None = None
    stored: Matcher | None = None


def _never(_text: str) -> bool:
    return False


def _ignoring_case(pattern: Pattern) -> Matcher:
    # AWS does not case-fold characters beyond U+FFFF.
    wanted = utf16(pattern_text(pattern)).lower()
    return lambda text: utf16(text).lower() == wanted


# --- ARNs ---------------------------------------------------------------------------------------------------------


def is_arn(text: str) -> bool:
    """Whether a string has the six components of an ARN."""
    return text.startswith("arn:") and text.count(":") >= 5


def _arn(pattern: Pattern) -> Comparison:
    return matcher(pattern, arn=True) if is_arn(pattern_text(pattern)) else _undecided


def _undecided(_text: str) -> None:
    """Compare with a pattern that is not an ARN: AWS denies the request."""


# --- numbers and dates --------------------------------------------------------------------------------------------


def _ordered(parse: Callable[[str], Decimal | None], compare: Callable[[Decimal, Decimal], bool]) -> Test:
    """Return the test of an operator on numbers or dates: compare(request's value, policy's value)."""

    def test(pattern: Pattern) -> Matcher:
        wanted = parse(pattern_text(pattern))
        if wanted is None:
            return _never

        def matches(text: str) -> bool:
            value = parse(text)
            return value is not None and compare(value, wanted)

        return matches

    return test


_NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,9})?"
_SECONDS = r"[+-]?\d{1,18}(\.\d+)?"
_DATE = (
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:T(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?P<fraction>\.\d+)?)?"
    r"(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def _number(text: str) -> Decimal | None:
    return Decimal(text) if re.fullmatch(_NUMBER, text, re.ASCII) else None


def _date(text: str) -> Decimal | None:
    """Parse a date into milliseconds since the epoch, rounded down; the default time zone is UTC.

    Dates are in the W3C's profile of ISO 8601, or in seconds since the epoch.
    """
    found = re.fullmatch(_DATE, text, re.ASCII)
    if found is None:
        return _milliseconds(Decimal(text)) if re.fullmatch(_SECONDS, text, re.ASCII) else None
    part = found.groupdict()
    zone = part["zone"] or "Z"
    offset = timedelta() if zone == "Z" else timedelta(hours=int(zone[1:3]), minutes=int(zone[4:]))
    try:
        moment = datetime(
            int(part["year"]),
            int(part["month"] or 1),
            int(part["day"] or 1),
            int(part["hour"] or 0),
            int(part["minute"] or 0),
            int(part["second"] or 0),
            tzinfo=timezone.utc,
        )
    except ValueError:
        return None
    since = moment - _EPOCH
    seconds = since.days * 86400 + since.seconds - int(offset.total_seconds()) * (-1 if zone[0] == "-" else 1)
    return _milliseconds(seconds + Decimal(part["fraction"] or 0))


def _milliseconds(seconds: Decimal) -> Decimal:
    return (seconds * 1000).to_integral_value(ROUND_FLOOR)


# --- Booleans and bytes -------------------------------------------------------------------------------------------


def is_true(text: str) -> bool:
    """Whether a string is "true"; any other is false."""
    return text.lower() == "true"


def _boolean(pattern: Pattern) -> Matcher:
    wanted = is_true(pattern_text(pattern))
    return lambda text: is_true(text) is wanted


def _binary(pattern: Pattern) -> Matcher:
    wanted = pattern_text(pattern)
    return wanted.__eq__ if _is_base64(wanted) else _never


def _is_base64(text: str) -> bool:
    """Whether a string is canonical base64: with padding, and unused bits zero."""
    try:
        return base64.b64encode(base64.b64decode(text, validate=True)).decode() == text
    except ValueError:  # binascii.Error is one
        return False


# --- IP addresses -------------------------------------------------------------------------------------------------

_IPV4 = r"\d{1,3}(\.\d{1,3}){3}"
_IPV6 = r"[0-9a-fA-F:]+"
_PREFIX_LENGTH = r"\+?\d{1,3}"
_MAPPED = "::ffff:"
#: An extra colon, which AWS ignores: a third in a row, or a single one at the start or the end.
_EXTRA_COLON = r"(?<=::):+|^:(?!:)|(?<!:):$"


def _ipv4(text: str) -> IPv4Address | None:
    parts = [int(part) for part in text.split(".")] if re.fullmatch(_IPV4, text, re.ASCII) else [256]
    return None if max(parts) > 255 else IPv4Address(bytes(parts))


def _ipv6(text: str) -> str:
    """Return an IPv6 address as Python accepts it; an empty string for one with other characters."""
    return re.sub(_EXTRA_COLON, "", text) if re.fullmatch(_IPV6, text) else ""


def read_address(text: str) -> IPv4Address | IPv6Address | None:
    """Parse an IP address of a request. IPv4-mapped addresses are IPv4, and only they may end in dotted notation."""
    if ":" not in text:
        return _ipv4(text)
    if "." in text:
        return _ipv4(text[len(_MAPPED) :]) if text.lower().startswith(_MAPPED) else None
    try:
        address = IPv6Address(_ipv6(text))
    except ValueError:
        return None
    return address.ipv4_mapped or address


def _network(text: str) -> IPv4Network | IPv6Network | None:
    """Parse an IP range of a policy. Host bits are ignored in IPv4 ranges, and make IPv6 ranges invalid."""
    address, slash, length = text.partition("/")
    if slash and not re.fullmatch(_PREFIX_LENGTH, length, re.ASCII):
        return None
    try:
        if ":" in address:
            return IPv6Network((_ipv6(address), int(length or 128)))
        first = _ipv4(address)
        return None if first is None else IPv4Network((first, int(length or 32)), strict=False)
    except ValueError:
        return None


def _is_address(text: str) -> bool:
    return read_address(text) is not None


def _address(pattern: Pattern) -> Matcher:
    network = _network(pattern_text(pattern))
    return _never if network is None else (lambda text: read_address(text) in network)


# --- the table ----------------------------------------------------------------------------------------------------


def _is_number(text: str) -> bool:
    return _number(text) is not None


def _is_date(text: str) -> bool:
    return _date(text) is not None


def _is_network(text: str) -> bool:
    return _network(text) is not None


def _numeric(compare: Callable[[Decimal, Decimal], bool], *, negated: bool = False) -> Operator:
    return Operator(_ordered(_number, compare), negated, stored=_is_number)


def _of_dates(compare: Callable[[Decimal, Decimal], bool], *, negated: bool = False) -> Operator:
    return Operator(_ordered(_date, compare), negated, stored=_is_date)


_ARN = Operator(_arn, wildcards=True, variables=True, comparable=is_arn, stored=is_arn)
_IP = Operator(_address, comparable=_is_address, stored=_is_network)

OPERATORS: dict[str, Operator] = {
    "StringEquals": Operator(matcher, variables=True),
    "StringNotEquals": Operator(matcher, negated=True, variables=True),
    "StringEqualsIgnoreCase": Operator(_ignoring_case, variables=True),
    "StringNotEqualsIgnoreCase": Operator(_ignoring_case, negated=True, variables=True),
    "StringLike": Operator(matcher, wildcards=True, variables=True),
    "StringNotLike": Operator(matcher, negated=True, wildcards=True, variables=True),
    "NumericEquals": _numeric(operator.eq),
    "NumericNotEquals": _numeric(operator.eq, negated=True),
    "NumericLessThan": _numeric(operator.lt),
    "NumericLessThanEquals": _numeric(operator.le),
    "NumericGreaterThan": _numeric(operator.gt),
    "NumericGreaterThanEquals": _numeric(operator.ge),
    "DateEquals": _of_dates(operator.eq),
    "DateNotEquals": _of_dates(operator.eq, negated=True),
    "DateLessThan": _of_dates(operator.lt),
    "DateLessThanEquals": _of_dates(operator.le),
    "DateGreaterThan": _of_dates(operator.gt),
    "DateGreaterThanEquals": _of_dates(operator.ge),
    "Bool": Operator(_boolean, variables=True),
    "BinaryEquals": Operator(_binary, stored=_is_base64),
    "IpAddress": _IP,
    "NotIpAddress": _IP._replace(negated=True),
    "ArnEquals": _ARN,
    "ArnLike": _ARN,
    "ArnNotEquals": _ARN._replace(negated=True),
    "ArnNotLike": _ARN._replace(negated=True),
    "Null": Operator(_boolean),
}
