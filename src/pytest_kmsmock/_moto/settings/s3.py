"""Buckets, objects and uploads of S3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_kmsmock._record import Record

from . import Api, read


class Bucket(Record):
    """A bucket.

    Attributes:
        region: its Region.
        account: the account that owns it; empty if that is not known.
        rule: its default encryption, as `ServerSideEncryptionConfiguration.Rules[0]`; empty if it has none.
    """

    region: str
    account: str
    rule: Mapping[str, Any]


class Stored(Record):
    """How an object, or an upload of one, is encrypted.

    Attributes:
        algorithm: `AES256`, `aws:kms` or `aws:kms:dsse`; empty if that is not known.
        key: the KMS key; empty if there is none.
        bucket_key: whether the bucket's key is used.
        version: the version id; `null` in buckets without versions.
    """

    algorithm: str
    key: str
    bucket_key: bool = False
    version: str = "null"


def bucket(api: Api, name: str) -> Bucket | None:
    """Return a bucket; None if there is none of that name."""
    return read(lambda: _moto_bucket(name), lambda: _api_bucket(api, name))


def _fake_bucket(name: str) -> Any:
    """Return moto's object; None if there is none."""
    from moto.s3.models import s3_backends

    place = s3_backends.bucket_accounts.get(name)
    if place is None:
        return None
    partition, account = place
    return s3_backends[account][partition].buckets.get(name)


def _moto_bucket(name: str) -> Bucket | None:
    found = _fake_bucket(name)
    if found is None:
        return None
    return Bucket(found.region_name, found.account_id, (found.encryption or {}).get("Rule") or {})


def _api_bucket(api: Api, name: str) -> Bucket | None:
    located = api("GetBucketLocation", Bucket=name)
    if "Error" in located:
        return None
    answer = api("GetBucketEncryption", Bucket=name)
    rules = answer.get("ServerSideEncryptionConfiguration", {}).get("Rules") or [{}]
    return Bucket(located.get("LocationConstraint") or "us-east-1", "", rules[0])


def stored_object(api: Api, bucket: str, key: str, version: str | None) -> Stored | None:
    """Return how an object is encrypted; None if there is no such object."""
    return read(lambda: _moto_object(bucket, key, version), lambda: _api_object(api, bucket, key, version))


def _moto_object(bucket: str, key: str, version: str | None) -> Stored | None:
    found = _fake_bucket(bucket)
    if found is None:
        return None
    versions = found.keys.getlist(key, default=[])
    if version is None:
        chosen = versions[-1] if versions else None
    else:
        chosen = next((one for one in versions if str(one.version_id) == version), None)
    if chosen is None or not hasattr(chosen, "encryption"):  # a delete marker
        return None
    bucket_key = str(chosen.bucket_key_enabled).lower() == "true"
    return Stored(chosen.encryption or "", chosen.kms_key_id or "", bucket_key, str(chosen.version_id or "null"))


def _api_object(api: Api, bucket: str, key: str, version: str | None) -> Stored | None:
    given = {} if version is None else {"VersionId": version}
    answer = api("HeadObject", Bucket=bucket, Key=key, **given)
    if "Error" in answer:
        return None
    return Stored(
        answer.get("ServerSideEncryption", ""), answer.get("SSEKMSKeyId", ""), answer.get("BucketKeyEnabled", False),
        answer.get("VersionId", "null"),
    )  # fmt: skip


def encrypt(bucket: str, key: str, stored: Stored) -> None:
    """Have the newest version of an object be encrypted: moto does not read it from the fields of a form."""

    def inside() -> None:
        found = _fake_bucket(bucket).keys.getlist(key)[-1]
        found.encryption, found.kms_key_id = stored.algorithm, stored.key
        found.bucket_key_enabled = str(stored.bucket_key).lower()

    read(inside, lambda: None)


def upload(api: Api, bucket: str, key: str, upload_id: str) -> Stored | None:
    """Return how a multipart upload is encrypted, as far as that can be told; None if there is none."""
    return read(lambda: _moto_upload(bucket, upload_id), lambda: _api_upload(api, bucket, key, upload_id))


def _moto_upload(bucket: str, upload_id: str) -> Stored | None:
    found = _fake_bucket(bucket)
    begun = None if found is None else found.multiparts.get(upload_id)
    return None if begun is None else Stored(begun.sse_encryption or "", begun.kms_key_id or "")


def _api_upload(api: Api, bucket: str, key: str, upload_id: str) -> Stored | None:
    answer = api("ListParts", Bucket=bucket, Key=key, UploadId=upload_id, MaxParts=1)
    return None if "Error" in answer else Stored("", "")
