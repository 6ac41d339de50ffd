"""Reading and validating requests by the service model of KMS, compiled once per operation.

`reader(operation)` gives one function that turns the members of a request into Python values (bytes for blobs,
datetimes for timestamps) and refuses what breaks the model's constraints with AWS's `ValidationException` text, all
problems in one message. What the service does differently from its model is in `service_shapes`.
"""

from __future__ import annotations

import base64
import binascii
import functools
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from typing import Any, NamedTuple

from . import errors
from .known_values import FIRST_BOTOCORE, KNOWN_VALUES
from .service_model import service_description
from .service_shapes import ASCII, SERVICE_RANGES, SERVICE_SHAPES

_NOT_NULL = "Member must not be null"

#: What counts as a mapping. Nearly all are dicts, which are told faster than the rest.
_MAPPING = (dict, Mapping)
_TEXT = frozenset({str})

#: Reads one value: (value, path for messages, list that problems are added to) -> the Python value.
_Reader = Callable[[Any, str, list[str]], Any]


class _Constraint(NamedTuple):
    """One constraint of a shape: AWS's text for it, and whether a value breaks it."""

    text: str
    is_broken: Callable[[Any], bool]


class _Rules(NamedTuple):
    """All constraints of a shape: one function that says whether a value meets them, and each of them for messages."""

    hold: Callable[[Any], Any]
    constraints: list[_Constraint]


@functools.cache
def reader(operation: str) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Return the function that reads and validates the members of a request for an operation.

    It raises `KmsError` with `ValidationException`, or `SerializationException` for a value of the wrong type.
    """
    read_members = _read_members(operation)

    def read(members: Mapping[str, Any]) -> dict[str, Any]:
        problems: list[str] = []
        values: dict[str, Any] = read_members(members, "", problems)
        if problems:
            count = len(problems)
            raise errors.INVALID(
                reason=f"{count} validation error{'s' if count > 1 else ''} detected: {'; '.join(problems)}"
            )
        return values

    return read


def as_far_as_readable(operation: str, members: dict[str, Any]) -> dict[str, Any]:
    """Return the members of a refused request as `reader` gives those of a valid one: for the record of the call.

    Values that break a constraint are there all the same. If one is of the wrong type, all are as they were given.
    """
    try:
        read: dict[str, Any] = _read_members(operation)(members, "", [])
    except errors.KmsError:
        return members
    return read


@functools.cache
def _read_members(operation: str) -> _Reader:
    description = service_description()
    return _structure(description["shapes"], description["operations"][operation]["input"]["shape"], operation)


def _reader(shapes: Mapping[str, Any], name: str, place: str) -> _Reader:
    return _COMPILERS[shapes[name]["type"]](shapes, name, place)


def _structure(shapes: Mapping[str, Any], name: str, place: str) -> _Reader:
    shape = shapes[name]
    members = {
        member: (
            member[0].lower() + member[1:],
            _reader(shapes, reference["shape"], f"{place}.{member}"),
            _HIDDEN if shapes[reference["shape"]].get("sensitive") else None,
        )
        for member, reference in shape["members"].items()
    }
    required = frozenset(shape.get("required", ()))

    def read(value: Any, path: str, problems: list[str]) -> Any:
        if not isinstance(value, _MAPPING):
            raise _wrong_type(value, "structure")
        result = {}
        prefix = f"{path}." if path else ""
        before = len(problems)
        for member, item in value.items():  # mostly a few of many
            if item is not None and member in members:
                label, read_member, _ = members[member]
                result[member] = read_member(item, prefix + label, problems)
        if len(problems) > before or not required <= result.keys():
            del problems[before:]
            for member, (label, read_member, null) in members.items():  # the model's order is the one of AWS's message
                if member in result:
                    read_member(value[member], prefix + label, problems)
                elif member in required:
                    problems.append(_failed(null, prefix + label, _NOT_NULL))
        return result

    return read


def _list(shapes: Mapping[str, Any], name: str, place: str) -> _Reader:
    shape = shapes[name]
    element = shape["member"]["shape"]
    hold, constraints = _rules(shape)
    scalar = shapes[element]["type"] != "structure"
    read_element = _reader(shapes, element, place)
    read_scalars = _scalars(shapes, element, place, "Member")

    def read(value: Any, path: str, problems: list[str]) -> Any:
        if not isinstance(value, list | tuple):
            raise _wrong_type(value, "list")
        if not hold(value):
            _report(constraints, value, value, path, problems)
        if scalar:
            return read_scalars(value, value, path, problems)
        result = []
        for number, item in enumerate(value, 1):
            label = f"{path}.{number}.member"
            if item is None:
                problems.append(_failed(None, label, _NOT_NULL))
            else:
                result.append(read_element(item, label, problems))
        return result

    return read


def _map(shapes: Mapping[str, Any], name: str, place: str) -> _Reader:
    shape = shapes[name]
    hold, constraints = _rules(shape)
    read_keys = _scalars(shapes, shape["key"]["shape"], place, "Map keys")
    read_values = _scalars(shapes, shape["value"]["shape"], place, "Map value")
    of_any_text = all(shapes[shape[part]["shape"]] == {"type": "string"} for part in ("key", "value"))

    def read(value: Any, path: str, problems: list[str]) -> Any:
        if not isinstance(value, _MAPPING):
            raise _wrong_type(value, "map")
        if not hold(value):
            _report(constraints, value, value, path, problems)
        if of_any_text and _TEXT.issuperset(map(type, value)) and _TEXT.issuperset(map(type, value.values())):
            return dict(value)  # an encryption context, nearly always
        keys = read_keys(value, value, path, problems)
        return dict(zip(keys, read_values(value.values(), value, path, problems), strict=True))

    return read


def _scalars(
    shapes: Mapping[str, Any], name: str, place: str, which: str
) -> Callable[[Iterable[Any], object, str, list[str]], list[Any]]:  # fmt: skip
    """Compile the reader of the elements of a collection, whose problems AWS reports as one.

    It names the whole collection, and every constraint that an element has, not only the broken ones.
    """
    read_element = _reader(shapes, name, place)
    texts = [constraint.text for constraint in _rules(shapes[name]).constraints]

    def read(items: Iterable[Any], collection: object, path: str, problems: list[str]) -> list[Any]:
        broken: list[str] = []
        result = [None if item is None else read_element(item, "", broken) for item in items]
        if broken or None in result:
            named = [*texts, _NOT_NULL] if None in result else texts
            problems.append(_failed(collection, path, f"{which} must satisfy constraint: [{', '.join(named)}]"))
        return result

    return read


def _scalar(types: type | tuple[type, ...], kind: str) -> Callable[[Mapping[str, Any], str, str], _Reader]:
    def compile_scalar(shapes: Mapping[str, Any], name: str, place: str) -> _Reader:
        operation, _, member = place.partition(".")
        hold, constraints = _rules(shapes[name] | SERVICE_SHAPES.get(name, {}), SERVICE_RANGES.get((operation, member)))
        sensitive = shapes[name].get("sensitive", False)
        boolean = kind == "boolean"

        def read(value: Any, path: str, problems: list[str]) -> Any:
            if not isinstance(value, types) or (value is True or value is False) != boolean:
                raise _wrong_type(value, kind)
            if not hold(value):
                _report(constraints, value, _HIDDEN if sensitive else value, path, problems)
            return value

        enumerated = shapes[name].get("enum", ())
        known = KNOWN_VALUES.get(name, frozenset(enumerated))
        newer, hidden = frozenset(enumerated) - known, known - _enumerated(shapes)
        return _refusing(newer, hidden, read) if newer or hidden else read

    return compile_scalar


def _enumerated(shapes: Mapping[str, Any]) -> frozenset[str]:
    """Return the values of all enumerations: what is known here and is in none, the installed botocore hides."""
    return frozenset(value for shape in shapes.values() for value in shape.get("enum", ()))


def _refusing(newer: frozenset[str], hidden: frozenset[str], read: _Reader) -> _Reader:
    """Wrap the reader of an enumeration of which the installed botocore and this release know different values."""

    def read_or_refuse(value: Any, path: str, problems: list[str]) -> Any:
        if value in newer:
            raise errors.VALUE_NOT_BUILT(value=value)
        if value in hidden:
            from botocore import __version__ as installed

            since = f" to {FIRST_BOTOCORE[value]} or newer" if value in FIRST_BOTOCORE else ""
            raise errors.VALUE_HIDDEN(installed=installed, value=value, since=since)
        return read(value, path, problems)

    return read_or_refuse


def _blob(shapes: Mapping[str, Any], name: str, _place: str) -> _Reader:
    hold, constraints = _rules(shapes[name])

    def read(value: Any, path: str, problems: list[str]) -> Any:
        if isinstance(value, str):
            try:
                value = base64.b64decode(value, validate=True)
            except (binascii.Error, ValueError):
                raise errors.SERIALIZATION(reason="") from None
        elif not isinstance(value, bytes):
            raise _wrong_type(value, "blob")
        if not hold(value):
            _report(constraints, value, _HIDDEN, path, problems)
        return value

    return read


def _timestamp(_shapes: Mapping[str, Any], _name: str, _place: str) -> _Reader:
    def read(value: Any, _path: str, _problems: list[str]) -> Any:
        if isinstance(value, datetime):
            return value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _wrong_type(value, "timestamp")
        try:
            return datetime.fromtimestamp(value, timezone.utc)
        except (OverflowError, ValueError, OSError):
            raise _wrong_type(value, "timestamp") from None

    return read


_COMPILERS: Mapping[str, Callable[[Mapping[str, Any], str, str], _Reader]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _scalar(str, "string"),
    "integer": _scalar(int, "integer"),
    "boolean": _scalar(bool, "boolean"),
    "blob": _blob,
    "timestamp": _timestamp,
}


class _Hidden:
    """Stands for a value that AWS leaves out of the message: blobs and what the model marks as sensitive."""


_HIDDEN = _Hidden()


def _failed(value: object, path: str, constraint: str) -> str:
    if value is None:
        shown = "Value null"
    elif value is _HIDDEN:
        shown = "Value"
    else:
        shown = f"Value '{_show(value)}'"
    return f"{shown} at '{path}' failed to satisfy constraint: {constraint}"


def _show(value: object) -> str:
    """Write a value as the service does, which prints collections as Java does."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}={_show(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_show, value)) + "]"
    return "null" if value is None else str(value)


def _report(constraints: list[_Constraint], value: Any, shown: object, path: str, problems: list[str]) -> None:
    problems += [_failed(shown, path, constraint.text) for constraint in constraints if constraint.is_broken(value)]


def _rules(shape: Mapping[str, Any], limits: tuple[int, int] | None = None) -> _Rules:
    return _Rules(_holding(shape, limits), _constraints(shape, limits))


def _holding(shape: Mapping[str, Any], limits: tuple[int, int] | None) -> Callable[[Any], Any]:
    """Compile the one function that says whether a value meets all constraints: this is asked at every call."""
    tests: list[Callable[[Any], Any]] = []
    low, high = limits or (shape.get("min") or -sys.maxsize, shape.get("max", sys.maxsize))
    if (low, high) != (-sys.maxsize, sys.maxsize):
        numeric = shape["type"] == "integer"
        tests.append((lambda value: low <= value <= high) if numeric else (lambda value: low <= len(value) <= high))
    if "pattern" in shape:
        tests.append(_matcher(shape["pattern"]))
    if "enum" in shape:
        tests.append(_values(shape).__contains__)
    return functools.reduce(_both, tests) if tests else lambda _: True


def _matcher(pattern: str) -> Callable[[Any], Any]:
    return _is_ascii if pattern == ASCII else re.compile(pattern, re.ASCII).fullmatch


def _is_ascii(value: str) -> bool:
    return value != "" and value.isascii()


def _values(shape: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(shape["enum"]).union(shape.get("taken", ()))


def _both(first: Callable[[Any], Any], second: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: first(value) and second(value)


def _constraints(shape: Mapping[str, Any], limits: tuple[int, int] | None) -> list[_Constraint]:
    """Compile the constraints of a shape, in the order in which AWS reports them."""
    numeric = shape["type"] == "integer"
    measure: Callable[[Any], int] = (lambda value: value) if numeric else len
    what = "have value" if numeric else "have length"
    least, most = limits or (shape.get("min"), shape.get("max"))
    found: list[_Constraint] = []
    if most is not None:
        text = f"Member must {what} less than or equal to {most}"
        found.append(_Constraint(text, lambda value: measure(value) > most))
    if least:
        text = f"Member must {what} greater than or equal to {least}"
        found.append(_Constraint(text, lambda value: measure(value) < least))
    if "pattern" in shape:
        matches = _matcher(shape["pattern"])
        text = f"Member must satisfy regular expression pattern: {shape['pattern']}"
        found.append(_Constraint(text, lambda value: not matches(value)))
    if "enum" in shape:
        allowed = _values(shape)
        text = f"Member must satisfy enum value set: [{', '.join(shape.get('shown', shape['enum']))}]"
        found.append(_Constraint(text, lambda value: value not in allowed))
    return found


#: What is expected -> how the service's JSON reader goes on. Those of blobs and booleans are (B).
_EXPECTED: Mapping[str, str] = {
    "string": "a String",
    "integer": "an Integer",
    "boolean": "a Boolean",
    "blob": "a Blob",
    "timestamp": "milliseconds since epoch",
}


def _wrong_type(value: object, expected: str) -> errors.KmsError:
    """Return AWS's refusal of a JSON value of the wrong type.

    The texts are those of the JSON reader that AWS's services share, recorded from other services (B for KMS).
    """
    if isinstance(value, Mapping):
        reason = "Start of structure or map found where not expected."
    elif isinstance(value, list | tuple):
        reason = "Start of list found where not expected"
    elif expected == "list":
        reason = "Expected list or null"
    elif expected in ("structure", "map"):
        reason = "Expected null"
    else:
        found = value if isinstance(value, bool) else "STRING" if isinstance(value, str) else "NUMBER"
        reason = f"{str(found).upper()}_VALUE can not be converted to {_EXPECTED[expected]}"
    return errors.SERIALIZATION(reason=reason)
