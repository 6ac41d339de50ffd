"""A suite that was written for moto alone passes beside the mock, but for the tests that pass wrongly."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SUITE = Path(__file__).parent / "moto_suite"

#: Tests that pass with moto alone, and why AWS refuses what they do.
WRONG = {
    "test_a_role_that_may_only_encrypt_decrypts": "no policy of the role allows kms:Decrypt",
    "test_a_role_without_policies_describes_a_key": "no policy of the role allows kms:DescribeKey",
    "test_a_disabled_key_encrypts": "a disabled key cannot be used: DisabledException",
    "test_an_object_with_a_key_that_does_not_exist": "S3 cannot find the key: KMS.NotFoundException",
}

ADDED = {
    "moto inside": "def kms_beside(kms_mock): ...",
    "moto outside": "def kms_beside(aws, kms_mock): ...",
}


def run(tmp_path: Path, added: str | None) -> tuple[set[str], int]:
    """Run the suite; return the names of the tests that fail, and how many pass."""
    place = ["-c", "/dev/null", f"--rootdir={SUITE}", f"--confcutdir={SUITE}"]  # a project of its own
    arguments = ["-q", "-p", "no:randomly", "-p", "no:cacheprovider", "--tb=line", *place, str(SUITE)]
    if added is None:
        arguments = ["-p", "no:kmsmock", *arguments]
    else:
        (tmp_path / "beside.py").write_text(f"import pytest\n\n\n@pytest.fixture(autouse=True)\n{added}\n")
        arguments = ["-p", "beside", *arguments]
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import pytest; sys.exit(pytest.main({arguments!r}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed, done.stdout + done.stderr
    return set(re.findall(r"FAILED \S+::(\w+)", done.stdout)), int(passed[1])


def test_the_suite_passes_with_moto_alone(tmp_path):
    failed, passed = run(tmp_path, None)
    assert failed == set()
    assert passed >= 30


@pytest.mark.parametrize("order", ADDED)
def test_it_passes_unchanged_but_for_what_aws_refuses(tmp_path, order):
    failed, _ = run(tmp_path, ADDED[order])
    assert failed == WRONG.keys()
