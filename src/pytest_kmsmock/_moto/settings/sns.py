"""Topics of SNS."""

from __future__ import annotations

from typing import Any

from . import Api, read


def topic_key(api: Api, arn: str) -> str:
    """Return the `KmsMasterKeyId` of a topic; empty if it has none, or if there is no such topic."""
    return read(lambda: _moto_topic_key(arn), lambda: _api_topic_key(api, arn))


def _moto_topic_key(arn: str) -> str:
    from moto.sns.models import sns_backends

    parts = arn.split(":")
    if len(parts) != 6:  # the endpoint of an application, say
        return ""
    found: Any = sns_backends[parts[4]][parts[3]].topics.get(arn)
    return "" if found is None else found.kms_master_key_id or ""


def _api_topic_key(api: Api, arn: str) -> str:
    key: str = api("GetTopicAttributes", TopicArn=arn).get("Attributes", {}).get("KmsMasterKeyId", "")
    return key
