"""Durability: after any crash the state file has all that was answered, and failed writes are not answered."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError


@contextlib.contextmanager
def server(state: Path) -> Iterator[tuple[subprocess.Popen[str], boto3.client]]:
    """Run a server, and kill it in the end."""
    command = [sys.executable, "-m", "pytest_kmsmock", "serve", "--port", "0", "--state", str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            url = process.stdout.readline().removeprefix("AWS KMS: ").strip()
            assert url.startswith("http"), "it does not start"
            config = Config(retries={"total_max_attempts": 1}, connect_timeout=60, read_timeout=60)
            yield process, boto3.client(
                "kms", "us-east-1", endpoint_url=url, config=config,
                aws_access_key_id="AKIA", aws_secret_access_key="x",
            )  # fmt: skip
        finally:
            process.kill()


class Load:
    """Threads that change and use keys, and remember what they were answered."""

    def __init__(self) -> None:
        self.keys: set[str] = set()
        self.ciphertexts: list[bytes] = []
        self.codes: set[str] = set()

    def run(self, client: boto3.client, threads: int, steps: int) -> None:
        started = [threading.Thread(target=self._work, args=(client, steps)) for _ in range(threads)]
        for thread in started:
            thread.start()
        for thread in started:
            thread.join()

    def _work(self, client: boto3.client, steps: int) -> None:
        mine: list[str] = []
        with contextlib.suppress(BotoCoreError, KeyError):  # it is dead; botocore takes half an answer for an empty one
            for step in itertools.count():
                if step >= steps:
                    return
                try:
                    self._step(client, mine, step)
                except ClientError as error:
                    self.codes.add(error.response["Error"]["Code"])

    def _step(self, client: boto3.client, mine: list[str], step: int) -> None:
        if not mine or step % 8 == 0:
            mine.append(client.create_key(Description="d" * 4000)["KeyMetadata"]["KeyId"])
            self.keys.add(mine[-1])
        if step % 3 == 0:
            client.rotate_key_on_demand(KeyId=mine[-1])
        self.ciphertexts.append(client.encrypt(KeyId=mine[-1], Plaintext=b"kept")["CiphertextBlob"])

    def check(self, client: boto3.client) -> None:
        """Nothing acknowledged is lost, and nothing answered has become undecryptable."""
        assert self.codes <= {"KMSInternalException", "LimitExceededException"}
        found = {key["KeyId"] for page in client.get_paginator("list_keys").paginate() for key in page["Keys"]}
        assert self.keys <= found
        for ciphertext in self.ciphertexts:
            assert client.decrypt(CiphertextBlob=ciphertext)["Plaintext"] == b"kept"


@pytest.mark.parametrize("rounds", [2, pytest.param(25, marks=pytest.mark.slow)])
def test_a_server_that_is_killed_under_load_loses_nothing(tmp_path, rounds):
    load = Load()
    for _ in range(rounds):
        with server(tmp_path / "state.db") as (process, client):
            load.check(client)
            killer = threading.Timer(0.2 + random.random() / 2, process.kill)
            killer.start()
            load.run(client, threads=4, steps=10_000)
            killer.join()
    with server(tmp_path / "state.db") as (_, client):
        load.check(client)
    assert load.keys
    assert load.ciphertexts


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root and the right to mount")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_loses_nothing(small_disk):
    load = Load()
    with server(small_disk / "state.db") as (_, client):
        load.run(client, threads=3, steps=80)
        assert "KMSInternalException" in load.codes
    command = [sys.executable, "-m", "pytest_kmsmock", "serve", "--port", "0", "--state", str(small_disk / "other.db")]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert refused.returncode == 2
    assert "cannot be used: " in refused.stderr
    assert "space on the disk" in refused.stderr
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    with server(small_disk / "state.db") as (_, client):
        load.check(client)
        client.create_key()
