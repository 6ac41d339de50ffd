"""Settings for this project's own tests."""

from __future__ import annotations

import gc
from collections.abc import Generator

import pytest
from hypothesis import settings

# Tests do not time what they test: on a busy machine anything may take long. `make slow` looks for more examples.
settings.register_profile("quick", deadline=None, max_examples=30)
settings.register_profile("thorough", deadline=None, max_examples=500)
settings.load_profile("quick")

# Thousands of tests are objects that stay: looking for garbage among them took a third of the time of the tests.
GARBAGE_THRESHOLD = 20_000


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect tests without garbage collection, and leave what was collected out of it from then on."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(GARBAGE_THRESHOLD)
        gc.enable()


@pytest.fixture(autouse=True)
def _no_credentials_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run as on a machine that has no AWS credentials or configuration, whatever this one has."""
    for name in (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
        "AWS_DEFAULT_REGION",
    ):
        monkeypatch.delenv(name, raising=False)
    # Files that nobody can make, not even a test that runs as root.
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null/none")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null/none")
