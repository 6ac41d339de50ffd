"""Amazon Kinesis Data Streams: server-side encryption.

Source: Amazon Kinesis Data Streams Developer Guide, "Data Protection in Amazon Kinesis Data Streams"
(https://docs.aws.amazon.com/streams/latest/dev/server-side-encryption.html); codes: the service model. Messages are
KMS's, as recorded of access denied in 2020; of the others that is inferred.
"""

from __future__ import annotations

from collections.abc import Iterable

from pytest_kmsmock._moto.settings import kinesis as settings
from pytest_kmsmock._services.error_mapping import ErrorMapping, ErrorTemplate
from pytest_kmsmock._services.protected import Protected
from pytest_kmsmock._services.request import Request
from pytest_kmsmock._services.table import DECRYPT, GENERATE_DATA_KEY, Rule, Service, Step


def _protected(stream: settings.Stream | None) -> Iterable[Protected]:
    if stream is None or not stream.key:
        return ()
    _, _, _, region, account, _ = stream.arn.split(":")
    return (Protected(stream.key, {"aws:kinesis:arn": stream.arn}, region, account=account, reused_by="role"),)


def _written(request: Request) -> Iterable[Protected]:
    """Find the stream of a producer."""
    name, arn = request.params.get("StreamName", ""), request.params.get("StreamARN", "")
    return _protected(settings.stream(request.api, request.access_key, request.region, name, arn))


def _read(request: Request) -> Iterable[Protected]:
    """Find the stream of received records; that there is no call without records is inferred."""
    if not request.answer.get("Records"):
        return ()
    arn = request.params.get("StreamARN")
    if arn is not None:
        return _protected(settings.stream(request.api, request.access_key, request.region, "", arn))
    iterator = request.params["ShardIterator"]
    return _protected(settings.stream_of_iterator(request.access_key, request.region, iterator))


_PUTS = Rule(before=(Step(_written, (GENERATE_DATA_KEY,)),))

SERVICE = Service(
    "kinesis",
    {"PutRecord": _PUTS, "PutRecords": _PUTS, "GetRecords": Rule(after=(Step(_read, (DECRYPT,)),))},
    ErrorMapping(
        {
            "AccessDeniedException": ErrorTemplate("KMSAccessDeniedException"),
            "DisabledException": ErrorTemplate("KMSDisabledException"),
            "KMSInvalidStateException": ErrorTemplate("KMSInvalidStateException"),
            "NotFoundException": ErrorTemplate("KMSNotFoundException"),
            "OptInRequired": ErrorTemplate("KMSOptInRequired"),
            "ThrottlingException": ErrorTemplate("KMSThrottlingException"),
        },
        otherwise=ErrorTemplate("KMSInvalidStateException"),  # inferred
    ),
)
