"""Parses YAML and JSON of seed files, with the line of each element.

`seed_files` validates the content.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytest_kmsmock._runtime.plain_yaml import TAG, place_of, plain_loader
from pytest_kmsmock.errors import InvalidSeed, MissingExtra

try:
    import yaml
except ModuleNotFoundError:
    raise MissingExtra("A seed file", "PyYAML", "seeds") from None

#: The maximum number of values in a file. Nested anchors can expand a short file without limit.
_MOST = 200_000

_Loader = plain_loader(yaml.SafeLoader)


def parse(path: str, text: str) -> tuple[Any, dict[str, int]]:
    """Parse a file; return its content, and the lines of its elements by path, such as `keys[0].alias`.

    Args:
        path: the file, for error messages; its suffix selects JSON or YAML.
        text: its text.

    Raises:
        InvalidSeed: not YAML or JSON, or a value that seed files cannot have; with the line.
    """
    try:
        if Path(path).suffix.lower() == ".json":
            data = json.loads(text)
            # JSON is YAML except for tabs between elements; valid JSON has no tabs in strings.
            return data, _lines(path, yaml.compose(text.replace("\t", " "), _Loader))
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            lines = _lines(path, node)
            return None if node is None else loader.construct_document(node), lines
        finally:
            loader.dispose()
    except InvalidSeed:
        raise
    except json.JSONDecodeError as error:
        raise InvalidSeed(f"{path}:{error.lineno}: invalid JSON: {error.msg}") from None
    except yaml.YAMLError as error:
        line, problem = place_of(error, text)
        raise InvalidSeed(f"{path}:{line}: invalid YAML: {problem}") from None
    except RecursionError:
        raise InvalidSeed(f"{path}:1: this is nested too deeply") from None
    except ValueError as error:  # a number in JSON that is too long for Python, an invalid escape in YAML
        raise InvalidSeed(f"{path}:1: cannot be read: {error}") from None


def _lines(path: str, document: Any) -> dict[str, int]:
    found: dict[str, int] = {}
    if document is not None:
        for where, line in _walk(path, document, "", frozenset()):
            found[where] = line
            if len(found) > _MOST:
                raise InvalidSeed(f"{path}:{line}: a seed file can have at most {_MOST} values")
    return found


def _walk(path: str, node: Any, where: str, around: frozenset[int]) -> Iterator[tuple[str, int]]:
    """Yield the path of each element with its line."""
    line = node.start_mark.line + 1
    if id(node) in around:
        raise InvalidSeed(f"{path}:{line}: this contains itself")
    yield where, line
    around |= {id(node)}
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _walk(path, item, f"{where}[{index}]", around)
    elif isinstance(node, yaml.MappingNode):
        yield from _walk_mapping(path, node, where, around)
    elif not _is_text(node.value):
        raise InvalidSeed(f"{path}:{line}: {node.value!r} contains a lone surrogate")


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _walk_mapping(path: str, node: Any, where: str, around: frozenset[int]) -> Iterator[tuple[str, int]]:
    seen = set()
    for name, item in node.value:
        line = name.start_mark.line + 1
        is_text = isinstance(name, yaml.ScalarNode) and _is_text(name.value)
        if not is_text or name.tag not in (f"{TAG}str", f"{TAG}merge"):
            shown = name.value if is_text else "this"
            raise InvalidSeed(f"{path}:{line}: {shown} is not a string: put the name in quotes")
        if name.value in seen:
            raise InvalidSeed(f"{path}:{line}: {name.value} occurs twice")
        seen.add(name.value)
        spot = f"{where}.{name.value}".lstrip(".")
        yield from _walk(path, item, spot, around)
        yield spot, line
