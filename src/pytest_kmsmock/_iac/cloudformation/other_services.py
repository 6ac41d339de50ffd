"""Resources of other services that can use KMS: a table of types.

Each gives the identifier of the resource in its service's API, and the calls that create it in moto.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from .. import calls
from ..calls import Call
from ..policies import as_list
from .declared import Declared
from .functions import string

_Made: TypeAlias = "tuple[str, tuple[Call, ...]]"


def _at(value: Any, *names: str | int) -> Any:
    """Return a value in nested mappings and lists; None if it does not exist."""
    for name in names:
        if isinstance(name, int):
            value = value[name] if isinstance(value, list) and len(value) > name else None
        else:
            value = value.get(name) if isinstance(value, dict) else None
    return value


def _flag(value: Any) -> bool | None:
    return None if value is None else string(value).lower() == "true"


def _bucket(declared: Declared) -> _Made:
    rule = _at(declared.get("BucketEncryption"), "ServerSideEncryptionConfiguration", 0)
    default = _at(rule, "ServerSideEncryptionByDefault")
    made = calls.bucket(
        declared.stack, declared.name, algorithm=_at(default, "SSEAlgorithm"),
        key=_at(default, "KMSMasterKeyID"), bucket_key=_flag(_at(rule, "BucketKeyEnabled")),
    )  # fmt: skip
    notification = declared.get("NotificationConfiguration")
    targets = [
        (kind, _at(each_of, name), [str(_at(each_of, "Event"))])
        for kind, listed, name in (("queue", "QueueConfigurations", "Queue"), ("topic", "TopicConfigurations", "Topic"))
        for each_of in as_list(_at(notification, listed))
    ]
    return declared.name, (*made, *calls.notifications(declared.name, targets))


def _queue(declared: Declared) -> _Made:
    names = ("KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled", "FifoQueue")
    return _ref(declared), tuple(calls.queue(declared.name, {name: declared.get(name) for name in names}))


def _topic(declared: Declared) -> _Made:
    names = ("KmsMasterKeyId", "FifoTopic")
    made = calls.topic(declared.name, {name: declared.get(name) for name in names})
    for subscribed in as_list(declared.get("Subscription")):
        made += calls.subscription(_ref(declared), _at(subscribed, "Protocol"), _at(subscribed, "Endpoint"))
    return _ref(declared), tuple(made)


def _subscription(declared: Declared) -> _Made:
    given = (declared.string(name) or "" for name in ("TopicArn", "Protocol", "Endpoint"))
    return declared.id, tuple(calls.subscription(*given))


def _secret(declared: Declared) -> _Made:
    made = calls.secret(declared.name, declared.string("KmsKeyId"), declared.string("SecretString"))
    return declared.name, tuple(made)


def _parameter(declared: Declared) -> _Made:
    kind = declared.string("Type") or "String"
    return declared.name, tuple(calls.parameter(declared.name, kind, None, declared.string("Value")))


def _table(declared: Declared) -> _Made:
    encryption = declared.get("SSESpecification")
    enabled = _flag(_at(encryption, "SSEEnabled"))
    specification: dict[str, Any] | None = None
    if enabled is not None:
        specification = {"Enabled": enabled}
        if enabled:
            key = _at(encryption, "KMSMasterKeyId")
            specification |= {"SSEType": "KMS"} | ({} if key is None else {"KMSMasterKeyId": key})
    throughput = declared.get("ProvisionedThroughput")
    names = ("KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes", "LocalSecondaryIndexes")
    made = calls.call(
        "dynamodb", "CreateTable", TableName=declared.name, SSESpecification=specification,
        BillingMode=declared.get("BillingMode") or (None if throughput else "PAY_PER_REQUEST"),
        ProvisionedThroughput=throughput and {name: int(string(value)) for name, value in throughput.items()},
        **{name: declared.get(name) for name in names},
    )  # fmt: skip
    return declared.name, (made,)


def _log_group(declared: Declared) -> _Made:
    return declared.name, tuple(calls.log_group(declared.name, declared.string("KmsKeyId")))


def _stream(declared: Declared) -> _Made:
    key = _at(declared.get("StreamEncryption"), "KeyId")
    return declared.name, tuple(calls.stream(declared.name, declared.number("ShardCount") or 1, key))


def _function(declared: Declared) -> _Made:
    variables = _at(declared.get("Environment"), "Variables") or {}
    made = calls.function(
        declared.name, declared.string("Role") or "", declared.string("KmsKeyArn"),
        {name: string(value) for name, value in variables.items()},
    )  # fmt: skip
    return declared.name, tuple(made)


def _ref(declared: Declared) -> str:
    return str(declared.scope.ref(declared.id))


#: Type -> the identifier of a resource in its service's API, and the calls that create it.
OTHER_SERVICES: Mapping[str, Callable[[Declared], _Made]] = {
    "AWS::S3::Bucket": _bucket,
    "AWS::SQS::Queue": _queue,
    "AWS::SNS::Topic": _topic,
    "AWS::SNS::Subscription": _subscription,
    "AWS::SecretsManager::Secret": _secret,
    "AWS::SSM::Parameter": _parameter,
    "AWS::DynamoDB::Table": _table,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::Kinesis::Stream": _stream,
    "AWS::Lambda::Function": _function,
}
