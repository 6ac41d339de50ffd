"""Why policies denied or allowed a call: a line for each statement, and which lines of a denial are decisive."""

from __future__ import annotations

import builtins
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_kmsmock._kms.engine.call_record import CallRecord
    from pytest_kmsmock._kms.policy.decision import Decision, Step

_DID_NOT_RAISE = "DID NOT RAISE"  # how the message of `pytest.raises` begins


def is_missing(failure: str) -> bool:
    """Say whether `pytest.raises` saw no error that may have been a denial: one of a client, or of the application.

    Python's own exceptions hardly are.
    """
    expected = re.findall(r"\b[A-Z]\w*", failure.removeprefix(_DID_NOT_RAISE))
    return failure.startswith(_DID_NOT_RAISE) and not all(hasattr(builtins, name) for name in expected)


def reasons(record: CallRecord) -> list[str]:
    """Return why policies denied a call: a line for each statement, then unknown names; empty if they did not."""
    decision = _refusal(record)
    if decision is None:
        return []
    from pytest_kmsmock._testing.policies.misspelt import misspelt

    return [*map(str, _steps(decision)), *misspelt(decision)]


def decisive(record: CallRecord) -> list[int]:
    """Return the indexes of the decisive lines of `reasons`."""
    decision = _refusal(record)
    if decision is None:
        return []
    why = decision.message.partition(" is not authorized ")[2]
    explicit = "explicit deny" in why

    def decides(step: Step) -> bool:
        kind = step.policy.split()[0]  # such as `identity-based`
        return f" {kind} " in why and step.matched is explicit and (not explicit or "denies" in step.text)

    return [index for index, step in enumerate(_steps(decision)) if decides(step)]


def allowances(record: CallRecord) -> list[str]:
    """Return what allowed a call: a line for each statement, then unknown names in Deny statements."""
    from pytest_kmsmock._testing.policies.misspelt import misspelt

    who = f" for the default caller, {record.caller.arn}" if record.caller.administrator else ""
    lines = [f"allowed{who}:{'' if record.decisions else ' enforce_policies is off'}"]
    for decision in record.decisions:
        lines += [f"  {step}" for step in _steps(decision) if step.matched]
        lines += [f"  {found}" for found in misspelt(decision)]
    return list(dict.fromkeys(lines))


def _refusal(record: CallRecord) -> Decision | None:
    if not record.refused or record.injected or not record.decisions or record.decisions[-1].allowed:
        return None
    return record.decisions[-1]


def _steps(decision: Decision) -> tuple[Step, ...]:
    return decision.explain()[:-1]  # the last one repeats the error
