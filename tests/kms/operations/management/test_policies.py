"""GetKeyPolicy, PutKeyPolicy, ListKeyPolicies. Tests of the policy engine have the rules of policy documents."""

from __future__ import annotations

import json

import pytest
from botocore.loaders import Loader

from pytest_kmsmock import mock_kms

EXAMPLES = Loader().load_service_model("kms", "examples-1")["examples"]


@pytest.fixture
def key_id(kms_client):
    return kms_client.create_key()["KeyMetadata"]["KeyId"]


def policy_of(**more):
    principal = {"AWS": "arn:aws:iam::123456789012:root"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement | more]})


def test_the_default_policy_is_that_of_the_documentation():
    """botocore's examples-1.json, GetKeyPolicy: the text with AWS's spacing."""
    with mock_kms(account="111122223333") as kms:
        client = kms.client()
        key_id = client.create_key()["KeyMetadata"]["KeyId"]
        answer = client.get_key_policy(KeyId=key_id)
    assert answer["Policy"] == EXAMPLES["GetKeyPolicy"][0]["output"]["Policy"]
    assert answer["PolicyName"] == "default"


def test_the_default_policy_names_its_partition(kms_mock):
    client = kms_mock.client(region="cn-north-1")
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    statement = json.loads(client.get_key_policy(KeyId=key_id)["Policy"])["Statement"][0]
    assert statement["Principal"] == {"AWS": "arn:aws-cn:iam::123456789012:root"}


@pytest.mark.parametrize("name", [{}, {"PolicyName": "default"}], ids=["no name", "default"])
def test_a_policy_comes_back_as_kms_writes_it(kms_client, key_id, name):
    """Recorded: cloud-custodian, `test_cross_account_kms` (2018). See `tests/kms/policy/test_key_policy_format.py`."""
    policy = policy_of(Sid="mine", Principal={"AWS": ["123456789012"]}, Action=["kms:*"])
    assert kms_client.put_key_policy(KeyId=key_id, Policy=policy, **name).keys() == {"ResponseMetadata"}
    assert kms_client.get_key_policy(KeyId=key_id, **name)["Policy"] == (
        '{\n  "Version" : "2012-10-17",\n  "Statement" : [ {\n    "Sid" : "mine",\n    "Effect" : "Allow",\n'
        '    "Principal" : {\n      "AWS" : "arn:aws:iam::123456789012:root"\n    },\n'
        '    "Action" : "kms:*",\n    "Resource" : "*"\n  } ]\n}'
    )


def test_the_size_that_counts_is_that_of_the_request(kms_client, key_id):
    """Inferred: the limit is the one of the parameter."""
    many = [f"kms:Encrypt{number}" for number in range(1500)]
    policy = json.dumps(json.loads(policy_of(Action=["kms:*", *many])), separators=(",", ":"))
    kms_client.put_key_policy(KeyId=key_id, Policy=policy)
    assert len(kms_client.get_key_policy(KeyId=key_id)["Policy"]) > len(policy)


def test_there_is_no_other_policy(kms_client, key_id, refusal):
    for name in ("AWS_RAM", "other"):
        with refusal("NotFoundException", "No such policy exists"):
            kms_client.get_key_policy(KeyId=key_id, PolicyName=name)
    with refusal("LimitExceededException", "Only one policy per key is supported"):  # (B): the code
        kms_client.put_key_policy(KeyId=key_id, PolicyName="other", Policy=policy_of())
    answer = kms_client.list_key_policies(KeyId=key_id)
    assert (answer["PolicyNames"], answer["Truncated"]) == (["default"], False)


def test_the_policy_of_ram_belongs_to_ram(kms_client, key_id, refusal):
    """API PutKeyPolicy prints the text."""
    with refusal("ValidationException", "The AWS_RAM policy can only be managed by the RAM service"):
        kms_client.put_key_policy(KeyId=key_id, PolicyName="AWS_RAM", Policy=policy_of())


def test_a_policy_of_more_than_32_kilobytes(kms_client, key_id, refusal):
    """API PutKeyPolicy: LimitExceededException, although the model allows 131,072 characters."""
    room = 32_768 - len(policy_of(Sid=""))
    kms_client.put_key_policy(KeyId=key_id, Policy=policy_of(Sid="") + " " * room)
    before = kms_client.get_key_policy(KeyId=key_id)["Policy"]
    with refusal("LimitExceededException"):
        kms_client.put_key_policy(KeyId=key_id, Policy=policy_of(Sid="") + " " * (room + 1))
    with refusal("LimitExceededException"):
        kms_client.create_key(Policy=policy_of(Sid="") + " " * (room + 1))
    assert kms_client.get_key_policy(KeyId=key_id)["Policy"] == before


def test_characters_of_a_policy(kms_client, key_id, refusal):
    """The model's pattern: tab, line feed, carriage return, U+0020 to U+00FF."""
    kms_client.put_key_policy(KeyId=key_id, Policy=policy_of() + "\t\r\n ")
    with refusal("ValidationException"):
        kms_client.put_key_policy(KeyId=key_id, Policy=policy_of() + "\u0100")


def test_a_malformed_policy(kms_client, key_id, refusal):
    with refusal("MalformedPolicyDocumentException"):
        kms_client.put_key_policy(KeyId=key_id, Policy="{")
    with refusal("MalformedPolicyDocumentException"):
        kms_client.create_key(Policy="[]")
    assert len(kms_client.list_keys()["Keys"]) == 1


def test_the_policy_of_an_aws_managed_key(kms_client, refusal):
    key_id = kms_client.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["KeyId"]
    assert json.loads(kms_client.get_key_policy(KeyId=key_id)["Policy"])["Id"] == "auto-s3-2"
    with refusal("AccessDeniedException"):
        kms_client.put_key_policy(KeyId=key_id, Policy=policy_of())
