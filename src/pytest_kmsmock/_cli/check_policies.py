"""The command `pytest-kmsmock check-policies`: what deployed policies allow, without a test."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pytest_kmsmock.errors import InvalidOption, InvalidSeed

from .paths import output_file

if TYPE_CHECKING:
    from pytest_kmsmock._mock.core import MockCore
    from pytest_kmsmock._testing.policies.explanation import Explanation

_DESCRIPTION = "Say whether deployed roles may use deployed keys, and why. The exit code is 0 if so, else 1."


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "check-policies", help="say what templates, plans and states allow", description=_DESCRIPTION
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="template, CDK output folder, Terraform plan or state")
    parser.add_argument("--as", dest="principal", metavar="ROLE", help="who: logical id, address, name or ARN")
    parser.add_argument("--do", dest="actions", action="append", metavar="ACTION", help="what, such as kms:Decrypt")
    parser.add_argument("--on", dest="key", metavar="KEY", help="on which key: logical id, address, name, alias or ARN")
    parser.add_argument("--via", metavar="SERVICE", help="the AWS service that calls for the principal, such as s3")
    parser.add_argument(
        "--context", action="append", default=[], type=_pair, metavar="KEY=VALUE", help="encryption context, a pair"
    )
    parser.add_argument(
        "--parameter", action="append", default=[], type=_pair, metavar="NAME=VALUE", help="parameter of the templates"
    )
    parser.add_argument("--region", help="default Region of the files")
    parser.add_argument("--account", help="default account of the files")
    parser.add_argument("--strict", action="store_true", help="fail if something is not understood")
    parser.add_argument("--matrix", action="store_true", help="show all roles, keys and actions as a table")
    parser.add_argument("--html", type=output_file, metavar="FILE", help="with --matrix: write the table as a page too")
    parser.set_defaults(run=run)


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, got {text!r}")
    return name, value


def run(given: argparse.Namespace) -> int:
    """Run the command.

    Raises:
        InvalidOption: an argument is missing, or does not go with another.
        InvalidSeed: a file cannot be read, or does not have what is asked for.
    """
    _check(given)
    core = _deployed(given)
    if given.matrix:
        return _matrix(core, given)
    explanations = [_explained(core, given, action) for action in given.actions]
    for explanation in explanations:
        _print(explanation.lines)
    _print_unknowns(core)
    return 0 if all(explanations) else 1


def _check(given: argparse.Namespace) -> None:
    asked = (given.principal, given.actions, given.key)
    if not given.matrix and None in asked:
        raise InvalidOption("check-policies needs --as, --do and --on, or --matrix")
    if given.html is not None and not given.matrix:
        raise InvalidOption("--html needs --matrix")
    if given.matrix and (given.via or given.context):
        raise InvalidOption("--matrix takes neither --via nor --context")


def _deployed(given: argparse.Namespace) -> MockCore:
    from pytest_kmsmock._mock import deployments
    from pytest_kmsmock._mock.core import MockCore
    from pytest_kmsmock._runtime.options import Options, changed

    options = {name: value for name in ("region", "account") if (value := getattr(given, name)) is not None}
    core = MockCore(changed(Options(), options, "check-policies"))
    deployments.deploy(core, given.files, strict=given.strict, parameters=dict(given.parameter))
    return core


def _explained(core: MockCore, given: argparse.Namespace, action: str) -> Explanation:
    from pytest_kmsmock._kms.api.arns import partition_of
    from pytest_kmsmock._testing.identity.callers import make_caller
    from pytest_kmsmock._testing.identity.credentials import Home
    from pytest_kmsmock._testing.policies.simulation import simulate

    home = Home(core.options.account, partition_of(core.region))
    principal, key = _named(core, given.principal), _named(core, given.key)
    if ":kms:" in principal or (key.startswith("arn:") and ":kms:" not in key):
        raise InvalidOption(f"--as takes a role or user, and --on a key or an alias, not {principal} and {key}")
    caller = make_caller(principal, home, {"via_service": given.via} if given.via else {})
    caller = core.service.state.iam.with_tags(caller)
    members = {"EncryptionContext": dict(given.context)} if given.context else {}
    return simulate(core.service, caller, action, key, core.region, members)


def _named(core: MockCore, name: str) -> str:
    """Return the ARN of a name on the command line; ARNs, aliases, `role/...` and `user/...` are unchanged."""
    from pytest_kmsmock._mock import deployments

    try:
        return deployments.find(core, name)
    except InvalidSeed:
        if name.startswith(("arn:", "alias/", "role/", "user/")):
            return name
        raise


def _matrix(core: MockCore, given: argparse.Namespace) -> int:
    from .matrix import cells, page, table

    found = cells(core, tuple(given.actions or ()))
    if given.html is not None:
        given.html.write_text(page(found, given.files), encoding="utf-8")
    _print(table(found))
    if given.html is not None:
        _print([f"written to {given.html}"])
    _print_unknowns(core)
    return 0


def _print_unknowns(core: MockCore) -> None:
    unknowns = [str(unknown) for deployment in core.deployments for unknown in deployment.unknowns]
    if unknowns:
        _print(["not understood:", *(f"  {unknown}" for unknown in unknowns)], error=True)


def _print(lines: Iterable[str], *, error: bool = False) -> None:
    for line in lines:
        print(line, file=sys.stderr if error else sys.stdout)
