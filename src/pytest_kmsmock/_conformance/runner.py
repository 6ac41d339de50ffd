"""Running scenarios against a target, with a result for each step."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from pytest_kmsmock._runtime.checks import did_you_mean
from pytest_kmsmock.errors import InvalidScenario

from . import templates
from .matching import Difference, differences
from .scenario import Expected, Scenario, Step
from .targets import Answer, Connection, Target

#: How often a step is repeated that AWS needs time for.
_POLL_INTERVAL = timedelta(seconds=2)
#: Outcomes of a step: as expected or not; not run, because it refers to an answer that did not come; or not
#: run, because the target lacks what the scenario needs, or must not do it.
AGREES, DIFFERS, BLOCKED, SKIPPED = "agrees", "differs", "blocked", "skipped"


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a step.

    Attributes:
        scenario: its scenario.
        step: the step.
        outcome: `agrees`, `differs`, `blocked` or `skipped`.
        differences: how the answer differs.
        answer: the answer; None if there was no call.
        reason: why it was not run.
        names: what `<name>` meant besides answers.
    """

    scenario: Scenario
    step: Step
    outcome: str
    differences: tuple[Difference, ...] = ()
    answer: Answer | None = None
    reason: str = ""
    names: Mapping[str, Any] = field(default_factory=dict)

    @property
    def counts(self) -> bool:
        """Whether it counts: steps that only prepare others do when they fail."""
        return self.step.expected is not None or self.outcome == DIFFERS


def select(scenarios: Sequence[Scenario], patterns: Iterable[str]) -> list[Scenario]:
    """Return the scenarios that fit one of some patterns, or all of them without patterns.

    Args:
        scenarios: the scenarios.
        patterns: such as `grants/*`, for `file/name`, file, name or operation.

    Raises:
        InvalidScenario: for a pattern that fits none.
    """
    found: dict[str, Scenario] = {}
    for pattern in patterns:
        fitting = [each for each in scenarios if _fits(each, pattern)]
        if not fitting:
            files = list(dict.fromkeys(each.file for each in scenarios))
            hint = did_you_mean(pattern, [*files, *(each.id for each in scenarios)])
            choice = hint or f" Give the name of an operation, or one of: {', '.join(files)}."
            raise InvalidScenario(f"Unknown scenario {pattern!r}.{choice}")
        found |= {each.id: each for each in fitting}
    return [each for each in scenarios if each.id in found] if patterns else list(scenarios)


def _fits(scenario: Scenario, pattern: str) -> bool:
    names = (scenario.id, scenario.file, scenario.name, *(step.operation for step in scenario.steps))
    return any(name and fnmatch.fnmatchcase(name, pattern) for name in names)


def run(scenarios: Iterable[Scenario], target: Target, stopped: Callable[[], bool] = lambda: False) -> Iterator[Result]:
    """Run scenarios, and yield the result of each step.

    Args:
        scenarios: the scenarios.
        target: what they run against.
        stopped: tells whether to stop after the present call.

    Raises:
        TargetUnreachable: nobody answers there.
    """
    for scenario in scenarios:
        if stopped():
            return
        lacking = scenario.needs - target.has
        if lacking:
            reason = f"{target.name} has no {' and no '.join(sorted(lacking))}"
            yield from (Result(scenario, step, SKIPPED, reason=reason) for step in scenario.steps)
            continue
        with target.connect(scenario) as connection:
            yield from _run_steps(scenario, connection, stopped)


def _run_steps(scenario: Scenario, connection: Connection, stopped: Callable[[], bool]) -> Iterator[Result]:
    answers: dict[str, Any] = dict(connection.names)
    for step in scenario.steps:
        if stopped():
            return
        if step.wait is not None:
            assert connection.wait is not None  # else it was skipped
            connection.wait(step.wait)
            yield Result(scenario, step, AGREES, names=connection.names)
            continue
        try:
            result = _run_step(scenario, step, connection, answers, stopped)
        except templates.Unresolved as error:
            result = Result(scenario, step, BLOCKED, reason=str(error))
        if step.name and result.answer is not None and result.answer.error is None:
            answers[step.name] = result.answer.members
        yield result


def _run_step(
    scenario: Scenario, step: Step, connection: Connection, answers: Mapping[str, Any], stopped: Callable[[], bool]
) -> Result:  # fmt: skip
    params = templates.resolve(step.params, answers, connection.now)
    expected = _resolved(step.expected or Expected(), answers, connection)
    veto = connection.veto(step.operation, params)
    if veto:
        return Result(scenario, step, SKIPPED, reason=veto)
    left = timedelta(seconds=step.within)
    while True:
        answer = connection.call(step.operation, params, step.region, step.by)
        found = differences(expected, answer)
        if not found or left <= timedelta(0) or stopped():
            return Result(scenario, step, DIFFERS if found else AGREES, tuple(found), answer, names=connection.names)
        if connection.wait is None:
            left = timedelta(0)  # one more look
        else:
            connection.wait(_POLL_INTERVAL)
            left -= _POLL_INTERVAL


def _resolved(expected: Expected, answers: Mapping[str, Any], connection: Connection) -> Expected:
    message, answer = templates.resolve([expected.message, expected.answer], answers, connection.now)
    return replace(expected, message=message, answer=answer)
