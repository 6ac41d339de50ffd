"""TagResource, UntagResource and ListResourceTags."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_kmsmock import mock_kms


@pytest.fixture
def key_id(kms_client):
    return kms_client.create_key()["KeyMetadata"]["KeyId"]


def written(**tags):
    return [{"TagKey": name, "TagValue": value} for name, value in tags.items()]


def tags_of(client, key_id):
    return {tag["TagKey"]: tag["TagValue"] for tag in client.list_resource_tags(KeyId=key_id)["Tags"]}


def test_tags_are_added_and_edited(kms_client, key_id):
    answer = kms_client.tag_resource(KeyId=key_id, Tags=written(Purpose="Test", CostCenter="87654"))
    assert answer.keys() == {"ResponseMetadata"}
    kms_client.tag_resource(KeyId=key_id, Tags=written(Purpose="", CreatedBy="ExampleUser"))
    answer = kms_client.list_resource_tags(KeyId=key_id)
    assert answer["Truncated"] is False
    # in the order of botocore's examples-1.json
    assert answer["Tags"] == written(CostCenter="87654", CreatedBy="ExampleUser", Purpose="")


def test_tag_keys_are_case_sensitive(kms_client, key_id):
    kms_client.tag_resource(KeyId=key_id, Tags=written(a="1", A="2"))
    assert tags_of(kms_client, key_id) == {"A": "2", "a": "1"}


def test_tags_are_removed(kms_client, key_id):
    kms_client.tag_resource(KeyId=key_id, Tags=written(a="1", b="2", c="3"))
    answer = kms_client.untag_resource(KeyId=key_id, TagKeys=["a", "unknown", "c"])  # API: unknown keys are no error
    assert answer.keys() == {"ResponseMetadata"}
    assert tags_of(kms_client, key_id) == {"b": "2"}


def test_a_key_has_50_tags(kms_client, key_id, refusal):
    """Developer Guide, resource quotas. For too many in one request recorded from AWS, 2025; for others inferred."""
    kms_client.tag_resource(KeyId=key_id, Tags=written(**{f"t{number}": "" for number in range(49)}))
    with refusal("LimitExceededException", "Too many tags"):
        kms_client.tag_resource(KeyId=key_id, Tags=written(a="", b=""))
    kms_client.tag_resource(KeyId=key_id, Tags=written(t50="", t1="changed"))
    with refusal("LimitExceededException"):
        kms_client.tag_resource(KeyId=key_id, Tags=written(t51=""))
    kms_client.tag_resource(KeyId=key_id, Tags=written(t1="again"))
    assert len(tags_of(kms_client, key_id)) == 50
    many = written(**{f"t{number}": "" for number in range(51)})
    with refusal("TagException", "Too many tags"):
        kms_client.create_key(Tags=many)
    with refusal("TagException", "Too many tags"):
        kms_client.tag_resource(KeyId=kms_client.create_key()["KeyMetadata"]["KeyId"], Tags=many)


@pytest.mark.parametrize("name", ["aws:a", "AWS:a", "Aws:"])
def test_reserved_tag_keys(kms_client, key_id, refusal, name):
    """Recorded from AWS, 2025."""
    with refusal("TagException", "Tags beginning with aws: are reserved"):
        kms_client.tag_resource(KeyId=key_id, Tags=written(**{name: ""}))
    with refusal("TagException", "Tags beginning with aws: are reserved"):
        kms_client.create_key(Tags=written(**{name: ""}))


@pytest.mark.parametrize("tags", [written(**{"a*": ""}), written(a="x;y")], ids=["key", "value"])
def test_forbidden_characters(kms_client, key_id, refusal, tags):
    """Recorded from AWS, 2023 (crossplane-contrib/provider-upjet-aws#922), of CreateKey."""
    with refusal("TagException", "Invalid tag"):
        kms_client.tag_resource(KeyId=key_id, Tags=tags)
    with refusal("TagException", "Invalid tag"):
        kms_client.create_key(Tags=tags)


def test_a_tag_key_twice(kms_client, key_id, refusal):
    with refusal("TagException", "Duplicate tag keys"):  # (B)
        kms_client.tag_resource(KeyId=key_id, Tags=written(a="1") + written(a="2"))
    assert tags_of(kms_client, key_id) == {}


def test_tagging_with_nothing_changes_nothing(kms_client, key_id):
    kms_client.tag_resource(KeyId=key_id, Tags=written(a="1"))
    kms_client.tag_resource(KeyId=key_id, Tags=[])
    kms_client.untag_resource(KeyId=key_id, TagKeys=[])
    assert tags_of(kms_client, key_id) == {"a": "1"}


def test_aws_managed_keys_cannot_be_tagged(kms_client, refusal):
    """API TagResource: "you cannot tag an AWS managed key"."""
    managed = kms_client.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["KeyId"]
    with refusal("AccessDeniedException"):
        kms_client.tag_resource(KeyId=managed, Tags=written(a="1"))
    with refusal("AccessDeniedException"):
        kms_client.untag_resource(KeyId=managed, TagKeys=["a"])
    assert kms_client.list_resource_tags(KeyId=managed)["Tags"] == []


#: "Letters, numbers, spaces representable in UTF-8, and + - = . _ : / @".
CHARACTERS = st.characters(categories=["L", "N"], include_characters=" +-=._:/@")
KEYS = st.text(CHARACTERS, min_size=1, max_size=128).filter(lambda text: not text.lower().startswith("aws:"))


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(KEYS, st.text(CHARACTERS, max_size=256), max_size=8))
def test_tags_come_back_as_they_were_given_page_by_page(tags):
    with mock_kms() as kms:
        client = kms.client()
        key_id = client.create_key(Tags=written(**tags))["KeyMetadata"]["KeyId"]
        pages = client.get_paginator("list_resource_tags").paginate(KeyId=key_id, PaginationConfig={"PageSize": 1})
        entries = [tag for page in pages for tag in page["Tags"]]
        assert entries == written(**dict(sorted(tags.items())))
