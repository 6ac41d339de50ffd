"""`KeySeed`: a key to create, as code and files describe it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_kmsmock._testing.dumps.codec import Misfit, decode
from pytest_kmsmock.errors import InvalidSeed


@dataclass(frozen=True, slots=True)
class KeySeed:
    """A key to create. `docs/seeds.md` describes the fields; they are the arguments of `KmsMock.create_key`.

    `material` and `policy` are validated when the key is created.
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
    """Return a `KeySeed` of validated fields.

    Args:
        given: the fields; lists may be tuples.
        where: where they were given, for the error message.

    Raises:
        InvalidSeed: an unknown field or a value of the wrong type.
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
    """Return a value in JSON types: without tuples, other mappings and string enumerations."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Mapping):
        return {_plain(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
