"""The command `pytest-kmsmock serve`: a fake KMS for any program, kept in a file between runs if wanted."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import KmsMockError
from .mock import mock_kms

if TYPE_CHECKING:
    from .handle import KmsMock
    from .service.service import FakeKms

#: How operations begin that change nothing a restart must not lose. Cryptographic ones only note a key's last use.
_READING = ("Describe", "GetKey", "GetPublic", "List")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: what comes after the program's name; by default those of this process.

    Returns:
        The exit code: 0 after a signal to end, 1 when it could not serve.
    """
    given = _parser().parse_args(arguments)
    try:
        _serve(given)
    except (KmsMockError, OSError) as error:
        print(f"pytest-kmsmock: {error}", file=sys.stderr)  # noqa: T201 - a command's output
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pytest-kmsmock", description="A fake AWS KMS.")
    serve = parser.add_subparsers(required=True, metavar="COMMAND").add_parser(
        "serve", help="answer AWS KMS requests over HTTP", description="Answer AWS KMS requests over HTTP."
    )
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s, this machine)")
    serve.add_argument("--port", type=int, default=8080, help="port; 0 takes a free one (default: %(default)s)")
    serve.add_argument("--seed", type=Path, metavar="FILE", help="keys and aliases to begin with")
    serve.add_argument("--state", type=Path, metavar="FILE", help="file that keeps everything between runs")
    serve.add_argument("--region", help="default Region")
    serve.add_argument("--account-id", help="account of the default caller")
    serve.add_argument(
        "--check-signatures", action="store_true", help="refuse requests that are not signed with known credentials"
    )
    return parser


def _serve(given: argparse.Namespace) -> None:
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    options = {name: value for name in ("region", "account_id") if (value := getattr(given, name)) is not None}
    with mock_kms(**options) as kms:
        store = _begin(kms, given)
        with kms.serve(
            host=given.host,
            port=given.port,
            check_signatures=given.check_signatures,
            after_call=None if store is None else store.after_call,
        ) as server:
            print(f"AWS KMS: {server.endpoint_url}", flush=True)  # noqa: T201 - scripts wait for this line
            ended.wait()
        if store is not None:
            store.save()


def _begin(kms: KmsMock, given: argparse.Namespace) -> StateFile | None:
    """Load what the command line names. The seed is for the first run: a state file that exists has it already."""
    store = None if given.state is None else StateFile(given.state, kms.service)
    if store is not None and store.load():
        return store
    if given.seed is not None:
        kms.seed(given.seed)
    if store is not None:
        store.save()
    return store


class StateFile:
    """A file that holds the state of a fake KMS: always one whole state, never parts of two.

    Args:
        path: the file.
        service: whose state it holds.
    """

    def __init__(self, path: Path, service: FakeKms) -> None:
        self._path = path
        self._service = service
        self._lock = threading.Lock()
        self._changes = 0  # that were made so far
        self._saved = 0  # of them, how many the file has

    def load(self) -> bool:
        """Take over the state in the file. Time has gone on since it was written.

        Returns:
            Whether there was a file.

        Raises:
            InvalidDump: when the file is no state, or not all of one. It is left as it is.
        """
        if not self._path.exists():
            return False
        from .console import snapshot
        from .errors import InvalidDump
        from .service.clock import Clock

        try:
            snapshot.load(self._service, snapshot.read(self._path))
        except InvalidDump as error:
            raise InvalidDump(f"{self._path} is left as it is: {error}") from None
        self._service.clock = Clock()
        return True

    def after_call(self, operation: str) -> None:
        """Write the file if a call has changed what it holds; return when it is written.

        What several calls changed at the same time is written once.
        """
        from .service.operation import OPERATIONS

        if OPERATIONS[operation].cryptographic or operation.startswith(_READING):
            return
        with self._service.lock:
            self._changes += 1
            change = self._changes
        with self._lock:
            if self._saved < change:
                self._write()

    def save(self) -> None:
        """Write the file."""
        with self._lock:
            self._write()

    def _write(self) -> None:
        from .console import snapshot

        with self._service.lock:
            document, changes = snapshot.dump(self._service), self._changes
        snapshot.write(document, self._path)
        self._saved = changes
