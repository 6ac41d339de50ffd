"""The pytest hooks of the reports: one plugin watches the tests, one reports the run.

The first is active in each process that runs tests; the second in the process that reports, which pytest-xdist keeps
apart. Data goes from one to the other as an attribute of the report of a test's teardown.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterable, Mapping
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_kmsmock._runtime import active_mocks, environment, network_guard
from pytest_kmsmock.errors import MockNotStopped

from .registry import Registry

if TYPE_CHECKING:
    import argparse

    from .entries import ItemEntry

_REPORT = "--kms-report"
_POLICY = "--kms-policy"
_DIFF = "--kms-policy-diff"
#: Collects unsupported elements of infrastructure files; imported with the first such file.
_UNKNOWNS = "pytest_kmsmock._iac.unknowns"
#: Suffixes of their files.
_ENDING = {_REPORT: "html", _POLICY: "json"}
_ATTRIBUTE = "kms_mock_data"  # of a report: the KMS data of the test
_FOUND = "kms_mock_found"  # of the output of a worker of pytest-xdist: what `_collect` takes

_UNKNOWN = (
    "KMS calls were signed with access keys that neither kms_mock nor moto issued. They were made as the default "
    "caller, whom no IAM policy limits; kms_mock.credentials() gives access keys of a principal."
)

_EXPLANATION = "pytest_kmsmock._testing.policies.explanation"  # imported when a test has an explanation

#: The outcomes of a test's phases, in ascending precedence.
_OUTCOMES = ("passed", "skipped", "failed", "error")


def add_options(group: pytest.OptionGroup) -> None:
    """Add the command-line options."""
    group.addoption(
        _REPORT, dest="kms_mock_report", nargs="?", const="", default=None, metavar="FILE.html",
        help="after the run, show a table of the KMS calls of all tests; with =FILE.html also write a page to browse",
    )  # fmt: skip
    group.addoption(
        _POLICY, dest="kms_mock_policy", default=None, metavar="FILE",
        help="write the smallest IAM policies and key policy statements that allow the KMS calls of all tests",
    )  # fmt: skip
    group.addoption(
        _DIFF, dest="kms_mock_policy_diff", action="store_true", default=False,
        help="after the run, show permissions that tests needed and deployed policies lack, and ones that no test used",
    )  # fmt: skip


def separate(known: argparse.Namespace, args: list[str]) -> None:
    """Keep `--kms-report` from consuming the next argument as its file: that is a test path.

    Args:
        known: the arguments that pytest has parsed so far, to find conftest files; changed in place.
        args: the arguments that it will parse; changed in place.
    """
    for index, arg in enumerate(args):
        if arg == _REPORT:
            args[index] = f"{_REPORT}="
            if known.kms_mock_report:
                known.file_or_dir.append(known.kms_mock_report)
                known.kms_mock_report = ""


def configure(config: pytest.Config) -> None:
    """Register the plugins of this process.

    Raises:
        pytest.UsageError: the report or the policies cannot be written to this file.
    """
    file, policies = config.getoption("kms_mock_report"), config.getoption("kms_mock_policy")
    if file and not file.lower().endswith((".html", ".htm")):
        raise pytest.UsageError(f"{_REPORT}={file}: the report is a page; give it a name such as kms.html")
    is_worker = hasattr(config, "workerinput")
    for option, name in ((_REPORT, file or None), (_POLICY, policies)):
        problem = None if name is None or is_worker else _problem_of(config.invocation_params.dir / name, name)
        if problem is not None:
            raise pytest.UsageError(f"{option}={name}: {problem}; give it a file, such as kms.{_ENDING[option]}")
    reports, policy, diff = file is not None, policies is not None, config.getoption("kms_mock_policy_diff")
    config.pluginmanager.register(Watch(entries=reports, permissions=policy, diff=diff), "kmsmock-watch")
    if (reports or policy or diff) and not is_worker and not config.getoption("collectonly"):
        config.pluginmanager.register(RunReport(config), "kmsmock-report")


def _problem_of(path: Path, name: str) -> str | None:
    """Return why a file cannot be written, as far as is known beforehand; None if it probably can."""
    try:
        if not name or path.is_dir():
            return "this is a folder" if name else "the file name is missing"
        nearest = next(place for place in (path, *path.parents) if place.exists())
    except OSError as error:  # such as a name that is too long
        return error.strerror
    if nearest != path and not nearest.is_dir():
        return f"{nearest} is not a directory"
    return None if os.access(nearest, os.W_OK) else f"{nearest} cannot be written to"


class Watch:
    """Watches the tests of this process.

    Args:
        entries: whether to attach the calls and keys of a test to its report.
        permissions: whether to attach the permissions that it needed.
        diff: whether to attach what it needed of deployed policies.
    """

    def __init__(self, *, entries: bool, permissions: bool, diff: bool) -> None:
        self._registry = Registry(active_mocks.active)
        self._entries, self._permissions, self._diff = entries, permissions, diff
        self._unknowns: dict[str, None] = {}
        self._known_keys: set[str] = set()
        self._outcome = _OUTCOMES[0]
        self._failures: list[str] = []
        self._shown = 0
        self._earlier = len(environment.unknown_access_keys)  # those of earlier runs in this process
        self._access_keys: dict[str, str] = {}
        active_mocks.watchers.append(self._registry.entered)

    def pytest_unconfigure(self) -> None:
        """Stop watching."""
        active_mocks.watchers.remove(self._registry.entered)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Start recording a test, in its setup."""
        self._registry.begin_test(item.nodeid)
        self._registry.begin_phase("setup")
        self._outcome, self._failures, self._shown = _OUTCOMES[0], [], 0
        network_guard.passed.clear()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self) -> None:
        """Start its call phase."""
        self._registry.begin_phase("call")

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
        """Record the fixture of a wider scope that enters mocks meanwhile: these outlive the test."""
        __tracebackhide__ = True
        if fixturedef.scope == "function":
            return (yield)
        around = self._registry.fixture, network_guard.fixture
        self._registry.fixture, network_guard.fixture = fixturedef, (fixturedef.argname, fixturedef.scope)
        try:
            return (yield)
        finally:
            self._registry.fixture, network_guard.fixture = around

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> Generator[None, None, None]:
        """Start its teardown. After it, stop mocks that the test has not stopped, and fail the test.

        Raises:
            MockNotStopped: a mock was not stopped.
        """
        __tracebackhide__ = True
        self._registry.begin_phase("teardown")
        try:
            return (yield)
        finally:
            forgotten = self._registry.take_forgotten()
            for started in reversed(forgotten):
                started.mock.leave()
            if forgotten:
                raise MockNotStopped(str(forgotten[0]))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add sections and data to the report of a phase."""
        report = yield
        if report.failed:
            self._failures.append(_message(report))
            _add_decisions(report, call)
            _add_advice(report, call)
            self._add_section(report, call)
        outcome = "error" if report.failed and call.when != "call" else report.outcome
        self._outcome = max(self._outcome, outcome, key=_OUTCOMES.index)
        if call.when == "teardown":
            if self._registry.mocks and (self._entries or self._permissions or self._diff):
                setattr(report, _ATTRIBUTE, self._data(report.nodeid))
            self._registry.end_test()
        return report

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print once per run the unknown access keys and the unsupported elements of infrastructure files."""
        if self._access_keys:
            terminalreporter.section("unknown access keys", yellow=True)
            terminalreporter.write_line(_UNKNOWN)
            for access_key, test in self._access_keys.items():
                terminalreporter.write_line(f"  {access_key}{test and f' (first in {test})'}")
        if self._unknowns:
            terminalreporter.section("KMS: not understood in files of infrastructure", yellow=True)
            for line in self._unknowns:
                terminalreporter.write_line(line)

    def _add_section(self, report: pytest.TestReport, call: pytest.CallInfo[None]) -> None:
        seen, mocks = self._registry.calls(), self._registry.mocks
        if len(seen) <= self._shown and (seen or not any(mock.injector.unused for mock in mocks)):
            return  # nothing to tell, or all calls are shown in the report of an earlier phase
        from .denials import is_missing
        from .section import TITLE, section

        explain = call.excinfo is not None and is_missing(str(call.excinfo.value))
        # "teardown" in the title makes pytest show it with a test that failed before.
        suffix = f" until {report.when}" if report.when == "teardown" else ""
        report.sections.append((TITLE + suffix, section(seen, mocks, report.when, explain=explain)))
        self._shown = len(seen)

    def _data(self, nodeid: str) -> dict[str, Any]:
        from .entries import call_entries, key_entries

        mocks = self._registry.mocks
        seen = self._registry.calls()
        data: dict[str, Any] = {}
        if self._entries:
            entry: ItemEntry = {
                "test": nodeid,
                "outcome": self._outcome,
                "failure": "\n\n".join(self._failures),
                "calls": call_entries(seen),
                "keys": key_entries(mocks, self._known_keys),
            }
            if entry["calls"] or entry["keys"]:
                data["entry"] = entry
        if self._permissions:
            from pytest_kmsmock._testing.policies.required_permissions import aliases_before, permissions

            records = [call.record for call in seen]
            aliases: dict[str, list[str]] = {}
            for mock in mocks:
                aliases |= aliases_before(mock.service.state, records)
            data["permissions"] = [astuple(permission) for permission in permissions(records, aliases)]
        if self._diff:
            data["diff"] = self._policy_usage()
        return data

    def _policy_usage(self) -> dict[str, Any]:
        from pytest_kmsmock._iac.diff import PolicyUsage

        usage = PolicyUsage()
        for mock in self._registry.mocks:
            records = [call.record for call in self._registry.calls() if call.mock is mock]
            usage.add(records, mock.service.state.iam)
        return usage.data

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Collect what this process met, or send it to the process that reports."""
        unknowns = sys.modules.get(_UNKNOWNS)
        access_keys = dict(list(environment.unknown_access_keys.items())[self._earlier :])
        found = (access_keys, [] if unknowns is None else unknowns.take())
        output = getattr(session.config, "workeroutput", None)
        if output is None:
            self._collect(*found)
        else:
            output[_FOUND] = found

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Collect what a worker of pytest-xdist met."""
        self._collect(*getattr(node, "workeroutput", {}).get(_FOUND, ({}, ())))

    def _collect(self, access_keys: Mapping[str, str], unknowns: Iterable[str]) -> None:
        """Add unknown access keys, each with its first test, and unsupported elements of infrastructure files."""
        self._access_keys = {**access_keys, **self._access_keys}
        self._unknowns |= dict.fromkeys(unknowns)


def _message(report: pytest.TestReport) -> str:
    """Return the message of a failure, with its phase if that is setup or teardown."""
    crash = getattr(report.longrepr, "reprcrash", None)  # as in pytest's summary; may be missing
    phase = "" if report.when == "call" else f"{report.when}: "
    return f"{phase}{report.longreprtext if crash is None else crash.message}"


def _add_decisions(report: pytest.TestReport, call: pytest.CallInfo[None]) -> None:
    """Add the explanations of a failed `assert kms_mock.simulate(...)`, statement by statement."""
    if call.excinfo is None or _EXPLANATION not in sys.modules:
        return
    from .decisions import TITLE, explained

    text = explained(call.excinfo)
    if text:
        report.sections.append((TITLE, text))


def _add_advice(report: pytest.TestReport, call: pytest.CallInfo[None]) -> None:
    """Add which mock to take if a fixture took one of a narrower scope, and calls that went past the mock."""
    message = "" if call.excinfo is None else str(call.excinfo.value)
    if "ScopeMismatch" not in message and not network_guard.passed:
        return
    from .advice import TITLE, advice

    text = advice(message, network_guard.passed)
    network_guard.passed.clear()
    if text:
        report.sections.append((TITLE, text))


class RunReport:
    """Reports the run.

    Args:
        config: the configuration of pytest.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._report: str | None = config.getoption("kms_mock_report")
        self._policy: str | None = config.getoption("kms_mock_policy")
        self._directory = config.invocation_params.dir
        self._tests: list[ItemEntry] = []
        self._permissions: set[tuple[Any, ...]] = set()
        self._diff: list[dict[str, Any]] | None = [] if config.getoption("kms_mock_policy_diff") else None
        self._written: list[str] = []
        self._failed: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect the data of a report."""
        data = getattr(report, _ATTRIBUTE, None)
        if data is None:
            return
        if "entry" in data:
            self._tests.append(data["entry"])
        self._permissions |= set(data.get("permissions", ()))
        if self._diff is not None:
            self._diff.append(data["diff"])

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the files, also if the terminal report is disabled."""
        if self._report:
            from .html import page

            self._write("KMS report", self._report, page(self._tests))
        if self._policy is not None:
            from pytest_kmsmock._testing.policies.least_privilege import least_privilege
            from pytest_kmsmock._testing.policies.required_permissions import Permission

            policies = least_privilege(Permission(*fields) for fields in self._permissions)
            self._write("KMS policies", self._policy, policies.to_json())
        if self._failed and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR  # a run that does not write its file must not succeed

    def _write(self, what: str, name: str, text: str) -> None:
        path = self._directory / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:  # report it, but keep the results of the run
            self._failed.append(f"{what} not written: {error}")
        else:
            self._written.append(f"{what} written to {path}")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the table and where the files are."""
        terminalreporter.section("KMS calls", cyan=True)
        if self._report is not None:
            from .terminal import findings, table
            from .totals import totals

            total = totals(self._tests)
            for line in (*table(total), *findings(total)):
                terminalreporter.write_line(line)
        if self._diff is not None:
            from pytest_kmsmock._iac.diff import PolicyDiff, PolicyUsage

            usage = PolicyUsage()
            for data in self._diff:
                usage.merge(data)
            for line in PolicyDiff.of(usage).lines:
                terminalreporter.write_line(line)
        for line in self._written:
            terminalreporter.write_line(line)
        for line in self._failed:
            terminalreporter.write_line(line, red=True)
