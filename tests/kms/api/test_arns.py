"""Ids and ARNs."""

from __future__ import annotations

import os

import pytest
from botocore.loaders import Loader
from hypothesis import given
from hypothesis import strategies as st

from pytest_kmsmock._kms.api.arns import (
    KEY_ID,
    Arn,
    alias_arn,
    key_arn,
    new_key_id,
    new_uuid,
    parse_arn,
    partition_of,
)

PARTITIONS = Loader().load_data("partitions")["partitions"]
REGIONS = [(name, partition["id"]) for partition in PARTITIONS for name in partition["regions"]]
KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.mark.parametrize(
    ("region", "partition"), [(name, partition) for name, partition in REGIONS if not name.endswith("-global")]
)
def test_partitions_are_botocores(region, partition):
    assert partition_of(region) == partition


def test_arns():
    """Developer Guide, "Key identifiers"."""
    assert key_arn("us-west-2", "111122223333", KEY) == f"arn:aws:kms:us-west-2:111122223333:key/{KEY}"
    assert key_arn("cn-north-1", "111122223333", KEY).startswith("arn:aws-cn:kms:cn-north-1:")
    assert alias_arn("us-west-2", "111122223333", "alias/a") == "arn:aws:kms:us-west-2:111122223333:alias/a"


@given(
    st.sampled_from([name for name, _ in REGIONS]),
    st.from_regex(r"\A[0-9]{12}\Z"),
    st.from_regex(r"\A[a-zA-Z0-9:/_-]+\Z"),
    st.booleans(),
)
def test_an_arn_is_parsed_into_its_parts(region, account, name, is_alias):
    made = alias_arn(region, account, f"alias/{name}") if is_alias else key_arn(region, account, name)
    expected = Arn(partition_of(region), region, account, f"alias/{name}" if is_alias else name, is_alias)
    assert parse_arn(made) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        KEY,
        "alias/a",
        f"arn:aws:kms:us-east-1:12345:key/{KEY}",
        f"arn:aws:kms::123456789012:key/{KEY}",
        f"arn:aws:s3:us-east-1:123456789012:key/{KEY}",
        f"arn:aws-cn:kms:us-east-1:123456789012:key/{KEY}",  # a Region of another partition
        "arn:aws:kms:us-east-1:123456789012:key/",
        "arn:aws:kms:us-east-1:123456789012:grant/a",
        f"arn:aws:kms:us-east-1:123456789012:key/{KEY}\n",
    ],
)
def test_arns_that_are_not_of_kms(text):
    assert parse_arn(text) is None


def test_new_key_ids():
    """Key id: UUID v4 in lower case; multi-Region `mrk-` and 32 hexadecimal digits."""
    single, multi = new_key_id(os.urandom, multi_region=False), new_key_id(os.urandom, multi_region=True)
    assert KEY_ID.fullmatch(single)
    assert KEY_ID.fullmatch(multi)
    assert (single[14], multi[:4], len(multi)) == ("4", "mrk-", 36)


def test_ids_come_from_the_given_source():
    assert new_uuid(bytes) == "00000000-0000-4000-8000-000000000000"
    assert new_key_id(bytes, multi_region=True) == f"mrk-{'0' * 32}"
