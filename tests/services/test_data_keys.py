"""Data keys that services use again, while a test has `delays.data_key_reuse` last.

SQS and S3 Developer Guides; who is one requester: captured from AWS, 2026-09.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

SSE = {"ServerSideEncryption": "aws:kms", "BucketKeyEnabled": True}


@pytest.fixture
def queue(world):
    world.kms.delays.data_key_reuse = 300
    key = world.kms.create_key()
    sqs = world.client("sqs")
    url = sqs.create_queue(QueueName="orders", Attributes={"KmsMasterKeyId": key.arn})["QueueUrl"]

    def send():
        sqs.send_message(QueueUrl=url, MessageBody="x")

    return key, send


def test_a_data_key_of_a_queue(world, queue):
    key, send = queue
    send()
    send()
    assert len(world.made()) == 2
    world.kms.client().disable_key(KeyId=key.id)
    send()  # a warm key works although KMS would refuse
    world.kms.clock.advance(timedelta(seconds=301))
    with pytest.raises(ClientError, match="is disabled"):
        send()


def test_sessions_of_a_role_share_it(world, queue):
    _, send = queue
    world.kms.iam.attach("role/app", world.EVERYTHING)
    for session in ("one", "other"):
        with world.kms.as_principal("role/app", session_name=session):
            send()
    assert len(world.made()) == 2
    with world.kms.as_principal("role/app", session_policies=world.EVERYTHING):
        send()
    send()
    assert len(world.made()) == 6


def test_a_refusal_is_not_remembered(world, queue):
    key, send = queue
    world.kms.client().disable_key(KeyId=key.id)
    for _ in range(2):
        with pytest.raises(ClientError, match="is disabled"):
            send()
    world.kms.client().enable_key(KeyId=key.id)
    send()


def test_a_bucket_key_is_of_one_session(world):
    world.kms.delays.data_key_reuse = timedelta(minutes=5)
    key = world.kms.create_key()
    s3 = world.client("s3")
    s3.create_bucket(Bucket="documents")
    world.kms.iam.attach("role/app", world.EVERYTHING)

    def work(name, **parameters):
        s3.put_object(Bucket="documents", Key=name, SSEKMSKeyId=key.arn, **SSE | parameters)
        s3.get_object(Bucket="documents", Key=name)

    for session in ("one", "other", "one"):
        with world.kms.as_principal("role/app", session_name=session):
            work(session)
            work("again")
    assert len(world.made()) == 4
    work("k", BucketKeyEnabled=False)
    work("k", BucketKeyEnabled=False)
    assert len(world.made()) == 8


def test_messages_that_are_received(world, queue):
    _, send = queue
    sqs = world.client("sqs")
    send()
    send()
    for _ in range(2):
        assert sqs.receive_message(QueueUrl=sqs.get_queue_url(QueueName="orders")["QueueUrl"])["Messages"]
    assert world.made()[2:] == [("Decrypt", "sqs")]
