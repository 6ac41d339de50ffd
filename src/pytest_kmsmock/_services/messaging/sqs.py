"""Amazon SQS: queues under a KMS key (SSE-KMS).

Sources: Amazon SQS Developer Guide, "Key management" and "Encryption at rest"
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html). Calls, codes and
messages: captured from AWS, 2026-09.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pytest_kmsmock._moto.settings import sqs as settings
from pytest_kmsmock._services.error_mapping import JAVA_SDK, ErrorMapping, ErrorTemplate, ServiceError
from pytest_kmsmock._services.protected import DataKey, Protected
from pytest_kmsmock._services.request import Request
from pytest_kmsmock._services.table import DECRYPT, GENERATE_DATA_KEY, Rule, Service, Step


def protected_by(queue: settings.Queue | None) -> Iterable[Protected]:
    """Return a queue; nothing if it is not under a KMS key."""
    if queue is None or not queue.key:
        return ()
    _, _, _, region, account, _ = queue.arn.split(":")
    return (Protected(queue.key, {"aws:sqs:arn": queue.arn}, region, account=account, reused_by="role"),)


def _queue(request: Request) -> Iterable[Protected]:
    """Find the queue of a request."""
    return protected_by(settings.queue(request.api, request.access_key, request.region, request.params["QueueUrl"]))


def _move_from(request: Request) -> Iterable[Protected]:
    return protected_by(settings.queue_of_arn(request.params["SourceArn"]))


def _move_to(request: Request) -> Iterable[Protected]:
    arn = request.params.get("DestinationArn")
    return () if arn is None else protected_by(settings.queue_of_arn(arn))


def _note(request: Request, _protected: Protected, data_key: DataKey) -> None:
    request.notes["data_key"] = data_key


def _sent(request: Request) -> None:
    """Store the data key of messages: they keep it in a dead-letter queue."""
    data_key: DataKey | None = request.notes.get("data_key")
    if data_key is not None:
        answer = request.answer
        for entry in (answer,) if "MessageId" in answer else answer.get("Successful", ()):
            request.keep((entry["MessageId"],), data_key)


def _received(request: Request) -> Iterable[Protected]:
    """Find the data keys of received messages; several messages can share one."""
    found: dict[str, Protected] = {}
    unknown = False
    for message in request.answer.get("Messages", ()):
        data_key = request.kept((message["MessageId"],))
        if data_key is None:
            unknown = True
        elif data_key.arn not in found:
            region = data_key.arn.split(":")[3]
            found[data_key.arn] = Protected(
                data_key.arn, data_key.context, region, (message["MessageId"],), reused_by="role"
            )
    if unknown:  # sent by a service, or before the mock
        for protected in _queue(request):
            found[""] = protected
    return list(found.values())


def _put_back(request: Request) -> None:
    """Make the messages visible again."""
    for message in request.answer["Messages"]:
        request.api(
            "ChangeMessageVisibility", QueueUrl=request.params["QueueUrl"], ReceiptHandle=message["ReceiptHandle"],
            VisibilityTimeout=0,
        )  # fmt: skip


def _failed(request: Request, error: ServiceError) -> dict[str, Any]:
    """Fail every entry of a batch. That a refusal does not fail the request is inferred."""
    failed = {"SenderFault": True, "Code": error.query_code, "Message": error.message}
    return {"Failed": [{"Id": entry["Id"], **failed} for entry in request.params["Entries"]]}


_SENDS = (GENERATE_DATA_KEY, DECRYPT)  # SQS decrypts the new data key at once, as a check

SERVICE = Service(
    "sqs",
    {
        "SendMessage": Rule(before=(Step(_queue, _SENDS, then=_note),), answered=_sent),
        "SendMessageBatch": Rule(before=(Step(_queue, _SENDS, then=_note, on_error=_failed),), answered=_sent),
        "ReceiveMessage": Rule(after=(Step(_received, (DECRYPT,), rollback=_put_back),)),
        "StartMessageMoveTask": Rule(before=(Step(_move_from, (DECRYPT,)), Step(_move_to, _SENDS))),
    },
    ErrorMapping(
        {
            "AccessDeniedException": ErrorTemplate("KmsAccessDenied", query_code="KMS.AccessDeniedException"),
            "DisabledException": ErrorTemplate("KmsDisabled", query_code="KMS.DisabledException"),
            "InvalidKeyUsageException": ErrorTemplate("KmsInvalidKeyUsage", query_code="KMS.InvalidKeyUsageException"),
            "KMSInvalidStateException": ErrorTemplate("KmsInvalidState", query_code="KMS.InvalidStateException"),
            "NotFoundException": ErrorTemplate("KmsNotFound", query_code="KMS.NotFoundException"),
            "OptInRequired": ErrorTemplate("KmsOptInRequired", status=403, query_code="KMS.OptInRequired"),
            "ThrottlingException": ErrorTemplate("KmsThrottled", query_code="KMS.ThrottlingException"),
        },
        otherwise=ErrorTemplate("InternalError", status=500),  # inferred
        suffix=JAVA_SDK,
    ),
)
