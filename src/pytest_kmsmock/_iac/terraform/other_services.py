"""Resources of other services that can use KMS: a table of types."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .. import calls
from ..calls import Call
from ..model import Item, ServiceResource
from .resource import Declared


def _service_resource(
    named_by: str, make: Callable[[Declared, str], Iterable[Call]]
) -> Callable[[Declared], Iterable[Item]]:
    def made(declared: Declared) -> Iterable[Item]:
        name = declared.required(named_by)
        yield ServiceResource(declared.place, declared.stack, name, tuple(make(declared, name)))

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
        "KmsMasterKeyId": declared.string("kms_master_key_id"),
        "KmsDataKeyReusePeriodSeconds": declared.get("kms_data_key_reuse_period_seconds"),
        "FifoQueue": declared.get("fifo_queue") or None,
    }
    return calls.queue(declared.required("name"), attributes)


def _topic(declared: Declared, _arn: str) -> Iterable[Call]:
    attributes = {
        "KmsMasterKeyId": declared.string("kms_master_key_id"),
        "FifoTopic": declared.get("fifo_topic") or None,
    }
    return calls.topic(declared.required("name"), attributes)


def _subscription(declared: Declared, topic: str) -> Iterable[Call]:
    return calls.subscription(topic, declared.required("protocol"), declared.required("endpoint"))


def _secret(declared: Declared, name: str) -> Iterable[Call]:
    return calls.secret(name, declared.string("kms_key_id"), None)


def _secret_version(declared: Declared, secret: str) -> Iterable[Call]:
    value = declared.string("secret_string") or "placeholder"
    return [calls.call("secretsmanager", "PutSecretValue", SecretId=secret, SecretString=value)]


def _parameter(declared: Declared, name: str) -> Iterable[Call]:
    kind = declared.string("type") or "String"
    key = declared.string("key_id") if kind == "SecureString" else None
    return calls.parameter(name, kind, key, declared.string("value"))


def _table(declared: Declared, name: str) -> Iterable[Call]:
    encryption = _first(declared.get("server_side_encryption"))
    specification: dict[str, Any] | None = None
    if encryption.get("enabled"):
        key = encryption.get("kms_key_arn")
        specification = {"Enabled": True, "SSEType": "KMS"} | ({"KMSMasterKeyId": key} if key else {})
    schema = [("HASH", declared.string("hash_key")), ("RANGE", declared.string("range_key"))]
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
    return calls.log_group(name, declared.string("kms_key_id"))


def _stream(declared: Declared, name: str) -> Iterable[Call]:
    key = declared.string("kms_key_id") if declared.string("encryption_type") == "KMS" else None
    return calls.stream(name, int(declared.get("shard_count") or 1), key)


def _function(declared: Declared, name: str) -> Iterable[Call]:
    variables = _first(declared.get("environment")).get("variables") or {}
    return calls.function(name, declared.required("role"), declared.string("kms_key_arn"), variables)


OTHER_SERVICES: Mapping[str, Callable[[Declared], Iterable[Item]]] = {
    "aws_s3_bucket": _service_resource("bucket", _bucket),
    "aws_s3_bucket_server_side_encryption_configuration": _service_resource("bucket", _encryption),
    "aws_s3_bucket_notification": _service_resource("bucket", _notification),
    "aws_sqs_queue": _service_resource("url", _queue),
    "aws_sns_topic": _service_resource("arn", _topic),
    "aws_sns_topic_subscription": _service_resource("topic_arn", _subscription),
    "aws_secretsmanager_secret": _service_resource("name", _secret),
    "aws_secretsmanager_secret_version": _service_resource("secret_id", _secret_version),
    "aws_ssm_parameter": _service_resource("name", _parameter),
    "aws_dynamodb_table": _service_resource("name", _table),
    "aws_cloudwatch_log_group": _service_resource("name", _log_group),
    "aws_kinesis_stream": _service_resource("name", _stream),
    "aws_lambda_function": _service_resource("function_name", _function),
}
