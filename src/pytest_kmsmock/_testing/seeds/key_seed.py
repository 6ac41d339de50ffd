"""`KeySeed`: a key to begin with, as code and files describe it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_kmsmock._testing.dumps.codec import Misfit, decode
from pytest_kmsmock.errors import InvalidSeed


@dataclass(frozen=True, slots=True)
class KeySeed:
    """A key to begin with. `docs/seeds.md` describes the fields; `KmsMock.create_key` has the same as arguments.

    `material` is bytes or text, `policy` text or a mapping; they are checked when the key is planted.
    """

    alias: str | None = None
    aliases: tuple[str, ...] = ()
    spec: str = "SYMMETRIC_DEFAULT"
    usage: str | None = None
    key_id: str | None = None
    material: object = None
    origin: str = "AWS_KMS"
    key_store: str | None = None
    xks_key_id: str | None = None
    description: str = ""
    tags: Mapping[str, str] | None = None
    policy: object = None
    multi_region: bool | None = None
    replicas: tuple[str, ...] = ()
    enabled: bool = True
    rotation_period_in_days: int | None = None
    pending_window_in_days: int | None = None
    grants: tuple[Mapping[str, object], ...] = ()
    account: str | None = None
    region: str | None = None


def seed_of(given: Mapping[str, object], where: str) -> KeySeed:
    """Return a key to begin with, of values that are what its fields want.

    Args:
        given: the fields; lists may be tuples.
        where: where they were given, for the error message.

    Raises:
        InvalidSeed: a value is none of its field's type.
    """
    try:
        seed: KeySeed = decode({name: _plain(value) for name, value in given.items()}, KeySeed, "")
    except Misfit as misfit:
        value = given.get(misfit.where)
        hint = f"; write [{value!r}]" if isinstance(value, str) and "a list" in misfit.reason else ""
        raise InvalidSeed(f"{where}: {misfit if misfit.where else misfit.reason}{hint}") from None
    except RecursionError:
        raise InvalidSeed(f"{where}: this is nested too deeply, or contains itself") from None
    return seed


def _plain(value: object) -> object:
    """Return a value with the types that JSON has: no tuples, no other mappings, no enumerations of texts."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Mapping):
        return {_plain(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
