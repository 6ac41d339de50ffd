"""Hints for names that were not found: the same name in another place, or a similar one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kmsmock._kms.api.arns import parse_arn
from pytest_kmsmock._kms.formats import ciphertext_blob
from pytest_kmsmock._runtime.checks import closest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_kmsmock._kms.engine.call_record import CallRecord
    from pytest_kmsmock._kms.state.state import Region, State

_ALIAS = "alias/"
#: The parameters that name a key or an alias.
_NAMES = ("KeyId", "SourceKeyId", "DestinationKeyId", "TargetKeyId", "AliasName")
#: Names a new alias.
_NEW = ("CreateAlias", "AliasName")


def elsewhere(state: State, name: str, home: Region) -> list[Region]:
    """Return the other accounts and Regions that have a key or alias of a name."""
    others = (region for region in state.regions() if region is not home)
    return [region for region in others if name in names(region)]


def alike(name: str, home: Region, count: int = 3) -> list[str]:
    """Return the aliases and key ids that are similar to a name, best first."""
    known = names(home)
    # Compared without the common prefix: with it every alias would be similar to every other.
    bare = {entry.removeprefix(_ALIAS): entry for entry in known}
    return [bare[match] for match in closest(name.removeprefix(_ALIAS), bare, count)]


def names(home: Region) -> list[str]:
    """Return the aliases that have a key, and the key ids."""
    return [alias.name for alias in home.aliases.values() if alias.key_id is not None] + list(home.keys)


def hints(record: CallRecord, state: State, mocks: Mapping[str, State] | None = None) -> list[str]:
    """Return hints for the names that a call did not find, a line each.

    Args:
        record: the call.
        state: the state of its mock; it may have changed since.
        mocks: name -> state of the mocks of the test.
    """
    if record.error is None or record.injected:
        return []
    found = [_of_ciphertext(record, state, mocks or {})]
    if record.error.code == "NotFoundException":
        given = (record.params.get(parameter) for parameter in _NAMES if (record.operation, parameter) != _NEW)
        found += [_hint(name, record, state, mocks or {}) for name in given if isinstance(name, str)]
    return [hint for hint in found if hint]


def _hint(identifier: str, record: CallRecord, state: State, mocks: Mapping[str, State]) -> str:
    arn = parse_arn(identifier)
    account, place = (record.account, record.region) if arn is None else (arn.account, arn.region)
    name = identifier if arn is None else arn.name
    home = state.region(account, place)
    if name in names(home):
        if place != record.region:
            return f"The ARN says {place}; the call went to {record.region}."
        found = home.aliases[name].key_id if name in home.aliases else name
        return "" if found in {key.id for key in record.keys} else f"{name} exists now: it was created after the call."
    there = _there(name, home, state, mocks, "the call went to" if arn is None else "the ARN says")
    if there:
        return f"{name} {there}"
    close = alike(name, home, 1)
    return f"Did you mean {close[0]}?" if close else ""


def _of_ciphertext(record: CallRecord, state: State, mocks: Mapping[str, State]) -> str:
    blob = record.params.get("CiphertextBlob")
    parsed = ciphertext_blob.parse(blob) if isinstance(blob, bytes) else None
    home = state.region(record.account, record.region)
    if parsed is None or parsed.key_id in home.keys or parsed.key_id in {key.id for key in record.keys}:
        return ""
    there = _there(parsed.key_id, home, state, mocks, "the call went to")
    return f"The key of the ciphertext {there}" if there else ""


def _there(name: str, home: Region, state: State, mocks: Mapping[str, State], here: str) -> str:
    """Return in which other account, Region or mock a name exists; empty if in none."""
    others = elsewhere(state, name, home)
    if others:
        places = (each.name if each.account == home.account else f"{each.name} of account {each.account}"
                  for each in others)  # fmt: skip
        return f"exists in {' and in '.join(places)}; {here} {home.name}."
    having = [mock for mock, other in mocks.items() if elsewhere(other, name, home)]
    own = next((mock for mock, each in mocks.items() if each is state), "this mock")
    return f"exists in another mock, {' and '.join(having)}; {own} answered the call." if having else ""
