"""A test's cycle: enter the mock, make a client, use it, leave. And mocks in many mocks, and calls of many threads."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

from moto import mock_aws
from subjects import calls_of, constant, moto, ours_by_boto3, ours_by_handle
from tables import Row, Table
from timing import Effort, timed

from pytest_kmsmock import mock_kms

_MOST_TO_ENTER = 0.3e-3  # seconds
#: Tests in a row, as in a suite.
_TESTS = {"ours": 10, "moto": 3}
_THREADS = 16


def tables(effort: Effort) -> Iterator[Table]:
    """Measure cycles, then depth and threads."""
    rows = [_cycle_row(name, effort.cycles) for name in _CYCLES]
    yield Table("A test's cycle", ("ours ms", "moto ms", "moto / ours"), [*rows, _beside_many_keys()])
    rows = [_row(name, one, many) for name, (one, many) in _nested(effort.nested).items()]
    rows += [_row(name, one, many) for name, (one, many) in _threads(effort.thread_rounds).items()]
    with constant() as client:
        one, many = _one_and_many(calls_of(client)["Encrypt"], effort.thread_rounds)
    rows.append(
        _row(f"botocore with a constant answer, by {_THREADS} threads, each", one, many)._replace(target="", met=None)
    )
    yield Table("Nesting and threads", ("one µs", "many µs", "ratio"), rows)


# --- cycles -------------------------------------------------------------------------------------------------------


def _symmetric(client: Any) -> None:
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    client.decrypt(CiphertextBlob=client.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"])


def _rsa_4096(client: Any) -> None:
    key_id = client.create_key(KeySpec="RSA_4096", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    client.sign(KeyId=key_id, Message=b"x", SigningAlgorithm="RSASSA_PSS_SHA_256")


def _nothing(_: Any) -> None:
    """Enter and leave only."""


@contextmanager
def _bare(mock: Callable[[], AbstractContextManager[Any]]) -> Iterator[None]:
    with mock():
        yield


#: What is done, by whom, and how many times as long moto must take; 0 where the target is `_MOST_TO_ENTER`.
_CYCLES: dict[str, tuple[Callable[[Any], None], dict[str, Callable[[], Any]], float]] = {
    "symmetric key: create, encrypt, decrypt": (_symmetric, {"ours": ours_by_handle, "moto": moto}, 20),
    'the same, with boto3.client("kms") in the test': (_symmetric, {"ours": ours_by_boto3, "moto": moto}, 20),
    "RSA_4096: create, sign": (_rsa_4096, {"ours": ours_by_handle, "moto": moto}, 50),
    "enter and leave": (_nothing, {"ours": lambda: _bare(mock_kms), "moto": lambda: _bare(mock_aws)}, 0),
}


def _cycle_row(name: str, rounds: int) -> Row:
    work, subjects, wanted = _CYCLES[name]
    taken: dict[str, list[float]] = {}
    for _ in range(rounds):
        for subject, enter in subjects.items():
            gc.collect()  # nobody pays for what the other left behind
            for number in range(_TESTS[subject]):
                start = time.perf_counter()
                with enter() as client:
                    work(client)
                seconds = time.perf_counter() - start
                if number:  # the first pays for imports, for the first RSA key, and for coming after the other
                    taken.setdefault(subject, []).append(seconds)
    mine = min(taken["ours"])
    theirs = (statistics.median if work is _rsa_4096 else min)(taken["moto"])
    figures = (f"{mine * 1e3:.2f}", f"{theirs * 1e3:.1f}", f"{theirs / mine:.0f}")
    if wanted:
        return Row(name, figures, f"≥ {wanted:.0f}", theirs >= wanted * mine)
    return Row(name, figures, "≤ 0.3 ms", mine <= _MOST_TO_ENTER)


def _enter_and_leave() -> None:
    with mock_kms():
        pass


def _beside_many_keys() -> Row:
    with mock_kms() as kms:
        client = kms.client()
        for number in range(1_000):
            key_id = client.create_key()["KeyMetadata"]["KeyId"]
            client.create_alias(AliasName=f"alias/{number}", TargetKeyId=key_id)
        seconds = min(timed(_enter_and_leave, 20) for _ in range(10))
    figures = (f"{seconds * 1e3:.2f}", "", "")
    return Row("enter and leave inside a mock with 1,000 keys", figures, "≤ 0.3 ms", seconds <= _MOST_TO_ENTER)


# --- nesting and threads ------------------------------------------------------------------------------------------


def _row(name: str, one: float, many: float) -> Row:
    return Row(name, (f"{one * 1e6:.0f}", f"{many * 1e6:.0f}", f"{many / one:.2f}"), "≤ 1.5", many <= 1.5 * one)


def _nested(depth: int) -> dict[str, tuple[float, float]]:
    """Return the seconds in one mock, and in the innermost of many."""
    found: dict[str, list[float]] = {}
    with ExitStack() as mocks:
        kms = mocks.enter_context(mock_kms())
        client, key_id = kms.client(), kms.create_key().id
        for more in (0, depth - 1):
            for _ in range(more):
                mocks.enter_context(mock_kms())
            for name, work in {
                "enter and leave, inside 1,000 mocks": _enter_and_leave,
                "DescribeKey, inside 1,000 mocks": lambda: client.describe_key(KeyId=key_id),
            }.items():
                work()
                found.setdefault(name, []).append(min(timed(work, 20) for _ in range(20)))
    return {name: (one, many) for name, (one, many) in found.items()}


def _threads(rounds: int) -> dict[str, tuple[float, float]]:
    """Return the seconds of a call and of a mock, made by one thread, and made by many at once."""
    with mock_kms() as kms:
        client, key_id = kms.client(), kms.create_key().id
        return {
            name: _one_and_many(work, rounds)
            for name, work in {
                f"Encrypt by {_THREADS} threads, each": lambda: client.encrypt(KeyId=key_id, Plaintext=b"x"),
                f"enter and leave in {_THREADS} threads, each": _enter_and_leave,
            }.items()
        }


def _one_and_many(work: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Return the seconds of some work, done by one thread, and by many at once."""

    def repeat(count: int) -> None:
        for _ in range(count):
            work()

    with ThreadPoolExecutor(_THREADS) as pool:

        def by_one() -> None:
            repeat(20 * _THREADS)

        def by_many() -> None:
            list(pool.map(repeat, [20] * _THREADS))

        by_many()
        one, many = (min(timed(way, 1) for _ in range(rounds)) / 20 / _THREADS for way in (by_one, by_many))
    return one, many
