"""Processes as users start them: with the bytecode of all modules in place, as it is where packages are installed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time


def run_python(*arguments: str) -> tuple[float, str]:
    """Run Python in an empty folder; return the seconds from the start of the process to its end, and its output.

    The first process of a kind may write bytecode: take the least of several.
    """
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, *arguments]
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True, cwd=folder)
        seconds = time.perf_counter() - start
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    return seconds, done.stdout
