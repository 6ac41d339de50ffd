"""Recording answers as scenarios with expected answers, without account ids, key ids, blobs and times."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from .runner import Result
from .scenario import Scenario, Step

_METADATA = ("KeyMetadata", "ReplicaKeyMetadata")
#: Private values, which differ from run to run: ids of keys, accounts, key material and grants, tokens.
_PRIVATE = re.compile(
    r"arn:[\w-]*:(?:iam|sts)::[\w+=,.@/:-]+"
    r"|mrk-[0-9a-f]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    r"|\b[0-9a-f]{64}\b|(?<!\d)\d{12}(?!\d)|cks-[0-9a-f]{17}|cluster-[a-z2-7]{11,16}|[A-Za-z0-9+/=_-]{60,}"
)
_REFERENCE = re.compile(r"<[a-z_]\w*(?:\.\w+)*>")
#: Lists of a whole account: only resources of the run are kept.
_LISTS = {
    "ListKeys": "Keys",
    "ListAliases": "Aliases",
    "ListRetirableGrants": "Grants",
    "DescribeCustomKeyStores": "CustomKeyStores",
}
_TOKENS = {"NextMarker", "GrantToken"}
#: Shorter values are words, not ids, and are kept.
_MIN_ID_LENGTH = 12


class Redaction:
    """Replaces private values by a reference, or else by a pattern."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self._known = {value: f"<{path}>" for path, value in _leaves(names)}
        self._made: set[str] = set()

    def learn(self, name: str, members: Mapping[str, Any]) -> None:
        """Let later values refer to an answer that a step gave a name."""
        for outer in _METADATA:
            self._made.update(str(members[outer]["KeyId"]) for _ in range(outer in members))
        if name:
            for path, value in _leaves(members):
                short = path.partition(".")[2] if path.split(".")[0] in _METADATA else path
                if _PRIVATE.search(value) and value not in self._known:
                    self._known[value] = f"<{name}>" if short == "KeyId" else f"<{name}.{short}>"

    def __call__(self, value: Any) -> Any:
        """Return a value of an answer as an expected value."""
        if isinstance(value, Mapping):
            return {name: {"$type": "text"} if name in _TOKENS else self(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self(inner) for inner in value]
        if isinstance(value, bytes):
            return {"$type": "blob"}
        if isinstance(value, datetime):
            return {"$type": "time"}
        return self._text(value) if isinstance(value, str) else value

    def own(self, items: Iterable[Any]) -> list[Any]:
        """Return those items of a list that are about keys of the run."""
        return [item for item in items if any(key in str(item) for key in self._made)]

    def _text(self, text: str) -> Any:
        for value in sorted(self._known, key=len, reverse=True):
            if len(value) >= _MIN_ID_LENGTH or value == text:
                text = text.replace(value, self._known[value])
        pieces = _PRIVATE.split(text)
        if len(pieces) == 1:
            return text
        return {"$matches": ".+".join(_escape(piece) for piece in pieces)}


def _escape(text: str) -> str:
    """Escape a string for a pattern, except its references."""
    plain = _REFERENCE.split(text)
    return "".join(
        re.escape(piece) + found for piece, found in zip(plain, [*_REFERENCE.findall(text), ""], strict=True)
    )


def _leaves(value: Any, path: str = "") -> Iterable[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping | list):
        for name, inner in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from _leaves(inner, f"{path}.{name}".lstrip("."))


def recorded(results: Iterable[Result], target: str, today: date) -> dict[str, Any]:
    """Return a scenario file of what was answered; steps that were not run are left out.

    Args:
        results: what came of the steps.
        target: what they ran against.
        today: the date.
    """
    mark = "recorded" if target == "aws" else "inferred"
    source = {"mark": mark, "date": today.isoformat(), "title": f"Recorded from {target} by pytest-kmsmock conformance"}
    scenarios: dict[str, dict[str, Any]] = {}
    redactions: dict[str, Redaction] = {}
    for result in results:
        name = result.scenario.id
        if result.answer is not None or result.step.wait is not None:
            if name not in scenarios:
                scenarios[name] = {**_head(result.scenario), "steps": []}
                redactions[name] = Redaction(result.names)
            scenarios[name]["steps"].append(_plain(_step(result, redactions[name])))
    return {"sources": {"recording": source}, "scenarios": list(scenarios.values())}


def _head(scenario: Scenario) -> dict[str, Any]:
    principals = {
        each.name: {key: value for key, value in asdict(each).items() if value and key != "name"}
        for each in scenario.principals
    }
    fields = {"principals": principals, "delays": scenario.delays, "needs": sorted(scenario.needs)}
    return {"name": scenario.name, **{key: _plain(value) for key, value in fields.items() if value}}


def _step(result: Result, redact: Redaction) -> dict[str, Any]:
    step = result.step
    if step.wait is not None:
        return {"wait": {"seconds": step.wait.total_seconds()}}
    fields = {"as": step.name, "case": step.case, "by": step.by, "within": step.within}
    if step.region != "first":
        fields["region"] = step.region
    written = {step.operation: step.params, **{key: value for key, value in fields.items() if value}}
    answer = result.answer
    assert answer is not None
    if answer.error is not None:
        return {**written, "source": "recording", "error": answer.error, "message": redact(answer.message)}
    redact.learn("", answer.members)
    if result.counts:
        found = redact(_own_only(step, answer.members, redact))
        written |= {"source": "recording", "members": sorted(answer.members), "answer": found}
    redact.learn(step.name, answer.members)
    return written


def _own_only(step: Step, members: Mapping[str, Any], redact: Redaction) -> Mapping[str, Any]:
    listed = _LISTS.get(step.operation)
    if listed is None or "KeyId" in step.params:
        return members
    return {listed: {"$contains": redact.own(members[listed])}}


def _plain(value: Any) -> Any:
    """Return a value as plain YAML types."""
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
