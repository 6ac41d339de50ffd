"""The command `pytest-kmsmock`. Each of its commands is a module that adds itself to the parser and says what runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from pytest_kmsmock.errors import InvalidOption, KmsMockError, StateFileInUse

from . import check_policies, conformance, migrate, serve

#: Modules with `add_parser(commands)`, which sets `run` to what carries the command out and returns the exit code, and
#: where that is not 1, `failure` to the exit code of errors.
_COMMANDS = (check_policies, conformance, migrate, serve)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: what comes after the program's name; by default those of this process.

    Returns:
        The exit code of the command; 1 when it failed; 2 when it was asked for what cannot be.
    """
    given = _parser().parse_args(arguments)
    try:
        code: int = given.run(given)
    except (KmsMockError, OSError) as error:
        print(f"pytest-kmsmock: {error}", file=sys.stderr)  # noqa: T201 - a command's output
        return 2 if isinstance(error, InvalidOption | StateFileInUse) else getattr(given, "failure", 1)
    return code


class _Version(argparse.Action):
    """Looks the version up when it is asked for: reading the package's metadata takes time."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from pytest_kmsmock import __version__

        print(f"{parser.prog} {__version__}")  # noqa: T201 - a command's output
        parser.exit()


class _Parser(argparse.ArgumentParser):
    """Tells what is wrong with the arguments in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="pytest-kmsmock", description="A fake AWS KMS.")
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add_parser(commands)
    return parser
