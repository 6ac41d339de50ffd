"""AWS's checks of new key policies: existing principals, and no lockout of the caller.

Sources: API PutKeyPolicy; the two texts are recorded.
"""

from __future__ import annotations

import contextlib
import json

import pytest

from pytest_kmsmock import mock_kms

ACCOUNT = "123456789012"
ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT}:user/Administrator"
MALFORMED = "MalformedPolicyDocumentException"
LOCKED_OUT = (MALFORMED, "The new key policy will not allow you to update the key policy in the future.")
INVALID_PRINCIPALS = (MALFORMED, "Policy contains a statement with one or more invalid principals.")


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(principal, action="kms:*", **more):
    return {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": action, "Resource": "*"} | more


ROOT = allow(f"arn:aws:iam::{ACCOUNT}:root")


@pytest.fixture(params=["create_key", "put_key_policy", "replicate_key"])
def set_policy(request, kms_mock):
    """Set a policy in one of three ways: `set_policy(policy, client=...)`."""
    primary = kms_mock.create_key(multi_region=True).arn
    members = {
        "create_key": {},
        "put_key_policy": {"KeyId": primary},
        "replicate_key": {"KeyId": primary, "ReplicaRegion": "eu-west-1"},
    }[request.param]

    def put(document, client=None, **more):
        return getattr(client or kms_mock.client(), request.param)(Policy=document, **members, **more)

    return put


@pytest.mark.parametrize(
    "statements",
    [
        pytest.param([allow(f"arn:aws:iam::{ACCOUNT}:user/alice")], id="names somebody else"),
        pytest.param([allow(ADMINISTRATOR, "kms:Encrypt")], id="another action"),
        pytest.param([ROOT, allow(ADMINISTRATOR, "kms:PutKeyPolicy", Effect="Deny")], id="denied"),
        pytest.param(
            [allow(ADMINISTRATOR, Condition={"StringEquals": {"kms:PolicyName": "AWS_RAM"}})], id="another policy name"
        ),
        pytest.param(
            [allow(ADMINISTRATOR, Condition={"Bool": {"kms:BypassPolicyLockoutSafetyCheck": "true"}})],
            id="only with a bypass",
        ),
        pytest.param([{"Effect": "Allow", "Principal": "*", "Action": "kms:*"}], id="no Resource"),
        pytest.param([allow("arn:aws:iam::111122223333:root")], id="another account"),
    ],
)
def test_a_policy_that_locks_the_caller_out(set_policy, statements, refusal):
    with refusal(*LOCKED_OUT):
        set_policy(policy(*statements))
    set_policy(policy(*statements), BypassPolicyLockoutSafetyCheck=True)


@pytest.mark.parametrize(
    "statements",
    [
        pytest.param([ROOT], id="through the account, by IAM"),
        pytest.param([allow(ADMINISTRATOR, "kms:Put*")], id="itself"),
        pytest.param([allow("*", "kms:PutKeyPolicy")], id="everybody"),
        pytest.param(
            [allow(ADMINISTRATOR, Condition={"StringEquals": {"kms:PolicyName": "default"}})], id="policy name default"
        ),
        pytest.param(
            [allow(ADMINISTRATOR, Condition={"Null": {"kms:BypassPolicyLockoutSafetyCheck": True}})], id="no bypass"
        ),
        pytest.param(
            [allow(ADMINISTRATOR, Condition={"StringEquals": {"kms:KeySpec": "SYMMETRIC_DEFAULT"}})], id="spec"
        ),
    ],
)
@pytest.mark.parametrize("more", [{}, {"BypassPolicyLockoutSafetyCheck": False}], ids=["default", "False given"])
def test_a_policy_that_does_not(set_policy, statements, more):
    """API PutKeyPolicy, BypassPolicyLockoutSafetyCheck: "The default value is false"."""
    set_policy(policy(*statements), **more)


def test_it_is_the_caller_who_must_not_be_locked_out(kms_mock, set_policy, refusal):
    """The account's delegation helps only who has an IAM policy for kms:PutKeyPolicy."""
    kms_mock.iam.attach("user/alice", policy({"Effect": "Allow", "Action": "kms:*", "Resource": "*"}))
    alice = kms_mock.client(principal="user/alice")
    with refusal(*LOCKED_OUT):
        set_policy(policy(allow(ADMINISTRATOR)), alice)
    set_policy(policy(ROOT), alice)
    kms_mock.iam.attach("role/app", policy({"Effect": "Allow", "Action": "kms:CreateKey", "Resource": "*"}))
    with refusal(*LOCKED_OUT):
        kms_mock.client(principal="role/app").create_key(Policy=policy(ROOT))


@pytest.mark.parametrize(
    ("where", "locked_out"),
    [
        pytest.param({"Resource": "arn:aws:kms:*:{account}:key/*"}, False, id="any key of the account"),
        pytest.param({"Resource": "{key}"}, False, id="the key, of which only a replica's is known"),
        pytest.param({"Resource": "arn:aws:kms:*:{account}:key/mrk-*"}, False, id="any multi-Region key"),
        pytest.param({"Resource": "arn:aws:kms:*:{account}:alias/*"}, True, id="no key"),
        pytest.param({"Resource": "arn:aws:kms:ap-southeast-2:{account}:key/*"}, True, id="keys elsewhere"),
        pytest.param({"Condition": {"StringEquals": {"aws:ResourceTag/team": "x"}}}, False, id="keys with its tag"),
        pytest.param({"Condition": {"StringEquals": {"aws:RequestTag/team": "x"}}}, True, id="requests with a tag"),
        pytest.param(
            {"Condition": {"ForAnyValue:StringEquals": {"aws:TagKeys": "team"}}}, True, id="requests with a tag's key"
        ),
        pytest.param({"Condition": {"Bool": {"kms:MultiRegion": "true"}}}, False, id="multi-Region keys"),
    ],
)
def test_a_caller_who_may_put_policies_on_the_new_key_is_not_locked_out(kms_mock, where, locked_out, refusal):
    """API CreateKey, BypassPolicyLockoutSafetyCheck: the principal must be able to call PutKeyPolicy on the new key."""
    primary = kms_mock.create_key(multi_region=True).arn
    tags = [{"TagKey": "team", "TagValue": "x"}]
    for operation, key, members in (
        ("create_key", "*", {"MultiRegion": True}),
        ("replicate_key", primary.replace("us-east-1", "eu-west-1"), {"KeyId": primary, "ReplicaRegion": "eu-west-1"}),
    ):
        statement = {"Effect": "Allow", "Action": "kms:PutKeyPolicy", "Resource": "*", **where}
        statement["Resource"] = statement["Resource"].format(account=ACCOUNT, key=key)
        kms_mock.iam.detach("user/alice")
        others = {"Effect": "Allow", "NotAction": "kms:PutKeyPolicy", "Resource": "*"}
        kms_mock.iam.attach("user/alice", policy(others, statement))
        set_policy = getattr(kms_mock.client(principal="user/alice"), operation)
        with refusal(*LOCKED_OUT) if locked_out else contextlib.nullcontext():
            set_policy(Policy=policy(ROOT), Tags=tags, **members)


@pytest.mark.parametrize(("region", "locked_out"), [("eu-west-1", False), ("us-east-1", True)])
def test_the_service_that_replicates_a_key_changes_the_policy_in_the_replicas_region(
    kms_mock, region, locked_out, refusal
):
    """Developer Guide, kms:ViaService: a service in a Region, `service.region.amazonaws.com`."""
    primary = kms_mock.create_key(multi_region=True).arn
    client = kms_mock.client(principal=kms_mock.credentials(via_service="cloudformation"))
    through = {"StringEquals": {"kms:ViaService": f"cloudformation.{region}.amazonaws.com"}}
    with refusal(*LOCKED_OUT) if locked_out else contextlib.nullcontext():
        client.replicate_key(
            KeyId=primary, ReplicaRegion="eu-west-1", Policy=policy(allow(ADMINISTRATOR, Condition=through))
        )


@pytest.mark.parametrize("principal", [f"arn:aws-cn:iam::{ACCOUNT}:root", f"arn:aws-us-gov:iam::{ACCOUNT}:user/alice"])
def test_principals_of_another_partition(set_policy, refusal, principal):
    # Recorded the other way round: cloudposse/terraform-aws-vpc-flow-logs-s3-bucket#27
    with refusal(*INVALID_PRINCIPALS):
        set_policy(policy(ROOT, allow(principal, "kms:Encrypt")))


def test_in_other_partitions_principals_are_theirs(kms_mock, refusal):
    china = kms_mock.client(region="cn-north-1")
    with refusal(*INVALID_PRINCIPALS):
        china.create_key(Policy=policy(ROOT))
    china.create_key(Policy=policy(ROOT).replace("arn:aws:", "arn:aws-cn:"))
    china.create_key(Policy=policy(ROOT).replace(f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT))


def test_principals_that_do_not_exist(kms_mock, set_policy, refusal):
    gone = f"arn:aws:iam::{ACCOUNT}:role/gone"
    document = policy(ROOT, allow([gone, ADMINISTRATOR], "kms:Encrypt"))
    kms_mock.iam.missing(gone, "user/other")
    with refusal(*INVALID_PRINCIPALS):
        set_policy(document)
    with mock_kms() as inner:
        inner.iam.missing("user/third")
    set_policy(policy(ROOT, allow(f"arn:aws:iam::{ACCOUNT}:user/third", "kms:Encrypt")))


@pytest.mark.parametrize(
    ("document", "text"),
    [
        pytest.param("not a real policy statement", "", id="aws/aws-sdk-ruby#1784: not JSON"),
        pytest.param(policy(allow("bob")), INVALID_PRINCIPALS[1], id="no principal"),
        pytest.param(policy(allow("alice@example.com")), INVALID_PRINCIPALS[1], id="address"),
        pytest.param(policy({"Effect": "Allow", "Action": "kms:*", "Resource": "*"}), None, id="nobody (B)"),
        pytest.param(
            policy(ROOT, allow("*", Condition={"ForAllValues:StringEquals": {"kms:EncryptionContext:a": "b"}})),
            "OverlyPermissiveCondition:EncryptionContext: Using the ForAllValues set operator with a single-valued "
            "condition key matches requests without the specified encryption context or with an unspecified encryption "
            "context. To fix, remove ForAllValues.",
            id="ForAllValues: guide, Using set operators",
        ),
    ],
)
def test_malformed_policies(set_policy, document, text, refusal):
    with refusal(MALFORMED, text):
        set_policy(document, BypassPolicyLockoutSafetyCheck=True)


def test_32_kilobytes_are_the_limit(set_policy, refusal):
    """API PutKeyPolicy: LimitExceededException."""
    document = policy(ROOT)
    with refusal("LimitExceededException"):
        set_policy(document + " " * (32_769 - len(document)))
    set_policy(document + " " * (32_768 - len(document)))


@pytest.mark.parametrize("key", ["aws:ResourceTag/team", "kms:ResourceAliases"])
def test_condition_keys_that_key_policies_do_not_take(set_policy, refusal, key):
    # Recorded: awsdocs/aws-kms-developer-guide#47
    condition = {"ForAnyValue:StringEquals" if "Aliases" in key else "StringEquals": {key: "alias/app"}}
    by_key = allow(f"arn:aws:iam::{ACCOUNT}:role/app", "kms:Decrypt", Condition=condition)
    message = (
        "These condition keys are not permitted in a key policy: aws:ResourceTag, kms:ResourceTag, kms:ResourceAliases"
    )
    with refusal(MALFORMED, message):
        set_policy(policy(ROOT, by_key))


def test_a_guard_by_the_callers_tag_in_a_key_policy(kms_mock):
    """IAM User Guide, "Policy variables with no value": else a session without the tag would read all tenants' data."""
    condition = {"StringNotEquals": {"kms:EncryptionContext:tenant": "${aws:PrincipalTag/tenant}"}}
    app = f"arn:aws:iam::{ACCOUNT}:role/app"
    guarded = allow(app, "kms:Decrypt", Effect="Deny", Condition=condition)
    key = kms_mock.create_key(policy=policy(ROOT, allow(app), guarded))
    context = {"EncryptionContext": {"tenant": "a"}}
    for tags, allowed in (({"tenant": "a"}, True), ({"tenant": "b"}, False), ({}, False)):
        caller = kms_mock.credentials("role/app", tags=tags)
        assert bool(kms_mock.simulate(caller, "kms:Decrypt", key, **context)) is allowed
