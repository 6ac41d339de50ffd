"""Keys that are slow to make, and the `openssl` command as the independent implementation."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from pytest_kmsmock.service.material import Material, generate
from pytest_kmsmock.service.specs import KEY_SPECS

OpenSsl = Callable[..., bytes]


@pytest.fixture(scope="session")
def rsa_keys() -> Mapping[str, Material]:
    """One key of each RSA spec for the whole run."""
    return {name: generate(spec) for name, spec in KEY_SPECS.items() if spec.family == "rsa"}


@pytest.fixture
def openssl(tmp_path: Path) -> OpenSsl:
    """Run ``openssl`` with files: keyword arguments are written to files and replace ``{name}`` in the arguments."""

    def run(*arguments: str, check: bool = True, **files: bytes) -> bytes:
        paths = {}
        for name, content in files.items():
            paths[name] = tmp_path / name
            paths[name].write_bytes(content)
        command = ["openssl", *(argument.format(**paths) for argument in arguments)]
        return subprocess.run(command, check=check, capture_output=True).stdout

    return run
