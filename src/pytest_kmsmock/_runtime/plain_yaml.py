"""The YAML loader for all files that this package reads: PyYAML's safe loader without dates; and lines of errors.

PyYAML comes with extras. Modules that read files import it, and name the extra if it is missing.
"""

from __future__ import annotations

from typing import Any

#: The prefix of the tags of YAML's own types.
TAG = "tag:yaml.org,2002:"


def plain_loader(base: Any) -> Any:
    """Return a loader that reads `Version: 2012-10-17` as a string, and gives the line of a value with a wrong tag.

    Args:
        base: `yaml.SafeLoader` or `yaml.CSafeLoader`.
    """
    from yaml.constructor import ConstructorError

    class PlainLoader(base):  # type: ignore[misc]  # `base` is chosen at runtime: with libyaml or without
        """YAML 1.1 without dates."""

        def construct_object(self, node: Any, deep: bool = False) -> Any:
            try:
                return super().construct_object(node, deep)
            except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
                shown = f"{node.value!r} is not a valid {node.tag.removeprefix(TAG)}"
                raise ConstructorError(None, None, shown, node.start_mark) from error

    PlainLoader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != f"{TAG}timestamp"]
        for first, resolvers in base.yaml_implicit_resolvers.items()
    }
    return PlainLoader


def place_of(error: Any, text: str) -> tuple[int, str]:
    """Return the line and problem of an error of PyYAML.

    Args:
        error: a `yaml.YAMLError`.
        text: the YAML document.
    """
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is not None:
        return mark.line + 1, error.problem
    if hasattr(error, "position"):  # a `ReaderError`: a character that YAML does not allow
        return text.count("\n", 0, error.position) + 1, error.reason
    return 1, str(error)
