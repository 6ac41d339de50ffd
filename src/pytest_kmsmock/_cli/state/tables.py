"""The dicts of a state that are in a state file: their records as rows, and a state from rows.

They follow from the attributes of `_kms.state.state` and their types, as for dumps; the codec is that of dumps, too.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, final, get_args, get_origin

from pytest_kmsmock._kms.rules.timeline import due_dates
from pytest_kmsmock._kms.state.attached_policies import Iam
from pytest_kmsmock._kms.state.backing_key_stores import BackingKeyStores
from pytest_kmsmock._kms.state.recent import RecentChanges
from pytest_kmsmock._kms.state.state import Region, SortedNames, State
from pytest_kmsmock._record import Record
from pytest_kmsmock._testing.dumps.codec import decode, encode, types_of_attributes

from .rows import MISSING, GrantIndex, Journal, NestedRows, Rows, Table

_Restore = Callable[[Any, Rows, Any, Any], None]


class Row(Record):
    """A row of the file.

    Attributes:
        kind: the dict that it is in, such as `keys`; with `account` and `region`, if it is a Region's.
        name: its name there, such as a key id.
        key_id: the key of a grant, and of an alias if it has one.
        due: the times when something is due on it, separated by spaces.
        record: the record as JSON.
    """

    kind: str
    account: str
    region: str
    name: str
    key_id: str
    due: str
    record: str


def _dicts(owner: type, prefix: str) -> dict[str, tuple[Any, Any]]:
    """Return the dict attributes of a class: by kind, the types of names and records."""
    found = {
        f"{prefix}{name}": get_args(hint)
        for name, hint in types_of_attributes(owner).items()
        if get_origin(hint) is dict and name != "aliases_of"  # derived from the aliases
    }
    if "grants" in found:
        found["grants"] = get_args(found["grants"][1])  # by key id, then by grant id
    return found


_OF_A_REGION = _dicts(Region, "")
#: What a state holds besides Regions, by attribute.
_HOLDERS: Mapping[str, type] = {"iam": Iam, "outside": BackingKeyStores, "recent": RecentChanges}
_TYPES = _OF_A_REGION | {
    kind: types for holder, owner in _HOLDERS.items() for kind, types in _dicts(owner, f"{holder}.").items()
}
#: Not a dict; only seeds and dumps set it.
_MISSING_PRINCIPALS = Table("iam.missing")


def row_of(table: Table, name: Any, record: Any) -> Row:
    """Return a record as a row. Key material that was not needed so far is generated now.

    Args:
        table: the dict that it is in.
        name: its name there.
        record: the record; `MISSING` if it was deleted.
    """
    hint_of_names, hint = _TYPES[table.kind]
    text = name if hint_of_names is str else json.dumps(encode(name, hint_of_names))
    if record is MISSING:
        return Row(table.kind, table.account, table.region, text, "", "", "")
    data = encode(record, hint)
    for field, default in getattr(record, "_field_defaults", {}).items():
        if getattr(record, field) == default:
            del data[field]
    key_id = table.key_id or getattr(record, "key_id", None) or ""
    due = " ".join(date.isoformat() for date in sorted(due_dates(record)))
    return Row(table.kind, table.account, table.region, text, key_id, due, json.dumps(data, separators=(",", ":")))


def _read(table: Table, record: str) -> Any:
    """Return the record that `row_of` wrote."""
    return decode(json.loads(record), _TYPES[table.kind][1], table.kind)


class _Regions(dict[tuple[str, str], Region]):
    """The Regions of a state: changes of new ones are noted, too."""

    __slots__ = ("_watch",)

    def __init__(self, watch: Callable[[Region], Region], content: dict[tuple[str, str], Region]) -> None:
        super().__init__({place: watch(region) for place, region in content.items()})
        self._watch = watch

    def setdefault(self, place: tuple[str, str], region: Region) -> Region:
        return super().setdefault(place, self._watch(region))


@final
class Tables:
    """The dicts of a state, each replaced by `Rows`.

    Args:
        state: the state.
        journal: where changes are noted from now on.
    """

    def __init__(self, state: State, journal: Journal) -> None:
        self._state = state
        self._journal = journal
        self._rows: dict[str, Rows] = {}
        for holder in _HOLDERS:
            for kind in _dicts(_HOLDERS[holder], f"{holder}."):
                self._replace(getattr(state, holder), kind.partition(".")[2], Table(kind))
        state._regions = _Regions(self._watch, state._regions)  # noqa: SLF001 - nothing else observes a state

    def _replace(self, holder: object, attribute: str, table: Table) -> None:
        rows = Rows(table, self._journal, _read, getattr(holder, attribute))
        setattr(holder, attribute, rows)
        if not table.account:
            self._rows[table.kind] = rows

    def _watch(self, region: Region) -> Region:
        place = (region.account, region.name)
        for kind in _OF_A_REGION.keys() - {"grants"}:
            self._replace(region, kind, Table(kind, *place))
        region.grants = NestedRows(
            lambda key_id: Rows(Table("grants", *place, key_id), self._journal, _read), region.grants
        )
        region._grants_to = GrantIndex(region._grants_to)  # noqa: SLF001 - as above
        return region

    def load(self, rows: Iterable[tuple[str, str, str, str, str, str, str]]) -> None:
        """Put the rows of a file into the empty state. Most records are decoded on first use."""
        state = self._state
        dated: list[tuple[str, str, str, str]] = []
        for kind, account, place, name, key_id, due, record in rows:
            if due:
                dated.append((due, account, place, name))
            if kind in _OF_A_REGION:
                region: Any = state.region(account, place)  # with the dicts that `_watch` put in place
                if kind == "grants":
                    grants = region.grants.setdefault(key_id, {})
                    grants.put_raw(name, record)
                    region._grants_to.add_raw(key_id, grants)  # noqa: SLF001 - as in `_watch`
                    continue
                getattr(region, kind).put_raw(name, record)
                if kind == "aliases" and key_id:
                    region.aliases_of[key_id] = (*region.aliases_of.get(key_id, ()), name)
            elif kind == _MISSING_PRINCIPALS.kind:
                state.iam.missing = frozenset(json.loads(record))
            else:
                hint = _TYPES[kind][0]
                self._rows[kind].put_raw(name if hint is str else decode(json.loads(name), hint, kind), record)
        for region in state.regions():
            region.key_ids = SortedNames(sorted(region.keys))
            region.alias_names = SortedNames(sorted(region.aliases))
        state.timeline += [
            (datetime.fromisoformat(date), account, place, name)
            for due, account, place, name in dated
            for date in due.split()
        ]
        heapq.heapify(state.timeline)
        self._journal.take()

    def everything(self) -> Iterator[Row]:
        """Yield the whole state."""
        for rows in self._rows.values():
            yield from _rows_of(rows)
        for region in self._state.regions():
            for kind in _OF_A_REGION:
                held = getattr(region, kind)
                for rows in held.values() if kind == "grants" else (held,):
                    yield from _rows_of(rows)
        missing = json.dumps(sorted(self._state.iam.missing))
        yield Row(*_MISSING_PRINCIPALS[:3], "", "", "", missing)

    def undo(self, *changes: Mapping[tuple[Table, Any], tuple[Rows, Any]]) -> None:
        """Undo changes, the latest first. What was due is due again."""
        for each in changes:
            for (table, name), (rows, before) in each.items():
                region = self._state.region(table.account, table.region) if table.account else None
                restore: _Restore = _RESTORE.get(table.kind, _restore)
                restore(region, rows, name, before)
                if region is not None and before is not MISSING:
                    for date in due_dates(before):
                        self._state.schedule(date, region, name)
        self._journal.take()


def _rows_of(rows: Rows) -> Iterator[Row]:
    return (row_of(rows.table, name, record) for name, record in rows.items())


def _restore(_: Region | None, rows: Rows, name: Any, before: Any) -> None:
    rows.pop(name, None)
    if before is not MISSING:
        rows[name] = before


def _restore_key(region: Region, rows: Rows, key_id: str, before: Any) -> None:
    if key_id in rows:
        region.key_ids.remove(key_id)
    _restore(region, rows, key_id, before)
    if key_id in rows:
        region.key_ids.add(key_id)


def _restore_alias(region: Region, rows: Rows, name: str, before: Any) -> None:
    if before is not MISSING:
        region.put_alias(before)
    elif name in rows:
        region.remove_alias(name)


def _restore_grant(region: Region, rows: Rows, grant_id: str, before: Any) -> None:
    if grant_id in region.grants.get(rows.table.key_id, {}):
        region.remove_grant(region.grants[rows.table.key_id][grant_id])
    if before is not MISSING:
        region.put_grant(before)


#: Kind -> how to restore a record and what is derived from it.
_RESTORE: Mapping[str, _Restore] = {
    "keys": _restore_key,
    "aliases": _restore_alias,
    "grants": _restore_grant,
}
