"""Deliveries inside moto: from S3, SNS and EventBridge to queues, topics and event buses.

moto delivers without any botocore event, so its functions are wrapped, once. Without an active mock they behave as
before. A moto that delivers in other ways is not changed; its deliveries are not checked.
"""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from pytest_kmsmock._record import Record


class Delivery(Record):
    """A message that a service is about to deliver.

    Attributes:
        service: the service principal without its domain, such as `sns`.
        source: the ARN of the bucket, topic, rule or event bus that it delivers for.
        account: the account of the source.
        target: the ARN of the queue or topic, or the event bus itself.
    """

    service: str
    source: str
    account: str
    target: str


class Refusal(Record):
    """The reason why a message cannot be delivered.

    Attributes:
        code: the error code of EventBridge.
        message: the error message.
    """

    code: str
    message: str


#: Returns the reason why a message cannot be delivered; None if it can.
Decide: TypeAlias = "Callable[[Delivery], Refusal | None]"


def watch(service: str, decide: Decide) -> None:
    """Check every message that a service inside moto delivers from now on.

    Args:
        service: `s3`, `sns` or `events`.
        decide: checks a delivery.
    """
    try:
        _WATCHES[service](decide)
    except (AttributeError, ImportError):
        return  # another moto


def _watch_s3(decide: Decide) -> None:
    from moto.s3 import notifications

    for name, service in (("_send_sqs_message", "sqs"), ("_send_sns_message", "sns")):
        setattr(notifications, name, _asked_by_s3(getattr(notifications, name), service, decide))


def _asked_by_s3(deliver: Callable[..., None], service: str, decide: Decide) -> Callable[..., None]:
    @functools.wraps(deliver)
    def deliver_if_allowed(account_id: str, event_body: Mapping[str, Any], place: str, region_name: str) -> None:
        records = event_body.get("Records")
        if records:  # the test event is checked when the notifications are configured
            bucket = records[0]["s3"]["bucket"]["arn"]
            partition = bucket.split(":")[1]
            target = place if service == "sns" else f"arn:{partition}:sqs:{region_name}:{account_id}:{place}"
            if decide(Delivery("s3", bucket, account_id, target)) is not None:
                return
        deliver(account_id, event_body, place, region_name)

    return deliver_if_allowed


def _watch_sns(decide: Decide) -> None:
    from moto.sns.models import Subscription

    publish = Subscription.publish

    @functools.wraps(publish)
    def publish_if_allowed(self: Any, message: str, message_id: str, *args: Any, **given: Any) -> None:
        matcher = self._filter_policy_matcher
        place: str | None = self.endpoint
        if self.protocol == "sqs" and (matcher is None or matcher.matches(given.get("message_attributes"), message)):
            deliveries = (Delivery("sns", self.topic.arn, self.account_id, queue) for queue in _queues(self))
            place = next((delivery.target for delivery in deliveries if decide(delivery) is None), None)
        if place is not None:
            addressed = copy.copy(self)
            addressed.endpoint = place
            publish(addressed, message, message_id, *args, **given)

    Subscription.publish = publish_if_allowed  # type: ignore[method-assign]  # moto has no hook for it


def _queues(subscription: Any) -> Iterator[str]:
    """Yield the queues that a message to a subscribed queue can get to: this one, else the dead-letter queue."""
    yield subscription.endpoint
    dead = json.loads(subscription.attributes.get("RedrivePolicy") or "{}").get("deadLetterTargetArn")
    if dead is not None:
        yield dead


def _watch_events(decide: Decide) -> None:
    from moto.events.models import Rule

    send = Rule._send_to_sqs_queue  # noqa: SLF001 - there is no other place

    @functools.wraps(send)
    def send_if_allowed(self: Any, resource_id: str, event: dict[str, Any], group_id: str | None = None) -> None:
        targets = [target for target in self.targets if target["Arn"].split(":")[2::3] == ["sqs", resource_id]]
        for target in targets[:1]:
            refusal = decide(Delivery("events", self.arn, self.account_id, target["Arn"]))
            if refusal is not None:
                places = {"RULE_ARN": self.arn, "TARGET_ARN": target["Arn"]}
                _send_to_dead_letter_queue(self, target.get("DeadLetterConfig"), event, refusal, places, decide)
                return
        send(self, resource_id, event, group_id)

    Rule._send_to_sqs_queue = send_if_allowed  # type: ignore[method-assign]  # noqa: SLF001 - no hook either
    _watch_buses(decide)


def _watch_buses(decide: Decide) -> None:
    from moto.events.models import EventsBackend

    put = EventsBackend.put_events

    @functools.wraps(put)
    def put_if_allowed(self: Any, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len(events) > _MOST_EVENTS or not any(_key_of(bus) for bus in self.event_buses.values()):
            return put(self, events)
        return [entry for event in events for entry in _put_one(self, event)]

    def _put_one(backend: Any, event: dict[str, Any]) -> list[dict[str, Any]]:
        name = str(event.get("EventBusName") or "default").rpartition("/")[2]
        bus = backend.event_buses.get(name)
        refusal = None
        if bus is not None and _key_of(bus):
            refusal = decide(Delivery("events", bus.arn, bus.account_id, bus.arn))
        if refusal is None:
            return put(backend, [event])
        rules, bus.rules = bus.rules, {}  # moto validates the event, and assigns an id
        try:
            entries = put(backend, [event])
        finally:
            bus.rules = rules
        if "EventId" in entries[0]:
            told = {
                "version": "0",
                "id": entries[0]["EventId"],
                "detail-type": event["DetailType"],
                "source": event["Source"],
                "account": bus.account_id,
                "region": backend.region_name,
                "resources": event.get("Resources", []),
                "detail": json.loads(event["Detail"]),
            }
            _send_to_dead_letter_queue(bus, bus.dead_letter_config, told, refusal, {"EVENT_BUS_ARN": bus.arn}, decide)
        return entries

    EventsBackend.put_events = put_if_allowed  # type: ignore[method-assign]  # moto has no hook for it


def _key_of(bus: Any) -> str | None:
    """Return the key of an event bus; earlier releases of moto store none."""
    key: str | None = getattr(bus, "kms_key_identifier", None)
    return key


#: The limit of PutEvents; moto refuses more.
_MOST_EVENTS = 10


def _send_to_dead_letter_queue(
    holder: Any, dead_letters: Mapping[str, Any] | None, event: Mapping[str, Any], refusal: Refusal,
    places: Mapping[str, str], decide: Decide,
) -> None:  # fmt: skip
    """Send an event that could not be delivered to the dead-letter queue, if there is one.

    Args:
        holder: the rule or event bus that refused the event.
        dead_letters: its `DeadLetterConfig`.
        event: the event.
        refusal: the reason.
        places: further attributes of the message: ARNs of rule, target or event bus.
        decide: checks the delivery to the dead-letter queue.
    """
    from moto.sqs.models import sqs_backends

    dead = (dead_letters or {}).get("Arn")
    if dead is None or decide(Delivery("events", holder.arn, holder.account_id, dead)) is not None:
        return
    told = {"ERROR_CODE": refusal.code, "ERROR_MESSAGE": refusal.message, **places}
    *_, region, account, name = dead.split(":")
    # by the names of moto since 5.1, and of those before
    names = (("DataType", "StringValue"), ("data_type", "string_value"))
    attributes = {key: {each: text for pair in names for each, text in zip(pair, ("String", value), strict=True)}
                  for key, value in told.items()}  # fmt: skip
    sqs_backends[account][region].send_message(name, json.dumps(event, default=str), message_attributes=attributes)


_WATCHES: Mapping[str, Callable[[Decide], None]] = {"s3": _watch_s3, "sns": _watch_sns, "events": _watch_events}
