"""The services whose KMS calls are made here, by botocore's name, and the module that describes each."""

from __future__ import annotations

import functools
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .table import Service

#: botocore's name of a service -> its module in this package, which has a `SERVICE`.
MODULES: Mapping[str, str] = {
    "dynamodb": "storage.dynamodb",
    "events": "messaging.events",
    "kinesis": "streams.kinesis",
    "logs": "streams.logs",
    "s3": "storage.s3",
    "secretsmanager": "secrets.secretsmanager",
    "sns": "messaging.sns",
    "sqs": "messaging.sqs",
    "ssm": "secrets.ssm",
}


@functools.cache
def service(name: str) -> Service:
    """Return what is known of a service; its module is imported when the first client of the service is used."""
    found: Service = import_module(f"{__package__}.{MODULES[name]}").SERVICE
    return found


@functools.cache
def prepare(name: str) -> None:
    """Prepare what moto does inside for a service, once."""
    found = service(name)
    if found.prepare is not None:
        found.prepare(name)
