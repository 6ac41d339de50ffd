"""Messages that services deliver to queues, topics and event buses under a KMS key, as service principals.

Only the key policy can allow it, with `aws:SourceArn` and `aws:SourceAccount`. Publishing succeeds in any case: a
refused message goes to a dead-letter queue or is lost, and the refused call is in the mock's calls. Captured from AWS,
2026-09 (EventBridge); the developer guides of SQS and SNS, "Enable compatibility between event sources from AWS
services and encrypted queues" (and topics), "Amazon SNS dead-letter queues".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pytest_kmsmock._moto import deliveries
from pytest_kmsmock._moto.deliveries import Delivery, Refusal
from pytest_kmsmock._moto.settings import events, sns, sqs
from pytest_kmsmock._services import engine
from pytest_kmsmock._services.error_mapping import ErrorMapping, ErrorTemplate, ServiceError
from pytest_kmsmock._services.protected import Protected
from pytest_kmsmock._services.request import Request
from pytest_kmsmock._services.table import DECRYPT, GENERATE_DATA_KEY, Step, as_service
from pytest_kmsmock._transport import gate

_SENDS = (GENERATE_DATA_KEY, DECRYPT)
#: The name of an event bus's ARN in the encryption context.
BUS = "aws:events:event-bus:arn"
#: The errors in EventBridge's dead-letter queues. Codes other than the first are inferred.
_REFUSALS = ErrorMapping(
    {"AccessDeniedException": ErrorTemplate("NO_PERMISSIONS")},
    otherwise=ErrorTemplate("SDK_CLIENT_ERROR"),
    suffix=" (Service: AmazonSQS; Status Code: 400; Error Code: KMS.{code}; Request ID: {request_id}; Proxy: null)",
)


def watch(service: str) -> None:
    """Check deliveries of a service inside moto from now on."""
    deliveries.watch(service, decide)


def decide(delivery: Delivery) -> Refusal | None:
    """Return the refusal of a delivery; None if KMS allows it."""
    mock = gate.current()
    target = delivery.target.split(":")[2]
    if mock is None or not ({"all", target} & set(mock.options.services)):
        return None
    request = Request(
        mock, target, target, "", {}, delivery.target.split(":")[3], None, {}, _no_api, signed=True
    )  # fmt: skip
    step = Step(lambda _: (), _SENDS, who=as_service(delivery.service), errors=_REFUSALS)
    try:
        for protected in protected_for(delivery.target, delivery.source, delivery.account):
            engine.call_kms(request, step, protected)
    except ServiceError as error:
        return Refusal(error.code, error.message)
    return None


def protected_for(target: str, source: str, account: str) -> Iterable[Protected]:
    """Return the target of a delivery; nothing if it is not under a KMS key.

    Args:
        target: the ARN of a queue, topic or event bus.
        source: the ARN of the resource that the service delivers for.
        account: the account of that resource.
    """
    _, _, service, region, owner, _ = target.split(":", 5)
    key, context = _TARGETS[service](target, source, account)
    if not key:
        return ()
    return (Protected(key, context, region, account=owner, source=(source, account), reused_by="role"),)


def _queue(target: str, _source: str, _account: str) -> tuple[str, dict[str, str]]:
    queue = sqs.queue_of_arn(target)
    return ("" if queue is None else queue.key), {"aws:sqs:arn": target}


def _topic(target: str, source: str, account: str) -> tuple[str, dict[str, str]]:
    # captured 2026-09, of topics that services publish to
    context = {"aws:sns:topicArn": target, "aws:sns:sourceArn": source, "aws:sns:sourceAccount": account}
    return sns.topic_key(_no_api, target), context


def _bus(target: str, _source: str, _account: str) -> tuple[str, dict[str, str]]:
    bus = events.bus(_no_api, target)
    return ("" if bus is None else bus.key), {BUS: target}


#: Service of a target -> returns its key and encryption context.
_TARGETS = {"sqs": _queue, "sns": _topic, "events": _bus}


def _no_api(operation: str, /, **_: object) -> Mapping[str, Any]:
    """Return an error: deliveries inside moto are in this process, where no API is needed."""
    return {"Error": {"Code": "NotFound", "Message": operation}}
