"""Keys that are slow to make."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pytest_kmsmock.service.material import Material, generate
from pytest_kmsmock.service.specs import KEY_SPECS


@pytest.fixture(scope="session")
def rsa_keys() -> Mapping[str, Material]:
    """One key of each RSA spec for the whole run."""
    return {name: generate(spec) for name, spec in KEY_SPECS.items() if spec.family == "rsa"}
