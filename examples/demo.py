"""What `make demo` shows: a script, and an application's test suite, both against the mock and without a network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from rich.console import Console
from script import main as script

HERE = Path(__file__).parent


def main() -> int:
    """Run the example script, then the test suites of the example applications."""
    console = Console(width=110)
    console.rule("[bold]examples/script.py: the mock as a context manager")
    script(console)
    console.rule("[bold]examples/payroll: the tests of an application that knows nothing of the mock")
    suite = [sys.executable, "-m", "pytest", "-v", "-p", "no:randomly", "-p", "no:cacheprovider", "--color=yes"]
    payroll = subprocess.run([*suite, "--kms-report", "test_payroll.py"], cwd=HERE / "payroll", check=False).returncode
    console.rule("[bold]examples/documents: a role that forgets kms:Decrypt fails in S3, and the report says why")
    forgets = [*suite, "--tb=line", "test_documents.py"]
    documents = subprocess.run(forgets, cwd=HERE / "documents", check=False).returncode
    console.rule("[bold]examples/deployed: the role of a template forgets kms:Decrypt, and the report names the line")
    checked = [*suite, "--tb=line", "--kms-policy-diff", "test_deployed.py"]
    deployed = subprocess.run(checked, cwd=HERE / "deployed", check=False).returncode
    console.rule("[bold]pytest-kmsmock check-policies: the same without a test")
    asked = ["--as", "WorkerRole", "--do", "kms:Decrypt", "--on", "Key", "--via", "s3"]
    command = [sys.executable, "-m", "pytest_kmsmock", "check-policies", "template.yaml", *asked]
    refused = subprocess.run(command, cwd=HERE / "deployed", check=False).returncode
    # One test of each fails, and the command says no, which is what the demo shows.
    return payroll or (0 if (documents, deployed, refused) == (1, 1, 1) else 1)


if __name__ == "__main__":
    raise SystemExit(main())
