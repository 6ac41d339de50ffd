"""Amazon SQS with SSE-KMS beside moto. Codes, statuses and messages: captured from AWS, 2026-09."""

from __future__ import annotations

import re

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from moto import mock_aws

from pytest_kmsmock import mock_kms


@pytest.fixture
def sqs(world):
    return world.client("sqs")


def queue_under(sqs, key, name="orders", **attributes):
    return sqs.create_queue(QueueName=name, Attributes={"KmsMasterKeyId": getattr(key, "arn", key), **attributes})[
        "QueueUrl"
    ]


def depth(sqs, url):
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return int(attributes["ApproximateNumberOfMessages"])


def test_nested_either_way(either_world):
    sqs = either_world.client("sqs")
    url = queue_under(sqs, "alias/none")
    with pytest.raises(sqs.exceptions.KmsNotFound, match="alias/none is not found"):
        sqs.send_message(QueueUrl=url, MessageBody="x")


def test_the_key_of_a_queue_is_not_looked_at(world, sqs):
    url = queue_under(sqs, "nonsense")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": "alias/none"})
    sqs.purge_queue(QueueUrl=url)
    assert world.made() == []


def test_an_empty_queue_needs_no_key(world, sqs):
    # captured 2026-09: a caller without kms:Decrypt gets an empty success
    url = queue_under(sqs, world.kms.create_key())
    with world.as_role(world.ALL_BUT_KMS):
        assert "Messages" not in sqs.receive_message(QueueUrl=url)
    assert world.made() == []


def test_a_producer_needs_decrypt_too(world, sqs):
    url = queue_under(sqs, world.kms.create_key())
    generate = {
        "Version": "2012-10-17",
        "Statement": [
            *world.ALL_BUT_KMS["Statement"],
            {"Effect": "Allow", "Action": "kms:GenerateDataKey", "Resource": "*"},
        ],
    }
    with (
        world.as_role(generate),
        pytest.raises(ClientError, match=r"not authorized to perform: kms:Decrypt on resource"),
    ):
        sqs.send_message(QueueUrl=url, MessageBody="x")
    assert depth(sqs, url) == 0


def test_the_context_is_the_queue(world, sqs):
    url = queue_under(sqs, world.kms.create_key())
    sqs.send_message(QueueUrl=url, MessageBody="x")
    sqs.receive_message(QueueUrl=url)
    arn = "arn:aws:sqs:us-east-1:123456789012:orders"
    assert [call.params["EncryptionContext"] for call in world.kms.calls] == [{"aws:sqs:arn": arn}] * 3
    generated, checked, received = world.kms.calls
    assert checked.params["CiphertextBlob"] == received.params["CiphertextBlob"] == generated.result["CiphertextBlob"]


def test_the_managed_key_needs_no_permission(world, sqs):
    url = queue_under(sqs, "alias/aws/sqs")
    with world.as_role(world.ALL_BUT_KMS):
        sqs.send_message(QueueUrl=url, MessageBody="x")
        sqs.receive_message(QueueUrl=url)
    assert {call.key.arn for call in world.kms.calls} == {world.kms.managed_key("sqs")}


def test_batches(world, sqs):
    key = world.kms.create_key()
    url = queue_under(sqs, key)
    entries = [{"Id": name, "MessageBody": name} for name in "ab"]
    assert len(sqs.send_message_batch(QueueUrl=url, Entries=entries)["Successful"]) == 2
    assert world.made() == [("GenerateDataKey", "sqs"), ("Decrypt", "sqs")]
    assert len(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]) == 2
    assert world.made()[2:] == [("Decrypt", "sqs")]  # both are under one data key
    with world.as_role(world.ALL_BUT_KMS):
        answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert "Successful" not in answer
    assert [(entry["Id"], entry["SenderFault"], entry["Code"]) for entry in answer["Failed"]] == [
        ("a", True, "KMS.AccessDeniedException"), ("b", True, "KMS.AccessDeniedException")
    ]  # fmt: skip
    assert re.search(r"kms:GenerateDataKey.*\(Service: AWSKMS; Status Code: 400", answer["Failed"][0]["Message"])


def test_dead_letters_stay_under_the_key_of_their_queue(world, sqs):
    # SQS Developer Guide: who reads the dead-letter queue needs the key of the source queue
    source_key, dead_key = world.kms.create_key(), world.kms.create_key()
    dead = queue_under(sqs, dead_key, "dead")
    source = queue_under(sqs, source_key, VisibilityTimeout="0", RedrivePolicy=(
        '{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:dead", "maxReceiveCount": "1"}'))  # fmt: skip
    sqs.send_message(QueueUrl=source, MessageBody="x")
    sqs.receive_message(QueueUrl=source)
    assert "Messages" not in sqs.receive_message(QueueUrl=source)
    assert sqs.receive_message(QueueUrl=dead, VisibilityTimeout=0)["Messages"]
    assert world.kms.calls[-1].key.arn == source_key.arn
    world.kms.client().disable_key(KeyId=source_key.id)
    with pytest.raises(sqs.exceptions.KmsDisabled):
        sqs.receive_message(QueueUrl=dead)


def test_a_redrive_reads_and_writes(world, sqs):
    source_key, dead_key = world.kms.create_key(), world.kms.create_key()
    queue_under(sqs, dead_key, "dead")
    queue_under(sqs, source_key, RedrivePolicy=(
        '{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:dead", "maxReceiveCount": "1"}'))  # fmt: skip
    arns = {"SourceArn": "arn:aws:sqs:us-east-1:123456789012:dead"}
    with world.as_role(world.ALL_BUT_KMS), pytest.raises(sqs.exceptions.KmsAccessDenied, match="kms:Decrypt"):
        sqs.start_message_move_task(**arns)
    decrypt = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}]}
    arns["DestinationArn"] = "arn:aws:sqs:us-east-1:123456789012:orders"
    with world.as_role(decrypt), pytest.raises(sqs.exceptions.KmsAccessDenied, match="kms:GenerateDataKey"):
        sqs.start_message_move_task(**arns)


def test_a_queue_without_a_key_and_a_queue_that_is_not_there(world, sqs):
    url = sqs.create_queue(QueueName="plain")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x")
    sqs.receive_message(QueueUrl=url)
    with pytest.raises(ClientError, match="queue does not exist"):
        sqs.send_message(QueueUrl=url.replace("plain", "none"), MessageBody="x")
    assert world.made() == []


def test_what_was_sent_before_the_mock():
    with mock_aws():
        sqs = boto3.client("sqs", region_name="us-east-1")
        url = queue_under(sqs, "alias/orders")
        sqs.send_message(QueueUrl=url, MessageBody="x")
        with mock_kms() as kms:
            kms.create_key(alias="alias/orders")
            sqs.receive_message(QueueUrl=url)
            assert [call.operation for call in kms.calls] == ["Decrypt"]


def test_a_stubbed_client_is_left_alone(world):
    sqs = world.client("sqs")
    with Stubber(sqs) as stubber:
        stubber.add_response("send_message", {"MessageId": "x"})
        stubber.add_response("receive_message", {"Messages": []})
        sqs.send_message(QueueUrl="https://queue", MessageBody="x")
        sqs.receive_message(QueueUrl="https://queue")
    assert world.made() == []


def test_messages_that_sqs_does_not_take(world, sqs):
    url = queue_under(sqs, world.kms.create_key())
    entries = [{"Id": "a", "MessageBody": "x", "DelaySeconds": 1000}]
    assert sqs.send_message_batch(QueueUrl=url, Entries=entries)["Failed"][0]["Code"] == "InvalidParameterValue"
