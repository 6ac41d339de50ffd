"""The table and the lists, from data."""

from __future__ import annotations

import pytest

from pytest_kmsmock._report.terminal import duration, findings, table
from pytest_kmsmock._report.totals import totals

ARN = "arn:aws:kms:us-east-1:123456789012:key/"


def call(operation: str, **changes):
    return {
        "operation": operation, "phase": "call", "mock": "kms_mock", "caller": "arn:aws:iam::123456789012:user/ada",
        "administrator": False, "region": "us-east-1", "time": "2026-01-01T00:00:00.000+00:00", "start": 0.0,
        "took": 0.001, "request": [], "answer": [], "keys": [], "uses_key": False, "lacks_context": False,
        "error": "", "message": "", "injected": False, "reasons": [], "decisive": [],
    } | changes  # fmt: skip


def entry(test: str, *calls, keys=()):
    return {"test": test, "outcome": "passed", "failure": "", "calls": list(calls), "keys": list(keys)}


def key(name: str, key_id: str):
    return {"arn": ARN + key_id, "name": name, "spec": "SYMMETRIC_DEFAULT"}


def test_a_run_without_calls_says_so():
    assert list(table(totals([]))) == ["No test called KMS."]
    assert list(findings(totals([]))) == []


def test_operations_are_counted_the_frequent_first():
    denied = {"error": "AccessDeniedException", "message": "User: x is not authorized"}
    lines = list(table(totals([
        entry("a", call("ListKeys"), call("Encrypt", lacks_context=True), call("Encrypt", took=2.5)),
        entry("b", call("Encrypt", **denied), call("Encrypt", **denied, injected=True)),
    ])))  # fmt: skip
    assert lines == [
        "operation       calls  refused  denied  no context  tests    time",
        "--------------  -----  -------  ------  ----------  -----  ------",
        "Encrypt             4        2       1           1      2  2.50 s",
        "ListKeys            1        -       -           -      1  1.0 ms",
        "--------------  -----  -------  ------  ----------  -----  ------",
        "all operations      5        2       1           1      2  2.50 s",
    ]


def test_what_deserves_a_look_is_listed():
    denied = {"error": "AccessDeniedException", "message": "User: x is not authorized"}
    lines = list(findings(totals([
        entry("a", call("Encrypt", **denied), call("Encrypt", lacks_context=True), call("Encrypt", lacks_context=True)),
        entry("b", keys=[key("", "1"), key("alias/b", "2")]),
        entry("c", keys=[key("alias/b", "3")]),
    ])))  # fmt: skip
    assert lines == [
        "", "denied calls (1):", "  a: Encrypt: User: x is not authorized",
        "", "calls without encryption context (2):", "  a: Encrypt  (x2)",
        "", "keys never used (2):", "  1 (SYMMETRIC_DEFAULT) in us-east-1: b",
        "  alias/b (SYMMETRIC_DEFAULT) in us-east-1: b and 1 more test",
    ]  # fmt: skip


def test_a_key_is_used_if_a_key_of_the_same_alias_is():
    found = totals([
        entry("a", keys=[key("alias/x", "1"), key("payroll", "2")]),
        entry("b", call("Encrypt", keys=[ARN + "3"], uses_key=True), keys=[key("alias/x", "3"), key("payroll", "4")]),
    ])  # fmt: skip
    # A description is no name: each key with it is a key of its own.
    assert [(unused.key["arn"], unused.tests) for unused in found.unused_keys] == [
        (ARN + "2", ("a",)), (ARN + "4", ("b",)),
    ]  # fmt: skip


REPLICA = ARN.replace("us-east-1", "eu-west-1")


@pytest.mark.parametrize(
    ("used", "lines"),
    [
        pytest.param(REPLICA + "mrk-2", [], id="used"),
        pytest.param(
            ARN + "3",
            ["", "keys never used (1):", "  alias/x (SYMMETRIC_DEFAULT) in us-east-1: a and 1 more test"],
            id="unused",
        ),
    ],
)
def test_the_related_keys_of_a_multi_region_key_count_as_one(used, lines):
    def keys(key_id: str):
        return [key("alias/x", key_id), key("alias/x", key_id) | {"arn": REPLICA + key_id}]

    encrypt = call("Encrypt", keys=[used], uses_key=True)
    assert list(findings(totals([entry("a", keys=keys("mrk-1")), entry("b", encrypt, keys=keys("mrk-2"))]))) == lines


def test_long_lists_are_cut():
    lines = list(findings(totals([entry(f"t{n}", call("Encrypt", lacks_context=True)) for n in range(12)])))
    assert len(lines) == 13
    assert lines[-1] == "  … and 2 more; --kms-report=FILE.html shows all"


@pytest.mark.parametrize(("seconds", "text"), [(0.0, "0.0 ms"), (0.01234, "12.3 ms"), (1.5, "1.50 s")])
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_what_others_wrote_stays_on_its_line_and_leaves_the_terminal_alone():
    denied = {"error": "AccessDeniedException", "message": "alias/a\n\x1b[2J is not found"}
    lines = list(findings(totals([
        entry("a", call("Encrypt", **denied), keys=[key("first\nFAILED second \x1b[31m", "1"), key("schön", "2")]),
    ])))  # fmt: skip
    assert lines[2] == r"  a: Encrypt: alias/a\n\x1b[2J is not found"
    assert lines[5:] == [
        r"  first\nFAILED second \x1b[31m (SYMMETRIC_DEFAULT) in us-east-1: a",
        "  schön (SYMMETRIC_DEFAULT) in us-east-1: a",
    ]
