"""When the ways in are laid: botocore's at the first mock, those of other libraries once they are in use.

What is laid lets everything pass while no mock is active, and stays; the guard of name look-ups goes with the last
mock.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from . import botocore_hook, child_processes, name_resolution, requests_hook


def install(last: Iterable[tuple[str, Callable[..., Any]]] = ()) -> None:
    """Lay the ways in that are not there yet; every mock does this when it begins.

    Args:
        last: further events of botocore and their handlers, which come after those of others.
    """
    botocore_hook.install(last)
    when_imported("requests.sessions", requests_hook.install)
    when_imported("multiprocessing.process", child_processes.install)
    name_resolution.install()
    mocker = sys.modules.get("requests_mock.mocker")  # what is imported later comes upon what is laid already
    if mocker is not None:
        requests_hook.install_beside(mocker)


def restore() -> None:
    """Take away what guards mocks and blocked calls, once there are none."""
    name_resolution.restore()


def when_imported(name: str, install: Callable[[ModuleType], None]) -> None:
    """Hand a module over: at once if it is imported already, else as soon as it is.

    Args:
        name: the module's full name.
        install: what to call with it. May be called again with the same module.
    """
    module = sys.modules.get(name)
    if module is not None:
        install(module)
    elif not any(isinstance(finder, _Watch) and finder.name == name for finder in sys.meta_path):
        sys.meta_path.insert(0, _Watch(name, install))


class _Watch(MetaPathFinder):
    """Sees the import of one module, once. The module is found and run by whoever would do so without this."""

    def __init__(self, name: str, install: Callable[[ModuleType], None]) -> None:
        self.name = name
        self._install = install

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None  # noqa: ARG002
    ) -> ModuleSpec | None:  # fmt: skip
        if fullname != self.name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_and_install(module: ModuleType) -> None:
            execute(module)
            self._install(module)

        spec.loader.exec_module = execute_and_install  # type: ignore[method-assign]  # of this import only
        return spec
