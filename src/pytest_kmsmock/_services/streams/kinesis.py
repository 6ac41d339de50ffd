"""Amazon Kinesis Data Streams: server-side encryption.

Source: Amazon Kinesis Data Streams Developer Guide, "Data Protection in Amazon Kinesis Data Streams"
(https://docs.aws.amazon.com/streams/latest/dev/server-side-encryption.html); codes: the service model. Messages are
KMS's, as recorded of access denied in 2020; of the others that is inferred.
"""

from __future__ import annotations

from collections.abc import Iterable

from pytest_kmsmock._moto.settings import kinesis as settings
from pytest_kmsmock._services.error_mapping import ErrorMapping, ErrorTemplate
from pytest_kmsmock._services.protected import DataKey, Protected
from pytest_kmsmock._services.request import Request
from pytest_kmsmock._services.table import DECRYPT, GENERATE_DATA_KEY, Rule, Service, Step

#: The name of a stream's ARN in the encryption context.
_ARN = "aws:kinesis:arn"


def _protected(stream: settings.Stream | None) -> Iterable[Protected]:
    if stream is None or not stream.key:
        return ()
    _, _, _, region, account, _ = stream.arn.split(":")
    return (Protected(stream.key, {_ARN: stream.arn}, region, account=account, reused_by="role"),)


def _written(request: Request) -> Iterable[Protected]:
    """Find the stream of a producer."""
    name, arn = request.params.get("StreamName", ""), request.params.get("StreamARN", "")
    return _protected(settings.stream(request.api, request.access_key, request.region, name, arn))


def _note(request: Request, _protected: Protected, data_key: DataKey) -> None:
    request.notes["data_key"] = data_key


def _put(request: Request) -> None:
    """Show that records are encrypted, and store the data key of each: the stream may get another key, or none."""
    data_key: DataKey | None = request.notes.get("data_key")
    if data_key is None:
        return
    request.answer["EncryptionType"] = "KMS"
    given = request.params.get("Records", (request.params,))
    for sent, record in zip(given, request.answer.get("Records", (request.answer,)), strict=True):
        request.keep((data_key.context[_ARN], sent["PartitionKey"], record["SequenceNumber"]), data_key)


def _read(request: Request) -> Iterable[Protected]:
    """Find the data keys of received records; that there is no call without records is inferred."""
    records = request.answer.get("Records", ())
    stream = _of_records(request) if records else None
    if stream is None:
        return ()
    found: dict[str, Protected] = {}
    others: Iterable[Protected] = ()
    for record in records:
        name = (stream.arn, record["PartitionKey"], record["SequenceNumber"])
        data_key = request.kept(name)
        if data_key is not None:
            record["EncryptionType"] = "KMS"
            region = stream.arn.split(":")[3]
            found[data_key.arn] = Protected(data_key.arn, data_key.context, region, name, reused_by="role")
        else:  # written before the mock, or before the stream had a key
            others = _protected(stream)
    return (*found.values(), *others)


def _of_records(request: Request) -> settings.Stream | None:
    """Return the stream of received records."""
    arn = request.params.get("StreamARN")
    if arn is not None:
        return settings.stream(request.api, request.access_key, request.region, "", arn)
    return settings.stream_of_iterator(request.access_key, request.region, request.params["ShardIterator"])


_PUTS = Rule(before=(Step(_written, (GENERATE_DATA_KEY,), then=_note),), answered=_put)

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
