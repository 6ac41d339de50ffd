"""Condition operators: one table, and the condition of a statement compiled from it.

Which condition keys a request has, and their values, is the caller's business: conditions ask a lookup for them.

See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import operator
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from .patterns import constant, matcher, parse_template, resolve, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from .patterns import Lookup, Matcher, Pattern, Template

Test: TypeAlias = "Callable[[Pattern], Matcher]"


class Operator(NamedTuple):
    """A row of the operator table.

    Attributes:
        test: Makes a predicate over one value of the request from one value of the policy.
        negated: Whether the operator is the negation of the test.
        wildcards: Whether `*` and `?` act in values of the policy.
        variables: Whether policy variables act in values of the policy.
    """

    test: Test
    negated: bool = False
    wildcards: bool = False
    variables: bool = False


def _never(_text: str) -> bool:
    return False


def _ignoring_case(pattern: Pattern) -> Matcher:
    wanted = text_of(pattern).lower()
    return lambda text: text.lower() == wanted


def _arn(pattern: Pattern) -> Matcher:
    return matcher(pattern, arn=True)


def _ordered(parse: Callable[[str], Decimal | None], compare: Callable[[Decimal, Decimal], bool]) -> Test:
    """Make the test of an operator that compares numbers or dates: the request's value stands left."""

    def test(pattern: Pattern) -> Matcher:
        wanted = parse(text_of(pattern))
        if wanted is None:
            return _never

        def matches(text: str) -> bool:
            value = parse(text)
            return value is not None and compare(value, wanted)

        return matches

    return test


def _number(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


_DATE = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:T(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?P<fraction>\.\d+)?)?"
    r"(?P<zone>Z|[+-]\d\d:\d\d))?)?)?",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def _date(text: str) -> Decimal | None:
    """Parse a date into seconds since the epoch: the W3C's profile of ISO 8601, or the seconds themselves."""
    found = _DATE.fullmatch(text)
    if found is None:
        return _number(text)
    part = found.groupdict()
    zone = part["zone"] or "Z"
    offset = timedelta() if zone == "Z" else timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
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
    return Decimal(seconds) + Decimal(part["fraction"] or 0)


def _boolean(pattern: Pattern) -> Matcher:
    wanted = text_of(pattern).lower()
    return (lambda text: text.lower() == wanted) if wanted in {"true", "false"} else _never


def _binary(pattern: Pattern) -> Matcher:
    wanted = _decoded(text_of(pattern))
    return _never if wanted is None else (lambda text: _decoded(text) == wanted)


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _address(pattern: Pattern) -> Matcher:
    try:
        network = ipaddress.ip_network(text_of(pattern), strict=False)
    except ValueError:
        return _never

    def matches(text: str) -> bool:
        try:
            return ipaddress.ip_address(text) in network
        except ValueError:
            return False

    return matches


OPERATORS: dict[str, Operator] = {
    "StringEquals": Operator(matcher, variables=True),
    "StringNotEquals": Operator(matcher, negated=True, variables=True),
    "StringEqualsIgnoreCase": Operator(_ignoring_case, variables=True),
    "StringNotEqualsIgnoreCase": Operator(_ignoring_case, negated=True, variables=True),
    "StringLike": Operator(matcher, wildcards=True, variables=True),
    "StringNotLike": Operator(matcher, negated=True, wildcards=True, variables=True),
    "NumericEquals": Operator(_ordered(_number, operator.eq)),
    "NumericNotEquals": Operator(_ordered(_number, operator.eq), negated=True),
    "NumericLessThan": Operator(_ordered(_number, operator.lt)),
    "NumericLessThanEquals": Operator(_ordered(_number, operator.le)),
    "NumericGreaterThan": Operator(_ordered(_number, operator.gt)),
    "NumericGreaterThanEquals": Operator(_ordered(_number, operator.ge)),
    "DateEquals": Operator(_ordered(_date, operator.eq)),
    "DateNotEquals": Operator(_ordered(_date, operator.eq), negated=True),
    "DateLessThan": Operator(_ordered(_date, operator.lt)),
    "DateLessThanEquals": Operator(_ordered(_date, operator.le)),
    "DateGreaterThan": Operator(_ordered(_date, operator.gt)),
    "DateGreaterThanEquals": Operator(_ordered(_date, operator.ge)),
    "Bool": Operator(_boolean, variables=True),
    "BinaryEquals": Operator(_binary),
    "IpAddress": Operator(_address),
    "NotIpAddress": Operator(_address, negated=True),
    "ArnEquals": Operator(_arn, wildcards=True, variables=True),
    "ArnLike": Operator(_arn, wildcards=True, variables=True),
    "ArnNotEquals": Operator(_arn, negated=True, wildcards=True, variables=True),
    "ArnNotLike": Operator(_arn, negated=True, wildcards=True, variables=True),
    "Null": Operator(_boolean),
}

_NAME = re.compile(r"(?:(?P<qualifier>ForAllValues|ForAnyValue):)?(?P<base>[A-Za-z]+?)(?P<if_exists>IfExists)?")


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator with one key and its values; a statement's conditions must all hold.

    Attributes:
        operator: The operator as the policy writes it, with qualifier and suffix.
        key: The condition key as the policy writes it.
        values: The values as texts.
        looked_up: The key as the lookup is asked for it.
        check: Says whether the condition holds for a request.
    """

    operator: str
    key: str
    values: tuple[str, ...]
    looked_up: str
    check: Callable[[Lookup], bool]

    def describe(self, lookup: Lookup) -> str:
        """Say in words what the condition wants and what the request has."""
        found = lookup(self.looked_up)
        wanted = ", ".join(map(repr, self.values)) or "nothing"
        has = "does not have it" if found is None else f"has {', '.join(map(repr, found)) or 'no value'}"
        return f"{self.operator} {self.key}: the policy says {wanted}, the request {has}"


def compile_condition(
    name: str, key: str, values: tuple[str, ...], *, variables: bool, supported: bool = True
) -> Condition | None:
    """Compile one condition.

    Args:
        name: Operator with its qualifier and suffix, such as `ForAnyValue:StringLike` or `BoolIfExists`.
        key: Condition key; case does not matter, also in what follows `kms:EncryptionContext:`.
        values: Values of the policy.
        variables: Whether the version of the policy has variables.
        supported: Whether the kind of policy supports the key; else it is absent from every request.

    Returns:
        The condition, or None if there is no such operator.
    """
    parts = _NAME.fullmatch(name)
    row = OPERATORS.get(parts["base"]) if parts else None
    if parts is None or row is None:
        return None
    looked_up = key.lower() if supported else ""
    if parts["base"] == "Null":
        # "You can add IfExists to the end of any condition operator name except the Null condition."
        return None if parts["if_exists"] else Condition(name, key, values, looked_up, _null(looked_up, values))
    templates = [
        parse_template(value, variables=variables and row.variables, wildcards=row.wildcards) for value in values
    ]
    matches_any = _any_of(row.test, templates)
    check = _QUALIFIERS[parts["qualifier"]](looked_up, matches_any, row.negated, bool(parts["if_exists"]))
    return Condition(name, key, values, looked_up, check)


def _null(key: str, values: tuple[str, ...]) -> Callable[[Lookup], bool]:
    wanted = {value.lower() for value in values}
    # A key that is there without a value is null too.
    return lambda lookup: ("false" if lookup(key) else "true") in wanted


AnyOf: TypeAlias = "Callable[[Lookup], Matcher | None]"


def _any_of(test: Test, templates: list[Template]) -> AnyOf:
    """Make a predicate that a value of the request meets if it matches any value of the policy.

    It is None if a variable has no value in the request: then the statement does not apply, whatever the operator.
    """
    constants = [constant(template) for template in templates]
    fixed = [test(pattern) for pattern in constants if pattern is not None]
    variable = [template for template in templates if constant(template) is None]

    def of_fixed(text: str) -> bool:
        return any(matches(text) for matches in fixed)

    def with_variables(lookup: Lookup) -> Matcher | None:
        patterns = [resolve(template, lookup) for template in variable]
        tests = [test(pattern) for pattern in patterns if pattern is not None]
        if len(tests) < len(patterns):
            return None
        return lambda text: of_fixed(text) or any(matches(text) for matches in tests)

    if variable:
        return with_variables
    single = fixed[0] if len(fixed) == 1 else of_fixed
    return lambda _lookup: single


def _plain(key: str, any_of: AnyOf, negated: bool, if_exists: bool) -> Callable[[Lookup], bool]:
    """Any value of the request matches any of the policy; negated: none matches any."""
    absent = negated or if_exists

    def check(lookup: Lookup) -> bool:
        values = lookup(key)
        if values is None:
            return absent
        matches = any_of(lookup)
        return matches is not None and any(map(matches, values)) is not negated

    return check


def _for_all(key: str, any_of: AnyOf, negated: bool, if_exists: bool) -> Callable[[Lookup], bool]:  # noqa: ARG001
    """Every value of the request matches; true if there is none."""

    def check(lookup: Lookup) -> bool:
        values = lookup(key)
        if not values:
            return True
        matches = any_of(lookup)
        return matches is not None and all(matches(value) is not negated for value in values)

    return check


def _for_any(key: str, any_of: AnyOf, negated: bool, if_exists: bool) -> Callable[[Lookup], bool]:
    """At least one value of the request matches; false if there is none."""

    def check(lookup: Lookup) -> bool:
        values = lookup(key)
        if not values:
            return if_exists and values is None
        matches = any_of(lookup)
        return matches is not None and any(matches(value) is not negated for value in values)

    return check


_QUALIFIERS: dict[str | None, Callable[[str, AnyOf, bool, bool], Callable[[Lookup], bool]]] = {
    None: _plain,
    "ForAllValues": _for_all,
    "ForAnyValue": _for_any,
}
