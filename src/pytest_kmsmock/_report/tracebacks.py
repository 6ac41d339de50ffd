"""Tracebacks of this package's errors: they end at the line of the test.

The frames after it, in this package, the SDK and `contextlib`, only show where the error was raised. The options of a
decorated or marked test are read when it starts, with no line of the test running: then its definition is shown.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

from pytest_kmsmock._runtime.checks import MISUSE
from pytest_kmsmock.errors import KmsMockError

if TYPE_CHECKING:
    from types import FrameType, TracebackType

_E = TypeVar("_E", bound=BaseException)

_OWN = str(Path(__file__).parents[1])
_SDK = frozenset({"aioboto3", "aiobotocore", "boto3", "botocore", "contextlib", "requests"})
#: What runs tests, besides plugins of pytest.
_RUNNERS = frozenset({"_pytest", "anyio", "asyncio", "pluggy", "trio", "unittest"})


def clarified(raised: pytest.ExceptionInfo[BaseException], item: pytest.Item) -> pytest.ExceptionInfo[BaseException]:
    """Return an error as reports show it: misuse names the attribute that was meant, or ends at the test."""
    error = raised.value
    if isinstance(error, AttributeError) and str(type(error.obj).__module__).startswith("pytest_kmsmock."):
        from .attributes import explain

        explain(error)
    is_misuse = isinstance(error, KmsMockError) or hasattr(error, MISUSE)
    if not is_misuse or item.config.getoption("fulltrace"):
        return raised
    return ending_at_the_test(raised, definition(item), item.name)


def definition(node: pytest.Item | pytest.Collector) -> tuple[str, int]:
    """Return file and line of a test, class, module or folder."""
    report_info = getattr(node, "reportinfo", None)
    path, line, _ = (node.path, None, "") if report_info is None else report_info()
    return str(path), (line or 0) + 1


def ending_at_the_test(
    raised: pytest.ExceptionInfo[_E], definition: tuple[str, int], name: str
) -> pytest.ExceptionInfo[_E]:
    """Cut the traceback of an error after the last line of the test, or of the code that it calls.

    Args:
        raised: the error.
        definition: file and line of the test.
        name: the name of the test.
    """
    last: TracebackType | None = None
    entry: TracebackType | None = raised.tb
    while entry is not None:
        if not _is_inner(entry.tb_frame):
            last = entry
        entry = entry.tb_next
    if last is None:
        return _raised_at(raised.value, *definition, name)
    last.tb_next = None  # a shorter `excinfo.traceback` would not do: pytest follows the raw entries again
    return raised


def _is_inner(frame: FrameType) -> bool:
    package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    is_runner = package in _RUNNERS or package.startswith("pytest_")
    return is_runner or package in _SDK or frame.f_code.co_filename.startswith(_OWN)


def _raised_at(error: _E, path: str, line: int, name: str) -> pytest.ExceptionInfo[_E]:
    """Return the error with one line as its traceback. Only code that runs has a traceback, so some code runs there."""
    code = compile("raise error", path, "exec").replace(co_firstlineno=line, co_name=name)
    with contextlib.suppress(type(error)):
        exec(code, {"error": error.with_traceback(None)})
    assert error.__traceback__ is not None, "it was raised"
    return pytest.ExceptionInfo.from_exception(error.with_traceback(error.__traceback__.tb_next))
