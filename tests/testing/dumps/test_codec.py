"""Records as JSON values and back, for every type there may be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Any, Literal, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_kmsmock._kms.api.key_specs import KEY_SPECS, KeySpec
from pytest_kmsmock._kms.crypto import generate
from pytest_kmsmock._kms.entropy.key_source import KeySource, LazyMaterial
from pytest_kmsmock._testing.dumps.codec import Misfit, decode, decode_attributes, encode, encode_attributes

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)


class Color(Enum):
    RED = "red"


@dataclass(frozen=True)
class Point:
    x: int
    y: int = 0
    names: tuple[str, ...] = field(default_factory=tuple)
    derived: int = field(init=False, default=7)


class Holder:
    __slots__ = ("_hidden", "points", "skipped")

    points: dict[str, Point]
    skipped: int
    _hidden: int

    def __init__(self) -> None:
        self.points, self.skipped, self._hidden = {}, 0, 0


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        pytest.param("text", str, id="str"),
        pytest.param(5, int, id="int"),
        pytest.param(True, bool, id="bool"),
        pytest.param(1.5, float, id="float"),
        pytest.param(b"\0\xff", bytes, id="bytes"),
        pytest.param(NOON, datetime, id="datetime"),
        pytest.param(NOON + timedelta(microseconds=123000), datetime, id="datetime with a fraction"),
        pytest.param(KEY_SPECS["SM2"], KeySpec, id="KeySpec"),
        pytest.param(None, int | None, id="None"),
        pytest.param(5, int | None, id="optional"),
        pytest.param(5, Optional[int], id="typing.Optional"),  # noqa: UP045 - records may be written so
        pytest.param("a", Literal["a", "b"], id="Literal"),
        pytest.param(Color.RED, Color, id="Enum"),
        pytest.param((1, "a"), tuple[int, str], id="tuple"),
        pytest.param((1, 2, 3), tuple[int, ...], id="long tuple"),
        pytest.param([1], list[int], id="list"),
        pytest.param(frozenset({2, 1}), frozenset[int], id="frozenset"),
        pytest.param({"a": (1,)}, dict[str, tuple[int, ...]], id="dict"),
        pytest.param({"a": 1}, Mapping[str, int], id="Mapping"),
        pytest.param({("a", 1): b"x"}, dict[tuple[str, int], bytes], id="dict with other keys than texts"),
        pytest.param(Point(1, names=("a",)), Point, id="dataclass"),
        pytest.param((Point(1), Point(2)), tuple[Point, ...], id="dataclasses"),
        pytest.param({"a": [1, None, {"$time": "noon", "$bytes": "?"}]}, Mapping[str, object], id="object"),
        pytest.param({"a": 1.5}, Any, id="Any"),
    ],
)
def test_values_survive(value: object, hint: Any) -> None:
    text = json.dumps(encode(value, hint))
    again = decode(json.loads(text), hint, "here")
    assert again == value
    assert type(again) is type(value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(value=JSON)
def test_values_of_no_known_type_survive(value: object) -> None:
    assert decode(json.loads(json.dumps(encode(value, object))), object, "") == value


@pytest.mark.parametrize("spec", [name for name, spec in KEY_SPECS.items() if spec.family != "rsa"])
def test_key_material_survives(spec: str) -> None:
    secret = LazyMaterial(KEY_SPECS[spec], KeySource())
    again = decode(json.loads(json.dumps(encode(secret, LazyMaterial))), LazyMaterial, "here")
    assert again.spec is KEY_SPECS[spec]
    assert again.get().private_bytes() == secret.get().private_bytes()


def test_rsa_key_material_survives() -> None:
    secret = LazyMaterial.of(generate(KEY_SPECS["RSA_2048"]))
    again = decode(encode(secret, LazyMaterial), LazyMaterial, "here")
    assert again.get().private_bytes() == secret.get().private_bytes()


@pytest.mark.parametrize(
    ("data", "hint", "reason"),
    [
        pytest.param(5, str, "here: expected a string, found 5", id="str"),
        pytest.param(True, int, "here: expected a whole number, found True", id="a bool is no int"),
        pytest.param(1, bool, "here: expected true or false, found 1", id="bool"),
        pytest.param("1", float, "here: expected a number, found '1'", id="float"),
        pytest.param("?", bytes, "here: expected a base64 string, found '?'", id="bytes"),
        pytest.param(
            "2026-01-01", datetime,
            "here: expected a time with its offset from UTC, such as 2026-01-01T00:00:00+00:00, found '2026-01-01'",
            id="datetime",
        ),
        pytest.param("RSA_1024", KeySpec, "here: expected a key spec, found 'RSA_1024'", id="KeySpec"),
        pytest.param([], KeySpec, "here: expected a key spec, found []", id="KeySpec from a list"),
        pytest.param(
            {"spec": "HMAC_224", "material": "AA=="}, LazyMaterial,
            "here: expected key material with its key spec, found {'spec': 'HMAC_224', 'material': 'AA=='}",
            id="LazyMaterial",
        ),
        pytest.param("c", Literal["a", "b"], "here: expected one of 'a', 'b', found 'c'", id="Literal"),
        pytest.param("blue", Color, "here: expected a Color, found 'blue'", id="Enum"),
        pytest.param([1], tuple[int, int], "here: expected a list of 2, found [1]", id="tuple"),
        pytest.param({}, list[int], "here: expected a list, found {}", id="list"),
        pytest.param([1, "x"], tuple[int, ...], "here[1]: expected a whole number, found 'x'", id="item"),
        pytest.param([], dict[str, int], "here: expected a mapping of names to values, found []", id="dict"),
        pytest.param({"a": "x"}, dict[str, int], "here['a']: expected a whole number, found 'x'", id="value"),
        pytest.param([[1]], dict[int, int], "here: expected a list of pairs, found [[1]]", id="pairs"),
        pytest.param({"x": 1, "z": 2}, Point, "here: unknown field 'z'.", id="unknown field"),
        pytest.param({"y": 1}, Point, "here: x missing", id="missing field"),
        pytest.param({"x": 1, "names": [1]}, Point, "here.names[0]: expected a string, found 1", id="field"),
        pytest.param({"points": {}, "other": 1}, Holder, "here: unknown field 'other'.", id="unknown attribute"),
        pytest.param("x" * 100, int, f"here: expected a whole number, found '{'x' * 56}...", id="long"),
        pytest.param(["\ud800"], object, "here: expected any JSON value, found ['\\ud800']", id="object"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_place(data: object, hint: Any, reason: str) -> None:
    with pytest.raises(Misfit) as refused:
        decode(data, hint, "here")
    assert str(refused.value) == reason


def test_the_whole_document_has_a_name_too() -> None:
    with pytest.raises(Misfit, match=r"^the document: expected a list, found None$"):
        decode(None, list[int], "")


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        pytest.param(1j, complex, id="complex"),
        pytest.param(1, int | str, id="a union of two types"),
        pytest.param({1: 2}, object, id="a mapping of numbers in an object"),
        pytest.param({1}, object, id="a set in an object"),
        pytest.param(b"x", object, id="bytes in an object"),
    ],
)
def test_what_cannot_be_written_is_an_error_of_the_programmer(value: object, hint: Any) -> None:
    with pytest.raises(TypeError, match="cannot write"):
        encode(value, hint)


def test_missing_fields_have_their_defaults() -> None:
    assert decode({"x": 1}, Point, "") == Point(1)


def test_holders_keep_their_public_attributes() -> None:
    holder = Holder()
    holder.points["a"] = Point(1)
    assert encode(holder, Holder) == {"points": {"a": {"x": 1, "y": 0, "names": []}}, "skipped": 0}
    assert decode(encode(holder, Holder), Holder, "").points == holder.points
    assert encode_attributes(holder, skip={"skipped"}).keys() == {"points"}
    with pytest.raises(Misfit, match="unknown field 'skipped'"):
        decode_attributes(Holder(), {"skipped": 1}, "", skip={"skipped"})


def test_an_attribute_without_a_type_is_noticed() -> None:
    class Careless:
        __slots__ = ("name",)

    with pytest.raises(TypeError, match=r"Careless does not say the types of all its attributes: \['name'\]"):
        encode(Careless(), Careless)
