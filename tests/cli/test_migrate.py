"""The command `pytest-kmsmock migrate`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pytest_kmsmock._cli.main import main

OLD = "from moto import mock_kms\n"
NEW = "from pytest_kmsmock import mock_kms\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "test_old.py").write_text(OLD)
    (tmp_path / "test_s3.py").write_text("from moto import mock_aws\n\nwith mock_aws(): ...\n")
    (tmp_path / "test_other.py").write_text("def test_it(): ...\n")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "moto.py").write_text(OLD)
    return tmp_path


def test_files_of_a_folder_are_rewritten(folder: Path, capsys):
    assert main(["migrate", str(folder)]) == 0
    assert (folder / "test_old.py").read_text() == NEW
    assert (folder / ".venv" / "moto.py").read_text() == OLD
    assert capsys.readouterr().out.splitlines() == [
        "1 file rewritten, 0 places to check.",
        "1 file with mock_aws left unchanged: no use of KMS there (--all adds mock_kms).",
    ]
    assert main(["migrate", "--all", str(folder)]) == 0
    assert "with mock_aws(), mock_kms(): ..." in (folder / "test_s3.py").read_text()
    assert capsys.readouterr().out.splitlines() == ["1 file rewritten, 0 places to check."]


def test_check_and_diff_change_nothing(folder: Path, capsys):
    assert main(["migrate", "--check", str(folder)]) == 1
    assert main(["migrate", "--diff", str(folder / "test_old.py")]) == 0
    assert (folder / "test_old.py").read_text() == OLD
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "1 file would be rewritten, 0 places to check."
    assert [line for line in lines if line[:1] in "+-"] == [
        f"--- {folder}/test_old.py", f"+++ {folder}/test_old.py", f"-{OLD.strip()}", f"+{NEW.strip()}",
    ]  # fmt: skip
    main(["migrate", str(folder)])
    assert main(["migrate", "--check", str(folder)]) == 0


def test_unreadable_files_are_errors_and_unchanged(tmp_path: Path, capsys):
    (tmp_path / "test_bytes.py").write_bytes(b"# caf\xe9\nfrom moto import mock_kms\n")
    (tmp_path / "test_syntax.py").write_text("from moto import mock_kms\nx = (\n")
    (tmp_path / "test_old.py").write_text(OLD)
    assert main(["migrate", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert err.splitlines() == [
        f"{tmp_path}/test_bytes.py:1: save it as UTF-8 and run migrate again: it was not read",
        f"{tmp_path}/test_syntax.py:2: fix the syntax ('(' was never closed) and run migrate again: it was not read",
    ]
    assert out == "1 file rewritten, 0 places to check.\n"
    assert (tmp_path / "test_old.py").read_text() == NEW


def test_a_file_without_permission_is_an_error(tmp_path: Path, capsys, monkeypatch):
    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    file = tmp_path / "test_it.py"
    file.write_text(OLD)
    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert main(["migrate", str(file)]) == 2
    assert capsys.readouterr().err == f"{file}:1: make it readable and run migrate again: Permission denied\n"


def test_a_folder_without_python_files_is_refused(tmp_path: Path, capsys):
    assert main(["migrate", str(tmp_path)]) == 2
    told = f"pytest-kmsmock: migrate: there are no Python files in {tmp_path}; give the folder of the tests\n"
    assert capsys.readouterr() == ("", told)


def test_a_place_to_check_has_its_line(tmp_path: Path, capsys):
    file = tmp_path / "test_it.py"
    file.write_text("import boto3\nfrom moto import mock_aws\nmock = mock_aws()\nboto3.client('kms')\n")
    assert main(["migrate", str(file)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{file}:3: start and stop a mock_kms() here too, or use the fixture kms_mock, or @mock_kms on the class",
        "0 files rewritten, 1 place to check.",
    ]


def test_a_path_that_does_not_exist_is_refused(tmp_path: Path, capsys):
    assert main(["migrate", str(tmp_path / "missing")]) == 2
    assert "migrate: there is no file or folder" in capsys.readouterr().err


def test_fixtures_of_a_conftest_are_rewritten_for_who_uses_kms(tmp_path: Path):
    fixture = "import pytest\nfrom moto import mock_aws\n\ndef aws():\n    with mock_aws():\n        yield\n"
    for name, service in (("orders", "kms"), ("pictures", "s3")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "conftest.py").write_text(fixture)
        (tmp_path / name / "test_it.py").write_text(f"def test_it(aws):\n    boto3.client({service!r})\n")
    assert main(["migrate", str(tmp_path)]) == 0
    assert "mock_kms()" in (tmp_path / "orders" / "conftest.py").read_text()
    assert (tmp_path / "pictures" / "conftest.py").read_text() == fixture


def test_a_suite_for_moto_passes_before_and_after(tmp_path: Path, few_plugins: None):
    (tmp_path / "conftest.py").write_text(
        "import boto3, pytest\nfrom moto import mock_aws\n\n\n"
        "@pytest.fixture\ndef aws():\n    with mock_aws():\n        yield boto3.Session(region_name='us-east-1')\n"
    )
    (tmp_path / "test_it.py").write_text(
        "import boto3\nimport unittest\nfrom moto import mock_aws\n\n\n"
        "def test_fixture(aws):\n"
        "    key = aws.client('kms').create_key()['KeyMetadata']['KeyId']\n"
        "    assert aws.client('kms').encrypt(KeyId=key, Plaintext=b'x')['KeyId'].endswith(key)\n\n\n"
        "@mock_aws\nclass TestCase(unittest.TestCase):\n"
        "    def test_it(self):\n"
        "        assert boto3.client('s3', region_name='us-east-1').list_buckets()['Buckets'] == []\n"
        "        assert boto3.client('kms', region_name='us-east-1').list_keys()['Keys'] == []\n"
    )

    def run() -> str:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout

    assert "2 passed" in run()
    assert main(["migrate", str(tmp_path)]) == 0
    assert "@mock_kms\n@mock_aws" in (tmp_path / "test_it.py").read_text()
    assert "2 passed" in run()
