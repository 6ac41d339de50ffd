"""Mocks that are entered and left at once by threads, in processes that fork, and by Ctrl-C."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest

from pytest_kmsmock import mock_kms
from pytest_kmsmock._runtime import active_mocks

NAMES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_EC2_METADATA_DISABLED")


def environment() -> dict[str, str | None]:
    return {name: os.environ.get(name) for name in NAMES}


@pytest.fixture
def watch() -> Iterator[Callable[[Callable[[object], None]], None]]:
    """Have a function called with each mock that is entered."""
    added: list[Callable[[object], None]] = []

    def add(watcher: Callable[[object], None]) -> None:
        added.append(watcher)
        active_mocks.watchers.append(watcher)

    yield add
    for watcher in added:
        active_mocks.watchers.remove(watcher)


def test_threads_may_enter_and_leave_mocks_at_once():
    before = environment()
    start = threading.Barrier(16)

    def work(number: int) -> None:
        start.wait()
        for _ in range(20):
            with mock_kms(region=f"eu-west-{number % 3 + 1}"):
                pass

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))
    assert environment() == before
    assert active_mocks.active() == ()


def test_an_interrupt_while_a_mock_is_entered_leaves_nothing_behind(watch):
    def interrupt(_mock: object) -> None:
        raise KeyboardInterrupt

    before = environment()
    watch(interrupt)
    decorator = mock_kms()
    with pytest.raises(KeyboardInterrupt):
        decorator.start()
    assert environment() == before
    assert active_mocks.active() == ()


def test_threads_that_enter_the_first_mocks_at_once_watch_forks_once(monkeypatch):
    """Twice, a fork would wait forever for the lock of the RSA pool, which the process itself holds."""
    with mock_kms():  # watches them in fact, for later tests
        pass
    registered = []

    def register(**_: object) -> None:
        time.sleep(0.02)
        registered.append(1)

    monkeypatch.setattr(os, "register_at_fork", register, raising=False)
    active_mocks._watch_forks.cache_clear()
    start = threading.Barrier(4)

    def enter() -> None:
        start.wait()
        with mock_kms():
            pass

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(registered) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_a_child_that_forks_while_other_threads_are_inside_calls_goes_on():
    with mock_kms(), mock_kms() as kms:  # nested, so that what both share is locked once
        boto3.client("kms")
        key = kms.create_key().id
        ended = threading.Event()

        def call() -> None:
            client = kms.client()
            while not ended.is_set():
                client.generate_data_key(KeyId=key, KeySpec="AES_256")

        threads = [threading.Thread(target=call) for _ in range(3)]
        client = kms.client()
        for thread in threads:
            thread.start()
        try:
            for _ in range(20):
                child = os.fork()
                if child == 0:
                    status = 1
                    try:
                        status = client.describe_key(KeyId=key)["KeyMetadata"]["KeyId"] != key
                    finally:
                        os._exit(status)
                assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        finally:
            ended.set()
            for thread in threads:
                thread.join()
