"""What a name that was not found may have meant: the same name elsewhere, or one that is alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kmsmock._kms.api.arns import parse_arn
from pytest_kmsmock._runtime.checks import closest

if TYPE_CHECKING:
    from pytest_kmsmock._kms.engine.call_record import CallRecord
    from pytest_kmsmock._kms.state.state import Region, State

_ALIAS = "alias/"
#: The parameters that name a key or an alias.
_NAMES = ("KeyId", "SourceKeyId", "DestinationKeyId", "TargetKeyId", "AliasName")
#: Names what is not there yet.
_NEW = ("CreateAlias", "AliasName")


def elsewhere(state: State, name: str, home: Region) -> list[Region]:
    """Return the other accounts and Regions that have a key or alias of a name."""
    others = (region for region in state.regions() if region is not home)
    return [region for region in others if name in names(region)]


def alike(name: str, home: Region, count: int = 3) -> list[str]:
    """Return the aliases and key ids that are like a name, the likeliest first."""
    known = names(home)
    # Compared without the prefix that all have, else every alias would be like every other.
    bare = {entry.removeprefix(_ALIAS): entry for entry in known}
    return [bare[match] for match in closest(name.removeprefix(_ALIAS), bare, count)]


def names(home: Region) -> list[str]:
    """Return the aliases that lead to a key, and the key ids."""
    return [alias.name for alias in home.aliases.values() if alias.key_id is not None] + list(home.keys)


def hints(record: CallRecord, state: State) -> list[str]:
    """Return what the mock knows of the names that a call did not find, a line each.

    Args:
        record: the call.
        state: the state of its mock; it may have changed since.
    """
    if record.error is None or record.error.code != "NotFoundException" or record.injected:
        return []
    given = (record.params.get(parameter) for parameter in _NAMES if (record.operation, parameter) != _NEW)
    return [hint for name in given if isinstance(name, str) and (hint := _hint(name, record, state))]


def _hint(identifier: str, record: CallRecord, state: State) -> str:
    arn = parse_arn(identifier)
    account, place = (record.account, record.region) if arn is None else (arn.account, arn.region)
    name = identifier if arn is None else arn.name
    home = state.region(account, place)
    if name in names(home):
        if place != record.region:
            return f"The ARN says {place}; the call went to {record.region}."
        found = home.aliases[name].key_id if name in home.aliases else name
        return "" if found in {key.id for key in record.keys} else f"{name} is there now: it was made after the call."
    others = elsewhere(state, name, home)
    if others:
        there = " and in ".join(
            other.name if other.account == account else f"{other.name} of account {other.account}" for other in others
        )
        return f"{name} exists in {there}; {'the call went to' if arn is None else 'the ARN says'} {place}."
    close = alike(name, home, 1)
    return f"Did you mean {close[0]}?" if close else ""
