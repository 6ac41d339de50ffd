"""Parsing and validating request parameters by the service model of KMS, compiled once per operation.

`reader(operation)` returns a function that converts the parameters of a request to Python values (bytes for blobs,
datetimes for timestamps). Parameters that violate the model's constraints raise AWS's `ValidationException`, with all
violations in one message. `service_shapes` has the differences between the service and its model.
"""

from __future__ import annotations

import base64
import functools
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from pytest_kmsmock._record import Record

from . import errors
from .known_values import FIRST_BOTOCORE, KNOWN_VALUES
from .service_model import service_description
from .service_shapes import ASCII, SERVICE_RANGES, SERVICE_SHAPES

_NOT_NULL = "Member must not be null"

#: Types of structures and maps. `dict` comes first: `isinstance` is faster for it than for `Mapping`.
_MAPPINGS = (dict, Mapping)
_STRINGS = frozenset({str})

#: Reads one value: (value, path for messages, list to which problems are added) -> the Python value.
_Reader = Callable[[Any, str, list[str]], Any]


class _Constraint(Record):
    """One constraint of a shape: AWS's message for it, and a test whether a value violates it."""

    message: str
    is_violated: Callable[[Any], bool]


class _Rules(Record):
    """The constraints of a shape: one test for all of them, and each constraint for messages."""

    is_valid: Callable[[Any], Any]
    constraints: list[_Constraint]


@functools.cache
def reader(operation: str) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Return the function that reads and validates the parameters of an operation.

    It raises `KmsError` with `ValidationException`, or `SerializationException` for a value of the wrong type.
    """
    read_params = _params_reader(operation)

    def read(params: Mapping[str, Any]) -> dict[str, Any]:
        problems: list[str] = []
        values: dict[str, Any] = read_params(params, "", problems)
        if problems:
            count = len(problems)
            raise errors.INVALID(
                reason=f"{count} validation error{'s' if count > 1 else ''} detected: {'; '.join(problems)}"
            )
        return values

    return read


def read_leniently(operation: str, params: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of an invalid request, converted as by `reader`; for the record of the call.

    The result includes values that violate a constraint. If a value has the wrong type, `params` is returned as it is.
    """
    try:
        read: dict[str, Any] = _params_reader(operation)(params, "", [])
    except errors.KmsError:
        return params
    return read


@functools.cache
def _params_reader(operation: str) -> _Reader:
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
        if not isinstance(value, _MAPPINGS):
            raise _wrong_type(value, "structure")
        result = {}
        prefix = f"{path}." if path else ""
        before = len(problems)
        for member, item in value.items():  # usually a few of the shape's members
            if item is not None and member in members:
                label, read_member, _ = members[member]
                result[member] = read_member(item, prefix + label, problems)
        if len(problems) > before or not required <= result.keys():
            del problems[before:]
            for member, (label, read_member, null) in members.items():  # AWS's message follows the order of the model
                if member in result:
                    read_member(value[member], prefix + label, problems)
                elif member in required:
                    problems.append(_problem(null, prefix + label, _NOT_NULL))
        return result

    return read


def _list(shapes: Mapping[str, Any], name: str, place: str) -> _Reader:
    shape = shapes[name]
    element = shape["member"]["shape"]
    is_valid, constraints = _rules(shape)
    scalar = shapes[element]["type"] != "structure"
    read_element = _reader(shapes, element, place)
    read_scalars = _scalars(shapes, element, place, "Member")

    def read(value: Any, path: str, problems: list[str]) -> Any:
        if not isinstance(value, list | tuple):
            raise _wrong_type(value, "list")
        if not is_valid(value):
            _report(constraints, value, value, path, problems)
        if scalar:
            return read_scalars(value, value, path, problems)
        result = []
        for number, item in enumerate(value, 1):
            label = f"{path}.{number}.member"
            if item is None:
                problems.append(_problem(None, label, _NOT_NULL))
            else:
                result.append(read_element(item, label, problems))
        return result

    return read


def _map(shapes: Mapping[str, Any], name: str, place: str) -> _Reader:
    shape = shapes[name]
    is_valid, constraints = _rules(shape)
    read_keys = _scalars(shapes, shape["key"]["shape"], place, "Map keys")
    read_values = _scalars(shapes, shape["value"]["shape"], place, "Map value")
    unconstrained = all(shapes[shape[part]["shape"]] == {"type": "string"} for part in ("key", "value"))

    def read(value: Any, path: str, problems: list[str]) -> Any:
        if not isinstance(value, _MAPPINGS):
            raise _wrong_type(value, "map")
        if not is_valid(value):
            _report(constraints, value, value, path, problems)
        if unconstrained and _STRINGS.issuperset(map(type, value.values())):  # keys of JSON are strings
            return dict(value)  # usually an encryption context
        keys = read_keys(value, value, path, problems)
        return dict(zip(keys, read_values(value.values(), value, path, problems), strict=True))

    return read


def _scalars(
    shapes: Mapping[str, Any], name: str, place: str, which: str
) -> Callable[[Iterable[Any], object, str, list[str]], list[Any]]:  # fmt: skip
    """Compile the reader of the elements of a collection.

    AWS reports their problems as one, with the whole collection and every constraint of its elements.
    """
    read_element = _reader(shapes, name, place)
    requirements = [constraint.message for constraint in _rules(shapes[name]).constraints]

    def read(items: Iterable[Any], collection: object, path: str, problems: list[str]) -> list[Any]:
        broken: list[str] = []
        result = [None if item is None else read_element(item, "", broken) for item in items]
        if broken or None in result:
            named = [*requirements, _NOT_NULL] if None in result else requirements
            problems.append(_problem(collection, path, f"{which} must satisfy constraint: [{', '.join(named)}]"))
        return result

    return read


def _scalar(types: type | tuple[type, ...], kind: str) -> Callable[[Mapping[str, Any], str, str], _Reader]:
    def compile_scalar(shapes: Mapping[str, Any], name: str, place: str) -> _Reader:
        operation, _, member = place.partition(".")
        is_valid, constraints = _rules(
            shapes[name] | SERVICE_SHAPES.get(name, {}), SERVICE_RANGES.get((operation, member))
        )
        sensitive = shapes[name].get("sensitive", False)
        boolean = kind == "boolean"

        def read(value: Any, path: str, problems: list[str]) -> Any:
            if not isinstance(value, types) or (value is True or value is False) != boolean:
                raise _wrong_type(value, kind)
            if not is_valid(value):
                _report(constraints, value, _HIDDEN if sensitive else value, path, problems)
            return value

        return _rejecting_unknown(shapes, name, read) if name in KNOWN_VALUES else read

    return compile_scalar


def _rejecting_unknown(shapes: Mapping[str, Any], name: str, read: _Reader) -> _Reader:
    """Wrap the reader of an enum to reject values that only the installed botocore or only this release knows."""
    in_any_enum = frozenset(value for shape in shapes.values() for value in shape.get("enum", ()))
    newer, hidden = frozenset(shapes[name].get("enum", ())) - KNOWN_VALUES[name], KNOWN_VALUES[name] - in_any_enum
    if not newer | hidden:
        return read

    def read_or_reject(value: Any, path: str, problems: list[str]) -> Any:
        if value in newer:
            raise errors.VALUE_NOT_IMPLEMENTED(value=value)
        if value in hidden:
            from botocore import __version__ as installed

            since = f" to {FIRST_BOTOCORE[value]} or newer" if value in FIRST_BOTOCORE else ""
            raise errors.VALUE_NOT_IN_BOTOCORE(installed=installed, value=value, since=since)
        return read(value, path, problems)

    return read_or_reject


def _blob(shapes: Mapping[str, Any], name: str, _place: str) -> _Reader:
    is_valid, constraints = _rules(shapes[name])

    def read(value: Any, path: str, problems: list[str]) -> Any:
        if isinstance(value, str):
            try:
                value = base64.b64decode(value, validate=True)
            except ValueError:  # binascii.Error is one
                raise errors.SERIALIZATION(reason="") from None
        elif not isinstance(value, bytes):
            raise _wrong_type(value, "blob")
        if not is_valid(value):
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
    """Placeholder for a value that AWS's messages omit: blobs, and shapes that the model marks as sensitive."""


_HIDDEN = _Hidden()


def _problem(value: object, path: str, constraint: str) -> str:
    if value is None:
        shown = "Value null"
    elif value is _HIDDEN:
        shown = "Value"
    else:
        shown = f"Value '{_show(value)}'"
    return f"{shown} at '{path}' failed to satisfy constraint: {constraint}"


def _show(value: object) -> str:
    """Format a value as the service does: collections as Java prints them."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}={_show(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_show, value)) + "]"
    return "null" if value is None else str(value)


def _report(constraints: list[_Constraint], value: Any, shown: object, path: str, problems: list[str]) -> None:
    problems += [
        _problem(shown, path, constraint.message) for constraint in constraints if constraint.is_violated(value)
    ]


def _rules(shape: Mapping[str, Any], limits: tuple[int, int] | None = None) -> _Rules:
    return _Rules(_validator(shape, limits), _constraints(shape, limits))


def _validator(shape: Mapping[str, Any], limits: tuple[int, int] | None) -> Callable[[Any], Any]:
    """Compile all constraints into one fast test, which runs at every call."""
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
    return frozenset(shape["enum"]).union(shape.get("accepted", ()))


def _both(first: Callable[[Any], Any], second: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: first(value) and second(value)


def _constraints(shape: Mapping[str, Any], limits: tuple[int, int] | None) -> list[_Constraint]:
    """Compile the constraints of a shape in the order in which AWS reports them."""
    numeric = shape["type"] == "integer"
    measure: Callable[[Any], int] = (lambda value: value) if numeric else len
    what = "have value" if numeric else "have length"
    least, most = limits or (shape.get("min"), shape.get("max"))
    found: list[_Constraint] = []
    if most is not None:
        message = f"Member must {what} less than or equal to {most}"
        found.append(_Constraint(message, lambda value: measure(value) > most))
    if least:
        message = f"Member must {what} greater than or equal to {least}"
        found.append(_Constraint(message, lambda value: measure(value) < least))
    if "pattern" in shape:
        matches = _matcher(shape["pattern"])
        message = f"Member must satisfy regular expression pattern: {shape['pattern']}"
        found.append(_Constraint(message, lambda value: not matches(value)))
    if "enum" in shape:
        allowed = _values(shape)
        message = f"Member must satisfy enum value set: [{', '.join(shape.get('listed', shape['enum']))}]"
        found.append(_Constraint(message, lambda value: value not in allowed))
    return found


#: Expected type -> the end of the message of the service's JSON parser; (B) for blobs and booleans.
_EXPECTED: Mapping[str, str] = {
    "string": "a String",
    "integer": "an Integer",
    "boolean": "a Boolean",
    "blob": "a Blob",
    "timestamp": "milliseconds since epoch",
}


def _wrong_type(value: object, expected: str) -> errors.KmsError:
    """Return AWS's error for a JSON value of the wrong type.

    The messages come from the JSON parser that AWS's services share, recorded from other services (B for KMS).
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
