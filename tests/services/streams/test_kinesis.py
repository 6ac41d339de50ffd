"""Kinesis Data Streams with server-side encryption beside moto. Codes: the service model."""

from __future__ import annotations

import boto3
import pytest
from moto import mock_aws

from pytest_kmsmock import mock_kms


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


def records(kinesis):
    shard = kinesis.list_shards(StreamName="clicks")["Shards"][0]["ShardId"]
    iterator = kinesis.get_shard_iterator(StreamName="clicks", ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    return kinesis.get_records(ShardIterator=iterator["ShardIterator"])["Records"]


def put_records(kinesis, *partitions):
    entries = [{"Data": b"x", "PartitionKey": partition} for partition in partitions]
    return kinesis.put_records(StreamName="clicks", Records=entries)


def test_records_stay_under_the_key_that_they_were_written_with(world, kinesis):
    # StartStreamEncryption, StopStreamEncryption: they affect records that are written afterwards, and encryption can
    # be verified "by inspecting the API response from PutRecord or PutRecords"
    first, second = world.kms.create_key(), world.kms.create_key()
    encrypt(kinesis, first)
    assert kinesis.put_record(StreamName="clicks", Data=b"x", PartitionKey="p")["EncryptionType"] == "KMS"
    encrypt(kinesis, second)
    assert put_records(kinesis, "p", "q")["EncryptionType"] == "KMS"
    kinesis.stop_stream_encryption(StreamName="clicks", EncryptionType="KMS", KeyId=second.arn)
    assert "EncryptionType" not in put_records(kinesis, "p")
    assert [record.get("EncryptionType") for record in records(kinesis)] == ["KMS", "KMS", "KMS", None]
    assert [call.key.arn for call in world.kms.calls.of("Decrypt")] == [first.arn, second.arn]
    world.kms.client().disable_key(KeyId=first.id)
    with pytest.raises(kinesis.exceptions.KMSDisabledException):
        records(kinesis)


def test_records_from_before_the_mock():
    with mock_aws():
        kinesis = boto3.client("kinesis", region_name="us-east-1")
        kinesis.create_stream(StreamName="clicks", ShardCount=1)
        encrypt(kinesis, "alias/app")
        put_records(kinesis, "p", "q")
        with mock_kms() as kms:
            key = kms.create_key(alias="alias/app")
            assert len(records(kinesis)) == 2
            assert [call.key.arn for call in kms.calls] == [key.arn]
