"""`Record` against `typing.NamedTuple`, which type checkers take it for."""

from __future__ import annotations

import pickle
import typing
from typing import NamedTuple

import pytest

from pytest_kmsmock._record import Record


class Tuple(NamedTuple):
    """A place on a map."""

    x: int
    y: int | None = None
    names: tuple[str, ...] = ()

    @property
    def far(self) -> bool:
        return self.x > 10

    def moved(self, by: int) -> int:
        return self.x + by


class Place(Record):
    """A place on a map."""

    x: int
    y: int | None = None
    names: tuple[str, ...] = ()

    @property
    def far(self) -> bool:
        return self.x > 10

    def moved(self, by: int) -> int:
        return self.x + by


def test_a_record_is_what_a_named_tuple_is():
    assert (Place(1), Place(1)._replace(names=("a",))) == (Tuple(1), Tuple(1)._replace(names=("a",)))
    assert repr(Place(11, 2)) == repr(Tuple(11, 2)).replace("Tuple", "Place")
    assert (Place(11).far, Place(1).far, Place(1).moved(by=2)) == (True, False, 3)
    assert pickle.loads(pickle.dumps(Place(1))) == Place(1)
    assert type(pickle.loads(pickle.dumps(Place(1)))) is Place
    for name in ("_fields", "_field_defaults", "__match_args__", "__doc__", "__module__", "__slots__", "__bases__"):
        assert getattr(Place, name) == getattr(Tuple, name), name
    assert Place.__qualname__ == "Place"


def test_annotations_are_parsed_when_they_are_asked_for():
    assert typing.get_type_hints(Place) == typing.get_type_hints(Tuple)
    assert Place.__annotations__["y"] == "int | None"


def test_fields_are_fixed():
    with pytest.raises(AttributeError):
        Place(1).x = 2
    with pytest.raises(AttributeError):
        Place(1).z = 2  # type: ignore[attr-defined]  # that is the test
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        Place()  # type: ignore[call-arg]  # that is the test
