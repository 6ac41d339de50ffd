"""Deployments of what a test writes down: templates, plans and states as text or data, in a file of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_kmsmock import mock_kms
from pytest_kmsmock._iac import unknowns
from pytest_kmsmock._iac.deployment import load
from pytest_kmsmock._iac.files import DeployOptions
from pytest_kmsmock._iac.model import Deployment

DATA = Path(__file__).parent / "data"
ACCOUNT, REGION = "123456789012", "us-east-1"
HERE = DeployOptions(ACCOUNT, REGION)


@pytest.fixture(autouse=True)
def nothing_to_tell() -> Iterator[None]:
    """What these tests do not understand on purpose is no news at the end of the run."""
    yield
    unknowns.take()


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """Write a file, text or data, and return its path."""

    def write(name: str, content: Any) -> str:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))
        return str(file)

    return write


@pytest.fixture
def resources(write: Callable[..., str]) -> Callable[..., Deployment]:
    """Read a template with some resources, and other sections by name."""

    def resources(declared: dict[str, Any], given: DeployOptions = HERE, **sections: Any) -> Deployment:
        return load([write("app.template.json", {**sections, "Resources": declared})], given)

    return resources


@pytest.fixture
def deployed(write: Callable[..., str]) -> Iterator[Callable[..., Any]]:
    """Enter a mock with what a template with some resources declares."""
    entered = []

    def deployed(declared: dict[str, Any], **sections: Any) -> Any:
        mock = mock_kms(seed=write("app.template.json", {**sections, "Resources": declared}))
        kms = mock.start()
        entered.append(mock)
        return kms

    yield deployed
    for mock in reversed(entered):
        mock.stop()


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def reasons(deployment: Deployment, *, decides: bool | None = None) -> list[str]:
    """Return what was not understood, without the place."""
    return [each.reason for each in deployment.unknowns if decides in (None, each.decides)]
