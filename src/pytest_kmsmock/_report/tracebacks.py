"""Tracebacks of this package's errors: they end at the line of the test.

The frames after it, in this package, the SDK and `contextlib`, only show where the error was raised.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

    from pytest_kmsmock.errors import KmsMockError

_OWN = str(Path(__file__).parents[1])
_SDK = frozenset({"aioboto3", "aiobotocore", "boto3", "botocore", "contextlib", "requests"})


def end_at_the_test(error: KmsMockError) -> None:
    """Cut the traceback of an error after the last line of the test, or of the code that it calls."""
    last, entry = None, error.__traceback__
    while entry is not None:
        if not _is_inner(entry.tb_frame):
            last = entry
        entry = entry.tb_next
    assert last is not None, "the first frames are pytest's"
    last.tb_next = None  # a shorter `excinfo.traceback` would not do: pytest follows the raw entries again


def _is_inner(frame: FrameType) -> bool:
    package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    return package in _SDK or frame.f_code.co_filename.startswith(_OWN)
