"""`AWS::Include` of files beside a template."""

from __future__ import annotations

import time

import pytest
from tests.iac.conftest import HERE, allow, policy, reasons

from pytest_kmsmock._iac.deployment import load
from pytest_kmsmock.errors import InvalidSeed

KEY = {"Type": "AWS::KMS::Key"}


def include(location: str) -> dict[str, object]:
    return {"Name": "AWS::Include", "Parameters": {"Location": location}}


def test_a_section_and_a_policy_in_files_of_their_own(write):
    write("parts/keys.yaml", "Key:\n  Type: AWS::KMS::Key\nFn::Transform:\n  Name: AWS::Include\n"
          "  Parameters:\n    Location: more.json\n")  # fmt: skip
    write("parts/more.json", {"Other": KEY})
    write("policy.json", policy(allow("kms:Decrypt")))
    inline = [{"PolicyName": "p", "PolicyDocument": {"Fn::Transform": include("policy.json")}}]
    role = {"Type": "AWS::IAM::Role", "Properties": {"Policies": inline}}
    deployment = load(
        [write("app.json", {"Resources": {"Role": role, "Fn::Transform": include("./parts/keys.yaml")}})], HERE
    )
    assert reasons(deployment) == []
    assert [str(item.place) for item in deployment.items] == [
        "app.json:3, Role",
        "app.json:2, Key",
        "app.json:2, Other",
    ]
    assert deployment.items[0].inline[0].content["Statement"][0]["Action"] == "kms:Decrypt"


@pytest.mark.parametrize("transform", [include("keys.json"), [include("keys.json"), "AWS::LanguageExtensions"]])
def test_at_the_top_of_a_template(write, transform):
    write("keys.json", {"Mappings": {"Of": {"keys": {"Description": "included"}}}})
    key = {**KEY, "Properties": {"Description": {"Fn::FindInMap": ["Of", "keys", "Description"]}}}
    deployment = load([write("app.json", {"Transform": transform, "Resources": {"Key": key}})], HERE)
    assert reasons(deployment) == []
    assert deployment.items[0].settings["description"] == "included"


def test_an_included_value_that_is_no_mapping(write):
    write("statements.json", "# of a policy\n- {Effect: Allow, Action: 'kms:Sign', Resource: '*'}\n")
    document = {"Version": "2012-10-17", "Statement": {"Fn::Transform": include("statements.json")}}
    role = {"Type": "AWS::IAM::Role", "Properties": {"Policies": [{"PolicyDocument": document}]}}
    [item] = load([write("app.json", {"Resources": {"Role": role}})], HERE).items
    assert item.inline[0].content["Statement"][0]["Action"] == "kms:Sign"


@pytest.mark.parametrize("location", ["s3://bucket/keys.json", "none.json", {"Ref": "Location"}])
def test_missing_files_are_listed(write, location):
    content = {"Resources": {"Key": KEY, "Fn::Transform": include(location)}}
    deployment = load([write("app.json", content)], HERE)
    assert reasons(deployment) == ["Fn::Transform AWS::Include includes no local file: its Location is not at hand"]
    assert len(deployment.items) == 1


def test_files_that_include_too_many(write):
    for number in range(10):
        again = {"Fn::Transform": include(f"{number + 1}.json")}
        write(f"{number}.json", {"Resources": {"A": again, "B": again}})
    write("10.json", {})
    path = write("app.json", {"Resources": {"Fn::Transform": include("0.json")}})
    with pytest.raises(InvalidSeed, match=r"\.json:\d+: more than 200 files are included$"):
        load([path], HERE)


def test_a_file_that_includes_itself(write):
    path = write("app.json", {"Resources": {"Key": KEY, "Fn::Transform": include("keys.json")}})
    write("keys.json", {"Other": KEY, "Fn::Transform": include("keys.json")})
    assert [item.place.resource for item in load([path], HERE).items] == ["Key", "Other"]


def test_an_included_file_is_read_again_when_it_changes(write):
    path = write("app.json", {"Resources": {"Fn::Transform": include("keys.json")}})
    for name in ("First", "Second"):
        write("keys.json", {f"{name}{time.monotonic_ns()}": KEY})
        [item] = load([path], HERE).items
        assert item.place.resource.startswith(name)
