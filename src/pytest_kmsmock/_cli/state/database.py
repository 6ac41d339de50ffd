"""The SQLite file: opening it exclusively, reading all rows, writing rows in a transaction."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import final

from pytest_kmsmock.errors import InvalidDump, StateFileInUse

from .tables import Row

#: The application id of a state file: "kmsm".
_APPLICATION_ID = 0x6B6D736D
_VERSION = 1
#: The first byte of a dump, and of the state files of older releases.
_JSON = b"{"
_SQLITE = b"SQLite format 3\0"
_SCHEMA = """
CREATE TABLE record (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,
  key_id TEXT NOT NULL, due TEXT NOT NULL, record TEXT NOT NULL,
  UNIQUE (kind, account, region, name)
)
"""
_COLUMNS = ", ".join(Row._fields)
_PUT = f"""
INSERT INTO record ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (kind, account, region, name)
DO UPDATE SET key_id = excluded.key_id, due = excluded.due, record = excluded.record
"""
_DELETE = "DELETE FROM record WHERE kind = ? AND account = ? AND region = ? AND name = ?"


@final
class Database:
    """An open state file, locked until it is closed.

    Args:
        path: the file. It is created if it does not exist; an empty file is a new state.

    Raises:
        InvalidDump: the file is not a state file, or of a later release. It is not changed.
        StateFileInUse: another server has locked it.
        OSError: the file, or files beside it, cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        _check_not_mounted_alone(path)
        with self._as_os_error(f"{path} cannot be used"):
            _check_content(path)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # it holds secret key material
            self._connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            self._open()
        except BaseException:
            self._connection.close()
            raise

    def _open(self) -> None:
        with self._as_os_error(f"{self._path} cannot be used"):
            # With it SQLite needs no shared memory, and keeps its locks until the file is closed.
            self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            with self._transaction():
                application, version = self._pragma("application_id"), self._pragma("user_version")
                if self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
                    self._connection.execute(_SCHEMA)
                    application, version = _APPLICATION_ID, _VERSION
                if (application, version) != (_APPLICATION_ID, _VERSION):
                    raise InvalidDump(
                        f"{self._path} is left as it is: "
                        + ("it is of a later release" if application == _APPLICATION_ID else "it is not a state file")
                    )
                # Written at every start, so that a file that cannot be written fails now, not at the first change.
                self._connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
                self._connection.execute(f"PRAGMA user_version = {_VERSION}")

    def _pragma(self, name: str) -> int:
        value: int = self._connection.execute(f"PRAGMA {name}").fetchone()[0]
        return value

    @property
    def is_empty(self) -> bool:
        """Whether no state has been written to it."""
        return self._connection.execute("SELECT 1 FROM record LIMIT 1").fetchone() is None

    def rows(self) -> Iterable[Row]:
        """Return all rows, in the order of insertion."""
        return self._connection.execute(f"SELECT {_COLUMNS} FROM record ORDER BY id")

    def write(self, rows: Iterable[Row]) -> None:
        """Write rows in one transaction, which is durable when this returns. A row without a record is deleted.

        Raises:
            OSError: nothing was written.
        """
        with self._as_os_error(f"{self._path} cannot be written"), self._transaction():
            for row in rows:
                self._connection.execute(*(_PUT, row) if row.record else (_DELETE, row[:4]))

    def close(self) -> None:
        """Close and unlock the file."""
        self._connection.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # SQLite may have rolled back
                self._connection.execute("ROLLBACK")
            raise

    @contextlib.contextmanager
    def _as_os_error(self, what: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorname", str(error))
            if "BUSY" in code or "locked" in str(error):
                raise StateFileInUse(
                    f"{self._path} is in use by another server. Stop that one, or give this one a file of its own."
                ) from None
            raise OSError(
                f"{what}: {error}. It needs a folder that this user may write to, and space on the disk: SQLite writes "
                f"{self._path.name}-wal beside it."
            ) from None
        except OSError as error:
            raise OSError(f"{what}: {error.strerror}. It needs a folder that this user may write to.") from None


def _check_content(path: Path) -> None:
    """Refuse a file that is not a SQLite file, before SQLite opens it.

    Raises:
        InvalidDump: it is none; if it is a dump, the message says how to import it.
    """
    if not path.exists():
        return
    if path.is_dir():
        raise InvalidDump(f"{path} is left as it is: it is a folder")
    with path.open("rb") as file:
        start = file.read(len(_SQLITE))
    if start in (b"", _SQLITE):
        return
    if start.lstrip().startswith(_JSON):
        raise InvalidDump(
            f"{path} is left as it is: it is JSON. If it is a dump, or the state file of an older release, import it: "
            f"pytest-kmsmock import-state {path} NEW_FILE"
        )
    raise InvalidDump(f"{path} is left as it is: it is not a state file")


#: The mount points, on Linux. Source: proc_pid_mountinfo(5).
_MOUNTS = Path("/proc/self/mountinfo")


def _check_not_mounted_alone(path: Path) -> None:
    """Refuse a file that is a mount point: files that SQLite writes beside it would be lost with the container.

    Raises:
        OSError: it is one.
    """
    try:
        lines = _MOUNTS.read_text().splitlines()
    except OSError:
        return  # not Linux
    target = os.path.realpath(path)
    if any(_unescaped(line.split(" ")[4]) == target for line in lines):
        raise OSError(
            f"{path} is mounted by itself. SQLite writes {path.name}-wal beside it, which has to last as long: mount "
            "the folder, such as docker run -v kms-state:/state ... --state /state/kms.db"
        )


def _unescaped(name: str) -> str:
    """Decode the octal escapes of a path in mountinfo, such as those of spaces."""
    return name.encode().decode("unicode_escape").encode("latin-1").decode(errors="replace")
