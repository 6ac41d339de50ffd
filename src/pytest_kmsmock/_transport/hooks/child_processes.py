"""Processes that a test starts by `multiprocessing` (spawn, forkserver): they know nothing of its mock.

Every process object that goes to such a child carries a passenger. If a mock is active when it leaves, the passenger
guards the child: it reaches the mock's server if there is one (option `share_with_children`), else its KMS calls are
refused and say why. A forked child has a copy of the mock and needs none of this.
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
    """Let processes that are made from now on carry the passenger.

    Args:
        process: the module `multiprocessing.process`.
    """
    process.current_process()._config.setdefault(_NAME, _Passenger())  # noqa: SLF001 - what children inherit


class _Passenger:
    """Nothing in its own process; in a child, what `arrive` leaves."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        mock = gate.current()
        if mock is None:
            return dict, ()
        return arrive, (mock.children_environment, os.environ.get("PYTEST_CURRENT_TEST"))


def arrive(environment: Mapping[str, str], test: str | None) -> _Passenger:
    """Guard this process, which a test has started.

    Args:
        environment: leads to the server of the test's mock; empty if there is none.
        test: which test it was.
    """
    from . import name_resolution

    os.environ.update(environment)
    network_guard.parent = f"test {test}" if test else "a process with a mock"
    name_resolution.install()
    return _Passenger()
