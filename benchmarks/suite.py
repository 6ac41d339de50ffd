"""A whole suite: tests that each create a key and use it, run by pytest as users run theirs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TESTS = 2_000
#: moto's suites are small ones, of which the time of a large one follows: it grows with the number of tests.
MOTO_TESTS = (50, 250)

_BODY = """
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    blob = client.encrypt(KeyId=key_id, Plaintext=b"secret", EncryptionContext={"test": str(number)})["CiphertextBlob"]
    assert client.decrypt(CiphertextBlob=blob, EncryptionContext={"test": str(number)})["Plaintext"] == b"secret"
"""
_OURS = f"""
import pytest

@pytest.mark.parametrize("number", range(COUNT))
def test_round_trip(kms_client, number):
    client = kms_client{_BODY}
"""
_MOTO = f"""
import boto3
import pytest
from moto import mock_aws

@pytest.fixture
def client():
    with mock_aws():
        yield boto3.client("kms", region_name="us-east-1")

@pytest.mark.parametrize("number", range(COUNT))
def test_round_trip(client, number):{_BODY}
"""


def _run(tests: str, count: int, *arguments: str) -> float:
    """Return the seconds that a suite takes, from the start of the process to its end."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "test_suite.py").write_text(tests.replace("COUNT", str(count)))
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments, folder]
        environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        start = time.perf_counter()
        run = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
        seconds = time.perf_counter() - start
    assert f"{count} passed" in run.stdout, (run.stdout + run.stderr)[-2000:]
    return seconds


def suites() -> dict[str, tuple[float, float]]:
    """Return the seconds of the suite under this mock and under moto, in one process and in two."""
    result = {}
    for name, parallel in {"one process": (), "-n 2": ("-p", "xdist", "-n", "2")}.items():
        mine = _run(_OURS, TESTS, "-p", "pytest_kmsmock.plugin", *parallel)
        few, more = (_run(_MOTO, count, *parallel) for count in MOTO_TESTS)
        each = (more - few) / (MOTO_TESTS[1] - MOTO_TESTS[0])
        result[name] = (mine, few + each * (TESTS - MOTO_TESTS[0]))
    return result
