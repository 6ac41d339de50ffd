"""Eventual consistency: for some time after a change, permissions and aliases use the state before it.

Enabled by `Delays.eventual_consistency`. List operations always return the current state.
See https://docs.aws.amazon.com/kms/latest/developerguide/accessing-kms.html#programming-eventual-consistency
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from pytest_kmsmock._kms.api.arns import alias_arn
from pytest_kmsmock._kms.state.delays import end_of
from pytest_kmsmock._kms.state.records import Key

if TYPE_CHECKING:
    from pytest_kmsmock._kms.state.state import Region

    from .operation import Call

_T = TypeVar("_T")


def effective_attributes(
    call: Call, key: Key, aliases: tuple[str, ...]
) -> tuple[str, Mapping[str, str], tuple[str, ...]]:
    """Return the policy, tags and aliases of a key that access decisions currently use.

    Args:
        call: the call.
        key: the key in its current state.
        aliases: its current aliases.
    """
    recent = call.state.recent
    return (
        _effective(recent.policies, key.arn, call.now, key.policy),
        _effective(recent.tags, key.arn, call.now, key.tags),
        _effective(recent.aliases, key.arn, call.now, aliases),
    )


def alias_target(call: Call, region: Region, name: str) -> Key | None:
    """Return the key that an alias currently resolves to; None without a key."""
    entry = region.aliases.get(name)
    key_id = None if entry is None else entry.key_id
    if call.service.delays.eventual_consistency:
        arn = alias_arn(region.name, region.account, name)
        key_id = _effective(call.state.recent.alias_targets, arn, call.now, key_id)
    return None if key_id is None else region.keys.get(key_id)


def _effective(before: Mapping[str, tuple[tuple[datetime, _T], ...]], arn: str, now: datetime, present: _T) -> _T:
    return next((value for until, value in before.get(arn, ()) if until > now), present)


class ChangeRecorder:
    """Records what a call changes: created before the call runs, it compares the state afterwards."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._before = [
            (key, home.aliases_of.get(key.id, ()), home.grants.get(key.id, {}).copy())
            for key, home in ((target.key, call.state.home(target.key)) for target in call.targets if target.key)
        ]
        self._alias_target = self._present_target()

    def _present_target(self) -> str | None:
        entry = self._call.region.aliases.get(self._call.params.get("AliasName", ""))
        return None if entry is None else entry.key_id

    def record_changes(self) -> None:
        """Keep the values before the call until the delay has passed."""
        call, recent = self._call, self._call.state.recent
        until = end_of(call.now, call.service.delays.eventual_consistency)
        if self._present_target() != self._alias_target:
            arn = alias_arn(call.region.name, call.region.account, call.params["AliasName"])
            _append(recent.alias_targets, arn, (until, self._alias_target))
        for before, aliases, grants in self._before:
            home = call.state.home(before)
            key = home.keys[before.id]
            if key.policy != before.policy:
                _append(recent.policies, key.arn, (until, before.policy))
            if key.tags != before.tags:
                _append(recent.tags, key.arn, (until, before.tags))
            if home.aliases_of.get(key.id, ()) != aliases:
                _append(recent.aliases, key.arn, (until, aliases))
            present = home.grants.get(key.id, {})
            for grant_id in present.keys() - grants.keys():
                recent.new_grants[grant_id] = until
            for grant_id in grants.keys() - present.keys():
                _append(recent.gone_grants, key.arn, (until, grants[grant_id]))


def _append(history: dict[str, tuple[tuple[datetime, _T], ...]], arn: str, entry: tuple[datetime, _T]) -> None:
    history[arn] = (*history.get(arn, ()), entry)
