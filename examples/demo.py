"""What `make demo` shows: a script, and an application's test suite, both against the mock and without a network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from rich.console import Console
from script import main as script

HERE = Path(__file__).parent


def main() -> int:
    """Run the example script, then the test suite of the example application."""
    console = Console(width=110)
    console.rule("[bold]examples/script.py: the mock as a context manager")
    script(console)
    console.rule("[bold]examples/payroll: the tests of an application that knows nothing of the mock")
    suite = [sys.executable, "-m", "pytest", "-v", "-p", "no:randomly", "-p", "no:cacheprovider", "--color=yes"]
    return subprocess.run([*suite, "--kms-report", "test_payroll.py"], cwd=HERE / "payroll", check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main())
