"""Comparing an answer with the expected one, member by member."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from pytest_kmsmock._record import Record

from .scenario import Expected
from .targets import Answer

#: What the values of a matcher `$type` mean.
_TYPES: Mapping[str, type] = {
    "blob": bytes,
    "text": str,
    "time": datetime,
    "number": int,
    "structure": dict,
    "list": list,
}
#: How many seconds an expected time may be off: a slow network and another clock explain as much.
_TOLERANCE = 120.0


class Difference(Record):
    """A difference: in `code`, `message`, or the path of a member."""

    where: str
    expected: Any
    actual: Any


def differences(expected: Expected, answer: Answer) -> list[Difference]:
    """Return how an answer differs from the expected one, whose references are resolved.

    Args:
        expected: what AWS answers.
        answer: what came.
    """
    if expected.error != answer.error:
        return [
            Difference(
                "code", expected.error or "success", (answer.error and f"{answer.error}: {answer.message}") or "success"
            )
        ]
    if expected.error is not None:
        return [] if expected.message is None else list(_compare("message", expected.message, answer.message))
    return list(_members(expected, answer.members))


def _members(expected: Expected, members: Mapping[str, Any]) -> Iterator[Difference]:
    if expected.members is not None and set(expected.members) != set(members):
        yield Difference("members", sorted(expected.members), sorted(members))
    for path in expected.absent:
        if path in members:
            yield Difference(path, "absent", members[path])
    if expected.answer is not None:
        yield from _compare("", expected.answer, members)


def _compare(where: str, expected: Any, actual: Any) -> Iterator[Difference]:
    if isinstance(expected, Mapping):
        yield from _compare_mapping(where, expected, actual)
    elif isinstance(expected, list):
        if not isinstance(actual, list) or len(actual) != len(expected):
            yield Difference(where, expected, actual)
            return
        for place, (wanted, found) in enumerate(zip(expected, actual, strict=True)):
            yield from _compare(f"{where}[{place}]", wanted, found)
    elif isinstance(actual, bytes) and isinstance(expected, str):
        yield from _compare(where, expected.encode(), actual)
    elif expected != actual or isinstance(expected, bool) is not isinstance(actual, bool):
        yield Difference(where, expected, actual)


def _compare_mapping(where: str, expected: Mapping[str, Any], actual: Any) -> Iterator[Difference]:
    for name, wanted in expected.items():
        if name in _MATCHERS:
            yield from _MATCHERS[name](where, wanted, actual)
        elif not isinstance(actual, Mapping) or name not in actual:
            yield Difference(f"{where}.{name}".lstrip("."), wanted, None)
        else:
            yield from _compare(f"{where}.{name}".lstrip("."), wanted, actual[name])


# --- matchers --------------------------------------------------------------------------------------------------------


def _when(test: Callable[[Any, Any], bool], name: str) -> Callable[[str, Any, Any], Iterator[Difference]]:
    def match(where: str, wanted: Any, actual: Any) -> Iterator[Difference]:
        try:
            agrees = actual is not None and test(wanted, actual)
        except (LookupError, TypeError):  # the items of another target may lack a member
            agrees = False
        if not agrees:
            yield Difference(where, {name: wanted}, actual)

    return match


def _contains(where: str, wanted: Any, actual: Any) -> Iterator[Difference]:
    """Every expected item is in the list, in any order."""
    for each in wanted:
        if not isinstance(actual, list) or all(list(_compare(where, each, item)) for item in actual):
            yield Difference(where, {"$contains": each}, actual)


def _any_order(where: str, wanted: Any, actual: Any) -> Iterator[Difference]:
    if not isinstance(actual, list) or len(actual) != len(wanted):
        yield Difference(where, wanted, actual)
    else:
        yield from _contains(where, wanted, actual)


def _is_sorted_by(name: str, items: list[Any]) -> bool:
    values = [item[name] for item in items]
    return values == sorted(values)


def _is_around(wanted: datetime, actual: Any) -> bool:
    return isinstance(actual, datetime) and abs((actual - wanted).total_seconds()) <= _TOLERANCE


_MATCHERS: Mapping[str, Callable[[str, Any, Any], Iterator[Difference]]] = {
    "$type": _when(lambda wanted, actual: isinstance(actual, _TYPES[wanted]), "$type"),
    "$length": _when(lambda wanted, actual: len(actual) == wanted, "$length"),
    "$matches": _when(lambda wanted, actual: re.fullmatch(wanted, str(actual), re.DOTALL) is not None, "$matches"),
    "$base64_starts": _when(
        lambda wanted, actual: base64.b64encode(actual).decode().startswith(wanted), "$base64_starts"
    ),
    "$members": _when(lambda wanted, actual: set(wanted) == set(actual), "$members"),
    "$absent": _when(lambda wanted, actual: not set(wanted) & set(actual), "$absent"),
    "$sorted_by": _when(_is_sorted_by, "$sorted_by"),
    "$around": _when(_is_around, "$around"),
    "$contains": _contains,
    "$any_order": _any_order,
}
