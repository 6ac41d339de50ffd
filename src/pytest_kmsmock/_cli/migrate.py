"""The command `pytest-kmsmock migrate`: rewriting tests that use moto for KMS."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_kmsmock.errors import InvalidOption

if TYPE_CHECKING:
    from .rewrite import Rewritten

    Commands = argparse._SubParsersAction[Any]  # noqa: SLF001 - argparse has no other name for it

#: Folders that are not the user's own code.
_IGNORED_FOLDERS = frozenset({"node_modules", "site-packages", "__pycache__", "build", "dist"})
_SHARED = "conftest.py"  # its fixtures are those of the files in its folder and below


def add_parser(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "migrate",
        help="rewrite tests that use moto for KMS",
        description="Rewrite tests that use moto for KMS: mock_kms comes from this package, and a mock_kms beside each "
        "mock_aws of files that use KMS. Prints what to change by hand, by file and line.",
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="test file or folder")
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if files would change")
    parser.add_argument("--diff", action="store_true", help="change nothing; print what would change")
    parser.add_argument("--all", action="store_true", help="add mock_kms also in files that do not show any use of KMS")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Run the command.

    Returns:
        The exit code: 0; 1 with `--check` if files would change; 2 if a file was not read.

    Raises:
        InvalidOption: a path does not exist, or a folder has no Python files.
    """
    unread: list[str] = []
    texts = dict(_read(_files(given.paths), unread))
    results = dict(_rewritten(texts, unread, everywhere=given.all))
    changed = [path for path, result in results.items() if result.text != texts[path]]
    for path in changed:
        if given.diff:
            print(*_diff(path, texts[path], results[path].text), sep="\n")
        elif not given.check:
            path.write_bytes(results[path].text.encode())  # with its own line endings
    for path, result in results.items():
        for note in result.notes:
            print(f"{path}:{note.line}: {note.text}")
    verb = "would be rewritten" if given.check or given.diff else "rewritten"
    checks = sum(len(result.notes) for result in results.values())
    print(f"{_plural(len(changed), 'file')} {verb}, {_plural(checks, 'place')} to check.")
    left = sum(result.left for result in results.values())
    if left:
        print(f"{_plural(left, 'file')} with mock_aws left unchanged: no use of KMS there (--all adds mock_kms).")
    for problem in unread:
        print(problem, file=sys.stderr)
    return 2 if unread else 1 if given.check and changed else 0


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            found = sorted(file for file in path.rglob("*.py") if not _is_ignored(file.relative_to(path)))
            if not found:
                raise InvalidOption(f"migrate: there are no Python files in {path}; give the folder of the tests")
            yield from found
        elif path.exists():
            yield path
        else:
            raise InvalidOption(f"migrate: there is no file or folder {path}")


def _is_ignored(path: Path) -> bool:
    return any(part in _IGNORED_FOLDERS or part.startswith(".") for part in path.parts)


def _read(files: Iterable[Path], unread: list[str]) -> Iterator[tuple[Path, str]]:
    for path in files:
        with _noting(path, unread):
            yield path, path.read_bytes().decode()  # with its own line endings


@contextmanager
def _noting(path: Path, unread: list[str]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        unread.append(f"{path}:1: make it readable and run migrate again: {error.strerror}")
    except UnicodeDecodeError:
        unread.append(f"{path}:1: save it as UTF-8 and run migrate again: it was not read")
    except (SyntaxError, ValueError) as error:  # ValueError of null bytes, in older Pythons
        line, problem = getattr(error, "lineno", 1) or 1, getattr(error, "msg", str(error))
        unread.append(f"{path}:{line}: fix the syntax ({problem}) and run migrate again: it was not read")


def _rewritten(
    texts: dict[Path, str], unread: list[str], *, everywhere: bool
) -> Iterator[tuple[Path, Rewritten]]:  # fmt: skip
    """Rewrite files; conftest files last, when it is known whether users of their fixtures use KMS."""
    from .rewrite import rewrite

    users: list[Path] = []
    for path in sorted(texts, key=lambda path: path.name == _SHARED):
        shares = path.name == _SHARED and any(path.parent in user.parents for user in users)
        with _noting(path, unread):
            result = rewrite(texts[path], kms_is_used=everywhere or shares)
            if result.uses_kms:
                users.append(path)
            yield path, result


def _diff(path: Path, before: str, after: str) -> Iterator[str]:
    return difflib.unified_diff(before.splitlines(), after.splitlines(), str(path), str(path), lineterm="")


def _plural(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
