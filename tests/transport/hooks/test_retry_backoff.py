from __future__ import annotations

import asyncio
import threading
import time
import zlib
from types import ModuleType, SimpleNamespace
from unittest.mock import patch

import botocore.endpoint
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.retries.bucket import TokenBucket
from botocore.session import Session

from pytest_kmsmock import mock_kms
from pytest_kmsmock._transport.hooks import retry_backoff
from pytest_kmsmock.errors import InvalidFault


@pytest.fixture
def slept(monkeypatch):
    """How long botocore really slept."""
    found: list[float] = []
    monkeypatch.setattr(time, "sleep", found.append)
    return found


def throttled(kms, mode="legacy"):
    client = kms.client(config=Config(retries={"mode": mode, "max_attempts": 3}))
    with kms.faults.add("ListKeys", error="ThrottlingException", times=2):
        client.list_keys()
    return client


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_pauses_are_skipped_and_the_clock_moves_on_by_them(kms_mock, slept, mode):
    before = kms_mock.clock.timestamp()
    throttled(kms_mock, mode)
    assert not slept
    assert len(kms_mock.faults.backoffs) == 2
    passed = kms_mock.clock.timestamp() - before
    assert sum(kms_mock.faults.backoffs) - 0.01 < passed < sum(kms_mock.faults.backoffs) + 5


def test_a_frozen_clock_stays_where_it_is(kms_mock, slept):
    frozen = kms_mock.clock.freeze()
    throttled(kms_mock)
    assert kms_mock.clock.now() == frozen


def test_pauses_are_real_if_the_test_wants_them(kms_mock, slept):
    kms_mock.faults.skip_backoff = False
    throttled(kms_mock)
    assert slept == kms_mock.faults.backoffs


def test_the_token_bucket_of_the_adaptive_mode_does_not_wait(kms_mock):
    client = throttled(kms_mock, "adaptive")  # now it is limited to a few calls per second
    kms_mock.faults.add("ListKeys", clock_delay=0.001)
    begin = time.perf_counter()
    for _ in range(20):
        client.list_keys()
    assert time.perf_counter() - begin < 2


def test_a_token_bucket_that_has_enough_gives_it_and_one_that_may_not_wait_says_so(kms_mock):
    throttled(kms_mock, "adaptive")
    clock = SimpleNamespace(current_time=time.time)
    bucket = TokenBucket(max_rate=1, clock=clock)
    assert bucket.acquire(1)  # none there yet: not waited for
    with pytest.raises(Exception, match="Insufficient request capacity"):
        bucket.acquire(1, block=False)
    kms_mock.faults.skip_backoff = False
    bucket.max_rate = 1000
    assert bucket.acquire(1)  # waited for: a thousandth of a second


def test_everything_is_as_before_after_the_mock():
    acquire = TokenBucket.acquire
    with mock_kms() as kms:
        throttled(kms)
        assert botocore.endpoint.time is not time
        assert botocore.endpoint.time.time is time.time  # all but `sleep`
        assert TokenBucket.acquire is not acquire
    assert botocore.endpoint.time is time
    assert TokenBucket.acquire is acquire


def test_pauses_of_other_services_are_real(kms_mock, slept):
    throttled(kms_mock)
    client = Session().create_client("sts", region_name="us-east-1", config=Config(retries={"mode": "legacy"}))
    statuses = iter([503, 200])

    def answer(request, **_):
        body = b"<GetCallerIdentityResponse><GetCallerIdentityResult/></GetCallerIdentityResponse>"
        response = AWSResponse(request.url, next(statuses), {}, None)
        response._content = body
        return response

    client.meta.events.register("before-send.sts", answer)
    client.get_caller_identity()
    assert len(slept) == 1


def test_an_answer_that_is_retried_all_the_same_pauses_as_its_client_does(kms_mock, slept):
    """In the legacy mode botocore retries an answer of DynamoDB whose checksum is wrong."""
    throttled(kms_mock)
    with kms_mock.faults.add("ListKeys", error="KMSInternalException"), pytest.raises(ClientError):
        kms_mock.client(config=Config(retries={"total_max_attempts": 1})).list_keys()
    of_kms = len(kms_mock.faults.backoffs)
    body = b'{"TableNames": []}'
    checksums = iter(["1", "1", str(zlib.crc32(body))])

    def answer(request, **_):
        response = AWSResponse(request.url, 200, {"x-amz-crc32": next(checksums)}, None)
        response._content = body
        return response

    client = Session().create_client("dynamodb", region_name="us-east-1", config=Config(retries={"mode": "legacy"}))
    client.meta.events.register("before-send.dynamodb", answer)
    client.list_tables()
    assert len(slept) == 2
    assert len(kms_mock.faults.backoffs) == of_kms


def test_the_token_bucket_does_not_wait_in_another_thread_either(kms_mock):
    """What is noted of an attempt is noted for its thread; the first attempt there is noted though it goes well."""
    client = throttled(kms_mock, "adaptive")
    kms_mock.faults.add("ListKeys", clock_delay=0.001)  # by wire
    waited = []
    acquire = TokenBucket.acquire  # what stands in for botocore's

    def watched(bucket, amount=1, block=True):
        begin = time.perf_counter()
        acquire(bucket, amount, block)
        waited.append(time.perf_counter() - begin)

    with patch.object(TokenBucket, "acquire", watched):
        thread = threading.Thread(target=lambda: [client.list_keys() for _ in range(8)])
        thread.start()
        thread.join()
    assert len(waited) == 8
    assert max(waited[1:]) < 0.1


def test_pauses_of_clients_that_the_mock_does_not_answer_are_real(kms_mock, slept):
    throttled(kms_mock)
    client = kms_mock.client(endpoint_url="http://localhost:1", config=Config(retries={"total_max_attempts": 2}))
    with pytest.raises(Exception, match="localhost"):
        client.list_keys()
    assert len(slept) == 1


def test_the_sleep_of_an_asynchronous_endpoint_is_skipped(kms_mock, monkeypatch):
    """As in aiobotocore, whose endpoint sleeps by `asyncio.sleep`."""
    module = ModuleType("aio_endpoint")
    vars(module)["asyncio"] = asyncio
    monkeypatch.setitem(__import__("sys").modules, "aio_endpoint", module)
    endpoint = type("Endpoint", (), {"__module__": "aio_endpoint"})()
    operation = SimpleNamespace(service_model=SimpleNamespace(service_name="kms"))

    async def attempt():
        retry_backoff.note_attempt(endpoint, operation, {"url": "https://kms.us-east-1.amazonaws.com/"}, response=None)
        begin = time.perf_counter()
        await module.asyncio.sleep(30)
        assert await module.asyncio.wait_for(asyncio.sleep(0, "passed on"), 1) == "passed on"
        return time.perf_counter() - begin

    assert asyncio.run(attempt()) < 5
    assert kms_mock.faults.backoffs == [30]
    retry_backoff.restore()
    assert module.asyncio is asyncio


@pytest.mark.parametrize("inherits", [False, True])
def test_the_method_by_which_an_endpoint_sleeps_is_replaced(kms_mock, inherits):
    """As in aiobotocore with httpx, whose endpoint sleeps by anyio, in a method of its own."""
    slept = []

    class Endpoint:
        async def _sleep(self, sleep_amount):
            slept.append(sleep_amount)

    endpoint = type("Inheriting", (Endpoint,), {})() if inherits else Endpoint()
    sleep = Endpoint._sleep
    operation = SimpleNamespace(service_model=SimpleNamespace(service_name="kms"))

    async def attempt(url, kind=endpoint):
        retry_backoff.note_attempt(kind, operation, {"url": url}, response=None)
        await kind._sleep(30)

    asyncio.run(attempt("https://kms.us-east-1.amazonaws.com/"))
    asyncio.run(attempt("https://kms.us-east-1.amazonaws.com/", Endpoint()))  # replaced once, not twice
    asyncio.run(attempt("http://localhost:1/"))  # not answered by the mock
    assert slept == [0, 0, 30]
    assert kms_mock.faults.backoffs == [30, 30]
    retry_backoff.restore()
    assert Endpoint._sleep is sleep


def test_whether_pauses_are_skipped_is_yes_or_no(kms_mock):
    with pytest.raises(InvalidFault, match=r"^faults\.skip_backoff must be True or False, not 'no'\.$"):
        kms_mock.faults.skip_backoff = "no"
    assert kms_mock.faults.skip_backoff is True
