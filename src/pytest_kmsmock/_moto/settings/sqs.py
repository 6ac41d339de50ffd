"""Queues of SQS."""

from __future__ import annotations

from typing import Any

from pytest_kmsmock._record import Record

from . import Api, account_of, read


class Queue(Record):
    """A queue.

    Attributes:
        arn: its ARN.
        key: its `KmsMasterKeyId`; empty if it is not under a KMS key.
        reuse: its `KmsDataKeyReusePeriodSeconds`.
    """

    arn: str
    key: str
    reuse: int = 300


def queue(api: Api, access_key: str | None, region: str, url: str) -> Queue | None:
    """Return a queue; None if there is none.

    Args:
        api: calls SQS.
        access_key: the access key of who asks, which says whose account moto looks into.
        region: the Region.
        url: the URL of the queue, or its name.
    """
    name = url.rstrip("/").rpartition("/")[2]
    return read(lambda: _moto_queue(account_of(access_key), region, name), lambda: _api_queue(api, url))


def queue_of_arn(arn: str) -> Queue | None:
    """Return a queue of moto's in this process; None if there is none, or moto is elsewhere."""
    *_, region, account, name = arn.split(":")
    return read(lambda: _moto_queue(account, region, name), lambda: None)


def _moto_queue(account: str, region: str, name: str) -> Queue | None:
    from moto.sqs.models import sqs_backends

    found: Any = sqs_backends[account][region].queues.get(name)
    if found is None:
        return None
    return Queue(found.queue_arn, found.kms_master_key_id or "", int(found.kms_data_key_reuse_period_seconds or 300))


def _api_queue(api: Api, url: str) -> Queue | None:
    answer = api("GetQueueAttributes", QueueUrl=url, AttributeNames=["All"])
    if "Error" in answer:
        return None
    attributes = answer.get("Attributes", {})
    key, reuse = attributes.get("KmsMasterKeyId", ""), attributes.get("KmsDataKeyReusePeriodSeconds", "300")
    return Queue(attributes["QueueArn"], key, int(reuse))
