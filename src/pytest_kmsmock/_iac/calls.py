"""The API calls that create resources of other services in moto, for both languages.

A call is botocore's name of the service, the operation and its parameters; those that are None are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from .model import Stack

Call: TypeAlias = "tuple[str, str, Mapping[str, Any]]"

#: An empty archive in zip's format: functions are there for their settings, and are not run.
_EMPTY_ZIP = b"PK\x05\x06" + bytes(18)


def call(service: str, operation: str, **params: Any) -> Call:
    """Return a call, without parameters that are None."""
    return service, operation, {name: value for name, value in params.items() if value is not None}


def bucket(stack: Stack, name: str, *, algorithm: str | None, key: str | None, bucket_key: bool | None) -> list[Call]:
    """Return the calls that create a bucket with its default encryption."""
    place = None if stack.region == "us-east-1" else {"LocationConstraint": stack.region}
    calls = [call("s3", "CreateBucket", Bucket=name, CreateBucketConfiguration=place)]
    if algorithm is not None:
        default = {"SSEAlgorithm": algorithm} | ({} if key is None else {"KMSMasterKeyID": key})
        rule = {"ApplyServerSideEncryptionByDefault": default} | (
            {} if bucket_key is None else {"BucketKeyEnabled": bucket_key}
        )
        encryption = {"Rules": [rule]}
        calls.append(call("s3", "PutBucketEncryption", Bucket=name, ServerSideEncryptionConfiguration=encryption))
    return calls


def notifications(name: str, targets: list[tuple[str, str, list[str]]]) -> list[Call]:
    """Return the call that sets a bucket's notifications: kind of target, ARN and events of each."""
    kinds = {"queue": ("QueueConfigurations", "QueueArn"), "topic": ("TopicConfigurations", "TopicArn")}
    given: dict[str, list[dict[str, Any]]] = {}
    for kind, arn, events in targets:
        listed, named = kinds[kind]
        given.setdefault(listed, []).append({named: arn, "Events": events})
    return (
        [call("s3", "PutBucketNotificationConfiguration", Bucket=name, NotificationConfiguration=given)]
        if given
        else []
    )


def queue(name: str, attributes: Mapping[str, Any]) -> list[Call]:
    """Return the call that creates a queue."""
    return [call("sqs", "CreateQueue", QueueName=name, Attributes=_texts(attributes))]


def topic(name: str, attributes: Mapping[str, Any]) -> list[Call]:
    """Return the call that creates a topic."""
    return [call("sns", "CreateTopic", Name=name, Attributes=_texts(attributes))]


def subscription(topic_arn: str, protocol: str, endpoint: str) -> list[Call]:
    """Return the call that subscribes to a topic."""
    return [call("sns", "Subscribe", TopicArn=topic_arn, Protocol=protocol, Endpoint=endpoint)]


def secret(name: str, key: str | None, value: str | None) -> list[Call]:
    """Return the calls that create a secret; an unknown value is a placeholder."""
    return [call("secretsmanager", "CreateSecret", Name=name, KmsKeyId=key, SecretString=value or "placeholder")]


def parameter(name: str, kind: str, key: str | None, value: str | None) -> list[Call]:
    """Return the calls that create a parameter; an unknown value is a placeholder."""
    given = value or "placeholder"
    return [call("ssm", "PutParameter", Name=name, Type=kind, KeyId=key, Value=given, Overwrite=True)]


def log_group(name: str, key: str | None) -> list[Call]:
    """Return the call that creates a log group."""
    return [call("logs", "CreateLogGroup", logGroupName=name, kmsKeyId=key)]


def stream(name: str, shards: int, key: str | None) -> list[Call]:
    """Return the calls that create a stream."""
    calls = [call("kinesis", "CreateStream", StreamName=name, ShardCount=shards)]
    if key is not None:
        calls.append(call("kinesis", "StartStreamEncryption", StreamName=name, EncryptionType="KMS", KeyId=key))
    return calls


def function(name: str, role: str, key: str | None, variables: Mapping[str, str]) -> list[Call]:
    """Return the call that creates a function: its settings, without its code."""
    return [
        call(
            "lambda", "CreateFunction", FunctionName=name, Role=role, KMSKeyArn=key, Runtime="python3.13",
            Handler="index.handler", Code={"ZipFile": _EMPTY_ZIP}, Environment={"Variables": dict(variables)},
        )
    ]  # fmt: skip


def _texts(attributes: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in attributes.items()
        if value is not None
    }
