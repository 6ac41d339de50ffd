"""The edits of mutation testing: each is one small mistake that a person could make.

Expressions, tables and statements are edited; annotations, imports and docstrings are not.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

#: Operator -> what it becomes.
_OPERATORS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}  # fmt: skip
#: Parts that are no behavior: annotations, and what is not run outside of type checkers.
_SKIPPED_FIELDS = ("annotation", "returns", "decorator_list")
#: What is followed by types in brackets.
_GENERICS = frozenset(
    {"Callable", "Iterable", "Iterator", "Mapping", "Sequence", "dict", "frozenset", "list", "tuple", "type"}
)


class Mutant(NamedTuple):
    """A module with one edit.

    Attributes:
        path: the file, below the package.
        line: where the edit is.
        edit: what it is.
        source: the whole module, edited.
    """

    path: str
    line: int
    edit: str
    source: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.edit}"


def mutants(source: str, path: str) -> Iterator[Mutant]:
    """Yield every edit of a module."""
    tree = ast.parse(source)
    for at, node in enumerate(_nodes(tree)):
        for number, _ in enumerate(_edits(node)):
            edited = copy.deepcopy(tree)
            target = _nodes(edited)[at]
            old, change = ast.unparse(target), list(_edits(target))[number]
            change()
            new = ast.unparse(target)
            text = f"{_short(old)}  ->  {_short(new)}"
            line = node.target.lineno if isinstance(node, ast.comprehension) else getattr(node, "lineno", 0)
            yield Mutant(path, line, text, ast.unparse(ast.fix_missing_locations(edited)))


def _short(text: str) -> str:
    first, *rest = text.splitlines() or [""]
    return first[:110] + (" ..." if rest or len(first) > 110 else "")


def _nodes(tree: ast.AST) -> list[ast.AST]:
    """Return the nodes that may be edited, in the same order for each copy of a tree."""
    found = [tree]
    for field, value in ast.iter_fields(tree):
        if field in _SKIPPED_FIELDS:
            continue
        for child in value if isinstance(value, list) else [value]:
            is_docstring = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
            if isinstance(child, ast.AST) and not (is_docstring or isinstance(child, ast.JoinedStr) or _is_type(child)):
                found += _nodes(child)
    return found


def _is_type(node: ast.AST) -> bool:
    """Whether a node is for type checkers: an import for them, or a type."""
    if isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "TypeAlias":
        return True
    named = node.test if isinstance(node, ast.If) else node.value if isinstance(node, ast.Subscript) else None
    is_typing = isinstance(named, ast.Name) and named.id in _GENERICS | {"TYPE_CHECKING"}
    return is_typing or isinstance(node, ast.Import | ast.ImportFrom)


def _edits(node: Any) -> Iterator[Any]:
    """Yield functions that each edit a node in one way."""
    if isinstance(node, ast.Constant):
        yield from _edits_of_constant(node)
    elif isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            if type(operator) in _OPERATORS:
                swapped: Any = _OPERATORS[type(operator)]()
                yield lambda place=place, swapped=swapped: node.ops.__setitem__(place, swapped)
    elif isinstance(node, ast.BoolOp | ast.BinOp) and type(node.op) in _OPERATORS:
        yield lambda: setattr(node, "op", _OPERATORS[type(node.op)]())
    elif isinstance(node, ast.If | ast.IfExp | ast.While):
        yield lambda: setattr(node, "test", ast.UnaryOp(ast.Not(), node.test))
    elif isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield lambda: setattr(node, "value", ast.Constant(None))
    if isinstance(node, ast.BoolOp):
        yield from (lambda place=place: node.values.pop(place) for place in range(len(node.values)))
    if isinstance(node, ast.Tuple | ast.List | ast.Set) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        yield from (lambda place=place: node.elts.pop(place) for place in range(len(node.elts)))
    if isinstance(node, ast.Dict):
        yield from (
            lambda place=place: (node.keys.pop(place), node.values.pop(place)) for place in range(len(node.keys))
        )
    if isinstance(node, ast.comprehension):
        yield from (lambda place=place: node.ifs.pop(place) for place in range(len(node.ifs)))
    for field in ("body", "orelse"):
        for place, statement in enumerate(block if isinstance(block := getattr(node, field, None), list) else ()):
            if isinstance(statement, ast.Raise | ast.Continue | ast.Break | ast.AugAssign) or (
                isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
            ):
                yield lambda block=block, place=place: block.__setitem__(place, ast.Pass())


def _edits_of_constant(node: ast.Constant) -> Iterator[Any]:
    value = node.value
    if isinstance(value, bool):
        yield lambda: setattr(node, "value", not value)
    elif isinstance(value, int):
        yield lambda: setattr(node, "value", value + 1)
    elif isinstance(value, str | bytes) and value:
        without: Any = value
        yield lambda: setattr(node, "value", without[:-2] + without[-1:] if len(without) > 1 else without * 2)
    # The last digit of what `bytes.fromhex` reads: an edit that still is hexadecimal.
    if isinstance(value, str) and len(value) > 7 and set(value) <= set("0123456789abcdef"):
        yield lambda: setattr(node, "value", value[:-1] + ("0" if value[-1] != "0" else "1"))


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
