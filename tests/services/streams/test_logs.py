"""CloudWatch Logs with a KMS key beside moto. Code and message of refusals: recorded from AWS, 2024 to 2026."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

ARN = "arn:aws:logs:us-east-1:123456789012:log-group:app"
CONTEXT_OF_ANOTHER = {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": ARN + "-other"}}
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


def _disabled(kms, key):
    kms.client().disable_key(KeyId=key)


def _deleted(kms, key):
    kms.client().schedule_key_deletion(KeyId=key)


def _throttled(kms, _key):
    kms.faults.add(error="ThrottlingException")


#: What is wrong with a key -> the condition of its policy, what happens to it, code and message. Inferred of the
#: disabled key: the message; of the last three: all.
REFUSED = {
    "another log group": (CONTEXT_OF_ANOTHER, None, "AccessDeniedException", NOT_ALLOWED),
    "another source": ({"ArnEquals": {"aws:SourceArn": ARN + "-other"}}, None, "AccessDeniedException", NOT_ALLOWED),
    "through a service": (
        {"StringEquals": {"kms:ViaService": "logs.us-east-1.amazonaws.com"}},
        None,
        "AccessDeniedException",
        NOT_ALLOWED,
    ),
    "disabled": (None, _disabled, "InvalidParameterException", "{key} is disabled."),
    "pending deletion": (None, _deleted, "InvalidParameterException", "{key} is pending deletion."),
    "throttled": (
        None,
        _throttled,
        "InvalidParameterException",
        "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
    ),
}


@pytest.mark.parametrize("why", REFUSED)
def test_keys_that_logs_may_not_use(world, logs, why):
    condition, spoil, code, message = REFUSED[why]
    key = lets_logs_in(world, condition).arn
    if spoil is not None:
        spoil(world.kms, key)
    with pytest.raises(ClientError) as denied:
        create(logs, key)
    assert world.error_of(denied) == (code, 400, message.format(key=key))
    assert logs.describe_log_groups()["logGroups"] == []


@pytest.mark.parametrize("which", ["default policy", "explicit deny", "missing", "of another account", "asymmetric"])
def test_keys_that_do_not_let_logs_in(world, logs, which):
    # the trap: the caller may do everything
    service = {"Service": "logs.us-east-1.amazonaws.com"}
    deny = {"Effect": "Deny", "Principal": service, "Action": "kms:*"}
    key = {
        "default policy": lambda: world.kms.create_key().arn,
        "explicit deny": lambda: world.kms.create_key(
            policy=world.key_policy(world.allow(world.ROOT), world.allow(service), deny)
        ).arn,
        "missing": lambda: "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-4333-8444-555555555555",
        "of another account": lambda: world.kms.create_key(account=world.OTHER_ACCOUNT).arn,
        "asymmetric": lambda: world.kms.create_key(
            spec="RSA_2048", usage="ENCRYPT_DECRYPT",
            policy=world.key_policy(world.allow(world.ROOT), world.allow(service)),
        ).arn,
    }[which]()  # fmt: skip
    with pytest.raises(ClientError) as denied:
        create(logs, key)
    expected = ("AccessDeniedException", 400, NOT_ALLOWED)
    if which == "asymmetric":  # inferred
        expected = ("InvalidParameterException", 400, "You cannot generate a data key with an asymmetric CMK")
    assert world.error_of(denied) == expected
    assert logs.describe_log_groups()["logGroups"] == []


@pytest.mark.parametrize("form", ["id", "alias"])
def test_a_key_that_is_not_named_by_an_arn(world, logs, form):
    # CreateLogGroup: "The Amazon Resource Name (ARN) of the KMS key"; hashicorp/terraform-provider-aws#25258 (2022)
    key = lets_logs_in(world)
    world.kms.client().create_alias(AliasName="alias/app", TargetKeyId=key.id)
    with pytest.raises(ClientError) as denied:
        create(logs, {"id": key.id, "alias": "alias/app"}[form])
    assert world.error_of(denied) == ("AccessDeniedException", 400, NOT_ALLOWED)
    assert logs.describe_log_groups()["logGroups"] == []


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
