"""Kinesis Data Streams with server-side encryption beside moto. Codes: the service model."""

from __future__ import annotations

import pytest


@pytest.fixture
def kinesis(world):
    client = world.client("kinesis")
    client.create_stream(StreamName="clicks", ShardCount=1)
    return client


def encrypt(kinesis, key):
    kinesis.start_stream_encryption(StreamName="clicks", EncryptionType="KMS", KeyId=getattr(key, "arn", key))


def test_reading_nothing_needs_no_key(world, kinesis):
    encrypt(kinesis, world.kms.create_key())
    shard = kinesis.list_shards(StreamName="clicks")["Shards"][0]["ShardId"]
    iterator = kinesis.get_shard_iterator(StreamName="clicks", ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    with world.as_role(world.ALL_BUT_KMS):
        assert kinesis.get_records(ShardIterator=iterator["ShardIterator"])["Records"] == []
    assert world.made() == []


def test_a_stream_without_a_key_and_one_that_is_not_there(world, kinesis):
    kinesis.put_record(StreamName="clicks", Data=b"x", PartitionKey="p")
    with pytest.raises(kinesis.exceptions.ResourceNotFoundException):
        kinesis.put_record(StreamName="none", Data=b"x", PartitionKey="p")
    encrypt(kinesis, "alias/none")
    kinesis.stop_stream_encryption(StreamName="clicks", EncryptionType="KMS", KeyId="alias/none")
    kinesis.put_record(StreamName="clicks", Data=b"x", PartitionKey="p")
    assert world.made() == []


def test_the_managed_key(world, kinesis):
    encrypt(kinesis, "alias/aws/kinesis")
    with world.as_role(world.ALL_BUT_KMS):
        kinesis.put_record(StreamName="clicks", Data=b"x", PartitionKey="p")
    assert world.kms.calls[0].key.arn == world.kms.managed_key("kinesis")
