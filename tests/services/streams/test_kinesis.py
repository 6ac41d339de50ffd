"""Kinesis Data Streams with server-side encryption beside moto. Codes: the service model."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

ARN = "arn:aws:kinesis:us-east-1:123456789012:stream/clicks"


@pytest.fixture
def kinesis(world):
    client = world.client("kinesis")
    client.create_stream(StreamName="clicks", ShardCount=1)
    return client


def encrypt(kinesis, key):
    kinesis.start_stream_encryption(StreamName="clicks", EncryptionType="KMS", KeyId=getattr(key, "arn", key))


def code_of(case):
    code = case.situation.code
    return code if code.startswith("KMS") else f"KMS{code}"


@pytest.mark.parametrize("operation", ["PutRecord", "PutRecord by ARN", "PutRecords"])
def test_writing(world, kinesis, write_situation, operation):
    case = world.writing(write_situation, "kinesis")
    encrypt(kinesis, case.key)
    puts = {
        "PutRecord": lambda: kinesis.put_record(StreamName="clicks", Data=b"x", PartitionKey="p"),
        "PutRecord by ARN": lambda: kinesis.put_record(StreamARN=ARN, Data=b"x", PartitionKey="p"),
        "PutRecords": lambda: kinesis.put_records(StreamName="clicks", Records=[{"Data": b"x", "PartitionKey": "p"}]),
    }
    with case.as_role():
        if case.situation.code is None:
            puts[operation]()
            assert world.made() == [("GenerateDataKey", "kinesis")]
            assert world.kms.calls[0].params["EncryptionContext"] == {"aws:kinesis:arn": ARN}
            return
        with pytest.raises(ClientError) as denied:
            puts[operation]()
    assert world.error_of(denied) == (code_of(case), 400, case.message("GenerateDataKey"))
    assert isinstance(denied.value, getattr(kinesis.exceptions, code_of(case)))


@pytest.mark.parametrize("by_arn", [False, True])
def test_reading(world, kinesis, read_situation, by_arn):
    key = world.kms.create_key()
    encrypt(kinesis, key)
    kinesis.put_record(StreamName="clicks", Data=b"x", PartitionKey="p")
    shard = kinesis.list_shards(StreamName="clicks")["Shards"][0]["ShardId"]
    given = {"ShardIterator": kinesis.get_shard_iterator(
        StreamName="clicks", ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]}  # fmt: skip
    given |= {"StreamARN": ARN} if by_arn else {}
    case = world.spoil(read_situation, key.arn, "kinesis")
    with case.as_role():
        if case.situation.code is None:
            answer = kinesis.get_records(**given)
            assert answer["Records"][0]["Data"] == b"x"
            before = len(world.kms.calls)
            kinesis.get_records(ShardIterator=answer["NextShardIterator"])  # nothing is there
            assert len(world.kms.calls) == before
            return
        with pytest.raises(ClientError) as denied:
            kinesis.get_records(**given)
    assert world.error_of(denied) == (code_of(case), 400, case.message("Decrypt"))


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


def test_an_asymmetric_key(world, kinesis):
    encrypt(kinesis, world.kms.create_key(spec="RSA_2048", usage="ENCRYPT_DECRYPT"))
    with pytest.raises(kinesis.exceptions.KMSInvalidStateException):
        kinesis.put_record(StreamName="clicks", Data=b"x", PartitionKey="p")
