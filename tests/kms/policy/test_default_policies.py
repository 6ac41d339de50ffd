from __future__ import annotations

import json

import pytest

from pytest_kmsmock._kms.policy import (
    Policies,
    PolicyKind,
    Principal,
    Request,
    compile_policy,
    console_key_policy,
    default_key_policy,
    evaluate,
)

ADMIN = "arn:aws:iam::111122223333:role/KMSAdminRole"
USER = "arn:aws:iam::111122223333:user/ExampleUser"
CRYPTO = {"kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"}


def statements(text):
    return {statement["Sid"]: statement for statement in json.loads(text)["Statement"]}


def test_the_default_key_policy_is_the_text_that_get_key_policy_gives():
    # botocore/data/kms/2014-11-01/examples-1.json, GetKeyPolicy
    assert default_key_policy("111122223333") == (
        "{\n"
        '  "Version" : "2012-10-17",\n'
        '  "Id" : "key-default-1",\n'
        '  "Statement" : [ {\n'
        '    "Sid" : "Enable IAM User Permissions",\n'
        '    "Effect" : "Allow",\n'
        '    "Principal" : {\n'
        '      "AWS" : "arn:aws:iam::111122223333:root"\n'
        "    },\n"
        '    "Action" : "kms:*",\n'
        '    "Resource" : "*"\n'
        "  } ]\n"
        "}"
    )


def test_the_default_key_policy_names_the_account_in_its_partition():
    assert '"arn:aws-cn:iam::111122223333:root"' in default_key_policy("111122223333", "aws-cn")


def test_the_console_s_policy_without_administrators_and_users_enables_iam_only():
    text = console_key_policy("111122223333")
    assert json.loads(text)["Id"] == "key-consolepolicy-3"
    assert list(statements(text)) == ["Enable IAM User Permissions"]


def test_the_console_s_policy_has_the_four_statements_of_the_guide():
    # https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html, "Example key policy"
    found = statements(
        console_key_policy("111122223333", administrators=[ADMIN], users=[USER], other_accounts=["444455556666"])
    )
    assert list(found) == [
        "Enable IAM User Permissions",
        "Allow access for Key Administrators",
        "Allow use of the key",
        "Allow attachment of persistent resources",
    ]
    users = {"AWS": [USER, "arn:aws:iam::444455556666:root"]}
    assert found["Allow access for Key Administrators"]["Principal"] == {"AWS": ADMIN}
    assert {
        "kms:Create*", "kms:Describe*", "kms:Enable*", "kms:List*", "kms:Put*", "kms:Update*", "kms:Revoke*",
        "kms:Disable*", "kms:Get*", "kms:Delete*", "kms:TagResource", "kms:UntagResource", "kms:ScheduleKeyDeletion",
        "kms:CancelKeyDeletion",
    } <= set(found["Allow access for Key Administrators"]["Action"])  # fmt: skip
    assert found["Allow use of the key"]["Principal"] == users
    assert set(found["Allow use of the key"]["Action"]) == CRYPTO
    assert found["Allow attachment of persistent resources"] == {
        "Sid": "Allow attachment of persistent resources",
        "Effect": "Allow",
        "Principal": users,
        "Action": ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"],
        "Resource": "*",
        "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
    }


@pytest.mark.parametrize(
    ("options", "present", "absent"),
    [
        # https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
        pytest.param({}, {"kms:ScheduleKeyDeletion"}, {"kms:ImportKeyMaterial", "kms:ReplicateKey"}, id="usual"),
        pytest.param({"allow_deletion": False}, set(), {"kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion"}, id="keep"),
        pytest.param({"origin": "EXTERNAL"}, {"kms:ImportKeyMaterial"}, set(), id="imported material"),
        pytest.param({"multi_region": True}, {"kms:ReplicateKey", "kms:UpdatePrimaryRegion"}, set(), id="multi-Region"),
        pytest.param({"origin": "AWS_CLOUDHSM"}, set(), {"kms:RotateKeyOnDemand"}, id="custom key store"),
    ],
)
def test_what_administrators_may_do_follows_the_wizard(options, present, absent):
    actions = set(
        statements(console_key_policy("111122223333", administrators=[ADMIN], **options))[
            "Allow access for Key Administrators"
        ]["Action"]
    )
    assert present <= actions
    assert not absent & actions


@pytest.mark.parametrize(
    ("spec", "usage", "actions"),
    [
        ("HMAC_256", "GENERATE_VERIFY_MAC", {"DescribeKey", "GenerateMac", "VerifyMac"}),
        ("RSA_2048", "ENCRYPT_DECRYPT", {"Encrypt", "Decrypt", "ReEncrypt*", "DescribeKey", "GetPublicKey"}),
        ("ECC_NIST_P256", "SIGN_VERIFY", {"DescribeKey", "GetPublicKey", "Sign", "Verify"}),
        ("ECC_NIST_P256", "KEY_AGREEMENT", {"DescribeKey", "GetPublicKey", "DeriveSharedSecret"}),
    ],
)
def test_users_may_do_what_the_kind_of_key_can(spec, usage, actions):
    found = statements(console_key_policy("111122223333", users=[USER], key_spec=spec, key_usage=usage))
    assert set(found["Allow use of the key"]["Action"]) == {f"kms:{action}" for action in actions}
    assert "Allow attachment of persistent resources" not in found


@pytest.mark.parametrize(
    ("caller", "action", "allowed"),
    [
        (ADMIN, "kms:PutKeyPolicy", True),
        (ADMIN, "kms:Encrypt", False),
        (USER, "kms:Encrypt", True),
        (USER, "kms:PutKeyPolicy", False),
        (USER, "kms:CreateGrant", False),
        ("arn:aws:iam::111122223333:root", "kms:Encrypt", True),
    ],
)
def test_the_console_s_policy_separates_administration_from_use(caller, action, allowed):
    policy = compile_policy(console_key_policy("111122223333", administrators=[ADMIN], users=[USER]), PolicyKind.KEY)
    request = Request(Principal.parse(caller), action, "arn:aws:kms:us-east-1:111122223333:key/k", "111122223333")
    assert evaluate(request, Policies(key=(policy,))).allowed is allowed
