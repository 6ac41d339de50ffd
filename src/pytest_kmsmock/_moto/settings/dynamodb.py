"""Tables of DynamoDB."""

from __future__ import annotations

from typing import Any

from pytest_kmsmock._record import Record

from . import Api, account_of, read


class Table(Record):
    """A table.

    Attributes:
        name: its name.
        key: the KMS key that it is under; empty if it is under a key that AWS owns.
    """

    name: str
    key: str


def table(api: Api, access_key: str | None, region: str, name: str) -> Table | None:
    """Return a table by its name or ARN; None if there is none."""
    named = name.rpartition("/")[2]
    return read(lambda: _moto_table(account_of(access_key), region, named), lambda: _api_table(api, named))


def change_key(access_key: str | None, region: str, name: str, key: str) -> None:
    """Put a table under another key, which moto does not do itself; an empty one is a key that AWS owns."""

    def inside() -> None:
        found = _fake_table(account_of(access_key), region, name.rpartition("/")[2])
        found.sse_specification = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key} if key else None

    read(inside, lambda: None)


def _fake_table(account: str, region: str, name: str) -> Any:
    from moto.dynamodb.models import dynamodb_backends

    return dynamodb_backends[account][region].tables.get(name)


def _moto_table(account: str, region: str, name: str) -> Table | None:
    found = _fake_table(account, region, name)
    if found is None:
        return None
    sse = found.sse_specification or {}
    return Table(name, sse.get("KMSMasterKeyId") or "" if sse.get("Enabled") else "")


def _api_table(api: Api, name: str) -> Table | None:
    described = api("DescribeTable", TableName=name).get("Table")
    return None if described is None else Table(name, described.get("SSEDescription", {}).get("KMSMasterKeyArn", ""))
