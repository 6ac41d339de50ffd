"""The console's create-key wizard, and the policy that it writes."""

from __future__ import annotations

import json

import pytest

from pytest_kmsmock import key_policy
from pytest_kmsmock.errors import InvalidPrincipal, InvalidSeed

ACCOUNT, OTHER = "123456789012", "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role"


def test_all_that_the_wizard_asks(kms_mock, kms_client):
    key = kms_mock.create_key_as_in_console(
        alias="alias/app", description="of the app", tags={"team": "x"}, administrators=["role/admin"],
        users=[f"{ROLE}/app"], other_accounts=[OTHER], allow_deletion=False,
    )  # fmt: skip
    assert (key.alias, key.description, key.tags) == ("alias/app", "of the app", {"team": "x"})
    assert kms_client.get_key_policy(KeyId=key.id)["Policy"] == key_policy(
        ACCOUNT, administrators=[f"{ROLE}/admin"], users=[f"{ROLE}/app"], other_accounts=[OTHER], allow_deletion=False
    )
    assert list(kms_mock.calls.of("CreateKey")) == []
    for who, action, allowed in (
        ("role/admin", "kms:PutKeyPolicy", True),
        ("role/admin", "kms:ScheduleKeyDeletion", False),
        ("role/admin", "kms:Encrypt", False),
        ("role/app", "kms:Encrypt", True),
        ("role/app", "kms:PutKeyPolicy", False),
        ("role/app", "kms:CreateGrant", False),
        (kms_mock._caller("role/app", via_service="ec2"), "kms:CreateGrant", True),
        ("role/other", "kms:DescribeKey", False),
    ):
        assert bool(kms_mock.simulate(who, action, key.id)) is allowed, (who, action)
    stranger = kms_mock.client(principal=f"arn:aws:iam::{OTHER}:user/bob")
    kms_mock.iam.attach(
        f"arn:aws:iam::{OTHER}:user/bob",
        {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:Encrypt", "Resource": key.arn}},
    )
    stranger.encrypt(KeyId=key.arn, Plaintext=b"x")


@pytest.mark.parametrize(
    ("answers", "spec", "usage"),
    [
        ({}, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
        ({"usage": "GENERATE_VERIFY_MAC"}, "HMAC_256", "GENERATE_VERIFY_MAC"),
        ({"usage": "GENERATE_VERIFY_MAC", "spec": "HMAC_512"}, "HMAC_512", "GENERATE_VERIFY_MAC"),
        ({"key_type": "asymmetric", "usage": "SIGN_VERIFY", "spec": "ECC_NIST_P384"}, "ECC_NIST_P384", "SIGN_VERIFY"),
    ],
)
def test_type_usage_and_spec(kms_mock, answers, spec, usage):
    key = kms_mock.create_key_as_in_console(alias="alias/a", **answers)
    assert (key.spec, key.usage) == (spec, usage)


def test_origin_and_regions(kms_mock):
    key = kms_mock.create_key_as_in_console(
        alias="alias/a", origin="EXTERNAL", multi_region=True, administrators=["role/admin"], region="eu-west-1"
    )
    assert (key.origin, key.arn.split(":")[3], key.id[:4]) == ("EXTERNAL", "eu-west-1", "mrk-")
    actions = json.loads(key.record.policy)["Statement"][1]["Action"]
    assert {"kms:ImportKeyMaterial", "kms:ReplicateKey", "kms:UpdatePrimaryRegion"} <= set(actions)


def test_one_of_each_needs_no_list_and_accounts_go_by_id_or_root_arn(kms_mock):
    keys = [
        kms_mock.create_key_as_in_console(
            alias="alias/a", administrators="role/a", users="role/b", other_accounts=OTHER
        ),
        kms_mock.create_key_as_in_console(
            alias="alias/b", administrators=["role/a"], users=["role/b"], other_accounts=[f"arn:aws:iam::{OTHER}:root"]
        ),
    ]
    expected = key_policy(ACCOUNT, administrators=f"{ROLE}/a", users=f"{ROLE}/b", other_accounts=[OTHER])
    assert [key.record.policy for key in keys] == [expected, expected]


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        ({"key_type": "quantum"}, "key_type is 'symmetric' or 'asymmetric', not 'quantum'"),
        ({"key_type": "asymmetric"}, "a key of type asymmetric for ENCRYPT_DECRYPT needs a spec"),
        ({"usage": "SIGN_VERIFY"}, "a key of type symmetric for SIGN_VERIFY needs a spec"),
        ({"spec": "RSA_2048"}, "RSA_2048 is not a spec of a key of type symmetric"),
        ({"key_type": "asymmetric", "spec": "HMAC_256"}, "HMAC_256 is not a spec of a key of type asymmetric"),
        ({"spec": "AES"}, "AES is not a spec"),
        ({"administrators": [f"arn:aws:iam::{OTHER}:role/x"]}, f"own account, not arn:aws:iam::{OTHER}:role/x. Use"),
        ({"users": f"arn:aws:iam::{OTHER}:role/x"}, "Use other_accounts for other accounts."),
        ({"alias": "a"}, 'Alias must start with the prefix "alias/".'),
        ({"alias": None}, "alias must be a string, not None"),
        ({"region": 5}, "region must be a string, not 5"),
        ({"usage": ["ENCRYPT_DECRYPT"]}, "usage must be a string, not ['ENCRYPT_DECRYPT']"),
        ({"spec": ["SYMMETRIC_DEFAULT"]}, "spec must be a string, not ['SYMMETRIC_DEFAULT']"),
        ({"spec": ""}, " is not a spec of a key of type symmetric"),
        ({"region": ""}, "such as 'eu-west-1'"),
        ({"allow_deletion": "no"}, "allow_deletion must be True or False, not 'no'"),
        ({"multi_region": None}, "multi_region must be True or False, not None"),
        ({"tags": [{"TagKey": "a", "TagValue": "b"}]}, "tags: expected a mapping of names to values, found [{"),
        ({"description": 5}, "description: expected a string, found 5"),
        ({"usage": "SING", "spec": "HMAC_256"}, "the usage of HMAC_256 is GENERATE_VERIFY_MAC"),
        ({"key_type": "asymmetric", "spec": "RSA_2048", "usage": "KEY_AGREEMENT"}, "the usage of RSA_2048 is"),
        ({"origin": "AWS_CLOUDHSM"}, "origin is 'AWS_KMS' or 'EXTERNAL', not 'AWS_CLOUDHSM'"),
    ],
)
def test_where_the_wizard_does_not_go_on(kms_mock, answers, text):
    with pytest.raises(InvalidSeed) as refused:
        kms_mock.create_key_as_in_console(**({"alias": "alias/a"} | answers))
    assert text in str(refused.value)
    assert len(kms_mock.keys) == 0


@pytest.mark.parametrize("users", [["bob"], None, [None], "root"])
def test_who_is_no_principal(kms_mock, users):
    with pytest.raises(InvalidPrincipal):
        kms_mock.create_key_as_in_console(alias="alias/a", users=users)
