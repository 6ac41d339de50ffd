"""How long the passing states of keys and key stores last, by the mock's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

#: Seconds, or a timedelta.
Duration = float | timedelta


@dataclass(slots=True)
class Delays:
    """How long things take that AWS does after its answer. Nothing takes any time unless a test sets it.

    With no delay a passing state shows in the answer of the call that begins it and is over at the next call, so that
    code which waits for its end waits no longer than one look. Set a delay to see the state, and the refusals that
    go with it, until the clock has moved on.

    Attributes:
        creating: how long a new replica key is `Creating` (AWS: a few seconds).
        updating: how long keys are `Updating` after UpdatePrimaryRegion (AWS: a few seconds).
        rotating: how long a rotation on demand is under way.
        connecting: how long a custom key store is `CONNECTING` (AWS: 5 to 20 minutes).
        disconnecting: how long a custom key store is `DISCONNECTING`.
        authorization: how long permissions are decided on what was before a change of a grant, alias, tag or policy
            (AWS: usually less than five minutes). `KmsMock.eventual_consistency` is this.

    Example:
        >>> from datetime import datetime
        >>> delays = Delays(creating=5)
        >>> Delays.end(datetime(2030, 1, 1), delays.creating)
        datetime.datetime(2030, 1, 1, 0, 0, 5)
    """

    creating: Duration = 0
    updating: Duration = 0
    rotating: Duration = 0
    connecting: Duration = 0
    disconnecting: Duration = 0
    authorization: Duration = 0

    @staticmethod
    def end(start: datetime, duration: Duration) -> datetime:
        """Return when something ends that begins at `start`."""
        return start + (duration if isinstance(duration, timedelta) else timedelta(seconds=duration))
