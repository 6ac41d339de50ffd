"""CloudWatch Logs with a KMS key beside moto. Code and message of refusals: recorded from AWS, 2024 to 2026."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

ARN = "arn:aws:logs:us-east-1:123456789012:log-group:app"
NOT_ALLOWED = f"The specified KMS key does not exist or is not allowed to be used with Arn '{ARN}'"


@pytest.fixture
def logs(world):
    return world.client("logs")


def lets_logs_in(world, condition=None):
    who = {"Service": "logs.us-east-1.amazonaws.com"}
    statement = world.allow(who, condition, ["kms:GenerateDataKey*", "kms:Decrypt*"])
    return world.kms.create_key(policy=world.key_policy(world.allow(world.ROOT), statement))


def create(logs, key):
    logs.create_log_group(logGroupName="app", kmsKeyId=getattr(key, "arn", key))


@pytest.mark.parametrize("condition", [None, {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": ARN}}])
def test_a_key_policy_that_lets_logs_in(world, logs, condition):
    key = lets_logs_in(world, condition)
    with world.as_role(world.ALL_BUT_KMS):  # the caller needs no permission
        create(logs, key)
        logs.create_log_stream(logGroupName="app", logStreamName="s")
        logs.put_log_events(logGroupName="app", logStreamName="s", logEvents=[{"timestamp": 1, "message": "x"}])
    assert [(call.operation, call.caller.arn) for call in world.kms.calls] == [
        ("GenerateDataKey", "logs.us-east-1.amazonaws.com"), ("Decrypt", "logs.us-east-1.amazonaws.com")
    ]  # fmt: skip
    assert world.kms.calls[0].params["EncryptionContext"] == {"aws:logs:arn": ARN}


def test_the_default_policy_does_not(world, logs):
    # the trap: the caller may do everything
    with pytest.raises(ClientError) as denied:
        create(logs, world.kms.create_key())
    assert world.error_of(denied) == ("AccessDeniedException", 400, NOT_ALLOWED)
    assert logs.describe_log_groups()["logGroups"] == []
    missing = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-4333-8444-555555555555"
    with pytest.raises(ClientError) as denied:
        create(logs, missing)
    assert world.error_of(denied) == ("AccessDeniedException", 400, NOT_ALLOWED)


def test_a_condition_for_another_log_group(world, logs):
    with pytest.raises(ClientError, match="is not allowed to be used with Arn"):
        create(logs, lets_logs_in(world, {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": ARN + "-other"}}))


def test_a_disabled_key(world, logs):
    key = lets_logs_in(world)
    world.kms.client().disable_key(KeyId=key.id)
    with pytest.raises(logs.exceptions.InvalidParameterException, match="is disabled"):
        create(logs, key)


def test_associating_a_key(world, logs):
    logs.create_log_group(logGroupName="app")
    with pytest.raises(ClientError, match="is not allowed to be used with Arn"):
        logs.associate_kms_key(logGroupName="app", kmsKeyId=world.kms.create_key().arn)


def test_no_kms(world, logs):
    logs.create_log_group(logGroupName="app")
    key = world.kms.create_key()
    with pytest.raises(logs.exceptions.ResourceAlreadyExistsException):
        create(logs, key)
    for given in ({"logGroupName": "none"}, {"resourceIdentifier": f"{ARN}:query-result:*"}):
        with pytest.raises((ClientError, NotImplementedError)):
            logs.associate_kms_key(kmsKeyId=key.arn, **given)
    assert len(world.kms.calls) == 0
