"""CreateGrant, ListGrants, ListRetirableGrants, RetireGrant, RevokeGrant; and what grants allow.

Sources: API reference of the five operations and of GrantConstraints; Developer Guide, "Grants in AWS KMS".
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import time

import pytest
from botocore.loaders import Loader
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_kmsmock import mock_kms
from pytest_kmsmock._kms.api.errors import KmsError
from pytest_kmsmock._kms.operations.management import grants
from pytest_kmsmock._kms.policy import Principal

ACCOUNT, OTHER = "123456789012", "111122223333"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/s1"
ALICE, BOB = f"arn:aws:iam::{ACCOUNT}:user/alice", f"arn:aws:iam::{ACCOUNT}:user/bob"
STRANGER = f"arn:aws:iam::{OTHER}:user/stranger"
FOR_SERVICE = (
    "When you specify a GranteeServicePrincipal, you must also specify a SourceArn grant constraint and either a "
    "RetiringPrincipal or a RetiringServicePrincipal."
)
NO_KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/12345678-1234-1234-1234-123456789012"
TABLE = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/t"
EQUALS, SUBSET = "EncryptionContextEquals", "EncryptionContextSubset"
DENIED = "AccessDeniedException"
DRY_RUN = ("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, **more):
    return {"Effect": "Allow", "Action": action, "Resource": "*"} | more


@pytest.fixture
def key(kms_mock):
    return kms_mock.create_key().arn


@pytest.fixture
def grant(kms_client, key):
    """Make a grant: `grant(ROLE, "Encrypt", Name=...)`; the answer of CreateGrant."""

    def make(grantee, *operations, client=kms_client, **members):
        return client.create_grant(**{"KeyId": key, "GranteePrincipal": grantee, "Operations": operations} | members)

    return make


def listed(client, key, **members):
    return client.list_grants(KeyId=key, **members)["Grants"]


# --- CreateGrant ----------------------------------------------------------------------------------------------------


def test_a_grant_as_listed(kms_mock, kms_client, key, grant):
    """Guide, "Viewing grants": the key's ARN, an empty name, the issuing account as root ARN, no token.

    Captured from AWS KMS, 2026-09: the date is in whole seconds.
    """
    kms_mock.clock.freeze("2030-01-01T12:30:15.750")
    made = grant(ROLE, "Decrypt", "Encrypt", "Decrypt")
    assert made.keys() == {"GrantId", "GrantToken", "ResponseMetadata"}
    assert re.fullmatch(r"[0-9a-f]{64}", made["GrantId"])
    assert re.fullmatch(r"[\w-]{100,}", made["GrantToken"])
    assert listed(kms_client, key) == [
        {
            "KeyId": key,
            "GrantId": made["GrantId"],
            "Name": "",
            "CreationDate": kms_mock.clock.now().replace(microsecond=0),
            "GranteePrincipal": ROLE,
            "IssuingAccount": ROOT,
            "Operations": ["Decrypt", "Encrypt"],
        }
    ]


def test_everything_that_was_given_is_shown(kms_client, key, grant):
    constraints = {SUBSET: {"a": "b"}, "SourceArn": TABLE}
    grant(ROLE, "Encrypt", Name="n", RetiringPrincipal=ALICE, Constraints=constraints)
    shown = listed(kms_client, key)[0]
    assert (shown["Name"], shown["RetiringPrincipal"], shown["Constraints"]) == ("n", ALICE, constraints)


def test_without_a_name_each_call_makes_a_grant(kms_client, key, grant):
    assert grant(ROLE, "Encrypt")["GrantId"] != grant(ROLE, "Encrypt")["GrantId"]
    assert len(listed(kms_client, key)) == 2


def test_a_retry_with_a_name_gives_the_same_grant_and_another_token(kms_client, key, grant, clients):
    """API CreateGrant, Name: the original GrantId; the token is unique; all tokens are interchangeable."""
    first = grant(ROLE, "Encrypt", "Decrypt", Name="n")
    again = grant(ROLE, "Decrypt", "Encrypt", Name="n")
    assert again["GrantId"] == first["GrantId"]
    assert again["GrantToken"] != first["GrantToken"]
    assert len(listed(kms_client, key)) == 1
    for made in (first, again):
        clients(ROLE).encrypt(KeyId=key, Plaintext=b"x", GrantTokens=[made["GrantToken"]])
    others = [
        grant(ROLE, "Encrypt", Name="n"),  # (B): other parameters with the same name
        grant(ROLE, "Encrypt", "Decrypt", Name="m"),
        grant(ALICE, "Encrypt", "Decrypt", Name="n"),
        grant(ROLE, "Encrypt", "Decrypt", Name="n", Constraints={SUBSET: {"a": "b"}}),
        grant(ROLE, "Encrypt", "Decrypt", Name="n", RetiringPrincipal=ALICE),
    ]
    assert len({made["GrantId"] for made in (first, *others)}) == 6


@pytest.mark.parametrize(
    "principal",
    [
        pytest.param("nobody", id="no ARN"),
        pytest.param(ACCOUNT, id="account id"),
        pytest.param(f"arn:aws:iam::{ACCOUNT}:group/g", id="group"),
        pytest.param("arn:aws:organizations::123456789012:organization/o-1", id="organization"),
        pytest.param(f"arn:aws:iam::{ACCOUNT}:user/gone", id="does not exist"),
        pytest.param(f"arn:aws-cn:iam::{ACCOUNT}:user/alice", id="of another partition (B)"),
    ],
)
def test_principals_have_to_be_arns_of_who_exists(kms_mock, kms_client, key, principal, refusal):
    """Recorded: InvalidArnException, "ARN does not refer to a valid principal"."""
    kms_mock.iam.missing("user/gone")
    text = f"ARN does not refer to a valid principal: {principal}"
    with refusal("InvalidArnException", text):
        kms_client.create_grant(KeyId=key, GranteePrincipal=principal, Operations=["Encrypt"])
    with refusal("InvalidArnException", text):
        kms_client.create_grant(KeyId=key, GranteePrincipal=ROLE, RetiringPrincipal=principal, Operations=["Encrypt"])
    with refusal("InvalidArnException", text):
        kms_client.list_retirable_grants(RetiringPrincipal=principal)


SERVICE = {"GranteeServicePrincipal": "s3.us-east-1.amazonaws.com"}
SOURCE = {"Constraints": {"SourceArn": TABLE}}


@pytest.mark.parametrize(
    ("members", "text"),
    [
        pytest.param(
            {}, "You must specify either GranteePrincipal or GranteeServicePrincipal, but not both.", id="none"
        ),
        pytest.param(
            {"GranteePrincipal": ROLE, **SERVICE, **SOURCE, "RetiringPrincipal": ROLE},
            "You must specify either GranteePrincipal or GranteeServicePrincipal, but not both.",
            id="two grantees",
        ),
        pytest.param(
            {
                "GranteePrincipal": ROLE,
                "RetiringPrincipal": ROLE,
                "RetiringServicePrincipal": "s3.us-east-1.amazonaws.com",
            },
            "You can specify either RetiringPrincipal or RetiringServicePrincipal, but not both.",
            id="two who retire",
        ),
        pytest.param(
            {**SERVICE, "RetiringPrincipal": ROLE},
            FOR_SERVICE,
            id="service without source",
        ),
        pytest.param(
            {**SERVICE, **SOURCE},
            FOR_SERVICE,
            id="service without who retires",
        ),
        pytest.param(
            {"GranteePrincipal": ROLE, "Constraints": {SUBSET: {"a": "b"}, EQUALS: {"a": "b"}}},
            "More than one constraint supplied",
            id="aws/aws-sdk-java#328: two constraints on the context",
        ),
        pytest.param(
            {"GranteePrincipal": ROLE, "Constraints": {SUBSET: {"a": "b"}, EQUALS: {}}},
            "More than one constraint supplied",
            id="aws/aws-sdk-java#328: two constraints on the context, one of them empty",
        ),
        pytest.param(
            {"GranteePrincipal": ROLE, "Constraints": {SUBSET: {str(n): "x" for n in range(9)}}},
            "A grant constraint can have at most 8 pairs.",
            id="nine pairs",
        ),
        pytest.param(
            {"GranteePrincipal": ROLE, "Constraints": {EQUALS: {"a": "x" * 384}}},
            "A grant constraint cannot exceed 384 characters.",
            id="385 characters",
        ),
    ],
)
def test_what_the_api_reference_forbids(kms_client, key, members, text, refusal):
    """API CreateGrant; texts without another source are inferred, in its words."""
    with refusal("ValidationException", text):
        kms_client.create_grant(KeyId=key, Operations=["Encrypt"], **members)


def test_as_much_as_is_allowed(kms_client, key):
    members = {"KeyId": key, "GranteePrincipal": ROLE, "Operations": ["Encrypt"]}
    for constraints in ({SUBSET: {str(n): "x" for n in range(8)}}, {EQUALS: {"a": "x" * 383}}):
        made = kms_client.create_grant(Constraints=constraints, **members)["GrantId"]
        assert listed(kms_client, key, GrantId=made)[0]["Constraints"] == constraints


COMMON = {"CreateGrant", "DescribeKey", "RetireGrant"}
#: Guide, "Grant operations".
GRANTABLE = {
    ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"): {
        "Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo",
    },
    ("RSA_2048", "ENCRYPT_DECRYPT"): {"Decrypt", "Encrypt", "GetPublicKey", "ReEncryptFrom", "ReEncryptTo"},
    ("ECC_NIST_P256", "SIGN_VERIFY"): {"GetPublicKey", "Sign", "Verify"},
    ("ECC_NIST_P256", "KEY_AGREEMENT"): {"DeriveSharedSecret", "GetPublicKey"},
    ("HMAC_256", "GENERATE_VERIFY_MAC"): {"GenerateMac", "VerifyMac"},
    ("ML_KEM_768", "ENCAPSULATE_DECAPSULATE"): {"Decapsulate", "Encapsulate", "GetPublicKey"},
}  # fmt: skip


@pytest.mark.parametrize(("spec", "usage"), GRANTABLE)
def test_operations_have_to_fit_the_key(kms_mock, kms_client, spec, usage, refusal):
    arn = kms_mock.create_key(spec=spec, usage=usage).arn
    fitting = GRANTABLE[spec, usage] | COMMON
    every = kms_client.meta.service_model.shape_for("GrantOperation").enum
    assert fitting <= set(every)
    for operation in every:
        members = {"KeyId": arn, "GranteePrincipal": ROLE, "Operations": [operation, "RetireGrant"]}
        if operation in fitting:
            kms_client.create_grant(**members)
        else:
            # Captured from AWS KMS, 2026-09, for an HMAC key; see the test below.
            kind = "a symmetric" if spec.startswith(("SYMMETRIC", "HMAC")) else "an asymmetric"
            text = (
                f"Operations [{operation}] are not supported when creating a grant for {kind} KMS key with key usage "
                f"{usage}. Valid operations are [CreateGrant, RetireGrant, DescribeKey, "
            )
            with refusal("ValidationException", re.compile(re.escape(text) + ".*]")):
                kms_client.create_grant(**members)


def test_the_message_for_unsupported_grant_operations(kms_mock, kms_client, refusal):
    """Captured from AWS KMS, 2026-09."""
    arn = kms_mock.create_key(spec="HMAC_256").arn
    text = (
        "Operations [Encrypt] are not supported when creating a grant for a symmetric KMS key with key usage "
        "GENERATE_VERIFY_MAC. Valid operations are [CreateGrant, RetireGrant, DescribeKey, GenerateMac, VerifyMac]"
    )
    with refusal("ValidationException", text):
        kms_client.create_grant(KeyId=arn, GranteePrincipal=ROLE, Operations=["Encrypt"])


def test_a_grant_allows_more_than_to_create_grants(kms_client, key, grant, refusal):
    """Recorded in ansible/ansible#31960."""
    with refusal("ValidationException", "Grants must not contain only the CreateGrant operation."):
        grant(ROLE, "CreateGrant")
    assert listed(kms_client, key) == []


def test_the_name_of_a_service_is_a_principal(kms_client, key, clients):
    """Terraform's acceptance test TestAccKMSGrant_service reads such a grant back from AWS (#32595)."""
    service = "dynamodb.us-west-1.amazonaws.com"
    kms_client.create_grant(
        KeyId=key, GranteePrincipal=service, RetiringPrincipal=service, Operations=["Encrypt", "Decrypt"]
    )
    (shown,) = listed(kms_client, key, GranteePrincipal=service)
    assert shown["GranteePrincipal"] == shown["RetiringPrincipal"] == service
    assert kms_client.list_retirable_grants(RetiringPrincipal=service)["Grants"] == [shown]
    there = clients(service)
    there.encrypt(KeyId=key, Plaintext=b"x")
    there.retire_grant(KeyId=key, GrantId=shown["GrantId"])
    assert listed(kms_client, key) == []


@pytest.mark.parametrize(
    "arn",
    [f"arn:aws:sts::{ACCOUNT}:assumed-role/path/app/s1", f"arn:aws:sts::{ACCOUNT}:assumed-role/app"],
    ids=["with a path, captured", "without a session, inferred"],
)
def test_a_session_arn_has_a_role_and_a_session(kms_client, key, arn, refusal):
    """Captured from AWS KMS, 2026-09."""
    with refusal("InvalidArnException", f"ARN is not valid: {arn}"):
        kms_client.create_grant(KeyId=key, GranteePrincipal=arn, Operations=["Encrypt"])


@pytest.mark.parametrize("role", ["role/gone", "role/path/gone"])
def test_a_session_of_a_role_that_does_not_exist(kms_mock, kms_client, key, role, refusal):
    """Captured from AWS KMS, 2026-09."""
    kms_mock.iam.missing(role)
    gone = f"arn:aws:sts::{ACCOUNT}:assumed-role/gone/s1"
    with refusal("InvalidArnException", f"ARN does not refer to a valid principal: {gone}"):
        kms_client.create_grant(KeyId=key, GranteePrincipal=gone, Operations=["Encrypt"])
    kms_client.create_grant(KeyId=key, GranteePrincipal=SESSION, Operations=["Encrypt"])


@pytest.mark.parametrize(
    ("principal", "made_of"),
    [
        pytest.param(SESSION, SESSION, id="session"),
        pytest.param(ROLE, ROLE, id="role"),
        pytest.param(ALICE, ALICE, id="user"),
    ],
)
def test_principals_by_their_unique_id(kms_client, key, grant, principal, made_of):
    """Captured from AWS KMS, 2026-09, for roles and their sessions: AWS shows ARNs, and knows the same grant again."""
    by_id = Principal.parse(made_of).unique_id
    assert by_id[:4] in ("AROA", "AIDA")
    made = grant(by_id, "Encrypt", Name="n", RetiringPrincipal=by_id)
    again = grant(principal, "Encrypt", Name="n", RetiringPrincipal=principal)
    assert again["GrantId"] == made["GrantId"]
    (shown,) = listed(kms_client, key, GranteePrincipal=by_id)
    assert (shown["GranteePrincipal"], shown["RetiringPrincipal"]) == (principal, principal)
    assert kms_client.list_retirable_grants(RetiringPrincipal=by_id)["Grants"] == [shown]


def test_the_unique_id_of_an_unknown_principal(kms_client, key, refusal):
    """Captured from AWS KMS, 2026-09, for the id of a role that was deleted."""
    nobody = "AROAEXAMPLEEXAMPLE123:s1"
    for member in ("GranteePrincipal", "RetiringPrincipal"):
        with refusal("InvalidArnException", f"{member} does not refer to a valid principal."):
            kms_client.create_grant(KeyId=key, Operations=["Encrypt"], **{"GranteePrincipal": ROLE, member: nobody})
    with refusal("InvalidArnException", "Input does not refer to a valid principal"):
        kms_client.list_grants(KeyId=key, GranteePrincipal=nobody)
    with refusal("NotFoundException", f"Retiring principal {nobody} could not be found"):
        kms_client.list_retirable_grants(RetiringPrincipal=nobody)


def test_grants_of_a_role_that_was_deleted(kms_mock, kms_client, key, grant, refusal):
    """Captured from AWS KMS, 2026-09, for sessions; hashicorp/terraform-provider-aws#29340 (2023) for roles."""
    ids = {arn: Principal.parse(arn).unique_id for arn in (SESSION, ROLE)}
    for arn in (SESSION, ROLE, ALICE):
        grant(arn, "Encrypt", RetiringPrincipal=arn)
    kms_mock.iam.missing(ROLE)
    shown = [(entry["GranteePrincipal"], entry["RetiringPrincipal"]) for entry in listed(kms_client, key)]
    assert sorted(shown) == sorted((name, name) for name in (ids[SESSION], ids[ROLE], ALICE))
    for arn, unique_id in ids.items():
        with refusal("InvalidArnException", f"ARN does not refer to a valid principal: {arn}"):
            kms_client.list_grants(KeyId=key, GranteePrincipal=arn)
        with refusal("InvalidArnException", "Input does not refer to a valid principal"):
            kms_client.list_grants(KeyId=key, GranteePrincipal=unique_id)
        with refusal("NotFoundException", f"Retiring principal {unique_id} could not be found"):
            kms_client.list_retirable_grants(RetiringPrincipal=unique_id)
        with refusal("InvalidArnException", "GranteePrincipal does not refer to a valid principal."):
            kms_client.create_grant(KeyId=key, GranteePrincipal=unique_id, Operations=["Encrypt"])


def test_context_constraints_are_for_symmetric_keys(kms_mock, kms_client, refusal):
    arn = kms_mock.create_key(spec="HMAC_256").arn
    members = {"KeyId": arn, "GranteePrincipal": ROLE, "Operations": ["GenerateMac"]}
    # Captured from AWS KMS, 2026-09
    text = "EncryptionContext is supported only when creating a grant for a symmetric encryption KMS key."
    with refusal("ValidationException", text):
        kms_client.create_grant(Constraints={SUBSET: {"a": "b"}}, **members)
    kms_client.create_grant(Constraints={"SourceArn": TABLE}, **members)


def test_key_states(kms_mock, kms_client, refusal):
    """Guide, "Key states"."""
    disabled = kms_mock.create_key(enabled=False).arn
    with refusal("DisabledException", f"{disabled} is disabled."):
        kms_client.create_grant(KeyId=disabled, GranteePrincipal=ROLE, Operations=["Encrypt"])
    assert listed(kms_client, disabled) == []


def test_the_quota(kms_client, key, grant, monkeypatch, refusal):
    """Guide, "Resource quotas": 50,000 grants per key; a retry needs no room."""
    assert grants.GRANTS_PER_KEY == 50_000
    monkeypatch.setattr(grants, "GRANTS_PER_KEY", 2)
    grant(ROLE, "Encrypt", Name="n")
    last = grant(ROLE, "Encrypt")
    text = "Grants per key quota for this account in this region is 2, current usage is 2."  # (B)
    with refusal("LimitExceededException", text):
        grant(ROLE, "Encrypt")
    grant(ROLE, "Encrypt", Name="n")
    kms_client.revoke_grant(KeyId=key, GrantId=last["GrantId"])
    grant(ROLE, "Encrypt")


def test_dry_runs_change_nothing(kms_client, key, grant, refusal):
    with refusal(*DRY_RUN):
        grant(ROLE, "Encrypt", DryRun=True)
    assert listed(kms_client, key) == []
    made = grant(ROLE, "Encrypt")
    with refusal(*DRY_RUN):
        kms_client.revoke_grant(KeyId=key, GrantId=made["GrantId"], DryRun=True)
    with refusal(*DRY_RUN):
        kms_client.retire_grant(GrantToken=made["GrantToken"], DryRun=True)
    assert len(listed(kms_client, key)) == 1


# --- what a grant allows --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grantee", "caller", "allowed"),
    [
        pytest.param(ALICE, ALICE, True, id="user"),
        pytest.param(ALICE, BOB, False, id="another user"),
        pytest.param(ROLE, SESSION, True, id="role, its session"),
        pytest.param(SESSION, SESSION, True, id="session"),
        pytest.param(SESSION, f"{SESSION}2", False, id="another session"),
        pytest.param(ROOT, "root", True, id="account, root"),
        pytest.param(ROOT, ALICE, False, id="account, user without IAM policy"),
        pytest.param(f"arn:aws:iam::{OTHER}:root", OTHER, True, id="another account, its root (inferred)"),
        pytest.param(f"arn:aws:iam::{OTHER}:root", STRANGER, False, id="another account, user without IAM policy"),
        pytest.param(
            f"arn:aws:sts::{ACCOUNT}:federated-user/fred", f"arn:aws:sts::{ACCOUNT}:federated-user/fred", True,
            id="federated user",
        ),
    ],
)  # fmt: skip
def test_a_grant_is_for_its_grantee(kms_mock, kms_client, grantee, caller, allowed, clients, refusal):
    """Guide, "Grantee principal": neither a key policy nor an IAM policy is needed in the key's account."""
    key = kms_mock.create_key(
        policy=policy(allow("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:user/Administrator"}))
    )
    kms_client.create_grant(KeyId=key.arn, GranteePrincipal=grantee, Operations=["Encrypt"])
    client = clients(caller)
    if allowed:
        client.encrypt(KeyId=key.arn, Plaintext=b"x")
    else:
        with refusal(DENIED):
            client.encrypt(KeyId=key.arn, Plaintext=b"x")
    with refusal(DENIED):
        client.decrypt(KeyId=key.arn, CiphertextBlob=b"x")


@pytest.mark.parametrize(("grantee", "user"), [(ROOT, ALICE), (f"arn:aws:iam::{OTHER}:root", STRANGER)])
def test_an_account_passes_its_grant_on_by_iam(kms_mock, grant, key, clients, grantee, user, refusal):
    """(B): as the account's principal in a key policy does."""
    grant(grantee, "Encrypt")
    closed = policy(allow("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:role/none"}))
    kms_mock.client().put_key_policy(KeyId=key, Policy=closed, BypassPolicyLockoutSafetyCheck=True)
    with refusal(DENIED):
        clients(user).encrypt(KeyId=key, Plaintext=b"x")
    kms_mock.iam.attach(user, policy(allow("kms:Encrypt")))
    clients(user).encrypt(KeyId=key, Plaintext=b"x")


def test_an_explicit_deny_wins_over_a_grant(kms_mock, key, grant, clients, refusal):
    grant(ALICE, "Encrypt")
    kms_mock.iam.attach(ALICE, policy({"Effect": "Deny", "Action": "kms:Encrypt", "Resource": "*"}))
    with refusal(DENIED, re.compile(".*with an explicit deny in an identity-based policy")):
        clients(ALICE).encrypt(KeyId=key, Plaintext=b"x")


def test_each_operation_by_its_own_name(kms_mock, kms_client, key, grant, clients, refusal):
    """ReEncrypt needs ReEncryptFrom and ReEncryptTo, on either key."""
    other = kms_mock.create_key().arn
    blob = kms_client.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    grant(ROLE, "ReEncryptFrom")
    with refusal(DENIED, re.compile(".*kms:ReEncryptTo on resource.*")):
        clients(ROLE).re_encrypt(CiphertextBlob=blob, DestinationKeyId=other)
    grant(ROLE, "ReEncryptTo", KeyId=other)
    clients(ROLE).re_encrypt(CiphertextBlob=blob, DestinationKeyId=other)
    with refusal(DENIED):
        clients(ROLE).describe_key(KeyId=key)
    grant(ROLE, "DescribeKey")
    clients(ROLE).describe_key(KeyId=key)


@pytest.mark.parametrize(
    ("constraint", "context", "allowed"),
    [
        ({EQUALS: {"a": "1", "b": "2"}}, {"b": "2", "a": "1"}, True),
        ({EQUALS: {"a": "1"}}, {"a": "1", "b": "2"}, False),
        ({EQUALS: {"a": "1"}}, {}, False),
        ({SUBSET: {"a": "1"}}, {"a": "1", "b": "2"}, True),
        ({SUBSET: {"a": "1"}}, {"a": "1"}, True),
        ({SUBSET: {"a": "1"}}, {"a": "2"}, False),
        ({SUBSET: {"a": "1"}}, {}, False),
        ({SUBSET: {"a": "x"}}, {"a": "X"}, False),  # values are case-sensitive
        ({SUBSET: {"a": "x"}}, {"A": "x"}, True),  # keys are not: API reference, GrantConstraints
        ({EQUALS: {"a": "x"}}, {"A": "x"}, True),
        ({EQUALS: {}}, {"a": "x"}, True),
    ],
)
def test_context_constraints(kms_client, key, grant, clients, constraint, context, allowed, refusal):
    grant(ROLE, "Encrypt", "Decrypt", "GenerateDataKey", "DescribeKey", "RetireGrant", Constraints=constraint)
    client = clients(ROLE)
    client.describe_key(KeyId=key)  # "the constraint doesn't apply to these operations"
    blob = kms_client.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context)["CiphertextBlob"]
    for call in (
        lambda: client.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context),
        lambda: client.decrypt(CiphertextBlob=blob, EncryptionContext=context),
        lambda: client.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext=context),
    ):
        if allowed:
            call()
        else:
            with refusal(DENIED):
                call()
    client.retire_grant(KeyId=key, GrantId=listed(kms_client, key)[0]["GrantId"])


def test_each_context_of_re_encrypt_for_its_own_side(kms_client, key, grant, clients, refusal):
    blob = kms_client.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"a": "1"})["CiphertextBlob"]
    grant(ROLE, "ReEncryptFrom", Constraints={EQUALS: {"a": "1"}})
    grant(ROLE, "ReEncryptTo", Constraints={EQUALS: {"a": "2"}})
    members = {"CiphertextBlob": blob, "DestinationKeyId": key, "SourceEncryptionContext": {"a": "1"}}
    clients(ROLE).re_encrypt(DestinationEncryptionContext={"a": "2"}, **members)
    with refusal(DENIED):
        clients(ROLE).re_encrypt(DestinationEncryptionContext={"a": "1"}, **members)


def test_the_source_constraint(key, grant, clients, refusal):
    """API GrantConstraints, SourceArn; DescribeKey: "when specified in the request"; not for RetireGrant."""
    made = grant(ROLE, "Encrypt", "DescribeKey", "RetireGrant", Constraints={"SourceArn": TABLE})
    there = clients(ROLE, source_arn=TABLE)
    elsewhere = clients(ROLE, source_arn=f"{TABLE}2")
    there.encrypt(KeyId=key, Plaintext=b"x")
    there.describe_key(KeyId=key)
    clients(ROLE).describe_key(KeyId=key)
    for client in (elsewhere, clients(ROLE)):
        with refusal(DENIED):
            client.encrypt(KeyId=key, Plaintext=b"x")
    with refusal(DENIED):
        elsewhere.describe_key(KeyId=key)
    elsewhere.retire_grant(GrantToken=made["GrantToken"])


def test_a_grant_for_a_service(kms_client, key, clients, refusal):
    """API CreateGrant, GranteeServicePrincipal; ListGrants, its filter; RetiringServicePrincipal."""
    service = "s3.us-east-1.amazonaws.com"
    kms_client.create_grant(
        KeyId=key, GranteeServicePrincipal=service, RetiringServicePrincipal=service, Operations=["Encrypt"], **SOURCE
    )
    shown = listed(kms_client, key)[0]
    assert shown["GranteeServicePrincipal"] == shown["RetiringServicePrincipal"] == service
    assert "GranteePrincipal" not in shown
    there = clients(service, source_arn=TABLE)
    there.encrypt(KeyId=key, Plaintext=b"x")
    with refusal(DENIED):
        clients(service).encrypt(KeyId=key, Plaintext=b"x")
    only_for_services = "This filter is only usable by callers in a service principal."  # (B)
    with refusal("ValidationException", only_for_services):
        kms_client.list_grants(KeyId=key, GranteeServicePrincipal=service)
    with refusal("ValidationException", only_for_services):
        kms_client.list_retirable_grants(RetiringServicePrincipal=service)
    statement = allow(["kms:ListGrants"], Principal={"Service": service})
    default = allow("kms:*", Principal={"AWS": ROOT})
    kms_client.put_key_policy(KeyId=key, Policy=policy(default, statement))
    assert len(listed(there, key, GranteeServicePrincipal=service)) == 1
    assert listed(there, key, GranteeServicePrincipal="ec2.us-east-1.amazonaws.com") == []
    there.retire_grant(KeyId=key, GrantId=shown["GrantId"])
    assert listed(kms_client, key) == []


# --- grants that allow to create grants -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operations", "constraints", "allowed"),
    [
        pytest.param(["Encrypt"], {SUBSET: {"a": "1"}}, True, id="the same"),
        pytest.param(["Encrypt", "Decrypt"], {SUBSET: {"a": "1"}}, False, id="more operations"),
        pytest.param(["Encrypt", "CreateGrant"], {SUBSET: {"a": "1"}}, True, id="CreateGrant too"),
        pytest.param(["Encrypt"], {}, False, id="no constraint"),
        pytest.param(["Encrypt"], {SUBSET: {"a": "1", "b": "2"}}, True, id="a larger subset"),
        pytest.param(["Encrypt"], {EQUALS: {"a": "1", "b": "2"}}, True, id="equals"),
        pytest.param(["Encrypt"], {SUBSET: {"a": "2"}}, False, id="another value"),
        pytest.param(["Encrypt"], {SUBSET: {"b": "1"}}, False, id="another key"),
    ],
)
def test_a_child_of_a_grant_with_a_subset(key, grant, clients, operations, constraints, allowed, refusal):
    """Guide, "Granting CreateGrant permission": only operations of the parent, as strict or stricter."""
    grant(ROLE, "Encrypt", "CreateGrant", Constraints={SUBSET: {"a": "1"}})
    members = {"KeyId": key, "GranteePrincipal": BOB, "Operations": operations, "Constraints": constraints}
    if allowed:
        clients(ROLE).create_grant(**members)
        clients(BOB).encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"a": "1", "b": "2"})
    else:
        with refusal(DENIED):
            clients(ROLE).create_grant(**members)


@pytest.mark.parametrize(
    ("parent", "child", "allowed"),
    [
        pytest.param({EQUALS: {"a": "1"}}, {EQUALS: {"a": "1"}}, True, id="equals, the same"),
        pytest.param({EQUALS: {"a": "1"}}, {EQUALS: {"a": "1", "b": "2"}}, False, id="equals, another"),
        pytest.param({EQUALS: {"a": "1"}}, {SUBSET: {"a": "1"}}, False, id="equals, a subset"),
        pytest.param({}, {}, True, id="none"),
        pytest.param({}, {"SourceArn": TABLE}, True, id="guide: a stricter constraint"),
        pytest.param({"SourceArn": TABLE}, {"SourceArn": TABLE}, True, id="source (B)"),
        pytest.param({"SourceArn": TABLE}, {}, False, id="no source (B)"),
    ],
)
def test_children_of_other_grants(key, grant, clients, parent, child, allowed, refusal):
    grant(ROLE, "Encrypt", "CreateGrant", Constraints=parent)
    members = {"KeyId": key, "GranteePrincipal": BOB, "Operations": ["Encrypt"], "Constraints": child}
    if allowed:
        clients(ROLE).create_grant(**members)
    else:
        with refusal(DENIED):
            clients(ROLE).create_grant(**members)


def test_a_simulation_without_the_childs_operations(kms_mock, key, grant):
    """It asks whether the grantee may create any grant."""
    grant(ROLE, "CreateGrant", "Encrypt")
    assert kms_mock.simulate(ROLE, "kms:CreateGrant", key)
    assert not kms_mock.simulate(ROLE, "kms:CreateGrant", key, Operations=["Decrypt"])


def test_a_policy_that_allows_create_grant_does_not_narrow_it(kms_mock, key, grant, clients):
    kms_mock.iam.attach(ROLE, policy(allow("kms:CreateGrant")))
    grant(ROLE, "Encrypt", "CreateGrant")
    clients(ROLE).create_grant(KeyId=key, GranteePrincipal=BOB, Operations=["Decrypt"])
    assert kms_mock.simulate(BOB, "kms:Decrypt", key)


# --- tokens ---------------------------------------------------------------------------------------------------------


def test_a_token_has_the_form_of_awss(grant):
    """botocore's example of CreateGrant: three bytes, and 64 hexadecimal digits, before what is opaque."""
    example = Loader().load_data("kms/2014-11-01/examples-1")["examples"]["CreateGrant"][0]["output"]["GrantToken"]
    aws, ours = (base64.urlsafe_b64decode(f"{token}==") for token in (example, grant(ROLE, "Encrypt")["GrantToken"]))
    assert aws[:3] == ours[:3]
    assert re.fullmatch(rb"[0-9a-f]{64}", aws[3:67])
    assert re.fullmatch(rb"[0-9a-f]{64}", ours[3:67])


@pytest.mark.parametrize("token", ["x", "AQpA", "\u00e9", "a" * 300, "!" * 200, "A" * 201])
def test_an_invalid_token(kms_client, key, token, refusal):
    with refusal("InvalidGrantTokenException"):
        kms_client.encrypt(KeyId=key, Plaintext=b"x", GrantTokens=[token])
    with refusal("InvalidGrantTokenException"):
        kms_client.retire_grant(GrantToken=token)


def test_a_token_with_another_character(kms_client, key, grant, refusal):
    token = grant(ROLE, "Encrypt")["GrantToken"]
    changed = token[:100] + ("A" if token[100] == "B" else "B") + token[101:]
    with refusal("InvalidGrantTokenException"):
        kms_client.encrypt(KeyId=key, Plaintext=b"x", GrantTokens=[changed])


def test_the_token_of_a_deleted_grant(kms_client, key, grant, refusal):
    made = grant(ROLE, "Encrypt")
    kms_client.revoke_grant(KeyId=key, GrantId=made["GrantId"])
    with refusal("InvalidGrantTokenException"):
        kms_client.encrypt(KeyId=key, Plaintext=b"x", GrantTokens=[made["GrantToken"]])


def test_a_token_is_no_permission_for_others(key, grant, clients, refusal):
    made = grant(ROLE, "Encrypt")
    with refusal(DENIED):
        clients(BOB).encrypt(KeyId=key, Plaintext=b"x", GrantTokens=[made["GrantToken"]])


# --- lists ----------------------------------------------------------------------------------------------------------


def test_list_grants_by_pages_and_filters(kms_client, key, grant, refusal):
    made = {grant(ROLE if n % 2 else ALICE, "Encrypt")["GrantId"] for n in range(7)}
    pages = list(kms_client.get_paginator("list_grants").paginate(KeyId=key, PaginationConfig={"PageSize": 3}))
    assert [len(page["Grants"]) for page in pages] == [3, 3, 1]
    assert [page["Truncated"] for page in pages] == [True, True, False]
    assert {entry["GrantId"] for page in pages for entry in page["Grants"]} == made
    of_role = listed(kms_client, key, GranteePrincipal=ROLE)
    assert len(of_role) == 3
    one = of_role[0]["GrantId"]
    assert [entry["GrantId"] for entry in listed(kms_client, key, GrantId=one)] == [one]
    assert listed(kms_client, key, GrantId=one, GranteePrincipal=ALICE) == []
    assert listed(kms_client, key, GrantId="0" * 64) == []
    with refusal("ValidationException"):
        kms_client.list_grants(KeyId=key, Limit=101)
    with refusal("ValidationException"):
        kms_client.list_grants(KeyId=key, GranteePrincipal=ROLE, GranteeServicePrincipal="s3.us-east-1.amazonaws.com")
    with refusal("InvalidMarkerException"):
        kms_client.list_grants(KeyId=key, GranteePrincipal=ROLE, Marker=pages[0]["NextMarker"])


def test_retiring_principals_see_their_grants_on_keys_of_all_accounts(kms_mock, kms_client, grant, clients, refusal):
    """API ListRetirableGrants."""
    theirs = kms_mock.create_key(account=OTHER).arn
    elsewhere = kms_mock.create_key(region="eu-west-1").arn
    mine = grant(ROLE, "Encrypt", RetiringPrincipal=ALICE)
    grant(ROLE, "Encrypt", RetiringPrincipal=BOB)
    foreign = grant(ROLE, "Encrypt", RetiringPrincipal=ALICE, KeyId=theirs, client=clients(OTHER))
    grant(ROLE, "Encrypt", RetiringPrincipal=ALICE, KeyId=elsewhere, client=kms_mock.client(region="eu-west-1"))
    found = kms_client.list_retirable_grants(RetiringPrincipal=ALICE)["Grants"]
    assert {entry["GrantId"] for entry in found} == {mine["GrantId"], foreign["GrantId"]}
    assert {entry["IssuingAccount"] for entry in found} == {ROOT, f"arn:aws:iam::{OTHER}:root"}
    page = kms_client.list_retirable_grants(RetiringPrincipal=ALICE, Limit=1)
    assert len(page["Grants"]) == 1
    assert page["Truncated"]
    with refusal(DENIED):  # (B): a principal of another account
        kms_client.list_retirable_grants(RetiringPrincipal=STRANGER)
    one_of_two = "You must specify either RetiringPrincipal or RetiringServicePrincipal, but not both."  # (B)
    with refusal("ValidationException", one_of_two):
        kms_client.list_retirable_grants()
    text = f"User: {BOB} is not authorized to perform: kms:ListRetirableGrants on resource: {ALICE} because no "
    with refusal(DENIED, text + "identity-based policy allows the kms:ListRetirableGrants action"):
        clients(BOB).list_retirable_grants(RetiringPrincipal=ALICE)


def test_a_service_lists_what_it_may_retire(kms_mock, kms_client, key, clients):
    service = "s3.us-east-1.amazonaws.com"
    kms_client.create_grant(KeyId=key, GranteePrincipal=ROLE, RetiringServicePrincipal=service, Operations=["Encrypt"])
    caller = kms_mock._caller(service)
    # No IAM policy can be attached to a service (B).
    with pytest.raises(KmsError):
        kms_mock._service.call("ListRetirableGrants", {"RetiringServicePrincipal": service}, caller, "us-east-1")
    with mock_kms(enforce_policies=False) as inner:
        answer = inner._service.call("ListRetirableGrants", {"RetiringServicePrincipal": service}, caller, "us-east-1")
    assert len(answer["Grants"]) == 1


# --- the end of grants ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("caller", "allowed"),
    [
        pytest.param(ALICE, True, id="retiring principal"),
        pytest.param(ROLE, True, id="grantee whose grant includes RetireGrant"),
        pytest.param("root", True, id="account that created it"),
        pytest.param(BOB, False, id="anybody else"),
        pytest.param(STRANGER, False, id="another account"),
    ],
)
def test_who_may_retire_a_grant(key, kms_client, grant, clients, caller, allowed, refusal):
    """Guide, "Retiring and revoking grants"."""
    made = grant(ROLE, "Encrypt", "RetireGrant", RetiringPrincipal=ALICE)
    if allowed:
        clients(caller).retire_grant(KeyId=key, GrantId=made["GrantId"])
        assert listed(kms_client, key) == []
    else:
        with refusal(DENIED):
            clients(caller).retire_grant(KeyId=key, GrantId=made["GrantId"])


def test_the_account_retires_a_grant_that_a_service_may_retire(kms_client, key, grant, clients):
    """API RetireGrant: "by the Amazon Web Services account in which the grant is created"."""
    made = grant(ROLE, "Encrypt", RetiringServicePrincipal="s3.us-east-1.amazonaws.com")
    clients("root").retire_grant(GrantToken=made["GrantToken"])
    assert listed(kms_client, key) == []


def test_the_grantee_needs_the_operation(grant, clients, refusal):
    made = grant(ROLE, "Encrypt")
    with refusal(DENIED):
        clients(ROLE).retire_grant(GrantToken=made["GrantToken"])


def test_iam_policies_pass_on_the_right_to_retire_within_its_accounts(kms_mock, grant, clients, refusal):
    """Guide, same page: kms:RetireGrant in an IAM policy; in a key policy it has no effect but as a denial."""
    made = grant(ROLE, "Encrypt", RetiringPrincipal=f"arn:aws:iam::{OTHER}:role/retirer")
    third = "arn:aws:iam::444455556666:user/x"
    for user in (STRANGER, BOB, third):
        with refusal(DENIED):
            clients(user).retire_grant(GrantToken=made["GrantToken"])
        kms_mock.iam.attach(user, policy(allow("kms:RetireGrant")))
    with refusal(DENIED):
        clients(third).retire_grant(GrantToken=made["GrantToken"])
    clients(STRANGER).retire_grant(GrantToken=made["GrantToken"])
    made = grant(ROLE, "Encrypt")
    clients(BOB).retire_grant(GrantToken=made["GrantToken"])


def test_a_key_policy_can_only_deny_retiring(kms_mock, kms_client, refusal, clients):
    named = {"Principal": {"AWS": BOB}}
    key = kms_mock.create_key(policy=policy(allow("kms:*", Principal={"AWS": ROOT}), allow("kms:*", **named)))
    grant = {"KeyId": key.arn, "GranteePrincipal": ROLE, "Operations": ["Encrypt"], "RetiringPrincipal": ALICE}
    made = kms_client.create_grant(**grant)
    with refusal(DENIED):
        clients(BOB).retire_grant(GrantToken=made["GrantToken"])
    denial = {"Effect": "Deny", "Principal": {"AWS": ALICE}, "Action": "kms:RetireGrant", "Resource": "*"}
    kms_client.put_key_policy(KeyId=key.arn, Policy=policy(allow("kms:*", Principal={"AWS": ROOT}), denial))
    with refusal(DENIED, re.compile(".*explicit deny in a resource-based policy")):
        clients(ALICE).retire_grant(GrantToken=made["GrantToken"])


@pytest.mark.parametrize(
    ("members", "code", "text"),
    [
        ({}, "ValidationException", "You must specify either a grant token, or both a key ARN and a grant ID."),
        ({"KeyId": "KEY"}, "ValidationException", None),
        ({"GrantId": "GRANT"}, "ValidationException", None),
        ({"GrantToken": "TOKEN", "KeyId": "KEY"}, "ValidationException", None),
        ({"KeyId": "ID", "GrantId": "GRANT"}, "NotFoundException", "Invalid arn {ID}"),  # observed on AWS, 2026
        (
            {"KeyId": "alias/a", "GrantId": "GRANT"},
            "InvalidArnException",
            "Key Aliases are not supported for this operation.",
        ),
        ({"KeyId": "KEY", "GrantId": "0" * 64}, "NotFoundException", f"Grant ID {'0' * 64} not found"),
        ({"KeyId": NO_KEY, "GrantId": "GRANT"}, "NotFoundException", f"Key '{NO_KEY}' does not exist"),
        ({"KeyId": "arn:aws:kms:x", "GrantId": "GRANT"}, "InvalidArnException", "Invalid arn arn:aws:kms:x"),
    ],
)
def test_identifying_the_grant_to_retire(kms_client, key, grant, members, code, text, refusal):
    made = grant(ROLE, "Encrypt")
    given = {"KEY": key, "ID": key.split("/")[1], "GRANT": made["GrantId"], "TOKEN": made["GrantToken"]}
    with refusal(code, text and text.format(**given)):
        kms_client.retire_grant(**{name: given.get(value, value) for name, value in members.items()})


def test_revoking_is_up_to_policies(kms_mock, kms_client, key, grant, clients, refusal):
    """Guide, same page: kms:RevokeGrant in the key policy or an IAM policy; no grant gives it."""
    made = grant(ROLE, "Encrypt", "RetireGrant")
    members = {"KeyId": key, "GrantId": made["GrantId"]}
    with refusal(DENIED):
        clients(ROLE).revoke_grant(**members)
    kms_mock.iam.attach(ROLE, policy(allow("kms:RevokeGrant")))
    assert clients(ROLE).revoke_grant(**members).keys() == {"ResponseMetadata"}
    with refusal("NotFoundException", f"Grant ID {made['GrantId']} not found"):
        kms_client.revoke_grant(**members)
    with refusal(DENIED):
        clients(ROLE).encrypt(KeyId=key, Plaintext=b"x")


def test_grants_go_with_the_key(kms_mock, kms_client, key, grant, refusal):
    made = grant(ROLE, "Encrypt")
    grant(ROLE, "Decrypt")
    kms_client.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    kms_mock.clock.advance(days=8)
    with refusal("InvalidGrantTokenException"):
        kms_client.retire_grant(GrantToken=made["GrantToken"])
    assert kms_client.list_retirable_grants(RetiringPrincipal=ALICE)["Grants"] == []


def test_nested_mocks_give_grants_back(key, grant, clients, refusal):
    made = grant(ROLE, "Encrypt")
    with mock_kms() as inner:
        inner.client().revoke_grant(KeyId=key, GrantId=made["GrantId"])
        inner.client().create_grant(KeyId=key, GranteePrincipal=BOB, Operations=["Encrypt"])
        clients(BOB).encrypt(KeyId=key, Plaintext=b"x")
        with refusal(DENIED):
            clients(ROLE).encrypt(KeyId=key, Plaintext=b"x")
    clients(ROLE).encrypt(KeyId=key, Plaintext=b"x")
    with refusal(DENIED):
        clients(BOB).encrypt(KeyId=key, Plaintext=b"x")


def test_ten_thousand_grants_on_a_key(kms_mock, key, grant, clients):
    grant_id = grant(ROLE, "Encrypt")["GrantId"]
    home = kms_mock._service.state.region(ACCOUNT, "us-east-1")
    model = home.grants[key.split("/")[1]][grant_id]
    for n in range(10_000):
        home.put_grant(model._replace(id=f"{n:064x}", grantee=f"{ALICE}{n}"))
    client = clients(f"{ALICE}9999")
    started = time.process_time()
    for _ in range(100):
        client.encrypt(KeyId=key, Plaintext=b"x")
    assert time.process_time() - started < 1  # a look at all of them each time takes several times as long


# --- laws -----------------------------------------------------------------------------------------------------------

KINDS = st.sampled_from([EQUALS, SUBSET])
CONTEXTS = st.dictionaries(st.sampled_from("abc"), st.sampled_from("12"), max_size=3)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parent=CONTEXTS, kind=KINDS, child=CONTEXTS, child_kind=KINDS, context=CONTEXTS)
def test_a_child_never_allows_what_its_parent_does_not(parent, kind, child, child_kind, context):
    with mock_kms(fresh=True) as kms:
        key = kms.create_key().arn
        call = kms._service.call

        def attempt(operation, who, **members):
            with contextlib.suppress(KmsError):
                call(operation, {"KeyId": key, **members}, kms._caller(who), "us-east-1")
            return kms.calls[-1].authorized

        made = {"Constraints": {kind: parent}, "GranteePrincipal": ALICE}
        attempt("CreateGrant", None, Operations=["Encrypt", "CreateGrant"], **made)
        passed_on = {"Constraints": {child_kind: child}, "GranteePrincipal": BOB}
        if attempt("CreateGrant", ALICE, Operations=["Encrypt"], **passed_on):
            use = {"Plaintext": b"x", "EncryptionContext": context}
            assert attempt("Encrypt", ALICE, **use) or not attempt("Encrypt", BOB, **use)
