"""What the package says it supports is what `noxfile.py` and the workflow test."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path

import nox.project
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[1]
WORKFLOW = ROOT / ".github/workflows/tests.yml"
NOXFILE = runpy.run_path(str(ROOT / "noxfile.py"))
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")["project"]


@pytest.fixture(scope="module")
def sessions() -> list[dict[str, str]]:
    command = [sys.executable, "-m", "nox", "--noxfile", str(ROOT / "noxfile.py"), "--list", "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout)


def pinned(name: str) -> dict[str, Version]:
    """Return the versions that a session installs, by package: of the list of that name in the noxfile."""
    found = map(Requirement, NOXFILE[name])
    return {each.name: Version(next(iter(each.specifier)).version) for each in found}


def lower_bound(requirement: Requirement) -> Version:
    return Version(next(part.version for part in requirement.specifier if part.operator == ">="))


def test_every_supported_python_is_tested(sessions):
    tested = [each["python"] for each in sessions if each["name"] == "newest"]
    named = [text.rpartition(" ")[2] for text in PROJECT["classifiers"] if text[:-1].endswith((":: 3.", ":: 3.1"))]
    assert tested == named
    assert PROJECT["requires-python"] == f">={tested[0]}"


@pytest.mark.skipif(not WORKFLOW.exists(), reason="source archives have no workflow")
def test_the_workflow_runs_every_session(sessions):
    matrix = yaml.safe_load(WORKFLOW.read_text())["jobs"]["matrix"]
    assert sorted(matrix["strategy"]["matrix"]["session"]) == sorted(each["session"] for each in sessions)
    setup = next(step["with"] for step in matrix["steps"] if "setup-python" in step.get("uses", ""))
    assert setup["python-version"].split() == [each["python"] for each in sessions if each["name"] == "newest"]


@pytest.mark.parametrize("text", PROJECT["dependencies"])
def test_the_lower_bound_of_a_dependency_is_tested(text):
    requirement = Requirement(text)
    assert pinned("CORE")[requirement.name] == lower_bound(requirement)


def test_the_lower_bound_of_the_extra_algorithms_is_tested():
    cryptography = Requirement(PROJECT["optional-dependencies"]["algorithms"][0])
    assert pinned("OLDEST")[cryptography.name] == lower_bound(cryptography)


def test_the_tests_that_sessions_leave_out_exist():
    left_out = [
        *NOXFILE["OLDEST_LACKS"],
        *(f"{file}::{name}" for file, names in NOXFILE["MOTO_LACKS"].items() for name in names),
    ]
    for name in left_out:
        file, _, test = name.partition("::")
        assert f"def {test.partition('[')[0]}" in (ROOT / file).read_text(), name
