"""Amazon SNS with a KMS key beside moto. Codes, statuses and messages: captured from AWS, 2026-09."""

from __future__ import annotations

import pytest


@pytest.fixture
def sns(world):
    return world.client("sns")


def topic_under(sns, key):
    return sns.create_topic(Name="events", Attributes={"KmsMasterKeyId": getattr(key, "arn", key)})["TopicArn"]


def test_keys_that_are_no_keys(world, sns):
    # captured 2026-09: taken by CreateTopic, and without quotes by Publish
    arn = topic_under(sns, "nonsense")
    sns.set_topic_attributes(TopicArn=arn, AttributeName="KmsMasterKeyId", AttributeValue="nonsense")
    assert world.made() == []
    with pytest.raises(sns.exceptions.KMSNotFoundException, match=r": Invalid keyId nonsense \(Service: AWSKMS; "):
        sns.publish(TopicArn=arn, Message="x")


def test_a_publisher_needs_decrypt_too(world, sns):
    arn = topic_under(sns, world.kms.create_key())
    generate = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:Generate*", "Resource": "*"}]}
    with world.as_role(generate), pytest.raises(sns.exceptions.KMSAccessDeniedException, match="kms:Decrypt"):
        sns.publish(TopicArn=arn, Message="x")


def test_what_is_published_without_a_key(world, sns):
    sns.publish(PhoneNumber="+15551234567", Message="x")
    sns.publish(TopicArn=sns.create_topic(Name="plain")["TopicArn"], Message="x")
    application = sns.create_platform_application(Name="app", Platform="GCM", Attributes={})["PlatformApplicationArn"]
    endpoint = sns.create_platform_endpoint(PlatformApplicationArn=application, Token="t")["EndpointArn"]
    sns.publish(TargetArn=endpoint, Message="x")
    with pytest.raises(sns.exceptions.NotFoundException):
        sns.publish(TopicArn="arn:aws:sns:us-east-1:123456789012:none", Message="x")
    assert world.made() == []
    arn = topic_under(sns, world.kms.create_key())
    sns.publish(TargetArn=arn, Message="x")
    assert len(world.made()) == 2


def test_nested_either_way(either_world):
    sns = either_world.client("sns")
    with pytest.raises(sns.exceptions.KMSNotFoundException):
        sns.publish(TopicArn=topic_under(sns, "alias/none"), Message="x")
