"""Another language: the AWS SDK for JavaScript against the HTTP endpoint, its signatures checked."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
INSTALLED = HERE.parents[1] / ".make" / "node"


@pytest.mark.skipif(
    shutil.which("node") is None or not (INSTALLED / "node_modules" / "@aws-sdk" / "client-kms").exists(),
    reason="node or the AWS SDK for JavaScript is not installed: make .make/node/installed",
)
@pytest.mark.parametrize("tls", [False, True], ids=["http", "tls"])
def test_a_program_in_javascript(kms_mock, tmp_path, tls):
    # Node looks for packages beside the script.
    script = tmp_path / "round_trip.mjs"
    shutil.copy(HERE / script.name, script)
    (tmp_path / "node_modules").symlink_to(INSTALLED / "node_modules")
    before = kms_mock.create_key().id
    with kms_mock.serve(check_signatures=True, tls=tls) as server:
        result = subprocess.run(
            [shutil.which("node"), script],
            env={"HOME": str(tmp_path), **server.environment},
            capture_output=True,
            text=True,
            check=False,
        )
    assert result.returncode == 0, result.stderr
    printed = json.loads(result.stdout)
    assert sorted(printed["ids"]) == sorted([before, printed["made"]])
    assert kms_mock.keys[printed["made"]].description == "from node"
