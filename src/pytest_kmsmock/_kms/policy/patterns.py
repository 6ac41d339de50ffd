"""String patterns of the policy language: wildcards and policy variables, compiled into matchers.

Every comparison of a policy's string with a request's string goes through `matcher`. The calling modules know
what the strings are (actions, ARNs, condition values).
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from pytest_kmsmock._record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Lookup: TypeAlias = "Callable[[str], tuple[str, ...] | None]"
"""Returns a condition key's values in the request, or None if the key is absent. The key is in lower case."""


#: Multivalued condition keys. Other keys count as multivalued when a test gives them several values.
MULTIVALUED = frozenset({
    "aws:calledvia", "aws:principalorgpaths", "aws:principalservicenameslist", "aws:resourceorgpaths",
    "aws:sourceorgpaths", "aws:tagkeys", "aws:vpceorgpaths", "kms:encryptioncontextkeys", "kms:grantoperations",
    "kms:resourcealiases",
})  # fmt: skip


class Wildcard(Enum):
    """A wildcard, unlike a literal `*` from `${*}` or from the value of a variable."""

    MANY = "*"
    ONE = "?"


class Variable(Record):
    """A policy variable such as `${aws:username}` or `${aws:PrincipalTag/team, 'none'}`.

    Attributes:
        key: The condition key, in lower case.
        default: The value if the request lacks the key; None without a default.
    """

    key: str
    default: str | None


Pattern: TypeAlias = "tuple[str | Wildcard, ...]"
Template: TypeAlias = "tuple[str | Wildcard | Variable, ...]"
Matcher: TypeAlias = "Callable[[str], bool]"

_SPECIAL = {"*", "?", "$"}
# `${$}` is a literal dollar sign, which never begins another variable.
_VARIABLE = r"\$\{([^{}]*)\}"
_WITH_DEFAULT = r"\s*([^,]*?)\s*,\s*'([^']*)'\s*"


def parse_template(text: str, *, variables: bool, wildcards: bool = True) -> Template:
    """Split a string of a policy into literals, wildcards and variables.

    Args:
        text: The string as the policy has it.
        variables: Whether `${…}` is a variable: true for policies of version 2012-10-17.
        wildcards: Whether `*` and `?` are wildcards.

    Returns:
        The parts in order.

    See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    parts: list[str | Wildcard | Variable] = []
    end = 0
    for found in re.finditer(_VARIABLE, text) if variables else ():
        parts.extend(_literal(text[end : found.start()], wildcards=wildcards))
        parts.append(_variable(found[1]))
        end = found.end()
    parts.extend(_literal(text[end:], wildcards=wildcards))
    return tuple(parts)


def _literal(text: str, *, wildcards: bool) -> Iterator[str | Wildcard]:
    pieces = re.split(r"([*?])", text) if wildcards else [text]
    return (Wildcard(piece) if wildcards and piece in {"*", "?"} else piece for piece in pieces if piece)


def _variable(inside: str) -> str | Variable:
    if inside in _SPECIAL:
        return inside
    with_default = re.fullmatch(_WITH_DEFAULT, inside)
    if with_default:
        return Variable(with_default[1].lower(), with_default[2])
    return Variable(inside.strip().lower(), None)


def no_context(_key: str) -> tuple[str, ...] | None:
    """Look up a condition key in an empty request context."""
    return None


def constant(template: Template) -> Pattern | None:
    """Return a template without variables as a pattern; None if it has variables."""
    parts = tuple(part for part in template if not isinstance(part, Variable))
    return parts if len(parts) == len(template) else None


def resolve(template: Template, lookup: Lookup) -> Pattern | None:
    """Replace the variables of a template with values of the request.

    Values are literals: a `*` in a tag is not a wildcard. A variable has no value, and matches nothing, if its key is
    absent and it has no default, or if its key is multivalued, even with a default: observed on AWS in September 2026.

    Returns:
        The pattern, or None if a variable has no value.
    """
    parts: list[str | Wildcard] = []
    for part in template:
        if isinstance(part, Variable):
            value = _value_of(part, lookup)
            if value is None:
                return None
            parts.append(value)
        else:
            parts.append(part)
    return tuple(parts)


def _value_of(variable: Variable, lookup: Lookup) -> str | None:
    values = lookup(variable.key) or ()
    if variable.key in MULTIVALUED or len(values) > 1:
        return None
    return values[0] if values else variable.default


def utf16(text: str) -> str:
    """Return a string with one character per UTF-16 code unit, as AWS counts and case-folds characters."""
    if text.isascii() or max(text) < "\U00010000":
        return text
    units = text.encode("utf-16-le", "surrogatepass")
    return "".join(chr(low | high << 8) for low, high in zip(units[::2], units[1::2], strict=True))


def pattern_text(pattern: Pattern) -> str:
    """Return a pattern as a plain string."""
    return "".join(part.value if isinstance(part, Wildcard) else part for part in pattern)


@lru_cache(maxsize=4096)
def matcher(pattern: Pattern, *, arn: bool = False) -> Matcher:
    """Compile a pattern into a case-sensitive predicate over whole strings.

    Args:
        pattern: Literals and wildcards.
        arn: Whether wildcards stay within the ARN components that the first five colons separate, as for the Arn
            condition operators.

    Returns:
        The predicate. For each literal of the pattern, its time is linear in the string's length, independent of the
        number of wildcards.
    """
    if all(isinstance(part, str) for part in pattern):
        return pattern_text(pattern).__eq__
    if pattern == (Wildcard.MANY,):
        return _anything
    if not arn and len(pattern) == 2 and isinstance(pattern[0], str) and pattern[1] is Wildcard.MANY:
        prefix = pattern[0]
        return lambda text: text.startswith(prefix)
    expression = re.compile(_expression(pattern, arn=arn), re.DOTALL)
    if Wildcard.ONE in pattern:
        return lambda text: expression.fullmatch(utf16(text)) is not None
    return lambda text: expression.fullmatch(text) is not None


def _anything(_text: str) -> bool:
    return True


def _expression(pattern: Pattern, *, arn: bool) -> str:
    """Return a regular expression that backtracks over at most one wildcard.

    The first occurrence of each part between two `*` is enough for a match, so it is never retried: a lookahead with
    a back reference works as an atomic group. Only the part after the last `*` must be at the end of the string.
    """
    # (characters that the `*` before the part may match, pieces of the part)
    segments: list[tuple[str, list[str]]] = [("", [])]
    colons = 0
    for part in pattern:
        anything = "." if colons >= 5 or not arn else "[^:]"
        if part is Wildcard.MANY:
            segments.append((anything, []))
        elif part is Wildcard.ONE:
            segments[-1][1].append(anything)
        else:
            segments[-1][1].append(re.escape(utf16(part) if Wildcard.ONE in pattern else part))
            colons += part.count(":")
    out: list[str] = []
    for number, (anything, pieces) in enumerate(segments):
        segment = "".join(pieces)
        if number == 0:
            out.append(segment)
        elif number == len(segments) - 1:
            out.append(f"{anything}*{segment}")
        elif segment:
            out.append(f"(?=(?P<s{number}>{anything}*?{segment}))(?P=s{number})")
        else:
            # `**` is `*`: an empty part does not contain the fifth colon.
            continue
    return "".join(out)
