"""What happens by itself as time passes: deletions, expiries, rotations, transitional states.

There are no threads. Whoever changes a record so that something becomes due says when (`State.schedule`); `settle` is
called before anybody looks at the state and does what is due by the clock, in the order of time. An entry is only a
hint to look: what is due is worked out from the record, so a cancelled deletion needs no clean-up here.

A transitional state without a delay is due at once, which would hide it from everybody. So operations that are about it
(`Operation.watches`) find it still there, as on AWS, and what shows it to the caller ends it (`end_shown`). Any other
call finds it over: no test has to wait.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pytest_kmsmock._kms.state.records import CustomKeyStore, Key, OnDemandRotation, Transition

from .custom_key_stores import finish_connection
from .imported_material import expire_material, relabel_pending
from .rotation import finish_on_demand, rotate_if_due

if TYPE_CHECKING:
    from pytest_kmsmock._kms.state.backend import Backend
    from pytest_kmsmock._kms.state.state import State


def settle(service: Backend, now: datetime, watched: str = "") -> None:
    """Do everything that is due by `now`.

    Args:
        service: the fake KMS.
        now: the present time.
        watched: the field of a key whose transitional state a call is about: one without a delay stays.
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
            if field == watched and _is_shown(getattr(key, field), now):
                kept.append((when, account, region_name, resource_id))
            else:
                event(service, key, when)
    for entry in kept:
        heapq.heappush(timeline, entry)


def due_dates(record: object) -> set[datetime]:
    """Return when something will be due on a record, or already was: what `State.schedule` was told of it."""
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


def end_shown(service: Backend, key: Key, field: str) -> None:
    """End a transitional state without a delay that a caller has just been shown."""
    passing: Transition | OnDemandRotation | None = getattr(key, field)
    if passing is not None and passing.shown_until is not None:
        _KEY_EVENTS[field](service, key, passing.until)


def _is_shown(passing: Transition | OnDemandRotation | None, now: datetime) -> bool:
    return passing is not None and passing.shown_until is not None and now < passing.shown_until


def _delete(service: Backend, key: Key, when: datetime) -> None:
    if key.deletion is not None and key.deletion.date is not None and key.deletion.date <= when:
        service.state.log("DeleteKey", key.deletion.date, key)
        service.state.drop_key(key)
        _forget_replica(service.state, key, key.deletion.date)


def _forget_replica(state: State, gone: Key, when: datetime) -> None:
    """Let the related keys forget a replica that is deleted; a primary that waited for its last one now has a date.

    AWS: only then its own waiting period begins, in full.
    See https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-delete.html
    """
    primary = next(state.related(gone), None)
    if primary is None or primary.multi_region is None:
        return
    left = tuple(name for name in primary.multi_region.replicas if name != gone.region)
    primary = state.change_key(primary, multi_region=primary.multi_region._replace(replicas=left))
    if not left and primary.deletion is not None:
        date = when + timedelta(days=primary.deletion.window_days)
        state.change_key(primary, deletion=primary.deletion._replace(date=date))
        state.schedule(date, state.home(primary), primary.id)
    relabel_pending(state, state.home(primary).keys[primary.id])  # it may have been the last without some material


def _end_transition(service: Backend, key: Key, when: datetime) -> None:
    if key.transition is not None and key.transition.until <= when:
        service.state.change_key(key, transition=None)


def _expire(service: Backend, key: Key, when: datetime) -> None:
    expire_material(service.state, key, when)


#: What may be due on a key, by the field that says when. Each looks at the record and changes it if its time has come.
_KEY_EVENTS: Mapping[str, Callable[[Backend, Key, datetime], None]] = {
    "deletion": _delete,
    "transition": _end_transition,
    "materials": _expire,
    "on_demand": finish_on_demand,
    "rotation": rotate_if_due,
}
