"""Log groups of CloudWatch Logs."""

from __future__ import annotations

from . import Api, account_of, read


def is_there(api: Api, access_key: str | None, region: str, name: str) -> bool:
    """Say whether there is a log group of a name."""
    return read(lambda: _moto_is_there(account_of(access_key), region, name), lambda: _api_is_there(api, name))


def _moto_is_there(account: str, region: str, name: str) -> bool:
    from moto.logs.models import logs_backends

    return name in logs_backends[account][region].groups


def _api_is_there(api: Api, name: str) -> bool:
    groups = api("DescribeLogGroups", logGroupNamePrefix=name).get("logGroups", ())
    return any(group["logGroupName"] == name for group in groups)
