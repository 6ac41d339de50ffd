"""Values before recent changes, for eventual consistency (`_kms.call.consistency`)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from .records import Grant


class RecentChanges:
    """Values before recent changes, by ARN: pairs of (effective until, value), oldest first.

    Dumps follow the names and types of the attributes (`_testing.dumps.dump`).
    """

    __slots__ = ("alias_targets", "aliases", "gone_grants", "new_grants", "policies", "tags")

    policies: dict[str, tuple[tuple[datetime, str], ...]]
    tags: dict[str, tuple[tuple[datetime, Mapping[str, str]], ...]]
    aliases: dict[str, tuple[tuple[datetime, tuple[str, ...]], ...]]
    alias_targets: dict[str, tuple[tuple[datetime, str | None], ...]]  # alias ARN -> key ids, None without a key
    gone_grants: dict[str, tuple[tuple[datetime, Grant], ...]]
    new_grants: dict[str, datetime]  # grant id -> time until which the grant needs its grant token

    def __init__(self) -> None:
        self.policies = {}
        self.tags = {}
        self.aliases = {}
        self.alias_targets = {}
        self.gone_grants = {}
        self.new_grants = {}

    def copy(self) -> RecentChanges:
        """Return an independent copy."""
        clone = RecentChanges()
        clone.policies = self.policies.copy()
        clone.tags = self.tags.copy()
        clone.aliases = self.aliases.copy()
        clone.alias_targets = self.alias_targets.copy()
        clone.gone_grants = self.gone_grants.copy()
        clone.new_grants = self.new_grants.copy()
        return clone
