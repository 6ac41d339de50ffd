"""`StateFile`: the file of one server. What is answered from a state is in the file before it is answered."""

from __future__ import annotations

import sqlite3
import sys
import threading
from collections.abc import Callable
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

#: What shows when a key was last used. All else is answered without waiting for that to be written.
_SHOWS_LAST_USAGE = frozenset({"GetKeyLastUsage"})


@final
class StateFile:
    """A file that holds the state of a fake KMS. Inside `with`, nobody else's.

    Args:
        path: the file.
        service: whose state it holds.

    Raises:
        InvalidDump, StateFileInUse, OSError: on entering; see `Database`.
    """

    def __init__(self, path: Path, service: FakeKms) -> None:
        self._path = path
        self._service = service
        self._journal = Journal()
        self._tables: Tables | None = None
        self._writing = threading.Lock()  # taken before the service's lock, never after
        self._batch = _Batch()  # of the changes that the file does not have
        self._in_flight = _Batch(settled=True)  # of those that are being written

    def __enter__(self) -> StateFile:
        self._database = Database(self._path)
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def load(self) -> bool:
        """Take over the state in the file. Time has gone on since it was written.

        Returns:
            Whether there was one. If not, `begin` writes the state that there is.

        Raises:
            InvalidDump: when the file is damaged.
        """
        try:
            if self._database.is_empty:
                return False
            self._tables = Tables(self._service.state, self._journal)
            self._tables.load(self._database.rows())
        except (sqlite3.Error, ValueError, LookupError) as error:
            raise InvalidDump(f"{self._path} is left as it is: it is damaged: {error}") from error
        self._service.clock = Clock()
        return True

    def check_new(self) -> None:
        """Refuse a file that holds a state.

        Raises:
            InvalidDump: it does.
        """
        if not self._database.is_empty:
            raise InvalidDump(f"{self._path} is left as it is: it holds a state already")

    def begin(self) -> None:
        """Write the whole state, and note what changes from now on.

        Raises:
            OSError: when it cannot be written.
        """
        with self._service.lock:
            self._tables = Tables(self._service.state, self._journal)
            self._database.write(self._tables.everything())

    def carry_out(self, operation: str, call: Callable[[], HttpAnswer]) -> HttpAnswer:
        """Carry out a call, and answer it when the file has all that it may have been answered from.

        That is what the call changed itself, what others changed before it, what was due by time, and what KMS makes
        when it is first looked at. What several calls change at the same time is written at once. When the file cannot
        be written, all changes that it does not have are undone and their calls answered with an error that clients
        retry. A line on stderr says why.

        Args:
            operation: the operation, whether there is one of that name or not.
            call: carries it out.

        Returns:
            What is to be answered.
        """
        with self._service.lock:  # so that a change and its batch belong together
            answer = call()
            journal = self._journal
            waits = journal.urgent or (operation in _SHOWS_LAST_USAGE and journal.changes)
            batch = self._batch if waits else self._in_flight
            if batch.settled:
                return answer  # made from what the file has
        with self._writing:
            if not batch.settled:
                self._settle()
        if batch.failure is None:
            return answer
        print(f"pytest-kmsmock: {operation} is undone: {batch.failure}", file=sys.stderr, flush=True)  # noqa: T201
        refusal = errors.INTERNAL()
        body = error_body(refusal)
        return HttpAnswer(refusal.status, answer.headers | {"content-length": str(len(body))}, body)

    def save(self) -> str:
        """Write what is not written yet: when keys were last used.

        Returns:
            What the file holds now.

        Raises:
            OSError: when it cannot be written; then the file and the state are as they were.
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
        """Write down all changes made so far, or undo them."""
        assert self._tables is not None
        with self._service.lock:
            batch, self._batch = self._batch, _Batch()
            self._in_flight = batch
            taken = self._journal.take()
            changed = [(table, name, rows.get(name, MISSING)) for (table, name), (rows, _) in taken.items()]
        try:
            self._database.write([row_of(*change) for change in changed])
        except Exception as error:  # whatever it is, the file does not have the changes
            with self._service.lock:
                later, self._batch = self._batch, _Batch()  # made meanwhile, on top of what is undone
                self._tables.undo(self._journal.take(), taken)
                for each in (batch, later):
                    each.failure, each.settled = error, True
        batch.settled = True
        return batch


@dataclass(slots=True)
class _Batch:
    """Changes that are written together: while some are written, others gather."""

    settled: bool = False
    failure: Exception | None = None
