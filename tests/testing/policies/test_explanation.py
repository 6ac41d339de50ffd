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


def test_a_refusal_names_actions_that_kms_does_not_have(kms_mock, key):
    kms_mock.iam.attach(
        "user/alice",
        policy(
            allow(["kms:Decyrpt", "kms:Describe*", "s3:GetObjct", "KMS:ENCRYPT"], {}),
            allow("kms:ReEncrypt", {}),
            allow("kms:Decryp?x*", {}),
        ),
    )
    lines = kms_mock.simulate("user/alice", "kms:Decrypt", key).lines
    unknown = [line.removeprefix("  ! identity-based policy, ") for line in lines[-4:-1]]
    assert unknown == [
        "statement 1: unknown KMS permission 'kms:Decyrpt'. Did you mean 'kms:Decrypt'?",
        "statement 2: unknown KMS permission 'kms:ReEncrypt'. Did you mean 'kms:ReEncrypt*'?",
        "statement 3: unknown KMS permission 'kms:Decryp?x*'. Did you mean 'kms:Decrypt'?",
    ]
    assert not [line for line in kms_mock.simulate("user/alice", "kms:Encrypt", key).lines if "!" in line]


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
    assert repr(without.decided) == f"(<AccessRequest kms:DescribeKey on {key}>,)"


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
    assert str(explanation) == f"no policy was evaluated: NotFoundException: {text}"
    kms_client.disable_key(KeyId=key)
    with pytest.raises(ClientError) as refused:
        kms_client.encrypt(KeyId=key, Plaintext=b"x")
    explanation = kms_mock.explain(refused.value)
    assert explanation.allowed
    assert explanation.lines[-1] == f"refused after that: DisabledException: {key} is disabled."


BUCKET = "arn:aws:s3::111122223333:bucket"
APP = f"arn:aws:iam::{ACCOUNT}:role/app"


def why_refused(kms_mock, operation="encrypt", principal="role/app", **parameters):
    """Return the lines of the explanation of a call that is refused, but for those of statements of policies."""
    with pytest.raises(ClientError) as refused:
        getattr(kms_mock.client(principal=principal), operation)(**parameters)
    return [line.strip() for line in kms_mock.explain(refused).lines if "statement" not in line]


@pytest.mark.parametrize(
    ("grant", "context", "reason"),
    [
        pytest.param(
            {"Operations": ["Encrypt"], "Constraints": {"EncryptionContextSubset": {"tenant": "a"}}}, {"tenant": "b"},
            "has the constraint EncryptionContextSubset {'tenant': 'a'}; the request has the encryption context "
            "{'tenant': 'b'}",
            id="subset",
        ),
        pytest.param(
            {"Operations": ["Encrypt"], "Constraints": {"EncryptionContextEquals": {"tenant": "a"}}}, {},
            "has the constraint EncryptionContextEquals {'tenant': 'a'}; the request has the encryption context {}",
            id="equals",
        ),
        pytest.param(
            {"Operations": ["Encrypt"], "Constraints": {"SourceArn": BUCKET}}, {},
            f"has the constraint SourceArn {BUCKET}; the request has the encryption context {{}} "
            "and aws:SourceArn (absent)",
            id="source",
        ),
        pytest.param(
            {"Operations": ["Encrypt"], "Constraints": {"EncryptionContextSubset": {"a": "b"}, "SourceArn": BUCKET}},
            {},
            f"has the constraint EncryptionContextSubset {{'a': 'b'}}, SourceArn {BUCKET}; the request has the "
            "encryption context {} and aws:SourceArn (absent)",
            id="context and source",
        ),
        pytest.param({"Operations": ["Decrypt", "DescribeKey"]}, {}, "allows Decrypt, DescribeKey, not Encrypt",
                     id="operation"),
        pytest.param({"Operations": ["Encrypt"], "GranteePrincipal": ALICE}, {}, f"is for {ALICE}", id="grantee"),
    ],
)  # fmt: skip
def test_a_refusal_says_why_grants_do_not_allow_it(kms_mock, kms_client, key, grant, context, reason):
    grant_id = kms_client.create_grant(KeyId=key, **({"GranteePrincipal": APP} | grant))["GrantId"]
    lines = why_refused(kms_mock, KeyId=key, Plaintext=b"x", EncryptionContext=context)
    assert f"- grants: grant {grant_id} {reason}" in lines
    kms_client.revoke_grant(KeyId=key, GrantId=grant_id)  # explained is what was


def test_a_refusal_says_why_a_grant_cannot_be_passed_on(kms_mock, kms_client, key):
    grant = kms_client.create_grant(KeyId=key, GranteePrincipal=APP, Operations=["CreateGrant", "Encrypt"])["GrantId"]
    lines = why_refused(kms_mock, "create_grant", KeyId=key, GranteePrincipal=ALICE, Operations=["Decrypt"])
    reason = "allows CreateGrant only for CreateGrant, Encrypt, with constraints at least as strict as its own"
    assert f"- grants: grant {grant} {reason}" in lines


def test_a_refusal_says_that_a_grant_is_not_effective_yet(kms_mock, kms_client, key):
    kms_mock.clock.freeze()
    kms_mock.delays.eventual_consistency = 5
    grant = kms_client.create_grant(KeyId=key, GranteePrincipal=APP, Operations=["Encrypt"])["GrantId"]
    lines = why_refused(kms_mock, KeyId=key, Plaintext=b"x")
    reason = "is not effective yet (eventual consistency), and the request does not have its grant token"
    assert f"- grants: grant {grant} {reason}" in lines


def test_a_refusal_names_some_of_many_grants(kms_mock, kms_client, key):
    own = kms_client.create_grant(KeyId=key, GranteePrincipal=APP, Operations=["Decrypt"])["GrantId"]
    for number in range(8):
        grantee = f"arn:aws:iam::{ACCOUNT}:role/r{number}"
        kms_client.create_grant(KeyId=key, GranteePrincipal=grantee, Operations=["Decrypt"])
    lines = [line for line in why_refused(kms_mock, KeyId=key, Plaintext=b"x") if "grants:" in line]
    assert lines[0] == f"- grants: grant {own} allows Decrypt, not Encrypt"
    assert lines[-1] == "- grants: grant … and 3 more are for other principals"
    assert len(lines) == len(set(lines)) == 7


def test_a_refusal_names_the_service_that_a_grant_is_for(kms_mock, kms_client, key):
    grant = kms_client.create_grant(
        KeyId=key, GranteeServicePrincipal="dynamodb.amazonaws.com", RetiringPrincipal=ALICE, Operations=["Encrypt"],
        Constraints={"SourceArn": f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/t"},
    )["GrantId"]  # fmt: skip
    lines = why_refused(kms_mock, KeyId=key, Plaintext=b"x")
    assert f"- grants: grant {grant} is for dynamodb.amazonaws.com" in lines


def test_a_refusal_of_what_no_grant_can_allow_names_none(kms_mock, kms_client, key):
    """API CreateGrant, `Operations`: DisableKey is not among them."""
    kms_client.create_grant(KeyId=key, GranteePrincipal=APP, Operations=["Encrypt"])
    assert not [line for line in why_refused(kms_mock, "disable_key", KeyId=key) if "grants: grant" in line]


def test_a_grant_that_is_not_enough_is_told_once(kms_mock, kms_client, key):
    grant = kms_client.create_grant(KeyId=key, GranteePrincipal=APP, Operations=["Encrypt"])["GrantId"]
    kms_mock.iam.boundary("role/app", policy({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}))
    lines = [line for line in why_refused(kms_mock, KeyId=key, Plaintext=b"x") if "grants:" in line]
    assert lines == [
        f"- grants: grant {grant} is not enough: because no permissions boundary allows the kms:Encrypt action"
    ]


def test_a_refusal_says_who_may_retire_a_grant(kms_mock, kms_client, key):
    grant = kms_client.create_grant(
        KeyId=key, GranteePrincipal=APP, RetiringPrincipal=ALICE, Operations=["Encrypt", "RetireGrant"]
    )["GrantId"]  # fmt: skip
    abroad = "arn:aws:iam::111122223333:user/eve"
    lines = why_refused(kms_mock, "retire_grant", principal=abroad, KeyId=key, GrantId=grant)
    owner = f"arn:aws:iam::{ACCOUNT}:root"
    assert f"- grants: grant {grant} may be retired by {ALICE}, {APP}, {owner}" in lines


def test_a_key_of_another_account_that_does_not_exist(kms_mock):
    arn = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    *_, line = why_refused(kms_mock, KeyId=arn, Plaintext=b"x")
    assert line == (
        "The key or alias does not exist in this mock, which AWS does not tell callers of another account. Create it "
        "as a caller of its account."
    )
    *_, line = why_refused(
        kms_mock, "list_retirable_grants", RetiringPrincipal="arn:aws:iam::111122223333:root"
    )  # fmt: skip
    assert line == "The retiring principal is of another account."


def test_a_mock_that_enforces_nothing_asks_nobody():
    with mock_kms(enforce_policies=False) as kms:
        kms.client().list_keys()
        assert str(kms.explain(kms.calls[-1])) == "no policy was evaluated"


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
    with pytest.raises(NoSuchCall, match="Expected a call, or the ClientError"):
        kms_mock.explain(what)
