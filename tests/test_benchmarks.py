"""That `make bench` runs, and that the page about performance has its tables."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COMPARE = ROOT / "benchmarks" / "compare.py"
TOPICS = re.findall(r'^    "([\w-]+)": \w+\.\w*tables,$', COMPARE.read_text(), re.MULTILINE)


def tables(text: str) -> dict[str, list[list[str]]]:
    """Return the tables of a Markdown text by the heading before: the heads of each, and what its rows are about."""
    found: dict[str, list[list[str]]] = {}
    title = ""
    for line in text.splitlines():
        if line.startswith("## "):
            title = line.removeprefix("## ")
        elif line.startswith("|") and not line.startswith("|-"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            found.setdefault(title, []).append(cells[:1] if title in found else cells)
    return found


PAGE = tables((ROOT / "docs" / "performance.md").read_text())


#: Each takes seconds even once: RSA keys of moto, and suites of it.
SLOW = {"cycles", "large-suite"}


@pytest.mark.parametrize(
    "topic", [pytest.param(topic, marks=pytest.mark.slow if topic in SLOW else ()) for topic in TOPICS]
)
def test_a_benchmark_runs_and_its_tables_are_on_the_page(topic, tmp_path):
    for needed in ("boto3", "moto", "xdist"):
        pytest.importorskip(needed)
    page = tmp_path / "page.md"
    page.write_text((ROOT / "docs" / "performance.md").read_text())
    command = [sys.executable, str(COMPARE), "--smoke", topic, "--page", str(page)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    measured = tables(run.stdout)
    assert measured
    assert {title: PAGE.get(title) for title in measured} == measured
    assert tables(page.read_text()) == PAGE
