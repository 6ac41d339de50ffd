"""Keys that are slow to generate."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pytest_kmsmock._kms.api.key_specs import KEY_SPECS
from pytest_kmsmock._kms.crypto import Material, generate


@pytest.fixture(scope="session")
def rsa_keys() -> Mapping[str, Material]:
    """One key of each RSA spec for the whole run."""
    return {name: generate(spec) for name, spec in KEY_SPECS.items() if spec.family == "rsa"}
