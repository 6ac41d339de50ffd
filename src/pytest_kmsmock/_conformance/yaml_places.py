"""YAML with places: what a file says, and the line of each of its mappings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_kmsmock.errors import InvalidScenario, MissingExtra

try:
    import yaml
except ModuleNotFoundError:
    raise MissingExtra("A scenario file", "PyYAML", "conformance") from None

_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where PyYAML has it


class _Loader(_SafeLoader):  # type: ignore[misc]  # PyYAML has the fast class only where libyaml is
    """YAML without dates: `Version: 2012-10-17` is a string, and so is the date of a source."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class Placed(dict[str, Any]):
    """A mapping of a file. `line` is where it begins."""

    line = 0


def _construct(loader: Any, node: Any) -> Any:
    found = Placed()
    found.line = node.start_mark.line + 1
    yield found
    loader.flatten_mapping(node)
    for key, value in node.value:
        name = str(loader.construct_object(key))
        if name in found:
            raise yaml.constructor.ConstructorError(None, None, f"{name!r} occurs twice", key.start_mark)
        found[name] = loader.construct_object(value, deep=True)


_Loader.add_constructor("tag:yaml.org,2002:map", _construct)


def read(path: Path) -> Any:
    """Return what a file says; its mappings are `Placed`.

    Raises:
        InvalidScenario: it cannot be read, or is not YAML; with the line.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise InvalidScenario(f"{path}:{mark.line + 1 if mark else 1}: not YAML: {error.problem}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidScenario(f"{path}:1: not YAML: {error}") from error
    except OSError as error:
        raise InvalidScenario(f"{path} cannot be read: {error.strerror}") from error


def write(document: Any) -> str:
    """Return a document as YAML."""
    written: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=160)
    return written
