"""Amazon SNS: topics under a KMS key.

Sources: Amazon SNS Developer Guide, "Managing Amazon SNS encryption keys and costs"
(https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html). Calls, codes and messages: captured from AWS,
2026-09.
"""

from __future__ import annotations

from collections.abc import Iterable

from pytest_kmsmock._moto.settings import sns as settings
from pytest_kmsmock._services.error_mapping import JAVA_SDK, ErrorMapping, ErrorTemplate
from pytest_kmsmock._services.protected import Protected
from pytest_kmsmock._services.request import Request
from pytest_kmsmock._services.table import DECRYPT, GENERATE_DATA_KEY, Rule, Service, Step

from . import deliveries


def protected_topic(arn: str, key: str) -> Protected:
    """Return a topic under a KMS key."""
    _, _, _, region, account, _ = arn.split(":")
    return Protected(key, {"aws:sns:topicArn": arn}, region, account=account, reused_by="role")


def _topic(request: Request) -> Iterable[Protected]:
    """Find the topic of a request; none for a phone number."""
    arn = request.params.get("TopicArn") or request.params.get("TargetArn")
    key = settings.topic_key(request.api, arn) if arn else ""
    return (protected_topic(arn, key),) if arn and key else ()


# Captured: a publisher needs both permissions, though SNS decrypts what it delivers only later.
_PUBLISHES = Rule(before=(Step(_topic, (GENERATE_DATA_KEY, DECRYPT)),))

SERVICE = Service(
    "sns",
    {"Publish": _PUBLISHES, "PublishBatch": _PUBLISHES},
    ErrorMapping(
        {
            "AccessDeniedException": ErrorTemplate("KMSAccessDenied"),
            "DisabledException": ErrorTemplate("KMSDisabled"),
            "KMSInvalidStateException": ErrorTemplate("KMSInvalidState"),
            "InvalidKeyUsageException": ErrorTemplate("KMSInvalidState"),  # inferred
            "NotFoundException": ErrorTemplate("KMSNotFound"),
            "OptInRequired": ErrorTemplate("KMSOptInRequired", status=403),
            "ThrottlingException": ErrorTemplate("KMSThrottling"),
        },
        otherwise=ErrorTemplate("InternalError", status=500),  # inferred
        suffix=JAVA_SDK,
        bare_key_id=True,
    ),
    prepare=deliveries.watch,
)
