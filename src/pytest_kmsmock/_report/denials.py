"""Why policies refused a call, as lines: what each statement of each policy had to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_kmsmock._kms.engine.call_record import CallRecord


def reasons(record: CallRecord) -> list[str]:
    """Return why policies refused a call, a line for each statement; nothing if it was not they."""
    if not record.refused or record.injected or not record.decisions or record.decisions[-1].allowed:
        return []
    *steps, _decision = record.decisions[-1].explain()  # the last one says again what the error says
    return [str(step) for step in steps]
