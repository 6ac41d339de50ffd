"""Scheduled changes: deletions, expirations, rotations, ends of transitional states.

There are no threads. Code that changes a record schedules the time of the next change (`State.schedule`); `settle` runs
before each access to the state, and makes all changes that are due by the clock, in order of time. A timeline entry
only says which record to check: the record determines what is due, so a cancelled deletion leaves its entry here.

A transitional state without a delay is due at once. Operations that depend on it (`Operation.keeps_transition`) still
find it, as on AWS, and it ends when a response has shown it (`end_observed_transition`). Any other call ends it first,
so tests do not have to wait.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pytest_kmsmock._kms.state.records import CustomKeyStore, Key, OnDemandRotation, Transition

from .custom_key_stores import finish_connection
from .imported_material import expire_material, update_pending_state
from .rotation import finish_on_demand, rotate_if_due

if TYPE_CHECKING:
    from pytest_kmsmock._kms.state.backend import Backend
    from pytest_kmsmock._kms.state.state import State


def settle(service: Backend, now: datetime, kept_field: str = "") -> None:
    """Make all changes that are due by `now`.

    Args:
        service: the fake KMS.
        now: the current time.
        kept_field: the field of a key with a transitional state that stays if it has no delay.
    """
    timeline = service.state.timeline
    kept = []
    while timeline and timeline[0][0] <= now:
        when, account, region_name, resource_id = heapq.heappop(timeline)
        region = service.state.region(account, region_name)
        store = region.custom_key_stores.get(resource_id)
        if store is not None:
            finish_connection(service.state, region, store, when)
        for field, event in _KEY_EVENTS.items():
            key = region.keys.get(resource_id)
            if key is None:
                break
            if field == kept_field and _can_be_observed(getattr(key, field), now):
                kept.append((when, account, region_name, resource_id))
            else:
                event(service, key, when)
    for entry in kept:
        heapq.heappush(timeline, entry)


def due_dates(record: object) -> set[datetime]:
    """Return the times of scheduled changes of a record, which may be past."""
    if isinstance(record, CustomKeyStore):
        return set() if record.state_until is None else {record.state_until}
    if not isinstance(record, Key):
        return set()
    dates = [
        record.deletion and record.deletion.date,
        record.transition and record.transition.until,
        record.on_demand and record.on_demand.until,
        record.rotation and record.rotation.next_date,
        *(material.expires for material in record.materials if material.secret is not None),
    ]
    return {date for date in dates if date is not None}


def end_observed_transition(service: Backend, key: Key, field: str) -> None:
    """End a transitional state without a delay, once a response has shown it."""
    transition: Transition | OnDemandRotation | None = getattr(key, field)
    if transition is not None and transition.shown_until is not None:
        _KEY_EVENTS[field](service, key, transition.until)


def _can_be_observed(transition: Transition | OnDemandRotation | None, now: datetime) -> bool:
    return transition is not None and transition.shown_until is not None and now < transition.shown_until


def _delete(service: Backend, key: Key, when: datetime) -> None:
    if key.deletion is not None and key.deletion.date is not None and key.deletion.date <= when:
        service.state.log("DeleteKey", key.deletion.date, key)
        service.state.remove_key(key)
        _remove_replica(service.state, key, key.deletion.date)


def _remove_replica(state: State, deleted: Key, when: datetime) -> None:
    """Remove a deleted replica from its related keys; after the last one, set the deletion date of the primary key.

    AWS: the full waiting period of the primary key begins only then.
    See https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-delete.html
    """
    primary = next(state.related(deleted), None)
    if primary is None or primary.multi_region is None:
        return
    replicas = tuple(name for name in primary.multi_region.replicas if name != deleted.region)
    primary = state.change_key(primary, multi_region=primary.multi_region._replace(replicas=replicas))
    if not replicas and primary.deletion is not None:
        date = when + timedelta(days=primary.deletion.window_days)
        state.change_key(primary, deletion=primary.deletion._replace(date=date))
        state.schedule(date, state.home(primary), primary.id)
    update_pending_state(
        state, state.home(primary).keys[primary.id]
    )  # the replica may have been the last key without some material


def _end_transition(service: Backend, key: Key, when: datetime) -> None:
    if key.transition is not None and key.transition.until <= when:
        service.state.change_key(key, transition=None)


def _expire(service: Backend, key: Key, when: datetime) -> None:
    expire_material(service.state, key, when)


#: Field of a key -> its scheduled change. Each function checks the record, and changes it if the change is due.
_KEY_EVENTS: Mapping[str, Callable[[Backend, Key, datetime], None]] = {
    "deletion": _delete,
    "transition": _end_transition,
    "materials": _expire,
    "on_demand": finish_on_demand,
    "rotation": rotate_if_due,
}
