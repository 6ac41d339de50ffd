"""The records of accounts and Regions, and copies of them."""

from __future__ import annotations

import bisect
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_kmsmock._kms.api.key_specs import KEY_SPECS
from pytest_kmsmock._kms.state.records import (
    SHARED,
    Alias,
    Grant,
    Key,
    LastUsage,
    MultiRegion,
)
from pytest_kmsmock._kms.state.state import Region, SortedNames, State

NOW = datetime(2024, 1, 1, tzinfo=timezone.utc)


def key(key_id, region="us-east-1", account="111122223333", **fields):
    fields.setdefault("origin", "AWS_KMS")
    return Key(
        id=key_id, arn=f"arn:aws:kms:{region}:{account}:key/{key_id}", account=account, region=region,
        spec=KEY_SPECS["SYMMETRIC_DEFAULT"], usage="ENCRYPT_DECRYPT", created=NOW, policy="{}", **fields,
    )  # fmt: skip


@given(st.lists(st.text(max_size=3), unique=True), st.text(max_size=3), st.randoms())
def test_sorted_names(names, pivot, random):
    found = SortedNames()
    for name in names:
        found.add(name)
    copy = found.copy()
    gone = random.sample(names, len(names) // 2)
    for name in gone:
        found.remove(name)
    left = sorted(set(names) - set(gone))
    assert list(found.after(None)) == left
    assert list(found.after(pivot)) == left[bisect.bisect_right(left, pivot) :]
    assert list(copy.after(None)) == sorted(names)


def test_aliases_follow_their_keys():
    region = Region("111122223333", "us-east-1")
    region.put_alias(Alias("alias/aws/s3", None, None, None))
    for name in ("alias/b", "alias/a"):
        region.put_alias(Alias(name, "one", NOW, NOW))
    assert region.aliases_of == {"one": ("alias/b", "alias/a")}
    region.put_alias(Alias("alias/b", "two", NOW, NOW))
    region.put_alias(Alias("alias/aws/s3", "three", NOW, NOW))
    assert region.aliases_of == {"one": ("alias/a",), "two": ("alias/b",), "three": ("alias/aws/s3",)}
    region.remove_alias("alias/a")
    region.put_alias(Alias("alias/aws/ebs", None, None, None))
    region.remove_alias("alias/aws/ebs")
    assert region.aliases_of == {"two": ("alias/b",), "three": ("alias/aws/s3",)}
    assert list(region.alias_names.after(None)) == ["alias/aws/s3", "alias/b"] == sorted(region.aliases)


def test_aliases_of_a_key_stay_in_order_of_creation():
    region = Region("111122223333", "us-east-1")
    for name in ("alias/b", "alias/c", "alias/a"):
        region.put_alias(Alias(name, "one", NOW, NOW))
    region.put_alias(Alias("alias/b", "two", NOW, NOW))
    region.put_alias(Alias("alias/b", "one", NOW, NOW))
    region.put_alias(Alias("alias/c", "one", NOW, NOW))
    assert region.aliases_of == {"one": ("alias/b", "alias/c", "alias/a")}


def test_removing_a_key_removes_its_aliases_and_grants():
    state = State()
    state.add_key(key("one"))
    state.add_key(key("two"))
    region = state.region("111122223333", "us-east-1")
    region.put_alias(Alias("alias/a", "one", NOW, NOW))
    region.put_alias(Alias("alias/b", "two", NOW, NOW))
    region.grants["one"] = {"grant": Grant("grant", "arn", "one", ("token",), "", NOW, ("Encrypt",), "111122223333")}
    region.last_usage["one"] = LastUsage("Encrypt", NOW, "request")
    state.remove_key(region.keys["one"])
    assert list(region.keys) == ["two"] == list(region.key_ids.after(None))
    assert list(region.aliases) == ["alias/b"]
    assert (region.grants, region.last_usage) == ({}, {})


def test_finding_a_key_in_any_account():
    state = State()
    state.add_key(key("one", account="444455556666"))
    state.region("111122223333", "us-east-1")
    assert state.find_key("us-east-1", "one").account == "444455556666"
    assert state.find_key("eu-west-1", "one") is None
    assert {(region.account, region.name) for region in state.regions()} == {
        ("444455556666", "us-east-1"),
        ("111122223333", "us-east-1"),
    }


def test_the_partition_of_a_region():
    assert Region("111122223333", "cn-north-1").partition == "aws-cn"


@pytest.mark.parametrize("origin", ["AWS_KMS", "EXTERNAL"])
def test_related_keys_share_what_aws_synchronises(origin):
    """Developer Guide, "Multi-Region keys": shared properties. Imported material is imported into each key."""
    state = State()
    places = MultiRegion("us-east-1", ("eu-west-1", "eu-west-2"))  # the last one is gone meanwhile
    for region in ("us-east-1", "eu-west-1"):
        state.add_key(key("mrk-1", region, origin=origin, multi_region=places))
    primary = state.region("111122223333", "us-east-1").keys["mrk-1"]
    changed = state.change_key(primary, on_demand_rotations=3, description="mine", materials=("new",))
    [other] = state.related(changed)
    assert (other.region, other.on_demand_rotations, other.description) == ("eu-west-1", 3, "")
    assert other.materials == (("new",) if origin == "AWS_KMS" else ())
    assert [related.region for related in state.related(other)] == ["us-east-1"]
    state.change_key(changed, description="again")
    assert list(state.related(key("one"))) == []
    assert set(Key._fields) >= SHARED


def test_a_copy_is_independent():
    state = State()
    state.add_key(key("one"))
    region = state.region("111122223333", "us-east-1")
    region.put_alias(Alias("alias/a", "one", NOW, NOW))
    region.grants["one"] = {}
    state.schedule(NOW, region, "one")
    copy = state.copy()
    inner = copy.region("111122223333", "us-east-1")
    assert inner.keys["one"] is region.keys["one"]
    copy.remove_key(inner.keys["one"])
    copy.timeline.clear()
    inner.custom_key_stores["cks-1"] = None
    assert list(region.keys) == ["one"] == list(region.key_ids.after(None))
    assert (list(region.aliases), region.aliases_of) == (["alias/a"], {"one": ("alias/a",)})
    assert list(region.alias_names.after(None)) == ["alias/a"]
    assert (region.grants, region.custom_key_stores) == ({"one": {}}, {})
    assert state.timeline == [(NOW, "111122223333", "us-east-1", "one")]
