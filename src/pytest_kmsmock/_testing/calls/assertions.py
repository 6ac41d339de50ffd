"""Assertions about the calls of a mock; failures show the closest calls and their differences.

`KmsMock` has a method for each. `formatting` has the texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NoReturn

from pytest_kmsmock._kms.call.short_repr import format_request
from pytest_kmsmock.errors import InvalidCallPattern

from . import formatting
from .call_pattern import CallPattern

if TYPE_CHECKING:
    from pytest_kmsmock._kms.state.state import State

    from .call_list import Calls


def assert_called(
    calls: Calls, state: State, operation: str, times: int | None, params: Mapping[str, object]
) -> None:  # fmt: skip
    """Fail unless an operation was called with these parameters: at least once, or exactly `times` times."""
    __tracebackhide__ = True
    _check_given(operation, "assert_called")
    if times is not None and (type(times) is not int or times < 0):
        raise InvalidCallPattern(f"assert_called: times must be the exact number of calls, not {times!r}.")
    pattern = CallPattern(operation, params, ["times"])
    matching = calls.of(operation, **params)
    if matching if times is None else len(matching) == times:
        return
    expected = "" if times is None else f" {formatting.count(times)}"
    lines = [f"Expected KMS call{expected}: {format_request(operation, params)}"]
    if matching:
        lines.append(f"It was made {formatting.count(len(matching))}:")
        lines += formatting.listing(matching)
    else:
        lines += formatting.nearest(pattern, calls, state)
    _fail(lines)


def assert_not_called(calls: Calls, operation: str | None, params: Mapping[str, object]) -> None:
    """Fail if an operation, or any for None, was called with these parameters."""
    __tracebackhide__ = True
    matching = calls.of(operation, **params)
    if matching:
        what = format_request(operation, params) if operation or params else "any"
        made = f"It was made {formatting.count(len(matching))}:"
        _fail([f"Expected no KMS call: {what}", made, *formatting.listing(matching)])


def assert_only_called(calls: Calls, state: State, operation: str, params: Mapping[str, object]) -> None:
    """Fail unless an operation was called with these parameters, and nothing else was called."""
    __tracebackhide__ = True
    _check_given(operation, "assert_only_called")
    pattern = CallPattern(operation, params)
    others = [record for record in calls if not pattern.matches(record, state)]
    what = format_request(operation, params)
    if not calls:
        _fail([f"Expected only KMS calls: {what}", "No KMS call was made at all."])
    if others:
        found = f"{len(others)} of {len(calls)} calls were others."
        _fail([f"Expected only KMS calls: {what}", found, *formatting.others(pattern, others, state)])


def _check_given(operation: object, assertion: str) -> None:
    """Require an operation: without one, any call would match."""
    if operation is None:
        raise InvalidCallPattern(f"{assertion} needs an operation, such as 'Decrypt'. kms_mock.calls has all calls.")


def _fail(lines: list[str]) -> NoReturn:
    __tracebackhide__ = True
    raise AssertionError("\n".join(lines))
