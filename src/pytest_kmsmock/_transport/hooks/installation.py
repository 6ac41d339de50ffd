"""Installation of the hooks: in modules of botocore and other libraries, once they are imported.

Hooks stay installed, and do nothing while no mock is active; the guard of name look-ups is removed with the last mock.
A module that is removed from `sys.modules` and imported again is hooked again, whether a mock is active or not.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from pytest_kmsmock._runtime import active_mocks, environment, network_guard
from pytest_kmsmock._transport import gate
from pytest_kmsmock._transport.endpoints import kms_endpoint

from . import botocore_hook, child_processes, credential_sources, name_resolution, requests_hook

#: moto's modules that answer requests, and that begin and end its mocks.
_MOTO = "moto.core.botocore_stubber"
_MOTO_SCOPES = "moto.core.models"
#: Modules with hooks; `_present` also looks at what is hooked in the first three.
_MODULES = (
    "botocore.session", "botocore.httpsession", "requests.sessions", "aiobotocore.session", "multiprocessing.process",
    "requests_mock.mocker",
)  # fmt: skip
#: What `_present` returned when hooks were last installed.
_installed: tuple[object, ...] = ()


def install(last: tuple[tuple[str, Callable[..., Any]], ...] = ()) -> None:
    """Install the hooks that are missing; every mock does this when it begins.

    Args:
        last: further events of botocore and their handlers, to be called after all others.
    """
    global _installed
    name_resolution.install()
    if (last, *_present()) == _installed and _watch in sys.meta_path:
        return  # nearly always: nothing was imported or unhooked since
    when_imported("botocore.session", functools.partial(botocore_hook.install, last=last))
    when_imported("botocore.httpsession", botocore_hook.install_below)
    when_imported("aiobotocore.session", credential_sources.install)
    when_imported("requests.sessions", requests_hook.install)
    when_imported("multiprocessing.process", child_processes.install)
    if _MOTO not in _watch.awaited:
        when_imported(_MOTO, _keep_moto_away)
        when_imported(_MOTO_SCOPES, _follow_moto)
    mocker = sys.modules.get("requests_mock.mocker")  # if it is imported later, it finds the hook
    if mocker is not None:
        requests_hook.install_beside(mocker)
    _installed = (last, *_present())


def _present() -> tuple[object, ...]:
    """Return the modules that are imported, and what is now in the places that hooks replace."""
    modules = tuple(map(sys.modules.get, _MODULES))
    session, httpsession, sessions = modules[:3]
    return (
        *modules,
        session and len(session.handlers.BUILTIN_HANDLERS),
        httpsession and httpsession.URLLib3Session.send,
        sessions and sessions.Session.send,
    )


def _keep_moto_away(botocore_stubber: ModuleType, _early: bool) -> None:
    from pytest_kmsmock._moto import stubber  # never without moto

    if not network_guard.others:
        network_guard.others.append(lambda: stubber.answers("kms"))
    stubber.install(
        botocore_stubber, lambda url: "kms" in url and kms_endpoint(url) is not None and gate.current() is not None
    )


def _follow_moto(models: ModuleType, _early: bool) -> None:
    from pytest_kmsmock._moto import scopes

    def ending() -> Callable[[], None]:
        return functools.partial(active_mocks.other_ended, _MOTO, environment.default_session())

    scopes.install(models, functools.partial(active_mocks.other_began, _MOTO), ending)


def restore() -> None:
    """Remove the guard of name look-ups, once there is no mock and calls are not blocked."""
    name_resolution.restore()


def when_imported(name: str, install: Callable[[ModuleType, bool], None]) -> None:
    """Call a function with a module: at once if it is imported, and each time that it is imported from now on.

    Args:
        name: the module's full name.
        install: called with the module, and with whether it was imported just now; maybe again with the same module.
    """
    _watch.awaited[name] = install
    if _watch not in sys.meta_path:
        sys.meta_path.insert(0, _watch)
    module = sys.modules.get(name)
    if module is not None:
        install(module, False)


class _Watch(MetaPathFinder):
    """An import hook for some modules. The other finders find and load them."""

    def __init__(self) -> None:
        self.awaited: dict[str, Callable[[ModuleType, bool], None]] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:  # fmt: skip
        install = self.awaited.get(fullname)
        if install is None:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        spec = next(filter(None, (finder.find_spec(fullname, path, target) for finder in others)), None)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_and_install(module: ModuleType) -> None:
            execute(module)
            install(module, True)

        spec.loader.exec_module = execute_and_install  # type: ignore[method-assign]  # of this import only
        return spec


_watch = _Watch()
