"""Why policies refused a call, as lines: what each statement of each policy had to say, and which decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_kmsmock._kms.engine.call_record import CallRecord
    from pytest_kmsmock._kms.policy.decision import Decision, Step


def reasons(record: CallRecord) -> list[str]:
    """Return why policies refused a call, a line for each statement, then misspelt actions; nothing if they did not."""
    decision = _refusal(record)
    if decision is None:
        return []
    from pytest_kmsmock._testing.policies.permission_names import unknown_permissions

    return [*map(str, _steps(decision)), *unknown_permissions(decision)]


def decisive(record: CallRecord) -> list[int]:
    """Return which of the lines of `reasons` the error is about, by their index."""
    decision = _refusal(record)
    if decision is None:
        return []
    why = decision.message.partition(" is not authorized ")[2]
    explicit = "explicit deny" in why

    def decides(step: Step) -> bool:
        kind = step.policy.split()[0]  # such as `identity-based`
        return f" {kind} " in why and step.matched is explicit and (not explicit or "denies" in step.text)

    return [index for index, step in enumerate(_steps(decision)) if decides(step)]


def _refusal(record: CallRecord) -> Decision | None:
    if not record.refused or record.injected or not record.decisions or record.decisions[-1].allowed:
        return None
    return record.decisions[-1]


def _steps(decision: Decision) -> tuple[Step, ...]:
    return decision.explain()[:-1]  # the last one says again what the error says
