"""Which mock answers: those that are active, per task and per process.

A call is answered by the innermost mock entered in its own context (an asyncio task has one of its own), else by the
mock entered last in the process: threads started by a test see the test's mock, tasks that each enter a mock do not
see each other's.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from . import environment

if TYPE_CHECKING:
    from .handle import KmsMock

_in_context: ContextVar[KmsMock | None] = ContextVar("kms_mock", default=None)
_active: list[KmsMock] = []


def current() -> KmsMock | None:
    """Return the mock that answers calls made here and now; None if no mock is active."""
    if not _active:
        return None
    mock = _in_context.get()
    while mock is not None and not mock.active:
        mock = mock.outer
    return mock or _active[-1]


def enter(mock: KmsMock) -> None:
    """Make a mock the one that answers."""
    _active.append(mock)
    _in_context.set(mock)
    environment.apply(mock.options.region)


def leave(mock: KmsMock) -> None:
    """Let a mock answer no more; the one around it answers again."""
    _active.remove(mock)
    if _in_context.get() is mock:
        _in_context.set(mock.outer)
    if _active:
        environment.apply(_active[-1].options.region)
    else:
        environment.restore()
