"""Why policies refused a call: what `KmsMock.explain` says, as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..handle import KmsMock
    from ..service.service import CallRecord


def reasons(_mock: KmsMock, _record: CallRecord) -> list[str]:
    """Return why the policies refused a call, a line for each statement; nothing if it was not they."""
    return []
