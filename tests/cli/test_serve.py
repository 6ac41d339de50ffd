"""The command `pytest-kmsmock serve`: what it serves, and the file that keeps it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import runpy
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

from pytest_kmsmock import __main__, mock_kms
from pytest_kmsmock._cli.main import main
from pytest_kmsmock._runtime import active_mocks

Work = Callable[["boto3.client"], None]


@pytest.fixture
def serve():
    """Give a function that runs the command with arguments, and meanwhile something with a client of it."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def run(*arguments: str | Path, work: Work | None = None, ends_by: signal.Signals = signal.SIGTERM) -> int:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        failures: list[BaseException] = []

        def use() -> None:
            try:
                wait_for(port)
                if work is not None:
                    work(client_of(f"http://127.0.0.1:{port}"))
            except BaseException as failure:  # shown by the test, not by this thread
                failures.append(failure)
            finally:
                os.kill(os.getpid(), ends_by)

        user = threading.Thread(target=use)
        user.start()
        code = main(["serve", "--port", str(port), *map(str, arguments)])
        user.join()
        if failures:
            raise failures[0]
        return code

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


def wait_for(port: int) -> None:
    for _ in range(500):
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise AssertionError(f"nobody listens on {port}")


def client_of(url: str, config: Config | None = None) -> boto3.client:
    keys = {"aws_access_key_id": "AKIA", "aws_secret_access_key": "x"}
    return boto3.client("kms", region_name="us-east-1", endpoint_url=url, config=config, **keys)


@pytest.mark.parametrize("ends_by", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal(serve, capsys, ends_by):
    assert serve(work=lambda client: client.create_key(), ends_by=ends_by) == 0
    assert capsys.readouterr().out.startswith("AWS KMS: http://127.0.0.1:")


def test_account_and_region_are_options(serve, tmp_path):
    seed = tmp_path / "keys.json"
    seed.write_text('{"keys": [{"alias": "alias/seeded"}]}')

    def work(client):
        made = client.create_key()["KeyMetadata"]["Arn"]
        assert made.startswith("arn:aws:kms:us-east-1:111122223333:")
        seeded = boto3.client(
            "kms", "eu-west-1", endpoint_url=client.meta.endpoint_url,
            aws_access_key_id="AKIA", aws_secret_access_key="x",
        ).describe_key(KeyId="alias/seeded")  # fmt: skip
        assert seeded["KeyMetadata"]["Arn"].startswith("arn:aws:kms:eu-west-1:111122223333:")

    assert serve("--account", "111122223333", "--region", "eu-west-1", "--seed", seed, work=work) == 0


@pytest.mark.parametrize(("host", "warned"), [("0.0.0.0", True), ("localhost", False), ("127.0.0.1", False)])
def test_a_host_that_others_reach_is_told(serve, capsys, host, warned):
    assert serve("--host", host, work=lambda client: client.list_keys()) == 0
    told = f"pytest-kmsmock: whoever reaches {host} can use all keys: keep it off other networks.\n"
    assert capsys.readouterr().err == (told if warned else "")


def test_tls_says_whom_to_trust(serve, capsys, tmp_path):
    assert serve("--tls", "--tls-dir", tmp_path, "--cors", work=lambda client: client.list_keys()) == 0
    url, trusted = capsys.readouterr().out.splitlines()
    assert url.startswith("AWS KMS: https://127.0.0.1:")
    assert trusted == f"CA certificate: {tmp_path / 'ca.pem'}"


def test_signatures_are_checked_on_request(serve, refusal):
    def work(client):
        with refusal("UnrecognizedClientException"):
            client.list_keys()
        known = {
            "aws_access_key_id": "AKIAKMSMOCKDEFAULT00",
            "aws_secret_access_key": "pytest-kmsmock",
        }  # as --help says
        boto3.client("kms", "us-east-1", endpoint_url=client.meta.endpoint_url, **known).list_keys()

    assert serve("--check-signatures", work=work) == 0


def test_the_state_is_there_after_a_restart(serve, tmp_path):
    state, kept = tmp_path / "state.db", {}

    def make(client):
        kept["key"] = client.create_key(Description="kept", KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
        kept["blob key"] = client.create_key()["KeyMetadata"]["KeyId"]
        kept["blob"] = client.encrypt(KeyId=kept["blob key"], Plaintext=b"kept")["CiphertextBlob"]
        kept["signature"] = client.sign(
            KeyId=kept["key"]["KeyMetadata"]["KeyId"], Message=b"m", SigningAlgorithm="ECDSA_SHA_256"
        )["Signature"]

    def check(client):
        key_id = kept["key"]["KeyMetadata"]["KeyId"]
        assert client.describe_key(KeyId=key_id)["KeyMetadata"] == kept["key"]["KeyMetadata"]
        assert client.decrypt(CiphertextBlob=kept["blob"])["Plaintext"] == b"kept"
        client.verify(KeyId=key_id, Message=b"m", SigningAlgorithm="ECDSA_SHA_256", Signature=kept["signature"])
        assert client.get_key_last_usage(KeyId=kept["blob key"])

    assert serve("--state", state, work=make) == 0
    assert serve("--state", state, work=check) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["state.db"]


def test_time_goes_on_while_it_is_down(serve, tmp_path):
    dump, state, kept = tmp_path / "dump.json", tmp_path / "state.db", {}
    with mock_kms() as kms:
        kms.clock.move_to("2026-01-01")
        kept["rotated"] = kms.create_key().id
        kms.client().enable_key_rotation(KeyId=kept["rotated"], RotationPeriodInDays=90)
        kept["deleted"] = kms.create_key().id
        kms.client().schedule_key_deletion(KeyId=kept["deleted"], PendingWindowInDays=7)
        kms.dump(dump)
    assert main(["import-state", str(dump), str(state)]) == 0

    def check(client):
        created = client.create_key()["KeyMetadata"]["CreationDate"]
        assert abs(created.timestamp() - time.time()) < 60
        with pytest.raises(client.exceptions.NotFoundException):
            client.describe_key(KeyId=kept["deleted"])
        assert client.list_key_rotations(KeyId=kept["rotated"])["Rotations"]

    assert serve("--state", state, work=check) == 0
    assert kept["deleted"] not in keys_in(state)


def keys_in(state: Path) -> set[str]:
    """Return the customer managed keys in a state file."""
    with contextlib.closing(sqlite3.connect(state)) as connection:
        rows = connection.execute("SELECT name FROM record WHERE kind = 'keys' AND record NOT LIKE '%\"manager\"%'")
        return {name for (name,) in rows}


def test_the_seed_is_for_the_first_run(serve, tmp_path):
    seed, state = tmp_path / "keys.json", tmp_path / "state.db"
    seed.write_text('{"keys": [{"alias": "alias/seeded"}]}')

    def delete(client):
        client.delete_alias(AliasName="alias/seeded")

    def check(client):
        assert not [name for name in aliases(client) if name == "alias/seeded"]

    assert serve("--state", state, "--seed", seed, work=delete) == 0
    assert serve("--state", state, "--seed", seed, work=check) == 0


def aliases(client) -> list[str]:
    return [alias["AliasName"] for alias in client.list_aliases()["Aliases"]]


def test_what_was_answered_is_kept_even_by_a_crash(tmp_path):
    state = tmp_path / "state.db"
    command = [sys.executable, "-m", "pytest_kmsmock", "serve", "--port", "0", "--state", str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().removeprefix("AWS KMS: ").strip()
        client = client_of(url)
        with ThreadPoolExecutor(4) as threads:
            made = set(threads.map(lambda _: client.create_key()["KeyMetadata"]["KeyId"], range(20)))
        process.kill()
    assert keys_in(state) == made


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(b'{"format": "pytest-kmsmock", "version": 2', "pytest-kmsmock import-state", id="older"),
        pytest.param(b"\0\1\2", "it is not a state file", id="binary"),
        pytest.param(b"SQLite format 3\0" + b"\0" * 2000, "not a database", id="damaged"),
    ],
)
def test_a_file_that_is_no_state_is_refused_and_left_as_it_is(capsys, tmp_path, content, problem):
    state = tmp_path / "state.db"
    state.write_bytes(content)
    assert main(["serve", "--port", "0", "--state", str(state)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"pytest-kmsmock: {state} ")
    assert problem in error
    assert state.read_bytes() == content


def test_an_empty_file_is_a_new_state(serve, tmp_path):
    state = tmp_path / "state.db"
    state.touch()
    assert serve("--state", state, work=lambda client: client.create_key()) == 0
    assert len(keys_in(state)) == 1


def test_a_bad_seed_begins_nothing(serve, capsys, tmp_path):
    seed, state = tmp_path / "keys.json", tmp_path / "state.db"
    seed.write_text('{"keys": [{"specs": "RSA_2048"}]}')
    assert main(["serve", "--port", "0", "--state", str(state), "--seed", str(seed)]) == 2
    assert f"{seed}:1" in capsys.readouterr().err
    seed.write_text('{"keys": [{"alias": "alias/seeded"}]}')
    assert serve("--state", state, "--seed", seed, work=lambda client: client.describe_key(KeyId="alias/seeded")) == 0


@pytest.mark.parametrize("version", [1, 2])
def test_dumps_and_older_state_files_are_imported(serve, capsys, tmp_path, version):
    dump, state, kept = tmp_path / "kms.json", tmp_path / "state.db", {}
    with mock_kms() as kms:
        kept["key"] = kms.create_key(alias="alias/kept").id
        kept["blob"] = kms.client().encrypt(KeyId="alias/kept", Plaintext=b"kept")["CiphertextBlob"]
        document = kms.dump() | {"version": version}
    if version == 1:
        del document["digest"]
    dump.write_text(json.dumps(document))
    assert main(["import-state", str(dump), str(state)]) == 0
    assert re.fullmatch(r"Imported: keys 1, aliases 1, in .*\n", capsys.readouterr().out)

    def check(client):
        assert client.describe_key(KeyId="alias/kept")["KeyMetadata"]["KeyId"] == kept["key"]
        assert client.decrypt(CiphertextBlob=kept["blob"])["Plaintext"] == b"kept"

    assert serve("--state", state, work=check) == 0
    assert main(["import-state", str(dump), str(state)]) == 2
    assert "it holds a state already" in capsys.readouterr().err
    assert main(["import-state", str(tmp_path / "missing.json"), str(state)]) == 2
    assert "missing.json does not exist" in capsys.readouterr().err


def test_a_port_in_use_is_told(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 2
    assert capsys.readouterr().err == (
        f"pytest-kmsmock: port {port} is in use: choose another --port, or 0 for a free one\n"
    )


def test_the_module_runs_as_the_command_does(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["pytest_kmsmock", "serve", "--account", "1"])
    with pytest.raises(SystemExit, match="2"):
        runpy.run_path(__main__.__file__, run_name="__main__")
    assert "account must be" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        pytest.param(["--port", "99999"], "port must be between 0 and 65535, not 99999.", id="port-too-high"),
        pytest.param(["--port", "-1"], "port must be between 0 and 65535, not -1.", id="port-too-low"),
        pytest.param(["--port", "http"], "argument --port: invalid int value: 'http'", id="port-no-number"),
        pytest.param(["--host", ""], "host must not be empty.", id="host-empty"),
        pytest.param(["--account", "1"], "account must be 12 digits", id="account"),
        pytest.param(["--host", "no.such.host.invalid"], "host 'no.such.host.invalid' cannot", id="host-unknown"),
        pytest.param(["--host", "a" * 70], "cannot be resolved", id="host-too-long"),
        pytest.param(["--host", "not a host"], "host 'not a host' cannot be resolved", id="host-no-name"),
        pytest.param(["--region", "no region"], "region", id="region"),
        pytest.param(["--region", ""], "region", id="region-empty"),
        pytest.param(["--no-such-option"], "unrecognized arguments: --no-such-option", id="option"),
        pytest.param(["more"], "unrecognized arguments: more", id="argument"),
        pytest.param(["--state"], "argument --state: expected one argument", id="no-value"),
    ],
)  # fmt: skip
def test_a_bad_argument_is_told_in_a_line(capsys, arguments, problem):
    try:
        code = main(["serve", "--port", "0", *arguments])
    except SystemExit as exited:  # as argparse ends
        code = exited.code
    assert code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("pytest-kmsmock")
    assert problem in line


@pytest.mark.parametrize("arguments", [[], ["sing"]])
def test_a_command_that_is_none_is_told_in_a_line(capsys, arguments):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    (line,) = capsys.readouterr().err.splitlines()
    assert "COMMAND" in line


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        pytest.param("--state", "/state.db cannot be used: No such file", id="state-in-a-folder-that-is-missing"),
        pytest.param("--seed", "/state.db", id="seed-that-is-missing"),
    ],
)
def test_a_file_that_cannot_be_is_told_in_a_line(capsys, tmp_path, option, problem):
    assert main(["serve", "--port", "0", option, str(tmp_path / "missing" / "state.db")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{tmp_path / 'missing'}{problem}" in line


def test_a_folder_is_no_state(capsys, tmp_path):
    assert main(["serve", "--port", "0", "--state", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{tmp_path} is left as it is" in line


def test_a_second_server_does_not_take_the_same_file(serve, capsys, tmp_path):
    state, link = tmp_path / "state.db", tmp_path / "link.db"
    link.symlink_to(state)

    def work(client):
        client.create_key()
        for name in (state, link):
            command = [sys.executable, "-m", "pytest_kmsmock", "serve", "--port", "0", "--state", str(name)]
            second = subprocess.run(command, capture_output=True, text=True, timeout=30)
            assert (second.returncode, second.stdout) == (2, "")
            assert second.stderr == (
                f"pytest-kmsmock: {name} is in use by another server. Stop that one, or give this one a file of its "
                "own.\n"
            )

    assert serve("--state", state, work=work) == 0
    assert serve("--state", link, work=lambda client: client.create_key()) == 0
    assert link.is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.db", "state.db"]


def test_a_call_that_cannot_be_kept_is_undone_and_told(serve, capsys, tmp_path, refusal, monkeypatch):
    state = tmp_path / "state.db"

    def work(client):
        kept = client.create_key()["KeyMetadata"]["KeyId"]
        hasty = client_of(client.meta.endpoint_url, Config(retries={"total_max_attempts": 1}))
        with monkeypatch.context() as failing:
            failing.setattr("pytest_kmsmock._cli.state.database._PUT", "INSERT INTO nowhere VALUES (?)")
            with refusal(
                "KMSInternalException",
                "The request was rejected because an internal exception occurred. The request can be retried.",
            ):
                hasty.create_alias(AliasName="alias/lost", TargetKeyId=kept)
        assert "alias/lost" not in aliases(client)
        assert client.encrypt(KeyId=kept, Plaintext=b"still there")["CiphertextBlob"]
        client.create_alias(AliasName="alias/lost", TargetKeyId=kept)

    assert serve("--state", state, work=work) == 0
    assert capsys.readouterr().err.startswith(
        f"pytest-kmsmock: CreateAlias is undone: {state} cannot be written: no such table: nowhere. It needs"
    )
    assert serve("--state", state, work=lambda client: client.describe_key(KeyId="alias/lost")) == 0


def test_the_end_says_what_is_saved(serve, capsys, tmp_path):
    state = tmp_path / "state.db"

    def work(client):
        key_id = client.create_key()["KeyMetadata"]["KeyId"]
        client.create_alias(AliasName="alias/a", TargetKeyId=key_id)

    assert serve("--state", state, work=work) == 0
    assert capsys.readouterr().out.splitlines()[1] == f"Saved: keys 1, aliases 1, in {state}"


def test_a_server_that_lives_long_does_not_grow(serve):
    def work(client):
        for _ in range(5):
            client.list_keys()
        assert list(active_mocks.current().calls) == []  # type: ignore[attr-defined]  # a KmsMock

    assert serve(work=work) == 0


def test_the_command_tells_how_it_is_used():
    command = Path(sys.executable).with_name("pytest-kmsmock")
    for arguments in ([str(command)], [sys.executable, "-m", "pytest_kmsmock"]):
        shown = subprocess.run([*arguments, "serve", "--help"], capture_output=True, text=True, check=True).stdout
        for option in ("--host", "--port", "--seed", "--state", "--check-signatures"):
            assert option in shown
        assert "AKIAKMSMOCKDEFAULT00" in shown


def test_the_version_is_that_of_the_installed_package(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"pytest-kmsmock {metadata.version('pytest-kmsmock')}\n")
