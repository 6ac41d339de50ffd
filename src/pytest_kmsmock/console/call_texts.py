"""Calls as text, for failures and reports. Nothing is hidden here: long values are cut."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from .matching import ABSENT, CallPattern, Difference

if TYPE_CHECKING:
    from ..service.service import CallRecord
    from ..service.state import State

#: How many calls a failure shows at most.
_SHOWN = 5
_LONGEST = 64  # characters of a text
_BYTES_SHOWN = 16


class _Short(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 2 * _LONGEST
        self.maxlist = self.maxtuple = self.maxdict = 20
        self.maxlevel = 8

    def repr_bytes(self, value: bytes, _level: int) -> str:
        if len(value) <= 2 * _BYTES_SHOWN:
            return repr(value)
        return f"{value[:_BYTES_SHOWN]!r}… ({len(value)} bytes)"


_short = _Short()


def value(what: object) -> str:
    """Return a value as text of reasonable length."""
    if what is ABSENT or what is None:
        return "(absent)"
    name = getattr(what, "__qualname__", None)
    if callable(what) and name is not None:
        return f"<{name}>" if not name.startswith("<") else name
    return _short.repr(what)


def request(operation: str | None, members: Mapping[str, object]) -> str:
    """Return an operation with members, as `Decrypt(KeyId='…')`."""
    return f"{operation or 'any operation'}({', '.join(f'{name}={value(item)}' for name, item in members.items())})"


def line(record: CallRecord, *, of_account: str | None = None) -> str:
    """Return a call as one line: what was called, by whom if it is not the mock's own account, and how it ended.

    Args:
        record: the call.
        of_account: the account whose administrator is not worth a mention.
    """
    parts = [request(record.operation, record.params)]
    if not record.caller.administrator or record.account != of_account:
        parts.append(f"by {record.caller.arn}")
    parts.append(f"in {record.region}")
    if record.error is not None:
        injected = " (injected)" if record.injected else ""
        parts.append(f"-> {record.error.code}{injected}{f': {record.error.message}' if record.error.message else ''}")
    return " ".join(parts)


def differences(found: Iterable[Difference]) -> list[str]:
    """Return where a call is not as expected, a line each."""
    return [f"{path}: expected {value(expected)}, got {value(actual)}" for path, expected, actual in found]


def count(number: int) -> str:
    """Return a number of times in words."""
    return {0: "never", 1: "once", 2: "twice"}.get(number, f"{number} times")


def nearest(pattern: CallPattern, calls: Sequence[CallRecord], state: State) -> list[str]:
    """Return the calls that come nearest to what was looked for, and what about them differs.

    Those of the same operation come first, then those with fewer differences, then the later ones.
    """
    if not calls:
        return ["No KMS call was made at all."]
    compared = [(pattern.differences(record, state), index) for index, record in enumerate(calls)]
    compared.sort(key=lambda entry: (entry[0] != [] and entry[0][0].path == "operation", len(entry[0]), -entry[1]))
    same = [entry for entry in compared if not (entry[0] and entry[0][0].path == "operation")]
    lines: list[str] = []
    if pattern.operation is not None and not same:
        lines.append(f"{pattern.operation} was not called. The calls made:")
        lines += listing(calls)
        return lines
    lines.append("The nearest calls:")
    for found, index in same[:_SHOWN]:
        lines.append(f"  - {line(calls[index])}")
        lines += [f"      {text}" for text in differences(found)]
    lines += _rest(len(same))
    return lines


def listing(calls: Sequence[CallRecord]) -> list[str]:
    """Return the last calls, a line each."""
    first = max(0, len(calls) - _SHOWN)
    return [*(f"  - {line(record)}" for record in calls[first:]), *_rest(len(calls))]


def _rest(total: int) -> list[str]:
    return [f"  … and {total - _SHOWN} more"] if total > _SHOWN else []
