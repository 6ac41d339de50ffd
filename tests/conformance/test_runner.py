"""Runs of scenarios: what came of each step."""

from __future__ import annotations

import sys

import pytest

from pytest_kmsmock._conformance import report, runner, scenario_files, targets
from pytest_kmsmock.errors import InvalidScenario, TargetUnreachable

KEY = "- name: one\n  source: seen\n  steps:\n  - {CreateKey: , as: key}\n"


def run(scenarios, target=None):
    return list(runner.run(scenarios, target or targets.Mock()))


def test_a_step_whose_answer_came_otherwise(scenarios_of):
    results = run(
        scenarios_of(
            f"scenarios:\n{KEY}"
            "  - {Encrypt: {KeyId: <key>, Plaintext: hello}, as: made, case: never, error: DisabledException}\n"
            "  - {Decrypt: {CiphertextBlob: <gone.CiphertextBlob>}}\n".replace("<gone", "<made")
        )
    )
    assert [result.outcome for result in results] == ["agrees", "differs", "agrees"]
    assert [result.counts for result in results] == [False, True, False]
    told = report.listing(results)
    assert "mine/one, step 2 (Encrypt, never) at mine.yaml:8" in told
    assert "  code: expected 'DisabledException'\n        answered 'success'\n  recorded: a capture" in told


def test_a_step_that_cannot_be_run(scenarios_of):
    results = run(
        scenarios_of(
            "scenarios:\n- name: one\n  source: seen\n  steps:\n  - {CreateKey: {KeySpec: FOO}, as: key}\n"
            "  - {Encrypt: {KeyId: <key>, Plaintext: x}, error: X}\n"
        )
    )
    assert [(result.outcome, result.reason) for result in results][1] == ("blocked", "<key> is missing")
    assert "not run: <key> is missing" in report.listing(results)
    assert results[0].counts


def test_time_passes_until_a_step_agrees(scenarios_of):
    (scenario,) = scenarios_of(
        "scenarios:\n- name: one\n  delays: {creating: 5}\n  source: seen\n  steps:\n"
        "  - {CreateKey: {MultiRegion: true}, as: key}\n"
        "  - ReplicateKey: {KeyId: <key>, ReplicaRegion: <other_region>}\n"
        "  - DescribeKey: {KeyId: <key>}\n    region: other\n    within: 10\n"
        "    answer: {KeyMetadata: {KeyState: Enabled}}\n"
    )
    assert run([scenario])[-1].outcome == "agrees"


def test_a_run_can_be_stopped(scenarios_of):
    scenarios = scenarios_of(f"scenarios:\n{KEY}  - CreateKey:\n")
    assert list(runner.run(scenarios, targets.Mock(), lambda: True)) == []


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("grants/a grant", lambda each: each.id == "grants/a grant"),
        ("grants/*", lambda each: each.file == "grants"),
        ("grants", lambda each: each.file == "grants"),
        ("a round trip", lambda each: each.name == "a round trip"),
        ("Decapsulate", lambda each: any(step.operation == "Decapsulate" for step in each.steps)),
    ],
)
def test_scenarios_are_selected_by_name_file_and_operation(pattern, fits):
    scenarios = scenario_files.read_folder()
    assert runner.select(scenarios, [pattern]) == [each for each in scenarios if fits(each)] != []


def test_patterns_without_a_scenario():
    with pytest.raises(InvalidScenario, match=r"Unknown scenario 'grant'. Did you mean 'grants'?"):
        runner.select(scenario_files.read_folder(), ["grant"])


def test_without_moto(monkeypatch):
    monkeypatch.setitem(sys.modules, "moto", None)
    monkeypatch.delitem(sys.modules, "pytest_kmsmock._moto.alone", raising=False)
    monkeypatch.delattr("pytest_kmsmock._moto.alone", raising=False)
    with pytest.raises(TargetUnreachable, match="moto is not installed: pip install moto"):
        targets.Moto()


def test_moto(scenarios_of):
    """Some scenarios, that moto agrees and disagrees with, and one that breaks off in it."""
    results = run(
        scenarios_of(
            f"scenarios:\n{KEY}"
            "  - {DescribeKey: {KeyId: <key>}, within: 5, answer: {KeyMetadata: {KeyState: Enabled}}}\n"
            "  - {DescribeKey: {KeyId: <key>}, within: 5, answer: {KeyMetadata: {KeyState: Disabled}}}\n"
            "  - {GetKeyLastUsage: {KeyId: <key>}, members: []}\n"
            "- name: two\n  steps:\n  - {CreateKey: , as: key}\n  - wait: {days: 1}\n"
        ),
        targets.Moto(),
    )
    assert [result.outcome for result in results] == ["agrees", "agrees", "differs", "differs", "skipped", "skipped"]
    assert results[3].differences[0].actual.startswith("NotImplementedError")
    assert results[4].reason == "moto has no clock"
    assert targets.Moto().close() == []
    assert targets.Mock().close() == []
