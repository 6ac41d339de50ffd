"""What the tests of conformance share."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_kmsmock._conformance import scenario_files

SOURCES = "sources:\n  seen: {mark: recorded, date: 2026-09, title: a capture}\n"


@pytest.fixture
def scenarios_of(tmp_path: Path):
    """Give a function that reads the scenarios of a text; a source `seen` is known."""

    def read(text: str):
        file = tmp_path / "mine.yaml"
        file.write_text(SOURCES + text)
        return scenario_files.read_folder(file)

    return read
