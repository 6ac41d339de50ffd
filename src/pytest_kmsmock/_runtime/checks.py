"""Checks of what a test's author gives: types, numbers, account ids, Regions; what a misspelt name may have meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeGuard

from pytest_kmsmock.errors import InvalidOption, KmsMockError

__tracebackhide__ = True  # frames of this module: wrong options show the line that gives them, at import too

#: What account ids and names of Regions look like, Regions of the future among them.
ACCOUNT_ID = re.compile("[0-9]{12}")
REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]+")

#: What a value has to look like, and how that is said.
FORMS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "region": (REGION, "a Region such as 'eu-west-1'"),
    "account": (ACCOUNT_ID, "12 digits such as '111122223333', as a string"),
    "hygiene": (re.compile("off|warn|error"), "'off', 'warn' or 'error'"),
    "unused_faults": (re.compile("off|warn|error"), "'off', 'warn' or 'error'"),
}


def check_form(name: str, value: object, where: str) -> None:
    """Validate a value of a kind, such as a Region.

    Args:
        name: the kind, one of `FORMS`.
        value: what was given.
        where: where it was given, for the error message.

    Raises:
        InvalidOption: it does not look like one; the message begins with `where`.
    """
    form, expected = FORMS[name]
    if not isinstance(value, str) or not form.fullmatch(value):
        raise InvalidOption(f"{where}: {name} must be {expected}, not {value!r}.")


def check_type(
    value: object,
    kind: type | tuple[type, ...],
    named: str,
    expected: str = "True or False",
    error: type[KmsMockError] = InvalidOption,
) -> None:
    """Refuse a value of another type; a boolean is not a number.

    Args:
        value: what was given.
        kind: the type that it has to be of.
        named: of what it was given, such as `serve(): port`.
        expected: what it must be, in words.
        error: what is raised.

    Raises:
        KmsMockError: of the class `error`.
    """
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise error(f"{named} must be {expected}, not {value!r}.")


def is_whole(value: object) -> TypeGuard[int]:
    """Say whether a value is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> TypeGuard[int | float]:
    """Say whether a value is a number that is finite."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")


#: What other libraries call it -> what it is called here.
_SYNONYMS = {
    "count": "times", "limit": "times", "n": "times", "repeat": "times", "code": "error", "exception": "error",
    "latency": "delay", "sleep": "delay", "probability": "rate", "skip": "after", "caller": "principal",
    "role": "principal", "user": "principal",
}  # fmt: skip


def closest(name: object, known: Iterable[str], count: int = 1) -> list[str]:
    """Return which of the known names a misspelt one may have meant, the likeliest first, in whatever case."""
    import difflib  # only who mistypes a name needs it

    by_lower = {entry.lower(): entry for entry in known}
    synonym = _SYNONYMS.get(str(name).lower())
    if synonym in by_lower:
        return [synonym]
    return [by_lower[match] for match in difflib.get_close_matches(str(name).lower(), by_lower, count)]


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return ` Did you mean 'Encrypt'?`, for the end of a message; nothing if no known name is like the given one."""
    close = closest(name, known)
    return f" Did you mean {close[0]!r}?" if close else ""
