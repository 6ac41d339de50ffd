"""Explanations of decisions, and simulations."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from pytest_kmsmock import mock_kms
from pytest_kmsmock.errors import NoSuchCall

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


def test_what_was_decided_stays_the_same(kms_mock, kms_client, key):
    """Most decisions are made anew for whoever looks."""
    for _ in range(2):
        kms_client.describe_key(KeyId=key)
    grant = kms_client.create_grant(
        KeyId=key, GranteePrincipal=kms_mock._caller().arn, Operations=["DescribeKey"]
    )["GrantId"]  # fmt: skip
    kms_client.describe_key(KeyId=key)
    kms_client.revoke_grant(KeyId=key, GrantId=grant)
    for call in kms_mock.calls.of("DescribeKey"):
        assert call.decisions == call.decisions
        assert kms_mock.explain(call) == kms_mock.explain(call)
    _, without, granted = kms_mock.calls.of("DescribeKey")
    assert "no grant allows the request" in str(kms_mock.explain(without))
    assert f"grant {grant} allows the request" in str(kms_mock.explain(granted))
    assert repr(without.decided) == f"(<Asked for kms:DescribeKey on {key}>,)"


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


def test_what_pytest_raises_gives_can_be_explained(kms_mock):
    with pytest.raises(ClientError) as refused:
        kms_mock.client(principal="user/alice").list_keys()
    assert str(kms_mock.explain(refused)) == str(kms_mock.explain(refused.value))


@pytest.mark.parametrize("what", [None, "AccessDenied", ValueError("AccessDenied"), 5])
def test_what_is_no_error_of_a_client_cannot(kms_mock, what):
    with pytest.raises(NoSuchCall, match="What can be explained is a call, or the ClientError"):
        kms_mock.explain(what)
