"""What moto's services deliver to each other inside: S3, SNS and EventBridge to queues and topics.

moto does this without any event of botocore, so the functions that deliver are wrapped, once. While nobody asks to be
told they do what they did. A moto that delivers in other ways is left alone: then nothing is asked.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias


class Delivery(NamedTuple):
    """A message that a service is about to deliver.

    Attributes:
        service: the service principal without its domain, such as `sns`.
        source: the ARN of what it delivers for: a bucket, a topic, a rule.
        account: the account of that.
        target: the ARN of the queue or topic.
    """

    service: str
    source: str
    account: str
    target: str


class Refusal(NamedTuple):
    """Why a message cannot be delivered.

    Attributes:
        code: EventBridge's error code of it.
        message: its message.
    """

    code: str
    message: str


#: Says why a message cannot be delivered; None if it can.
Decide: TypeAlias = "Callable[[Delivery], Refusal | None]"


def watch(service: str, decide: Decide) -> None:
    """Ask about every message that a service of moto's delivers from now on.

    Args:
        service: `s3`, `sns` or `events`.
        decide: is asked.
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
        if records:  # the test event is asked about when the notifications are configured
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
        wanted = matcher is None or matcher.matches(given.get("message_attributes"), message)
        if self.protocol == "sqs" and wanted:
            delivery = Delivery("sns", self.topic.arn, self.account_id, self.endpoint)
            if decide(delivery) is not None:
                return
        publish(self, message, message_id, *args, **given)

    Subscription.publish = publish_if_allowed  # type: ignore[method-assign]  # moto has no other place


def _watch_events(decide: Decide) -> None:
    from moto.events.models import Rule

    send = Rule._send_to_sqs_queue  # noqa: SLF001 - there is no other place

    @functools.wraps(send)
    def send_if_allowed(self: Any, resource_id: str, event: dict[str, Any], group_id: str | None = None) -> None:
        targets = [target for target in self.targets if target["Arn"].split(":")[2::3] == ["sqs", resource_id]]
        for target in targets[:1]:
            refusal = decide(Delivery("events", self.arn, self.account_id, target["Arn"]))
            if refusal is not None:
                _bury(self, target, event, refusal, decide)
                return
        send(self, resource_id, event, group_id)

    Rule._send_to_sqs_queue = send_if_allowed  # type: ignore[method-assign]  # noqa: SLF001 - nor here


def _bury(rule: Any, target: Mapping[str, Any], event: dict[str, Any], refusal: Refusal, decide: Decide) -> None:
    """Put an event that could not be delivered into the dead-letter queue of its target, if there is one."""
    import json

    from moto.sqs.models import sqs_backends

    dead = target.get("DeadLetterConfig", {}).get("Arn")
    if dead is None or decide(Delivery("events", rule.arn, rule.account_id, dead)) is not None:
        return
    told = {
        "ERROR_CODE": refusal.code,
        "ERROR_MESSAGE": refusal.message,
        "RULE_ARN": rule.arn,
        "TARGET_ARN": target["Arn"],
    }
    *_, region, account, name = dead.split(":")
    # by the names of moto since 5.1, and of those before
    names = (("DataType", "StringValue"), ("data_type", "string_value"))
    attributes = {key: {each: text for pair in names for each, text in zip(pair, ("String", value), strict=True)}
                  for key, value in told.items()}  # fmt: skip
    sqs_backends[account][region].send_message(name, json.dumps(event, default=str), message_attributes=attributes)


_WATCHES: Mapping[str, Callable[[Decide], None]] = {"s3": _watch_s3, "sns": _watch_sns, "events": _watch_events}
