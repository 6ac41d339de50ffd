"""Runs of scenarios, what is reported of them, and recordings."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest

from pytest_kmsmock._conformance import recording, report, runner, scenario_files, targets, yaml_places
from pytest_kmsmock.errors import InvalidScenario

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
    assert [(result.outcome, result.reason) for result in results][1] == ("blocked", "<key> is not there")
    assert "not run: <key> is not there" in report.listing(results)
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


def test_what_selects_nothing():
    with pytest.raises(InvalidScenario, match=r"No scenario is called 'grant'. Did you mean 'grants'?"):
        runner.select(scenario_files.read_folder(), ["grant"])


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


def test_the_table(scenarios_of):
    results = run(scenarios_of(f"scenarios:\n{KEY}  - {{ListKeys: , error: X}}\n"))
    assert report.table(results) == (
        "             agrees  differs  blocked  skipped\n"
        "mine              0        1        0        0\n"
        "\n"
        "recorded          0        1        0        0\n"
        "documented        0        0        0        0\n"
        "inferred          0        0        0        0\n"
        "in all            0        1        0        0"
    )


def test_the_document(scenarios_of):
    results = run(
        scenarios_of(
            f"scenarios:\n{KEY}"
            "  - Encrypt: {KeyId: <key>, Plaintext: x}\n"
            "    answer: {CiphertextBlob: {$in: {days: 1}}, KeyId: [{a: {$bytes: 300}}]}\n"
        )
    )
    document = report.document(results, "mock", "us-east-1")
    assert document["counts"] == {"agrees": 0, "differs": 1, "blocked": 0, "skipped": 0}
    (entry,) = document["differences"]
    assert (entry["scenario"], entry["step"], entry["mark"]) == ("mine/one", 2, "recorded")
    assert entry["differences"][0]["where"] == "CiphertextBlob"
    assert "$base64" in entry["differences"][0]["actual"]
    json.dumps(document)
    assert "..." in report.listing(results)


PRIVATE = re.compile(r"\d{12}|[0-9a-f]{8}-[0-9a-f]{4}-|[0-9a-f]{32}")


def test_a_recording_is_a_scenario_file_that_agrees(tmp_path):
    """What this mock answered, without ids and blobs, is what it answers the next time."""
    files = ("access", "aliases", "encryption", "grants", "key_stores", "multi_region", "policies", "tags")
    scenarios = [each for each in scenario_files.read_folder() if each.file in files]
    results = run([each for each in scenarios if not each.name.startswith("lists")])  # grants come in any order
    document = recording.recorded(results, "mock", date(2030, 1, 1))
    file = tmp_path / "recorded.yaml"
    file.write_text(yaml_places.write(document))
    scenarios = scenario_files.read_folder(file)
    assert len(scenarios) == len({result.scenario.id for result in results})
    again = run(scenarios)
    assert all(result.outcome == "agrees" for result in again), report.listing(again)


def test_a_recording_has_no_ids_and_no_blobs(scenarios_of):
    scenarios = scenarios_of(
        "scenarios:\n- name: one\n  source: seen\n  principals: {ada: {arn: user/ada}}\n  steps:\n"
        "  - {CreateKey: , as: key, members: [KeyMetadata]}\n"
        "  - CreateKey:\n    absent: [x]\n"
        "  - Encrypt: {KeyId: <key>, Plaintext: secret}\n    as: made\n"
        "    members: [CiphertextBlob, KeyId, EncryptionAlgorithm]\n"
        "  - Decrypt: {CiphertextBlob: <made.CiphertextBlob>}\n    region: first\n    answer: {}\n"
        "  - Encrypt: {KeyId: <key>, Plaintext: secret}\n    by: ada\n    error: AccessDeniedException\n"
        "  - wait: {minutes: 1}\n"
        "  - ListKeys: {}\n    region: other\n    answer: {}\n"
        "  - CreateGrant: {KeyId: <key>, GranteePrincipal: <ada>, Operations: [Encrypt]}\n    answer: {}\n"
        "- name: two\n  steps:\n  - Encrypt: {KeyId: <absent_key>, Plaintext: x}\n"
        "  - {Encrypt: {KeyId: <caller>}, as: x}\n  - Encrypt: {KeyId: <x>}\n"
    )
    results = run(scenarios)
    document = recording.recorded(results, "aws", date(2030, 1, 1))
    text = yaml_places.write(document)
    assert not PRIVATE.search(text), PRIVATE.search(text)
    assert document["sources"]["recording"]["mark"] == "recorded"
    steps = document["scenarios"][0]["steps"]
    assert steps[0]["answer"]["KeyMetadata"]["Arn"] == {"$matches": "arn:aws:kms:us\\-east\\-1:<account>:key/.+"}
    assert steps[2]["answer"] == {
        "KeyId": "<key.Arn>",
        "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "CiphertextBlob": {"$type": "blob"},
    }
    assert steps[4]["message"] == (
        "User: <ada_caller> is not authorized to perform: kms:Encrypt on resource: <key.Arn> "
        "because no identity-based policy allows the kms:Encrypt action"
    )
    assert steps[5] == {"wait": {"seconds": 60.0}}
    assert steps[6]["answer"] == {"Keys": {"$contains": []}}
    assert steps[7]["answer"]["GrantToken"] == {"$type": "text"}
    assert [next(iter(step)) for step in document["scenarios"][1]["steps"]] == ["Encrypt", "Encrypt"]
