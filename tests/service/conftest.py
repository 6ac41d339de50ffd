"""The `openssl` command as the independent implementation."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

OpenSsl = Callable[..., bytes]


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
