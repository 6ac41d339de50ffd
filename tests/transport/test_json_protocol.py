from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

import pytest
from dateutil.tz import tzlocal

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
def test_times_are_local_as_botocores_parser_makes_them(zone):
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
