"""What a release contains: the wheel has the package alone, the sdist all that contributors are told to run."""

from __future__ import annotations

import re
import shutil
import subprocess
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from hatchling import build

ROOT = Path(__file__).parents[1]
#: What the repository's host reads, and nobody else.
FOR_THE_HOST = (".ci/", ".github/", ".readthedocs.yaml")


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        build.build_wheel(str(folder))
        build.build_sdist(str(folder))
    return folder


@pytest.fixture(scope="module")
def wheel(archives: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(next(archives.glob("*.whl")))


@pytest.fixture(scope="module")
def sdist_names(archives: Path) -> set[str]:
    with tarfile.open(next(archives.glob("*.tar.gz"))) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


def test_the_wheel_has_the_package_and_nothing_else(wheel):
    source = {
        str(path.relative_to(ROOT / "src"))
        for path in (ROOT / "src").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    names = set(wheel.namelist())
    assert {name for name in names if ".dist-info/" not in name} == source
    assert "pytest_kmsmock/py.typed" in names


def test_the_wheel_registers_plugin_and_command(wheel):
    found = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert wheel.read(found).decode().split() == [
        "[console_scripts]", "pytest-kmsmock", "=", "pytest_kmsmock._cli.main:main",
        "[pytest11]", "kmsmock", "=", "pytest_kmsmock.plugin",
    ]  # fmt: skip


def test_the_wheel_tells_its_license_and_what_it_needs(wheel):
    names = wheel.namelist()
    metadata = Parser().parsestr(wheel.read(next(name for name in names if name.endswith("/METADATA"))).decode())
    assert metadata["License-Expression"] == "MIT"
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    needed = {re.split(r"[^\w-]", text)[0] for text in metadata.get_all("Requires-Dist") if "extra ==" not in text}
    assert needed == {"botocore", "cryptography", "pytest", "responses"}
    extras = {"aio", "algorithms", "boto3", "conformance", "iac", "nitro", "seeds", "server"}
    assert set(metadata.get_all("Provides-Extra")) == extras


def test_the_sdist_has_every_file_of_the_repository(sdist_names):
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("not in a clone: nothing tells which files there should be")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    files = {name for name in listed.stdout.splitlines() if (ROOT / name).exists()}
    assert {name for name in files if not name.startswith(FOR_THE_HOST)} - sdist_names == set()


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "RELEASING.md", "README.md"])
def test_what_a_page_links_to_is_in_the_sdist(sdist_names, page):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (ROOT / page).read_text(encoding="utf-8"))
    assert [link for link in links if link not in sdist_names] == []


def test_every_command_that_contributors_are_told_is_a_target(sdist_names):
    assert "Makefile" in sdist_names
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    pages = [ROOT / "CONTRIBUTING.md", ROOT / "RELEASING.md", ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    told = {
        name for page in pages for name in re.findall(r"\bmake ([a-z]+)\b(?=`|   )", page.read_text(encoding="utf-8"))
    }
    assert "test" in told
    assert told - targets == set()
