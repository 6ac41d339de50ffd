"""Faults with aiobotocore: its own retries, without pauses; late answers that do not hold up the event loop."""

from __future__ import annotations

import asyncio
import time
from importlib.util import find_spec

import anyio
import pytest
from aiobotocore.config import AioConfig
from aiobotocore.retries.bucket import AsyncTokenBucket
from botocore.exceptions import CapacityNotAvailableError, ReadTimeoutError

from pytest_kmsmock import mock_kms

asynchronous = pytest.mark.asyncio


@asynchronous
@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
@pytest.mark.parametrize("error", ["ThrottlingException", 503, "ReadTimeoutError"])
async def test_aiobotocore_retries_at_once(mode, error):
    with mock_kms() as kms:
        async with kms.async_client(config=AioConfig(retries={"mode": mode, "max_attempts": 3})) as client:
            kms.faults.add("ListKeys", error=error, times=2)
            begin = time.perf_counter()
            answer = await client.list_keys()
            assert answer["ResponseMetadata"]["RetryAttempts"] == 2
            assert time.perf_counter() - begin < 0.5
            assert len(kms.faults.backoffs) == 2


if find_spec("httpx2") or find_spec("httpx"):
    from aiobotocore.httpxsession import HttpxSession

    BY_HTTPX = AioConfig(http_session_cls=HttpxSession, retries={"mode": "standard", "max_attempts": 3})

    @pytest.mark.parametrize("backend", ["asyncio", "trio"])
    def test_the_httpx_backend_retries_at_once_and_awaits_late_answers(backend):
        async def call():
            with mock_kms() as kms:
                async with kms.async_client(config=BY_HTTPX) as client:
                    kms.faults.add("ListKeys", error="ThrottlingException", times=2)
                    kms.faults.add("ListKeys", delay=0.1)
                    begin = time.perf_counter()
                    answer = await client.list_keys()
                    assert answer["ResponseMetadata"]["RetryAttempts"] == 2
                    assert 0.1 <= time.perf_counter() - begin < 0.6
                    assert len(kms.faults.backoffs) == 2

        anyio.run(call, backend=backend)

    def test_late_answers_are_awaited_side_by_side_on_trio():
        import trio

        async def call():
            with mock_kms() as kms:
                async with kms.async_client(config=BY_HTTPX) as client:
                    kms.faults.add("ListKeys", delay=0.2)
                    begin = time.perf_counter()
                    async with trio.open_nursery() as nursery:
                        for _ in range(3):
                            nursery.start_soon(client.list_keys)
                    assert 0.2 <= time.perf_counter() - begin < 0.55

        trio.run(call)


@asynchronous
async def test_late_answers_are_awaited_side_by_side():
    with mock_kms() as kms:
        async with kms.async_client() as client:
            kms.faults.add("ListKeys", delay=0.2)
            begin = time.perf_counter()
            await asyncio.gather(*[client.list_keys() for _ in range(3)])
            assert 0.2 <= time.perf_counter() - begin < 0.55


@asynchronous
async def test_a_late_answer_can_be_given_up():
    with mock_kms() as kms:
        async with kms.async_client() as client:
            kms.faults.add("ListKeys", delay=5)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.list_keys(), 0.05)


@asynchronous
async def test_a_late_failure_is_raised():
    with mock_kms() as kms:
        async with kms.async_client(config=AioConfig(retries={"total_max_attempts": 1})) as client:
            kms.faults.add("ListKeys", error="ReadTimeoutError", delay=0.01)
            with pytest.raises(ReadTimeoutError):
                await client.list_keys()


@asynchronous
async def test_a_synchronous_client_in_a_coroutine_gets_its_late_answer_too():
    with mock_kms() as kms:
        async with kms.async_client() as client:
            kms.faults.add("ListKeys", delay=0.01)
            await client.list_keys()
            assert kms.client().list_keys()["Keys"] == []


@asynchronous
async def test_the_token_bucket_does_not_wait_under_the_mock_and_does_without():
    acquire = AsyncTokenBucket.acquire
    with mock_kms() as kms:
        async with kms.async_client(config=AioConfig(retries={"mode": "adaptive"})) as client:
            kms.faults.add("ListKeys", error="ThrottlingException", times=1)
            await client.list_keys()
        assert AsyncTokenBucket.acquire is not acquire
        bucket = AsyncTokenBucket(max_rate=1, clock=type("Clock", (), {"current_time": staticmethod(time.time)}))
        assert await bucket.acquire(1)
        with pytest.raises(CapacityNotAvailableError):
            await bucket.acquire(1, block=False)
        kms.faults.skip_backoff = False
        await bucket.set_max_rate(1000)
        assert await bucket.acquire(1)
    assert AsyncTokenBucket.acquire is acquire
