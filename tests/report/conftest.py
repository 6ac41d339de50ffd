"""A pytest run inside a test, as a user's would be."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

# A run in this process forgets the modules that it imported; hooks in botocore must not be registered twice.
import moto.core  # noqa: F401
import pytest

import pytest_kmsmock._mock.kms_mock  # noqa: F401


@pytest.fixture
def run(pytester: pytest.Pytester, few_plugins: None):
    """Run a test file in this process and return the result."""

    def run_file(source: str, *arguments: str, ini: str = "") -> pytest.RunResult:
        pytester.makeini(f"[pytest]\n{ini}")
        pytester.makepyfile(test_it=source)
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", *arguments)

    return run_file


@pytest.fixture
def page_data():
    """Read the data out of a page."""

    def read(page: str | Path) -> dict[str, Any]:
        text = page.read_text(encoding="utf-8") if isinstance(page, Path) else page
        found = re.search(r'<script id="data" type="application/json">(.*?)</script>', text, re.DOTALL)
        assert found is not None
        return json.loads(found[1])

    return read
