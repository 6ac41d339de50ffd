"""Policies that a request needs besides a grant: IAM policies across accounts, session policies, boundaries.

Captured from AWS KMS, 2026-09, unless a test says otherwise.
"""

from __future__ import annotations

import json

import pytest

ACCOUNT, OTHER = "123456789012", "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/s1"
FEDERATED = f"arn:aws:sts::{ACCOUNT}:federated-user/fred"
THEIR_ROLE = f"arn:aws:iam::{OTHER}:role/app"
THEIR_SESSION = f"arn:aws:sts::{OTHER}:assumed-role/app/s1"
THEIR_ADMIN = f"arn:aws:iam::{OTHER}:user/admin"
DENIED = "AccessDeniedException"


def policy(*actions, **more):
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"} | more]}
    )


ALL, NOTHING = policy("kms:*"), policy("s3:GetObject")


def denied(caller, action, where, missing):
    return (
        f"User: {caller} is not authorized to perform: {action} on {where} because no {missing} allows the {action} "
        f"action"
    )


@pytest.fixture
def key(kms_mock):
    """A key that its account's IAM policies decide on; another account may create grants on it."""
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"},
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"},
            "Action": "kms:CreateGrant",
            "Resource": "*",
        },
    ]
    return kms_mock.create_key(policy=json.dumps({"Version": "2012-10-17", "Statement": statements})).arn


# --- across accounts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("grantee", [THEIR_ROLE, THEIR_SESSION])
def test_a_grant_of_the_keys_account_needs_an_iam_policy_of_the_grantees(
    kms_mock, kms_client, key, clients, grantee, refusal
):
    kms_client.create_grant(KeyId=key, GranteePrincipal=grantee, Operations=["Encrypt"])
    encrypt = {"KeyId": key, "Plaintext": b"x"}
    text = denied(THEIR_SESSION, "kms:Encrypt", "this resource", "identity-based policy")
    with refusal(DENIED, text):
        clients(THEIR_SESSION).encrypt(**encrypt)
    kms_mock.iam.attach(THEIR_ROLE, ALL)
    clients(THEIR_SESSION).encrypt(**encrypt)
    clients(THEIR_SESSION, session_policies=[ALL]).encrypt(**encrypt)
    with refusal(DENIED):
        clients(THEIR_SESSION, session_policies=[NOTHING]).encrypt(**encrypt)


@pytest.mark.parametrize("grantee", [THEIR_ROLE, THEIR_SESSION])
def test_a_grant_of_the_grantees_own_account_needs_no_iam_policy(kms_mock, key, clients, grantee):
    kms_mock.iam.attach(THEIR_ADMIN, ALL)
    clients(THEIR_ADMIN).create_grant(KeyId=key, GranteePrincipal=grantee, Operations=["Encrypt"])
    clients(THEIR_SESSION).encrypt(KeyId=key, Plaintext=b"x")


@pytest.mark.parametrize("member", ["RetiringPrincipal", "GranteePrincipal"])
@pytest.mark.parametrize(
    ("named", "missing"),
    [(THEIR_ROLE, "session policy"), (THEIR_SESSION, "identity-based policy")],
    ids=["role", "session"],
)
def test_retiring_needs_an_iam_policy_too(kms_mock, kms_client, key, clients, member, named, missing, refusal):
    """Whether a retiring principal or a grantee: what a session policy lacks is called so if the role was named."""
    members = {"KeyId": key, "GranteePrincipal": ROLE, "Operations": ["Encrypt", "RetireGrant"]}
    made = kms_client.create_grant(**members | {member: named})
    retire = {"KeyId": key, "GrantId": made["GrantId"]}
    with refusal(DENIED, denied(THEIR_SESSION, "kms:RetireGrant", "this resource", "identity-based policy")):
        clients(THEIR_SESSION).retire_grant(**retire)
    kms_mock.iam.attach(THEIR_ROLE, ALL)
    with refusal(DENIED, denied(THEIR_SESSION, "kms:RetireGrant", "this resource", missing)):
        clients(THEIR_SESSION, session_policies=[NOTHING]).retire_grant(**retire)
    assert clients(THEIR_SESSION).retire_grant(**retire)
    assert kms_client.list_grants(KeyId=key)["Grants"] == []


def test_principals_outside_of_a_grant_learn_nothing(kms_mock, kms_client, key, clients, refusal):
    """Inferred from the other texts for keys of other accounts."""
    made = kms_client.create_grant(KeyId=key, GranteePrincipal=ROLE, Operations=["Encrypt"])
    kms_mock.iam.attach(THEIR_ROLE, ALL)
    out_of_sight = (
        f"User: {THEIR_SESSION} is not authorized to perform: kms:RetireGrant on this resource because the resource "
        f"does not exist in this Region, no resource-based policies allow access, or a resource-based policy "
        f"explicitly denies access"
    )
    with refusal(DENIED, out_of_sight):
        clients(THEIR_SESSION).retire_grant(KeyId=key, GrantId=made["GrantId"])


# --- session policies and permissions boundaries in the key's account -----------------------------------------------


def test_a_session_policy_limits_what_a_grant_to_the_role_gives(kms_client, key, clients, refusal):
    kms_client.create_grant(KeyId=key, GranteePrincipal=ROLE, Operations=["Encrypt"])
    encrypt = {"KeyId": key, "Plaintext": b"x"}
    clients(SESSION).encrypt(**encrypt)
    clients(SESSION, session_policies=[ALL]).encrypt(**encrypt)
    with refusal(DENIED, denied(SESSION, "kms:Encrypt", f"resource: {key}", "session policy")):
        clients(SESSION, session_policies=[NOTHING]).encrypt(**encrypt)


def test_a_permissions_boundary_limits_what_a_grant_to_the_role_gives(kms_mock, kms_client, key, clients, refusal):
    kms_client.create_grant(KeyId=key, GranteePrincipal=ROLE, Operations=["Encrypt"])
    kms_mock.iam.boundary(ROLE, NOTHING)
    with refusal(DENIED, denied(SESSION, "kms:Encrypt", f"resource: {key}", "permissions boundary")):
        clients(SESSION).encrypt(KeyId=key, Plaintext=b"x")


@pytest.mark.parametrize("grantee", [SESSION, FEDERATED])
def test_neither_limits_a_grant_to_the_session(kms_mock, kms_client, key, clients, grantee, refusal):
    kms_client.create_grant(KeyId=key, GranteePrincipal=grantee, Operations=["Encrypt"])
    kms_mock.iam.boundary(ROLE, NOTHING)
    clients(grantee, session_policies=[NOTHING]).encrypt(KeyId=key, Plaintext=b"x")
    denying = policy("kms:Encrypt", Effect="Deny")
    with refusal(DENIED):
        clients(grantee, session_policies=[denying]).encrypt(KeyId=key, Plaintext=b"x")


@pytest.mark.parametrize("member", ["RetiringPrincipal", "GranteePrincipal"])
def test_a_session_policy_limits_what_a_retiring_role_may_do(kms_client, key, clients, member, refusal):
    """Inferred: of retiring in the key's account only grants to roles were looked at."""
    members = {"KeyId": key, "GranteePrincipal": THEIR_SESSION, "Operations": ["Encrypt", "RetireGrant"]}
    made = kms_client.create_grant(**members | {member: ROLE})
    retire = {"KeyId": key, "GrantId": made["GrantId"]}
    with refusal(DENIED, denied(SESSION, "kms:RetireGrant", f"resource: {key}", "session policy")):
        clients(SESSION, session_policies=[NOTHING]).retire_grant(**retire)
    clients(SESSION).retire_grant(**retire)
