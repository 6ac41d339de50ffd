"""What all commands have in common: exit codes, errors of one line, output that nobody reads."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_kmsmock._cli import migrate
from pytest_kmsmock._cli.main import main

DATA = Path(__file__).parents[1] / "iac" / "data"
COMMAND = [sys.executable, "-m", "pytest_kmsmock"]


def error_of(capsys, *arguments: str) -> str:
    """Return the only line that a command prints."""
    try:
        code = main(arguments)
    except SystemExit as ended:
        code = ended.code
    out, err = capsys.readouterr()
    assert (code, out, err[-1:], err.count("\n")) == (2, "", "\n", 1)
    return err.removesuffix("\n")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty").write_text("")
    (tmp_path / "latin1").write_bytes(b"caf\xe9: 1")
    (tmp_path / "plan").write_bytes(b"PK\x03\x04\xff")
    (tmp_path / "open.json").write_text('{"a": ')
    (tmp_path / "open.yaml").write_text("a: [")
    monkeypatch.chdir(tmp_path)
    return tmp_path


NEITHER = (
    "this is neither a CloudFormation template, which has Resources, nor a plan or state of Terraform, as `terraform "
    "show -json` prints it"
)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("none", "none does not exist in {here} (relative paths start from the working directory)"),
        (
            "folder",
            "folder is not an output folder of CDK: it has no manifest.json with artifacts. Give the files in it, or "
            "run `cdk synth` first.",
        ),
        ("empty", f"empty:1: {NEITHER}"),
        ("latin1", "latin1 cannot be read: it is not UTF-8"),
        (
            "plan",
            "plan cannot be read: it is a plan of Terraform in its binary form: give what `terraform show -json` "
            "prints for it",
        ),
        ("open.json", "open.json:1: invalid JSON: Expecting value"),
        ("open.yaml", "open.yaml:1: invalid YAML: expected the node content, but found '<stream end>'"),
    ],
)
def test_files_that_check_policies_cannot_read(capsys, here, file, message):
    told = error_of(capsys, "check-policies", file, "--matrix")
    assert told == f"pytest-kmsmock: {message}".replace("{here}", str(here))


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("none", "none cannot be read: No such file or directory"),
        ("folder", "folder has no scenarios: give a scenario file, or a folder of *.yaml files."),
        ("empty", "empty:1: a scenario file must be a mapping with parts, scenarios, sources"),
        ("latin1", "latin1:1: invalid UTF-8: unexpected end of data"),
        ("open.yaml", "open.yaml:2: invalid YAML: did not find expected node content"),
    ],
)
@pytest.mark.usefixtures("here")
def test_files_that_conformance_cannot_read(capsys, file, message):
    line = error_of(capsys, "conformance", "--scenarios", file).removeprefix("pytest-kmsmock: ")
    assert line.partition(": invalid")[:2] == message.partition(": invalid")[:2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["serve", "--port", "x"], "serve: argument --port: invalid int value: 'x'"),
        (["serve", "--tls-dir", "empty"], "serve: argument --tls-dir: 'empty' is a file; give a folder"),
        (
            ["conformance", "--json", "folder"],
            "conformance: argument --json: 'folder' is a folder; give the name of a file",
        ),
        (
            ["conformance", "--record", "none/a.yaml"],
            "conformance: argument --record: there is no folder 'none'; create it, or write elsewhere",
        ),
        (
            ["check-policies", "open.json", "--matrix", "--html", "folder"],
            "check-policies: argument --html: 'folder' is a folder; give the name of a file",
        ),
        (["serve", "--sed", "x"], "serve: unrecognized arguments: --sed x (did you mean --seed?)"),
        (["serve", "--xyz=1"], "serve: unrecognized arguments: --xyz=1"),
        (["serve", "seed"], "serve: unrecognized arguments: seed"),
        (["migrate"], "migrate: the following arguments are required: PATH"),
    ],
)
@pytest.mark.usefixtures("here")
def test_wrong_arguments(capsys, arguments, message):
    command = f"pytest-kmsmock {arguments[0]}"
    assert error_of(capsys, *arguments) == f"pytest-kmsmock {message}; see {command} --help"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["serve", "--port", "0", "--identities", "nowhere"],
            "--identities: no STS answers at 'nowhere'; give the URL of one, such as http://localhost:5000: unknown "
            "url type: 'nowhere'",
        ),
        (
            ["import-state", "dump.json", "state"],
            'dump.json: this is not a dump of a mock: it has no "format": "pytest-kmsmock"',
        ),
        (
            ["conformance", "--target", "http://"],
            "--target must be mock, moto, aws or a URL such as http://localhost:4566, not 'http://'.",
        ),
        (
            ["conformance", "--target", "http://localhost:1", "--profile", "sandbx"],
            "--profile: the AWS configuration has no profile 'sandbx'. Did you mean 'sandbox'?",
        ),
        (
            ["conformance", "--target", "aws", "--profile", "other"],
            "--profile: the AWS configuration has no profile 'other'. Choose from: sandbox.",
        ),
        (
            ["conformance", "zzz"],
            "Unknown scenario 'zzz'. Give the name of an operation, or one of: access, aliases, conditions, "
            "data_keys, encryption, grants, identifiers, imports, key_agreement, key_states, key_stores, keys, "
            "managed_keys, multi_region, policies, rotation, signing, tags.",
        ),
        (
            ["conformance", "a key by default", "--target", "http://127.0.0.1:1"],
            "CreateKey got no answer from http://127.0.0.1:1: Could not connect to the endpoint URL: "
            '"http://127.0.0.1:1/"',
        ),
        (["migrate", "none"], "migrate: there is no file or folder none"),
    ],
)
def test_values_that_no_command_can_use(capsys, monkeypatch, here, arguments, message):
    (here / "dump.json").write_text("{}")
    (here / "config").write_text("[profile sandbox]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(here / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(here / "none"))
    assert error_of(capsys, *arguments) == f"pytest-kmsmock: {message}"


def test_a_file_that_cannot_be_written(capsys, here):
    (here / "app.json").write_text('{"Resources": {}}')
    name = 300 * "x"
    line = error_of(capsys, "check-policies", "app.json", "--matrix", "--html", name)
    assert line == f"pytest-kmsmock: {name}: File name too long"


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["conformance", "aliases/aliases"], id="conformance"),
        pytest.param(["check-policies", str(DATA / "cdk.out"), "--matrix"], id="check-policies"),
        pytest.param(["migrate", "--diff", __file__], id="migrate"),
    ],
)
def test_output_that_nobody_reads(arguments):
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert (process.stderr.read(), process.wait(60)) == (b"", 141)


def test_an_interrupt_is_no_traceback(capsys, monkeypatch):
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(migrate, "_files", interrupt)
    assert main(["migrate", "x"]) == 130
    assert capsys.readouterr() == ("", "")


def test_without_standard_output():
    command = f"{sys.executable} -m pytest_kmsmock migrate --diff {__file__} >&-"
    run = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert run.stderr == ""


def test_output_may_go_to_any_stream(monkeypatch):
    monkeypatch.setattr("sys.stderr", io.StringIO())
    assert main(["migrate", "none"]) == 2
    assert sys.stderr.getvalue() == "pytest-kmsmock: migrate: there is no file or folder none\n"


def test_what_a_terminal_cannot_show_is_escaped(tmp_path: Path):
    file = tmp_path / "test_it.py"
    file.write_text("from moto import mock_kms  # caf\N{LATIN SMALL LETTER E WITH ACUTE}\n", encoding="utf-8")
    command = [*COMMAND, "migrate", "--diff", str(file)]
    run = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONIOENCODING": "ascii"}
    )
    assert "+from pytest_kmsmock import mock_kms  # caf\\xe9" in run.stdout.splitlines()
