"""CreateAlias, UpdateAlias, DeleteAlias and ListAliases."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from pytest_kmsmock._kms.operations.management.aliases import ALIASES_PER_KEY
from pytest_kmsmock._kms.rules.managed_keys import predefined_aliases

ARN = "arn:aws:kms:us-east-1:123456789012:"
SIGNS = {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}


@pytest.fixture
def key(kms_client):
    return kms_client.create_key()["KeyMetadata"]


def own_aliases(client, **request):
    """List the aliases that are not AWS's."""
    pages = client.get_paginator("list_aliases").paginate(**request)
    entries = [entry for page in pages for entry in page["Aliases"]]
    return [entry for entry in entries if not entry["AliasName"].startswith("alias/aws/")]


def test_an_alias_names_a_key(kms_mock, kms_client, key):
    kms_mock.clock.freeze("2024-01-01")
    answer = kms_client.create_alias(AliasName="alias/ExampleAlias", TargetKeyId=key["Arn"])
    assert answer.keys() == {"ResponseMetadata"}
    now = datetime(2024, 1, 1, tzinfo=timezone.utc)
    assert own_aliases(kms_client) == [
        {
            "AliasName": "alias/ExampleAlias",
            "AliasArn": f"{ARN}alias/ExampleAlias",
            "TargetKeyId": key["KeyId"],  # the id, not the ARN
            "CreationDate": now,
            "LastUpdatedDate": now,
        }
    ]
    assert kms_client.describe_key(KeyId="alias/ExampleAlias")["KeyMetadata"]["KeyId"] == key["KeyId"]


@pytest.mark.parametrize("name", ["alias/a", "alias/a/b", "alias/A-Z_0-9/x", "alias/aws", "alias/awsome", "alias//"])
def test_names(kms_client, key, name):
    kms_client.create_alias(AliasName=name, TargetKeyId=key["KeyId"])
    assert kms_client.describe_key(KeyId=name)["KeyMetadata"]["KeyId"] == key["KeyId"]


PREFIX_TEXT = (  # recorded: aws-controllers-k8s/community#1878
    'Alias must start with the prefix "alias/". Please see '
    "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
)
PATTERN_TEXT = (
    "1 validation error detected: Value '{}' at 'aliasName' failed to satisfy constraint: "
    "Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$"
)
BAD_NAMES = [
    pytest.param("example", "ValidationException", PREFIX_TEXT, id="no prefix"),
    pytest.param("alias/", "ValidationException", PREFIX_TEXT, id="prefix alone"),
    pytest.param("Alias/a", "ValidationException", PREFIX_TEXT, id="prefix in upper case"),
    pytest.param("alias/a:b", "ValidationException", "alias/a:b contains invalid characters for an alias", id="colon"),
    pytest.param("alias/a b", "ValidationException", PATTERN_TEXT.format("alias/a b"), id="blank"),
    pytest.param("alias/a.b", "ValidationException", PATTERN_TEXT.format("alias/a.b"), id="point"),
    pytest.param("alias/aws/mine", "NotAuthorizedException", "", id="reserved"),
    pytest.param("alias/aws/s3", "NotAuthorizedException", "", id="AWS's own"),
]


@pytest.mark.parametrize(("name", "code", "text"), BAD_NAMES)
def test_bad_names_are_refused_by_all_three(kms_client, refusal, key, name, code, text):
    with refusal(code, text):
        kms_client.create_alias(AliasName=name, TargetKeyId=key["KeyId"])
    with refusal(code, text):
        kms_client.update_alias(AliasName=name, TargetKeyId=key["KeyId"])
    with refusal(code, text):
        kms_client.delete_alias(AliasName=name)


def test_names_are_case_sensitive(kms_client, key, refusal):
    kms_client.create_alias(AliasName="alias/Name", TargetKeyId=key["KeyId"])
    kms_client.create_alias(AliasName="alias/name", TargetKeyId=kms_client.create_key()["KeyMetadata"]["KeyId"])
    assert kms_client.describe_key(KeyId="alias/Name")["KeyMetadata"]["KeyId"] == key["KeyId"]
    with refusal("NotFoundException", f"Alias {ARN}alias/NAME is not found."):  # cloudposse/docs#152
        kms_client.describe_key(KeyId="alias/NAME")


def test_a_store_name_is_unique(kms_client, key, refusal):
    kms_client.create_alias(AliasName="alias/a", TargetKeyId=key["KeyId"])
    with refusal(
        "AlreadyExistsException", f"An alias with the name {ARN}alias/a already exists"
    ):  # moto, local-kms (B)
        kms_client.create_alias(AliasName="alias/a", TargetKeyId=key["KeyId"])


def test_a_key_has_several_aliases(kms_client, key):
    for name in ("alias/b", "alias/a"):
        kms_client.create_alias(AliasName=name, TargetKeyId=key["KeyId"])
    other = kms_client.create_key()["KeyMetadata"]
    kms_client.create_alias(AliasName="alias/other", TargetKeyId=other["KeyId"])
    for identifier in (key["KeyId"], key["Arn"]):
        listed = kms_client.list_aliases(KeyId=identifier)["Aliases"]
        assert [entry["AliasName"] for entry in listed] == ["alias/a", "alias/b"]


def test_an_alias_is_in_one_region(kms_mock, kms_client, key, refusal):
    """API CreateAlias: "you can have aliases with the same name in different Regions"."""
    kms_client.create_alias(AliasName="alias/a", TargetKeyId=key["KeyId"])
    elsewhere = kms_mock.client(region="eu-west-1")
    with refusal("NotFoundException", "Alias arn:aws:kms:eu-west-1:123456789012:alias/a is not found."):
        elsewhere.describe_key(KeyId="alias/a")
    other = elsewhere.create_key()["KeyMetadata"]
    elsewhere.create_alias(AliasName="alias/a", TargetKeyId=other["KeyId"])
    assert elsewhere.describe_key(KeyId="alias/a")["KeyMetadata"]["KeyId"] == other["KeyId"]
    with refusal("NotFoundException"):
        kms_client.create_alias(AliasName="alias/b", TargetKeyId=other["Arn"])


def test_the_quota_of_aliases_of_a_key(kms_client, key, refusal):
    """Developer Guide, resource quotas: 50. The message is recorded: scylladb/scylla-cluster-tests#7611, #7634."""
    text = "Aliases per key quota for this account in this region is 50, current usage is 50."
    for number in range(ALIASES_PER_KEY):
        kms_client.create_alias(AliasName=f"alias/{number}", TargetKeyId=key["KeyId"])
    with refusal("LimitExceededException", text):
        kms_client.create_alias(AliasName="alias/more", TargetKeyId=key["KeyId"])
    other = kms_client.create_key()["KeyMetadata"]
    kms_client.create_alias(AliasName="alias/more", TargetKeyId=other["KeyId"])
    with refusal("LimitExceededException", text):
        kms_client.update_alias(AliasName="alias/more", TargetKeyId=key["KeyId"])
    kms_client.update_alias(AliasName="alias/1", TargetKeyId=key["KeyId"])  # changes nothing
    kms_client.delete_alias(AliasName="alias/1")
    kms_client.update_alias(AliasName="alias/more", TargetKeyId=key["KeyId"])
    assert len(own_aliases(kms_client, KeyId=key["KeyId"])) == ALIASES_PER_KEY == 50


def test_aliases_of_aws_managed_keys_cannot_be_changed(kms_client, refusal):
    managed = kms_client.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    with refusal("AccessDeniedException"):
        kms_client.create_alias(AliasName="alias/mine", TargetKeyId=managed["KeyId"])
    key = kms_client.create_key()["KeyMetadata"]
    kms_client.create_alias(AliasName="alias/mine", TargetKeyId=key["KeyId"])
    with refusal("AccessDeniedException"):
        kms_client.update_alias(AliasName="alias/mine", TargetKeyId=managed["KeyId"])


# --- UpdateAlias -------------------------------------------------------------------------------------------------


def test_an_alias_moves_to_another_key(kms_mock, kms_client, key):
    kms_mock.clock.freeze("2024-01-01")
    kms_client.create_alias(AliasName="alias/a", TargetKeyId=key["KeyId"])
    other = kms_client.create_key()["KeyMetadata"]
    kms_mock.clock.advance(timedelta(days=1))
    answer = kms_client.update_alias(AliasName="alias/a", TargetKeyId=other["Arn"])
    assert answer.keys() == {"ResponseMetadata"}
    [entry] = own_aliases(kms_client)
    assert entry["TargetKeyId"] == other["KeyId"]
    assert entry["CreationDate"] == datetime(2024, 1, 1, tzinfo=timezone.utc)
    assert entry["LastUpdatedDate"] == datetime(2024, 1, 2, tzinfo=timezone.utc)
    assert kms_client.list_aliases(KeyId=key["KeyId"])["Aliases"] == []


def test_an_alias_must_exist_to_move(kms_client, key, refusal):
    with refusal("NotFoundException", f"Alias {ARN}alias/none is not found."):
        kms_client.update_alias(AliasName="alias/none", TargetKeyId=key["KeyId"])


@pytest.mark.parametrize(
    ("new", "text"),
    [
        pytest.param(SIGNS, "key type symmetric to a CMK with key type asymmetric", id="asymmetric"),
        pytest.param(
            {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
            "key type symmetric to a CMK with key type hmac",
            id="HMAC",
        ),
    ],
)
def test_an_alias_stays_with_its_type_of_key(kms_client, key, refusal, new, text):
    """API UpdateAlias: both symmetric or both asymmetric or both HMAC. Text: local-kms (B)."""
    kms_client.create_alias(AliasName="alias/a", TargetKeyId=key["KeyId"])
    other = kms_client.create_key(**new)["KeyMetadata"]
    with refusal(
        "ValidationException",
        f"Alias alias/a cannot be changed from a CMK with {text}. "
        "The key type of the current CMK and the new CMK must be the same.",
    ):
        kms_client.update_alias(AliasName="alias/a", TargetKeyId=other["KeyId"])


def test_an_alias_stays_with_its_key_usage(kms_client, refusal):
    signing = kms_client.create_key(**SIGNS)["KeyMetadata"]["KeyId"]
    agreeing = kms_client.create_key(KeySpec="ECC_NIST_P256", KeyUsage="KEY_AGREEMENT")["KeyMetadata"]["KeyId"]
    kms_client.create_alias(AliasName="alias/a", TargetKeyId=signing)
    with refusal(
        "ValidationException",
        "Alias alias/a cannot be changed from a CMK with key usage SIGN_VERIFY to a CMK with key usage KEY_AGREEMENT. "
        "The key usage of the current CMK and the new CMK must be the same.",
    ):
        kms_client.update_alias(AliasName="alias/a", TargetKeyId=agreeing)
    other_spec = kms_client.create_key(KeySpec="ECC_NIST_P384", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    kms_client.update_alias(AliasName="alias/a", TargetKeyId=other_spec)  # the key spec may differ


def test_an_alias_leaves_a_key_that_is_to_be_deleted(kms_client, key, refusal):
    """Developer Guide, key states, footnote 10: the old key may be pending deletion, the new one not."""
    kms_client.create_alias(AliasName="alias/a", TargetKeyId=key["KeyId"])
    kms_client.schedule_key_deletion(KeyId=key["KeyId"])
    other = kms_client.create_key()["KeyMetadata"]
    kms_client.update_alias(AliasName="alias/a", TargetKeyId=other["KeyId"])
    with refusal("KMSInvalidStateException", f"{key['Arn']} is pending deletion."):
        kms_client.update_alias(AliasName="alias/a", TargetKeyId=key["KeyId"])


# --- DeleteAlias -------------------------------------------------------------------------------------------------


def test_deleting_an_alias(kms_client, key, refusal):
    kms_client.create_alias(AliasName="alias/a", TargetKeyId=key["KeyId"])
    kms_client.schedule_key_deletion(KeyId=key["KeyId"])  # works in every key state
    assert kms_client.delete_alias(AliasName="alias/a").keys() == {"ResponseMetadata"}
    assert own_aliases(kms_client) == []
    with refusal("NotFoundException", f"Alias {ARN}alias/a is not found."):
        kms_client.delete_alias(AliasName="alias/a")
    kms_client.describe_key(KeyId=key["KeyId"])  # the key is untouched


# --- ListAliases -------------------------------------------------------------------------------------------------


def test_predefined_aliases_have_no_key_before_their_first_use(kms_client):
    """API ListAliases: "aliases that have no TargetKeyId field"."""
    used = kms_client.describe_key(KeyId="alias/aws/acm")["KeyMetadata"]
    pages = kms_client.get_paginator("list_aliases").paginate()
    listed = {entry["AliasName"]: entry for page in pages for entry in page["Aliases"]}
    assert list(listed) == ["alias/aws/acm", *predefined_aliases()]
    assert listed["alias/aws/ebs"] == {"AliasName": "alias/aws/ebs", "AliasArn": f"{ARN}alias/aws/ebs"}
    assert listed["alias/aws/acm"]["TargetKeyId"] == used["KeyId"]
    [entry] = kms_client.list_aliases(KeyId=used["KeyId"])["Aliases"]
    assert entry == listed["alias/aws/acm"]


def test_aliases_of_a_key_need_the_key(kms_client, refusal):
    arn = f"{ARN}key/1234abcd-12ab-34cd-56ef-1234567890ab"
    with refusal("NotFoundException", f"Key '{arn}' does not exist"):
        kms_client.list_aliases(KeyId=arn)


def test_aliases_of_another_accounts_key_are_not_listed(kms_client, refusal):
    """API ListAliases: "ListAliases does not return aliases in other Amazon Web Services accounts"."""
    from pytest_kmsmock import mock_kms

    arn = kms_client.create_key()["KeyMetadata"]["Arn"]
    with mock_kms(account="111122223333") as inner, refusal("NotFoundException", f"Key '{arn}' does not exist"):
        inner.client().list_aliases(KeyId=arn)
