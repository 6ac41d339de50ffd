"""Resources of other services, as far as KMS has to do with them: a table of types."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .. import calls
from ..calls import Call
from ..model import Item, Thing
from .resource import Declared


def _thing(named_by: str, make: Callable[[Declared, str], Iterable[Call]]) -> Callable[[Declared], Iterable[Item]]:
    def made(declared: Declared) -> Iterable[Item]:
        name = declared.required(named_by)
        yield Thing(declared.place, declared.stack, name, tuple(make(declared, name)))

    return made


def _first(value: Any) -> Mapping[str, Any]:
    """Return the first of nested blocks; an empty mapping if there is none."""
    found = value[0] if isinstance(value, list) and value else value
    return found if isinstance(found, Mapping) else {}


def _bucket(declared: Declared, name: str) -> Iterable[Call]:
    return calls.bucket(declared.stack, name, algorithm=None, key=None, bucket_key=None)


def _encryption(declared: Declared, name: str) -> Iterable[Call]:
    rule = _first(declared.get("rule"))
    default = _first(rule.get("apply_server_side_encryption_by_default"))
    made = calls.bucket(
        declared.stack, name, algorithm=default.get("sse_algorithm"), key=default.get("kms_master_key_id") or None,
        bucket_key=rule.get("bucket_key_enabled"),
    )  # fmt: skip
    return made[1:]  # the bucket is a resource of its own


def _notification(declared: Declared, name: str) -> Iterable[Call]:
    targets = [
        (kind, str(block.get(f"{kind}_arn")), list(block.get("events") or ()))
        for kind in ("queue", "topic")
        for block in declared.blocks(kind)
    ]
    return calls.notifications(name, targets)


def _queue(declared: Declared, _url: str) -> Iterable[Call]:
    attributes = {
        "KmsMasterKeyId": declared.text("kms_master_key_id"),
        "KmsDataKeyReusePeriodSeconds": declared.get("kms_data_key_reuse_period_seconds"),
        "FifoQueue": declared.get("fifo_queue") or None,
    }
    return calls.queue(declared.required("name"), attributes)


def _topic(declared: Declared, _arn: str) -> Iterable[Call]:
    attributes = {"KmsMasterKeyId": declared.text("kms_master_key_id"), "FifoTopic": declared.get("fifo_topic") or None}
    return calls.topic(declared.required("name"), attributes)


def _subscription(declared: Declared, topic: str) -> Iterable[Call]:
    return calls.subscription(topic, declared.required("protocol"), declared.required("endpoint"))


def _secret(declared: Declared, name: str) -> Iterable[Call]:
    return calls.secret(name, declared.text("kms_key_id"), None)


def _secret_version(declared: Declared, secret: str) -> Iterable[Call]:
    value = declared.text("secret_string") or "made-up"
    return [calls.call("secretsmanager", "PutSecretValue", SecretId=secret, SecretString=value)]


def _parameter(declared: Declared, name: str) -> Iterable[Call]:
    kind = declared.text("type") or "String"
    key = declared.text("key_id") if kind == "SecureString" else None
    return calls.parameter(name, kind, key, declared.text("value"))


def _table(declared: Declared, name: str) -> Iterable[Call]:
    encryption = _first(declared.get("server_side_encryption"))
    specification: dict[str, Any] | None = None
    if encryption.get("enabled"):
        key = encryption.get("kms_key_arn")
        specification = {"Enabled": True, "SSEType": "KMS"} | ({"KMSMasterKeyId": key} if key else {})
    schema = [("HASH", declared.text("hash_key")), ("RANGE", declared.text("range_key"))]
    keys = [{"AttributeName": key, "KeyType": kind} for kind, key in schema if key is not None]
    named = {key["AttributeName"] for key in keys}
    attributes = [
        {"AttributeName": block["name"], "AttributeType": block["type"]}
        for block in declared.blocks("attribute")
        if block.get("name") in named
    ]
    yield calls.call(
        "dynamodb", "CreateTable", TableName=name, KeySchema=keys, AttributeDefinitions=attributes,
        BillingMode="PAY_PER_REQUEST", SSESpecification=specification,
    )  # fmt: skip


def _log_group(declared: Declared, name: str) -> Iterable[Call]:
    return calls.log_group(name, declared.text("kms_key_id"))


def _stream(declared: Declared, name: str) -> Iterable[Call]:
    key = declared.text("kms_key_id") if declared.text("encryption_type") == "KMS" else None
    return calls.stream(name, int(declared.get("shard_count") or 1), key)


def _function(declared: Declared, name: str) -> Iterable[Call]:
    variables = _first(declared.get("environment")).get("variables") or {}
    return calls.function(name, declared.required("role"), declared.text("kms_key_arn"), variables)


THINGS: Mapping[str, Callable[[Declared], Iterable[Item]]] = {
    "aws_s3_bucket": _thing("bucket", _bucket),
    "aws_s3_bucket_server_side_encryption_configuration": _thing("bucket", _encryption),
    "aws_s3_bucket_notification": _thing("bucket", _notification),
    "aws_sqs_queue": _thing("url", _queue),
    "aws_sns_topic": _thing("arn", _topic),
    "aws_sns_topic_subscription": _thing("topic_arn", _subscription),
    "aws_secretsmanager_secret": _thing("name", _secret),
    "aws_secretsmanager_secret_version": _thing("secret_id", _secret_version),
    "aws_ssm_parameter": _thing("name", _parameter),
    "aws_dynamodb_table": _thing("name", _table),
    "aws_cloudwatch_log_group": _thing("name", _log_group),
    "aws_kinesis_stream": _thing("name", _stream),
    "aws_lambda_function": _thing("function_name", _function),
}
