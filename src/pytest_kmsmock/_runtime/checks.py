"""Validation of arguments: types, numbers, account ids, Regions, files; suggestions for misspelt names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import TypeGuard

from pytest_kmsmock.errors import InvalidOption, KmsMockError

__tracebackhide__ = (
    True  # pytest hides frames of this module, so that wrong options show the user's line, also at import
)

#: Attribute of an error of another library which tells the author of a test of a mistake, as `KmsMockError`s do.
MISUSE = "misuse_of_kms_mock"

#: Forms of account ids and Regions, including future Regions.
ACCOUNT_ID = "[0-9]{12}"
REGION = r"[a-z]{2,4}(-[a-z]+)+-[0-9]+"

#: Kind of value -> its form, and its description.
FORMS: Mapping[str, tuple[str, str]] = {
    "region": (REGION, "a Region such as 'eu-west-1'"),
    "account": (ACCOUNT_ID, "12 digits such as '111122223333', as a string"),
    "hygiene": ("off|warn|error", "'off', 'warn' or 'error'"),
    "unused_faults": ("off|warn|error", "'off', 'warn' or 'error'"),
}


def check_form(name: str, value: object, where: str) -> None:
    """Validate a value of a kind, such as a Region.

    Args:
        name: the kind, one of `FORMS`.
        value: what was given.
        where: where it was given, for the error message.

    Raises:
        InvalidOption: the value has another form; the message begins with `where`.
    """
    form, expected = FORMS[name]
    if not isinstance(value, str) or not re.fullmatch(form, value):
        raise InvalidOption(f"{where}: {name} must be {expected}, not {value!r}.")


def check_type(
    value: object,
    kind: type | tuple[type, ...],
    named: str,
    expected: str = "True or False",
    error: type[KmsMockError] = InvalidOption,
) -> None:
    """Validate the type of a value; a boolean is not a number.

    Args:
        value: what was given.
        kind: the expected type.
        named: its name in messages, such as `serve(): port`.
        expected: the description of expected values.
        error: the class of the error.

    Raises:
        KmsMockError: the value has another type; of the class `error`.
    """
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise error(f"{named} must be {expected}, not {value!r}.")


def check_path(value: object, named: str) -> None:
    """Validate the path of a file or folder, which need not exist.

    Args:
        value: what was given.
        named: its name in messages, such as `dump(): path`.

    Raises:
        InvalidOption: no path, or one that no file can have.
    """
    check_type(value, (str, os.PathLike), named, "the path of a file")
    assert isinstance(value, str | os.PathLike)
    try:
        encoded = os.fsencode(value)
    except UnicodeEncodeError:
        encoded = b""
    if not encoded or b"\0" in encoded:
        raise InvalidOption(f"{named} must be the path of a file, not {value!r}.")


def is_whole(value: object) -> TypeGuard[int]:
    """Say whether a value is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> TypeGuard[int | float]:
    """Say whether a value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")


def unreadable(path: str | os.PathLike[str], error: OSError | ValueError) -> str:
    """Return why a file cannot be read, and where it was looked for.

    Args:
        path: the file.
        error: a ValueError for a path with a null byte, or for content that Python cannot read.
    """
    if isinstance(error, FileNotFoundError):
        from pathlib import Path

        start = f" in {Path.cwd()} (relative paths start from the working directory)"
        return f"{path} does not exist{'' if Path(path).is_absolute() else start}"
    return f"{path} cannot be read: {getattr(error, 'strerror', None) or error}"


#: Name in other libraries -> name here.
_SYNONYMS = {
    "count": "times", "limit": "times", "n": "times", "repeat": "times", "code": "error", "exception": "error",
    "latency": "delay", "sleep": "delay", "probability": "rate", "skip": "after", "caller": "principal",
    "role": "principal", "user": "principal", "raises": "error", "key_spec": "spec", "key_usage": "usage",
    "as_role": "as_principal", "as_user": "as_principal", "assume_role": "as_principal", "tick": "advance",
    "travel": "move_to", "key_id": "id", "name": "alias",
}  # fmt: skip


def closest(name: object, known: Iterable[str], count: int = 1) -> list[str]:
    """Return the known names that are most similar to a misspelt one, best first, whatever their case."""
    import difflib  # needed for misspelt names only

    by_lower = {entry.lower(): entry for entry in known}
    synonym = _SYNONYMS.get(str(name).lower())
    if synonym in by_lower:
        return [synonym]
    return [by_lower[match] for match in difflib.get_close_matches(str(name).lower(), by_lower, count)]


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return a suggestion for the end of a message, ` Did you mean 'Encrypt'?`; empty if no name is similar."""
    close = closest(name, known)
    return f" Did you mean {close[0]!r}?" if close else ""
