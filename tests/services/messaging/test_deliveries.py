"""What services deliver to queues and topics under a KMS key.

Sources: captured from AWS, 2026-09 (EventBridge); SQS Developer Guide, "Enable compatibility between event sources from
AWS services and encrypted queues"; SNS Developer Guide, "Amazon SNS encryption keys and costs".
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

QUEUE = "arn:aws:sqs:us-east-1:123456789012:inbox"
RULE = "arn:aws:events:us-east-1:123456789012:rule/all"
BUCKET = "arn:aws:s3:::documents"


class Delivery:
    """A way for a message to come to the queue `inbox`."""

    service: str
    source: str

    def __init__(self, world: Any) -> None:
        self.world = world

    def connect(self) -> None: ...

    def send(self) -> None: ...


class ByTopic(Delivery):
    service, source = "sns", "arn:aws:sns:us-east-1:123456789012:events"

    def connect(self):
        sns = self.world.client("sns")
        sns.subscribe(TopicArn=sns.create_topic(Name="events")["TopicArn"], Protocol="sqs", Endpoint=QUEUE)

    def send(self):
        self.world.client("sns").publish(TopicArn=self.source, Message="x")


class ByBucket(Delivery):
    service, source = "s3", BUCKET

    def connect(self):
        s3 = self.world.client("s3")
        s3.create_bucket(Bucket="documents")
        configuration = {"QueueConfigurations": [{"QueueArn": QUEUE, "Events": ["s3:ObjectCreated:*"]}]}
        s3.put_bucket_notification_configuration(
            Bucket="documents", NotificationConfiguration=configuration, SkipDestinationValidation=True
        )
        self.world.client("sqs").purge_queue(QueueUrl="https://sqs.us-east-1.amazonaws.com/123456789012/inbox")

    def send(self):
        self.world.client("s3").put_object(Bucket="documents", Key="k", Body=b"x")


class ByRule(Delivery):
    service, source = "events", RULE

    def connect(self, **target):
        events = self.world.client("events")
        events.put_rule(Name="all", EventPattern=json.dumps({"source": ["test"]}))
        events.put_targets(Rule="all", Targets=[{"Id": "1", "Arn": QUEUE, **target}])

    def send(self):
        entry = {"Source": "test", "DetailType": "t", "Detail": "{}"}
        assert self.world.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


@pytest.fixture(params=[ByTopic, ByBucket, ByRule], ids=["SNS", "S3", "EventBridge"])
def delivery(request, world):
    return request.param(world)


def inbox(world, key, name="inbox"):
    return world.client("sqs").create_queue(QueueName=name, Attributes={"KmsMasterKeyId": key})["QueueUrl"]


def service_may(world, service, condition=None):
    """Return a key whose policy lets a service use it, and the root user as by default."""
    service = world.allow({"Service": f"{service}.amazonaws.com"}, condition, ["kms:GenerateDataKey*", "kms:Decrypt"])
    return world.kms.create_key(policy=world.key_policy(world.allow(world.ROOT), service))


def received(world, url):
    return world.client("sqs").receive_message(QueueUrl=url).get("Messages", [])


def as_principals(world):
    return [(call.operation, call.caller.arn) for call in world.kms.calls if call.caller.principal.is_service]


def test_a_key_policy_that_lets_the_service_in(world, delivery):
    url = inbox(world, service_may(world, delivery.service).arn)
    delivery.connect()
    delivery.send()
    assert len(received(world, url)) == 1
    principal = f"{delivery.service}.amazonaws.com"
    assert as_principals(world) == [("GenerateDataKey", principal), ("Decrypt", principal)]
    call = world.kms.calls[0]
    assert call.params["EncryptionContext"] == {"aws:sqs:arn": QUEUE}
    assert call.caller.context == {"aws:sourcearn": (delivery.source,), "aws:sourceaccount": ("123456789012",)}


def test_the_default_policy_loses_messages(world, delivery):
    # the trap: the publisher is content, and nothing arrives
    key = world.kms.create_key()
    url = inbox(world, key.arn)
    delivery.connect()
    delivery.send()
    assert received(world, url) == []
    refused = world.kms.calls[0]
    assert refused.error.message == (
        f"User: {delivery.service}.amazonaws.com is not authorized to perform: kms:GenerateDataKey on this resource "
        + world.OUT_OF_SIGHT
    )
    assert "lets IAM policies of the account allow" not in str(world.kms.explain(refused))
    world.kms.client().put_key_policy(KeyId=key.id, Policy=json.dumps(world.key_policy(
        world.allow(world.ROOT), world.allow({"Service": f"{delivery.service}.amazonaws.com"}))))  # fmt: skip
    delivery.send()
    assert len(received(world, url)) == 1


def test_the_managed_key_is_of_no_use_to_services(world, delivery):
    url = inbox(world, "alias/aws/sqs")
    delivery.connect()
    delivery.send()
    assert received(world, url) == []


@pytest.mark.parametrize("fits", [True, False])
def test_conditions_on_the_source(world, delivery, fits):
    source = delivery.source if fits else delivery.source + "-other"
    condition = {"ArnEquals": {"aws:SourceArn": source}, "StringEquals": {"aws:SourceAccount": "123456789012"}}
    url = inbox(world, service_may(world, delivery.service, condition).arn)
    delivery.connect()
    delivery.send()
    assert len(received(world, url)) == (1 if fits else 0)


def test_a_queue_without_a_key(world, delivery):
    url = world.client("sqs").create_queue(QueueName="inbox")["QueueUrl"]
    delivery.connect()
    delivery.send()
    assert len(received(world, url)) == 1
    assert len(world.kms.calls) == 0


def test_filtered_messages_need_no_key(world):
    inbox(world, "alias/none")
    ByTopic(world).connect()
    sns = world.client("sns")
    subscription = sns.list_subscriptions()["Subscriptions"][0]["SubscriptionArn"]
    sns.set_subscription_attributes(
        SubscriptionArn=subscription, AttributeName="FilterPolicy", AttributeValue='{"kind": ["a"]}'
    )
    sns.publish(TopicArn=ByTopic.source, Message="x", MessageAttributes={
        "kind": {"DataType": "String", "StringValue": "b"}})  # fmt: skip
    assert len(world.kms.calls) == 0
    sns.publish(TopicArn=ByTopic.source, Message="x", MessageAttributes={
        "kind": {"DataType": "String", "StringValue": "a"}})  # fmt: skip
    assert world.kms.calls[0].error.code == "NotFoundException"


@pytest.mark.parametrize("let_in", [True, False])
def test_dead_letters_of_a_subscription(world, let_in):
    # SNS Developer Guide, "Amazon SNS dead-letter queues": client errors; the key of the queue has to let SNS in
    queue = inbox(world, world.kms.create_key().arn)
    dead = inbox(world, (service_may(world, "sns") if let_in else world.kms.create_key()).arn, "dead")
    sns = world.client("sns")
    topic = sns.create_topic(Name="events")["TopicArn"]
    redrive = json.dumps({"deadLetterTargetArn": QUEUE.replace("inbox", "dead")})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=QUEUE, Attributes={"RedrivePolicy": redrive})
    sns.publish(TopicArn=topic, Message="x")
    assert received(world, queue) == []
    assert [json.loads(each["Body"])["Message"] for each in received(world, dead)] == (["x"] if let_in else [])


def test_dead_letters_of_a_rule(world):
    # captured 2026-09
    inbox(world, world.kms.create_key().arn)
    dead = inbox(world, service_may(world, "events").arn, "dead")
    rule = ByRule(world)
    rule.connect(DeadLetterConfig={"Arn": "arn:aws:sqs:us-east-1:123456789012:dead"})
    rule.send()
    (message,) = world.client("sqs").receive_message(QueueUrl=dead, MessageAttributeNames=["All"])["Messages"]
    told = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    refused = "User: events.amazonaws.com is not authorized to perform: kms:GenerateDataKey on this resource "
    request_id = world.kms.calls[0].request_id
    assert told == {
        "ERROR_CODE": "NO_PERMISSIONS",
        "ERROR_MESSAGE": f"{refused}{world.OUT_OF_SIGHT} (Service: AmazonSQS; Status Code: 400; Error Code: "
        f"KMS.AccessDeniedException; Request ID: {request_id}; Proxy: null)",
        "RULE_ARN": RULE,
        "TARGET_ARN": QUEUE,
    }
    assert json.loads(message["Body"])["source"] == "test"


@pytest.mark.parametrize("why", ["disabled", "pending deletion"])
def test_dead_letters_of_keys_that_cannot_be_used(world, why):
    # the code is inferred
    key = service_may(world, "events")
    inbox(world, key.arn)
    dead = inbox(world, service_may(world, "events").arn, "dead")
    rule = ByRule(world)
    rule.connect(DeadLetterConfig={"Arn": "arn:aws:sqs:us-east-1:123456789012:dead"})
    code, message = world.spoil(why, key.arn, "events").error("GenerateDataKey")
    rule.send()
    (buried,) = world.client("sqs").receive_message(QueueUrl=dead, MessageAttributeNames=["All"])["Messages"]
    told = {name: value["StringValue"] for name, value in buried["MessageAttributes"].items()}
    request_id = world.kms.calls.refused[0].request_id
    assert (told["ERROR_CODE"], told["ERROR_MESSAGE"]) == (
        "SDK_CLIENT_ERROR",
        f"{message} (Service: AmazonSQS; Status Code: 400; Error Code: KMS.{code}; Request ID: {request_id}; "
        "Proxy: null)",
    )


def test_dead_letters_that_are_lost_too(world):
    inbox(world, world.kms.create_key().arn)
    dead = inbox(world, world.kms.create_key().arn, "dead")
    rule = ByRule(world)
    rule.connect(DeadLetterConfig={"Arn": "arn:aws:sqs:us-east-1:123456789012:dead"})
    rule.send()
    assert received(world, dead) == []
    assert len(as_principals(world)) == 2


TOPIC = "arn:aws:sns:us-east-1:123456789012:events"


def notify(world, **entries):
    s3 = world.client("s3")
    s3.create_bucket(Bucket="documents")
    s3.put_bucket_notification_configuration(Bucket="documents", NotificationConfiguration=entries)


def topic_under(world, key):
    world.client("sns").create_topic(Name="events", Attributes={"KmsMasterKeyId": key.arn})
    return {"TopicConfigurations": [{"TopicArn": TOPIC, "Events": ["s3:ObjectCreated:*"]}]}


def test_a_bucket_publishes_to_a_topic(world):
    notify(world, **topic_under(world, service_may(world, "s3")))
    before = len(world.kms.calls)
    world.client("s3").put_object(Bucket="documents", Key="k", Body=b"x")
    made = world.kms.calls[before:]
    assert [(call.operation, call.caller.arn) for call in made] == [
        ("GenerateDataKey", "s3.amazonaws.com"), ("Decrypt", "s3.amazonaws.com")
    ]  # fmt: skip
    assert made[0].params["EncryptionContext"] == {
        "aws:sns:topicArn": TOPIC, "aws:sns:sourceArn": BUCKET, "aws:sns:sourceAccount": "123456789012"
    }  # fmt: skip


def test_notifications_that_cannot_be_sent_are_not_configured(world):
    entries = topic_under(world, world.kms.create_key())
    with pytest.raises(ClientError) as denied:
        notify(world, **entries)
    assert world.error_of(denied) == (
        "InvalidArgument", 400, "Unable to validate the following destination configurations"
    )  # fmt: skip
    s3 = world.client("s3")
    assert "TopicConfigurations" not in s3.get_bucket_notification_configuration(Bucket="documents")
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.put_bucket_notification_configuration(Bucket="other-bucket", NotificationConfiguration=entries)


def test_outside_of_a_mock_and_with_the_option_off(world, delivery):
    from pytest_kmsmock import mock_kms

    url = inbox(world, world.kms.create_key().arn)
    delivery.connect()
    with mock_kms(services="off") as kms:
        delivery.send()
        assert len(kms.calls) == 0
    assert len(received(world, url)) == 1


# --- event buses ----------------------------------------------------------------------------------------------------

BUS = "arn:aws:events:us-east-1:123456789012:event-bus/orders"


@pytest.fixture
def events(world):
    return world.client("events")


def put(events, **entry):
    given = {"Source": "test", "DetailType": "t", "Detail": "{}", "EventBusName": "orders", **entry}
    return events.put_events(Entries=[given])


@pytest.mark.parametrize("by_arn", [False, True])
def test_a_bus_whose_key_lets_eventbridge_in(world, events, by_arn):
    condition = {"StringEquals": {"aws:SourceArn": BUS, "kms:EncryptionContext:aws:events:event-bus:arn": BUS}}
    key = service_may(world, "events", condition)
    events.create_event_bus(Name="orders", KmsKeyIdentifier=key.arn)
    assert world.made() == [("DescribeKey", "events"), ("GenerateDataKeyWithoutPlaintext", "events")]
    assert world.kms.calls[1].params["EncryptionContext"] == {"aws:events:event-bus:arn": BUS}
    queue = world.client("sqs").create_queue(QueueName="inbox")["QueueUrl"]
    events.put_rule(Name="all", EventPattern=json.dumps({"source": ["test"]}), EventBusName="orders")
    events.put_targets(Rule="all", EventBusName="orders", Targets=[{"Id": "1", "Arn": QUEUE}])
    put(events, EventBusName=BUS if by_arn else "orders")
    assert len(received(world, queue)) == 1
    assert as_principals(world) == [("GenerateDataKey", "events.amazonaws.com"), ("Decrypt", "events.amazonaws.com")]


def test_a_bus_whose_key_does_not(world, events):
    key = world.kms.create_key()
    sqs = world.client("sqs")
    queue, dead = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("inbox", "dead"))
    events.create_event_bus(
        Name="orders", KmsKeyIdentifier=key.arn, DeadLetterConfig={"Arn": QUEUE.replace("inbox", "dead")}
    )
    events.put_rule(Name="all", EventPattern=json.dumps({"source": ["test"]}), EventBusName="orders")
    events.put_targets(Rule="all", EventBusName="orders", Targets=[{"Id": "1", "Arn": QUEUE}])
    answer = put(events, Detail='{"number": 1}')
    assert answer["FailedEntryCount"] == 0
    assert received(world, queue) == []
    (lost,) = sqs.receive_message(QueueUrl=dead, MessageAttributeNames=["All"])["Messages"]
    event = json.loads(lost["Body"])
    assert (event["id"], event["detail"]) == (answer["Entries"][0]["EventId"], {"number": 1})
    assert lost["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"
    assert "User: events.amazonaws.com is not authorized" in lost["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"]
    put(events, Detail="no JSON")  # is refused by EventBridge itself
    assert received(world, dead) == []
    put(events, EventBusName="default")
    events.create_event_bus(Name="silent", KmsKeyIdentifier=key.arn)
    put(events, EventBusName="silent")  # is lost
    with pytest.raises(ClientError):  # moto's own refusal of too many
        events.put_events(Entries=[{"Source": "s", "DetailType": "t", "Detail": "{}"}] * 11)


def test_buses_without_a_key_and_ones_that_are_there(world, events):
    events.create_event_bus(Name="orders")
    put(events)
    with pytest.raises(events.exceptions.ResourceAlreadyExistsException):
        events.create_event_bus(Name="orders", KmsKeyIdentifier="alias/none")
    assert len(world.kms.calls) == 0
