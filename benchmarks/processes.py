"""Processes as users start them: with the bytecode of all modules in place, as it is where packages are installed."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import tempfile
import time


@functools.cache
def _bytecode() -> tempfile.TemporaryDirectory[str]:
    """Return the folder that holds bytecode until this process ends."""
    return tempfile.TemporaryDirectory()


def run_python(*arguments: str) -> tuple[float, str]:
    """Run Python; return the seconds from the start of the process to its end, and its output."""
    folder = _bytecode().name
    environment = os.environ | {
        "PYTHONPYCACHEPREFIX": folder, "PYTHONDONTWRITEBYTECODE": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }  # fmt: skip
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments], check=False, env=environment, capture_output=True, text=True, cwd=folder
    )
    seconds = time.perf_counter() - start
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    return seconds, done.stdout
