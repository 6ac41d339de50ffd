"""Streams of Kinesis Data Streams."""

from __future__ import annotations

from typing import Any

from pytest_kmsmock._record import Record

from . import Api, account_of, read


class Stream(Record):
    """A stream.

    Attributes:
        arn: its ARN.
        key: its `KeyId`; empty if it is not encrypted.
    """

    arn: str
    key: str


def stream(api: Api, access_key: str | None, region: str, name: str, arn: str) -> Stream | None:
    """Return a stream by its name, or by its ARN if the name is empty; None if there is none."""
    named = name or arn.rpartition("/")[2]
    return read(lambda: _moto_stream(account_of(access_key), region, named), lambda: _api_stream(api, named))


def stream_of_iterator(access_key: str | None, region: str, iterator: str) -> Stream | None:
    """Return the stream of a shard iterator of moto's; None where only moto's server knows it."""

    def inside() -> Stream | None:
        from moto.kinesis.utils import decompose_shard_iterator

        return _moto_stream(account_of(access_key), region, decompose_shard_iterator(iterator)[0])

    return read(inside, lambda: None)


def _moto_stream(account: str, region: str, name: str) -> Stream | None:
    from moto.kinesis.models import kinesis_backends

    found: Any = kinesis_backends[account][region].streams.get(name)
    return None if found is None else Stream(found.arn, (found.key_id or "") if found.encryption_type == "KMS" else "")


def _api_stream(api: Api, name: str) -> Stream | None:
    described = api("DescribeStreamSummary", StreamName=name).get("StreamDescriptionSummary")
    if described is None:
        return None
    return Stream(
        described["StreamARN"], described.get("KeyId", "") if described.get("EncryptionType") == "KMS" else ""
    )
