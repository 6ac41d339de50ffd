"""The command `pytest-kmsmock conformance`: the scenarios of this project against a mock, an endpoint or an account."""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_kmsmock._runtime import environment
from pytest_kmsmock._runtime.checks import check_form
from pytest_kmsmock.errors import InvalidOption, TargetUnreachable

from .paths import output_file

if TYPE_CHECKING:
    from pytest_kmsmock._conformance.runner import Result
    from pytest_kmsmock._conformance.scenario import Scenario
    from pytest_kmsmock._conformance.targets import Target

#: What shells show of a process that SIGINT ended.
INTERRUPTED = 130
_URL = re.compile(r"https?://[\w.-]+(:[0-9]{1,5})?(/\S*)?|https?://\[[0-9a-fA-F:]+\](:[0-9]{1,5})?(/\S*)?")


def add_parser(commands: Any) -> None:
    """Add the command to those of the command line."""
    command = commands.add_parser(
        "conformance",
        help="compare a mock, an endpoint or an AWS account with AWS's recorded and documented behavior",
        description="Compare a mock, an endpoint or an AWS account with AWS's recorded and documented behavior.",
    )
    command.set_defaults(run=run)
    command.add_argument(
        "only", nargs="*", metavar="PATTERN", help="scenarios by name, file or operation: 'grants/*', Encrypt"
    )
    command.add_argument(
        "--target", default="mock", help="mock, moto, aws, or the URL of an endpoint (default: %(default)s)"
    )
    command.add_argument("--profile", help="profile of the AWS configuration for an account or an endpoint")
    command.add_argument("--region", default=environment.DEFAULT_REGION, help="Region (default: %(default)s)")
    command.add_argument("--yes", action="store_true", help="create keys in the AWS account, which costs a little")
    command.add_argument("--json", type=output_file, metavar="FILE", help="write the differences as JSON")
    command.add_argument(
        "--record", type=output_file, metavar="FILE", help="write the answers as a scenario file, without ids and blobs"
    )
    command.add_argument(
        "--scenarios", type=Path, metavar="PATH", help="a scenario file, or a folder of them, of your own"
    )


def run(given: argparse.Namespace) -> int:
    """Run scenarios.

    Returns:
        The exit code: 0 when all agree, 1 when some differ or something was left, 2 without `--yes` where it is needed,
        130 after an interrupt.

    Raises:
        KmsMockError: it could not be found out whether they agree.
    """
    from pytest_kmsmock._conformance import runner, scenario_files

    check_form("region", given.region, "conformance")
    scenarios = runner.select(scenario_files.read_folder(given.scenarios or scenario_files.FOLDER), given.only)
    with _stop_on_signals() as stopped:
        target = _target(given, stopped)
        if not _confirmed(target, scenarios, given):
            return 2
        results: list[Result] = []
        left: list[str] = []
        failure = None
        try:
            results.extend(runner.run(scenarios, target, stopped.is_set))
        except TargetUnreachable as error:
            failure = error  # after the results so far are printed
        finally:
            left = target.close()
            for each in left:
                print(f"pytest-kmsmock: left behind: {each}", file=sys.stderr)
        if results:
            _write(given, results, target)
    if failure is not None:
        raise failure
    if stopped.is_set():
        return INTERRUPTED
    return 1 if left or any(result.outcome in (runner.DIFFERS, runner.BLOCKED) for result in results) else 0


def _target(given: argparse.Namespace, stopped: threading.Event) -> Target:
    from pytest_kmsmock._conformance import remote, targets
    from pytest_kmsmock._transport import endpoints

    if given.target == "mock":
        return targets.Mock(given.region)
    if given.target == "moto":
        return targets.Moto(given.region)
    if given.target == "aws":
        now = datetime.now(timezone.utc)
        return remote.Account(given.region, given.profile, stopped.wait, f"{now:%Y%m%dT%H%M%SZ}")
    if not _URL.fullmatch(given.target):
        raise InvalidOption(
            f"--target must be mock, moto, aws or a URL such as http://localhost:4566, not {given.target!r}."
        )
    if endpoints.kms_endpoint(given.target) is not None:
        raise InvalidOption(
            f"{given.target} is an endpoint of AWS. Use --target aws, which first shows what it creates and costs."
        )
    return remote.Endpoint(given.target, given.region, given.profile, stopped.wait)


def _confirmed(target: Target, scenarios: Sequence[Scenario], given: argparse.Namespace) -> bool:
    """Print what a run in an account creates and costs; return whether the user has confirmed it."""
    from pytest_kmsmock._conformance.remote import Account

    if not isinstance(target, Account):
        return True
    print(target.announcement(scenarios), flush=True)
    if not given.yes:
        print("Nothing was done. Add --yes to go ahead.")
    return bool(given.yes)


def _write(given: argparse.Namespace, results: Sequence[Result], target: Target) -> None:
    from pytest_kmsmock._conformance import located_yaml, recording, report

    if given.json is not None:
        document = report.document(results, target.name, given.region)
        given.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    if given.record is not None:
        today = datetime.now(timezone.utc).date()
        recorded = recording.recorded(results, target.name, today)
        given.record.write_text(located_yaml.write(recorded), encoding="utf-8")
    print(report.table(results), report.listing(results), sep="\n")


@contextlib.contextmanager
def _stop_on_signals() -> Iterator[threading.Event]:
    """Yield an event that signals set, so that a call that creates a key is finished, and the key deleted."""
    stopped = threading.Event()
    numbers = (getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
    before = {number: signal.signal(number, lambda *_: stopped.set()) for number in numbers}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
