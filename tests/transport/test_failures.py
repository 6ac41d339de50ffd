from __future__ import annotations

import asyncio
import time

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
import requests

from pytest_kmsmock._transport import failures

URL = "https://kms.us-east-1.amazonaws.com/"


@pytest.fixture
def post(kms_mock):
    """Call ListKeys by `requests`."""

    def send():
        request = botocore.awsrequest.AWSRequest(
            "POST", URL, {"X-Amz-Target": "TrentService.ListKeys", "Content-Type": "application/x-amz-json-1.1"}, b"{}"
        )
        credentials = botocore.credentials.Credentials("AKIAKMSMOCKDEFAULT00", "pytest-kmsmock")
        botocore.auth.SigV4Auth(credentials, "kms", "us-east-1").add_auth(request)
        return requests.post(URL, data=b"{}", headers=dict(request.headers), timeout=5)

    return send


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param("EndpointConnectionError", requests.ConnectionError, id="no connection"),
        pytest.param("ConnectionClosedError", requests.ConnectionError, id="closed"),
        pytest.param("ConnectTimeoutError", requests.ConnectTimeout, id="connect time-out"),
        pytest.param("ReadTimeoutError", requests.ReadTimeout, id="read time-out"),
        pytest.param("SSLError", requests.exceptions.SSLError, id="TLS"),
        pytest.param("ProxyConnectionError", requests.exceptions.ProxyError, id="proxy"),
    ],
)
def test_a_failed_connection_raises_the_exception_of_requests(kms_mock, post, error, expected):
    kms_mock.faults.add("ListKeys", error=error)
    with pytest.raises(expected, match="injected by the test") as failed:
        post()
    assert type(failed.value) is expected
    assert failed.value.request.url == URL


def test_an_injected_error_is_a_response(kms_mock, post):
    kms_mock.faults.add("ListKeys", error="ThrottlingException", times=1)
    kms_mock.faults.add("ListKeys", error=502)
    answer = post()
    assert answer.status_code == 400
    assert answer.json()["__type"] == "ThrottlingException"
    answer = post()
    assert (answer.status_code, answer.content) == (502, b"")


def test_a_delay_applies_by_wire(kms_mock, post):
    kms_mock.faults.add("ListKeys", delay=0.05)
    begin = time.perf_counter()
    assert post().status_code == 200
    assert time.perf_counter() - begin >= 0.05


def test_an_awaited_delay_does_not_block_the_event_loop():
    async def two():
        late = [failures.deliver("answer", 0.2, asynchronous=True) for _ in range(2)]
        return await asyncio.gather(*late)

    begin = time.perf_counter()
    assert asyncio.run(two()) == ["answer", "answer"]
    assert time.perf_counter() - begin < 0.39


def test_a_late_failure_is_raised_where_it_is_awaited():
    late = failures.deliver(ValueError("late"), 0.001, asynchronous=True)
    with pytest.raises(ValueError, match="late"):
        asyncio.run(_await(late))


def test_without_a_delay_nothing_is_awaited():
    assert failures.deliver("answer", 0, asynchronous=True) == "answer"


async def _await(late):
    return await late
