"""Amazon EventBridge: event buses under a KMS key, and the queues that rules deliver to.

The caller of CreateEventBus needs permission for the key; EventBridge encrypts events as a service principal, so that
only the key policy applies. Source: EventBridge User Guide, "Encrypting event buses with AWS KMS keys"
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-event-bus-cmkey.html). Codes and messages of
CreateEventBus are inferred.
"""

from __future__ import annotations

from collections.abc import Iterable

from pytest_kmsmock._kms.api.arns import partition_of
from pytest_kmsmock._moto.settings import events as settings
from pytest_kmsmock._services.error_mapping import ErrorMapping, ErrorTemplate
from pytest_kmsmock._services.protected import Protected
from pytest_kmsmock._services.request import Request
from pytest_kmsmock._services.table import DESCRIBE_KEY, GENERATE_WITHOUT_PLAINTEXT, Rule, Service, Step

from . import deliveries


def _created(request: Request) -> Iterable[Protected]:
    """Find the event bus that CreateEventBus creates."""
    name, key = request.params["Name"], request.params.get("KmsKeyIdentifier")
    arn = f"arn:{partition_of(request.region)}:events:{request.region}:{request.account}:event-bus/{name}"
    if not key or settings.bus(request.api, arn) is not None:
        return ()
    return (Protected(key, {deliveries.BUS: arn}, request.region, account=request.account),)


SERVICE = Service(
    "events",
    {"CreateEventBus": Rule(before=(Step(_created, (DESCRIBE_KEY, GENERATE_WITHOUT_PLAINTEXT)),))},
    ErrorMapping(
        {
            "AccessDeniedException": ErrorTemplate("AccessDeniedException"),
            "ThrottlingException": ErrorTemplate("ThrottlingException"),
        },
        otherwise=ErrorTemplate("ValidationException"),
    ),
    prepare=deliveries.watch,
)
