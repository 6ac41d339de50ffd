"""Recordings of a run."""

from __future__ import annotations

import re
from datetime import date

from pytest_kmsmock._conformance import located_yaml, recording, report, runner, scenario_files, targets

#: Account ids, key ids, and ids of grants and key material.
PRIVATE = re.compile(r"\d{12}|[0-9a-f]{8}-[0-9a-f]{4}-|[0-9a-f]{32}")


def run(scenarios, target=None):
    return list(runner.run(scenarios, target or targets.Mock()))


def test_a_recording_is_a_scenario_file_that_agrees(tmp_path):
    """What this mock answered, without ids and blobs, is what it answers the next time."""
    files = ("access", "aliases", "encryption", "grants", "key_stores", "multi_region", "policies", "tags")
    scenarios = [each for each in scenario_files.read_folder() if each.file in files]
    results = run([each for each in scenarios if not each.name.startswith("lists")])  # grants come in any order
    document = recording.recorded(results, "mock", date(2030, 1, 1))
    file = tmp_path / "recorded.yaml"
    file.write_text(located_yaml.write(document))
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
    text = located_yaml.write(document)
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
