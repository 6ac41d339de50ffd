"""The command `pytest-kmsmock`. Each of its commands is a module that adds itself to the parser and says what runs."""

from __future__ import annotations

import argparse
import errno
import io
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from pytest_kmsmock._runtime.checks import closest
from pytest_kmsmock.errors import KmsMockError

from . import check_policies, conformance, migrate, serve

#: Modules with `add_parser(commands)`, which sets `run` to a function that runs the command and returns its exit code.
_COMMANDS = (check_policies, conformance, migrate, serve)
#: Exit codes as shells have them: of an error in the arguments, of SIGINT, and of SIGPIPE.
_ERROR, _INTERRUPTED, _CLOSED_PIPE = 2, 130, 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: what comes after the program's name; by default those of this process.

    Returns:
        The exit code of the command; 2 after an error, 130 after an interrupt, 141 when nobody reads the output.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # of a terminal that cannot show all that files contain
    try:
        try:
            return _run(_parser().parse_args(arguments))
        finally:
            print(end="", flush=True)  # what `head` no longer reads is noticed here at the latest
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for output in (1, 2):  # Python flushes both once more when it ends
            os.dup2(nowhere, output)
        return _CLOSED_PIPE


def _run(given: argparse.Namespace) -> int:
    try:
        code: int = given.run(given)
    except BrokenPipeError:
        raise
    except KeyboardInterrupt:
        return _INTERRUPTED
    except (KmsMockError, OSError) as error:
        in_use = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        message = (
            f"port {given.port} is in use: choose another --port, or 0 for a free one" if in_use else _message(error)
        )
        print(f"pytest-kmsmock: {message}", file=sys.stderr)
        return _ERROR
    return code


def _message(error: Exception) -> str:
    """Return what went wrong, with the file that could not be read or written."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)


class _Version(argparse.Action):
    """Looks the version up when it is asked for: reading the package's metadata takes time."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from pytest_kmsmock import __version__

        print(f"{parser.prog} {__version__}")
        parser.exit()


class _Parser(argparse.ArgumentParser):
    """Prints errors in arguments as one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Refuse unknown arguments here, where the options of the command are known."""
        given, unknown = super().parse_known_args(args, namespace)
        if unknown:
            close = closest(unknown[0].partition("=")[0], self._option_string_actions)
            hint = f" (did you mean {close[0]}?)" if close and unknown[0].startswith("-") else ""
            self.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
        return given, unknown


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="pytest-kmsmock", description="A fake AWS KMS.")
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add_parser(commands)
    return parser
