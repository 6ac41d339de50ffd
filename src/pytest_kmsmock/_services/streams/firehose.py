"""Amazon Data Firehose: delivery streams under a KMS key.

The caller of CreateDeliveryStream grants Firehose the use of the key; since 2026-04-20 producers need GenerateDataKey
and Decrypt. Source: Amazon Data Firehose Developer Guide, "Data protection in Amazon Data Firehose"
(https://docs.aws.amazon.com/firehose/latest/dev/encryption.html); codes: the service model. Which operations are
granted, and that there is no encryption context, is inferred.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pytest_kmsmock._services.error_mapping import ErrorMapping, ErrorTemplate
from pytest_kmsmock._services.grants import granting
from pytest_kmsmock._services.protected import DataKey, Protected
from pytest_kmsmock._services.request import Request
from pytest_kmsmock._services.table import CREATE_GRANT, DECRYPT, GENERATE_DATA_KEY, Rule, Service, Step

_GRANTED = ("Decrypt", "DescribeKey", "GenerateDataKey", "RetireGrant")
_CUSTOMER = "CUSTOMER_MANAGED_CMK"


def _stream(request: Request) -> Mapping[str, Any] | None:
    """Return the stream of a request; None if there is none."""
    described = request.api("DescribeDeliveryStream", DeliveryStreamName=request.params["DeliveryStreamName"])
    stream: Mapping[str, Any] | None = described.get("DeliveryStreamDescription")
    return stream


def _configured(request: Request) -> Iterable[Protected]:
    """Find the stream that gets a customer managed key: one that is there, unless it is created."""
    wanted = request.params.get("DeliveryStreamEncryptionConfigurationInput", {})
    if wanted.get("KeyType") != _CUSTOMER or "KeyARN" not in wanted:
        return ()
    if (_stream(request) is None) is not (request.operation == "CreateDeliveryStream"):
        return ()
    protected = Protected(wanted["KeyARN"], {}, request.region, account=request.account)
    return (granting(protected, f"firehose.{request.region}.amazonaws.com", _GRANTED),)


def _written(request: Request) -> Iterable[Protected]:
    """Find the stream of a producer."""
    stream = _stream(request) or {}
    encryption = stream.get("DeliveryStreamEncryptionConfiguration", {})
    if encryption.get("Status", "ENABLED") != "ENABLED" or encryption.get("KeyType") != _CUSTOMER:
        return ()
    return (Protected(encryption["KeyARN"], {}, request.region, account=request.account, reused_by="role"),)


def _note(request: Request, _protected: Protected, _data_key: DataKey) -> None:
    request.notes["encrypted"] = True


def _put(request: Request) -> None:
    """Show that records are encrypted."""
    if "encrypted" in request.notes:
        request.answer["Encrypted"] = True


_PUTS = Rule(before=(Step(_written, (GENERATE_DATA_KEY, DECRYPT), then=_note),), answered=_put)

SERVICE = Service(
    "firehose",
    {
        # "you get ENABLING_FAILED, ... encryption remains enabled with the old CMK"
        **dict.fromkeys(
            ("CreateDeliveryStream", "StartDeliveryStreamEncryption"),
            Rule(before=(Step(_configured, (CREATE_GRANT,)),)),
        ),
        "PutRecord": _PUTS,
        "PutRecordBatch": _PUTS,
    },
    ErrorMapping({}, otherwise=ErrorTemplate("InvalidKMSResourceException", members={"code": "{code}"})),
)
