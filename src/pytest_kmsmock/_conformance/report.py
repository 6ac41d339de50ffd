"""The results of a run: a table with the differences, and JSON."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from .runner import AGREES, BLOCKED, DIFFERS, SKIPPED, Result
from .scenario import MARKS

_OUTCOMES = (AGREES, DIFFERS, BLOCKED, SKIPPED)
_MAX_WIDTH = 300


def counts(results: Iterable[Result]) -> Counter[str]:
    """Return how many steps have which outcome."""
    return Counter(result.outcome for result in results if result.counts)


def table(results: Sequence[Result]) -> str:
    """Return a table with a line for each scenario file, one for each mark, and one in all."""
    counting = [result for result in results if result.counts]
    files = list(dict.fromkeys(result.scenario.file for result in counting))
    rows = [(file, counts(each for each in counting if each.scenario.file == file)) for file in files]
    rows += [(mark, counts(each for each in counting if each.step.mark == mark)) for mark in MARKS]
    rows.append(("in all", counts(counting)))
    width = max(len(name) for name, _ in rows)
    lines = [" ".join((" " * width, *(f"{outcome:>8}" for outcome in _OUTCOMES)))]
    for place, (name, found) in enumerate(rows):
        if place == len(files):
            lines.append("")
        lines.append(" ".join((f"{name:{width}}", *(f"{found[outcome]:>8}" for outcome in _OUTCOMES))))
    return "\n".join(lines)


def listing(results: Iterable[Result]) -> str:
    """Return what differs, step by step."""
    lines = []
    for result in results:
        if result.outcome in (DIFFERS, BLOCKED):
            step = result.step
            case = f", {step.case}" if step.case else ""
            lines.append(f"\n{result.scenario.id}, step {step.number} ({step.operation}{case}) at {step.place}")
            lines += [f"  not run: {result.reason}"] if result.outcome == BLOCKED else []
            for found in result.differences:
                lines += [
                    f"  {found.where}: expected {_short(found.expected)}",
                    f"  {'':{len(found.where)}}  answered {_short(found.actual)}",
                ]
            lines += [f"  {each.source.mark}: {each}" for each in step.cited]
    return "\n".join(lines)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_WIDTH else f"{text[:_MAX_WIDTH]}..."


def document(results: Sequence[Result], target: str, region: str) -> dict[str, Any]:
    """Return the counts and the differences as JSON values."""
    return {
        "target": target,
        "region": region,
        "counts": {outcome: counts(results)[outcome] for outcome in _OUTCOMES},
        "differences": [_entry(result) for result in results if result.outcome in (DIFFERS, BLOCKED)],
    }


def _entry(result: Result) -> dict[str, Any]:
    step = result.step
    return {
        "scenario": result.scenario.id,
        "step": step.number,
        "place": step.place,
        "operation": step.operation,
        "case": step.case,
        "outcome": result.outcome,
        "reason": result.reason,
        "mark": step.mark,
        "sources": [str(each) for each in step.cited],
        "differences": [_jsonable(found._asdict()) for found in result.differences],
    }


def _jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _jsonable(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(inner) for inner in value]
    if isinstance(value, bytes):
        return {"$base64": base64.b64encode(value).decode()}
    return value.isoformat() if isinstance(value, datetime) else value
