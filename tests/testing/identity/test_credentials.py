"""Credentials of principals, and acting as one."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import threading

import boto3
import pytest
from botocore.exceptions import ClientError

from pytest_kmsmock import KmsMockError, mock_kms
from pytest_kmsmock._kms.policy.principals import Principal
from pytest_kmsmock._testing.identity import callers
from pytest_kmsmock._testing.identity.request_context import RequestContext
from pytest_kmsmock.errors import InvalidPolicy, InvalidPrincipal, NotActive

ACCOUNT, OTHER = "123456789012", "111122223333"
BOSS = f"arn:aws:iam::{ACCOUNT}:user/boss"
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}


def caller_arn(kms):
    return kms.calls[-1].caller.arn


@pytest.mark.parametrize(
    ("given", "arn"),
    [
        ("user/alice", f"arn:aws:iam::{ACCOUNT}:user/alice"),
        ("user/path/alice", f"arn:aws:iam::{ACCOUNT}:user/path/alice"),
        ("role/app", f"arn:aws:sts::{ACCOUNT}:assumed-role/app/pytest-kmsmock"),
        ("role/path/app", f"arn:aws:sts::{ACCOUNT}:assumed-role/app/pytest-kmsmock"),
        ("assumed-role/app/s1", f"arn:aws:sts::{ACCOUNT}:assumed-role/app/s1"),
        ("federated-user/fred", f"arn:aws:sts::{ACCOUNT}:federated-user/fred"),
        ("root", f"arn:aws:iam::{ACCOUNT}:root"),
        (OTHER, f"arn:aws:iam::{OTHER}:root"),
        (f"arn:aws:iam::{OTHER}:role/app", f"arn:aws:sts::{OTHER}:assumed-role/app/pytest-kmsmock"),
        ("s3.amazonaws.com", "s3.amazonaws.com"),
        (None, f"arn:aws:iam::{ACCOUNT}:user/Administrator"),
        (Principal.parse(f"arn:aws:iam::{OTHER}:user/bob"), f"arn:aws:iam::{OTHER}:user/bob"),
    ],
)
def test_the_caller_of_a_request_is_read_from_its_access_key(kms_mock, given, arn):
    credentials = kms_mock.credentials(given)
    assert credentials.arn == arn
    client = boto3.client("kms", region_name="us-east-1", **credentials)
    with contextlib.suppress(ClientError):
        client.list_keys()
    assert caller_arn(kms_mock) == arn
    assert kms_mock._caller(given).arn == arn


def test_credentials_are_a_mapping_for_boto3_and_have_attributes(kms_mock):
    user, role = kms_mock.credentials("user/alice"), kms_mock.credentials("role/app")
    assert dict(user) == {"aws_access_key_id": user.access_key_id, "aws_secret_access_key": user.secret_access_key}
    assert len(role) == 3
    assert role["aws_session_token"] == role.session_token
    assert user.session_token is None
    assert user.access_key_id.startswith("AKIA")
    assert role.access_key_id.startswith("ASIA")
    assert len(user.access_key_id) == 20
    assert len(user.secret_access_key) == 40
    assert role.environment.keys() == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
    assert repr(user) == f"<Credentials of arn:aws:iam::{ACCOUNT}:user/alice>"  # no secret


def test_the_same_principal_in_the_same_circumstances_has_the_same_credentials(kms_mock):
    assert kms_mock.credentials("role/app").access_key_id == kms_mock.credentials("role/app").access_key_id
    ways = [
        {},
        {"tags": {"a": "b"}},
        {"org_id": "o-1"},
        {"source_ip": "1.2.3.4"},
        {"via_service": "s3"},
        {"session_policies": ALLOW},
    ]
    assert len({kms_mock.credentials("role/app", **way).access_key_id for way in ways}) == len(ways)


def test_credentials_hold_in_other_mocks_too(kms_mock):
    """A client that lives longer than its mock is never taken for the administrator."""
    client = kms_mock.client(principal="user/alice")
    for options in ({}, {"fresh": True}):
        with mock_kms(**options) as inner:
            with pytest.raises(ClientError, match="user/alice is not authorized"):
                client.list_keys()
            assert caller_arn(inner).endswith("user/alice")


def test_credentials_sign(kms_mock):
    user = kms_mock.credentials("user/alice")
    assert kms_mock._core.secret_of(user.access_key_id) == user.secret_access_key
    assert kms_mock._core.knows(user.access_key_id)
    assert not kms_mock._core.knows("AKIAUNKNOWN000000000")
    with mock_kms(wire=True) as wired:
        wired.iam.attach("user/alice", ALLOW)
        wired.client(principal=user).list_keys()
        assert caller_arn(wired) == user.arn


def test_environment_variables(kms_mock, monkeypatch):
    for name, value in kms_mock.credentials("role/app", session_name="s2").environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ClientError, match="assumed-role/app/s2 is not authorized"):
        boto3.session.Session().client("kms", region_name="us-east-1").list_keys()


def test_unknown_access_keys_are_the_default_caller(kms_mock):
    boto3.client("kms", region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="x").list_keys()
    assert caller_arn(kms_mock).endswith("user/Administrator")
    assert kms_mock._caller().administrator
    assert kms_mock._caller("user/Administrator").administrator
    assert not kms_mock._caller("user/alice").administrator


def test_partitions(kms_mock):
    china = kms_mock.client(region="cn-north-1", principal="user/alice")
    with pytest.raises(ClientError, match="arn:aws-cn:iam::123456789012:user/alice is not authorized"):
        china.list_keys()
    with mock_kms(region="cn-north-1") as kms:
        key = kms.managed_key("s3")
        kms.client(principal=kms.credentials("user/alice", via_service="s3")).encrypt(KeyId=key, Plaintext=b"x")


def test_a_service_calls_in_the_region_called(kms_mock):
    key = kms_mock.create_key(region="eu-west-1", policy=only_via("s3.eu-west-1.amazonaws.com"))
    client = kms_mock.client(region="eu-west-1", principal=kms_mock.credentials("user/alice", via_service="s3"))
    client.encrypt(KeyId=key.arn, Plaintext=b"x")


# In every request that a service forwards: captured from AWS KMS, 2026-09.
@pytest.mark.parametrize(
    "condition",
    [
        {"ForAnyValue:StringEquals": {"aws:CalledVia": "sqs.amazonaws.com"}},
        {"StringEquals": {"aws:CalledViaFirst": "sqs.amazonaws.com", "aws:CalledViaLast": "sqs.amazonaws.com"}},
        {"Bool": {"aws:ViaAWSService": "true", "aws:PrincipalIsAWSService": "false"}},
    ],
)
def test_a_service_says_that_it_calls_for_the_principal(kms_mock, condition):
    key = kms_mock.create_key(policy=allow_if(condition))
    through_sqs = kms_mock.credentials("user/alice", via_service="sqs")
    kms_mock.client(principal=through_sqs).encrypt(KeyId=key.arn, Plaintext=b"x")
    with pytest.raises(ClientError, match="AccessDenied"):
        kms_mock.client(principal="user/alice").encrypt(KeyId=key.arn, Plaintext=b"x")


def only_via(service):
    return allow_if({"StringEquals": {"kms:ViaService": service}})


def allow_if(condition):
    alice = {"AWS": "arn:aws:iam::123456789012:user/alice"}
    statement = {"Effect": "Allow", "Principal": alice, "Action": "kms:*", "Resource": "*", "Condition": condition}
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.mark.parametrize(
    ("principal", "circumstances", "text"),
    [
        ("alice", {}, "'alice' is not a principal. Did you mean 'role/alice' or 'user/alice'?"),
        ("user/", {}, "is not a principal"),
        ("arn:aws:iam::12:user/x", {}, "Short forms are 'role/NAME', 'user/NAME' and 'root'."),
        (
            "role/app",
            {"session_name": "no blanks"},
            "session_name must be a name of 2 to 64 letters, digits and =,.@+-_",
        ),
    ],
)
def test_who_is_no_principal(kms_mock, principal, circumstances, text):
    with pytest.raises(InvalidPrincipal) as refused:
        kms_mock.credentials(principal, **circumstances)
    assert text in str(refused.value)
    assert isinstance(refused.value, KmsMockError)


@pytest.mark.parametrize(
    ("principal", "circumstances", "text"),
    [
        pytest.param("role/app", {"tags": [{"Key": "team", "Value": "x"}]}, "tags must be a mapping", id="list"),
        pytest.param("role/app", {"tags": {"team": 1}}, "tags must be a mapping of strings to strings", id="number"),
        pytest.param("user/alice", {"session_name": "s1"}, "A session_name goes with a role", id="user's session"),
        pytest.param("assumed-role/app/s", {"session_name": "s2"}, "A session_name goes with a role", id="session's"),
        pytest.param(None, {"session_name": "s1"}, "A session_name goes with a role", id="administrator's session"),
        pytest.param("", {}, "'' is not a principal", id="nobody"),
        pytest.param(123456789012, {}, "A principal is a string: its ARN or its short form", id="a number"),
        pytest.param("role/app", {"via_service": None}, "via_service must be a string, not None", id="no service"),
        pytest.param("role/app", {"source_vpce": None}, "source_vpce must be a string, not None", id="no endpoint"),
        pytest.param("role/app", {"org_id": 5}, "org_id must be a string, not 5", id="organization"),
        pytest.param("role/app", {"mfa": "false"}, "mfa must be True or False, not 'false'", id="mfa"),
        pytest.param("s3.amazonaws.com", {"account": "x"}, "account must be the id of an account", id="account"),
        pytest.param("role/app", {"context": {"a:b": None}}, "the value of a condition key is a string", id="no value"),
        pytest.param("role/app", {"context": {"a:b": b"x"}}, "the value of a condition key is a string", id="bytes"),
        pytest.param("role/app", {"context": [("a", "b")]}, "context must be a mapping", id="context of pairs"),
        pytest.param("role/app", {"context": {"team": "x"}}, "'team' is not a condition key", id="key of no vendor"),
        pytest.param("role/app", {"context": {5: "x"}}, "5 is not a condition key", id="key that is a number"),
        pytest.param("role/app", {"session_name": "s"}, "session_name must be a name of 2 to 64", id="short name"),
        pytest.param("role/app", {"session_policies": None}, "session_policies must be a policy or", id="no policy"),
        pytest.param("user/alice", {"session_policies": ALLOW}, "is for role sessions and federated", id="user's"),
        pytest.param("root", {"session_policies": ALLOW}, "is for role sessions and federated", id="root's"),
        pytest.param("role/app", {"tags": {"": "x"}}, "A tag's key has 1 to 128 characters", id="tag without key"),
        pytest.param("role/app", {"tags": {"a": "x" * 257}}, "its value at most 256", id="tag too long"),
        pytest.param("role/app", {"org_id": "mine"}, "org_id must be the id of an organization", id="no organization"),
        pytest.param("role/app", {"via_service": ""}, "via_service must be an AWS service", id="empty service"),
        pytest.param("role/app", {"source_arn": "bucket"}, "source_arn must be the ARN of a resource", id="no ARN"),
        pytest.param("role/app", {"source_account": "1"}, "source_account must be the id", id="no account"),
        pytest.param("role/app", {"source_ip": "10.0.0.0/8"}, "source_ip must be an IP address", id="network"),
        pytest.param("role/app", {"source_vpc": "vpce-1"}, "source_vpc must be the id of a VPC", id="endpoint as VPC"),
        pytest.param("role/app", {"source_vpce": "vpc-1"}, "source_vpce must be the id of a VPC", id="VPC as endpoint"),
        pytest.param("user/alice", {"provider": "accounts.google.com"}, "is for role sessions", id="user's provider"),
        pytest.param("user/alice", {"issuer_arn": BOSS}, "issuer_arn is for role sessions and", id="user's issuer"),
        pytest.param("role/app", {"issuer_arn": BOSS}, "issuer_arn is for sessions, not for 'role/app'", id="role's"),
        pytest.param("assumed-role/app/s1", {"issuer_arn": "x"}, "issuer_arn must be the ARN", id="no issuer"),
        pytest.param("assumed-role/app/s1", {"issuer_arn": BOSS}, "cannot be the issuer of", id="a user's session"),
        pytest.param(
            "assumed-role/app/s1", {"issuer_arn": f"arn:aws:iam::{ACCOUNT}:role/other"}, "cannot be the issuer of",
            id="other role",
        ),
        pytest.param(
            "assumed-role/app/s1", {"issuer_arn": "arn:aws:iam::111122223333:role/app"}, "cannot be the issuer of",
            id="role of another account",
        ),
        pytest.param(
            "federated-user/fred", {"issuer_arn": f"arn:aws:iam::{ACCOUNT}:role/app"}, "cannot be the issuer of",
            id="federated by a role",
        ),
        pytest.param(
            Principal.parse(f"arn:aws:iam::{ACCOUNT}:user/alice"), {"tags": {"a": "b"}},
            "'tags' is part of the Principal", id="Principal",
        ),
    ],
)  # fmt: skip
def test_circumstances_that_cannot_be(kms_mock, principal, circumstances, text):
    with pytest.raises(InvalidPrincipal, match=text):
        kms_mock.credentials(principal, **circumstances)


def test_a_session_of_a_role_with_a_path(kms_mock):
    role = f"arn:aws:iam::{ACCOUNT}:role/team/blue/app"
    session = kms_mock._caller("assumed-role/app/s1", issuer_arn=role)
    assert session.principal.principal_arn() == role
    assert kms_mock._caller(role, session_name="s1").principal.principal_arn() == role


def test_an_address_is_a_text_or_an_object(kms_mock):
    for address in ("10.0.0.1", ipaddress.ip_address("10.0.0.1")):
        assert kms_mock._caller("user/alice", source_ip=address).context["aws:sourceip"] == ("10.0.0.1",)


def test_credentials_have_their_circumstances_already(kms_mock):
    for named in (kms_mock.credentials("role/app", tags={"a": "b"}), kms_mock._caller("role/app")):
        assert kms_mock._caller(named).arn == kms_mock.credentials(named).arn
        for circumstances in ({"tags": {"a": "c"}}, {"via_service": "s3"}, {"context": {}}):
            with pytest.raises(InvalidPrincipal, match="cannot be added to existing credentials, of arn:aws"):
                kms_mock.credentials(named, **circumstances)


def test_session_policies(kms_mock):
    key = kms_mock.create_key()
    kms_mock.iam.attach("role/app", ALLOW)
    only = {"Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*"}
    narrow = {"Version": "2012-10-17", "Statement": only}
    for policies in (narrow, [json.dumps(narrow)]):
        client = kms_mock.client(principal=kms_mock.credentials("role/app", session_policies=policies))
        client.encrypt(KeyId=key.arn, Plaintext=b"x")
        with pytest.raises(ClientError, match="because no session policy allows the kms:DescribeKey action"):
            client.describe_key(KeyId=key.arn)
    with pytest.raises(InvalidPolicy, match="session_policies: AWS refuses this session policy"):
        kms_mock.credentials("role/app", session_policies="{")


@pytest.mark.parametrize(("listed", "most"), [(False, 2_048), (True, 6_144)])
def test_session_policies_have_a_largest_size(kms_mock, listed, most):
    """API AssumeRole: `Policy` has at most 2,048 characters. Quotas of IAM: managed policies have at most 6,144."""

    def session(characters):
        statement = ALLOW["Statement"][0] | {"Resource": "arn:aws:kms:*:*:key/"}
        document = ALLOW | {"Statement": [statement]}
        statement["Resource"] += "k" * (characters - len(json.dumps(document, separators=(",", ":"))))
        return [document] if listed else document

    assert kms_mock.credentials("role/app", session_policies=session(most))
    with pytest.raises(InvalidPolicy, match=f"AWS accepts at most {most:,}"):
        kms_mock.credentials("role/app", session_policies=session(most + 1))


def test_federated_users_have_what_user_and_session_policy_both_allow(kms_mock):
    """API GetFederationToken: without a session policy, no permissions but those of key policies that name them."""
    key = kms_mock.create_key()
    kms_mock.iam.attach("user/issuer", ALLOW)
    issuer = f"arn:aws:iam::{ACCOUNT}:user/issuer"
    without = kms_mock.credentials("federated-user/fred", issuer_arn=issuer)
    with pytest.raises(ClientError, match="because no session policy allows"):
        kms_mock.client(principal=without).encrypt(KeyId=key.arn, Plaintext=b"x")
    fred = kms_mock.credentials("federated-user/fred", issuer_arn=issuer, session_policies=ALLOW)
    kms_mock.client(principal=fred).encrypt(KeyId=key.arn, Plaintext=b"x")


# --- acting as a principal ------------------------------------------------------------------------------------------


def test_acting_as_a_principal(kms_mock, kms_client):
    named = kms_mock.client(principal="user/bob")
    with kms_mock.as_principal("role/app", session_name="s1") as credentials:
        assert credentials.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/app/s1"
        with pytest.raises(ClientError, match="assumed-role/app/s1 is not authorized"):
            kms_client.list_keys()
        with pytest.raises(ClientError, match="user/bob is not authorized"):
            named.list_keys()
        with kms_mock.as_principal("user/alice"), pytest.raises(ClientError, match="user/alice is not authorized"):
            kms_client.list_keys()
        with pytest.raises(ClientError, match="assumed-role/app/s1 is not authorized"):
            kms_client.list_keys()
    kms_client.list_keys()


def callers_of(kms, *steps):
    """Return who calls after each step."""
    for step in steps:
        step()
        with contextlib.suppress(ClientError):
            kms.client().list_keys()
    return [call.caller.arn.split(":")[-1].split("/")[1] for call in kms.calls]


def test_one_object_is_entered_again_and_in_itself(kms_mock):
    acting = kms_mock.as_principal("user/alice")
    enter, leave = acting.__enter__, lambda: acting.__exit__(None, None, None)
    alice, default = "alice", "Administrator"
    expected = [alice, alice, alice, default, alice, default]
    assert callers_of(kms_mock, enter, enter, leave, leave, enter, leave) == expected


def test_blocks_that_overlap_end_each_for_itself(kms_mock):
    alice, bob = kms_mock.as_principal("user/alice"), kms_mock.as_principal("user/bob")
    end = (None, None, None)
    steps = (alice.__enter__, bob.__enter__, lambda: alice.__exit__(*end), lambda: bob.__exit__(*end))
    assert callers_of(kms_mock, *steps) == ["alice", "bob", "bob", "Administrator"]


def test_a_block_ends_with_its_mock(kms_mock, kms_client):
    with mock_kms() as inner:
        acting = inner.as_principal("user/alice")
        acting.__enter__()
    kms_client.list_keys()
    with pytest.raises(NotActive, match="This mock has ended"):
        acting.__enter__()
    kms_client.list_keys()


def test_a_block_may_end_in_another_context(kms_mock, kms_client):
    async def acting():
        with kms_mock.as_principal("user/alice"):
            yield

    async def use():
        block = acting()
        await asyncio.create_task(anext(block))
        await asyncio.create_task(block.aclose())

    asyncio.run(use())
    kms_client.list_keys()


def test_inside_a_block_clients_follow_it_and_credentials_are_those_of_the_default_caller(kms_mock):
    with kms_mock.as_principal("user/alice"):
        with pytest.raises(ClientError, match="user/alice is not authorized"):
            kms_mock.client().list_keys()
        assert kms_mock.credentials().arn == f"arn:aws:iam::{kms_mock.account}:user/Administrator"
        kms_mock.client(principal=kms_mock.credentials()).list_keys()


def test_it_ends_with_an_error_too(kms_mock, kms_client):
    with pytest.raises(ZeroDivisionError), kms_mock.as_principal("user/alice"):
        raise ZeroDivisionError
    kms_client.list_keys()


def test_threads_act_as_the_principal_too(kms_mock, kms_client):
    errors = []

    def work():
        try:
            kms_client.list_keys()
        except ClientError as error:
            errors.append(str(error))

    with kms_mock.as_principal("user/alice"):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert "user/alice is not authorized" in errors[0]


def test_tasks_act_as_different_principals(kms_mock, kms_client):
    async def act_as(name, both_in):
        with kms_mock.as_principal(name):
            await both_in.wait()
            with pytest.raises(ClientError, match=f"{name} is not authorized"):
                kms_client.list_keys()

    async def main():
        both_in = asyncio.Barrier(2) if hasattr(asyncio, "Barrier") else asyncio.Event()
        if isinstance(both_in, asyncio.Event):
            both_in.set()
        await asyncio.gather(act_as("user/alice", both_in), act_as("user/bob", both_in))
        kms_client.list_keys()

    asyncio.run(main())


def test_the_circumstances_are_all_known():
    named = {"session_name", "session_policies", "tags", "org_id", "issuer_arn", "provider", "account"}
    named |= {"via_service", "mfa", "context"}
    assert set(RequestContext.__annotations__) == named | set(callers._CONDITION_KEYS)
