"""Parameters of SSM Parameter Store."""

from __future__ import annotations

from typing import Any

from pytest_kmsmock._record import Record

from . import Api, account_of, read


class Parameter(Record):
    """A version of a parameter.

    Attributes:
        type: such as `SecureString`.
        key: its `KeyId`; empty if it has none.
        tier: such as `Standard`.
    """

    type: str
    key: str
    tier: str


def parameter(
    api: Api, access_key: str | None, region: str, name: str, version: int | None = None
) -> Parameter | None:  # fmt: skip
    """Return a parameter; None if there is none of that name.

    Args:
        api: calls SSM.
        access_key: the access key of who asks, which says whose account moto looks into.
        region: the Region.
        name: its name.
        version: which version; the latest if not given.
    """
    return read(
        lambda: _moto_parameter(account_of(access_key), region, name, version),
        lambda: _api_parameter(api, name, version),
    )  # fmt: skip


def _moto_parameter(account: str, region: str, name: str, version: int | None) -> Parameter | None:
    from moto.ssm.models import ssm_backends

    stored: Any = ssm_backends[account][region]._parameters  # noqa: SLF001 - moto shows them nowhere else
    versions = stored[name] if name in stored else []  # noqa: SIM401 - its `get` knows names in full only
    found = next((one for one in reversed(versions) if version in (None, one.version)), None)
    return None if found is None else Parameter(found.parameter_type, found.keyid or "", found.tier or "Standard")


def _api_parameter(api: Api, name: str, version: int | None) -> Parameter | None:
    history = api("GetParameterHistory", Name=name).get("Parameters", [])
    found = next((one for one in reversed(history) if version in (None, one["Version"])), None)
    return None if found is None else Parameter(found["Type"], found.get("KeyId", ""), found.get("Tier", "Standard"))
