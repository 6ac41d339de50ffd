from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_kmsmock._kms.policy.principals import (
    MalformedPrincipal,
    Match,
    Principal,
    PrincipalElement,
    PrincipalKind,
    arn_of_id,
)

ACCOUNT = "111122223333"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
USER = f"arn:aws:iam::{ACCOUNT}:user/division_abc/Bob"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Reader"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/Reader/build-7"
FEDERATED = f"arn:aws:sts::{ACCOUNT}:federated-user/Eve"
SERVICE = "cloudtrail.amazonaws.com"


@pytest.mark.parametrize(
    ("text", "kind", "arn", "name", "issuer"),
    [
        pytest.param(ROOT, PrincipalKind.ROOT, ROOT, ACCOUNT, None, id="root user"),
        pytest.param(ACCOUNT, PrincipalKind.ROOT, ROOT, ACCOUNT, None, id="account id"),
        pytest.param(USER, PrincipalKind.USER, USER, "Bob", None, id="user with a path"),
        pytest.param(ROLE, PrincipalKind.ROLE, ROLE, "Reader", None, id="role"),
        pytest.param(SESSION, PrincipalKind.ASSUMED_ROLE, SESSION, "build-7", ROLE, id="role session"),
        pytest.param(FEDERATED, PrincipalKind.FEDERATED_USER, FEDERATED, "Eve", None, id="federated user"),
        pytest.param(SERVICE, PrincipalKind.SERVICE, SERVICE, "cloudtrail", None, id="service"),
    ],
)
def test_a_principal_has_the_kind_and_names_of_its_arn(text, kind, arn, name, issuer):
    principal = Principal.parse(text)
    assert (principal.kind, principal.arn, principal.name, principal.issuer_arn) == (kind, arn, name, issuer)
    assert principal.account == ("" if principal.is_service else ACCOUNT)


def test_the_partition_follows_the_arn():
    principal = Principal.parse("arn:aws-cn:sts::111122223333:assumed-role/R/S")
    assert principal.partition == "aws-cn"
    assert principal.issuer_arn == "arn:aws-cn:iam::111122223333:role/R"
    assert principal.account_arn == "arn:aws-cn:iam::111122223333:root"


def test_the_role_of_a_session_may_have_a_path_that_its_arn_leaves_out():
    role = f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/Reader"
    assert Principal.parse(SESSION, issuer_arn=role).principal_arn() == role


@pytest.mark.parametrize(
    ("principal", "form"),
    [
        # IAM User Guide, "Principal key values": the table of aws:userid.
        (Principal.parse(ROOT), ACCOUNT),
        (Principal.parse(USER), r"AIDA[A-Z2-7]{17}"),
        (Principal.parse(FEDERATED), f"{ACCOUNT}:Eve"),
        (Principal.parse(SESSION), r"AROA[A-Z2-7]{17}:build-7"),
        (Principal.parse(ROLE), r"AROA[A-Z2-7]{17}"),
        (Principal.parse(SERVICE), None),
    ],
)
def test_the_unique_id(principal, form):
    unique = principal.unique_id
    assert unique is form is None or re.fullmatch(form, unique)
    assert principal.condition_value("aws:userid") == (None if unique is None else (unique,))
    assert Principal.parse(principal.arn).unique_id == unique


def test_the_id_of_a_session_begins_with_that_of_its_role():
    assert str(Principal.parse(SESSION).unique_id) == f"{Principal.parse(ROLE).unique_id}:build-7"
    assert Principal.parse(ROLE).unique_id != Principal.parse(ROLE + "2").unique_id
    role = f"arn:aws:iam::{ACCOUNT}:role/a/Reader"
    with_path = Principal.parse(SESSION, issuer_arn=role)
    assert str(with_path.unique_id).startswith(f"{Principal.parse(role).unique_id}:")


def test_the_identity_provider_of_a_session():
    # IAM User Guide, aws:FederatedProvider: "only when the principal is a role session principal"
    provider = "cognito-identity.amazonaws.com"
    assert Principal.parse(SESSION, provider=provider).condition_value("aws:federatedprovider") == (provider,)
    assert Principal.parse(SESSION).condition_value("aws:federatedprovider") is None
    assert Principal.parse(FEDERATED, provider=provider).condition_value("aws:federatedprovider") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bob",
        "*",
        "1111222233334",
        "arn:aws:iam::111122223333:group/Developers",
        "arn:aws:iam::111122223333:root/x",
        "arn:aws:iam::111122223333:user",
        "arn:aws:iam::111122223333:user/",
        "arn:aws:iam::111122223333:user/*",
        "arn:aws:iam::1234:user/Bob",
        "arn:aws:sts::111122223333:user/Bob",
        "arn:aws:iam::111122223333:assumed-role/R/S",
        "arn:aws:sts::111122223333:assumed-role/R",
        "arn:aws:sts::111122223333:assumed-role/path/R/S",
        "arn:aws:sts::111122223333:federated-user/path/Eve",
        "arn:aws:kms:us-east-1:111122223333:key/1",
        "example.com",
        f"{USER}\n",
    ],
)
def test_invalid_principals_are_rejected_with_a_hint(text):
    with pytest.raises(ValueError, match=r"is not a principal: give the ARN of a root user"):
        Principal.parse(text)


@settings(deadline=None)
@given(st.text(max_size=30) | st.text(max_size=12).map(lambda tail: f"arn:aws:iam::111122223333:user/{tail}"))
def test_any_string_is_a_principal_or_a_value_error(text):
    try:
        principal = Principal.parse(text)
    except ValueError:
        return
    assert principal.arn in (text, f"arn:aws:iam::{text}:root")


CASES = [
    # Sources: IAM User Guide, "Principal" element and "Policy evaluation logic".
    pytest.param({"everyone": True}, Match.DIRECT, Match.DIRECT, Match.DIRECT, Match.DIRECT, Match.DIRECT, Match.DIRECT,
                 id="everyone"),
    pytest.param({"accounts": {ACCOUNT}}, Match.DIRECT, Match.ACCOUNT, Match.ACCOUNT, Match.ACCOUNT, Match.ACCOUNT,
                 Match.NONE, id="account"),
    pytest.param({"arns": {USER}}, Match.NONE, Match.DIRECT, Match.NONE, Match.NONE, Match.NONE, Match.NONE, id="user"),
    pytest.param({"arns": {ROLE}}, Match.NONE, Match.NONE, Match.ISSUER, Match.ISSUER, Match.NONE, Match.NONE,
                 id="role"),
    pytest.param({"arns": {SESSION}}, Match.NONE, Match.NONE, Match.NONE, Match.DIRECT, Match.NONE, Match.NONE,
                 id="session"),
    pytest.param({"arns": {FEDERATED}}, Match.NONE, Match.NONE, Match.NONE, Match.NONE, Match.DIRECT, Match.NONE,
                 id="federated user"),
    pytest.param({"services": {SERVICE}}, Match.NONE, Match.NONE, Match.NONE, Match.NONE, Match.NONE, Match.DIRECT,
                 id="service"),
    pytest.param({"accounts": {"444455556666"}, "arns": {"arn:aws:iam::444455556666:user/Bob"}}, *[Match.NONE] * 6,
                 id="another account"),
]  # fmt: skip
CALLERS = [ROOT, USER, ROLE, SESSION, FEDERATED, SERVICE]


@pytest.mark.parametrize(("element", "root", "user", "role", "session", "federated", "service"), CASES)
@pytest.mark.parametrize("deny", [True, False])
def test_a_principal_element_matches_callers(element, root, user, role, session, federated, service, deny):
    compiled = PrincipalElement(**element)
    found = [compiled.match(Principal.parse(caller), deny=deny) for caller in CALLERS]
    assert found == [root, user, role, session, federated, service]


def test_a_federated_user_is_also_the_user_who_federated():
    caller = Principal.parse(FEDERATED, issuer_arn=USER)
    assert PrincipalElement(arns=frozenset({USER})).match(caller, deny=False) is Match.ISSUER


def test_an_identity_provider_names_its_sessions():
    caller = Principal.parse(SESSION, provider="accounts.google.com")
    element = PrincipalElement(federated=frozenset({"accounts.google.com"}))
    assert element.match(caller, deny=False) is Match.DIRECT
    assert element.match(Principal.parse(SESSION), deny=False) is Match.NONE


BOB = "arn:aws:iam::444455556666:user/Bob"
AUDIT = "arn:aws:sts::444455556666:assumed-role/cross-account-read-only-role/cross-account-audit-app"
AUDIT_ROLE = "arn:aws:iam::444455556666:role/cross-account-read-only-role"


@pytest.mark.parametrize(
    ("accounts", "arns", "caller", "denied"),
    [
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
        pytest.param({"444455556666"}, {BOB}, BOB, False, id="user and account are exempt"),
        pytest.param(set(), {BOB}, BOB, True, id="user without account may be denied"),
        pytest.param({"444455556666"}, {BOB}, "arn:aws:iam::444455556666:user/Al", True, id="another user"),
        pytest.param({"444455556666"}, {BOB}, "arn:aws:iam::444455556666:root", False, id="the root user"),
        pytest.param({"444455556666"}, {AUDIT, AUDIT_ROLE}, AUDIT, False, id="session, role and account are exempt"),
        pytest.param({"444455556666"}, {AUDIT}, AUDIT, True, id="session without role may be denied"),
        pytest.param({"444455556666"}, {AUDIT_ROLE}, AUDIT, True, id="role does not stand for its sessions"),
        pytest.param({"444455556666"}, set(), SERVICE, True, id="a service"),
    ],
)
def test_not_principal_denies_all_but_those_it_lists_in_full(accounts, arns, caller, denied):
    element = PrincipalElement(accounts=frozenset(accounts), arns=frozenset(arns), negated=True)
    assert bool(element.match(Principal.parse(caller), deny=True)) is denied


@pytest.mark.parametrize(
    ("accounts", "arns", "caller", "allowed"),
    [
        pytest.param(set(), {BOB}, BOB, False, id="listed"),
        pytest.param(set(), {AUDIT_ROLE}, AUDIT, False, id="listed by role"),
        pytest.param({"444455556666"}, set(), BOB, False, id="listed by account"),
        pytest.param(set(), {BOB}, USER, True, id="not listed"),
    ],
)
def test_not_principal_allows_all_but_those_it_lists_in_any_form(accounts, arns, caller, allowed):
    element = PrincipalElement(accounts=frozenset(accounts), arns=frozenset(arns), negated=True)
    assert bool(element.match(Principal.parse(caller), deny=False)) is allowed


@pytest.mark.parametrize("deny", [True, False])
def test_not_principal_of_everyone_applies_to_nobody(deny):
    element = PrincipalElement(everyone=True, negated=True)
    assert element.match(Principal.parse(SESSION), deny=deny) is Match.NONE


@pytest.mark.parametrize(
    ("key", "root", "user", "session", "service"),
    [
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
        ("aws:principalarn", ROOT, USER, ROLE, None),
        ("aws:principalaccount", ACCOUNT, ACCOUNT, ACCOUNT, None),
        ("kms:calleraccount", ACCOUNT, ACCOUNT, ACCOUNT, None),
        ("aws:principaltype", "Account", "User", "AssumedRole", None),
        ("aws:principalisawsservice", "false", "false", "false", "true"),
        ("aws:principalservicename", None, None, None, SERVICE),
        ("aws:username", None, "Bob", None, None),
        ("aws:principaltag/team", "red", "red", "red", "red"),
        ("aws:principaltag/other", None, None, None, None),
        ("aws:principalorgid", "o-1", "o-1", "o-1", "o-1"),
        ("aws:principalorgpaths", *["o-1/r-ls64/"] * 4),
        ("aws:userid", ACCOUNT, Principal.parse(USER).unique_id, Principal.parse(SESSION).unique_id, None),
        ("aws:federatedprovider", None, None, "accounts.google.com", None),
        ("aws:sourceip", None, None, None, None),
    ],
)
def test_a_caller_has_the_condition_keys_of_its_principal(key, root, user, session, service):
    given = {"tags": {"Team": "red"}, "org_id": "o-1", "provider": "accounts.google.com"}
    callers = [Principal.parse(arn, **given) for arn in (ROOT, USER, SESSION, SERVICE)]
    found = [caller.condition_value(key) for caller in callers]
    assert found == [None if value is None else (value,) for value in (root, user, session, service)]


def test_the_type_of_a_federated_user():
    caller = Principal.parse(f"arn:aws:sts::{ACCOUNT}:federated-user/Eve")
    assert caller.condition_value("aws:principaltype") == ("FederatedUser",)


@pytest.mark.parametrize("text", ["nobody", f"arn:aws:sts::{ACCOUNT}:user/Bob", f"arn:aws:iam::{ACCOUNT}:group/x"])
def test_other_strings_are_distinct_from_malformed_names(text):
    """KMS has another message for each. Captured from AWS KMS, 2026-09, of a session with a path."""
    with pytest.raises(ValueError, match="is not a principal") as caught:
        Principal.parse(text)
    assert not isinstance(caught.value, MalformedPrincipal)
    with pytest.raises(MalformedPrincipal):
        Principal.parse(f"arn:aws:sts::{ACCOUNT}:assumed-role/path/Reader/build")


def test_a_caller_without_organization_has_no_organization_id():
    assert Principal.parse(USER).condition_value("aws:principalorgid") is None


def test_a_unique_id_is_that_of_a_user_role_or_session():
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
    for arn in (USER, ROLE, SESSION):
        unique_id = Principal.parse(arn).unique_id
        assert unique_id is not None
        assert arn_of_id(unique_id) == arn
    assert arn_of_id("AIDACKCEVSQ6C2EXAMPLE") is None
