"""Processes that a test starts by `multiprocessing` (spawn, forkserver), which do not inherit its mock.

`multiprocessing` pickles the configuration of the current process for each such child, and a `_ChildGuard` in it. If a
mock is active then, unpickling it guards the child: its KMS calls go to the mock's server if there is one (option
`share_with_children`), else they are refused with an explanation. A forked child has a copy of the mock and needs no
guard.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from pytest_kmsmock._runtime import network_guard
from pytest_kmsmock._transport import gate

_NAME = "pytest_kmsmock"


def install(process: ModuleType, _early: bool) -> None:
    """Put a guard into the configuration that child processes get.

    Args:
        process: the module `multiprocessing.process`.
    """
    process.current_process()._config.setdefault(_NAME, _ChildGuard())  # noqa: SLF001 - what children inherit


class _ChildGuard:
    """Does nothing in its own process; unpickling it in a child calls `guard_child`."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        mock = gate.current()
        if mock is None:
            return dict, ()
        return guard_child, (mock.children_environment, os.environ.get("PYTEST_CURRENT_TEST"))


def guard_child(environment: Mapping[str, str], test: str | None) -> _ChildGuard:
    """Guard this process, which a test has started.

    Args:
        environment: the variables that point at the server of the test's mock; empty if there is none.
        test: the test.
    """
    from . import name_resolution

    os.environ.update(environment)
    network_guard.parent = f"test {test}" if test else "a process with a mock"
    name_resolution.install()
    return _ChildGuard()
