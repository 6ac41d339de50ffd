"""`make bench`: this mock, moto, and botocore answered by a constant, in one run.

The subjects take turns, round by round, so that the machine's drift cancels; each figure is the median of its rounds.
Figures are ratios to the floor of the wire: botocore answered by a constant at `before-send`, which is the least that
any mock of that kind can cost. What is measured is what users run: no switches exist for benchmarks.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

os.environ |= {"AWS_ACCESS_KEY_ID": "AKIAKMSMOCKDEFAULT00", "AWS_SECRET_ACCESS_KEY": "pytest-kmsmock"}

import botocore.session
from botocore.awsrequest import AWSResponse
from moto import mock_aws
from rich.console import Console
from rich.table import Table

from pytest_kmsmock import mock_kms

ROUNDS = 15
SESSION = botocore.session.Session()

Subject = Callable[[], AbstractContextManager[Any]]


class _Raw:
    def __init__(self, body: bytes) -> None:
        self.body = body

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.body


@contextmanager
def ours() -> Iterator[Any]:
    with mock_kms():
        yield SESSION.create_client("kms", region_name="us-east-1")


@contextmanager
def ours_by_wire() -> Iterator[Any]:
    with mock_kms(wire=True):
        yield SESSION.create_client("kms", region_name="us-east-1")


@contextmanager
def moto() -> Iterator[Any]:
    with mock_aws():
        yield botocore.session.Session().create_client("kms", region_name="us-east-1")


@contextmanager
def constant() -> Iterator[Any]:
    """Botocore answered by a constant at before-send: the floor of the wire."""
    body = b'{"CiphertextBlob":"AAAA","Plaintext":"AAAA","KeyId":"x","Signature":"AAAA","KeyMetadata":{"KeyId":"x"}}'
    client = SESSION.create_client("kms", region_name="us-east-1")
    headers = {"x-amzn-requestid": "x", "content-type": "application/x-amz-json-1.1"}
    client.meta.events.register_first(
        "before-send.kms", lambda request, **_: AWSResponse(request.url, 200, headers, _Raw(body))
    )
    yield client


SUBJECTS: dict[str, Subject] = {"ours": ours, "ours, wire": ours_by_wire, "moto": moto, "constant": constant}


def _keys(client: Any) -> tuple[str, str]:
    symmetric = client.create_key()["KeyMetadata"]["KeyId"]
    signing = client.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    return symmetric, signing


def calls_of(client: Any) -> dict[str, Callable[[], Any]]:
    """Return the calls that are measured, ready to be made."""
    key_id, signing = _keys(client)
    context = {"purpose": "benchmark"}
    blob = client.encrypt(KeyId=key_id, Plaintext=b"x" * 32, EncryptionContext=context)["CiphertextBlob"]
    return {
        "Encrypt": lambda: client.encrypt(KeyId=key_id, Plaintext=b"x" * 32, EncryptionContext=context),
        "Decrypt": lambda: client.decrypt(CiphertextBlob=blob, EncryptionContext=context),
        "GenerateDataKey": lambda: client.generate_data_key(KeyId=key_id, KeySpec="AES_256"),
        "DescribeKey": lambda: client.describe_key(KeyId=key_id),
        "CreateKey": client.create_key,
        "Sign P-256": lambda: client.sign(KeyId=signing, Message=b"x" * 32, SigningAlgorithm="ECDSA_SHA_256"),
    }


def timed(call: Callable[[], Any], count: int) -> float:
    """Return the seconds of one call, as the mean of `count`."""
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count


def per_call(rounds: int) -> dict[str, dict[str, float]]:
    """Return the median seconds of each call by subject."""
    found: dict[str, dict[str, list[float]]] = {}
    counts = {"moto": 8}
    for _ in range(rounds):
        for name, subject in SUBJECTS.items():
            with subject() as client:
                for operation, call in calls_of(client).items():
                    call()
                    seconds = timed(call, counts.get(name, 60))
                    found.setdefault(operation, {}).setdefault(name, []).append(seconds)
    return {operation: {n: statistics.median(s) for n, s in by.items()} for operation, by in found.items()}


def cycles(rounds: int) -> dict[str, dict[str, float]]:
    """Return the median seconds of a test's cycle: enter, make a key, use it, leave."""

    def symmetric(client: Any) -> None:
        key_id = client.create_key()["KeyMetadata"]["KeyId"]
        blob = client.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
        client.decrypt(CiphertextBlob=blob)

    def rsa_4096(client: Any) -> None:
        key_id = client.create_key(KeySpec="RSA_4096", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
        client.sign(KeyId=key_id, Message=b"x", SigningAlgorithm="RSASSA_PSS_SHA_256")

    def nothing(_: Any) -> None:
        """Enter and leave only."""

    @contextmanager
    def ours_by_handle() -> Iterator[Any]:
        with mock_kms() as kms:
            yield kms.client()

    @contextmanager
    def bare(mock: Callable[[], Any]) -> Iterator[None]:
        with mock():
            yield None

    jobs: dict[str, tuple[Callable[[Any], None], dict[str, Callable[[], Any]]]] = {
        "symmetric key: create, encrypt, decrypt": (symmetric, {"ours": ours_by_handle, "moto": moto}),
        "RSA_4096: create, sign": (rsa_4096, {"ours": ours_by_handle, "moto": moto}),
        "enter and leave": (nothing, {"ours": lambda: bare(mock_kms), "moto": lambda: bare(mock_aws)}),
    }
    result = {}
    for name, (work, subjects) in jobs.items():
        found: dict[str, list[float]] = {subject: [] for subject in subjects}
        for number in range(max(4, rounds // 2)):
            for subject, enter in subjects.items():
                start = time.perf_counter()
                with enter() as client:
                    work(client)
                if number:  # the first test of a process pays for imports and the first RSA key
                    found[subject].append(time.perf_counter() - start)
        result[name] = {subject: statistics.median(seconds) for subject, seconds in found.items()}
    return result


def scale() -> dict[str, tuple[float, float]]:
    """Return what calls cost in a mock with few keys and in one with 100,000."""
    many, few, batch = 100_000, 100, 1_000
    result: dict[str, tuple[float, float]] = {}
    with mock_kms() as kms:
        client = kms.client()
        service, caller = kms.service, kms.caller()
        found: dict[str, list[float]] = {}
        made = 0
        for target in (few, many):
            start = time.perf_counter()
            while made < target:
                key = service.call("CreateKey", {}, caller, "us-east-1")["KeyMetadata"]
                service.call(
                    "CreateAlias", {"AliasName": f"alias/k{made}", "TargetKeyId": key["KeyId"]}, caller, "us-east-1"
                )
                made += 1
            found.setdefault("CreateKey and CreateAlias, own time", []).append(
                (time.perf_counter() - start) / (target - (0 if target == few else few))
            )
            for name, call in {
                "DescribeKey by id": lambda: client.describe_key(KeyId=key["KeyId"]),
                "DescribeKey by alias": lambda: client.describe_key(KeyId="alias/k50"),
                "a page of ListKeys": client.list_keys,
                "a page of ListAliases": client.list_aliases,
            }.items():
                found.setdefault(name, []).append(statistics.median(timed(call, 20) for _ in range(batch // 100)))
        result = {name: (first, last) for name, (first, last) in found.items()}
    return result


def start_up() -> dict[str, float]:
    """Return the seconds that importing the package adds to bare Python, and the plugin to bare pytest."""

    def run(*arguments: str, **environment: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=False, env=os.environ | environment, capture_output=True)
        return time.perf_counter() - start

    bare, package, pytest_bare, pytest_plugin = [], [], [], []
    off = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    for _ in range(9):
        bare.append(run("-c", "pass"))
        package.append(run("-c", "import pytest_kmsmock"))
        pytest_bare.append(run("-m", "pytest", "--version", "--version", **off))
        pytest_plugin.append(run("-m", "pytest", "-p", "pytest_kmsmock.plugin", "--version", "--version", **off))
    return {
        "import pytest_kmsmock": min(package) - min(bare),
        "the plugin in a pytest run": min(pytest_plugin) - min(pytest_bare),
    }


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--quick", action="store_true", help="leave out 100,000 keys")
    options = parser.parse_args()
    console = Console(width=120)

    calls = per_call(options.rounds)
    table = Table("call", "constant µs", "ours", "ours, wire", "moto", "moto / ours", title="Calls, as ratios to the constant")
    for operation, seconds in calls.items():
        floor = seconds["constant"]
        table.add_row(
            operation, f"{floor * 1e6:.0f}", *(f"{seconds[name] / floor:.2f}" for name in ("ours", "ours, wire", "moto")),
            f"{seconds['moto'] / seconds['ours']:.1f}",
        )  # fmt: skip
    console.print(table)

    table = Table("a test's cycle", "ours ms", "moto ms", "moto / ours", title="Cycles")
    for name, seconds in cycles(options.rounds).items():
        table.add_row(
            name, f"{seconds['ours'] * 1e3:.3f}", f"{seconds['moto'] * 1e3:.1f}", f"{seconds['moto'] / seconds['ours']:.0f}"
        )
    console.print(table)

    if not options.quick:
        table = Table("call", "100 keys µs", "100,000 keys µs", "ratio", title="Scale")
        for name, (first, last) in scale().items():
            table.add_row(name, f"{first * 1e6:.0f}", f"{last * 1e6:.0f}", f"{last / first:.2f}")
        console.print(table)

    table = Table("", "ms", title="Start-up")
    for name, seconds in start_up().items():
        table.add_row(name, f"{seconds * 1e3:.1f}")
    console.print(table)


if __name__ == "__main__":
    main()
