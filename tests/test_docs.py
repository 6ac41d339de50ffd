"""Every example in README, docs and docstrings runs."""

from __future__ import annotations

import ast
import doctest
import importlib
import json
import pkgutil
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import pytest_kmsmock
from pytest_kmsmock._cli.main import main
from pytest_kmsmock._runtime.options import HELP, Options

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"(?:^<!-- needs: (.*?) -->\n)?^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
MODULES = [
    module.name
    for module in pkgutil.walk_packages(pytest_kmsmock.__path__, "pytest_kmsmock.")
    if not module.name.endswith("__main__")
]

# pytester forgets what an inner run was the first to import, and not every library bears being imported twice.
for name in (*MODULES, "moto.core", "requests"):
    importlib.import_module(name)


def source_of(module: str) -> str:
    return Path(str(importlib.import_module(module).__file__)).read_text(encoding="utf-8")


def blocks(page: Path) -> list[str]:
    return [block for needs, block in BLOCK.findall(page.read_text()) if not needs]


#: Examples that are test files of their own, after a comment `<!-- needs: django -->` with the packages they import.
NEEDY_BLOCKS = [
    pytest.param(needs.split(", "), block, id=f"{page.relative_to(ROOT)}-{needs}")
    for page in PAGES
    for needs, block in BLOCK.findall(page.read_text())
    if needs
]


@pytest.mark.parametrize("page", [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES if blocks(page)])
def test_the_examples_of_a_page_run(pytester: pytest.Pytester, page: Path):
    """The blocks of a page make one test file: what is outside of functions runs, then the tests in it."""
    run_examples(pytester, "\n".join(blocks(page)))


@pytest.mark.parametrize(("needs", "block"), NEEDY_BLOCKS)
def test_an_example_that_needs_a_package_runs(pytester: pytest.Pytester, needs: list[str], block: str):
    for package in needs:
        pytest.importorskip(package)
    run_examples(pytester, block)


def run_examples(pytester: pytest.Pytester, source: str) -> None:
    names = re.findall(r"^def (test_\w+)|^async def (test_\w+)|^class (Test\w+)", source, re.MULTILINE)
    assert len(names) == len(set(names)), "two examples of a page have the same name"
    file = pytester.makepyfile(test_page=source + "\n\ndef test_the_page_was_run(): ...\n")
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\nasyncio_mode = auto\n")
    result = pytester.runpytest_inprocess(file, "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "-W", "error")
    assert result.ret == 0
    assert result.parseoutcomes()["passed"] > len(names)


CODE = re.compile(r"^```(?:python|py|console|sh|ini|toml|yaml|json)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
WIDEST = 88  # what a page of the docs shows without a scroll bar


@pytest.mark.parametrize("page", [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES])
def test_code_fits_the_page(page: Path):
    lines = [line for block in CODE.findall(page.read_text()) for line in block.splitlines()]
    assert [line for line in lines if len(line) > WIDEST] == []


def test_every_message_of_troubleshooting_is_one_of_the_package():
    """Headings quote messages, with `…` for what differs from case to case."""
    strings = [
        node.value
        for file in (ROOT / "src").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    quoted = re.findall(r"^### `(.*)`$", (ROOT / "docs/troubleshooting.md").read_text(), re.MULTILINE)
    parts = {part.strip() for message in quoted for part in message.split("…")} - {"", "'", "',"}
    assert len(quoted) > 20
    assert {part for part in parts if not any(part in string for string in strings)} == set()


@pytest.mark.parametrize("name", [name for name in MODULES if ">>> " in source_of(name)])
def test_the_examples_of_a_module_run(name: str):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)")


def test_links_between_the_pages_lead_somewhere():
    broken = []
    for page in PAGES:
        for target, anchor in LINK.findall(page.read_text()):
            if "://" in target or target.startswith("mailto:"):
                continue
            linked = page.parent / target if target else page
            if not linked.exists() or (anchor and anchor not in anchors(linked)):
                broken.append(f"{page.name}: {target}#{anchor}")
    assert broken == []


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings, as GitHub and MyST make them."""
    headings = re.findall(r"^#{1,3} (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


REFERENCE = (ROOT / "docs/reference.md").read_text()


def test_the_reference_has_every_option_of_a_mock():
    expected = [
        f"| `{name}` | `kms_mock_{name}` | `--kms-{name.replace('_', '-')}` | {shown(default)} | {HELP[name]} |"
        for name, default in Options._field_defaults.items()
    ]
    assert re.findall(r"^\| `\w+` \| `kms_mock_.*\|$", REFERENCE, re.MULTILINE) == expected


def shown(default: object) -> str:
    if isinstance(default, bool):
        return "yes" if default else "no"
    return ", ".join(default) if isinstance(default, tuple) else str(default or "")


def test_the_reference_has_every_option_of_a_run(pytester: pytest.Pytester, few_plugins: None):
    section = pytester.runpytest_inprocess("--help").stdout.str().partition("kmsmock):")[2].partition("\n\n")[0]
    options = set(re.findall(r"--kms-[a-z-]+", section))
    assert len(options) > len(Options._fields)
    assert {option for option in options if f"`{option}" not in REFERENCE} == set()


#: Command -> the page that lists its options.
PAGE_OF_COMMAND = {
    "check-policies": "deployed-policies.md",
    "conformance": "conformance.md",
    "import-state": "server.md",
    "migrate": "from-moto.md",
    "serve": "server.md",
}


def test_the_reference_has_every_command(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["--help"])
    commands = set(re.findall(r"^    ([a-z-]+)\b", capsys.readouterr().out, re.MULTILINE))
    assert commands == set(PAGE_OF_COMMAND)
    for command, page in PAGE_OF_COMMAND.items():
        row = next(row for row in REFERENCE.splitlines() if row.startswith(f"| `pytest-kmsmock {command}"))
        assert f"]({page}" in row


@pytest.mark.parametrize(("command", "page"), PAGE_OF_COMMAND.items())
def test_every_option_of_a_command_is_documented(command: str, page: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    options = set(re.findall(r"--[a-z][a-z-]*", capsys.readouterr().out)) - {"--help"}
    text = (ROOT / "docs" / page).read_text()
    assert {option for option in options if not re.search(rf"{option}(?![\w-])", text)} == set()


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_example_of_curl_runs(kms_mock: pytest_kmsmock.KmsMock, kms_server: pytest_kmsmock.KmsServer):
    [command] = re.findall(r"^```sh\n(curl .*?)^```$", (ROOT / "docs/server.md").read_text(), re.DOTALL | re.MULTILINE)
    command = command.replace("http://127.0.0.1:8080", kms_server.endpoint_url)
    answer = subprocess.run(["sh", "-c", command], check=True, capture_output=True).stdout
    assert kms_mock.keys[json.loads(answer)["KeyMetadata"]["KeyId"]].description == "orders"
