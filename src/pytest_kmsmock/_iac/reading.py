"""Files to plain data: JSON and YAML with the line of each mapping, and CloudFormation's short tags.

PyYAML's safe loader is the parser, which builds nothing but plain data; short tags are those of a table. What a file
may hold is bounded: its size, its depth, and what its anchors expand to.
"""

from __future__ import annotations

import functools
import json
from bisect import bisect_right
from collections.abc import Mapping
from json.decoder import JSONObject  # type: ignore[attr-defined]  # missing in typeshed
from json.scanner import py_make_scanner  # type: ignore[attr-defined]  # likewise
from pathlib import Path
from typing import Any

from pytest_kmsmock._runtime.checks import unreadable
from pytest_kmsmock._runtime.plain_yaml import TAG, place_of, plain_loader
from pytest_kmsmock.errors import InvalidSeed, MissingExtra

#: The largest file, in bytes. CloudFormation itself takes 1 MB.
_MAX_YAML_BYTES, _MAX_JSON_BYTES = 2_000_000, 64_000_000
#: How a zip archive begins, and with it a plan that Terraform wrote.
_ZIP = b"PK\x03\x04"
#: How many values a YAML file may expand to: anchors of anchors grow exponentially.
_MAX_VALUES = 200_000


class Located(dict[str, Any]):
    """A mapping of a file, with the line where it begins."""

    __slots__ = ("line",)

    def __init__(self, content: Mapping[str, Any] = {}, line: int = 0) -> None:
        super().__init__(content)
        self.line = line


def line_of(value: object) -> int:
    """Return the line where a mapping of a file begins; 0 if it has none."""
    return value.line if isinstance(value, Located) else 0


def text_of(path: str) -> str:
    """Return what is in a file.

    Raises:
        InvalidSeed: it cannot be read, or is too large.
    """
    file = Path(path)
    try:
        size = file.stat().st_size
        most = _MAX_YAML_BYTES if file.suffix.lower() in (".yaml", ".yml") else _MAX_JSON_BYTES
        if size > most:
            raise InvalidSeed(f"{path}: this file has {size:,} bytes; the limit is {most:,}")
        content = file.read_bytes()
    except OSError as error:
        raise InvalidSeed(unreadable(path, error)) from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        is_plan = content.startswith(_ZIP)
        hint = "a plan of Terraform in its binary form: give what `terraform show -json` prints for it"
        raise InvalidSeed(f"{path} cannot be read: it is {hint if is_plan else 'not UTF-8'}") from error


@functools.lru_cache(maxsize=64)
def parse(path: str, text: str) -> Any:
    """Return what a file says; the same text is not read again.

    Args:
        path: the file, for error messages.
        text: what is in it.

    Raises:
        InvalidSeed: it is neither JSON nor YAML, or holds what no such file may; with the line.
    """
    try:
        return _json(text) if text.lstrip()[:1] == "{" else _yaml(path, text)
    except json.JSONDecodeError as error:
        try:
            return _yaml(path, text)  # YAML can begin with a brace too
        except InvalidSeed:
            raise InvalidSeed(f"{path}:{error.lineno}: invalid JSON: {error.msg}") from error
    except RecursionError:
        raise InvalidSeed(f"{path}:1: this is nested too deeply") from None
    except ValueError as error:  # a number that is too long for Python
        if isinstance(error, InvalidSeed):
            raise
        raise InvalidSeed(f"{path}:1: cannot be read: {error}") from error


def _json(text: str) -> Any:
    decoder: Any = json.JSONDecoder()
    breaks = [index for index, char in enumerate(text) if char == "\n"]

    def parse_object(start: tuple[str, int], *rest: Any) -> tuple[Any, int]:
        content, end = JSONObject(start, *rest)
        return Located(content, bisect_right(breaks, start[1] - 1) + 1), end

    decoder.parse_object = parse_object
    decoder.scan_once = py_make_scanner(decoder)
    content: object = decoder.decode(text)
    return content


def _yaml(path: str, text: str) -> Any:
    yaml = _pyyaml()
    loader = None
    try:
        loader = _loader_class()(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _check_size(path, node, {}, frozenset())
        return loader.construct_document(node)
    except yaml.YAMLError as error:
        line, problem = place_of(error, text)
        raise InvalidSeed(f"{path}:{line}: invalid YAML: {problem}") from error
    except RecursionError:
        raise InvalidSeed(f"{path}:1: this is nested too deeply") from None
    finally:
        if loader is not None:
            loader.dispose()


def _pyyaml() -> Any:
    try:
        import yaml
    except ModuleNotFoundError:
        raise MissingExtra("A template in YAML", "PyYAML", "iac") from None
    return yaml


def _check_size(path: str, node: Any, sizes: dict[int, int], around: frozenset[int]) -> int:
    """Return how many values a node expands to.

    Raises:
        InvalidSeed: it holds itself, or expands to too many.
    """
    if id(node) in around:
        raise InvalidSeed(f"{path}:{node.start_mark.line + 1}: this contains itself")
    if id(node) not in sizes:
        within = around | {id(node)}
        children = node.value if isinstance(node.value, list) else ()
        parts = [part for child in children for part in (child if isinstance(child, tuple) else (child,))]
        size = 1 + sum(_check_size(path, part, sizes, within) for part in parts)
        if size > _MAX_VALUES:
            raise InvalidSeed(f"{path}:{node.start_mark.line + 1}: this expands to more than {_MAX_VALUES:,} values")
        sizes[id(node)] = size
    return sizes[id(node)]


#: CloudFormation's short tags, and what they are short for.
#: See https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
SHORT_TAGS: Mapping[str, str] = {"Ref": "Ref", "Condition": "Condition"} | {
    name: f"Fn::{name}"
    for name in (
        "And", "Base64", "Cidr", "Contains", "EachMemberEquals", "EachMemberIn", "Equals", "FindInMap", "GetAZs",
        "GetAtt", "GetStackOutput", "If", "ImportValue", "Join", "Length", "Not", "Or", "RefAll", "Select", "Split",
        "Sub", "ToJsonString", "Transform", "ValueOf", "ValueOfAll",
    )
}  # fmt: skip


@functools.cache
def _loader_class() -> Any:
    yaml = _pyyaml()

    loader_class = plain_loader(yaml.SafeLoader)

    def mapping(loader: Any, node: Any) -> Located:
        loader.flatten_mapping(node)
        found = Located(line=node.start_mark.line + 1)
        for name, value in node.value:
            item = found[_name(yaml, name)] = loader.construct_object(value, deep=True)
            if isinstance(item, Located):
                item.line = name.start_mark.line + 1  # where its name is, as in JSON
        return found

    def short(loader: Any, suffix: str, node: Any) -> Located:
        name = SHORT_TAGS.get(suffix)
        if name is None:
            raise yaml.constructor.ConstructorError(None, None, f"unknown tag !{suffix}", node.start_mark)
        if isinstance(node, yaml.ScalarNode):
            value: Any = loader.construct_scalar(node)
            value = value.split(".", 1) if name == "Fn::GetAtt" else value
        elif isinstance(node, yaml.SequenceNode):
            value = loader.construct_sequence(node, deep=True)
        else:
            value = mapping(loader, node)
        return Located({name: value}, node.start_mark.line + 1)

    loader_class.add_constructor(f"{TAG}map", mapping)
    loader_class.add_multi_constructor("!", short)
    return loader_class


def _name(yaml: Any, node: Any) -> str:
    """Return a name as it is written: account ids are names too."""
    if not isinstance(node, yaml.ScalarNode):
        raise yaml.constructor.ConstructorError(None, None, "a name must be a string", node.start_mark)
    name: str = node.value
    return name
