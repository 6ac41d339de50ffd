"""What it costs S3 and other services of moto's that a mock is active beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import boto3
from moto import mock_aws
from tables import Row, Table
from timing import Effort, timed

from pytest_kmsmock import mock_kms

_CALLS, _FIGURES = 5, 4
_MOST_MORE = {"S3 put and get without a key": 60e-6, "S3 put and get with SSE-KMS": 300e-6}


def tables(effort: Effort) -> Iterator[Table]:
    """Measure services of moto's without a mock, and with one."""
    rows = []
    for name, without, beside in _seconds(effort.rounds):
        more, most = beside - without, _MOST_MORE.get(name)
        target, met = ("", None) if most is None else (f"≤ {most * 1e6:.0f}", more <= most)
        rows.append(Row(name, (f"{without * 1e6:.0f}", f"{beside * 1e6:.0f}", f"{more * 1e6:.0f}"), target, met))
    yield Table("Other services", ("without µs", "with µs", "more µs"), rows)


def _put_and_get(s3: Any, **encryption: str) -> Callable[[], object]:
    def run() -> None:
        s3.put_object(Bucket="documents", Key="k", Body=b"x" * 1000, **encryption)
        s3.get_object(Bucket="documents", Key="k")["Body"].read()

    return run


def _seconds(rounds: int) -> Iterator[tuple[str, float, float]]:
    """Yield what was called, the seconds that it takes without a mock, and with one."""
    with mock_aws():
        s3, sts = boto3.client("s3", region_name="us-east-1"), boto3.client("sts", region_name="us-east-1")
        s3.create_bucket(Bucket="documents")
        with mock_kms() as kms:
            arn = kms.create_key().arn
            works = {
                "S3 put and get without a key": _put_and_get(s3),
                "S3 put and get with SSE-KMS": _put_and_get(s3, ServerSideEncryption="aws:kms", SSEKMSKeyId=arn),
                "a service that never calls KMS": sts.get_caller_identity,
            }
            kinds: dict[str, Callable[[], AbstractContextManager[Any]]] = {
                "without": lambda: mock_kms(services="off"), "with": nullcontext
            }  # fmt: skip
            for name, work in works.items():
                best: dict[str, float] = {}
                for _ in range(rounds):
                    for kind, enter in kinds.items():
                        with enter():
                            work()
                            took = min(timed(work, _CALLS) for _ in range(_FIGURES))
                        best[kind] = min(took, best.get(kind, took))
                yield name, best["without"], best["with"]
