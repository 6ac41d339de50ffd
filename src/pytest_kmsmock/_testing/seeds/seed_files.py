"""Reads seed files: YAML or JSON to `KeySeed`s, with lines in error messages.

`yaml_lines` parses the files; `planting` creates the keys.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_kmsmock._runtime.checks import unreadable
from pytest_kmsmock._testing.dumps.codec import Misfit, decode
from pytest_kmsmock._testing.dumps.dump import FORMAT
from pytest_kmsmock.errors import InvalidSeed

from .key_seed import KeySeed
from .planting import PlaceOf, plant
from .seed_environment import CredentialsSeed, KeyStoreSeed, SeedEnvironment
from .yaml_lines import parse

if TYPE_CHECKING:
    from pytest_kmsmock._kms.engine.fake_kms import FakeKms
    from pytest_kmsmock._kms.state.records import Key

VERSION = 1

#: Form of a reason -> what to write.
_HINTS = {
    r"expected a string, found [^\[{N]": "; write it in quotes",
    "expected a mapping": "; write {name}: {{a: b}}",
}


@dataclass(frozen=True, slots=True)
class SeedFile:
    """The content of a seed file: its keys, each with its place, and what they need.

    Account and Region are the defaults of everything that does not name its own.
    """

    seeds: tuple[tuple[PlaceOf, KeySeed], ...]
    account: str | None
    region: str | None
    environment: SeedEnvironment


@dataclass(frozen=True, slots=True)
class _Entry:
    """A key of a seed file. `material_file` is the file of its material, if it has one."""

    place: PlaceOf
    seed: KeySeed
    material_file: Path | None
    material_place: str


@dataclass(frozen=True, slots=True)
class _FileSeed(KeySeed):
    """A key as a seed file describes it."""

    material_file: str | None = None


@dataclass(frozen=True, slots=True)
class _Document:
    """The top level of a seed file; its keys are decoded one by one."""

    keys: list[object]
    version: int = VERSION
    account: str | None = None
    region: str | None = None
    key_stores: tuple[KeyStoreSeed, ...] = ()
    iam: Mapping[str, object] | None = None
    credentials: Mapping[str, CredentialsSeed] | None = None


def apply_seed(service: FakeKms, path: str | os.PathLike[str], *, account: str, region: str) -> list[Key]:
    """Create the keys of a seed file: all of them or none.

    Args:
        service: the fake KMS.
        path: the file, YAML or JSON.
        account: the account of keys for which the file has none.
        region: the Region of keys for which the file has none.

    Returns:
        Their records, in the order of the file.

    Raises:
        InvalidSeed: with the line and the reason; then nothing has changed.
    """
    document = read_seed_file(os.fspath(path))
    account = account if document.account is None else document.account
    region = region if document.region is None else document.region
    planted = plant(service, document.seeds, account=account, region=region, prepare=document.environment.make)
    document.environment.register_credentials(account, region)
    return planted


def read_seed_file(path: str) -> SeedFile:
    """Read a seed file, and the key material files that it names.

    Raises:
        InvalidSeed: a file cannot be read or is not valid; with the line.
    """
    document, environment, entries = _read(path, _text(path))
    return SeedFile(tuple(map(_with_material, entries)), document.account, document.region, environment)


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InvalidSeed(f"{path}:{line}: invalid UTF-8: {error.reason}") from None
    except (OSError, ValueError) as error:
        raise InvalidSeed(f"seed file {unreadable(path, error)}") from None


@functools.lru_cache(maxsize=32)
def _read(path: str, text: str) -> tuple[_Document, SeedEnvironment, tuple[_Entry, ...]]:
    """Parse a seed file; cached by its text, since each test of a run may start with it."""
    data, lines = parse(path, text)
    if isinstance(data, Mapping) and data.get("format") == FORMAT:
        raise InvalidSeed(f"{path}: this is a dump, which kms_mock.load({path!r}) reads")
    document = _decoded(path, lines, data, _Document, "")
    if document.version != VERSION:
        raise InvalidSeed(f"{_place(path, lines, 'version')}: this release reads seed files of version {VERSION} only")
    environment = SeedEnvironment(
        tuple(
            (f"{_place(path, lines, where)}: {where}", store)
            for where, store in ((f"key_stores[{index}]", store) for index, store in enumerate(document.key_stores))
        ),
        tuple(
            (functools.partial(_within, path, lines, f"iam[{principal!r}]"), principal, policies)
            for principal, policies in (document.iam or {}).items()
        ),
        tuple(
            (f"{_place(path, lines, f'credentials.{principal}')}: credentials[{principal!r}]", principal, own)
            for principal, own in (document.credentials or {}).items()
        ),
        "" if _is_json(path) else " YAML reads yes, no, on and off as booleans: write it in quotes.",
    )
    entries = (_entry(path, lines, entry, f"keys[{index}]") for index, entry in enumerate(document.keys))
    return document, environment, tuple(entries)


def _entry(path: str, lines: dict[str, int], given: Any, where: str) -> _Entry:
    file, place = None, _place(path, lines, f"{where}.material_file")
    if isinstance(given, dict) and "material_file" in given:
        name = given["material_file"]
        if "material" in given or not isinstance(name, str):
            raise InvalidSeed(f"{place}: material_file must be the path of a file, without material beside it")
        file = Path(path).parent / name
    seed = _decoded(path, lines, given, _FileSeed, where)
    return _Entry(functools.partial(_within, path, lines, where), seed, file, place)


def _with_material(entry: _Entry) -> tuple[PlaceOf, KeySeed]:
    if entry.material_file is None:
        return entry.place, entry.seed
    try:
        return entry.place, replace(entry.seed, material=entry.material_file.read_bytes())
    except (OSError, ValueError) as error:
        raise InvalidSeed(f"{entry.material_place}: material_file cannot be read: {error}") from None


def _decoded(path: str, lines: dict[str, int], data: Any, kind: Any, where: str) -> Any:
    try:
        return decode(data, kind, where)
    except Misfit as misfit:
        hint = next((hint for form, hint in _HINTS.items() if re.match(form, misfit.reason)), "")
        shown = hint.format(name=misfit.where.rpartition(".")[2])
        if misfit.reason.endswith(("True", "False")) and "a string" in misfit.reason and not _is_json(path):
            shown += "; YAML reads yes, no, on and off as booleans"
        raise InvalidSeed(f"{_place(path, lines, misfit.spot)}: {misfit}{misfit.choices}{shown}") from None


def _is_json(path: str) -> bool:
    return Path(path).suffix.lower() == ".json"


def _within(path: str, lines: dict[str, int], where: str, spot: str) -> str:
    """Return the place of a part of a key, or of the policies of a principal."""
    return f"{_place(path, lines, where + spot)}: {where}{spot}"


def _place(path: str, lines: dict[str, int], where: str) -> str:
    """Return path and line of an element, or of the closest element around it that has a line."""
    spot = re.sub(r"\['(.*?)'\]", r".\1", where).lstrip(".")
    while spot and spot not in lines:
        spot = re.sub(r"(^|\.)[^.\[]*$|\[\d+\]$", "", spot)
    return f"{path}:{lines.get(spot, 1)}"
