from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

import pytest
from dateutil.tz import tzlocal
from hypothesis import given
from hypothesis import strategies as st

from pytest_kmsmock._kms.api.errors import KmsError
from pytest_kmsmock._transport import json_protocol

ZONES = ["UTC", "Asia/Kolkata", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]


@pytest.fixture
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("zone", ZONES, indirect=True)
def test_times_are_local_as_parsed_by_botocore(zone):
    moments = [
        datetime(2026, 1, 1, 0, 30, tzinfo=timezone.utc) + timedelta(hours=1) * step for step in range(0, 8760, 5)
    ]
    for moment in (*moments, datetime(1971, 7, 1, tzinfo=timezone.utc)):
        found = json_protocol.parsed("DescribeKey", {"KeyMetadata": {"CreationDate": moment}})["KeyMetadata"][
            "CreationDate"
        ]
        expected = moment.astimezone(tzlocal())
        assert (found.isoformat(), found.fold, type(found.tzinfo)) == (expected.isoformat(), expected.fold, tzlocal)


def test_a_response_has_headers_in_any_case(kms_client):
    seen = []
    kms_client.meta.events.register("after-call.kms", lambda http_response, **_: seen.append(http_response))
    metadata = kms_client.list_keys()["ResponseMetadata"]
    (response,) = seen
    assert response.headers["X-Amzn-RequestId"] == response.headers["x-amzn-requestid"] == metadata["RequestId"]
    assert response.headers is response.headers  # what a hook changes stays changed


_VALUES = st.one_of(
    st.text(), st.binary(), st.booleans(), st.integers(), st.lists(st.text()),
    st.dictionaries(st.text(), st.text()), st.datetimes(timezones=st.just(timezone.utc)),
)  # fmt: skip


@given(st.dictionaries(st.from_regex(r"[A-Za-z]+", fullmatch=True), _VALUES))
def test_the_length_of_an_answer_is_that_of_its_body(result):
    assert json_protocol.length(result) == len(json_protocol.body(result))


def test_answers_have_the_headers_of_aws(kms_client):
    """Recorded: cloud-custodian, 15 recordings of 2019."""
    headers = kms_client.create_key()["ResponseMetadata"]["HTTPHeaders"]
    assert list(headers) == [
        "x-amzn-requestid", "cache-control", "expires", "pragma", "date", "content-type", "content-length",
    ]  # fmt: skip
    key = kms_client.list_keys()["Keys"][0]["KeyId"]
    empty = kms_client.update_key_description(KeyId=key, Description="x")["ResponseMetadata"]["HTTPHeaders"]
    assert empty["content-length"] == "0"


@pytest.mark.parametrize(("code", "member"), [("AccessDeniedException", "Message"), ("ThrottlingException", "message")])
def test_the_member_of_an_errors_message(code, member):
    """Recorded bodies: aws/aws-nitro-enclaves-sdk-c#127, #157 (AccessDeniedException), hyperlane-monorepo#2391."""
    assert json_protocol.error_body(KmsError(code, "Why.")) == f'{{"__type":"{code}","{member}":"Why."}}'.encode()
