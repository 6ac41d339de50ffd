"""The services whose KMS calls are made here: a module for each, listed in `_runtime.options`."""

from __future__ import annotations

import functools
from importlib import import_module
from typing import TYPE_CHECKING

from pytest_kmsmock._runtime.options import SERVICES

if TYPE_CHECKING:
    from .table import Service


@functools.cache
def service(name: str) -> Service:
    """Return the table of a service; its module is imported when the first client of the service is used."""
    found: Service = import_module(f"{__package__}.{SERVICES[name]}").SERVICE
    return found


@functools.cache
def prepare(name: str) -> None:
    """Hook into what moto does internally for a service, once."""
    found = service(name)
    if found.prepare is not None:
        found.prepare(name)
