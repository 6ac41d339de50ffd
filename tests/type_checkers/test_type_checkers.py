"""mypy --strict and pyright accept tests that use the public API, with stubs of boto3 and without."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest

from .conftest import PYRIGHT, STUBS

SUITE = Path(__file__).with_name("typical_tests.py")
#: What a user has besides the stubs; the packages that these need are not imported by the tests that are checked.
INSTALLED = (
    "_pytest", "aiobotocore", "boto3", "botocore", "pluggy", "pytest", "pytest_kmsmock", "typing_extensions.py",
)  # fmt: skip
CHECKERS = {
    "mypy": lambda python: [sys.executable, "-m", "mypy", "--strict", "--python-executable",
                            str(python), "--disable-error-code", "import-untyped"],
    "pyright": lambda python: [str(PYRIGHT), "--pythonpath", str(python)],
}  # fmt: skip


def environment(folder: Path, stubs: str | None) -> Path:
    """Make an environment with only what a user has; return its interpreter."""
    venv.create(folder, symlinks=True)
    site = next(folder.glob("lib/python*/site-packages"))
    places = [Path(each) for each in sys.path if each]
    for name in INSTALLED:
        found = next((place / name for place in places if (place / name).exists()), None)
        if found is not None:
            (site / name).symlink_to(found.resolve())
    for found in (STUBS / stubs).iterdir() if stubs is not None else ():
        if not (site / found.name).exists():
            (site / found.name).symlink_to(found)
    return folder / "bin" / "python"


@pytest.fixture(scope="session", autouse=True)
def shared_cache(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MYPY_CACHE_DIR", str(tmp_path_factory.mktemp("mypy")))
        yield


def check(checker: str, tmp_path: Path, stubs: str | None, source: str) -> subprocess.CompletedProcess[str]:
    python = environment(tmp_path / "environment", stubs)
    suite = tmp_path / "suite"
    suite.mkdir()
    (suite / "test_suite.py").write_text(source)
    (suite / "pyrightconfig.json").write_text('{"typeCheckingMode": "standard", "reportMissingModuleSource": "none"}')
    return subprocess.run(
        [*CHECKERS[checker](python), "test_suite.py"], cwd=suite, capture_output=True, text=True, check=False
    )


#: The two packages of stubs have the same content.
@pytest.mark.parametrize("stubs", ["types-boto3", pytest.param("boto3-stubs", marks=pytest.mark.slow), None])
@pytest.mark.parametrize("checker", CHECKERS)
def test_typical_tests_pass(checker: str, tmp_path: Path, stubs: str | None):
    result = check(checker, tmp_path, stubs, SUITE.read_text())
    assert result.returncode == 0, result.stdout + result.stderr
    client, decorated = (line for line in result.stdout.splitlines() if "test_suite.py:" in line)
    assert ("KMSClient" in client) == (stubs is not None), client
    assert "int" in decorated
    assert "str" in decorated


@pytest.mark.parametrize("checker", CHECKERS)
def test_what_is_wrong_is_found(checker: str, tmp_path: Path):
    result = check(checker, tmp_path, "types-boto3", """
from pytest_kmsmock import KmsMock, mock_kms

def test_it(kms_mock: KmsMock) -> None:
    kms_mock.client().encrypt(KeyId=1, Plaintext=b"")
    kms_mock.create_key(KeySpec="RSA_2048")
    mock_kms(regoin="eu-west-1")
    kms_mock.answer()
""")  # fmt: skip
    assert result.returncode == 1
    assert [line for line in range(1, 9) if f"test_suite.py:{line}:" in result.stdout] == [5, 6, 7, 8], result.stdout
