"""Amazon EventBridge: the queues that rules deliver to."""

from __future__ import annotations

from pytest_kmsmock._services.table import Service
from pytest_kmsmock._services.wording import JAVA_SDK, Refusals, Wording

from . import deliveries

SERVICE = Service(
    "events",
    {},
    Refusals({}, otherwise=Wording("InternalException", status=500), suffix=JAVA_SDK),
    prepare=deliveries.watch,
)
