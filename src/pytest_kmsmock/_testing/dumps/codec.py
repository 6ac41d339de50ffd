"""Encodes records as JSON values and decodes them, by their type hints: one mechanism for all records.

A record is a frozen dataclass or a named tuple; the types of its fields determine the encoding. Records are held by
classes with slots whose attributes have types too. `dump` knows the meaning of records; this module does not.

msgspec 0.23 was measured for this: a quarter of the lines, and four to five times as fast (1,000 keys: a dump takes 14
ms instead of 58, loading it 21 instead of 100). It is not used. It writes named tuples as arrays, so that a new field
makes older dumps unreadable; it names no key of an object in the path of an error (`keys[...][1]`); it ignores unknown
fields of dataclasses, and suggests none; dataclasses with a form of their own (`KeySpec`) never reach its hooks. Seeds,
templates and state files need all of these, so this module would stay beside it.
"""

from __future__ import annotations

import base64
import binascii
import functools
import types
from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime, timezone
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pytest_kmsmock._kms.api.key_specs import KEY_SPECS, KeySpec
from pytest_kmsmock._kms.crypto import MaterialError, load
from pytest_kmsmock._kms.entropy.key_source import LazyMaterial
from pytest_kmsmock._runtime.checks import did_you_mean

#: Names that modules of records import only for type checking.
_NAMES = {"KeySpec": KeySpec, "LazyMaterial": LazyMaterial}

#: Years of valid times, so that times derived from them, such as the next rotation, are valid too.
_YEARS = (2, 9000)


class Misfit(ValueError):
    """Data has the wrong type or form.

    Args:
        where: its path in the document, such as `regions[0].keys`.
        reason: the reason.
        field: the field of the element that is wrong, if it is one field.
        choices: the known fields, if none is similar to an unknown one; the end of a message for people who write
            documents by hand.
    """

    def __init__(self, where: str, reason: str, field: object = None, choices: str = "") -> None:
        super().__init__(f"{where.lstrip('.') or 'the document'}: {reason}")
        self.where = where.lstrip(".")
        self.reason = reason
        self.spot = self.where if field is None else f"{self.where}.{field}".lstrip(".")
        self.choices = choices


def encode(value: Any, hint: Any) -> Any:
    """Encode a value of a type for JSON.

    Args:
        value: the value.
        hint: its type: a record, a scalar, an optional, or a collection of these.

    Raises:
        TypeError: unsupported type.
    """
    if hint in _SCALARS:
        return _SCALARS[hint][0](value)
    if get_origin(hint) is not None:
        return _encode_generic(value, hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return value.value
    if _is_record(hint):
        hints = _types_of(hint)
        return {name: encode(getattr(value, name), hints[name]) for name in _fields(hint)}
    if _is_holder(hint):
        return encode_attributes(value)
    raise TypeError(f"cannot write {hint!r} into a dump")


def _encode_generic(value: Any, hint: Any) -> Any:
    """Encode a value of a generic type for JSON."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return None if value is None else encode(value, _only_type(hint))
    if origin is Literal:
        return value
    if origin in (dict, Mapping):
        pairs = [(encode(name, arguments[0]), encode(item, arguments[1])) for name, item in value.items()]
        return dict(pairs) if arguments[0] is str else [list(pair) for pair in pairs]
    if origin is tuple and arguments[-1] is not Ellipsis:
        return [encode(item, item_hint) for item, item_hint in zip(value, arguments, strict=True)]
    items = [encode(item, arguments[0]) for item in value]
    return sorted(items) if origin is frozenset else items


def decode(data: Any, hint: Any, where: str) -> Any:
    """Decode a value that `encode` wrote.

    Args:
        data: the JSON value.
        hint: the type of the value.
        where: its path in the document, for the error message.

    Raises:
        Misfit: the data has the wrong type or form.
    """
    if hint in _SCALARS:
        try:
            return _SCALARS[hint][1](data)
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise _wrong(where, _SCALARS[hint][2], data) from error
    if get_origin(hint) is not None:
        return _decode_generic(data, hint, where)
    if isinstance(hint, type) and issubclass(hint, Enum):
        try:
            return hint(data)
        except ValueError as error:
            raise _wrong(where, f"a {hint.__name__}", data) from error
    if _is_holder(hint):
        holder = hint()
        decode_attributes(holder, _checked(data, dict, where), where)
        return holder
    return _record(data, hint, where)


def _decode_generic(data: Any, hint: Any, where: str) -> Any:
    """Decode a value that `_encode_generic` wrote."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return None if data is None else decode(data, _only_type(hint), where)
    if origin is Literal:
        if data not in arguments:
            raise _wrong(where, f"one of {', '.join(map(repr, arguments))}", data)
        return data
    if origin in (dict, Mapping):
        return dict(_pairs(data, arguments, where))
    items = _checked(data, list, where)
    hints = [arguments[0]] * len(items)
    if origin is tuple and arguments[-1] is not Ellipsis:
        hints = list(arguments)
        if len(items) != len(hints):
            raise _wrong(where, f"a list of {len(hints)}", data)
    return origin(decode(item, hints[index], f"{where}[{index}]") for index, item in enumerate(items))


def encode_attributes(holder: object, *, skip: Collection[str] = ()) -> dict[str, Any]:
    """Encode the public attributes of an object with slots, except some, for JSON."""
    hints = types_of_attributes(type(holder))
    return {name: encode(getattr(holder, name), hint) for name, hint in hints.items() if name not in skip}


def decode_attributes(holder: object, data: Mapping[str, Any], where: str, *, skip: Collection[str] = ()) -> None:
    """Set the attributes that `encode_attributes` wrote; missing ones, of older documents, keep their defaults.

    Raises:
        Misfit: an unknown attribute, or a value of the wrong type.
    """
    hints = types_of_attributes(type(holder))
    known = [name for name in hints if name not in skip]
    for name, value in data.items():
        if name not in known:
            raise _unknown(where, [name], known)
        setattr(holder, name, decode(value, hints[name], f"{where}.{name}"))


def types_of_attributes(owner: type) -> dict[str, Any]:
    """Return the types of the public attributes of a class with slots, by name."""
    slots, hints = vars(owner)["__slots__"], _types_of(owner)
    if not set(slots) <= set(hints):
        raise TypeError(
            f"{owner.__name__} does not say the types of all its attributes: {sorted(set(slots) - set(hints))}"
        )
    return {name: hint for name, hint in hints.items() if name in slots and not name.startswith("_")}


def _is_holder(hint: Any) -> bool:
    return isinstance(hint, type) and not _is_record(hint) and "__slots__" in vars(hint)


@functools.cache
def _types_of(owner: Any) -> dict[str, Any]:
    """Return the types of a class's attributes by name."""
    return get_type_hints(owner, localns=_NAMES)


def _pairs(data: Any, arguments: tuple[Any, ...], where: str) -> list[tuple[Any, Any]]:
    if arguments[0] is str:
        pairs = list(_checked(data, dict, where, "a mapping of names to values").items())
    else:
        pairs = [tuple(_checked(pair, list, where)) for pair in _checked(data, list, where)]
        if any(len(pair) != 2 for pair in pairs):
            raise _wrong(where, "a list of pairs", data)
    return [
        (decode(name, arguments[0], where), decode(item, arguments[1], f"{where}[{name!r}]")) for name, item in pairs
    ]


def _is_record(hint: Any) -> bool:
    return is_dataclass(hint) or hasattr(hint, "_field_defaults")


def _fields(record: Any) -> dict[str, bool]:
    """Return the fields of a record, each with whether it has a default."""
    if not is_dataclass(record):
        return {name: name in record._field_defaults for name in record._fields}
    return {
        field.name: field.default is not MISSING or field.default_factory is not MISSING
        for field in fields(record)
        if field.init
    }


def _record(data: Any, record: Any, where: str) -> Any:
    given = _checked(data, dict, where)
    known = _fields(record)
    unknown = [name for name in given if name not in known]
    if unknown:
        raise _unknown(where, unknown, known)
    missing = [name for name, has_default in known.items() if name not in given and not has_default]
    if missing:
        raise Misfit(where, f"{', '.join(missing)} missing")
    hints = _types_of(record)
    return record(**{name: decode(item, hints[name], f"{where}.{name}") for name, item in given.items()})


def _only_type(union: Any) -> Any:
    """Return the type of an optional."""
    others = [argument for argument in get_args(union) if argument is not type(None)]
    if len(others) != 1:
        raise TypeError(f"cannot write {union!r} into a dump")
    return others[0]


def _checked(data: Any, kind: type, where: str, expected: str = "an object") -> Any:
    if not isinstance(data, kind):
        raise _wrong(where, "a list" if kind is list else expected, data)
    return data


def _unknown(where: str, names: list[Any], known: Collection[str]) -> Misfit:
    shown, hint = ", ".join(sorted(map(repr, map(str, names)))), did_you_mean(names[0], known)
    choices = "" if hint else f" Choose from: {', '.join(known)}."
    return Misfit(where, f"unknown field {shown}.{hint}", names[0], choices)


def _wrong(where: str, expected: str, data: Any) -> Misfit:
    try:
        shown = repr(data)
    except (ValueError, RecursionError):  # a number too long for Python, or deep nesting
        shown = f"a value of type {type(data).__name__} that cannot be shown"
    return Misfit(where, f"expected {expected}, found {shown if len(shown) <= 60 else shown[:57] + '...'}")


# --- scalars: encoders, decoders and names ------------------------------------------------------------------------


def _read_flag(data: Any) -> bool:
    if type(data) is not bool:
        raise TypeError
    return data


def _read_text(data: Any) -> str:
    if type(data) is not str:
        raise TypeError
    data.encode()  # no request to KMS can contain a lone surrogate
    return data


def _read_whole(data: Any) -> int:
    if type(data) is not int or not -(2**63) <= data < 2**63:
        raise TypeError  # KMS has no longer numbers, and Python may not print them
    return data


def _read_number(data: Any) -> float:
    if type(data) not in (int, float):
        raise TypeError
    return float(data)


def _read_time(data: Any) -> datetime:
    time = datetime.fromisoformat(data)
    if time.tzinfo is None or not _YEARS[0] <= time.year <= _YEARS[1]:
        raise ValueError
    return time.astimezone(timezone.utc)


def _write_bytes(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _read_bytes(data: Any) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise ValueError from error


def _write_material(secret: LazyMaterial) -> dict[str, str]:
    # Generates material that was not needed yet, so that the dump has the same key.
    return {"spec": secret.spec.name, "material": _write_bytes(secret.get().private_bytes())}


def _read_material(data: Any) -> LazyMaterial:
    try:
        return LazyMaterial.of(load(KEY_SPECS[data["spec"]], _read_bytes(data["material"])))
    except MaterialError as error:
        raise ValueError from error


def _write_json(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, list):
        return [_write_json(item) for item in value]
    if isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
        return {name: _write_json(item) for name, item in value.items()}
    raise TypeError(f"cannot write {value!r} into a dump")


def _read_json(data: Any) -> Any:
    if isinstance(data, list):
        return [_read_json(item) for item in data]
    if isinstance(data, str):
        return _read_text(data)
    if isinstance(data, dict):
        return {_read_text(name): _read_json(item) for name, item in data.items()}
    return data


def _same(value: Any) -> Any:
    return value


#: Returns one object for equal strings: many records have the same policy, account id or Region.
_shared = functools.lru_cache(maxsize=256)(str)


def _read_shared(data: Any) -> str:
    return _shared(_read_text(data))


_SCALARS: Mapping[Any, tuple[Callable[[Any], Any], Callable[[Any], Any], str]] = {
    str: (_same, _read_shared, "a string"),
    bool: (_same, _read_flag, "true or false"),
    int: (_same, _read_whole, "a whole number"),
    float: (_same, _read_number, "a number"),
    bytes: (_write_bytes, _read_bytes, "a base64 string"),
    datetime: (datetime.isoformat, _read_time, "a time with its offset from UTC, such as 2026-01-01T00:00:00+00:00"),
    KeySpec: (lambda spec: spec.name, KEY_SPECS.__getitem__, "a key spec"),
    LazyMaterial: (_write_material, _read_material, "key material with its key spec"),
    object: (_write_json, _read_json, "any JSON value"),
    Any: (_write_json, _read_json, "any JSON value"),
}
