"""Who calls beside moto, and what moto's IAM lets them do.

That policies decide at once is this package's choice: on AWS a change takes some seconds to be in force everywhere
(https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_general.html).
"""

from __future__ import annotations

import base64
import json
import sys
import timeit

import boto3
import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session
from moto import mock_aws

from pytest_kmsmock import mock_kms
from pytest_kmsmock._kms.api.errors import KmsError
from pytest_kmsmock._moto import identity
from pytest_kmsmock._testing.identity import moto_principals

REGION = "us-east-1"
ACCOUNT = "123456789012"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}],
    }
)


def allow(*actions: str) -> str:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}
    )


@pytest.fixture
def iam(kms):
    return boto3.client("iam", region_name=REGION)


@pytest.fixture
def key(kms):
    return kms.client().create_key()["KeyMetadata"]["KeyId"]


def arguments(credentials) -> dict[str, str]:
    names = {"AccessKeyId": "aws_access_key_id", "SecretAccessKey": "aws_secret_access_key"}
    names["SessionToken"] = "aws_session_token"
    return {ours: credentials[theirs] for theirs, ours in names.items() if theirs in credentials}


def assume(role: str = f"arn:aws:iam::{ACCOUNT}:role/app", **more: str):
    sts = boto3.client("sts", region_name=REGION)
    return arguments(sts.assume_role(RoleArn=role, RoleSessionName="one", **more)["Credentials"])


def client(signing):
    return boto3.client("kms", region_name=REGION, **signing)


@pytest.fixture
def role(iam):
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=TRUST, Tags=[{"Key": "team", "Value": "blue"}])
    iam.put_role_policy(RoleName="app", PolicyName="p", PolicyDocument=allow("kms:Encrypt"))
    return assume()


@pytest.fixture
def user(iam):
    iam.create_user(UserName="bob", Tags=[{"Key": "team", "Value": "red"}])
    return arguments(iam.create_access_key(UserName="bob")["AccessKey"])


def backend_of_iam():
    """Return moto's, which is `global` in early releases and `aws` in later ones."""
    return next(iter(sys.modules["moto.iam.models"].iam_backends[ACCOUNT].values()))


def refusal(call, **params: object) -> str:
    with pytest.raises(ClientError) as refused:
        call(**params)
    return refused.value.response["Error"]["Message"]


def test_a_session_is_who_sts_says_it_is(kms, key, role):
    client(role).encrypt(KeyId=key, Plaintext=b"x")
    identity = boto3.client("sts", region_name=REGION, **role).get_caller_identity()
    assert kms.calls[-1].caller.arn == identity["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/app/one"
    assert kms.calls[-1].caller.principal.tags == (("team", "blue"),)


def test_a_user_is_who_sts_says_it_is(kms, iam, user, key):
    iam.put_user_policy(UserName="bob", PolicyName="p", PolicyDocument=allow("kms:*"))
    client(user).list_keys()
    identity = boto3.client("sts", region_name=REGION, **user).get_caller_identity()
    assert kms.calls[-1].caller.arn == identity["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/bob"
    assert kms.calls[-1].caller.principal.tags == (("team", "red"),)


def test_a_role_may_do_what_its_policies_allow(key, role):
    blob = client(role).encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    text = refusal(client(role).decrypt, CiphertextBlob=blob)
    assert text.startswith(
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/app/one is not authorized to perform: kms:Decrypt"
    )
    assert text.endswith("because no identity-based policy allows the kms:Decrypt action")


@pytest.mark.parametrize("wire", [False, True])
def test_policies_decide_on_both_paths(wire):
    with mock_aws(), mock_kms(wire=wire) as kms:
        iam = boto3.client("iam", region_name=REGION)
        iam.create_role(RoleName="app", AssumeRolePolicyDocument=TRUST)
        key = kms.client().create_key()["KeyMetadata"]["KeyId"]
        assert "no identity-based policy" in refusal(client(assume()).describe_key, KeyId=key)


def test_changes_of_a_role_count_at_once(iam, key, role):
    kms = client(role)
    assert "kms:DescribeKey" in refusal(kms.describe_key, KeyId=key)
    policy = iam.create_policy(PolicyName="describe", PolicyDocument=allow("kms:DescribeKey"))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="app", PolicyArn=policy)
    kms.describe_key(KeyId=key)
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=allow("kms:ListKeys"), SetAsDefault=True)
    assert "kms:DescribeKey" in refusal(kms.describe_key, KeyId=key)
    iam.set_default_policy_version(PolicyArn=policy, VersionId="v1")
    kms.describe_key(KeyId=key)
    iam.detach_role_policy(RoleName="app", PolicyArn=policy)
    assert "kms:DescribeKey" in refusal(kms.describe_key, KeyId=key)
    iam.delete_role_policy(RoleName="app", PolicyName="p")
    assert "kms:Encrypt" in refusal(kms.encrypt, KeyId=key, Plaintext=b"x")


def test_groups_give_their_policies_to_users(iam, key, user):
    kms = client(user)
    iam.create_group(GroupName="team")
    iam.put_group_policy(GroupName="team", PolicyName="p", PolicyDocument=allow("kms:DescribeKey"))
    assert "no identity-based policy" in refusal(kms.describe_key, KeyId=key)
    iam.add_user_to_group(GroupName="team", UserName="bob")
    kms.describe_key(KeyId=key)
    iam.remove_user_from_group(GroupName="team", UserName="bob")
    assert "no identity-based policy" in refusal(kms.describe_key, KeyId=key)


def test_a_boundary_limits_a_role(iam, key, role):
    kms = client(role)
    boundary = iam.create_policy(PolicyName="limit", PolicyDocument=allow("s3:*"))["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName="app", PermissionsBoundary=boundary)
    assert "because no permissions boundary allows" in refusal(kms.encrypt, KeyId=key, Plaintext=b"x")
    iam.delete_role_permissions_boundary(RoleName="app")
    kms.encrypt(KeyId=key, Plaintext=b"x")


def test_a_session_policy_limits_a_session(key, role):
    limited = client(assume(Policy=allow("kms:DescribeKey")))
    assert "because no session policy allows" in refusal(limited.encrypt, KeyId=key, Plaintext=b"x")


def test_policies_add_to_those_of_the_mock(kms, key, role):
    kms.iam.attach("role/app", json.loads(allow("kms:DescribeKey")))
    client(role).describe_key(KeyId=key)
    client(role).encrypt(KeyId=key, Plaintext=b"x")


def test_the_option_turns_policies_off():
    with mock_aws(), mock_kms(moto_policies=False) as kms:
        iam = boto3.client("iam", region_name=REGION)
        iam.create_role(RoleName="app", AssumeRolePolicyDocument=TRUST)
        client(assume()).create_key()
        assert kms.calls[-1].caller.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/app/one"


def test_a_role_that_moto_does_not_have_is_in_its_account_and_not_limited(kms):
    other = client(assume("arn:aws:iam::999999999999:role/deploy"))
    metadata = other.create_key()["KeyMetadata"]
    assert metadata["AWSAccountId"] == "999999999999"
    assert metadata["Arn"].startswith("arn:aws:kms:us-east-1:999999999999:key/")
    other.create_alias(AliasName="alias/app", TargetKeyId=metadata["KeyId"])
    assert [key["KeyId"] for key in other.list_keys()["Keys"]] == [metadata["KeyId"]]
    assert kms.client().list_keys()["Keys"] == []
    assert len(kms.keys) == 0


def test_a_role_with_a_path(iam, kms, key):
    iam.create_role(RoleName="app", Path="/team/", AssumeRolePolicyDocument=TRUST)
    arn = f"arn:aws:iam::{ACCOUNT}:role/team/app"
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "kms:PutKeyPolicy", "Resource": "*"},
            {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "kms:Encrypt", "Resource": "*"},
        ],
    }
    kms.client().put_key_policy(KeyId=key, Policy=json.dumps(policy))
    client(assume(arn)).encrypt(KeyId=key, Plaintext=b"x")


def test_web_identity(role, kms, key):
    sts = boto3.client("sts", region_name=REGION)
    arn = f"arn:aws:iam::{ACCOUNT}:role/app"
    given = sts.assume_role_with_web_identity(RoleArn=arn, RoleSessionName="web", WebIdentityToken="token")
    client(arguments(given["Credentials"])).encrypt(KeyId=key, Plaintext=b"x")
    assert kms.calls[-1].caller.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/app/web"


@pytest.mark.parametrize("how", ["inactive", "deleted", "of a deleted user"])
def test_access_keys_that_are_not_valid_any_more(iam, user, how):
    kms = client(user)
    iam.put_user_policy(UserName="bob", PolicyName="p", PolicyDocument=allow("kms:*"))
    kms.list_keys()
    access_key = user["aws_access_key_id"]
    if how == "inactive":
        iam.update_access_key(UserName="bob", AccessKeyId=access_key, Status="Inactive")
    elif how == "deleted":
        iam.delete_access_key(UserName="bob", AccessKeyId=access_key)
    else:
        backend_of_iam().users.clear()
    with pytest.raises(ClientError) as refused:
        kms.list_keys()
    assert refused.value.response["Error"] == {
        "Code": "UnrecognizedClientException",
        "Message": "The security token included in the request is invalid.",
    }


def test_credentials_of_the_mock_come_first_and_as_principal_after_motos(kms, role, key):
    alice = kms.credentials("user/alice")
    kms.iam.attach("user/alice", json.loads(allow("kms:*")))
    with kms.as_principal(alice):
        client(role).encrypt(KeyId=key, Plaintext=b"x")
        assert kms.calls[-1].caller.principal.name == "one"
        kms.client().list_keys()
        assert kms.calls[-1].caller.principal.name == "alice"
    client(dict(alice)).list_keys()
    assert kms.calls[-1].caller.principal.name == "alice"


def test_what_moto_gives_everybody_is_the_default_caller(kms):
    sts = boto3.client("sts", region_name=REGION)
    client(arguments(sts.get_session_token()["Credentials"])).list_keys()
    assert kms.calls[-1].caller.arn == f"arn:aws:iam::{ACCOUNT}:user/Administrator"


def test_policies_that_aws_would_not_have_taken_allow_nothing(kms, key, role):
    found = identity.find(role["aws_access_key_id"])
    broken = found._replace(policies=("no policy",), boundary="no policy", session_policy="no policy")
    caller = moto_principals.caller_of(broken, enforced=True)
    assert caller.identity_policies == ()
    with pytest.raises(KmsError, match="explicit deny"):
        kms._core.service.call("DescribeKey", {"KeyId": key}, caller, REGION)


def test_the_server_checks_signatures_of_motos_credentials(kms, key, role):
    with kms.serve(check_signatures=True) as server:
        there = boto3.client("kms", region_name=REGION, endpoint_url=server.endpoint_url, **role)
        there.encrypt(KeyId=key, Plaintext=b"x")
        assert "kms:ListKeys" in refusal(there.list_keys)


def test_reading_costs_little_when_nothing_changed(iam, role):
    for number in range(20):
        iam.create_role(RoleName=f"other-{number}", AssumeRolePolicyDocument=TRUST)
    access_key = role["aws_access_key_id"]

    def read():
        return moto_principals.caller_of(identity.find(access_key), enforced=True)

    assert read() is read()  # so that what the policies decide stays worked out
    assert min(timeit.repeat(read, number=100, repeat=5)) / 100 < 100e-6


def test_managed_policies_of_aws_are_not_loaded(role):
    identity.find(role["aws_access_key_id"])
    assert not backend_of_iam().aws_managed_policies


def test_a_moto_with_other_insides_is_told_of_once(kms, role, monkeypatch):
    identity._warn_of_change.cache_clear()
    monkeypatch.setattr("moto.iam.models.iam_backends", {"123456789012": {"aws": object()}})
    with pytest.warns(UserWarning, match="cannot read the access keys of this release of moto"):
        client(role).list_keys()
    client(role).list_keys()
    assert kms.calls[-1].caller.principal.name == "Administrator"


def test_a_role_of_a_moto_with_other_insides_is_taken_for_made_up(kms, monkeypatch):
    identity._warn_of_change.cache_clear()
    monkeypatch.setattr("moto.iam.models.iam_backends", {ACCOUNT: {"aws": object()}})
    with pytest.warns(UserWarning, match="cannot read the access keys of this release of moto"):
        assert kms._core.role_session(f"arn:aws:iam::{ACCOUNT}:role/app", "s").administrator


def test_saml(role, kms, key):
    arn = f"arn:aws:iam::{ACCOUNT}:role/app"
    attributes = {
        "https://aws.amazon.com/SAML/Attributes/Role": f"{arn},arn:aws:iam::{ACCOUNT}:saml-provider/idp",
        "https://aws.amazon.com/SAML/Attributes/RoleSessionName": "saml",
        "https://aws.amazon.com/SAML/Attributes/SessionDuration": "900",
    }
    statements = "".join(
        f'<saml:Attribute Name="{name}"><saml:AttributeValue>{value}</saml:AttributeValue></saml:Attribute>'
        for name, value in attributes.items()
    )
    assertion = (
        '<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"><saml:Assertion '
        'xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"><saml:AttributeStatement>'
        f"{statements}</saml:AttributeStatement></saml:Assertion></samlp:Response>"
    )
    given = boto3.client("sts", region_name=REGION).assume_role_with_saml(
        RoleArn=arn,
        PrincipalArn=f"arn:aws:iam::{ACCOUNT}:saml-provider/idp",
        SAMLAssertion=base64.b64encode(assertion.encode()).decode(),
    )
    client(arguments(given["Credentials"])).encrypt(KeyId=key, Plaintext=b"x")
    assert kms.calls[-1].caller.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/app/saml"


def test_an_access_key_of_no_session_is_nobodys(role):
    assert identity.find(backend_of_iam().create_temp_access_key().access_key_id) is None


@pytest.mark.parametrize("sent_by", ["requests", "botocore without a client"])
def test_raw_requests_come_from_whom_moto_knows(kms, key, role, sent_by):
    url = f"https://kms.{REGION}.amazonaws.com/"
    body = json.dumps({"KeyId": key, "Plaintext": "eA=="}).encode()
    headers = {"X-Amz-Target": "TrentService.Encrypt", "Content-Type": "application/x-amz-json-1.1"}
    made = AWSRequest("POST", url, headers, body)
    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    SigV4Auth(Credentials(*(role[name] for name in names)), "kms", REGION).add_auth(made)
    if sent_by == "requests":
        assert requests.post(url, body, headers=dict(made.headers), timeout=5).status_code == 200
    else:
        assert URLLib3Session().send(made.prepare()).status_code == 200
    assert kms.calls[-1].caller.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/app/one"


def test_grants_aliases_and_quotas_are_those_of_the_account(kms):
    other = client(assume("arn:aws:iam::999999999999:role/deploy"))
    made = other.create_key()["KeyMetadata"]["KeyId"]
    other.create_grant(KeyId=made, GranteePrincipal="arn:aws:iam::999999999999:role/app", Operations=["Decrypt"])
    other.create_alias(AliasName="alias/app", TargetKeyId=made)
    kms.create_key(alias="alias/app")  # of another account, so not the same alias
    assert other.list_grants(KeyId=made)["Grants"][0]["IssuingAccount"] == "arn:aws:iam::999999999999:root"
    aliases = [alias["AliasArn"] for alias in other.list_aliases(KeyId=made)["Aliases"]]
    assert aliases == [f"arn:aws:kms:{REGION}:999999999999:alias/app"]
    kms.clock.freeze()
    kms.request_quotas["CreateKey"] = 1
    for each in (other, kms.client()):  # each account has a quota of its own
        each.create_key()
    kms.faults.skip_backoff = True
    assert "exceeded the rate" in refusal(other.create_key)
