"""YAML and JSON of seed files: what a text says, and the line of everything in it.

What it may say is in `seed_files`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytest_kmsmock.errors import InvalidSeed, MissingExtra

try:
    import yaml
except ModuleNotFoundError:
    raise MissingExtra("A seed file", "PyYAML", "seeds") from None

#: How many things a file may hold. Anchors that name anchors can make a short file endless.
_MOST = 200_000
_TAG = "tag:yaml.org,2002:"


class _Loader(yaml.SafeLoader):
    """YAML without dates, which no field is: `Version: 2012-10-17` is a text; and with the line of what is no value."""

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        """Return the value of a node; PyYAML's own errors for values that do not fit their tag do not say where."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
            shown = f"{node.value!r} is no {node.tag.removeprefix(_TAG)}"
            raise yaml.constructor.ConstructorError(None, None, shown, node.start_mark) from error


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != f"{_TAG}timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parse(path: str, text: str) -> tuple[Any, dict[str, int]]:
    """Return what a file says, and the line of everything in it by where it stands, such as `keys[0].alias`.

    Args:
        path: the file, for error messages; JSON if its name ends so, else YAML.
        text: what is in it.

    Raises:
        InvalidSeed: it is no YAML or JSON, or holds what no seed file can; with the line.
    """
    try:
        if Path(path).suffix.lower() == ".json":
            data = json.loads(text)
            # JSON is YAML but for tabs between its parts; as the text is valid JSON, there are none in its strings.
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
        raise InvalidSeed(f"{path}:{error.lineno}: invalid JSON: {error.msg}") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise InvalidSeed(f"{path}:{mark.line + 1 if mark else 1}: invalid YAML: {error.problem}") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise InvalidSeed(f"{path}:{line}: invalid YAML: {error.reason}") from error
    except RecursionError as error:
        raise InvalidSeed(f"{path}:1: this is nested too deeply") from error
    except ValueError as error:  # a number in JSON that is too long for Python, an escape in YAML that is no character
        raise InvalidSeed(f"{path}:1: cannot be read: {error}") from error


def _lines(path: str, document: Any) -> dict[str, int]:
    found: dict[str, int] = {}
    if document is not None:
        for where, line in _walk(path, document, "", frozenset()):
            found[where] = line
            if len(found) > _MOST:
                raise InvalidSeed(f"{path}:{line}: a seed file can have at most {_MOST} values")
    return found


def _walk(path: str, node: Any, where: str, around: frozenset[int]) -> Iterator[tuple[str, int]]:
    """Yield where everything stands, with its line."""
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
        if not is_text or name.tag not in (f"{_TAG}str", f"{_TAG}merge"):
            shown = name.value if is_text else "this"
            raise InvalidSeed(f"{path}:{line}: {shown} is not a string: put the name in quotes")
        if name.value in seen:
            raise InvalidSeed(f"{path}:{line}: {name.value} occurs twice")
        seen.add(name.value)
        spot = f"{where}.{name.value}".lstrip(".")
        yield from _walk(path, item, spot, around)
        yield spot, line
