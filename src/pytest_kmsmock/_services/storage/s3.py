"""Amazon S3: SSE-KMS and DSSE-KMS.

Sources: Amazon S3 User Guide, "Using server-side encryption with AWS KMS keys (SSE-KMS)"
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html) and "Reducing the cost of SSE-KMS with
Amazon S3 Bucket Keys"; KMS Developer Guide, "How Amazon S3 uses AWS KMS"
(https://docs.aws.amazon.com/kms/latest/developerguide/services-s3.html); botocore's service model for parts and
attributes. Codes and messages: recorded 2026-02 (public AWS-validated snapshots) and 2023 to 2026 (public issues).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

from pytest_kmsmock._kms.api.arns import parse_arn, partition_of
from pytest_kmsmock._moto.settings import s3 as settings
from pytest_kmsmock._moto.settings.s3 import Bucket, Stored
from pytest_kmsmock._record import Record
from pytest_kmsmock._services.error_mapping import ErrorMapping, ErrorTemplate, ServiceError
from pytest_kmsmock._services.messaging import deliveries
from pytest_kmsmock._services.protected import DataKey, Protected
from pytest_kmsmock._services.request import Request
from pytest_kmsmock._services.table import DECRYPT, GENERATE_DATA_KEY, Rule, Service, Step, as_service

_SSE_KMS = ("aws:kms", "aws:kms:dsse")
_MANAGED_KEY = "alias/aws/s3"
_ARN_IN_CONTEXT = "aws:s3:arn"

_ALGORITHM_HEADER = "x-amz-server-side-encryption"
_KEY_HEADER = "x-amz-server-side-encryption-aws-kms-key-id"
_BUCKET_KEY_HEADER = "x-amz-server-side-encryption-bucket-key-enabled"


class _Encryption(Record):
    """The SSE-KMS or DSSE-KMS settings of a new object."""

    algorithm: str
    key: str
    bucket_key: bool


def _encryption(params: Mapping[str, Any], bucket: Bucket) -> _Encryption | None:
    """Return the settings of a new object: those of the request, else of the bucket; None without KMS."""
    default = bucket.rule.get("ApplyServerSideEncryptionByDefault") or {}
    algorithm = params.get("ServerSideEncryption")
    key = params.get("SSEKMSKeyId")
    if algorithm is None:
        algorithm, key = default.get("SSEAlgorithm"), default.get("KMSMasterKeyID")
    if algorithm not in _SSE_KMS:
        return None
    bucket_key = params.get("BucketKeyEnabled")
    if bucket_key is None:
        bucket_key = str(bucket.rule.get("BucketKeyEnabled", "")).lower() == "true"
    # "S3 Bucket Keys aren't supported for DSSE-KMS."
    return _Encryption(algorithm, key or _MANAGED_KEY, bool(bucket_key) and algorithm == "aws:kms")


def _context(bucket: str, region: str, key: str, given: str | None, *, bucket_key: bool) -> Mapping[str, str]:
    arn = f"arn:{partition_of(region)}:s3:::{bucket}" + ("" if bucket_key else f"/{key}")
    return {**_given_context(given), _ARN_IN_CONTEXT: arn}


def _given_context(given: str | None) -> Mapping[str, str]:
    """Return the encryption context of the request's header.

    Raises:
        ServiceError: it is not a JSON object of strings. Code and message are inferred.
    """
    if given is None:
        return {}
    try:
        context = json.loads(base64.b64decode(given, validate=True))
    except (ValueError, binascii.Error):
        context = None
    if not isinstance(context, dict) or not all(isinstance(value, str) for value in context.values()):
        raise ServiceError(
            "InvalidArgument",
            "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding JSON which "
            "represents a string-string map",
        )
    return context


def _check_signature(request: Request) -> None:
    """Require Signature Version 4, without which S3 refuses requests under KMS keys.

    Raises:
        ServiceError: as S3 does for presigned URLs of Signature Version 2, and for anonymous requests.
    """
    if not request.signed:
        raise ServiceError(
            "InvalidArgument",
            "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4.",
            members={"ArgumentName": "Authorization", "ArgumentValue": "null"},
        )


def _check_key(request: Request) -> Iterable[Protected]:
    """Require SSE-KMS or DSSE-KMS in a request that names a key. Recorded in public issues, 2015 to 2024.

    Raises:
        ServiceError: the request names no algorithm, or one without keys.
    """
    params = request.params
    if "SSEKMSKeyId" in params and params.get("ServerSideEncryption") not in _SSE_KMS:
        raise ServiceError(
            "InvalidArgument",
            "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : "
            "aws:kms",
            members={"ArgumentName": _ALGORITHM_HEADER},
        )
    return ()


# --- writes ----------------------------------------------------------------------------------------------


def _written(request: Request) -> Iterable[Protected]:
    """Find the object that a request writes."""
    params = request.params
    bucket = settings.bucket(request.api, params["Bucket"])
    encryption = None if bucket is None else _encryption(params, bucket)
    if bucket is None or encryption is None:
        return ()
    _check_signature(request)
    request.notes["encryption"] = encryption
    context = _context(
        params["Bucket"], bucket.region, params["Key"], params.get("SSEKMSEncryptionContext"),
        bucket_key=encryption.bucket_key,
    )  # fmt: skip
    reused_by = "session" if encryption.bucket_key else ""
    return (Protected(encryption.key, context, bucket.region, reused_by=reused_by),)


def _name_key(request: Request, _protected: Protected, data_key: DataKey) -> None:
    """Store the key ARN with the object: S3 returns it, and changing the alias does not affect the object."""
    encryption: _Encryption = request.notes["encryption"]
    request.notes["data_key"] = data_key
    request.headers[_ALGORITHM_HEADER] = encryption.algorithm
    request.headers[_KEY_HEADER] = data_key.arn
    request.headers[_BUCKET_KEY_HEADER] = "true" if encryption.bucket_key else "false"


def _complete(request: Request) -> DataKey | None:
    """Complete the response to a write, and return the data key; None without KMS."""
    data_key: DataKey | None = request.notes.get("data_key")
    if data_key is not None:
        encryption: _Encryption = request.notes["encryption"]
        answer = request.answer
        answer["ServerSideEncryption"] = encryption.algorithm
        answer["SSEKMSKeyId"] = data_key.arn
        answer.pop("BucketKeyEnabled", None)
        if encryption.bucket_key:
            answer["BucketKeyEnabled"] = True
        given = request.params.get("SSEKMSEncryptionContext")
        if given is not None:
            answer["SSEKMSEncryptionContext"] = given
    return data_key


def _object_written(request: Request) -> None:
    data_key = _complete(request)
    if data_key is not None:
        params = request.params
        if request.notes.get("form"):
            encryption: _Encryption = request.notes["encryption"]
            settings.encrypt(
                params["Bucket"], params["Key"], Stored(encryption.algorithm, data_key.arn, encryption.bucket_key)
            )
        request.keep((params["Bucket"], params["Key"], request.answer.get("VersionId", "null")), data_key)


def _upload_begun(request: Request) -> None:
    data_key = _complete(request)
    if data_key is not None:
        request.keep((request.answer["UploadId"],), data_key)


def _upload(request: Request) -> Iterable[Protected]:
    """Find the upload that a request is about."""
    params = request.params
    upload_id, bucket_name = params["UploadId"], params["Bucket"]
    begun = settings.upload(request.api, bucket_name, params["Key"], upload_id)
    bucket = None if begun is None else settings.bucket(request.api, bucket_name)
    if begun is None or bucket is None:
        return ()
    known = request.kept((upload_id,))
    if known is not None:
        return (Protected(known.arn, known.context, bucket.region, (upload_id,)),)
    if begun.algorithm not in _SSE_KMS:
        return ()
    context = _context(bucket_name, bucket.region, params["Key"], None, bucket_key=False)
    return (Protected(begun.key or _MANAGED_KEY, context, bucket.region, account=bucket.account),)


def _name_key_of_upload(request: Request) -> DataKey | None:
    """Complete the response about a part or a completed upload, and return the data key; None without KMS."""
    data_key = request.kept((request.params["UploadId"],))
    if data_key is not None:
        request.answer["SSEKMSKeyId"] = data_key.arn
        if "/" not in data_key.context[_ARN_IN_CONTEXT]:  # the bucket's
            request.answer["BucketKeyEnabled"] = True
    return data_key


def _part_uploaded(request: Request) -> None:
    _name_key_of_upload(request)


def _upload_completed(request: Request) -> None:
    params, data_key = request.params, _name_key_of_upload(request)
    if data_key is not None:
        request.keep((params["Bucket"], params["Key"], request.answer.get("VersionId", "null")), data_key)


# --- reads -------------------------------------------------------------------------------------------------


def _stored(request: Request, bucket: str, key: str, stored: Stored) -> Iterable[Protected]:
    """Return an existing object."""
    if stored.algorithm not in _SSE_KMS:
        return ()
    _check_signature(request)
    name = (bucket, key, stored.version)
    known = request.kept(name)
    arn = stored.key if parse_arn(stored.key) is not None else ""
    if known is not None and arn in ("", known.arn):
        parsed = parse_arn(known.arn)
        assert parsed is not None, known
        reused_by = "" if "/" in known.context[_ARN_IN_CONTEXT] else "session"
        return (Protected(known.arn, known.context, parsed.region, name, reused_by=reused_by),)
    found = settings.bucket(request.api, bucket)
    if found is None:
        return ()
    context = _context(bucket, found.region, key, None, bucket_key=stored.bucket_key)
    return (Protected(stored.key or _MANAGED_KEY, context, found.region, account=found.account),)


def _read(request: Request) -> Iterable[Protected]:
    """Find the object in a response, which tells how it is encrypted."""
    answer, params = request.answer, request.params
    if answer.get("ServerSideEncryption") not in _SSE_KMS:
        return ()
    version, key = answer.get("VersionId", "null"), answer.get("SSEKMSKeyId", "")
    stored = Stored(answer["ServerSideEncryption"], key, answer.get("BucketKeyEnabled", False), version)
    if not key:  # moto keeps the key of DSSE-KMS to itself
        stored = settings.stored_object(request.api, params["Bucket"], params["Key"], params.get("VersionId")) or stored
    return _stored(request, params["Bucket"], params["Key"], stored)


def _read_with_checksum(request: Request) -> Iterable[Protected]:
    """Find the object whose checksum is in a response: without it HeadObject needs no KMS permission."""
    return _read(request) if request.params.get("ChecksumMode") == "ENABLED" else ()


def _looked_at(request: Request) -> Iterable[Protected]:
    """Find the object of a request whose response does not tell how it is encrypted."""
    params = request.params
    stored = settings.stored_object(request.api, params["Bucket"], params["Key"], params.get("VersionId"))
    return () if stored is None else _stored(request, params["Bucket"], params["Key"], stored)


def _source(request: Request) -> Iterable[Protected]:
    """Find the source object of a copy."""
    path, _, query = str(request.params["CopySource"]).partition("?")
    bucket, _, key = unquote(path).removeprefix("/").partition("/")
    version = parse_qs(query).get("versionId", [None])[0]
    stored = settings.stored_object(request.api, bucket, key, version)
    return () if stored is None else _stored(request, bucket, key, stored)


def _name_read_key(request: Request) -> None:
    """Complete the response to a read."""
    answer = request.answer
    if answer.get("ServerSideEncryption") not in _SSE_KMS:
        return
    known = request.kept((request.params["Bucket"], request.params["Key"], answer.get("VersionId", "null")))
    if known is not None and answer.get("SSEKMSKeyId") in (None, known.arn):
        answer["SSEKMSKeyId"] = known.arn
        answer["BucketKeyEnabled"] = "/" not in known.context[_ARN_IN_CONTEXT]  # moto forgets it of uploads
    if not answer.get("BucketKeyEnabled"):
        answer.pop("BucketKeyEnabled", None)


def _check_default(request: Request) -> Iterable[Protected]:
    """Validate the default encryption of a bucket; whether the key exists is not validated. Recorded.

    Raises:
        ServiceError: a key is set for an algorithm without keys.
    """
    for rule in request.params["ServerSideEncryptionConfiguration"].get("Rules", ()):
        default = rule.get("ApplyServerSideEncryptionByDefault") or {}
        if "KMSMasterKeyID" in default and default.get("SSEAlgorithm") not in _SSE_KMS:
            raise ServiceError(
                "InvalidArgument",
                "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
                members={"ArgumentName": "ApplyServerSideEncryptionByDefault"},
            )
    return ()


def _notified(request: Request) -> Iterable[Protected]:
    """Find the target queues and topics: S3 sends them a test event when notifications are configured."""
    params = request.params
    bucket = settings.bucket(request.api, params["Bucket"])
    if bucket is None or params.get("SkipDestinationValidation"):
        return
    source = f"arn:{partition_of(bucket.region)}:s3:::{params['Bucket']}"
    configuration = params["NotificationConfiguration"]
    for kind, member in (("QueueConfigurations", "QueueArn"), ("TopicConfigurations", "TopicArn")):
        for entry in configuration.get(kind, ()):
            yield from deliveries.protected_for(entry[member], source, bucket.account)


# --- the table ----------------------------------------------------------------------------------------------------

_CHECKS = Step(_check_key, ())
_WRITES = Step(_written, (GENERATE_DATA_KEY,), then=_name_key)
_OF_UPLOAD = Step(_upload, (DECRYPT,))
_OF_SOURCE = Step(_source, (DECRYPT,))
# The message is known from users; that it comes for a refusal of KMS is inferred.
_NOT_NOTIFIED = ErrorMapping(
    {}, otherwise=ErrorTemplate("InvalidArgument", "Unable to validate the following destination configurations")
)

SERVICE = Service(
    "s3",
    {
        "PutObject": Rule(before=(_CHECKS, _WRITES), answered=_object_written),
        "CopyObject": Rule(before=(_CHECKS, _OF_SOURCE, _WRITES), answered=_object_written),
        "CreateMultipartUpload": Rule(before=(_CHECKS, _WRITES), answered=_upload_begun),
        "UploadPart": Rule(before=(_OF_UPLOAD,), answered=_part_uploaded),
        "UploadPartCopy": Rule(before=(_OF_SOURCE, _OF_UPLOAD), answered=_part_uploaded),
        "CompleteMultipartUpload": Rule(before=(_OF_UPLOAD,), answered=_upload_completed),
        "ListParts": Rule(before=(_OF_UPLOAD,)),
        "GetObject": Rule(after=(Step(_read, (DECRYPT,)),), answered=_name_read_key),
        "HeadObject": Rule(after=(Step(_read_with_checksum, (DECRYPT,)),), answered=_name_read_key),
        "GetObjectAttributes": Rule(before=(Step(_looked_at, (DECRYPT,)),)),
        "PutBucketEncryption": Rule(before=(Step(_check_default, ()),)),
        "PutBucketNotificationConfiguration": Rule(
            before=(Step(_notified, (GENERATE_DATA_KEY, DECRYPT), who=as_service("s3"), errors=_NOT_NOTIFIED),)
        ),
        "SelectObjectContent": Rule(before=(Step(_looked_at, (DECRYPT,)),)),
    },
    ErrorMapping(
        {"AccessDeniedException": ErrorTemplate("AccessDenied", status=403)},
        otherwise=ErrorTemplate("KMS.{code}"),
    ),
    prepare=deliveries.watch,
)
