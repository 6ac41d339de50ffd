"""What is reported of a run."""

from __future__ import annotations

import json

from pytest_kmsmock._conformance import report, runner, targets

KEY = "- name: one\n  source: seen\n  steps:\n  - {CreateKey: , as: key}\n"


def run(scenarios, target=None):
    return list(runner.run(scenarios, target or targets.Mock()))


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
