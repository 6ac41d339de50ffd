"""Least privilege: what is allowed is what was called, no less and no more; and a replay under it passes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_kmsmock import mock_kms
from pytest_kmsmock._kms.api.errors import KmsError
from pytest_kmsmock._kms.policy import (
    Policies,
    PolicyKind,
    Principal,
    Request,
    compile_policy,
    evaluate,
)
from pytest_kmsmock._kms.state.caller import Caller
from pytest_kmsmock._mock.kms_mock import KmsMock
from pytest_kmsmock._testing.policies.least_privilege import LeastPrivilege, least_privilege
from pytest_kmsmock._testing.policies.required_permissions import Permission
from pytest_kmsmock.errors import UnknownKey, UnknownPrincipal

ACCOUNT, OTHER = "123456789012", "210987654321"
BOB = "arn:aws:iam::123456789012:user/bob"
APP = "arn:aws:iam::123456789012:role/app"
SESSION = "arn:aws:sts::123456789012:assumed-role/app/session"
EVE = "arn:aws:iam::210987654321:user/eve"
HOME = "arn:aws:kms:us-east-1:123456789012"
MULTI_REGION = "mrk-1234abcd12ab34cd56ef1234567890ab"
Call = Callable[..., Any]


# --- the law: exactly what was needed is allowed ----------------------------------------------------------------------

KEYS = (f"{HOME}:key/1", f"{HOME}:key/2")
ACTIONS = ("kms:Encrypt", "kms:Decrypt")
# A value that looks like a policy variable, one like a wildcard: both must be taken as they are.
VALUES = ("${aws:username}", "*")
CONTEXTS = tuple(
    tuple((name, value) for name, value in (("a", a), ("b", b)) if value is not None)
    for a, b in product((None, *VALUES), repeat=2)
)
needed = st.builds(
    lambda action, key, context: Permission(BOB, action, key, key, "", ACCOUNT, context),
    st.sampled_from(ACTIONS), st.sampled_from(KEYS), st.sampled_from(CONTEXTS),
)  # fmt: skip


def requests() -> Iterator[tuple[str, str, tuple[tuple[str, str], ...]]]:
    yield from product(ACTIONS, KEYS, CONTEXTS)


def is_allowed(policies: Policies, action: str, key: str, context: tuple[tuple[str, str], ...]) -> bool:
    names = {f"kms:encryptioncontext:{name}": (value,) for name, value in context}
    names["aws:username"] = ("*",)
    return evaluate(Request(Principal.parse(BOB), action, key, ACCOUNT, names.get), policies).allowed


@given(st.sets(needed, max_size=10))
def test_policies_allow_what_is_needed_and_nothing_else(permissions):
    found = least_privilege(permissions)
    identity = tuple(compile_policy(json.dumps(each), PolicyKind.IDENTITY) for each in found.identity_policies.values())
    key_policies = {
        key: compile_policy(json.dumps({"Version": "2012-10-17", "Statement": statements}))
        for key, statements in found.key_policy_statements.items()
    }
    for action, key, context in requests():
        expected = any(
            (each.action, each.resource) == (action, key) and set(each.context) <= set(context) for each in permissions
        )
        assert is_allowed(Policies(identity=identity), action, key, context) == expected
        if key in key_policies:
            assert is_allowed(Policies(key=(key_policies[key],)), action, key, context) == expected


@given(st.sets(needed, max_size=10))
def test_the_order_of_calls_changes_nothing(permissions):
    assert least_privilege(sorted(permissions)) == least_privilege(sorted(permissions, reverse=True))


# --- the documents ----------------------------------------------------------------------------------------------------


def one_key(action: str, key: str = "1", **context: str) -> Permission:
    return Permission(BOB, action, f"{HOME}:key/{key}", f"{HOME}:key/{key}", "", ACCOUNT, tuple(context.items()))


def statements(*permissions: Permission) -> list[Any]:
    policy = least_privilege(permissions).identity_policies[BOB]
    assert policy["Version"] == "2012-10-17"
    return policy["Statement"]


def test_statements_are_few():
    assert statements(*(one_key(action, key) for action in ACTIONS for key in "12")) == [
        {"Effect": "Allow", "Action": sorted(ACTIONS), "Resource": list(KEYS)}
    ]
    tenants = (one_key("kms:Encrypt", tenant=tenant, table="t") for tenant in "abc")
    assert statements(*tenants) == [
        {
            "Effect": "Allow", "Action": "kms:Encrypt", "Resource": KEYS[0],
            "Condition": {
                "StringEquals": {"kms:EncryptionContext:table": "t", "kms:EncryptionContext:tenant": ["a", "b", "c"]}
            },
        }
    ]  # fmt: skip
    assert statements(one_key("kms:Encrypt"), one_key("kms:Encrypt", tenant="a")) == [
        {"Effect": "Allow", "Action": "kms:Encrypt", "Resource": KEYS[0]}
    ], "what is allowed without a context is allowed with any"


def test_principals_without_policies_are_in_key_policies_only():
    root = Permission(f"arn:aws:iam::{ACCOUNT}:root", "kms:Encrypt", KEYS[0], KEYS[0], "", ACCOUNT)
    service = Permission("s3.amazonaws.com", "kms:Encrypt", KEYS[0], KEYS[0], "", ACCOUNT)
    found = least_privilege([root, service])
    assert found.identity_policies == {}
    assert found.key_policy_statements[KEYS[0]] == [
        {
            "Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root", "Service": "s3.amazonaws.com"},
        }
    ]  # fmt: skip


def test_context_keys_that_differ_in_case_are_one_condition():
    # "the key part is case-insensitive": https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
    assert statements(one_key("kms:Encrypt", a="1", A="2"))[0]["Condition"] == {
        "StringEquals": {"kms:EncryptionContext:a": "1"}
    }


def test_policies_are_written_as_json(tmp_path):
    found = least_privilege([one_key("kms:Encrypt")])
    found.write(tmp_path / "policies.json")
    text = (tmp_path / "policies.json").read_text()
    assert text == str(found) == found.to_json()
    assert json.loads(text) == {
        "IdentityPolicies": dict(found.identity_policies), "KeyPolicyStatements": dict(found.key_policy_statements),
    }  # fmt: skip


# --- replays under the policies, enforced -----------------------------------------------------------------------------


def caller(arn: str) -> Caller:
    principal = Principal.parse(arn)
    return Caller(principal, principal.account)


def asks(kms: KmsMock, arn: str = BOB) -> Call:
    """Return a function that makes a call as a principal and tells how it ended."""

    def ask(operation: str, **members: Any) -> Any:
        try:
            return kms._service.call(operation, members, caller(arn), "us-east-1")
        except KmsError as error:
            return error.code

    return ask


def envelope(ask: Call, key: str) -> list[Any]:
    context = {"EncryptionContext": {"tenant": "a", "table": "${aws:username}"}}
    data_key = ask("GenerateDataKey", KeyId=key, KeySpec="AES_256", **context)
    blob = ask("Encrypt", KeyId="alias/vault", Plaintext=b"x", EncryptionContext={"tenant": "b"})
    return [
        data_key, blob,
        ask("Decrypt", CiphertextBlob=data_key["CiphertextBlob"], **context),
        ask("ReEncrypt", CiphertextBlob=blob["CiphertextBlob"], SourceEncryptionContext={"tenant": "b"},
            DestinationKeyId=key, DestinationEncryptionContext={"tenant": "c"}),
        ask("Decrypt", CiphertextBlob=data_key["CiphertextBlob"], EncryptionContext={"tenant": "wrong"}),
        ask("DescribeKey", KeyId="alias/vault"),
        ask("Encrypt", KeyId="alias/none", Plaintext=b"x"),
        ask("Encrypt", KeyId=key, Plaintext=b"x", DryRun=True),
    ]  # fmt: skip


def administration(ask: Call, key: str) -> list[Any]:
    return [
        ask("CreateAlias", AliasName="alias/second", TargetKeyId=key),
        ask("ListAliases"),
        ask("ListKeys"),
        ask("TagResource", KeyId=key, Tags=[{"TagKey": "a", "TagValue": "b"}]),
        ask("EnableKeyRotation", KeyId=key),
        ask("DeleteAlias", AliasName="alias/second"),
        ask("DisableKey", KeyId=key),
        ask("Encrypt", KeyId=key, Plaintext=b"x"),
        ask("GenerateRandom", NumberOfBytes=4),
    ]


def grants(ask: Call, key: str) -> list[Any]:
    made = ask(
        "CreateGrant",
        KeyId=key,
        GranteePrincipal=EVE,
        Operations=["Decrypt"],
        Constraints={"EncryptionContextSubset": {"tenant": "a"}},
    )
    return [
        made,
        ask("CreateGrant", KeyId=key, GranteePrincipal=EVE, Operations=["Encrypt"]),
        ask("ListGrants", KeyId=key),
        ask("RevokeGrant", KeyId=key, GrantId=made["GrantId"]),
    ]  # fmt: skip


def granted_by_context(ask: Call, key: str) -> list[Any]:
    return [
        ask("CreateGrant", KeyId=key, GranteePrincipal=EVE, Operations=["Decrypt"],
            Constraints={kind: {"tenant": "a"}})
        for kind in ("EncryptionContextSubset", "EncryptionContextEquals")
    ]  # fmt: skip


def creation(ask: Call, _key: str) -> list[Any]:
    created = ask("CreateKey", Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyMetadata"]["KeyId"]
    return [
        ask("CreateAlias", AliasName="alias/new", TargetKeyId=created),
        ask("Encrypt", KeyId="alias/new", Plaintext=b"x", EncryptionContext={"tenant": "a"}),
        ask("UpdateAlias", AliasName="alias/vault", TargetKeyId=created),
        ask("ScheduleKeyDeletion", KeyId=created),
    ]


def replication(ask: Call, _key: str) -> list[Any]:
    tags = [{"TagKey": "a", "TagValue": "b"}]
    return [ask("ReplicateKey", KeyId=MULTI_REGION, ReplicaRegion="eu-west-1", Tags=tags)]


def tagged_creation(ask: Call, _key: str) -> list[Any]:
    return [ask("CreateKey", Tags=[{"TagKey": "a", "TagValue": "b"}], MultiRegion=True)]


def shape(results: list[Any]) -> list[Any]:
    return [sorted(result) if isinstance(result, dict) else result for result in results]


@pytest.fixture
def key() -> Iterator[str]:
    """Give the id of a key with an alias, in a mock around those that record and replay."""
    with mock_kms() as kms:
        key_id = kms.create_key(alias="alias/vault").id
        kms.create_key(multi_region=True, key_id=MULTI_REGION)
        yield key_id


def record(application: Callable[[Call, str], list[Any]], key: str, arn: str, *, portable: bool) -> Any:
    with mock_kms(enforce_policies=False) as kms:
        expected = shape(application(asks(kms, arn), key))
        assert "AccessDeniedException" not in expected
        return expected, kms.least_privilege(portable=portable)


def replay(
    application: Callable[[Call, str], list[Any]], key: str, arn: str, identity: dict[str, Any], *key_statements: Any
) -> list[Any]:  # fmt: skip
    """Run an application under policies: IAM policies, and a key policy if statements of one are given."""
    with mock_kms(enforce_policies=True) as kms:
        iam = kms._service.state.iam
        iam.identity = {holder: (json.dumps(policy),) for holder, policy in identity.items()}
        iam.clear_cache()
        if key_statements:
            record = kms._service.state.region(ACCOUNT, "us-east-1").keys[key]
            policy = json.dumps({"Version": "2012-10-17", "Statement": list(key_statements)})
            kms._service.state.change_key(record, policy=policy)
        return shape(_until_refused(application, asks(kms, arn), key))


def _until_refused(application: Callable[[Call, str], list[Any]], ask: Call, key: str) -> list[Any]:
    try:
        return application(ask, key)
    except TypeError:  # it goes on with what a refused call would have given
        return ["AccessDeniedException"]


@pytest.mark.parametrize("portable", [False, True])
@pytest.mark.parametrize(
    ("application", "arn"),
    [
        (envelope, BOB),
        (envelope, SESSION),
        (administration, BOB),
        (grants, BOB),
        (replication, BOB),
        (tagged_creation, BOB),
    ],
)
def test_recorded_calls_pass_under_the_iam_policies_alone(key, application, arn, portable):
    expected, found = record(application, key, arn, portable=portable)
    assert replay(application, key, arn, {}) != expected, "without policies it is refused"
    assert replay(application, key, arn, found.identity_policies) == expected
    assert set(found.identity_policies) == {APP if arn == SESSION else BOB}


def test_calls_on_new_keys_pass_under_portable_policies(key):
    expected, found = record(creation, key, BOB, portable=True)
    assert replay(creation, key, BOB, found.identity_policies) == expected


@pytest.mark.parametrize(("application", "arn"), [(envelope, BOB), (envelope, SESSION)])
def test_recorded_calls_pass_under_the_key_policy_alone(key, application, arn):
    expected, found = record(application, key, arn, portable=False)
    [key_statements] = found.key_policy_statements.values()
    assert replay(application, key, arn, {}, *key_statements) == expected


def by_arn(ask: Call, key: str) -> list[Any]:
    return [ask("Encrypt", KeyId=f"{HOME}:key/{key}", Plaintext=b"x", EncryptionContext={"tenant": "a"})]


def test_another_account_needs_both(key):
    expected, found = record(by_arn, key, EVE, portable=False)
    [key_statements] = found.key_policy_statements.values()
    assert replay(by_arn, key, EVE, found.identity_policies, *key_statements) == expected
    assert replay(by_arn, key, EVE, {}, *key_statements) == ["AccessDeniedException"]
    assert replay(by_arn, key, EVE, found.identity_policies) == ["AccessDeniedException"]


def without_one(policy: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield an IAM policy with one action, one resource or one value of a condition less, in every way."""

    def listed(value: Any) -> list[Any]:
        return value if isinstance(value, list) else [value]

    for index, statement in enumerate(policy["Statement"]):

        def changed(smaller: dict[str, Any], place: int = index) -> dict[str, Any]:
            others = [each for number, each in enumerate(policy["Statement"]) if number != place]
            return {**policy, "Statement": [*others, smaller]}

        for element in ("Action", "Resource"):
            for value in listed(statement[element]):
                rest = [each for each in listed(statement[element]) if each != value] or ["arn:aws:none"]
                if element == "Action" and rest == ["arn:aws:none"]:
                    rest = ["none:Nothing"]
                yield changed({**statement, element: rest})
        for operator, keys in statement.get("Condition", {}).items():
            for name, values in keys.items():
                for value in listed(values):
                    rest = [each for each in listed(values) if each != value] or ["nothing"]
                    condition = {**statement["Condition"], operator: {**keys, name: rest}}
                    yield changed({**statement, "Condition": condition})


@pytest.mark.parametrize("application", [envelope, administration, grants, granted_by_context, replication])
def test_nothing_can_be_taken_from_the_policies(key, application):
    expected, found = record(application, key, BOB, portable=False)
    for smaller in without_one(found.identity_policies[BOB]):
        assert replay(application, key, BOB, {BOB: smaller}) != expected, json.dumps(smaller, indent=1)


@pytest.mark.parametrize(
    ("application", "portable", "resource"),
    [
        # Developer Guide, "Controlling access to tags": not "restricted to particular KMS keys".
        (tagged_creation, False, f"{HOME}:key/*"),
        (tagged_creation, True, f"{HOME}:key/*"),
        (replication, False, f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/{MULTI_REGION}"),
        (replication, True, f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/*"),
    ],
)
def test_who_makes_keys_with_tags_may_tag_any_key_there(key, application, portable, resource):
    _, found = record(application, key, BOB, portable=portable)
    by_action = {each["Action"]: each["Resource"] for each in found.identity_policies[BOB]["Statement"]}
    assert by_action["kms:TagResource"] == resource


def test_what_was_denied_is_not_allowed(key):
    with mock_kms() as kms:
        assert asks(kms)("Encrypt", KeyId=key, Plaintext=b"x") == "AccessDeniedException"
        assert kms.least_privilege() == LeastPrivilege({}, {})


def test_what_is_new_in_every_message_is_no_condition_of_portable_policies(key):
    context = {"EncryptionContext": {"tenant": "a", "aws-crypto-public-key": "changes"}}
    with mock_kms() as kms:
        kms.client().encrypt(KeyId=key, Plaintext=b"x", **context)
        names = {}
        for portable in (True, False):
            [policy] = kms.least_privilege(portable=portable).identity_policies.values()
            names[portable] = set(policy["Statement"][0]["Condition"]["StringEquals"])
    assert names == {
        True: {"kms:EncryptionContext:tenant"},
        False: {"kms:EncryptionContext:tenant", "kms:EncryptionContext:aws-crypto-public-key"},
    }


# --- look-ups -----------------------------------------------------------------------------------------------------


@pytest.fixture
def policies(kms_mock: KmsMock) -> LeastPrivilege:
    key = kms_mock.create_key(key_id="00000000-12ab-34cd-56ef-1234567890ab")
    for principal in ("role/app", "role/team/batch"):
        kms_mock.iam.attach(principal, {"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*"}})  # fmt: skip
        kms_mock.client(principal=principal).encrypt(KeyId=key.id, Plaintext=b"x")
    return kms_mock.least_privilege()


def test_a_principal_and_a_key_can_be_named_in_short(kms_mock: KmsMock, policies: LeastPrivilege):
    found = policies.identity_policies
    assert found["role/app"] == found[APP] == found[next(iter(found))]
    assert "role/team/batch" in found
    assert len(found) == 2
    assert "role/batch" not in found
    key = next(iter(kms_mock.keys.values()))
    statements = policies.key_policy_statements
    assert statements[key.arn] == statements[key.id] == statements[f"key/{key.id}"] == statements[key]
    assert repr(statements) == repr(dict(statements))


def test_an_unknown_principal_is_told_with_those_that_there_are(policies: LeastPrivilege):
    batch = f"arn:aws:iam::{ACCOUNT}:role/team/batch"
    with pytest.raises(UnknownPrincipal) as refused:
        policies.identity_policies["role/appp"]
    assert str(refused.value) == (
        f"Unknown principal 'role/appp'. Did you mean 'role/app'? Choose from: {APP}, {batch}."
    )
    assert isinstance(refused.value, KeyError)
    assert policies.identity_policies.get("role/x") is None


def test_an_unknown_key_is_told_with_those_that_there_are(policies: LeastPrivilege):
    with pytest.raises(UnknownKey) as refused:
        policies.key_policy_statements["alias/x"]
    assert str(refused.value) == (
        f"Unknown key 'alias/x'. Choose from: {HOME}:key/00000000-12ab-34cd-56ef-1234567890ab."
    )


def test_of_principals_of_one_name_the_arn_is_needed():
    other = APP.replace(ACCOUNT, OTHER)
    needed = [Permission(arn, "kms:ListKeys", "*", "", "", ACCOUNT, ()) for arn in (APP, other)]
    with pytest.raises(UnknownPrincipal) as refused:
        least_privilege(needed).identity_policies["role/app"]
    assert str(refused.value) == f"'role/app' could be any of these, give its ARN: {APP}, {other}."


def test_without_calls_there_is_no_policy(kms_mock: KmsMock):
    with pytest.raises(UnknownPrincipal) as refused:
        kms_mock.least_privilege().identity_policies["role/app"]
    assert str(refused.value) == "Unknown principal 'role/app'. No recorded call needs such a policy."
