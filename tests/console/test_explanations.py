"""Explanations of decisions, and simulations."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from pytest_kmsmock import mock_kms
from pytest_kmsmock.errors import NoSuchCall
from pytest_kmsmock.service.errors import KmsError

ACCOUNT = "123456789012"
ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action, condition):
    return {"Effect": "Allow", "Action": action, "Resource": "*", "Condition": condition}


@pytest.fixture
def key(kms_mock):
    return kms_mock.create_key(tags={"team": "y"}, alias="alias/app").arn


def test_an_error_is_explained_by_the_statements_that_did_not_apply(kms_mock, key):
    condition = {"StringEquals": {"aws:ResourceTag/team": "x"}}
    statement = {"Sid": "own", "Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*", "Condition": condition}
    kms_mock.iam.attach("user/alice", policy(statement))
    with pytest.raises(ClientError) as refused:
        kms_mock.client(principal="user/alice").encrypt(KeyId=key, Plaintext=b"x")
    message = refused.value.response["Error"]["Message"]
    kms_mock.client().tag_resource(KeyId=key, Tags=[{"TagKey": "team", "TagValue": "x"}])  # explained is what was
    explanation = kms_mock.explain(refused.value)
    assert not explanation
    assert explanation.message == message
    assert str(explanation).splitlines() == [
        f"kms:Encrypt on {key} for {ALICE}: refused",
        "  + resource-based policy, statement 1 ('Enable IAM User Permissions'): lets IAM policies of the account "
        "allow kms:Encrypt",
        "  - identity-based policy, statement 1 ('own'): StringEquals aws:ResourceTag/team: the policy says 'x', the "
        "request has 'y'",
        "  - grants: no grant allows the request",
        f"  - decision: {message}",
    ]


def test_a_call_that_was_allowed_is_explained_too(kms_mock, kms_client, key):
    kms_client.encrypt(KeyId=key, Plaintext=b"x")
    explanation = kms_mock.explain(kms_mock.calls[-1])
    assert explanation.allowed
    assert explanation.message == ""
    assert explanation.lines[-1] == "  + decision: allowed"


def test_each_permission_is_explained_until_one_is_refused(kms_mock, kms_client, key):
    kms_client.re_encrypt(
        CiphertextBlob=kms_client.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"], DestinationKeyId=key
    )
    heads = [line for line in kms_mock.explain(kms_mock.calls[-1]).lines if not line.startswith(" ")]
    who = f"for arn:aws:iam::{ACCOUNT}:user/Administrator: allowed"
    assert heads == [f"kms:ReEncryptFrom on {key} {who}", f"kms:ReEncryptTo on {key} {who}"]


def test_what_was_refused_before_or_after_the_policies(kms_mock, kms_client, key):
    with pytest.raises(ClientError) as refused:
        kms_client.encrypt(KeyId="alias/none", Plaintext=b"x")
    explanation = kms_mock.explain(refused.value)
    assert not explanation.allowed
    text = f"Alias arn:aws:kms:us-east-1:{ACCOUNT}:alias/none is not found."
    assert str(explanation) == f"no policy was asked: NotFoundException: {text}"
    kms_client.disable_key(KeyId=key)
    with pytest.raises(ClientError) as refused:
        kms_client.encrypt(KeyId=key, Plaintext=b"x")
    explanation = kms_mock.explain(refused.value)
    assert explanation.allowed
    assert explanation.lines[-1] == f"refused after that: DisabledException: {key} is disabled."


def test_a_mock_that_enforces_nothing_asks_nobody():
    with mock_kms(enforce_policies=False) as kms:
        kms.client().list_keys()
        assert str(kms.explain(kms.calls[-1])) == "no policy was asked"


def test_errors_of_the_mocks_around_are_found_and_others_are_not(kms_mock, kms_client):
    with pytest.raises(ClientError) as refused:
        kms_mock.client(principal="user/alice").list_keys()
    with mock_kms() as inner:
        assert inner.explain(refused.value).message.startswith(f"User: {ALICE}")
    for response in ({}, {"ResponseMetadata": {"RequestId": "1"}}):
        with pytest.raises(NoSuchCall, match="No call of this mock has the request id"):
            kms_mock.explain(ClientError(response, "Encrypt"))


# --- simulations ----------------------------------------------------------------------------------------------------


def test_a_simulation_is_no_call(kms_mock, key):
    assert kms_mock.simulate(None, "kms:ScheduleKeyDeletion", key)
    assert list(kms_mock.calls) == []
    assert kms_mock.keys[key].state == "Enabled"


@pytest.mark.parametrize("named", ["id", "arn", "alias/app", f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/app"])
def test_a_key_in_whichever_form(kms_mock, key, named):
    by_alias = {"StringEquals": {"kms:RequestAlias": "alias/app"}}
    kms_mock.iam.attach("user/alice", policy(allow("kms:*", by_alias)))
    given = {"id": key.split("/")[1], "arn": key}.get(named, named)
    assert bool(kms_mock.simulate("user/alice", "Encrypt", given)) is ("alias" in named)


def test_context_and_members_of_the_request(kms_mock, key):
    for condition in ({"kms:EncryptionContext:tenant": "a"}, {"aws:SourceIp": "203.0.113.7"}):
        kms_mock.iam.detach("user/alice")
        statement = {
            "Effect": "Allow",
            "Action": "kms:Encrypt",
            "Resource": "*",
            "Condition": {"StringEquals": condition},
        }
        kms_mock.iam.attach("user/alice", policy(statement))
        assert not kms_mock.simulate("user/alice", "kms:Encrypt", key)
        assert kms_mock.simulate("user/alice", "kms:Encrypt", key, condition)
        assert kms_mock.simulate("user/alice", "kms:Encrypt", key, {name: [value] for name, value in condition.items()})
    by_context = {"StringEquals": {"kms:EncryptionContext:tenant": "a"}}
    kms_mock.iam.attach("user/alice", policy(allow("kms:*", by_context)))
    assert kms_mock.simulate("user/alice", "kms:ReEncryptFrom", key, SourceEncryptionContext={"tenant": "a"})
    assert not kms_mock.simulate("user/alice", "kms:ReEncryptTo", key, SourceEncryptionContext={"tenant": "a"})


def test_without_a_key(kms_mock):
    assert kms_mock.simulate(None, "kms:CreateKey")
    assert not kms_mock.simulate("user/alice", "kms:CreateKey")
    assert str(kms_mock.simulate("user/alice", "kms:CreateKey")).startswith(f"kms:CreateKey on * for {ALICE}: refused")


def test_what_there_is_not(kms_mock):
    with pytest.raises(KmsError, match="NotFoundException"):
        kms_mock.simulate(None, "kms:Encrypt", "alias/none")
    with pytest.raises(KmsError, match="UnknownOperationException"):
        kms_mock.simulate(None, "kms:Fly")
