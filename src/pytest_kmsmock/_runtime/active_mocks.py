"""Which mock answers: those that are active, per task and per process.

A call is answered by the innermost mock entered in its own context, else by the mock entered last in the process. So
threads started by a test, which have an empty context, see the test's mock; asyncio tasks that each enter a mock see
their own and not each other's (tasks of trio too).
"""

from __future__ import annotations

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
    """A mock, as far as it matters for which one answers.

    Attributes:
        options: its options.
        outer: the mock that this one is nested in, if any.
        region: its default Region, such as `us-east-1`.
        locks: what its calls hold, in the order in which they take them.
        apart: whether it was entered in a task, or in a thread other than the main one: then others do not nest in it.
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
    """What `threading` and what the fake KMS lock with."""

    def acquire(self) -> object: ...

    def release(self) -> object: ...


_in_context: ContextVar[ActiveMock | None] = ContextVar("kms_mock", default=None)
_active: list[ActiveMock] = []
#: Held while a mock is entered or left: threads do so at once, and the environment is one for all.
_changing = threading.RLock()
_held_for_fork: list[Lock] = []

#: Told of each mock that is entered; reports watch here. They know nothing of who enters it, or why.
watchers: list[Callable[[Any], None]] = []


def current() -> ActiveMock | None:
    """Return the mock that answers calls made here and now; None if no mock is active."""
    mock = _in_context.get()
    if mock is not None and mock.active:  # nearly always
        return mock
    return enclosing() or (_active[-1] if _active else None)


def enclosing() -> ActiveMock | None:
    """Return the mock that a mock entered here and now is nested in: never one of another task or thread."""
    if not _active:
        return None
    mock = _in_context.get()
    while mock is not None and not mock.active:
        mock = mock.outer
    return mock or next((mock for mock in reversed(_active) if not mock.apart), None)


def active() -> tuple[Any, ...]:
    """Return the mocks that are active in the process, in the order in which they were entered."""
    return tuple(_active)


def is_any_active() -> bool:
    """Say whether any mock is active in the process."""
    return bool(_active)


def is_apart() -> bool:
    """Say whether this code runs in a task, or in a thread that is not the main one."""
    return in_task() or threading.current_thread() is not threading.main_thread()


def in_task() -> bool:
    """Say whether this code runs in a task of asyncio or trio. Code that has not imported them runs in none."""
    if trio_here() is not None:
        return True
    asyncio = sys.modules.get("asyncio")
    # `current_task` alone raises where no loop runs, which every mock that is entered would pay for.
    loop = None if asyncio is None else asyncio._get_running_loop()  # noqa: SLF001 - exported by asyncio.events
    return loop is not None and sys.modules["asyncio"].current_task(loop) is not None


def trio_here() -> Any:
    """Return the module `trio` if this code runs in a task of trio, else None."""
    trio = sys.modules.get("trio")
    return trio if trio is not None and trio.lowlevel.in_trio_task() else None


def enter(mock: ActiveMock) -> None:
    """Make a mock the one that answers."""
    with _changing:
        environment.begin(mock)
        _active.append(mock)
        _in_context.set(mock)
        environment.apply(mock.options.region)
        for watch in watchers:
            watch(mock)


def leave(mock: ActiveMock) -> None:
    """Let a mock answer no more, if it does; the one around it answers again."""
    with _changing:
        environment.end(mock)
        if mock in _active:
            _active.remove(mock)
        if _in_context.get() is mock:
            _in_context.set(mock.outer)
        if _active:
            environment.apply(_active[-1].options.region)
        else:
            environment.restore()


def other_began(other: object) -> None:
    """Note that somebody else, as moto, begins to change the environment and boto3's default session."""
    with _changing:
        environment.begin(other)


def other_ended(other: object, session: Any) -> None:
    """Note that somebody else has put back what it had changed; mocks that go on still need what they had set.

    Args:
        other: who it is.
        session: boto3's default session just before that.
    """
    with _changing:
        environment.end_other(other, session)
        if _active:
            environment.apply(_active[-1].options.region)


# --- fork ---------------------------------------------------------------------------------------------------------


def _before_fork() -> None:
    """Let no other thread be inside a call, so that the child finds no lock held and no change half done."""
    _changing.acquire()
    for lock in dict.fromkeys(lock for mock in _active for lock in mock.locks):
        lock.acquire()
        _held_for_fork.append(lock)


def _after_fork() -> None:
    while _held_for_fork:
        _held_for_fork.pop().release()
    _changing.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
