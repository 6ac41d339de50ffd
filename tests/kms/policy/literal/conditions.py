"""Condition operators, one rule at a time.

[operators] https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
[sets]      https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
[variables] https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
[observed]  what AWS decided on real requests with these conditions, September 2026
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

#: Condition key in lower case -> its value; a list for multivalued keys. Absent keys are left out.
Context = Mapping[str, "str | list[str]"]


class RequestDeniedError(Exception):
    """[observed] An ARN operator whose pattern is not an ARN, asked about an ARN, denies the request."""


#: [operators] "Negated matching": negated operator -> the operator that it negates.
NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}


def holds(operator: str, key: str, patterns: Iterable[object], context: Context, variables: bool) -> bool:
    """Decide on one condition: an operator, a key, and the values that the policy lists.

    Raises:
        RequestDeniedError: the whole request is denied.
    """
    qualifier, _, name = operator.rpartition(":")
    if_exists, name = name.endswith("IfExists"), name.removesuffix("IfExists")
    value = context.get(key.lower(), [])
    present = value != []
    texts = [_text(pattern) for pattern in patterns]
    # [operators] Null: "true" if the key is absent, "false" if it is there. [observed] "yes" is the same as "false".
    if name == "Null":
        return any((text.lower() == "true") is not present for text in texts)
    values = value if isinstance(value, list) else [value]
    # [sets] ForAllValues: every value of the request matches; true also if there is none.
    if qualifier == "ForAllValues":
        return all(_meets(name, each, texts, context, variables) for each in values)
    # [sets] ForAnyValue: at least one value matches; false if there is none. [observed] IfExists does not change that:
    # https://repost.aws/questions/QU9HFmDzP0QGuU-fd7rS6B7w
    if qualifier == "ForAnyValue":
        return any(_meets(name, each, texts, context, variables) for each in values)
    # [operators] An absent key: IfExists is true, negated operators are true, all others are false.
    if not present:
        return if_exists or name in NEGATED
    # [sets] Multivalued keys require a set operator. [observed] Without one the condition fails, negated or not.
    if isinstance(value, list):
        return False
    return _meets(name, value, texts, context, variables)


def _meets(name: str, value: str, texts: list[str], context: Context, variables: bool) -> bool:
    """Compare one value of the request with the values of the policy: with any of them, or with none if negated."""
    compared = NEGATED.get(name, name)
    # [observed] What is not an address, or not an ARN, meets neither the operator nor its negation.
    if compared == "IpAddress" and _address(value) is None:
        return False
    if compared.startswith("Arn") and not _is_arn(list(value)):
        return False
    found = any(_matches(compared, value, text, context, variables) for text in texts)
    return found is (name not in NEGATED)


def _matches(name: str, value: str, text: str, context: Context, variables: bool) -> bool:
    if name.startswith("String"):
        return _string_matches(name, value, text, context, variables)
    if name.startswith("Arn"):
        return _arn_matches(value, text, context, variables)
    if name.startswith("Numeric"):
        return _in_order(name.removeprefix("Numeric"), _number(value), _number(text))
    if name.startswith("Date"):
        return _in_order(name.removeprefix("Date"), _milliseconds(value), _milliseconds(text))
    if name == "Bool":
        # [observed] Case does not matter, blanks do; what is not "true" is false, on both sides.
        return (value.lower() == "true") is (text.lower() == "true")
    if name == "BinaryEquals":
        return _decoded(value) is not None and _decoded(value) == _decoded(text)
    if name == "IpAddress":
        network, address = _network(text), _address(value)
        return network is not None and address is not None and address in network
    raise AssertionError(f"an operator that the generator should not use: {name}")


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


# --- strings and variables -------------------------------------------------------------------------------------------

#: Keys of variables that have a list of values.
MULTIVALUED = ("aws:tagkeys", "kms:encryptioncontextkeys", "kms:grantoperations")
#: One character of a pattern: its text, and whether it is a wildcard.
Atom = tuple[str, bool]


def resolve(text: str, context: Context, variables: bool, wildcards: bool) -> list[Atom] | None:
    """Return a pattern with its variables replaced; None if one of them has no value.

    [variables] Values come from the context, or are the default of `${key, 'default'}`. `${*}`, `${?}` and `${$}` are
    those characters. Policies before Version 2012-10-17 have no variables. A variable without a value is null: it
    matches nothing, so negated operators match. [observed] Multivalued keys give no value, nor is their default used.
    Values are literal.
    """
    atoms: list[Atom] = []
    rest = text
    while rest:
        variable = re.match(r"\$\{([^{}]+)\}", rest) if variables else None
        if variable is None:
            atoms.append((rest[0], wildcards and rest[0] in "*?"))
            rest = rest[1:]
            continue
        found = _variable(variable[1], context)
        if found is None:
            return None
        atoms += [(character, False) for character in found]
        rest = rest[variable.end() :]
    return atoms


def _variable(name: str, context: Context) -> str | None:
    if name in ("*", "?", "$"):
        return name
    with_default = re.fullmatch(r"(.+?), *'(.*)'", name)
    key, default = with_default.groups() if with_default else (name, None)
    if key.strip().lower() in MULTIVALUED:
        return None
    value = context.get(key.strip().lower())
    return default if value is None else value


def like(value: str, atoms: list[Atom]) -> bool:
    """[operators] `*` is any number of characters, `?` is one. [observed] A character is a UTF-16 unit."""
    signs = {"*": ".*", "?": "."}
    pattern = "".join(signs[sign] if wild else re.escape(_units(sign)) for sign, wild in atoms)
    return re.fullmatch(pattern, _units(value), re.DOTALL) is not None


def _units(text: str) -> str:
    """Return a string with UTF-16 code units as its characters."""
    raw = text.encode("utf-16-be", "surrogatepass")
    return "".join(chr(raw[at] << 8 | raw[at + 1]) for at in range(0, len(raw), 2))


def _string_matches(name: str, value: str, text: str, context: Context, variables: bool) -> bool:
    atoms = resolve(text, context, variables, wildcards=name == "StringLike")
    if atoms is None:
        return False
    if name == "StringLike":
        return like(value, atoms)
    other = "".join(sign for sign, _ in atoms)
    if name == "StringEquals":
        return value == other
    # [observed] lower() of Unicode, with its final sigma; only U+0000 to U+FFFF are folded.
    return _units(value).lower() == _units(other).lower()


# --- ARNs ------------------------------------------------------------------------------------------------------------


def _is_arn(signs: list[str]) -> bool:
    return "".join(signs).startswith("arn:") and signs.count(":") >= 5


def _arn_matches(value: str, text: str, context: Context, variables: bool) -> bool:
    """[operators] Each of the six components is compared separately. ArnEquals and ArnLike behave identically."""
    atoms = resolve(text, context, variables, wildcards=True)
    if atoms is None:
        return False
    if not _is_arn([sign for sign, _ in atoms]):
        raise RequestDeniedError(f"the ARN pattern {text!r} is not an ARN")
    components: list[list[Atom]] = [[]]
    for sign, wild in atoms:
        if sign == ":" and len(components) < 6:
            components.append([])
        else:
            components[-1].append((sign, wild))
    return all(like(part, component) for part, component in zip(value.split(":", 5), components, strict=True))


# --- numbers, dates, base64, addresses -------------------------------------------------------------------------------


def _in_order(relation: str, value: Decimal | int | None, other: Decimal | int | None) -> bool:
    """[operators] [observed] What is not a number, or not a date, is in no relation to anything."""
    if value is None or other is None:
        return False
    return {
        "Equals": value == other,
        "LessThan": value < other,
        "LessThanEquals": value <= other,
        "GreaterThan": value > other,
        "GreaterThanEquals": value >= other,
    }[relation]


def _number(text: str) -> Decimal | None:
    """[observed] Exact decimals: 01, +1, 1., 1.0 and 1e0 are 1. NaN and Infinity are not numbers."""
    return Decimal(text) if re.fullmatch(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", text) else None


_DATE = r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?)?"


def _milliseconds(text: str) -> int | None:
    """[operators] ISO 8601 or Unix time. [observed] UTC if no zone is given; truncated to milliseconds."""
    if re.fullmatch(r"\+?\d+", text):
        return int(text) * 1000
    found = re.fullmatch(_DATE, text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    sign, hours, minutes = re.sub(r"^Z?$", "+00:00", found[8] or "")[0], 0, 0
    if found[8] not in (None, "Z"):
        hours, minutes = int(found[8][1:3]), int(found[8][4:])
    offset = timedelta(hours=hours, minutes=minutes) * (-1 if sign == "-" else 1)
    moment = datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc) - offset
    whole = moment - datetime(1970, 1, 1, tzinfo=timezone.utc)
    return whole // timedelta(milliseconds=1) + int(f"{found[7] or ''}000"[:3])


def _decoded(text: str) -> bytes | None:
    """[operators] Base64, compared byte for byte. [observed] Only in its canonical form: padded, no stray bits."""
    try:
        decoded = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return decoded if text and base64.b64encode(decoded).decode() == text else None


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """[observed] IPv4-mapped IPv6 is IPv4; dots in IPv6 come after ::ffff: only; a range is not an address."""
    numbers = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)\.(\d+)", text)
    try:
        if numbers:
            return IPv4Address(bytes(int(number) for number in numbers.groups()))
        if "%" in text or ("." in text and not text.lower().startswith("::ffff:")):
            return None
        found = IPv6Address(text)
    except ValueError:
        return None
    return found.ipv4_mapped or found


def _network(text: str) -> IPv4Network | IPv6Network | None:
    """[operators] CIDR; without a prefix one address. [observed] Host bits: IPv4 masks them, IPv6 ignores the range."""
    base, _, bits = text.partition("/")
    try:
        if ":" in base:
            # [observed] Dots after ::ffff: as in addresses, and such ranges are never met: those addresses are IPv4.
            return None if "." in base else IPv6Network(f"{base}/{int(bits or 128)}")
        return IPv4Network(f"{base}/{int(bits or 32)}", strict=False)
    except ValueError:
        return None
