"""Pagination: all pages together are the list, for any page size; markers are bound to their list."""

from __future__ import annotations

import base64
from contextlib import ExitStack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_kmsmock import mock_kms
from pytest_kmsmock._kms.operations.pagination import in_given_order
from pytest_kmsmock._kms.rules.managed_keys import predefined_aliases

#: Sizes of the lists that the client below has: more than a page of ListKeys, ListAliases and ListResourceTags.
KEYS, ALIASES, TAGS = 103, 60, 50


@pytest.fixture(scope="module")
def filled():
    """A client of a mock with many keys, and aliases, tags on one of them."""
    with ExitStack() as stack:
        kms = stack.enter_context(mock_kms(fresh=True))
        client = kms.client()
        key_ids = [client.create_key()["KeyMetadata"]["KeyId"] for _ in range(KEYS)]
        for number in range(ALIASES):
            client.create_alias(AliasName=f"alias/{number}", TargetKeyId=key_ids[number % 2])
        client.tag_resource(
            KeyId=key_ids[0], Tags=[{"TagKey": f"t{number}", "TagValue": str(number)} for number in range(TAGS)]
        )
        yield client, key_ids


def lists(client, key_ids):
    """Say how to call each list: operation, member, further request members, size, size of a page without Limit."""
    one = {"KeyId": key_ids[0]}
    return {
        "ListKeys": (client.list_keys, "Keys", {}, KEYS, 100),
        "ListAliases": (client.list_aliases, "Aliases", {}, ALIASES + len(predefined_aliases()), 50),
        "ListAliases of a key": (client.list_aliases, "Aliases", one, ALIASES // 2, 50),
        "ListResourceTags": (client.list_resource_tags, "Tags", one, TAGS, 50),
        "ListKeyPolicies": (client.list_key_policies, "PolicyNames", one, 1, 100),
    }


NAMES = ["ListKeys", "ListAliases", "ListAliases of a key", "ListResourceTags", "ListKeyPolicies"]


def pages(call, member, request):
    """Yield the pages of a list, as an SDK without paginators asks for them."""
    marker = {}
    while True:
        answer = call(**request, **marker)
        yield answer[member]
        assert answer["Truncated"] is ("NextMarker" in answer)
        if not answer["Truncated"]:
            return
        marker = {"Marker": answer["NextMarker"]}


@pytest.mark.parametrize("name", NAMES)
def test_all_pages_together_are_the_list(filled, name):
    call, member, request, size, default = lists(*filled)[name]
    whole = [entry for page in pages(call, member, request) for entry in page]
    assert len(whole) == size
    assert len({str(entry) for entry in whole}) == size
    assert len(next(pages(call, member, request))) == min(size, default)  # API: defaults of each list

    @settings(max_examples=15)
    @given(st.integers(1, 50))
    def in_pages(limit):
        found = list(pages(call, member, request | {"Limit": limit}))
        assert [entry for page in found for entry in page] == whole
        assert all(len(page) == limit for page in found[:-1])
        assert 0 < len(found[-1]) <= limit  # no empty page at the end

    in_pages()


@pytest.mark.parametrize("name", NAMES)
def test_botocores_paginators_read_the_whole_list(filled, name):
    client, _ = filled
    call, member, request, size, _ = lists(*filled)[name]
    found = client.get_paginator(call.__name__).paginate(**request, PaginationConfig={"PageSize": 7})
    assert sum(len(page[member]) for page in found) == size


@pytest.mark.parametrize(
    "marker",
    [
        pytest.param("nonsense", id="not base64"),
        pytest.param("äöü", id="not ASCII"),
        pytest.param(base64.b64encode(b"short").decode(), id="too short"),
        pytest.param(base64.b64encode(bytes(20)).decode(), id="made up"),
        pytest.param(base64.b64encode(b"\xff" * 40).decode(), id="not UTF-8"),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_invented_markers(filled, refusal, name, marker):
    call, _, request, _, _ = lists(*filled)[name]
    with refusal("InvalidMarkerException"):
        call(**request, Marker=marker)


def test_a_marker_is_for_its_own_list(filled, refusal):
    client, key_ids = filled
    marker = client.list_keys(Limit=1)["NextMarker"]
    with refusal("InvalidMarkerException"):
        client.list_aliases(Marker=marker)
    marker = client.list_aliases(KeyId=key_ids[0], Limit=1)["NextMarker"]
    for request in ({}, {"KeyId": key_ids[1]}):
        with refusal("InvalidMarkerException"):
            client.list_aliases(**request, Marker=marker)
    assert client.list_aliases(KeyId=key_ids[0], Limit=1, Marker=marker)["Aliases"]


@pytest.mark.kms_mock(fresh=True)
def test_a_marker_is_for_its_own_region(kms_mock, refusal):
    clients = [kms_mock.client(region=region) for region in ("us-east-1", "eu-west-1")]
    for client in clients:
        for _ in range(2):
            client.create_key()
    marker = clients[0].list_keys(Limit=1)["NextMarker"]
    with refusal("InvalidMarkerException"):
        clients[1].list_keys(Marker=marker)


@given(st.data())
def test_a_damaged_marker_is_noticed(filled, data):
    client, _ = filled
    marker = client.list_keys(Limit=1)["NextMarker"]
    at = data.draw(st.integers(0, len(marker) - 1))
    other = data.draw(st.characters(min_codepoint=0x20, max_codepoint=0x7E).filter(lambda c: c != marker[at]))
    with pytest.raises(client.exceptions.InvalidMarkerException):
        client.list_keys(Limit=1, Marker=marker[:at] + other + marker[at + 1 :])


@pytest.mark.kms_mock(fresh=True)
def test_deleting_what_a_page_showed_loses_nothing(kms_client):
    """Who cleans up page by page sees everything once."""
    key_id = kms_client.create_key()["KeyMetadata"]["KeyId"]
    for number in range(5):
        kms_client.create_alias(AliasName=f"alias/{number}", TargetKeyId=key_id)
    kms_client.tag_resource(KeyId=key_id, Tags=[{"TagKey": f"t{number}", "TagValue": ""} for number in range(5)])
    request = {"KeyId": key_id, "Limit": 2}
    for page in pages(kms_client.list_aliases, "Aliases", request):
        for entry in page:
            kms_client.delete_alias(AliasName=entry["AliasName"])
    for page in pages(kms_client.list_resource_tags, "Tags", request):
        kms_client.untag_resource(KeyId=key_id, TagKeys=[tag["TagKey"] for tag in page])
    assert kms_client.list_aliases(KeyId=key_id)["Aliases"] == []
    assert kms_client.list_resource_tags(KeyId=key_id)["Tags"] == []


@pytest.mark.kms_mock(fresh=True)
def test_the_longest_marker_fits_the_model(kms_client):
    """A marker has at most 1,024 characters; tag keys may have 128 characters of four bytes."""
    key_id = kms_client.create_key()["KeyMetadata"]["KeyId"]
    names = ["\U00020000" * 127 + letter for letter in "ab"]
    kms_client.tag_resource(KeyId=key_id, Tags=[{"TagKey": name, "TagValue": ""} for name in names])
    found = list(pages(kms_client.list_resource_tags, "Tags", {"KeyId": key_id, "Limit": 1}))
    assert [tag["TagKey"] for page in found for tag in page] == names


@given(st.lists(st.text(max_size=2), unique=True))
def test_lists_in_their_own_order(names):
    after = in_given_order(names)
    assert list(after(None)) == names
    for number, name in enumerate(names):
        assert list(after(name)) == names[number + 1 :]
    assert list(after("gone")) == []
