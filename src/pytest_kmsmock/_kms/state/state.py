"""The state: records by account and Region, with indexes for pagination and look-ups."""

from __future__ import annotations

import heapq
from bisect import bisect_right, insort
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pytest_kmsmock._kms.api.arns import partition_of

from .attached_policies import Iam
from .backing_key_stores import BackingKeyStores
from .recent import RecentChanges
from .records import (
    SHARED,
    Alias,
    CustomKeyStore,
    Grant,
    Key,
    LastUsage,
    ServiceEvent,
)


class SortedNames:
    """Sorted names, so that each page of a list takes the same time. Used by ListKeys and ListAliases."""

    __slots__ = ("_names",)

    def __init__(self, names: list[str] | None = None) -> None:
        self._names = names or []

    def add(self, name: str) -> None:
        """Add a new name."""
        insort(self._names, name)

    def remove(self, name: str) -> None:
        """Remove an existing name."""
        del self._names[bisect_right(self._names, name) - 1]

    def after(self, name: str | None) -> Iterator[str]:
        """Yield the names after a given name; all names for None."""
        names = self._names
        start = 0 if name is None else bisect_right(names, name)
        return (names[index] for index in range(start, len(names)))

    def copy(self) -> SortedNames:
        """Return an independent copy."""
        return SortedNames(self._names.copy())


class Region:
    """The resources of an account in a Region.

    Dumps follow the names and types of the attributes (`_testing.dumps.dump`).
    """

    __slots__ = (
        "_grants_to", "account", "alias_names", "aliases", "aliases_of", "custom_key_stores", "grants", "key_ids",
        "keys", "last_usage", "name",
    )  # fmt: skip

    account: str
    name: str
    keys: dict[str, Key]
    key_ids: SortedNames
    aliases: dict[str, Alias]
    alias_names: SortedNames
    aliases_of: dict[str, tuple[str, ...]]  # key id -> alias names, in order of creation
    grants: dict[str, dict[str, Grant]]  # key id -> grant id -> grant, in order of creation
    _grants_to: dict[tuple[str, str], tuple[Grant, ...]]  # index: (key id, grantee) -> grants
    last_usage: dict[str, LastUsage]
    custom_key_stores: dict[str, CustomKeyStore]

    def __init__(self, account: str, name: str) -> None:
        self.account = account
        self.name = name
        self.keys = {}
        self.key_ids = SortedNames()
        self.aliases = {}
        self.alias_names = SortedNames()
        self.aliases_of = {}
        self.grants = {}
        self._grants_to = {}
        self.last_usage = {}
        self.custom_key_stores = {}

    @property
    def partition(self) -> str:
        """The AWS partition of the Region, such as `aws-cn`."""
        return partition_of(self.name)

    def copy(self) -> Region:
        """Return an independent copy that shares the records."""
        clone = Region.__new__(Region)
        clone.account, clone.name = self.account, self.name
        clone.keys = self.keys.copy()
        clone.key_ids = self.key_ids.copy()
        clone.aliases = self.aliases.copy()
        clone.alias_names = self.alias_names.copy()
        clone.aliases_of = self.aliases_of.copy()
        clone.grants = {key_id: grants.copy() for key_id, grants in self.grants.items()}
        clone._grants_to = self._grants_to.copy()  # noqa: SLF001 - of its own class
        clone.last_usage = self.last_usage.copy()
        clone.custom_key_stores = self.custom_key_stores.copy()
        return clone

    def grants_to(self, key_id: str, grantee: str) -> tuple[Grant, ...]:
        """Return the grants on a key with a grantee, in order of creation."""
        return self._grants_to.get((key_id, grantee), ())

    def put_grant(self, grant: Grant) -> None:
        """Add a grant, or replace the one with its id."""
        grants = self.grants.setdefault(grant.key_id, {})
        place = (grant.key_id, grant.holder)
        before = self._grants_to.get(place, ())
        if grant.id in grants:
            self._grants_to[place] = tuple(grant if known.id == grant.id else known for known in before)
        else:
            self._grants_to[place] = (*before, grant)
        grants[grant.id] = grant

    def remove_grant(self, grant: Grant) -> None:
        """Remove an existing grant."""
        grants = self.grants[grant.key_id]
        del grants[grant.id]
        if not grants:
            del self.grants[grant.key_id]
        place = (grant.key_id, grant.holder)
        self._grants_to[place] = tuple(known for known in self._grants_to[place] if known.id != grant.id)

    def remove_grantee(self, grant: Grant) -> None:
        """Remove the index entry of a grant on a deleted key."""
        self._grants_to.pop((grant.key_id, grant.holder), None)

    def put_alias(self, alias: Alias) -> None:
        """Add an alias, or replace the one with its name, which keeps its place."""
        before = self.aliases.get(alias.name)
        if before is None:
            self.alias_names.add(alias.name)
        elif before.key_id is not None:
            self._unlink(before)
        self.aliases[alias.name] = alias
        if alias.key_id is not None:
            names = (*self.aliases_of.get(alias.key_id, ()), alias.name)
            if before is not None and len(names) > 1:  # it may be older than others of the key
                own = set(names)
                names = tuple(name for name in self.aliases if name in own)
            self.aliases_of[alias.key_id] = names

    def remove_alias(self, name: str) -> None:
        """Remove an existing alias."""
        alias = self.aliases.pop(name)
        self.alias_names.remove(name)
        if alias.key_id is not None:
            self._unlink(alias)

    def _unlink(self, alias: Alias) -> None:
        assert alias.key_id is not None
        names = tuple(name for name in self.aliases_of[alias.key_id] if name != alias.name)
        if names:
            self.aliases_of[alias.key_id] = names
        else:
            del self.aliases_of[alias.key_id]


class State:
    """The state of the fake KMS: all accounts and Regions, and scheduled changes.

    Dumps follow the names and types of the attributes (`_testing.dumps.dump`).
    """

    __slots__ = ("_regions", "events", "iam", "outside", "recent", "timeline")

    _regions: dict[tuple[str, str], Region]
    #: A heap of (time, account, Region, key id or custom key store id) of possible changes.
    timeline: list[tuple[datetime, str, str, str]]
    #: The backing key stores of custom key stores, outside of KMS.
    outside: BackingKeyStores
    #: All policies except key policies.
    iam: Iam
    #: Values before recent changes, for eventual consistency.
    recent: RecentChanges
    #: Service events, oldest first. Like recorded calls, they are not copied to nested scopes.
    events: list[ServiceEvent]

    def __init__(self) -> None:
        self._regions = {}
        self.timeline = []
        self.outside = BackingKeyStores()
        self.iam = Iam()
        self.recent = RecentChanges()
        self.events = []

    def region(self, account: str, name: str) -> Region:
        """Return the resources of an account in a Region, created on first use."""
        region = self._regions.get((account, name))
        if region is None:
            region = self._regions.setdefault((account, name), Region(account, name))  # another thread may be faster
        return region

    def regions(self) -> Iterator[Region]:
        """Yield every used Region of every account."""
        yield from list(self._regions.values())

    def find_key(self, region: str, key_id: str) -> Key | None:
        """Return the key with an id in a Region, of any account."""
        for (_, name), candidate in self._regions.items():
            if name == region and key_id in candidate.keys:
                return candidate.keys[key_id]
        return None

    def home(self, key: Key) -> Region:
        """Return the Region of a key."""
        return self._regions[key.account, key.region]

    def related(self, key: Key) -> Iterator[Key]:
        """Yield the related keys of a multi-Region key: the primary key first, then the replica keys."""
        if key.multi_region is None:
            return
        for name in (key.multi_region.primary, *key.multi_region.replicas):
            if name != key.region:
                other = self.region(key.account, name).keys.get(key.id)
                if other is not None:
                    yield other

    def add_key(self, key: Key) -> None:
        """Add a new key."""
        region = self.region(key.account, key.region)
        region.keys[key.id] = key
        region.key_ids.add(key.id)

    def change_key(self, key: Key, **changes: Any) -> Key:
        """Replace fields of a key; shared properties are changed on all related multi-Region keys."""
        changed = key._replace(**changes)
        self.home(key).keys[key.id] = changed
        if key.multi_region is not None:
            kept = SHARED - {"materials"} if key.origin == "EXTERNAL" else SHARED
            shared = {name: value for name, value in changes.items() if name in kept}
            if shared:
                for other in self.related(key):
                    self.home(other).keys[other.id] = other._replace(**shared)
        return changed

    def remove_key(self, key: Key) -> None:
        """Remove a key with its aliases and grants."""
        region = self.home(key)
        del region.keys[key.id]
        region.key_ids.remove(key.id)
        for name in region.aliases_of.get(key.id, ()):
            region.remove_alias(name)
        for grant in tuple(region.grants.pop(key.id, {}).values()):
            region.remove_grantee(grant)
        region.last_usage.pop(key.id, None)

    def log(self, name: str, when: datetime, key: Key, **details: object) -> None:
        """Add a service event for CloudTrail; `key` is the key before it."""
        self.events.append(ServiceEvent(name, when, key, details))

    def schedule(self, when: datetime, region: Region, resource_id: str) -> None:
        """Schedule a check of a key or custom key store for changes that are due (`_kms.rules.timeline`)."""
        heapq.heappush(self.timeline, (when, region.account, region.name, resource_id))

    def copy(self) -> State:
        """Return an independent copy that shares the records."""
        clone = State.__new__(State)  # without `__init__`, whose objects would be replaced: each test pays for this
        regions = {place: region.copy() for place, region in self._regions.items()}
        clone._regions = regions  # noqa: SLF001 - of its own class
        clone.timeline = self.timeline.copy()
        clone.outside = self.outside.copy()
        clone.iam = self.iam.copy()
        clone.recent = self.recent.copy()
        clone.events = []
        return clone
