"""Intrinsic functions: each with what AWS documents of it. Source: "Intrinsic function reference" of CloudFormation."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_kmsmock._iac.cloudformation.functions import FUNCTIONS, NO_VALUE, resolve, truth, unroll
from pytest_kmsmock._iac.reading import SHORT_TAGS
from pytest_kmsmock.errors import InvalidSeed


class Scope:
    """A stack with a few names."""

    def __init__(self) -> None:
        self.made_up: list[str] = []

    def ref(self, name: str) -> Any:
        return {"Name": "worker", "AWS::NoValue": NO_VALUE, "Names": ["a", "b"], "Yes": True}[name]

    def get_att(self, name: str, attribute: str) -> Any:
        return f"{name}/{attribute}"

    def condition(self, name: str) -> bool:
        return {"IsProd": True, "IsTest": False}[name]

    def find_in_map(self, *names: str) -> Any:
        return {("Map", "a", "b"): 7}.get(names, NO_VALUE)

    def import_value(self, name: str) -> Any:
        return f"imported {name}"

    def stack_output(self, *given: str | None) -> Any:
        return given

    def count_iteration(self) -> None:
        self.iterations = getattr(self, "iterations", 0) + 1

    def zones(self, region: str) -> list[str]:
        return [f"{region}a"]

    def placeholder(self, what: str, reason: str) -> Any:
        self.made_up.append(reason)
        return "made up"

    def invalid(self, reason: str) -> InvalidSeed:
        return InvalidSeed(reason)


@pytest.fixture
def scope() -> Scope:
    return Scope()


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"Ref": "Name"}, "worker"),
        ({"Fn::GetAtt": ["Key", "Arn"]}, "Key/Arn"),
        ({"Fn::GetAtt": "Key.Arn"}, "Key/Arn"),
        ({"Fn::GetStackOutput": {"StackName": {"Ref": "Name"}, "OutputName": "A"}}, ("worker", "A", None, None)),
        ({"Fn::GetAtt": ["Key", {"Ref": "Name"}]}, "Key/worker"),
        ({"Fn::Join": [":", ["a", {"Ref": "Name"}, 1]]}, "a:worker:1"),
        ({"Fn::Join": [",", {"Ref": "Names"}]}, "a,b"),
        ({"Fn::Join": [",", {"Ref": "Name"}]}, "worker"),
        ({"Fn::Sub": "${Name}-${Key.Arn}-${!Kept}-${Yes}"}, "worker-Key/Arn-${Kept}-true"),
        ({"Fn::Sub": ["${Other}/${Name}", {"Other": {"Ref": "Name"}}]}, "worker/worker"),
        ({"Fn::Select": [1, {"Ref": "Names"}]}, "b"),
        ({"Fn::Select": ["0", ["x", "y"]]}, "x"),
        ({"Fn::Split": ["|", "a|b"]}, ["a", "b"]),
        ({"Fn::FindInMap": ["Map", "a", "b"]}, 7),
        ({"Fn::FindInMap": ["Map", "a", "c", {"DefaultValue": {"Ref": "Name"}}]}, "worker"),
        ({"Fn::If": ["IsProd", 1, 2]}, 1),
        ({"Fn::If": ["IsTest", 1, 2]}, 2),
        ({"Fn::If": [{"Fn::Not": [{"Condition": "IsProd"}]}, 1, 2]}, 2),
        ({"Fn::Base64": {"Ref": "Name"}}, "d29ya2Vy"),
        ({"Fn::ImportValue": {"Fn::Sub": "${Name}-key"}}, "imported worker-key"),
        ({"Fn::GetAZs": "eu-west-1"}, ["eu-west-1a"]),
        ({"Fn::Length": {"Ref": "Names"}}, 2),
        ({"Fn::ToJsonString": {"a": {"Ref": "Name"}}}, '{"a":"worker"}'),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [{"Ref": "AWS::NoValue"}, 1]}, {"b": [1]}),
        (5, 5),
    ],
)
def test_values(scope, given, found):
    assert resolve(scope, given) == found
    assert scope.made_up == []


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"Fn::Select": [5, ["a"]]}, "Fn::Select finds no item 5 in ['a']"),
        ({"Fn::FindInMap": ["Map", "a", "c"]}, "Mappings have no Map.a.c"),
        ({"Fn::New": "a"}, "Fn::New is not supported"),
        ("{{resolve:ssm:/key}}", "{{resolve:ssm:/key}} is not resolved"),
    ],
)
def test_unknown_values_are_placeholders_with_a_note(scope, given, reason):
    assert "made up" in resolve(scope, given)
    assert scope.made_up == [reason]


@pytest.mark.parametrize(
    "given",
    [
        {"Fn::Join": "a"},
        {"Fn::Join": [","]},
        {"Fn::GetAtt": "Key"},
        {"Fn::Sub": ["${A}"]},
        {"Fn::If": ["IsProd", 1]},
        {"Fn::If": [{"Fn::Equals": ["a"]}, 1, 2]},
        {"Fn::If": [{"Fn::Nor": []}, 1, 2]},
        {"Fn::If": [{"Fn::And": ["text"]}, 1, 2]},
        {"Fn::Length": "a"},
        {"Fn::GetStackOutput": "stack.output"},
        {"Fn::GetStackOutput": {"StackName": "keys"}},
        {"Fn::Cidr": ["10.0.0.0/24", 4]},
        {"Fn::Cidr": ["10.0.0.0/24", 5, 6]},
    ],
)
def test_invalid_arguments_of_functions(scope, given):
    with pytest.raises(InvalidSeed):
        resolve(scope, given)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"Fn::Equals": [{"Ref": "Name"}, "worker"]}, True),
        ({"Fn::Equals": [{"Ref": "Yes"}, "true"]}, True),
        ({"Fn::And": [{"Condition": "IsProd"}, {"Condition": "IsTest"}]}, False),
        ({"Fn::Or": [{"Condition": "IsProd"}, {"Condition": "IsTest"}]}, True),
        ({"Fn::Not": [{"Condition": "IsTest"}]}, True),
    ],
)
def test_conditions(scope, condition, holds):
    assert truth(scope, condition) is holds


@pytest.mark.parametrize(
    ("given", "found"),
    [
        # The page's own example, and its IPv6 one with a block of its own.
        (["192.168.0.0/24", "6", "5"], [f"192.168.0.{number}/27" for number in (0, 32, 64, 96, 128, 160)]),
        (["2001:db8::/56", 2, 64], ["2001:db8::/64", "2001:db8:0:1::/64"]),
        ([{"Fn::GetAtt": ["Vpc", "CidrBlock"]}, 2, 8], "made up"),
    ],
)
def test_blocks_of_addresses(scope, given, found):
    assert resolve(scope, {"Fn::Cidr": given}) == found
    assert scope.made_up == (
        ["Fn::Cidr cannot split 'Vpc/CidrBlock' into 2 blocks of 8 bits"] if found == "made up" else []
    )


@pytest.mark.parametrize(
    ("transform", "reason"),
    [
        ({"Name": "Macro"}, "Fn::Transform Macro is not supported: what it would add is missing"),
        (
            {"Name": "AWS::Include"},
            "Fn::Transform AWS::Include includes no local file: its Location is not at hand",
        ),
        ("Macro", "Fn::Transform is not supported"),
    ],
)
def test_macros_are_noted(scope, transform, reason):
    assert resolve(scope, {"Fn::Transform": transform, "A": 1}) == {"A": 1}
    assert resolve(scope, {"Fn::Transform": transform}) == "made up"
    assert scope.made_up == [reason, reason]


def test_loops_in_values(scope):
    given = {"Tags": {"Fn::ForEach::Tags": ["Tag", {"Ref": "Names"}, {"tag-${Tag}": {"Ref": "Name"}}]}}
    assert resolve(scope, given) == {"Tags": {"tag-a": "worker", "tag-b": "worker"}}


def test_loops(scope):
    section = {
        "First": {"Type": "A"},
        "Fn::ForEach::Keys": [
            "Name",
            ["orders", "in-voices"],
            {"Key&{Name}": {"Type": "B", "Of": ["${Name}", {"Ref": "Name"}, {"Ref": "Names"}, 1]}},
        ],
    }
    assert dict(unroll(scope, section)) == {
        "First": {"Type": "A"},
        "Keyorders": {"Type": "B", "Of": ["orders", "orders", {"Ref": "Names"}, 1]},
        "Keyinvoices": {"Type": "B", "Of": ["in-voices", "in-voices", {"Ref": "Names"}, 1]},
    }


def test_loops_in_loops(scope):
    inner = {"Fn::ForEach::B": ["Y", ["1", "2"], {"K${X}${Y}": {"Type": "T"}}]}
    assert list(dict(unroll(scope, {"Fn::ForEach::A": ["X", {"Ref": "Names"}, inner]}))) == ["Ka1", "Ka2", "Kb1", "Kb2"]


@pytest.mark.parametrize("loop", ["x", ["Name", ["a"]], ["Name", "a", {}], ["Name", ["a"], "x"]])
def test_invalid_loops(scope, loop):
    with pytest.raises(InvalidSeed):
        dict(unroll(scope, {"Fn::ForEach::Keys": loop}))


def test_short_tags_stand_for_functions():
    assert set(FUNCTIONS) <= set(SHORT_TAGS.values())
