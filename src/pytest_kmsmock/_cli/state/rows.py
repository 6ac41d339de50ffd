"""Dicts that note what changes in them, and decode what a file has of them when it is first needed.

They stand in for the plain dicts of `_kms.state.state` while a state file is in use, and only then.
"""

from __future__ import annotations

from collections.abc import Callable, ItemsView, ValuesView
from typing import Any, Final, NamedTuple, final


class Table(NamedTuple):
    """What a dict holds: records of a kind, of an account and Region if it has these, of a key if it is nested."""

    kind: str
    account: str = ""
    region: str = ""
    key_id: str = ""


#: The value of a name that is not there.
MISSING: Final = object()
#: The kind that no answer waits for, but those that show it: each cryptographic operation writes one.
LAST_USAGE = "last_usage"


class Raw(str):
    """A record as the file has it."""

    __slots__ = ()


class Journal:
    """What has changed since changes were last taken: by table and name, the dict and what it had before."""

    __slots__ = ("changes", "urgent")

    def __init__(self) -> None:
        self.changes: dict[tuple[Table, Any], tuple[Rows, Any]] = {}
        self.urgent = False

    def take(self) -> dict[tuple[Table, Any], tuple[Rows, Any]]:
        """Return the changes, and begin anew."""
        changes, self.changes, self.urgent = self.changes, {}, False
        return changes


class Rows(dict[Any, Any]):
    """A dict of records. Of what changes a dict it has what the fake KMS uses: setting, deleting and `pop`.

    Args:
        table: what it holds.
        journal: where changes are noted.
        read: decodes a record.
        content: what it begins with.
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
        """Put in a record as the file has it, which is no change."""
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

    # dict's own views would show records that are not decoded yet. Its stubs promise classes that cannot be made.
    def values(self) -> ValuesView[Any]:  # type: ignore[override]  # a view as well
        """Return the records."""
        return ValuesView(self)

    def items(self) -> ItemsView[Any, Any]:  # type: ignore[override]  # a view as well
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
        """Remove a name and return its record; the default if it is not there."""
        if name not in self:
            return super().pop(name, *default)
        value = self[name]
        del self[name]
        return value


@final
class NestedRows(dict[str, dict[Any, Any]]):
    """The grants of a Region: by key id, dicts that are `Rows` each.

    Args:
        make: makes the dict of a key.
        content: what it begins with.
    """

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[str], Rows], content: dict[str, dict[Any, Any]]) -> None:
        super().__init__()
        self._make = make
        for key_id, rows in content.items():
            dict.update(self.setdefault(key_id), rows)

    def setdefault(self, key_id: str, _: object = None) -> dict[Any, Any]:
        """Return the dict of a key, made now if it has none."""
        if key_id not in self:
            self[key_id] = self._make(key_id)
        return self[key_id]

    def pop(self, key_id: str, *default: Any) -> Any:
        """Remove all that a key has, and return it as a plain dict; the default if there is nothing."""
        if key_id not in self:
            return super().pop(key_id, *default)
        rows = super().pop(key_id)
        removed = rows.copy()
        for name in removed:
            del rows[name]
        return removed
