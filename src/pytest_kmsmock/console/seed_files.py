"""Reading seed files: YAML or JSON to `KeySeed`s, with the line of everything that is wrong. Planting is in `seeds`."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..errors import InvalidSeed, MissingExtra
from .record_codec import Misfit, decode
from .seeds import KeySeed

try:
    import yaml
except ModuleNotFoundError:
    raise MissingExtra("A seed file", "PyYAML", "seeds") from None

VERSION = 1

#: YAML takes an account for a number and a date for a date.
_UNQUOTED = re.compile(r"expected a text, found [^\[{N]")


@dataclass(frozen=True, slots=True)
class SeedFile:
    """A seed file that was read: its keys, each with where it stands, and the account and Region of the others."""

    seeds: tuple[tuple[str, KeySeed], ...]
    account: str | None
    region: str | None


@dataclass(frozen=True, slots=True)
class _Document:
    """What stands in a seed file besides the keys, which are read one by one."""

    keys: list[object]
    version: int = VERSION
    account: str | None = None
    region: str | None = None


def read_seed_file(path: str) -> SeedFile:
    """Read a seed file; one that has not changed since is not read again.

    Raises:
        InvalidSeed: the file cannot be read, or something in it is wrong; with the line.
    """
    try:
        status = Path(path).stat()
        return _read(path, status.st_mtime_ns, status.st_size)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSeed(f"seed file {path} cannot be read: {error}") from error


@functools.lru_cache(maxsize=32)
def _read(path: str, _modified: int, _size: int) -> SeedFile:
    text = Path(path).read_text(encoding="utf-8")
    data, lines = _parse(path, text)
    document = _decoded(path, lines, data, _Document, "")
    if document.version != VERSION:
        raise InvalidSeed(f"{_place(path, lines, 'version')}: this release reads seed files of version {VERSION} only")
    seeds = []
    for index, entry in enumerate(document.keys):
        where = f"keys[{index}]"
        given, secret = _with_material_file(path, lines, entry, where)
        seed = _decoded(path, lines, given, KeySeed, where)
        if secret is not None:
            seed = KeySeed(**{field.name: getattr(seed, field.name) for field in fields(seed)} | {"material": secret})
        seeds.append((f"{_place(path, lines, where)}: {where}", seed))
    return SeedFile(tuple(seeds), document.account, document.region)


def _with_material_file(path: str, lines: dict[str, int], entry: Any, where: str) -> tuple[Any, bytes | None]:
    """Read what `material_file` names, a path beside the seed file."""
    if not isinstance(entry, dict) or "material_file" not in entry:
        return entry, None
    given = dict(entry)
    name = given.pop("material_file")
    place = _place(path, lines, f"{where}.material_file")
    if "material" in given or not isinstance(name, str):
        raise InvalidSeed(f"{place}: material_file must be the path of a file, and material is not to stand beside it")
    try:
        return given, (Path(path).parent / name).read_bytes()
    except OSError as error:
        raise InvalidSeed(f"{place}: material_file cannot be read: {error}") from error


def _decoded(path: str, lines: dict[str, int], data: Any, kind: Any, where: str) -> Any:
    try:
        return decode(data, kind, where)
    except Misfit as misfit:
        hint = "; write it in quotes" if _UNQUOTED.match(misfit.reason) else ""
        raise InvalidSeed(f"{_place(path, lines, misfit.where)}: {misfit}{hint}") from None


def _place(path: str, lines: dict[str, int], where: str) -> str:
    """Return path and line of the nearest thing around a spot that has a line."""
    spot = re.sub(r"\['(.*?)'\]", r".\1", where).lstrip(".")
    while spot and spot not in lines:
        spot = re.sub(r"(^|\.)[^.\[]*$|\[\d+\]$", "", spot)
    return f"{path}:{lines.get(spot, 1)}"


def _parse(path: str, text: str) -> tuple[Any, dict[str, int]]:
    """Return what a file says, and the line of everything in it by where it stands."""
    try:
        if Path(path).suffix.lower() == ".json":
            data = json.loads(text)
            # JSON is YAML but for tabs between its parts; as the text is valid JSON, there are none in its strings.
            node = yaml.compose(text.replace("\t", " "), yaml.SafeLoader)
        else:
            data = yaml.safe_load(text)
            node = yaml.compose(text, yaml.SafeLoader)
    except json.JSONDecodeError as error:
        raise InvalidSeed(f"{path}:{error.lineno}: no JSON: {error.msg}") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InvalidSeed(f"{path}:{line}: no YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise InvalidSeed(f"{path}: no YAML: {error}") from error
    return data, dict(_lines(path, node, "", frozenset()))


def _lines(path: str, node: Any, where: str, around: frozenset[int]) -> Iterator[tuple[str, int]]:
    """Yield where everything stands, with its line."""
    if node is None or id(node) in around:
        return
    yield where, node.start_mark.line + 1
    around |= {id(node)}
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _lines(path, item, f"{where}[{index}]", around)
    elif isinstance(node, yaml.MappingNode):
        seen = set()
        for name, item in node.value:
            if name.value in seen:
                raise InvalidSeed(f"{path}:{name.start_mark.line + 1}: {name.value} is there twice")
            seen.add(name.value)
            spot = f"{where}.{name.value}".lstrip(".")
            yield from _lines(path, item, spot, around)
            yield spot, name.start_mark.line + 1
