"""Text patterns of the policy language: wildcards and policy variables, compiled into matchers.

Everything that compares a text of a policy with a text of a request goes through `matcher` here. What the
texts mean (actions, ARNs, condition values) is decided by the modules that call it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Lookup: TypeAlias = "Callable[[str], tuple[str, ...] | None]"
"""Gives the values of a condition key (named in lower case) in the request, or None if it is absent."""


#: Condition keys that have a list of values. A key that a test gives several values is taken for one, too.
MULTIVALUED = frozenset({
    "aws:calledvia", "aws:principalorgpaths", "aws:principalservicenameslist", "aws:resourceorgpaths",
    "aws:sourceorgpaths", "aws:tagkeys", "aws:vpceorgpaths", "kms:encryptioncontextkeys", "kms:grantoperations",
    "kms:resourcealiases",
})  # fmt: skip


class Wildcard(Enum):
    """A wildcard character that acts as one, unlike `${*}` or one that came out of a variable."""

    MANY = "*"
    ONE = "?"


@dataclass(frozen=True, slots=True)
class Variable:
    """A policy variable such as `${aws:username}` or `${aws:PrincipalTag/team, 'none'}`.

    Attributes:
        key: Condition key that gives the value, in lower case.
        default: Text to use when the request lacks the key; None if the variable has no default.
    """

    key: str
    default: str | None


Pattern: TypeAlias = "tuple[str | Wildcard, ...]"
Template: TypeAlias = "tuple[str | Wildcard | Variable, ...]"
Matcher: TypeAlias = "Callable[[str], bool]"

_SPECIAL = {"*", "?", "$"}
# The dollar escape `${$}` stands for itself: what it makes can never start another variable.
_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_WITH_DEFAULT = re.compile(r"\s*([^,]*?)\s*,\s*'([^']*)'\s*")


def parse_template(text: str, *, variables: bool, wildcards: bool = True) -> Template:
    """Split a policy text into literals, wildcards and variables.

    Args:
        text: The text as it stands in the policy.
        variables: Whether `${…}` is a variable: true for policies of version 2012-10-17.
        wildcards: Whether `*` and `?` are wildcards.

    Returns:
        The parts in order. Literal parts hold neither variables nor wildcards that act.

    See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    parts: list[str | Wildcard | Variable] = []
    end = 0
    for found in _VARIABLE.finditer(text) if variables else ():
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
    with_default = _WITH_DEFAULT.fullmatch(inside)
    if with_default:
        return Variable(with_default[1].lower(), with_default[2])
    return Variable(inside.strip().lower(), None)


def no_context(_key: str) -> tuple[str, ...] | None:
    """Be the lookup of a request without condition keys."""
    return None


def constant(template: Template) -> Pattern | None:
    """Give a template as the pattern that it is for every request; None if it has variables."""
    parts = tuple(part for part in template if not isinstance(part, Variable))
    return parts if len(parts) == len(template) else None


def resolve(template: Template, lookup: Lookup) -> Pattern | None:
    """Put the request's values in place of the variables.

    Values are literals: a `*` in a tag does not act as a wildcard. A variable whose key is absent and that has no
    default has no value, and nothing equals it. One whose key has a list of values has none either, nor its default:
    observed on AWS in September 2026.

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
    """Return a text with a character for each UTF-16 unit, which is how AWS counts and folds characters."""
    if text.isascii() or max(text) <= "\uffff":
        return text
    units = text.encode("utf-16-le", "surrogatepass")
    return "".join(chr(low | high << 8) for low, high in zip(units[::2], units[1::2], strict=True))


def text_of(pattern: Pattern) -> str:
    """Write a pattern out as plain text."""
    return "".join(part.value if isinstance(part, Wildcard) else part for part in pattern)


@lru_cache(maxsize=4096)
def matcher(pattern: Pattern, *, arn: bool = False) -> Matcher:
    """Compile a pattern into a predicate over whole texts; case-sensitive.

    Args:
        pattern: Literals and wildcards.
        arn: Whether the first five colons separate ARN components that no wildcard crosses, as the Arn
            condition operators want it.

    Returns:
        A function that says whether a text matches. It takes time linear in the text for each literal of the
        pattern, whatever the number of wildcards.
    """
    if all(isinstance(part, str) for part in pattern):
        return text_of(pattern).__eq__
    if pattern == (Wildcard.MANY,) and not arn:
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
    """Write a pattern as a regular expression that never backtracks over more than one wildcard.

    What stands between two `*` is found at its first place and kept (a lookahead with a back reference is an
    atomic group), which is all a match needs. Only after the last `*` is the end tried.
    """
    # One element for each stretch between two `*`; the class says which characters the `*` before it may take.
    stretches: list[tuple[str, list[str]]] = [("", [])]
    colons = 0
    for part in pattern:
        anything = "." if colons >= 5 or not arn else "[^:]"
        if part is Wildcard.MANY:
            stretches.append((anything, []))
        elif part is Wildcard.ONE:
            stretches[-1][1].append(anything)
        else:
            stretches[-1][1].append(re.escape(utf16(part) if Wildcard.ONE in pattern else part))
            colons += part.count(":")
    out: list[str] = []
    for number, (anything, pieces) in enumerate(stretches):
        stretch = "".join(pieces)
        if number == 0:
            out.append(stretch)
        elif number == len(stretches) - 1:
            out.append(f"{anything}*{stretch}")
        elif stretch:
            out.append(f"(?=(?P<s{number}>{anything}*?{stretch}))(?P=s{number})")
        else:
            # `**` is `*`: if the fifth colon stood between the two, the stretch would not be empty.
            continue
    return "".join(out)
