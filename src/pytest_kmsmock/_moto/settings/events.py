"""Event buses of EventBridge."""

from __future__ import annotations

from typing import Any

from pytest_kmsmock._record import Record

from . import Api, read


class Bus(Record):
    """An event bus.

    Attributes:
        key: its `KmsKeyIdentifier`; empty if it is not under a key of the customer's.
    """

    key: str


def bus(api: Api, arn: str) -> Bus | None:
    """Return an event bus; None if there is none."""
    return read(lambda: _moto_bus(arn), lambda: _api_bus(api, arn))


def _moto_bus(arn: str) -> Bus | None:
    from moto.events.models import events_backends

    _, _, _, region, account, resource = arn.split(":", 5)
    found: Any = events_backends[account][region].event_buses.get(resource.partition("/")[2])
    return None if found is None else Bus(found.kms_key_identifier or "")


def _api_bus(api: Api, arn: str) -> Bus | None:
    described = api("DescribeEventBus", Name=arn.rpartition("/")[2])
    return None if "Error" in described else Bus(described.get("KmsKeyIdentifier", ""))
