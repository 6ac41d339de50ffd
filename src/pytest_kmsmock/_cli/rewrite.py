"""Rewriting a test file that uses moto for KMS: what is changed, and where a person has to check.

`mock_kms` of moto 4 becomes that of this package; beside each `mock_aws` of moto 5 comes a `mock_kms`, since moto goes
on answering all other services. Only the spans that change are touched: comments and layout stay as they are.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pytest_kmsmock._record import Record

_PACKAGE = "pytest_kmsmock"
_NEW = "mock_kms"
_IMPORT = f"from {_PACKAGE} import {_NEW}"
_BOTH = ("mock_kms", "mock_aws")
#: Fixtures of this package: a test that has one is in a mock.
_FIXTURES = frozenset({"kms_mock", "kms_client", "kms_server"})

#: AWS parameters that name a KMS key, and prefixes of strings that do.
_KEY_PARAMETERS = frozenset({"KmsKeyId", "KMSKeyId", "KmsMasterKeyId", "SSEKMSKeyId", "KMSMasterKeyID"})
_KEY_STRINGS = ("alias/", "arn:aws:kms:", "aws:kms", "kms:")
_CLIENT_MAKERS = frozenset({"client", "resource", "create_client"})
_CLASS_HOOKS = frozenset({"setUpClass", "setup_class", "tearDownClass", "teardown_class"})

#: Submodules of moto -> what to do about their imports by hand.
_SUBMODULES = {
    "moto.kms": "use kms_mock.keys and kms_mock.create_key() instead of moto.kms, which has no keys beside mock_kms",
    "moto.server": "add kms_server or `pytest-kmsmock serve`: moto's server has none of the keys of mock_kms",
}
_STARTED = "start and stop a mock_kms() here too, or use the fixture kms_mock, or @mock_kms on the class"
_STARTED_IN = {
    **dict.fromkeys(
        ("setup_method", "setUp", "asyncSetUp"), "put @mock_kms on the class: {name} and the test then run in its mock"
    ),
    **dict.fromkeys(
        ("setup_class", "setUpClass"),
        "start a mock_kms() in {name} too, and stop it with this one: @mock_kms on the class begins with each test",
    ),
}
_SET_UP = "use the fixture class_kms_mock for the KMS calls of {name}, which runs outside of the mocks of the tests"
_OWN_NAME = "rename the mock_kms of this file and run migrate again: nothing was changed here"


class Edit(Record):
    """A change of the bytes from `start` to `end`."""

    start: int
    end: int
    text: str


class Note(Record):
    """A line that a person has to check: what to do there, and why."""

    line: int
    text: str


@dataclass(slots=True)
class Rewritten:
    """The result of rewriting a file.

    Attributes:
        text: the new text; the old one if nothing changes.
        notes: where a person has to check.
        uses_kms: whether the file shows that KMS is used.
        left: whether it has a `mock_aws` and was left as it is, since it shows nothing of KMS.
    """

    text: str
    notes: list[Note] = field(default_factory=list)
    uses_kms: bool = False
    left: bool = False


def rewrite(text: str, *, kms_is_used: bool = False) -> Rewritten:
    """Rewrite the text of a test file.

    Args:
        text: the text.
        kms_is_used: whether to take it that KMS is used, although the file does not show it.

    Raises:
        SyntaxError: it is not Python.
    """
    mark = "\ufeff" if text.startswith("\ufeff") else ""  # a byte order mark is no part of the first line
    result = _Rewriting(text.removeprefix(mark), kms_is_used).result()
    result.text = mark + result.text
    return result


class _Rewriting:
    """The rewriting of one file."""

    def __init__(self, text: str, kms_is_used: bool) -> None:
        self._text = text
        self._source = text.encode()
        self._newline = "\r\n" if "\r\n" in text else "\n"
        self._starts = [0]
        for line in self._source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._tree = ast.parse(self._source)
        self._uses_kms = _uses_kms(self._tree)
        self._adds = self._uses_kms or kms_is_used
        self._edits: list[Edit] = []
        self._notes: list[Note] = []
        self._added = False
        self._handled: set[ast.AST] = set()
        self._left = False
        self._imports_of_moto: list[ast.stmt] = []  # after which that of this package goes

    def result(self) -> Rewritten:
        """Return the rewritten file."""
        own = next((node for node in ast.walk(self._tree) if _binds_the_name(node)), None)
        has_ours = any(_is_ours(node) for node in ast.walk(self._tree))
        names = self._imports(has_ours)
        if "mock_aws" in names.values() and not has_ours:
            self._add_beside(names)
        if self._added:
            for statement in self._imports_of_moto:
                self._insert_import(statement)
        if own is not None and self._edits:
            self._edits.clear()
            self._note(own, _OWN_NAME)
        return Rewritten(self._edited(), sorted(set(self._notes)), self._uses_kms, self._left)

    def _edited(self) -> str:
        source = self._source
        for edit in sorted(self._edits, reverse=True):
            source = source[: edit.start] + edit.text.encode() + source[edit.end :]
        return source.decode()

    # --- imports -------------------------------------------------------------------------------------------------

    def _imports(self, has_ours: bool) -> dict[str, str]:
        """Rewrite the imports of moto; return each name that stands for one of its mocks, as `moto.mock_aws` too."""
        names: dict[str, str] = {}
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Import):
                self._module_import(node, names)
            elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "moto":
                self._note_submodules(node, f"{node.module}")
                if node.module == "moto":
                    self._from_import(node, names, has_ours)
        return names

    def _module_import(self, node: ast.Import, names: dict[str, str]) -> None:
        for alias in node.names:
            self._note_submodules(node, alias.name)
            if alias.name == "moto":
                self._imports_of_moto.append(node)
                names |= {f"{alias.asname or 'moto'}.{name}": name for name in _BOTH}
                self._replace_attributes(f"{alias.asname or 'moto'}.{_NEW}")

    def _replace_attributes(self, dotted: str) -> None:
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node) == dotted:
                self._edits.append(Edit(*self._span(node), _NEW))
                self._added = True

    def _from_import(self, node: ast.ImportFrom, names: dict[str, str], has_ours: bool) -> None:
        for index, alias in enumerate(node.names):
            if alias.name in _BOTH:
                names[alias.asname or alias.name] = alias.name
            if alias.name == "mock_aws":
                self._imports_of_moto.append(node)
            if alias.name == _NEW and not has_ours:
                self._move_import(node, index)
            elif alias.name == "*" or alias.name.endswith("_deprecated"):
                self._note(node, f"import mock_kms from {_PACKAGE}: `from moto import {alias.name}` was not rewritten")

    def _move_import(self, node: ast.ImportFrom, index: int) -> None:
        """Take `mock_kms` out of an import of moto, and import that of this package."""
        alias = node.names[index]
        ours = _IMPORT + (f" as {alias.asname}" if alias.asname else "")
        if len(node.names) == 1:
            self._edits.append(Edit(*self._span(node), ours))
            return
        start, end = self._span(alias)
        if index + 1 < len(node.names):
            end = self._span(node.names[index + 1])[0]
        else:
            start = self._span(node.names[index - 1])[1]
        self._edits.append(Edit(start, end, ""))
        self._insert_import(node, ours)

    def _insert_import(self, after: ast.stmt, text: str = _IMPORT) -> None:
        end = self._span(after)[1]
        edit = Edit(end, end, f"{self._newline}{self._indent(after)}{text}")
        if edit not in self._edits:  # else one import has both mocks of moto
            self._edits.append(edit)

    def _note_submodules(self, node: ast.stmt, module: str) -> None:
        for submodule, text in _SUBMODULES.items():
            if module == submodule or module.startswith(f"{submodule}."):
                self._note(node, text)

    # --- uses of mock_aws ----------------------------------------------------------------------------------------

    def _add_beside(self, names: dict[str, str]) -> None:
        """Add a `mock_kms` beside each `mock_aws`, where it is safe."""
        aws = {name for name, what in names.items() if what == "mock_aws"}
        for node in ast.walk(self._tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                self._decorated(node, aws)
            elif isinstance(node, ast.With | ast.AsyncWith):
                self._entered(node, aws)
        uses = [node for node in ast.walk(self._tree) if _dotted(node) in aws and node not in self._handled]
        if not self._adds:
            self._left = bool(uses or self._handled)
            return
        functions = {
            node: function.name
            for function in ast.walk(self._tree)  # inner functions after those around them
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
            for node in ast.walk(function)
        }
        for node in uses:
            name = functions.get(node, "")
            self._note(node, _STARTED_IN.get(name, _STARTED).format(name=name))

    def _decorated(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, aws: set[str]) -> None:
        for decorator in node.decorator_list:
            if _dotted(_called(decorator)) not in aws:
                continue
            self._handled.add(_called(decorator))
            if self._adds and not _has_fixture(node):
                place = self._starts[decorator.lineno - 1]
                self._edits.append(Edit(place, place, f"{self._indent(node)}@{_NEW}{self._newline}"))
                self._added = True
                self._note_set_up(node)
            return

    def _note_set_up(self, node: ast.AST) -> None:
        for method in getattr(node, "body", []) if isinstance(node, ast.ClassDef) else []:
            if getattr(method, "name", "") in _CLASS_HOOKS and _uses_kms(method):
                self._note(method, _SET_UP.format(name=method.name))

    def _entered(self, node: ast.With | ast.AsyncWith, aws: set[str]) -> None:
        for item in node.items:
            if isinstance(item.context_expr, ast.Call) and _dotted(item.context_expr.func) in aws:
                self._handled.add(item.context_expr.func)
                if self._adds:
                    end = self._span(item.optional_vars or item.context_expr)[1]
                    self._edits.append(Edit(end, end, f", {_NEW}()"))
                    self._added = True

    # --- places --------------------------------------------------------------------------------------------------

    def _span(self, node: ast.AST) -> tuple[int, int]:
        """Return the first and last byte of a node in the file."""
        place: Any = node  # expressions, statements and aliases have no common class with these attributes
        end_line, end_column = place.end_lineno or place.lineno, place.end_col_offset or place.col_offset
        return self._starts[place.lineno - 1] + place.col_offset, self._starts[end_line - 1] + end_column

    def _indent(self, node: ast.stmt) -> str:
        start = self._starts[node.lineno - 1]
        return self._source[start : start + node.col_offset].decode()

    def _note(self, node: ast.AST, text: str) -> None:
        self._notes.append(Note(getattr(node, "lineno", 1), text))


def _is_ours(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.ImportFrom)
        and node.module == _PACKAGE
        and any(alias.name == _NEW for alias in node.names)
    )  # fmt: skip


def _binds_the_name(node: ast.AST) -> bool:
    """Say whether a node binds the name `mock_kms` without an import: a fixture, a parameter, a variable."""
    if isinstance(node, ast.Name):
        return node.id == _NEW and isinstance(node.ctx, ast.Store)
    if isinstance(node, ast.arg):
        return node.arg == _NEW
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name == _NEW


def _called(node: ast.expr) -> ast.expr:
    """Return the function of a decorator, called or not."""
    return node.func if isinstance(node, ast.Call) else node


def _dotted(node: ast.AST) -> str:
    """Return a name, or an attribute of one, as a string; empty for anything else."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _has_fixture(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """Say whether a test takes a fixture of this package: a decorator beside it would be a second mock."""
    return not isinstance(node, ast.ClassDef) and any(argument.arg in _FIXTURES for argument in node.args.args)


def _uses_kms(tree: ast.AST) -> bool:
    """Say whether code shows that KMS is used: a client of it, or a parameter or string that names a key."""
    return any(_signs(node) for node in ast.walk(tree))


def _signs(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and node.value.startswith(_KEY_STRINGS)
    if isinstance(node, ast.keyword):
        return node.arg in _KEY_PARAMETERS
    if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in _CLIENT_MAKERS:
        return any(_is_kms(argument) for argument in _given(node))
    return False


def _given(call: ast.Call) -> Iterator[ast.expr]:
    yield from call.args[:1]
    yield from (keyword.value for keyword in call.keywords if keyword.arg == "service_name")


def _is_kms(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == "kms"
