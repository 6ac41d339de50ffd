"""The pages of docs/fidelity that are made from the scenarios are those that `make fidelity` would write now."""

from __future__ import annotations

import importlib.util
import re
from importlib import metadata
from pathlib import Path

import pytest

from pytest_kmsmock._conformance import scenario_files

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("fidelity", ROOT / "tools" / "fidelity.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pages_of_operations_are_current(tool):
    made = tool.pages(scenario_files.read_folder())
    for name, text in made.items():
        assert (tool.FOLDER / name).read_text(encoding="utf-8") == text, f"{name} is not current: make fidelity"
    there = {f"operations/{page.name}" for page in (tool.FOLDER / "operations").glob("*.md")}
    assert there == {name for name in made if name.startswith("operations/")}


@pytest.mark.slow
def test_the_page_of_moto_is_current(tool):
    committed = (tool.FOLDER / tool.MOTO_PAGE).read_text(encoding="utf-8")
    if metadata.version("moto") not in committed:
        pytest.skip("the page counts another release of moto")
    assert tool.moto_page(scenario_files.read_folder()) == committed


def test_exact_claims_have_a_source():
    for page in (ROOT / "docs" / "fidelity").glob("*.md"):
        for line in re.findall(r"^.*\bExact\b.*$", page.read_text(encoding="utf-8"), re.MULTILINE):
            assert re.search(r"\bExact,? by\b", line), f"{page.name} says {line!r} without a source"
