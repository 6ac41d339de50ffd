"""What was before recent changes, for as long as permissions and aliases still go by it (`_kms.call.consistency`)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from .records import Grant


class Recent:
    """What was before recent changes, by ARN: pairs of until when it counts, and the value; oldest first.

    The types of the attributes are what dumps go by (`_testing.dumps.dump`).
    """

    __slots__ = ("alias_targets", "aliases", "gone_grants", "new_grants", "policies", "tags")

    policies: dict[str, tuple[tuple[datetime, str], ...]]
    tags: dict[str, tuple[tuple[datetime, Mapping[str, str]], ...]]
    aliases: dict[str, tuple[tuple[datetime, tuple[str, ...]], ...]]
    alias_targets: dict[str, tuple[tuple[datetime, str | None], ...]]  # alias ARN -> ... the id of the key, if any
    gone_grants: dict[str, tuple[tuple[datetime, Grant], ...]]
    new_grants: dict[str, datetime]  # grant id -> until when it needs its token

    def __init__(self) -> None:
        self.policies = {}
        self.tags = {}
        self.aliases = {}
        self.alias_targets = {}
        self.gone_grants = {}
        self.new_grants = {}

    def copy(self) -> Recent:
        """Return a copy of its own."""
        clone = Recent()
        clone.policies = self.policies.copy()
        clone.tags = self.tags.copy()
        clone.aliases = self.aliases.copy()
        clone.alias_targets = self.alias_targets.copy()
        clone.gone_grants = self.gone_grants.copy()
        clone.new_grants = self.new_grants.copy()
        return clone
