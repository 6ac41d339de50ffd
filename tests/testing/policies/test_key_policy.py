"""`key_policy(...)`: what a test says of a key, and the policy that it gets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_kmsmock import KmsMockError, key_policy, mock_kms
from pytest_kmsmock._kms.policy import console_key_policy
from pytest_kmsmock.errors import InvalidPolicy, InvalidPrincipal

DEFAULT, ACCOUNT, OTHER = "123456789012", "111122223333", "444455556666"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"


def statement(policy: str, sid: str) -> Any:
    return next(each for each in json.loads(policy)["Statement"] if each["Sid"] == sid)


def owner(policy: str) -> str:
    return statement(policy, "Enable IAM User Permissions")["Principal"]["AWS"]


def test_the_account_is_that_of_the_running_mock():
    assert owner(key_policy()) == f"arn:aws:iam::{DEFAULT}:root"
    with mock_kms(account=ACCOUNT, region="cn-north-1"):
        assert owner(key_policy()) == f"arn:aws-cn:iam::{ACCOUNT}:root"
        assert owner(key_policy(OTHER, "aws")) == f"arn:aws:iam::{OTHER}:root"
    assert owner(key_policy(f"arn:aws:iam::{ACCOUNT}:root")) == f"arn:aws:iam::{ACCOUNT}:root"


def test_a_key_with_such_a_policy_can_be_created_and_used(kms_mock, kms_client):
    kms_client.create_key(Policy=key_policy(users="role/app", administrators="user/admin", other_accounts=OTHER))
    key = kms_mock.create_key(policy=key_policy(users="role/app")).arn
    assert kms_mock.simulate("role/app", "kms:Encrypt", key)


@pytest.mark.parametrize("given", ["role/app", ROLE, ["role/app"], (name for name in ["role/app"])])
def test_users_in_short_and_one_without_a_list(given):
    policy = key_policy(ACCOUNT, users=given)
    assert policy == console_key_policy(ACCOUNT, users=[ROLE])
    assert statement(policy, "Allow use of the key")["Principal"] == {"AWS": ROLE}


def test_administrators_in_short():
    several = key_policy(ACCOUNT, administrators=["user/a", "role/path/b"])
    names = [f"arn:aws:iam::{ACCOUNT}:user/a", f"arn:aws:iam::{ACCOUNT}:role/path/b"]
    assert statement(several, "Allow access for Key Administrators")["Principal"] == {"AWS": names}
    assert key_policy(ACCOUNT, administrators="user/a") == key_policy(ACCOUNT, administrators=names[:1])


@pytest.mark.parametrize("given", [OTHER, [OTHER], f"arn:aws:iam::{OTHER}:root", [f"arn:aws:iam::{OTHER}:root"]])
def test_other_accounts_by_id_or_root_arn(given):
    policy = key_policy(ACCOUNT, other_accounts=given)
    assert statement(policy, "Allow use of the key")["Principal"] == {"AWS": f"arn:aws:iam::{OTHER}:root"}


@pytest.mark.parametrize(
    ("spec", "usage", "action"),
    [
        ("SYMMETRIC_DEFAULT", None, "kms:GenerateDataKey*"),
        ("HMAC_512", None, "kms:GenerateMac"),
        ("ECC_SECG_P256K1", None, "kms:Sign"),
        ("ML_KEM_768", None, "kms:Encapsulate"),
        ("ECC_NIST_P384", "KEY_AGREEMENT", "kms:DeriveSharedSecret"),
        ("RSA_2048", "SIGN_VERIFY", "kms:Verify"),
    ],
)
def test_what_users_may_do_follows_the_spec(spec, usage, action):
    policy = key_policy(ACCOUNT, users="role/app", key_spec=spec, key_usage=usage)
    assert action in statement(policy, "Allow use of the key")["Action"]


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ({"key_spec": ["RSA_2048"]}, InvalidPolicy, "key_spec must be a string, not ['RSA_2048']"),
        ({"key_usage": ["SIGN_VERIFY"]}, InvalidPolicy, "key_usage must be a string, not ['SIGN_VERIFY']"),
        ({"key_spec": "AES"}, InvalidPolicy, "unknown key_spec 'AES'. Choose from: SYMMETRIC_DEFAULT,"),
        ({"key_usage": "SING"}, InvalidPolicy, "the key_usage of SYMMETRIC_DEFAULT is ENCRYPT_DECRYPT, not 'SING'"),
        ({"key_spec": "ECC_NIST_P256"}, InvalidPolicy, "of ECC_NIST_P256 is SIGN_VERIFY or KEY_AGREEMENT, not None"),
        ({"key_spec": "RSA_2048", "key_usage": "KEY_AGREEMENT"}, InvalidPolicy, "the key_usage of RSA_2048 is"),
        (
            {"origin": "AWS_HSM"},
            InvalidPolicy,
            "unknown origin 'AWS_HSM'. Did you mean 'AWS_CLOUDHSM'? Choose from: AWS_KMS,",
        ),
        ({"origin": "IMPORTED"}, InvalidPolicy, "unknown origin 'IMPORTED'"),
        ({"users": "bob"}, InvalidPrincipal, "'bob' is not a principal"),
        ({"users": ["s3.amazonaws.com"]}, InvalidPrincipal, "s3.amazonaws.com is an AWS service"),
        ({"other_accounts": "12"}, InvalidPrincipal, "not '12'"),
        (
            {"other_accounts": [111122223333]},
            InvalidPrincipal,
            "Expected an account id of 12 digits as a string, such as '111122223333', not 111122223333",
        ),
        ({"other_accounts": [f"arn:aws:iam::{OTHER}:user/x"]}, InvalidPrincipal, "Expected an account id"),
        ({"account": "me"}, InvalidPrincipal, "not 'me'"),
        ({"account": 111122223333}, InvalidPrincipal, "Expected an account id"),
        ({"partition": "moon"}, InvalidPolicy, "unknown partition 'moon'; expected one such as 'aws-cn'"),
        ({"partition": 5}, InvalidPolicy, "unknown partition 5"),
        ({"users": None}, InvalidPrincipal, "Principals and accounts must be a name or a list of names, not None"),
        (
            {"administrators": 5},
            InvalidPrincipal,
            "Principals and accounts must be a name or a list of names, not 5",
        ),
        ({"other_accounts": None}, InvalidPrincipal, "must be a name or a list of names, not None"),
        ({"users": [None]}, InvalidPrincipal, "A principal is a string: its ARN or its short form, not None"),
        (
            {"users": "root"},
            InvalidPrincipal,
            f"arn:aws:iam::{DEFAULT}:root is an account: the console lets only users",
        ),
        ({"allow_deletion": "no"}, InvalidPolicy, "allow_deletion must be True or False, not 'no'"),
        ({"multi_region": None}, InvalidPolicy, "multi_region must be True or False, not None"),
    ],
)
def test_what_cannot_be(given, error, text):
    with pytest.raises(error) as refused:
        key_policy(**given)
    assert text in str(refused.value)
    assert isinstance(refused.value, KmsMockError)
