"""The command `pytest-kmsmock migrate`: test files that use moto for KMS come to use this package."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_kmsmock.errors import InvalidOption

if TYPE_CHECKING:
    from .rewrite import Rewritten

    Commands = argparse._SubParsersAction[Any]  # noqa: SLF001 - argparse has no other name for it

#: Folders that are not the user's own code.
_NOT_OURS = frozenset({"node_modules", "site-packages", "__pycache__", "build", "dist"})
_SHARED = "conftest.py"  # its fixtures are those of the files in its folder and below


def add_parser(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "migrate",
        help="rewrite tests that use moto for KMS",
        description="Rewrite tests that use moto for KMS: mock_kms comes from this package, and a mock_kms beside each "
        "mock_aws of files that use KMS. Prints where a person has to look.",
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="test file or folder")
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if files would change")
    parser.add_argument("--diff", action="store_true", help="change nothing; print what would change")
    parser.add_argument("--all", action="store_true", help="add mock_kms also in files that do not show any use of KMS")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Carry out the command.

    Returns:
        The exit code: 0; 1 with `--check` if files would change.

    Raises:
        InvalidOption: a path does not exist.
    """
    texts = dict(_read(_files(given.paths)))
    results = dict(_rewritten(texts, everywhere=given.all))
    changed = [path for path, result in results.items() if result.text != texts[path]]
    for path in changed:
        if given.diff:
            _say(*_diff(path, texts[path], results[path].text))
        elif not given.check:
            _write(path, results[path].text)
    for path, result in results.items():
        _say(*(f"{path}:{note.line}: {note.text}" for note in result.notes))
    verb = "would be rewritten" if given.check or given.diff else "rewritten"
    looks = sum(len(result.notes) for result in results.values())
    _say(f"{_plural(len(changed), 'file')} {verb}, {_plural(looks, 'place')} to look at.")
    left = sum(result.left for result in results.values())
    if left:
        _say(f"{_plural(left, 'file')} with mock_aws left alone: nothing there shows KMS (--all adds mock_kms).")
    return 1 if given.check and changed else 0


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(found for found in path.rglob("*.py") if not _is_foreign(found.relative_to(path)))
        elif path.exists():
            yield path
        else:
            raise InvalidOption(f"migrate: there is no file or folder {path}")


def _is_foreign(path: Path) -> bool:
    return any(part in _NOT_OURS or part.startswith(".") for part in path.parts)


def _read(files: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    for path in files:
        content = path.read_bytes()  # with its own ends of lines
        text = content.decode(errors="replace")
        if text.encode() == content:
            yield path, text
        else:
            _say(f"{path}:1: not read: it is not UTF-8")


def _rewritten(texts: dict[Path, str], *, everywhere: bool) -> Iterator[tuple[Path, Rewritten]]:
    """Rewrite files; conftest files last, when it is known who has their fixtures."""
    from .rewrite import rewrite

    users: list[Path] = []
    for path in sorted(texts, key=lambda path: path.name == _SHARED):
        shares = path.name == _SHARED and any(path.parent in user.parents for user in users)
        try:
            result = rewrite(texts[path], kms_is_used=everywhere or shares)
        except SyntaxError as error:
            _say(f"{path}:{error.lineno or 1}: not read: {error.msg}")
            continue
        if result.uses_kms:
            users.append(path)
        yield path, result


def _write(path: Path, text: str) -> None:
    path.write_bytes(text.encode())


def _diff(path: Path, before: str, after: str) -> Iterator[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), str(path), str(path), lineterm="")
    return iter(lines)


def _say(*lines: str) -> None:
    for line in lines:
        print(line, file=sys.stdout)  # noqa: T201 - a command's output


def _plural(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
