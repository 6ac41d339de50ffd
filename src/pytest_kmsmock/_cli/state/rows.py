"""Dicts that note their changes in a journal, and decode records of the file on first use.

They replace the plain dicts of `_kms.state.state` while a state file is in use.
"""

from __future__ import annotations

from collections.abc import Callable, ItemsView, ValuesView
from typing import Any, Final, final

from pytest_kmsmock._record import Record


class Table(Record):
    """What a dict holds: records of a kind, of an account and Region if they have these, of a key if it is nested."""

    kind: str
    account: str = ""
    region: str = ""
    key_id: str = ""


#: The value of a name that does not exist.
MISSING: Final = object()
#: The kind that only answers that show it wait for, since each cryptographic operation changes one.
LAST_USAGE = "last_usage"


class Raw(str):
    """A record as in the file, not decoded yet."""

    __slots__ = ()


class Journal:
    """The changes since the last `take`: by table and name, the dict and the value before.

    Attributes:
        changes: the changes.
        urgent: whether answers have to wait until they are written.
    """

    __slots__ = ("changes", "urgent")

    def __init__(self) -> None:
        self.changes: dict[tuple[Table, Any], tuple[Rows, Any]] = {}
        self.urgent = False

    def take(self) -> dict[tuple[Table, Any], tuple[Rows, Any]]:
        """Return the changes, and clear the journal."""
        changes, self.changes, self.urgent = self.changes, {}, False
        return changes


class Rows(dict[Any, Any]):
    """A dict of records. It notes the kinds of change that the fake KMS makes: setting, deleting and `pop`.

    Args:
        table: what it holds.
        journal: where changes are noted.
        read: decodes a record.
        content: the initial content.
    """

    __slots__ = ("_journal", "_read", "table")

    def __init__(
        self, table: Table, journal: Journal, read: Callable[[Table, str], Any], content: dict[Any, Any] | None = None
    ) -> None:
        super().__init__(content or {})
        self.table = table
        self._journal = journal
        self._read = read

    def put_raw(self, name: Any, record: str) -> None:
        """Set a record as in the file, which is not a change."""
        super().__setitem__(name, Raw(record))

    def _note(self, name: Any) -> None:
        journal, place = self._journal, (self.table, name)
        if place not in journal.changes:
            journal.changes[place] = (self, self.get(name, MISSING))
        if self.table.kind != LAST_USAGE:
            journal.urgent = True

    def _decoded(self, name: Any, raw: Raw) -> Any:
        record = self._read(self.table, raw)
        super().__setitem__(name, record)
        return record

    def __getitem__(self, name: Any) -> Any:
        value = super().__getitem__(name)
        return self._decoded(name, value) if type(value) is Raw else value

    def get(self, name: Any, default: Any = None) -> Any:
        """Return the record of a name, or the default."""
        value = super().get(name, default)
        return self._decoded(name, value) if type(value) is Raw else value

    # dict's own views would show records that are not decoded yet; their classes cannot be instantiated.
    def values(self) -> ValuesView[Any]:  # type: ignore[override]  # decodes rows, unlike dict's view
        """Return the records."""
        return ValuesView(self)

    def items(self) -> ItemsView[Any, Any]:  # type: ignore[override]  # decodes rows, unlike dict's view
        """Return names and records."""
        return ItemsView(self)

    def copy(self) -> dict[Any, Any]:
        """Return a plain dict."""
        return dict(self.items())

    def __setitem__(self, name: Any, value: Any) -> None:
        self._note(name)
        super().__setitem__(name, value)

    def __delitem__(self, name: Any) -> None:
        self._note(name)
        super().__delitem__(name)

    def pop(self, name: Any, *default: Any) -> Any:
        """Remove a name and return its record; the default if it does not exist."""
        if name not in self:
            return super().pop(name, *default)
        value = self[name]
        del self[name]
        return value


@final
class NestedRows(dict[str, dict[Any, Any]]):
    """The grants of a Region: by key id, a `Rows` of grants.

    Args:
        make: makes the dict of a key.
        content: the initial content.
    """

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[str], Rows], content: dict[str, dict[Any, Any]]) -> None:
        super().__init__()
        self._make = make
        for key_id, rows in content.items():
            dict.update(self.setdefault(key_id), rows)

    def setdefault(self, key_id: str, _: object = None) -> dict[Any, Any]:
        """Return the dict of a key; a new one if it has none."""
        if key_id not in self:
            self[key_id] = self._make(key_id)
        return self[key_id]

    def pop(self, key_id: str, *default: Any) -> Any:
        """Remove the grants of a key, and return them as a plain dict; the default if it has none."""
        if key_id not in self:
            return super().pop(key_id, *default)
        rows = super().pop(key_id)
        removed = rows.copy()
        for name in removed:
            del rows[name]
        return removed


@final
class GrantIndex(dict[tuple[str, str], Any]):
    """The index of a Region's grants by key id and grantee. Grants of the file are indexed on first use of their key.

    Args:
        content: the initial content.
    """

    __slots__ = ("_raw",)

    def __init__(self, content: dict[tuple[str, str], Any]) -> None:
        super().__init__(content)
        self._raw: dict[str, dict[Any, Any]] = {}  # by key id, grants that are not indexed yet

    def add_raw(self, key_id: str, grants: dict[Any, Any]) -> None:
        """Index the grants of a key when they are needed."""
        self._raw[key_id] = grants

    def _fill(self, key_id: str) -> None:
        grants = list(self._raw.get(key_id, {}).values())  # raises, again and again, if one is damaged
        self._raw.pop(key_id, None)
        for grant in grants:
            place = (key_id, grant.holder)
            super().__setitem__(place, (*super().get(place, ()), grant))

    def __getitem__(self, place: tuple[str, str]) -> Any:
        return self.get(place, ())  # when the last grant was deleted before its key was indexed, there are none

    def get(self, place: tuple[str, str], default: Any = None) -> Any:
        """Return the grants on a key with a grantee, or the default."""
        self._fill(place[0])
        return super().get(place, default)

    def pop(self, place: tuple[str, str], *default: Any) -> Any:
        """Remove the grants on a key with a grantee, and return them; the default if there are none."""
        self._fill(place[0])
        return super().pop(place, *default)

    def copy(self) -> dict[tuple[str, str], Any]:
        """Return a plain dict."""
        for key_id in list(self._raw):
            self._fill(key_id)
        return dict(self)
