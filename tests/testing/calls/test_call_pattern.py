from __future__ import annotations

import functools
import operator
import re
from unittest.mock import ANY

import pytest

CONTEXT = {"tenant": "a", "table": "t"}


@pytest.fixture
def calls(kms_mock, kms_client):
    key_id = kms_client.create_key(
        Description="orders", Tags=[{"TagKey": "team", "TagValue": "blue"}, {"TagKey": "env", "TagValue": "test"}]
    )["KeyMetadata"]["KeyId"]
    kms_client.encrypt(KeyId=key_id, Plaintext="text", EncryptionContext=CONTEXT)
    kms_client.encrypt(KeyId=key_id, Plaintext=b"bytes")
    return kms_mock.calls


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        pytest.param({"EncryptionContext": {"tenant": "a"}}, 1, id="part of a mapping"),
        pytest.param({"EncryptionContext": {"tenant": "b"}}, 0, id="another value"),
        pytest.param({"EncryptionContext": {"user": "a"}}, 0, id="another entry"),
        pytest.param({"EncryptionContext": CONTEXT}, 1, id="a whole mapping"),
        pytest.param({"EncryptionContext": lambda context: context == CONTEXT}, 1, id="a function: exactly this"),
        pytest.param({"EncryptionContext": {"tenant": ANY}}, 1, id="unittest.mock.ANY in a mapping"),
        pytest.param({"EncryptionContext": ANY}, 1, id="unittest.mock.ANY: there at all"),
        pytest.param({"EncryptionContext": {"tenant": re.compile("^[ab]$")}}, 1, id="a pattern in a mapping"),
        pytest.param({"EncryptionContext": re.compile("a")}, 0, id="a pattern for what is no text"),
        pytest.param({"EncryptionContext": None}, 1, id="None: no context at all"),
        pytest.param({"EncryptionContext": {}}, 1, id="empty: no context at all"),
        pytest.param({"EncryptionContext": {"user": None}}, 1, id="None in a mapping: no such entry"),
        pytest.param({"EncryptionContext": {"tenant": None}}, 0, id="None in a mapping that has the entry"),
        pytest.param({"Plaintext": b"bytes"}, 1, id="bytes"),
        pytest.param({"Plaintext": "text"}, 1, id="text for a blob, as botocore takes it"),
        pytest.param({"Plaintext": functools.partial(operator.eq, b"bytes")}, 1, id="a partial function"),
        pytest.param({"KeyId": re.compile("-")}, 2, id="a pattern for a key"),
    ],
)
def test_members_match(calls, members, expected):
    assert len(calls.of("Encrypt", **members)) == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        pytest.param([{"TagKey": "team"}, {"TagKey": "env", "TagValue": "test"}], 1, id="elements match partially"),
        pytest.param([{"TagKey": "team"}], 0, id="fewer elements"),
        pytest.param([{"TagKey": "env"}, {"TagKey": "team"}], 0, id="another order"),
        pytest.param(({"TagValue": "blue"}, {"TagValue": ANY}), 1, id="a tuple"),
        pytest.param({"TagKey": "team"}, 0, id="a mapping for a list"),
    ],
)
def test_lists_match_by_their_elements(calls, tags, expected):
    assert len(calls.of("CreateKey", Tags=tags)) == expected


def test_a_list_does_not_match_what_is_none(calls):
    assert not calls.of("CreateKey", Description=["orders"])
