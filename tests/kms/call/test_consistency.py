"""Eventual consistency: access decisions use the state before a recent change.

Developer Guide: "usually less than five minutes" for grants, "up to five minutes" for tags and aliases; a grant token
works at once.
"""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from pytest_kmsmock import mock_kms

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
DENIED = "AccessDeniedException"


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


ROOT = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}


def statement(**more):
    return {"Effect": "Allow", "Action": ["kms:Encrypt", "kms:ReEncrypt*"], "Resource": "*"} | more


@pytest.fixture
def late(kms_mock):
    kms_mock.clock.freeze()
    kms_mock.delays.eventual_consistency = 5
    return kms_mock


@pytest.fixture
def key(late):
    return late.create_key(tags={"team": "x"}, alias="alias/old").arn


@pytest.fixture
def app(late):
    return late.client(principal="role/app")


@pytest.fixture
def allowed(late, app, key, refusal):
    """Whether the role may encrypt now."""

    def look(**members):
        if bool(late.simulate("role/app", "kms:Encrypt", key, **members)):
            app.encrypt(KeyId=key, Plaintext=b"x", **members)
            return True
        with refusal(DENIED):
            app.encrypt(KeyId=key, Plaintext=b"x", **members)
        return False

    return look


def test_delays_are_durations_on_the_mocks_clock(kms_mock):
    assert kms_mock.delays.eventual_consistency == 0
    kms_mock.delays.eventual_consistency = timedelta(minutes=5)
    assert kms_mock.delays.eventual_consistency == timedelta(minutes=5)
    with mock_kms() as inner:
        assert inner.delays.eventual_consistency == timedelta(minutes=5)
        inner.delays.eventual_consistency = 1
    assert kms_mock.delays.eventual_consistency == timedelta(minutes=5)


def test_a_new_grant_works_with_its_token_or_later(late, key, allowed):
    made = late.client().create_grant(KeyId=key, GranteePrincipal=ROLE, Operations=["Encrypt"])
    assert not allowed()
    assert allowed(GrantTokens=[made["GrantToken"]])
    late.clock.advance(seconds=4)
    assert not allowed()
    late.clock.advance(seconds=1)
    assert allowed()


def test_a_grant_token_applies_to_both_keys_of_re_encrypt(late, key, app, refusal):
    client = late.client()
    blob = client.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    grant = {"KeyId": key, "GranteePrincipal": ROLE, "Operations": ["ReEncryptFrom", "ReEncryptTo"]}
    token = client.create_grant(**grant)["GrantToken"]
    with refusal(DENIED):
        app.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key)
    app.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key, GrantTokens=[token])


@pytest.mark.parametrize("end", ["revoke_grant", "retire_grant"])
def test_a_deleted_grant_stays_effective_for_a_while(late, key, allowed, end):
    client = late.client()
    made = client.create_grant(KeyId=key, GranteePrincipal=ROLE, Operations=["Encrypt"])
    late.clock.advance(seconds=5)
    getattr(client, end)(KeyId=key, GrantId=made["GrantId"])
    assert client.list_grants(KeyId=key)["Grants"] == []
    assert allowed()
    assert not late.simulate("user/alice", "kms:Encrypt", key)  # the grant is not hers
    late.clock.advance(seconds=5)
    assert not allowed()


def test_a_new_policy_decides_later(late, key, allowed):
    client = late.client()
    new = policy(ROOT, statement(Principal={"AWS": ROLE}))
    client.put_key_policy(KeyId=key, Policy=new)
    assert ROLE in client.get_key_policy(KeyId=key)["Policy"]  # what operations list is the present
    assert not allowed()
    late.clock.advance(seconds=3)
    client.put_key_policy(KeyId=key, Policy=policy(ROOT))
    late.clock.advance(seconds=2)
    assert allowed()  # by the policy of five seconds ago
    late.clock.advance(seconds=3)
    assert not allowed()


def test_a_new_tag_decides_later(late, key, allowed):
    late.iam.attach(ROLE, policy(statement(Condition={"StringEquals": {"aws:ResourceTag/team": "y"}})))
    late.client().tag_resource(KeyId=key, Tags=[{"TagKey": "team", "TagValue": "y"}])
    assert not allowed()
    late.clock.advance(seconds=5)
    assert allowed()
    late.client().untag_resource(KeyId=key, TagKeys=["team"])
    assert allowed()
    late.clock.advance(seconds=5)
    assert not allowed()


def test_a_new_alias_decides_later(late, key, allowed):
    late.iam.attach(
        ROLE, policy(statement(Condition={"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/new"}}))
    )
    client = late.client()
    client.create_alias(AliasName="alias/new", TargetKeyId=key)
    assert not allowed()
    late.clock.advance(seconds=5)
    assert allowed()
    other = late.create_key().arn
    client.update_alias(AliasName="alias/new", TargetKeyId=other)
    assert allowed()
    assert not late.simulate("role/app", "kms:Encrypt", other)
    late.clock.advance(seconds=5)
    assert not allowed()
    assert late.simulate("role/app", "kms:Encrypt", other)


def test_an_alias_resolves_to_its_key_later(late, key, refusal):
    """Developer Guide, "Eventual consistency": "You might get unexpected errors, such as a NotFoundException"."""
    client, other = late.client(), late.create_key(alias="alias/other").arn
    names = ["alias/new", f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/new"]

    def leads_to():
        return {client.encrypt(KeyId=name, Plaintext=b"x")["KeyId"] for name in names}

    client.create_alias(AliasName="alias/new", TargetKeyId=key)
    assert "alias/new" in [alias["AliasName"] for alias in client.list_aliases()["Aliases"]]
    for name in names:
        with refusal("NotFoundException", f"Alias arn:aws:kms:us-east-1:{ACCOUNT}:alias/new is not found."):
            client.encrypt(KeyId=name, Plaintext=b"x")
    late.clock.advance(seconds=5)
    assert leads_to() == {key}
    client.update_alias(AliasName="alias/new", TargetKeyId=other)
    assert leads_to() == {key}
    with mock_kms() as inner:
        assert inner.client().describe_key(KeyId="alias/new")["KeyMetadata"]["Arn"] == key
    late.load(late.dump())
    assert leads_to() == {key}
    late.clock.advance(seconds=5)
    assert leads_to() == {other}
    client.delete_alias(AliasName="alias/new")
    assert leads_to() == {other}
    late.clock.advance(seconds=5)
    with refusal("NotFoundException"):
        client.describe_key(KeyId="alias/new")


def test_seeds_are_consistent_at_once(late):
    made = late.create_key(alias="alias/seeded", grants=[{"GranteePrincipal": ROLE, "Operations": ["Encrypt"]}]).arn
    assert late.client().describe_key(KeyId="alias/seeded")["KeyMetadata"]["Arn"] == made
    assert late.simulate("role/app", "kms:Encrypt", made)


def test_without_policies_changes_are_effective_at_once():
    with mock_kms(enforce_policies=False) as kms:
        kms.delays.eventual_consistency = 5
        client = kms.client()
        metadata = client.create_key()["KeyMetadata"]
        client.create_alias(AliasName="alias/new", TargetKeyId=metadata["KeyId"])
        assert client.describe_key(KeyId="alias/new")["KeyMetadata"] == metadata


def test_a_deleted_alias_leads_nowhere_once_its_key_is_deleted(late, refusal):
    late.eventual_consistency = timedelta(days=100)
    client = late.client()
    client.schedule_key_deletion(KeyId=late.create_key(alias="alias/doomed").id, PendingWindowInDays=7)
    client.delete_alias(AliasName="alias/doomed")
    client.describe_key(KeyId="alias/doomed")
    late.clock.advance(days=8)
    with refusal("NotFoundException"):
        client.describe_key(KeyId="alias/doomed")


def test_a_new_key_has_its_policy_at_once(late, app):
    made = late.client().create_key(Policy=policy(ROOT, statement(Principal={"AWS": ROLE})))["KeyMetadata"]
    app.encrypt(KeyId=made["Arn"], Plaintext=b"x")


def test_nested_mocks_and_dumps_know_of_recent_changes(late, key, allowed, tmp_path):
    late.client().create_grant(KeyId=key, GranteePrincipal=ROLE, Operations=["Encrypt"])
    late.client().tag_resource(KeyId=key, Tags=[{"TagKey": "team", "TagValue": "y"}])
    with mock_kms() as inner:
        assert not inner.simulate("role/app", "kms:Encrypt", key)
        inner.clock.advance(seconds=5)
        assert inner.simulate("role/app", "kms:Encrypt", key)
    late.dump(tmp_path / "state.json")
    late.clock.advance(seconds=5)
    late.load(tmp_path / "state.json")
    assert not allowed()
    late.clock.advance(seconds=5)
    assert allowed()
