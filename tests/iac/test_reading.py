"""Files to plain data, and what no file may hold: nothing is run, and everything ends in an error with a line."""

from __future__ import annotations

import re

import pytest

from pytest_kmsmock._iac import reading
from pytest_kmsmock._iac.reading import Located, line_of, parse, text_of
from pytest_kmsmock.errors import InvalidSeed, MissingExtra

TEMPLATE = """\
Resources:
  Key:
    Type: AWS::KMS::Key
    Properties:
      Description: !Sub "${AWS::Region} key"
      MultiRegion: yes
      KeyPolicy: {Version: 2012-10-17, Statement: []}
      Tags:
        - {Key: id, Value: !GetAtt Nested.Outputs.Id}
        - !If [IsProd, !Ref AWS::NoValue, {Key: a, Value: !Base64 b}]
  More: !Transform {Name: AWS::Include}
  123456789012: {Condition: !Condition IsProd, More: !Join [",", [a, b]]}
"""


def test_yaml_with_short_tags():
    found = parse("a.yaml", TEMPLATE)
    properties = found["Resources"]["Key"]["Properties"]
    assert properties == {
        "Description": {"Fn::Sub": "${AWS::Region} key"},
        "MultiRegion": True,
        "KeyPolicy": {"Version": "2012-10-17", "Statement": []},
        "Tags": [
            {"Key": "id", "Value": {"Fn::GetAtt": ["Nested", "Outputs.Id"]}},
            {"Fn::If": ["IsProd", {"Ref": "AWS::NoValue"}, {"Key": "a", "Value": {"Fn::Base64": "b"}}]},
        ],
    }
    assert found["Resources"]["More"] == {"Fn::Transform": {"Name": "AWS::Include"}}
    assert found["Resources"]["123456789012"] == {
        "Condition": {"Condition": "IsProd"},
        "More": {"Fn::Join": [",", ["a", "b"]]},
    }


@pytest.mark.parametrize("name", ["a.yaml", "a.json"])
def test_mappings_know_their_line(name):
    text = TEMPLATE if name == "a.yaml" else '{\n "Resources": {\n  "Key": {\n   "Type": "AWS::KMS::Key"\n  }\n }\n}'
    found = parse(name, text)
    assert line_of(found["Resources"]["Key"]) == (2 if name == "a.yaml" else 3)
    assert line_of("text") == 0
    assert line_of(Located({"a": 1})) == 0


def test_yaml_merges_and_anchors():
    found = parse("a.yaml", "base: &base {a: 1}\nmore: {<<: *base, b: 2}\nempty:\n")
    assert found == {"base": {"a": 1}, "more": {"a": 1, "b": 2}, "empty": None}


def test_an_empty_file():
    assert parse("a.yaml", "") is None


def test_yaml_that_begins_with_a_brace():
    assert parse("a.yaml", "{Resources: {Key: !Ref Other}}") == {"Resources": {"Key": {"Ref": "Other"}}}


BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(
            "a: !!python/object/apply:os.system [echo]", "a.yaml:1: invalid YAML: could not determine", id="python"
        ),
        pytest.param("a:\n  b: !Exec x", "a.yaml:2: invalid YAML: unknown tag !Exec", id="unknown tag"),
        pytest.param("a: &a [*a]", "a.yaml:1: this contains itself", id="recursion"),
        pytest.param(BOMB, "a.yaml:6: this expands to more than 200,000 values", id="alias bomb"),
        pytest.param("a: " + "[" * 3000, "a.yaml:1: this is nested too deeply", id="deep yaml"),
        pytest.param('{"a": ' * 100_000, "a.yaml:1: this is nested too deeply", id="deep json"),
        pytest.param("a: [1\nb: 2", "a.yaml:2: invalid YAML: expected ',' or ']'", id="no yaml"),
        pytest.param('{"a": 1,\n "b" 2}', "a.yaml:2: invalid JSON: Expecting ':' delimiter", id="no json"),
        pytest.param('{"a": ' + "1" * 5000 + "}", "a.yaml:1: cannot be read: Exceeds the limit", id="number"),
        pytest.param("? [a]\n: b", "a.yaml:1: invalid YAML: a name must be a string", id="name"),
        pytest.param("a: b\nc: \x01", "a.yaml:2: invalid YAML: special characters are not allowed", id="character"),
        pytest.param("a: !!int x", "a.yaml:1: invalid YAML: 'x' is not a valid int", id="wrong value"),
        pytest.param("%", "a.yaml:1: invalid YAML", id="directive"),
    ],
)
def test_hostile_files_end_in_an_error_with_the_line(text, told):
    with pytest.raises(InvalidSeed, match=f"^{re.escape(told)}"):
        parse("a.yaml", text)


@pytest.mark.parametrize("name", ["big.yaml", "big.json"])
def test_files_have_a_bounded_size(tmp_path, monkeypatch, name):
    monkeypatch.setattr(reading, "_MAX_YAML_BYTES", 10)
    monkeypatch.setattr(reading, "_MAX_JSON_BYTES", 10)
    file = tmp_path / name
    file.write_text("x" * 11)
    with pytest.raises(InvalidSeed, match=r"this file has 11 bytes; the limit is 10$"):
        text_of(str(file))


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "latin.yaml").write_bytes(b"a: \xff")
    (tmp_path / "folder.yaml").mkdir()
    for name, reason in {
        "none.yaml": "does not exist$",
        "folder.yaml": "cannot be read: Is a directory$",
        "latin.yaml": "cannot be read",
    }.items():
        with pytest.raises(InvalidSeed, match=f"{name} {reason}"):
            text_of(str(tmp_path / name))


def test_yaml_needs_the_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "yaml", None)
    assert parse("a.json", '{"no": "yaml here"}') == {"no": "yaml here"}
    with pytest.raises(MissingExtra, match=r"pytest-kmsmock\[iac\]"):
        parse("a.yaml", "needs: yaml")
