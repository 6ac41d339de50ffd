"""The command `pytest-kmsmock serve`: what it serves, and the file that keeps it."""

from __future__ import annotations

import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest

from pytest_kmsmock import __main__, mock_kms
from pytest_kmsmock.serve import StateFile, main

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


def client_of(url: str) -> boto3.client:
    return boto3.client(
        "kms", region_name="us-east-1", endpoint_url=url, aws_access_key_id="AKIA", aws_secret_access_key="x"
    )


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

    assert serve("--account-id", "111122223333", "--region", "eu-west-1", "--seed", seed, work=work) == 0


def test_signatures_are_checked_on_request(serve, refusal):
    def work(client):
        with refusal("UnrecognizedClientException"):
            client.list_keys()

    assert serve("--check-signatures", work=work) == 0


def test_the_state_is_there_after_a_restart(serve, tmp_path):
    state, kept = tmp_path / "state.json", {}

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
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_time_goes_on_while_it_is_down(serve, tmp_path):
    state = tmp_path / "state.json"
    assert serve("--state", state) == 0
    document = json.loads(state.read_text())
    document["time"] = "2026-01-01T00:00:00+00:00"
    state.write_text(json.dumps(document))

    def check(client):
        created = client.create_key()["KeyMetadata"]["CreationDate"]
        assert abs(created.timestamp() - time.time()) < 60

    assert serve("--state", state, work=check) == 0


def test_the_seed_is_for_the_first_run(serve, tmp_path):
    seed, state = tmp_path / "keys.json", tmp_path / "state.json"
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
    state = tmp_path / "state.json"
    command = [sys.executable, "-m", "pytest_kmsmock", "serve", "--port", "0", "--state", str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().removeprefix("AWS KMS: ").strip()
        client = client_of(url)
        with ThreadPoolExecutor(4) as threads:
            made = set(threads.map(lambda _: client.create_key()["KeyMetadata"]["KeyId"], range(20)))
        process.kill()
    (region,) = json.loads(state.read_text())["regions"]
    assert {key_id for key_id, key in region["keys"].items() if key["manager"] == "CUSTOMER"} == made


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param("", "no JSON, or not all of it", id="empty"),
        pytest.param('{"format": "pytest-kmsmock", "version": 1, "reg', "no JSON, or not all of it", id="torn"),
        pytest.param('{"Statement": []}', "this is no dump of a mock", id="foreign"),
        pytest.param('{"format": "pytest-kmsmock", "version": 99}', "version 99", id="newer"),
        pytest.param("\0\1\2", "no JSON", id="binary"),
    ],
)
def test_a_file_that_is_no_state_is_refused_and_left_as_it_is(capsys, tmp_path, content, problem):
    state = tmp_path / "state.json"
    state.write_text(content)
    assert main(["serve", "--port", "0", "--state", str(state)]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"pytest-kmsmock: {state} is left as it is: ")
    assert problem in error
    assert state.read_text() == content


def test_a_bad_seed_begins_nothing(capsys, tmp_path):
    seed, state = tmp_path / "keys.json", tmp_path / "state.json"
    seed.write_text('{"keys": [{"specs": "RSA_2048"}]}')
    assert main(["serve", "--port", "0", "--state", str(state), "--seed", str(seed)]) == 1
    assert f"{seed}:1" in capsys.readouterr().err
    assert not state.exists()


def test_a_port_in_use_is_told(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["serve", "--port", str(taken.getsockname()[1])]) == 1
    assert "Address already in use" in capsys.readouterr().err


def test_a_bad_option_is_told(capsys):
    assert main(["serve", "--account-id", "1"]) == 1
    assert "account_id must be 12 digits" in capsys.readouterr().err


def test_the_module_runs_as_the_command_does(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["pytest_kmsmock", "serve", "--account-id", "1"])
    with pytest.raises(SystemExit, match="1"):
        runpy.run_path(__main__.__file__, run_name="__main__")
    assert "account_id must be" in capsys.readouterr().err


def test_what_others_have_written_is_not_written_again(tmp_path):
    with mock_kms() as kms:
        store = StateFile(tmp_path / "state.json", kms.service)
        store._changes = 5
        store._saved = 7  # another thread has written, with the change of this one
        store.after_call("CreateKey")
        assert not (tmp_path / "state.json").exists()
        store._saved = 5
        store.after_call("CreateKey")
        assert (tmp_path / "state.json").exists()
        assert store._saved == 7


def test_the_command_tells_how_it_is_used():
    command = Path(sys.executable).with_name("pytest-kmsmock")
    for arguments in ([str(command)], [sys.executable, "-m", "pytest_kmsmock"]):
        shown = subprocess.run([*arguments, "serve", "--help"], capture_output=True, text=True, check=True).stdout
        for option in ("--host", "--port", "--seed", "--state", "--check-signatures"):
            assert option in shown
