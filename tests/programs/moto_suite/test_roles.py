"""Roles and users of IAM that use keys."""

from __future__ import annotations

import boto3
import pytest


def test_a_role_with_permission_encrypts(key, assume):
    client = boto3.client("kms", **assume("kms:Encrypt", "kms:Decrypt"))
    blob = client.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_a_role_is_who_it_is(assume):
    arn = boto3.client("sts", **assume()).get_caller_identity()["Arn"]
    assert arn == "arn:aws:sts::123456789012:assumed-role/app/test"


def test_a_role_that_may_only_encrypt_decrypts(key, assume):
    client = boto3.client("kms", **assume("kms:Encrypt"))
    blob = client.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_a_role_without_policies_describes_a_key(key, assume):
    assert boto3.client("kms", **assume()).describe_key(KeyId=key)["KeyMetadata"]["KeyId"] == key


def test_a_user_with_a_managed_policy(key):
    iam = boto3.client("iam")
    iam.create_user(UserName="bob")
    document = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}'
    policy = iam.create_policy(PolicyName="kms", PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_user_policy(UserName="bob", PolicyArn=policy)
    made = iam.create_access_key(UserName="bob")["AccessKey"]
    client = boto3.client("kms", aws_access_key_id=made["AccessKeyId"], aws_secret_access_key=made["SecretAccessKey"])
    assert client.generate_data_key(KeyId=key, KeySpec="AES_256")["Plaintext"]


def test_another_account_has_its_own_keys(kms):
    arn = "arn:aws:iam::999999999999:role/deploy"
    made = boto3.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    other = boto3.client(
        "kms",
        aws_access_key_id=made["AccessKeyId"],
        aws_secret_access_key=made["SecretAccessKey"],
        aws_session_token=made["SessionToken"],
    )
    assert other.create_key()["KeyMetadata"]["AWSAccountId"] == "999999999999"
    assert kms.list_keys()["Keys"] == []


def test_a_session_of_the_user(key):
    made = boto3.client("sts").get_session_token()["Credentials"]
    client = boto3.client(
        "kms",
        aws_access_key_id=made["AccessKeyId"],
        aws_secret_access_key=made["SecretAccessKey"],
        aws_session_token=made["SessionToken"],
    )
    assert client.describe_key(KeyId=key)["KeyMetadata"]["KeyId"] == key


def test_a_grant_is_listed(kms, key):
    grantee = "arn:aws:iam::123456789012:role/app"
    grant_id = kms.create_grant(KeyId=key, GranteePrincipal=grantee, Operations=["Decrypt"])["GrantId"]
    assert [grant["GrantId"] for grant in kms.list_grants(KeyId=key)["Grants"]] == [grant_id]


@pytest.mark.parametrize("days", [7, 30])
def test_a_key_to_be_deleted(kms, key, days):
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=days)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"
