"""Reading and validating requests: botocore's service model of KMS, compiled once per operation.

`reader(operation)` gives one function that turns the members of a request into Python values (bytes for blobs,
datetimes for timestamps) and refuses what breaks the model's constraints with AWS's `ValidationException` text, all
problems in one message. What the service documents differently from its model is in `SERVICE_RANGES`.
"""

from __future__ import annotations

import base64
import binascii
import functools
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

from . import errors

#: Ranges where the API reference is narrower than its model. (operation, member) -> (least, most).
SERVICE_RANGES: Mapping[tuple[str, str], tuple[int, int]] = {
    ("ScheduleKeyDeletion", "PendingWindowInDays"): (7, 30),
    ("ListAliases", "Limit"): (1, 100),
    ("ListGrants", "Limit"): (1, 100),
    ("ListRetirableGrants", "Limit"): (1, 100),
    ("ListResourceTags", "Limit"): (1, 50),
}

#: Reads one value: (value, path for messages, list that problems are added to) -> the Python value.
_Reader = Callable[[Any, str, list[str]], Any]
#: Checks one scalar: yields the texts of the constraints that it breaks.
_Constraint = Callable[[Any], str | None]


@functools.cache
def service_description() -> Mapping[str, Any]:
    """Return the service model of KMS that the installed botocore has."""
    from botocore.loaders import Loader  # here, so that importing the service costs no botocore

    description: Mapping[str, Any] = Loader().load_service_model("kms", "service-2")
    return description


def operation_names() -> frozenset[str]:
    """Return the names of all operations that the installed botocore knows."""
    return frozenset(service_description()["operations"])


@functools.cache
def reader(operation: str) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Return the function that reads and validates the members of a request for an operation.

    It raises `KmsError` with `ValidationException`, or `SerializationException` for a value of the wrong type.
    """
    description = service_description()
    shape_name = description["operations"][operation]["input"]["shape"]
    read_members = _structure(description["shapes"], shape_name, operation)

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


def _reader(shapes: Mapping[str, Any], name: str, place: str) -> _Reader:
    return _COMPILERS[shapes[name]["type"]](shapes, name, place)


def _structure(shapes: Mapping[str, Any], name: str, place: str) -> _Reader:
    shape = shapes[name]
    members = [
        (member, member[0].lower() + member[1:], _reader(shapes, reference["shape"], f"{place}.{member}"))
        for member, reference in shape["members"].items()
    ]
    required = frozenset(shape.get("required", ()))

    def read(value: Any, path: str, problems: list[str]) -> Any:
        if not isinstance(value, Mapping):
            raise _wrong_type(value, "structure")
        result = {}
        for member, label, read_member in members:
            item = value.get(member)
            if item is not None:
                result[member] = read_member(item, path + label, problems)
            elif member in required:
                problems.append(_failed(None, path + label, "Member must not be null"))
        return result

    return read


def _list(shapes: Mapping[str, Any], name: str, place: str) -> _Reader:
    shape = shapes[name]
    element = shape["member"]["shape"]
    constraints = _constraints(shape)
    scalar = shapes[element]["type"] != "structure"
    read_element = _reader(shapes, element, place)

    def read(value: Any, path: str, problems: list[str]) -> Any:
        if not isinstance(value, list | tuple):
            raise _wrong_type(value, "list")
        _check(constraints, value, path, problems)
        if not scalar:
            return [read_element(item, f"{path}.{n}.member.", problems) for n, item in enumerate(value, 1)]
        inner: list[str] = []
        result = [read_element(item, "", inner) for item in value]
        _report_elements(value, path, inner, problems)
        return result

    return read


def _map(shapes: Mapping[str, Any], name: str, place: str) -> _Reader:
    shape = shapes[name]
    constraints = _constraints(shape)
    read_key = _reader(shapes, shape["key"]["shape"], place)
    read_value = _reader(shapes, shape["value"]["shape"], place)

    def read(value: Any, path: str, problems: list[str]) -> Any:
        if not isinstance(value, Mapping):
            raise _wrong_type(value, "map")
        _check(constraints, value, path, problems)
        inner: list[str] = []
        result = {read_key(key, "", inner): read_value(item, "", inner) for key, item in value.items()}
        _report_elements(value, path, inner, problems)
        return result

    return read


def _scalar(types: type | tuple[type, ...], kind: str) -> Callable[[Mapping[str, Any], str, str], _Reader]:
    def compile_scalar(shapes: Mapping[str, Any], name: str, place: str) -> _Reader:
        operation, _, member = place.partition(".")
        constraints = _constraints(shapes[name], SERVICE_RANGES.get((operation, member)))
        sensitive = shapes[name].get("sensitive", False)

        def read(value: Any, path: str, problems: list[str]) -> Any:
            if not isinstance(value, types) or (isinstance(value, bool) and kind != "boolean"):
                raise _wrong_type(value, kind)
            for constraint in constraints:
                text = constraint(value)
                if text is not None:
                    problems.append(_failed(_HIDDEN if sensitive else value, path, text))
            return value

        return read

    return compile_scalar


def _blob(shapes: Mapping[str, Any], name: str, _place: str) -> _Reader:
    constraints = _constraints(shapes[name])

    def read(value: Any, path: str, problems: list[str]) -> Any:
        if isinstance(value, str):
            try:
                value = base64.b64decode(value, validate=True)
            except (binascii.Error, ValueError):
                raise errors.SERIALIZATION(reason="") from None
        elif not isinstance(value, bytes):
            if not isinstance(value, bytearray | memoryview):
                raise _wrong_type(value, "blob")
            value = bytes(value)
        for constraint in constraints:
            text = constraint(value)
            if text is not None:
                problems.append(_failed(_HIDDEN, path, text))
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
    return str(value)


def _report_elements(value: object, path: str, inner: list[str], problems: list[str]) -> None:
    """Fold the problems of scalar elements into one: AWS names the collection, not the element."""
    if inner:
        texts = dict.fromkeys(problem.partition("constraint: ")[2] for problem in inner)
        problems.append(_failed(value, path, f"Member must satisfy constraint: [{', '.join(texts)}]"))


def _check(constraints: list[_Constraint], value: Any, path: str, problems: list[str]) -> None:
    for constraint in constraints:
        text = constraint(value)
        if text is not None:
            problems.append(_failed(value, path, text))


def _constraints(shape: Mapping[str, Any], limits: tuple[int, int] | None = None) -> list[_Constraint]:
    """Compile the constraints of a shape, in the order in which AWS reports them."""
    numeric = shape["type"] == "integer"
    measure: Callable[[Any], int] = (lambda value: value) if numeric else len
    what = "have value" if numeric else "have length"
    least, most = limits or (shape.get("min"), shape.get("max"))
    found: list[_Constraint] = []
    if most is not None:
        too_much = f"Member must {what} less than or equal to {most}"
        found.append(lambda value: too_much if measure(value) > most else None)
    if least:
        too_little = f"Member must {what} greater than or equal to {least}"
        found.append(lambda value: too_little if measure(value) < least else None)
    if "pattern" in shape:
        matches = re.compile(shape["pattern"], re.ASCII).fullmatch
        wrong_form = f"Member must satisfy regular expression pattern: {shape['pattern']}"
        found.append(lambda value: None if matches(value) else wrong_form)
    if "enum" in shape:
        allowed = frozenset(shape["enum"])
        not_allowed = f"Member must satisfy enum value set: [{', '.join(shape['enum'])}]"
        found.append(lambda value: None if value in allowed else not_allowed)
    return found


def _wrong_type(value: object, expected: str) -> errors.KmsError:
    kinds = {str: "STRING_VALUE", bool: "BOOLEAN_VALUE", int: "NUMBER_VALUE", float: "NUMBER_VALUE"}
    found = kinds.get(type(value), "START_OBJECT" if isinstance(value, Mapping) else "START_ARRAY")
    return errors.SERIALIZATION(reason=f"{found} cannot be converted to {expected}")
