"""`StateFile`: the state file of a server. An answer leaves after all that it was made from is in the file."""

from __future__ import annotations

import contextlib
import gc
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.state.clock import Clock
from pytest_kmsmock._transport.json_protocol import HttpAnswer, error_body
from pytest_kmsmock.errors import InvalidDump

from .database import Database
from .rows import MISSING, Journal
from .tables import Tables, row_of

if TYPE_CHECKING:
    from pytest_kmsmock._kms.engine.fake_kms import FakeKms

#: Operations that show when a key was last used. Only their answers wait until that is written.
_SHOWS_LAST_USAGE = frozenset({"GetKeyLastUsage"})


@final
class StateFile:
    """A file that holds the state of a fake KMS. It is locked inside `with`.

    Args:
        path: the file.
        service: the fake KMS.

    Raises:
        InvalidDump, StateFileInUse, OSError: on entering; see `Database`.
    """

    def __init__(self, path: Path, service: FakeKms) -> None:
        self._path = path
        self._service = service
        self._journal = Journal()
        self._tables: Tables | None = None
        self._writing = threading.Lock()  # taken before the service's lock, never after
        self._batch = _Batch()  # of changes that are not in the file
        self._in_flight = _Batch(settled=True)  # of changes that are being written

    def __enter__(self) -> StateFile:
        self._database = Database(self._path)
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def load(self) -> bool:
        """Load the state in the file. The time is the current time.

        Returns:
            Whether there is one. If not, `begin` writes the state of the fake KMS.

        Raises:
            InvalidDump: when the file is damaged.
        """
        try:
            if self._database.is_empty:
                return False
            self._tables = Tables(self._service.state, self._journal)
            with _garbage_collection_paused():
                self._tables.load(self._database.rows())
        except (sqlite3.Error, ValueError, LookupError) as error:
            raise InvalidDump(f"{self._path} is left as it is: it is damaged: {error}") from error
        self._service.clock = Clock()
        return True

    def check_new(self) -> None:
        """Refuse a file that has a state.

        Raises:
            InvalidDump: it has one.
        """
        if not self._database.is_empty:
            raise InvalidDump(f"{self._path} is left as it is: it holds a state already")

    def begin(self) -> None:
        """Write the whole state, and note changes from now on.

        Raises:
            OSError: when it cannot be written.
        """
        with self._service.lock:
            self._tables = Tables(self._service.state, self._journal)
            self._database.write(self._tables.everything())

    def carry_out(self, operation: str, call: Callable[[], HttpAnswer]) -> HttpAnswer:
        """Make a call, and return its answer when all that it was made from is in the file.

        That is what the call itself changed, what other calls changed before it, what was due by time, and what KMS
        creates on first use. Changes of concurrent calls are written together. If the file cannot be written, all
        changes that are not in it are undone, and their calls get an error that clients retry. A line on stderr has the
        reason.

        Args:
            operation: the operation, which may not exist.
            call: makes the call.

        Returns:
            The answer.
        """
        with self._service.lock:  # so that the changes of the call are in this batch
            answer = call()
            journal = self._journal
            waits = journal.urgent or (operation in _SHOWS_LAST_USAGE and journal.changes)
            batch = self._batch if waits else self._in_flight
            if batch.settled:
                return answer  # made from what is in the file
        with self._writing:
            if not batch.settled:
                self._settle()
        if batch.failure is None:
            return answer
        print(f"pytest-kmsmock: {operation} is undone: {batch.failure}", file=sys.stderr, flush=True)
        refusal = errors.INTERNAL()
        body = error_body(refusal)
        return HttpAnswer(refusal.status, answer.headers | {"content-length": str(len(body))}, body)

    def save(self) -> str:
        """Write the changes that are not written yet: when keys were last used.

        Returns:
            The number of keys and aliases in the file.

        Raises:
            OSError: when it cannot be written; then file and state are unchanged.
        """
        with self._writing:
            batch = self._settle()
        if batch.failure is not None:
            raise batch.failure
        regions = list(self._service.state.regions())
        keys = sum(len(region.keys) for region in regions)
        aliases = sum(len(names) for region in regions for names in region.aliases_of.values())
        return f"keys {keys}, aliases {aliases}, in {self._path}"

    def _settle(self) -> _Batch:
        """Write all changes made so far, or undo them."""
        assert self._tables is not None
        with self._service.lock:
            batch, self._batch = self._batch, _Batch()
            self._in_flight = batch
            taken = self._journal.take()
            changed = [(table, name, rows.get(name, MISSING)) for (table, name), (rows, _) in taken.items()]
        try:
            self._database.write([row_of(*change) for change in changed])
        except Exception as error:  # of any kind: the changes are not in the file
            with self._service.lock:
                later, self._batch = self._batch, _Batch()  # made meanwhile, based on what is undone
                self._tables.undo(self._journal.take(), taken)
                for each in (batch, later):
                    each.failure, each.settled = error, True
        batch.settled = True
        return batch


@contextlib.contextmanager
def _garbage_collection_paused() -> Iterator[None]:
    """Pause garbage collection, which would look at all records again and again while they are loaded."""
    resume = gc.enable if gc.isenabled() else gc.disable
    gc.disable()
    try:
        yield
    finally:
        resume()


@dataclass(slots=True)
class _Batch:
    """Changes that are written together: those made while another batch is being written.

    Attributes:
        settled: whether they are written, or undone.
        failure: why they were undone.
    """

    settled: bool = False
    failure: Exception | None = None
