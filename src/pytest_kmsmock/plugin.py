"""The pytest plugin: fixtures, the marker, ini options and command-line options.

Imports nothing heavy: a run that never uses KMS pays for this module only.
"""

from __future__ import annotations

import functools
import os
import types
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from pytest_kmsmock._mock.decorator import DECORATED, MockKms, option_meant
from pytest_kmsmock._runtime.checks import closest
from pytest_kmsmock._runtime.options import HELP, Options, changed, seed_from

from ._report import hooks as reports
from ._runtime import network_guard
from .errors import InvalidOption

if TYPE_CHECKING:
    from pytest_kmsmock._mock.client_types import KMSClient
    from pytest_kmsmock._mock.kms_mock import KmsMock
    from pytest_kmsmock._transport.endpoint.server import KmsServer

_INI = "kms_mock_"  # how the names of options begin in an ini file
_BLOCK = "kms_mock_block_real_calls"
_MARKERS = (
    "kms_mock(**options): run the test in a KMS mock with these options; see pytest_kmsmock.Options",
    "kms_allow_real_calls: let the test call the real AWS KMS although kms_mock_block_real_calls is on",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("kmsmock", "AWS KMS mock (pytest-kmsmock)")
    for name, default in Options._field_defaults.items():
        kind: Any = "bool" if isinstance(default, bool) else "args" if isinstance(default, tuple) else "string"
        parser.addini(_INI + name, f"KMS mock: {HELP[name]}", type=kind, default=None)
        group.addoption(
            f"--kms-{name.replace('_', '-')}", dest=f"kms_mock_{name}", default=None, help=HELP[name],
            metavar="yes|no" if kind == "bool" else name.upper(),
            **({"action": "append"} if kind == "args" else {"type": _yes_or_no} if kind == "bool" else {}),
        )  # fmt: skip
    reports.add_options(group)
    parser.addini(_BLOCK, "block KMS calls outside a mock", type="bool", default=False)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> Generator[None, None, None]:
    """Fix the arguments before pytest searches for conftest files."""
    reports.separate(early_config.known_args_namespace, args)
    return (yield)


def _yes_or_no(text: str) -> bool:
    from argparse import ArgumentTypeError

    try:
        return {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}[text.lower()]
    except KeyError:
        raise ArgumentTypeError(f"expected yes or no, got {text!r}") from None


_defaults = pytest.StashKey[dict[str, Any]]()


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, read the default options."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)
    try:
        config.stash[_defaults] = _configured(config)
        is_blocking = _ini(config, _BLOCK)
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None
    reports.configure(config)
    if is_blocking:
        from pytest_kmsmock._services import hook as services
        from pytest_kmsmock._transport.hooks import installation

        network_guard.blocking = True
        installation.install(services.HANDLERS)
        config.pluginmanager.register(_Guard(), "kmsmock-guard")


def _configured(config: pytest.Config) -> dict[str, Any]:
    """Return the options of ini file and command line; the command line takes precedence."""
    names = Options._fields
    _check_ini_names(config, [*names, _BLOCK.removeprefix(_INI)])
    ini = {name: _ini(config, _INI + name) for name in names}
    line = {name: config.getoption(f"kms_mock_{name}") for name in names}
    given: dict[str, Any] = {}
    for values, where in ((ini, "ini file"), (line, "command line")):
        found = {name: value for name, value in values.items() if value not in (None, [], "")}
        changed(Options(), found, where)
        if "seed" in found:  # in an ini file, paths are relative to it
            folder = config.rootpath if where == "ini file" else Path.cwd()
            listed = [line.strip() for line in str(found["seed"]).splitlines() if line.strip()]  # one file a line
            found["seed"] = seed_from(folder, listed[0] if len(listed) == 1 else listed)
        given |= found
    return given


def _check_ini_names(config: pytest.Config, known: list[str]) -> None:
    """Refuse unknown options of this package in the ini file: pytest would only warn.

    Names that begin with `kms_` only may belong to others; those that are similar to an option here are refused.

    Raises:
        InvalidOption: with the name that was meant.
    """
    for name in sorted(config._get_unknown_ini_keys()):  # noqa: SLF001 - there is no public equivalent
        close = closest(name.removeprefix(_INI).removeprefix("kms_"), known)
        if name.startswith(_INI) or (name.startswith("kms_") and close):
            hint = f" Did you mean '{_INI}{close[0]}'?" if close else ""
            listed = ", ".join(_INI + each for each in known)
            raise InvalidOption(f"ini file: unknown option {name!r}.{hint} Choose from: {listed}.")


def _ini(config: pytest.Config, name: str) -> Any:
    try:
        return config.getini(name)
    except (ValueError, pytest.UsageError) as error:  # depends on the release of pytest; neither names the option
        reason = str(error).replace("invalid truth value", "expected yes or no, got")
        raise ValueError(f"ini file: {name}: {reason}.") from None


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give a marked test the fixture `kms_mock`.

    It is set up before what the test's own module sets up for each test (`setup_method`, autouse fixtures of a class),
    and after autouse fixtures of conftest files and plugins, which may prepare the environment.
    """
    names = getattr(item, "fixturenames", None)
    if names is None or item.get_closest_marker("kms_mock") is None:
        return
    if "kms_mock" in names:
        names.remove("kms_mock")
    info = cast("pytest.Function", item)._fixtureinfo  # noqa: SLF001 - there is no public equivalent, see tests/test_private_parts.py
    requested = {*info.argnames, *(name for mark in item.iter_markers("usefixtures") for name in mark.args)}
    module = item.nodeid.partition("::")[0]

    def comes_before(name: str) -> bool:
        definitions = info.name2fixturedefs.get(name)
        if not definitions:
            return False
        is_wider = definitions[-1].scope != "function"
        is_automatic = name in info.initialnames and name not in requested
        return is_wider or (is_automatic and not definitions[-1].baseid.startswith(module))

    names.insert(1 + max((place for place, name in enumerate(names) if comes_before(name)), default=-1), "kms_mock")


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Clarify errors of misuse; no wrapper, since pytest sets the errors of unittests between wrappers and here."""
    if call.excinfo is not None:
        from ._report.tracebacks import clarified

        call.excinfo = clarified(call.excinfo, item)


def pytest_collectstart(collector: pytest.Collector) -> None:
    """Give each package a fixture `package_kms_mock` of its own.

    pytest keeps a package-scoped fixture of a plugin for the whole session, since it takes the package in which the
    fixture is defined.
    """
    if not isinstance(collector, pytest.Package):
        return
    if hasattr(pytest, "register_fixture"):  # since pytest 9.1
        pytest.register_fixture(name="package_kms_mock", func=_package_kms_mock, node=collector, scope="package")
        return
    holder = types.ModuleType(collector.nodeid)
    vars(holder)["package_kms_mock"] = package_kms_mock
    collector.session._fixturemanager.parsefactories(holder, collector.nodeid)  # noqa: SLF001 - `register_fixture` of older releases


class _Guard:
    """Blocks real calls for a session, except in tests that are marked for them."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        network_guard.allowed = item.get_closest_marker("kms_allow_real_calls") is not None
        try:
            return (yield)
        finally:
            network_guard.allowed = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        marker = item.get_closest_marker("kms_allow_real_calls")
        if marker is not None and (marker.args or marker.kwargs):
            raise InvalidOption(
                f"@pytest.mark.kms_allow_real_calls on {item.nodeid}: takes no arguments. Leave the marker out to "
                "block real calls."
            )

    def pytest_unconfigure(self) -> None:
        network_guard.blocking = False


def _mock(request: pytest.FixtureRequest) -> Iterator[KmsMock]:
    """Enter a mock with the options of ini file and command line, overridden by markers, the closest last."""
    if request.scope == "function":
        _refuse_two_mocks(request)
    where = f"@pytest.mark.kms_mock on {request.node.nodeid}"
    defaults = request.config.stash[_defaults]
    given = dict(defaults)
    region_from = "ini file" if request.config.getoption("kms_mock_region") is None else "command line"
    for marker in reversed(list(request.node.iter_markers("kms_mock"))):
        if marker.args:
            raise InvalidOption(f"{where}: takes keyword arguments only, such as {option_meant(marker.args[0])}.")
        given |= marker.kwargs
        region_from = where if "region" in marker.kwargs else region_from
    seed = given.get("seed")
    if isinstance(seed, str | os.PathLike) or (isinstance(seed, list | tuple) and all(map(_is_path, seed))):
        given["seed"] = seed_from(request.config.rootpath, seed)
    with MockKms(given, where, request.scope, functools.partial(_definition, request.node), region_from) as kms:
        yield kms


def _definition(node: pytest.Item | pytest.Collector) -> tuple[str, int]:
    from ._report.tracebacks import definition

    return definition(node)


def _is_path(value: object) -> bool:
    return isinstance(value, str | os.PathLike)


def _refuse_two_mocks(request: pytest.FixtureRequest) -> None:
    """Refuse a test that takes the handle of one mock and makes its calls in another one nested in it."""
    function = getattr(request, "function", None)
    if getattr(function, DECORATED, False) and "kms_mock" in request.node._fixtureinfo.argnames:  # noqa: SLF001
        raise InvalidOption(
            f"{request.node.nodeid} takes kms_mock and is decorated with @mock_kms: these are two mocks, and "
            "the test makes its calls in the one that kms_mock does not show. Use the fixture alone, with "
            "@pytest.mark.kms_mock(...) for options; or the decorator alone."
        )


#: The request of the latest `kms_mock`, which does not take `request` itself: pytest would build three definitions of
#: that fixture for each test, which takes as long as entering the mock.
_latest_request: pytest.FixtureRequest


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> None:
    """Keep the request of `kms_mock` for the fixture, which pytest calls next."""
    global _latest_request
    if fixturedef.argname == "kms_mock":
        _latest_request = request


@pytest.fixture
def kms_mock() -> Iterator[KmsMock]:
    """AWS KMS for this test: calls of any client are answered in this process. The value is the `KmsMock` handle."""
    yield from _mock(_latest_request)


@pytest.fixture
def kms_client(kms_mock: KmsMock) -> KMSClient:
    """Return a KMS client whose calls `kms_mock` answers."""
    return kms_mock.client()


@pytest.fixture
def kms_server(kms_mock: KmsMock) -> Iterator[KmsServer]:
    """An HTTP endpoint of `kms_mock` for other processes and languages; `kms_server.endpoint_url` is its address.

    It allows cross-origin requests of browsers.
    """
    with kms_mock.serve(cors=True) as server:
        yield server


@pytest.fixture(scope="class")
def class_kms_mock(request: pytest.FixtureRequest) -> Iterator[KmsMock]:
    """AWS KMS for all tests of a class. `kms_mock` begins with a copy of it."""
    yield from _mock(request)


@pytest.fixture(scope="module")
def module_kms_mock(request: pytest.FixtureRequest) -> Iterator[KmsMock]:
    """AWS KMS for all tests of a module. `kms_mock` begins with a copy of it."""
    yield from _mock(request)


def _package_kms_mock(request: pytest.FixtureRequest) -> Iterator[KmsMock]:
    """AWS KMS for all tests of a package. `kms_mock` begins with a copy of it."""
    yield from _mock(request)


package_kms_mock = pytest.fixture(scope="package", name="package_kms_mock")(_package_kms_mock)


@pytest.fixture(scope="session")
def session_kms_mock(request: pytest.FixtureRequest) -> Iterator[KmsMock]:
    """AWS KMS for the whole session. `kms_mock` begins with a copy of it."""
    yield from _mock(request)
