"""What happens by itself as time passes: deletions, expiries, rotations, passing states.

There are no threads. Whoever changes a record so that something becomes due says when (`State.schedule`); `settle` is
called before anybody looks at the state and does what is due by the clock, in the order of time. An entry is only a
hint to look: what is due is worked out from the record, so a cancelled deletion needs no clean-up here.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import datetime

from .records import Key
from .state import State


def settle(state: State, now: datetime) -> None:
    """Do everything that is due by `now`."""
    timeline = state.timeline
    while timeline and timeline[0][0] <= now:
        when, account, region_name, resource_id = heapq.heappop(timeline)
        region = state.region(account, region_name)
        for event in _KEY_EVENTS:
            key = region.keys.get(resource_id)
            if key is None:
                break
            event(state, key, when)


def _delete(state: State, key: Key, when: datetime) -> None:
    if key.deletion is not None and key.deletion.date is not None and key.deletion.date <= when:
        state.log("DeleteKey", when, key)
        state.drop_key(key)


#: What may be due on a key. Each looks at the record and changes it if its time has come.
_KEY_EVENTS: tuple[Callable[[State, Key, datetime], None], ...] = (_delete,)
