"""The comparison of answers with what is expected."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from pytest_kmsmock._conformance import matching
from pytest_kmsmock._conformance.scenario import Expected
from pytest_kmsmock._conformance.targets import Answer

NOW = datetime(2030, 1, 1, 12, 0, 0, 500, tzinfo=timezone.utc)


def compared(expected, actual) -> list[str]:
    return [found.where for found in matching.differences(Expected(answer=expected), Answer(members=actual))]


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ({"A": 1}, {"A": 1, "B": 2}),
        ({"A": "x"}, {"A": b"x"}),
        ({"A": [{"B": 1}]}, {"A": [{"B": 1, "C": 2}]}),
        ({"A": {"$type": "blob", "$length": 1}}, {"A": b"x"}),
        ({"A": {"$matches": "x.*"}}, {"A": "x\ny"}),
        ({"A": {"$base64_starts": "AQ"}}, {"A": b"\x01\x02\x03"}),
        ({"A": {"$members": ["B"], "B": 1}}, {"A": {"B": 1}}),
        ({"A": {"$absent": ["C"]}}, {"A": {"B": 1}}),
        ({"A": {"$contains": [2]}}, {"A": [1, 2]}),
        ({"A": {"$any_order": [2, 1]}}, {"A": [1, 2]}),
        ({"A": {"$sorted_by": "B"}}, {"A": [{"B": 1}, {"B": 2}]}),
        ({"A": {"$around": NOW}}, {"A": NOW + timedelta(seconds=100)}),
    ],
)
def test_matching_answers(expected, actual):
    assert compared(expected, actual) == []


@pytest.mark.parametrize(
    ("expected", "actual", "where"),
    [
        ({"A": 1}, {}, ["A"]),
        ({"A": 1}, {"A": 2}, ["A"]),
        ({"A": True}, {"A": 1}, ["A"]),
        ({"A": "x"}, {"A": b"y"}, ["A"]),
        ({"A": [1]}, {"A": [1, 2]}, ["A"]),
        ({"A": [1]}, {"A": None}, ["A"]),
        ({"A": [{"B": 1}, 2]}, {"A": [{"B": 2}, 2]}, ["A[0].B"]),
        ({"A": {"B": 1}}, {"A": "x"}, ["A.B"]),
        ({"A": {"$type": "blob"}}, {"A": "x"}, ["A"]),
        ({"A": {"$length": 1}}, {"A": b"xy"}, ["A"]),
        ({"A": {"$matches": "x"}}, {"A": "xy"}, ["A"]),
        ({"A": {"$members": ["B"]}}, {"A": {"B": 1, "C": 2}}, ["A"]),
        ({"A": {"$absent": ["B"]}}, {"A": {"B": 1}}, ["A"]),
        ({"A": {"$contains": [3]}}, {"A": [1, 2]}, ["A"]),
        ({"A": {"$contains": [3]}}, {"A": 3}, ["A"]),
        ({"A": {"$any_order": [1]}}, {"A": [1, 2]}, ["A"]),
        ({"A": {"$around": NOW}}, {"A": NOW + timedelta(seconds=200)}, ["A"]),
        ({"A": {"$around": NOW}}, {"A": "soon"}, ["A"]),
        ({"A": {"$sorted_by": "B"}}, {"A": [{"B": 2}, {"B": 1}]}, ["A"]),
        ({"A": {"$sorted_by": "B"}}, {"A": [{"B": 2}, {}]}, ["A"]),
        ({"A": {"$length": 1}}, {"A": 1}, ["A"]),
    ],
)
def test_differing_answers(expected, actual, where):
    assert compared(expected, actual) == where


def test_codes_and_messages():
    expected = Expected(error="X", message="y")
    assert matching.differences(expected, Answer("X", "y")) == []
    assert matching.differences(Expected(error="X"), Answer("X", "anything")) == []
    assert matching.differences(expected, Answer("X", "z")) == [("message", "y", "z")]
    assert matching.differences(expected, Answer("Z", "y")) == [("code", "X", "Z: y")]
    assert matching.differences(expected, Answer()) == [("code", "X", "success")]
    assert matching.differences(Expected(), Answer("Z", "y")) == [("code", "success", "Z: y")]


def test_members_and_absent_ones():
    found = matching.differences(Expected(members=("A",), absent=("B",)), Answer(members={"B": 1}))
    assert found == [("members", ["A"], ["B"]), ("B", "absent", 1)]
