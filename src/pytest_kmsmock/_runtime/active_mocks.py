"""The active mocks of the process, and which of them answers a call.

The innermost mock entered in the call's context answers, else the mock entered last in the process. So threads started
by a test, which have an empty context, use the test's mock; concurrent tasks of asyncio or trio that each enter a mock
use their own.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

from . import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .options import Options


class ActiveMock(Protocol):
    """A mock, as this module uses it.

    Attributes:
        options: its options.
        outer: the mock that this one is nested in, if any.
        region: its default Region, such as `us-east-1`.
        locks: the locks that its calls hold, in the order of acquisition.
        apart: whether it was entered in a task or outside the main thread: then mocks of others do not nest in it.
        active: whether it answers calls.
    """

    options: Options
    apart: bool
    active: bool

    @property
    def outer(self) -> ActiveMock | None: ...

    @property
    def region(self) -> str: ...

    @property
    def locks(self) -> Sequence[Lock]: ...


class Lock(Protocol):
    """A lock of `threading` or of the fake KMS."""

    def acquire(self) -> object: ...

    def release(self) -> object: ...


_in_context: ContextVar[ActiveMock | None] = ContextVar("kms_mock", default=None)
_active: list[ActiveMock] = []
#: Held while a mock is entered or left: the environment is shared by all threads.
_changing = threading.RLock()
_held_for_fork: list[Lock] = []

#: Called with each mock that is entered; used by reports.
watchers: list[Callable[[Any], None]] = []


def current() -> ActiveMock | None:
    """Return the mock that answers calls in this context; None if no mock is active."""
    mock = _in_context.get()
    if mock is not None and mock.active:  # nearly always
        return mock
    return enclosing() or (_active[-1] if _active else None)


def enclosing() -> ActiveMock | None:
    """Return the mock that a mock entered in this context nests in: never one of another task or thread."""
    if not _active:
        return None
    mock = _in_context.get()
    while mock is not None and not mock.active:
        mock = mock.outer
    return mock or next((mock for mock in reversed(_active) if not mock.apart), None)


def active() -> tuple[Any, ...]:
    """Return the active mocks of the process, in the order in which they were entered."""
    return tuple(_active)


def is_any_active() -> bool:
    """Say whether any mock is active in the process."""
    return bool(_active)


def is_apart() -> bool:
    """Say whether this code runs in a task, or outside the main thread."""
    return in_task() or threading.current_thread() is not threading.main_thread()


def in_task() -> bool:
    """Say whether this code runs in a task of asyncio or trio, if they are imported."""
    if trio_here() is not None:
        return True
    asyncio = sys.modules.get("asyncio")
    # Without a running loop `current_task` raises, which would slow down entering each mock.
    loop = None if asyncio is None else asyncio._get_running_loop()  # noqa: SLF001 - exported by asyncio.events
    return loop is not None and sys.modules["asyncio"].current_task(loop) is not None


def trio_here() -> Any:
    """Return the module `trio` if this code runs in a task of trio, else None."""
    trio = sys.modules.get("trio")
    return trio if trio is not None and trio.lowlevel.in_trio_task() else None


def enter(mock: ActiveMock) -> None:
    """Make a mock active."""
    with _changing:
        _watch_forks()
        environment.begin(mock)
        _active.append(mock)
        _in_context.set(mock)
        environment.apply(mock.options.region)
        for watch in watchers:
            watch(mock)


def leave(mock: ActiveMock) -> None:
    """End a mock, if it is active; its outer mock answers again."""
    with _changing:
        environment.end(mock)
        if _active and _active[-1] is mock:  # nearly always
            _active.pop()
        elif mock in _active:
            _active.remove(mock)
        if _in_context.get() is mock:
            _in_context.set(mock.outer)
        if _active:
            environment.apply(_active[-1].options.region)
        else:
            environment.restore()


def other_began(other: object) -> None:
    """Note that another library, such as moto, begins to change the environment and boto3's default session."""
    with _changing:
        environment.begin(other)


def other_ended(other: object, session: Any) -> None:
    """Note that another library has restored what it had changed; apply again what active mocks need.

    Args:
        other: the library.
        session: boto3's default session just before that.
    """
    with _changing:
        environment.end_other(other, session)
        if _active:
            environment.apply(_active[-1].options.region)


# --- fork ---------------------------------------------------------------------------------------------------------


def _before_fork() -> None:
    """Wait for calls of other threads, so that the child has no lock held and no change half done."""
    _changing.acquire()
    for lock in dict.fromkeys(lock for mock in _active for lock in mock.locks):
        lock.acquire()
        _held_for_fork.append(lock)


def _after_fork() -> None:
    while _held_for_fork:
        _held_for_fork.pop().release()
    _changing.release()


@functools.cache
def _watch_forks() -> None:
    """Register the two above, once a mock is entered: a process that never uses KMS has nothing to do for them."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
