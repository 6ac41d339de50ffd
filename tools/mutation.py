"""Mutation testing of the code that decides: edit one thing, run its tests, and list the edits that no test noticed.

Each edit (mutant) is tried in a child process of its own, forked after the libraries are imported, so that one takes a
second or so. Tables and constants are edited as well as functions: much of what this package decides stands in tables,
which mutmut and cosmic-ray leave alone. What the edits are is in `mutants.py`. Those that change nothing a test could
notice are in `equivalent.txt`, and not tried.
"""

from __future__ import annotations

import argparse
import importlib
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path

from mutants import Mutant, mutants

ROOT = Path(__file__).parents[1]
#: Module (or package) -> the tests that are to notice what is wrong with it, the quickest first.
TARGETS: Mapping[str, Sequence[str]] = {
    "_kms/policy": (
        *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests/kms/policy").glob("test_*.py")),
        "tests/kms/policy/conditions",
        "tests/kms/policy/literal/test_differential.py",
    ),
    "_kms/permissions": (
        "tests/kms/permissions",
        "tests/kms/operations/management/test_grants.py",
        "tests/kms/operations/management/test_grants_and_iam.py",
        "tests/testing/policies/test_explanation.py",
        "tests/kms/call/test_consistency.py",
        "tests/testing/identity/test_iam_console.py",
    ),
    "_kms/rules/key_states.py": (
        "tests/kms/rules/test_key_state_table.py",
        "tests/kms/rules/test_key_state_machine.py",
        "tests/kms/operations/management/test_custom_key_stores.py",
    ),
    "_kms/formats/ciphertext_blob.py": (
        "tests/kms/formats/test_ciphertext_blob_framing.py",
        "tests/kms/formats/test_ciphertext_blob.py",
    ),
    "_kms/api/validation.py": ("tests/kms/api", "tests/kms/operations/test_targets.py"),
}
#: Plugins that were imported before pytest could rewrite their assertions.
_IGNORED = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
#: Without what makes runs differ or costs time; examples that hypothesis remembers would tell one mutant from another.
PYTEST = (
    "-x",
    "-q",
    "--no-header",
    "--tb=no",
    "-p",
    "no:randomly",
    "-p",
    "no:cacheprovider",
    "-m",
    "not slow",
    *_IGNORED,
)
SURVIVED, FAILED, LIMIT_SECONDS = 0, 1, 300


def main() -> int:
    """Run the command line. The exit code is 0: survivors are for people to look at."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=25, help="stop after as long (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="which sample is tried first (default: %(default)s)")
    parser.add_argument("--only", default="", metavar="TEXT", help="files whose path contains it")
    given = parser.parse_args()
    os.chdir(ROOT)
    _preload()
    named = {mutant: _name_of(mutant) for target in TARGETS for mutant in _mutants_of(target)}
    equivalent = _equivalent()
    for edit, line in equivalent.difference(named.values()):
        print(f"tools/equivalent.txt has what is no mutant any more: {edit} in {line}")
    found = [mutant for mutant, name in named.items() if given.only in mutant.path and name not in equivalent]
    random.Random(given.seed).shuffle(found)
    tests = {mutant.path: tests for mutant in found for target, tests in TARGETS.items() if target in mutant.path}
    for path, selected in {selected: path for path, selected in tests.items()}.items():
        if _try(Mutant(selected, 0, "nothing", Path("src/pytest_kmsmock", selected).read_text()), path) != SURVIVED:
            print(f"The tests {', '.join(path)} fail without any edit.")
            return 1
    end, outcomes, survivors = time.monotonic() + 60 * given.minutes, Counter[str](), []
    for mutant in found:
        if time.monotonic() > end:
            break
        outcome = _try(mutant, tests[mutant.path])
        outcomes["survived" if outcome == SURVIVED else "killed"] += 1
        if outcome == SURVIVED:
            survivors.append(mutant)
            print(mutant, flush=True)
    print(f"{sum(outcomes.values())} of {len(found)} mutants tried: {dict(outcomes)}")
    for path, count in sorted(Counter(mutant.path for mutant in survivors).items()):
        print(f"  {path}: {count} survived")
    return 0


def _equivalent() -> set[tuple[str, str]]:
    """Return the mutants of `equivalent.txt`: a block has what is printed of one, its line of source, and why."""
    text = (ROOT / "tools/equivalent.txt").read_text(encoding="utf-8")
    return {(first, second.strip()) for first, second, *_ in map(str.splitlines, text.strip().split("\n\n"))}


def _name_of(mutant: Mutant) -> tuple[str, str]:
    """Return a mutant as `equivalent.txt` has it: by its line of source, since numbers and comments change."""
    lines = (ROOT / "src/pytest_kmsmock" / mutant.path).read_text(encoding="utf-8").splitlines()
    return f"{mutant.path}: {mutant.edit}", lines[mutant.line - 1].partition("  # ")[0].strip()


def _mutants_of(target: str) -> list[Mutant]:
    path = ROOT / "src/pytest_kmsmock" / target
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*.py") if file.name != "__init__.py")
    return [
        mutant
        for file in files
        for mutant in mutants(file.read_text(encoding="utf-8"), str(file.relative_to(ROOT / "src/pytest_kmsmock")))
    ]


def _preload() -> None:
    """Import what every run needs and no mutant changes, once."""
    import boto3  # noqa: F401
    import botocore.session
    import cryptography.hazmat.primitives.asymmetric.rsa
    import hypothesis.stateful
    import pytest  # noqa: F401

    del botocore, cryptography, hypothesis
    assert "pytest_kmsmock" not in sys.modules


def _try(mutant: Mutant, tests: Sequence[str]) -> int:
    """Return the exit code of pytest with an edited module; of a run that takes too long, one that is not 0."""
    child = os.fork()
    if child == 0:
        signal.alarm(LIMIT_SECONDS)  # ends this process: nobody catches SIGALRM
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        try:
            import pytest

            module = "pytest_kmsmock." + mutant.path.removesuffix(".py").replace("/", ".")
            sys.meta_path.insert(0, _Edited(module, ROOT / "src/pytest_kmsmock" / mutant.path, mutant.source))
            importlib.import_module(module)  # before pytest does, whose import hook would come first
            code = int(pytest.main([*PYTEST, *tests]))
        except BaseException:
            code = FAILED
        os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


class _Edited(MetaPathFinder, SourceLoader):  # type: ignore[misc]  # its bases in typeshed disagree
    """Finds one module, with another source than its file has."""

    def __init__(self, name: str, path: Path, source: str) -> None:
        self._name, self._path, self._source = name, path, source

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
        if fullname != self._name:
            return None
        return spec_from_loader(fullname, self, origin=str(self._path))

    def get_filename(self, fullname: str) -> str:  # noqa: ARG002
        return str(self._path)

    def get_data(self, path: str) -> bytes:  # noqa: ARG002
        return self._source.encode()


if __name__ == "__main__":
    sys.exit(main())
