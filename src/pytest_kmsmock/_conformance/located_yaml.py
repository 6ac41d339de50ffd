"""YAML with the line of each mapping."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_kmsmock._runtime.plain_yaml import TAG, place_of, plain_loader
from pytest_kmsmock.errors import InvalidScenario, MissingExtra

try:
    import yaml
except ModuleNotFoundError:
    raise MissingExtra("A scenario file", "PyYAML", "conformance") from None

_Loader = plain_loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # ten times as fast, where PyYAML has it


class Located(dict[str, Any]):
    """A mapping of a file. `line` is where it begins."""

    line = 0


def _construct(loader: Any, node: Any) -> Any:
    found = Located()
    found.line = node.start_mark.line + 1
    yield found
    loader.flatten_mapping(node)
    for key, value in node.value:
        name = str(loader.construct_object(key))
        if name in found:
            raise yaml.constructor.ConstructorError(None, None, f"{name!r} occurs twice", key.start_mark)
        found[name] = loader.construct_object(value, deep=True)


_Loader.add_constructor(f"{TAG}map", _construct)


def read(path: Path) -> Any:
    """Return what a file says; its mappings are `Located`.

    Raises:
        InvalidScenario: it cannot be read, or is not YAML; with the line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidScenario(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidScenario(f"{path}:1: invalid UTF-8: {error.reason}") from error
    try:
        return yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        line, problem = place_of(error, text)
        raise InvalidScenario(f"{path}:{line}: invalid YAML: {problem}") from error


def write(document: Any) -> str:
    """Return a document as YAML."""
    written: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=160)
    return written
