"""Simulations: what policies would say, without a call."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from pytest_kmsmock import KmsMockError, mock_kms
from pytest_kmsmock._kms.call.operation import OPERATIONS
from pytest_kmsmock._kms.operations import load
from pytest_kmsmock._testing.policies.simulation import WITHOUT_KEY
from pytest_kmsmock.errors import InvalidOption, InvalidSimulation

ACCOUNT, OTHER = "123456789012", "111122223333"
ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"
ALIASES = f"arn:aws:kms:us-east-1:{ACCOUNT}:alias"


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action, condition=None, resource="*"):
    return {"Effect": "Allow", "Action": action, "Resource": resource, "Condition": condition or {}}


@pytest.fixture
def key(kms_mock):
    return kms_mock.create_key(tags={"team": "y"}, alias="alias/app").arn


def test_a_simulation_is_no_call(kms_mock, key):
    assert kms_mock.simulate(None, "kms:ScheduleKeyDeletion", key)
    assert list(kms_mock.calls) == []
    assert kms_mock.keys[key].state == "Enabled"


@pytest.mark.parametrize("named", ["id", "arn", "alias/app", f"{ALIASES}/app"])
def test_a_key_in_whichever_form(kms_mock, key, named):
    by_alias = {"StringEquals": {"kms:RequestAlias": "alias/app"}}
    kms_mock.iam.attach("user/alice", policy(allow("kms:*", by_alias)))
    given = {"id": key.split("/")[1], "arn": key}.get(named, named)
    assert bool(kms_mock.simulate("user/alice", "Encrypt", given)) is ("alias" in named)


def test_a_key_as_create_key_gives_it_in_its_own_region(kms_mock):
    here, abroad = kms_mock.create_key(), kms_mock.create_key(region="eu-west-1")
    only_here = {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}
    kms_mock.iam.attach("user/alice", policy(allow("kms:Encrypt", only_here)))
    assert kms_mock.simulate("user/alice", "kms:Encrypt", here)
    assert not kms_mock.simulate("user/alice", "kms:Encrypt", abroad)


@pytest.mark.parametrize("action", ["kms:Encrypt", "KMS:encrypt", "Encrypt", "kms:ENCRYPT"])
def test_iam_does_not_tell_upper_from_lower_case_in_actions(kms_mock, key, action):
    explanation = kms_mock.simulate(None, action, key)
    assert explanation
    assert explanation.decisions[0].request.action == "kms:Encrypt"


def test_context_and_members_of_the_request(kms_mock, key):
    for condition in ({"kms:EncryptionContext:tenant": "a"}, {"aws:SourceIp": "203.0.113.7"}):
        kms_mock.iam.detach("user/alice")
        kms_mock.iam.attach("user/alice", policy(allow("kms:Encrypt", {"StringEquals": condition})))
        assert not kms_mock.simulate("user/alice", "kms:Encrypt", key)
        assert kms_mock.simulate("user/alice", "kms:Encrypt", key, condition)
        assert kms_mock.simulate("user/alice", "kms:Encrypt", key, {name: [value] for name, value in condition.items()})
    by_context = {"StringEquals": {"kms:EncryptionContext:tenant": "a"}}
    kms_mock.iam.attach("user/alice", policy(allow("kms:*", by_context)))
    assert kms_mock.simulate("user/alice", "kms:ReEncryptFrom", key, SourceEncryptionContext={"tenant": "a"})
    assert not kms_mock.simulate("user/alice", "kms:ReEncryptTo", key, SourceEncryptionContext={"tenant": "a"})


@pytest.mark.parametrize(
    ("operator", "name", "in_policy", "value"),
    [
        pytest.param("Bool", "aws:MultiFactorAuthPresent", "true", True, id="truth value"),
        pytest.param("NumericLessThan", "aws:MultiFactorAuthAge", "300", 200, id="number"),
        pytest.param("NumericLessThan", "aws:MultiFactorAuthAge", "300", 0.5, id="fraction"),
        pytest.param("DateLessThan", "aws:TokenIssueTime", "2026-01-01T00:00:00Z", datetime(2025, 12, 31), id="UTC"),  # noqa: DTZ001
        pytest.param(
            "DateLessThan", "aws:TokenIssueTime", "2026-01-01T00:00:00Z",
            datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2))), id="time with a zone",
        ),
        pytest.param("ForAnyValue:NumericEquals", "saml:numbers", "2", [1, 2], id="several"),
        pytest.param("ForAnyValue:StringEquals", "aws:CalledVia", "s3.amazonaws.com",
                     {"s3.amazonaws.com", "sns.amazonaws.com"}, id="a set"),
    ],
)  # fmt: skip
def test_values_of_condition_keys_in_types_of_python(kms_mock, key, operator, name, in_policy, value):
    kms_mock.iam.attach("user/alice", policy(allow("kms:Encrypt", {operator: {name: in_policy}})))
    assert kms_mock.simulate("user/alice", "kms:Encrypt", key, {name: value})
    assert kms_mock.simulate(kms_mock.credentials("user/alice", context={name: value}), "kms:Encrypt", key)


def test_without_a_key(kms_mock):
    assert kms_mock.simulate(None, "kms:CreateKey")
    assert not kms_mock.simulate("user/alice", "kms:CreateKey")
    assert str(kms_mock.simulate("user/alice", "kms:CreateKey")).startswith(f"kms:CreateKey on * for {ALICE}: refused")
    kms_mock.iam.attach("user/alice", policy(allow("kms:ListRetirableGrants", resource=ALICE)))
    assert kms_mock.simulate("user/alice", "kms:ListRetirableGrants", RetiringPrincipal=ALICE)
    assert not kms_mock.simulate("user/alice", "kms:ListRetirableGrants")


def test_every_permission_can_be_simulated(kms_mock, kms_client, key):
    load()
    grant = kms_client.create_grant(KeyId=key, GranteePrincipal=ALICE, RetiringPrincipal=ALICE, Operations=["Encrypt"])
    more = {
        "CreateAlias": {"AliasName": "alias/new"}, "DeleteAlias": {"AliasName": "alias/app"},
        "UpdateAlias": {"AliasName": "alias/app"}, "RetireGrant": {"GrantId": grant["GrantId"]},
    }  # fmt: skip
    # multi-region-auth-slr.html of the Developer Guide: SynchronizeMultiRegionKey is a permission without an operation.
    for name in [*OPERATIONS.keys() - {"ReEncrypt"}, "ReEncryptFrom", "ReEncryptTo", "SynchronizeMultiRegionKey"]:
        on_key = None if name in WITHOUT_KEY or name == "DeleteAlias" else key
        who = "user/alice" if name == "RetireGrant" else None
        assert kms_mock.simulate(who, f"kms:{name}", on_key, **more.get(name, {})), name
        if on_key is not None:
            with pytest.raises(InvalidSimulation):
                kms_mock.simulate(None, f"kms:{name}")


# --- aliases: Developer Guide, "Controlling access to aliases" --------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "named", "members"),
    [
        pytest.param("kms:CreateAlias", "KEY", {"AliasName": "alias/new"}, id="CreateAlias, by key"),
        pytest.param("kms:CreateAlias", "alias/new", {"TargetKeyId": "KEY"}, id="CreateAlias, by alias"),
        pytest.param("kms:CreateAlias", None, {"TargetKeyId": "KEY", "AliasName": "alias/new"}, id="CreateAlias"),
        pytest.param("kms:DeleteAlias", "alias/app", {}, id="DeleteAlias, by alias"),
        pytest.param("kms:DeleteAlias", f"{ALIASES}/app", {}, id="DeleteAlias, by ARN"),
        pytest.param("kms:DeleteAlias", None, {"AliasName": "alias/app"}, id="DeleteAlias"),
        pytest.param("kms:UpdateAlias", "alias/app", {"TargetKeyId": "OTHER"}, id="UpdateAlias, by alias"),
        pytest.param("kms:UpdateAlias", "OTHER", {"AliasName": "alias/app"}, id="UpdateAlias, by key"),
    ],
)
def test_both_the_alias_and_its_keys_must_be_allowed(kms_mock, key, action, named, members):
    other = kms_mock.create_key().arn
    places = {"KEY": key, "OTHER": other}
    named, members = places.get(named, named), {name: places.get(value, value) for name, value in members.items()}
    needed = {f"{ALIASES}/*": "the alias", key: "the key"} | ({other: "the new key"} if "Update" in action else {})
    for missing in [*needed, None]:
        kms_mock.iam.detach("user/alice")
        kms_mock.iam.attach("user/alice", policy(allow(action, resource=[arn for arn in needed if arn != missing])))
        explanation = kms_mock.simulate("user/alice", action, named, **members)
        assert explanation.allowed is (missing is None), missing
    assert len(explanation.decisions) == len(needed)
    assert list(kms_mock.calls) == []
    assert kms_mock.keys["alias/app"].arn == key


# --- grants -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def grant(kms_client, key):
    return kms_client.create_grant(
        KeyId=key, GranteePrincipal=ALICE, Operations=["CreateGrant", "Encrypt"], RetiringPrincipal=ALICE
    )


def test_who_may_retire_a_grant(kms_mock, key, grant):
    for named, members in (
        (key, {"GrantId": grant["GrantId"]}),
        ("alias/app", {"GrantId": grant["GrantId"]}),
        (None, {"GrantToken": grant["GrantToken"]}),
        (key, {"GrantToken": grant["GrantToken"]}),
        (None, {"KeyId": key, "GrantId": grant["GrantId"]}),
    ):
        assert kms_mock.simulate("user/alice", "kms:RetireGrant", named, **members), members
        assert not kms_mock.simulate("user/bob", "kms:RetireGrant", named, **members), members


def test_what_a_grant_passes_on(kms_mock, key, grant):
    assert kms_mock.simulate("user/alice", "kms:CreateGrant", key)
    assert kms_mock.simulate("user/alice", "kms:CreateGrant", key, Operations=["Encrypt"])
    assert not kms_mock.simulate("user/alice", "kms:CreateGrant", key, Operations=["Decrypt"])


def test_whether_re_encrypt_stays_on_one_key(kms_mock, key):
    other = kms_mock.create_key().arn
    same = {"Bool": {"kms:ReEncryptOnSameKey": "true"}}
    kms_mock.iam.attach("user/alice", policy(allow("kms:ReEncrypt*", same)))
    assert kms_mock.simulate("user/alice", "kms:ReEncryptFrom", key, DestinationKeyId=key)
    assert not kms_mock.simulate("user/alice", "kms:ReEncryptFrom", key, DestinationKeyId=other)
    assert not kms_mock.simulate("user/alice", "kms:ReEncryptTo", key, SourceKeyId=other)


def test_a_key_whose_time_has_come_is_gone(kms_mock, kms_client, key):
    kms_client.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    kms_mock.clock.advance(days=8)
    with pytest.raises(InvalidSimulation, match="NotFoundException"):
        kms_mock.simulate(None, "kms:DescribeKey", key)


# --- what there is not ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "named", "members", "text"),
    [
        pytest.param("kms:Encrypt", "alias/none", {}, "NotFoundException: Alias .*alias/none is not found", id="key"),
        pytest.param(
            "kms:Encrypt", f"arn:aws:kms:us-east-1:{OTHER}:key/mrk-{0:032}", {}, "AccessDeniedException", id="abroad"
        ),
        pytest.param("kms:Encrypt", 5, {}, "Invalid keyId", id="no key"),
        pytest.param("kms:Encrypt", None, {}, "kms:Encrypt is a permission on a key: give the key", id="without"),
        pytest.param("kms:Encrypts", "KEY", {}, "Unknown KMS permission .* Did you mean 'kms:Encrypt'?", id="typo"),
        pytest.param(
            "s3:GetObject",
            "KEY",
            {},
            "Unknown KMS permission 's3:GetObject'; expected one such as 'kms:Encrypt'.$",
            id="of another service",
        ),
        pytest.param("kms:*", "KEY", {}, "Unknown KMS permission", id="all"),
        pytest.param(None, "KEY", {}, "Unknown KMS permission None", id="None"),
        pytest.param("kms:ReEncrypt", "KEY", {}, "simulate kms:ReEncryptFrom on .* kms:ReEncryptTo on", id="ReEncrypt"),
        pytest.param("kms:CreateKey", "KEY", {}, "kms:CreateKey is not a permission on a key", id="too much"),
        pytest.param("kms:CreateAlias", "KEY", {}, "on an alias and on its key: give AliasName too", id="no alias"),
        pytest.param("kms:CreateAlias", "alias/x", {}, "give TargetKeyId too", id="no target"),
        pytest.param("kms:UpdateAlias", None, {}, "give AliasName and TargetKeyId too", id="neither"),
        pytest.param("kms:DeleteAlias", "alias/none", {}, "alias/none does not exist in us-east-1", id="no such alias"),
        pytest.param("kms:DeleteAlias", "KEY", {}, "give the alias", id="a key for an alias"),
        pytest.param("kms:DeleteAlias", "alias/app", {"AliasName": "alias/x"}, "AliasName is given twice", id="two"),
        pytest.param("kms:CreateAlias", "alias/aws/x", {"TargetKeyId": "KEY"}, "NotAuthorizedException", id="of AWS"),
        pytest.param("kms:RetireGrant", "KEY", {}, "is decided by a grant: give GrantId", id="no grant"),
        pytest.param("kms:RetireGrant", "KEY", {"GrantId": "0" * 64}, "NotFoundException", id="no such grant"),
        pytest.param("kms:Encrypt", "KEY", {"EncriptionContext": {}}, "Did you mean 'EncryptionContext'?", id="member"),
        pytest.param("kms:Encrypt", "KEY", {"region_": 1}, "Unknown parameter 'region_' of Encrypt", id="none"),
        pytest.param("kms:Encrypt", "KEY", {"EncryptionContext": {"a": 1}}, "Invalid type for parameter", id="type"),
        pytest.param("kms:TagResource", "KEY", {"Tags": [{"Key": "a"}]}, "Missing required parameter", id="tags"),
        pytest.param(
            "kms:Encrypt", "KEY", {"KeyId": "alias/x"}, "the key is given twice: arn:.* and alias/x", id="two keys"
        ),
        pytest.param("kms:Encrypt", "KEY", {"GrantTokens": ["x"]}, "InvalidGrantTokenException", id="no token"),
        pytest.param("kms:SynchronizeMultiRegionKey", "KEY", {"DryRun": True}, "no parameters", id="no operation"),
    ],
)
def test_what_cannot_be_simulated(kms_mock, key, action, named, members, text):
    named = key if named == "KEY" else named
    members = {name: key if value == "KEY" else value for name, value in members.items()}
    with pytest.raises(InvalidSimulation, match=text) as refused:
        kms_mock.simulate(None, action, named, **members)
    assert isinstance(refused.value, KmsMockError)


def test_a_wrong_region_is_refused(kms_mock):
    with pytest.raises(InvalidOption, match=r"simulate\(\): region must be a Region such .*, not 'us-east'"):
        kms_mock.simulate(None, "kms:CreateKey", region="us-east")


@pytest.mark.parametrize("context", ["aws:SourceIp", {"aws:SourceIp": None}, {"a": {"b": "c"}}, {"a": [b"x"]}])
def test_what_is_no_value_of_a_condition_key(kms_mock, key, context):
    with pytest.raises(InvalidSimulation, match="condition key"):
        kms_mock.simulate(None, "kms:Encrypt", key, context)
    with mock_kms() as inner, pytest.raises(KmsMockError, match="condition key"):
        inner.credentials("user/alice", context=context)
