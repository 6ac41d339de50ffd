"""A law: when the last mock has ended, the process is as before, whatever began and ended in which order.

Hooks that stay in the process and let everything pass are laid by the first mock; each test begins after that.
"""

from __future__ import annotations

import asyncio
import linecache
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any
from unittest.mock import patch

import boto3
import botocore.httpsession
import botocore.session
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from pytest_kmsmock import mock_kms
from pytest_kmsmock._runtime import active_mocks, environment, network_guard
from pytest_kmsmock._transport.hooks import retry_backoff

VARIABLES = {
    "AWS_ACCESS_KEY_ID": "AKIAUSERUSERUSERUSER",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_SESSION_TOKEN": "token",
    "AWS_DEFAULT_REGION": "sa-east-1",
    "AWS_EC2_METADATA_DISABLED": "false",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
}
users_environment = st.sets(st.sampled_from(sorted(VARIABLES)))


@pytest.fixture(scope="module", autouse=True)
def _hooks_are_there():
    with mock_kms() as kms, mock_aws():
        kms.faults.add("ListKeys", error="ThrottlingException", times=1)
        kms.client().list_keys()


def process() -> dict[str, object]:
    """Return what a mock may change in the process."""
    lock: Any = active_mocks._changing
    return {
        "environment": dict(os.environ),
        "default session": boto3.DEFAULT_SESSION,
        "botocore": list(botocore.session.handlers.BUILTIN_HANDLERS),
        "sends": (requests.Session.send, botocore.httpsession.URLLib3Session.send),
        "resolver": socket.getaddrinfo,
        "retries": list(retry_backoff._replaced),
        "signals": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "imports": list(sys.meta_path),
        "threads": threading.enumerate(),
        "locked": lock._is_owned(),
        "mocks": (active_mocks.active(), list(environment._scopes), list(active_mocks._held_for_fork)),
        "guard": (network_guard.blocking, network_guard.allowed, list(network_guard.others)),
    }


@contextmanager
def users(names: set[str]) -> Iterator[None]:
    """Have these of the variables in the environment, and none of the others."""
    kept = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    with patch.dict(os.environ, kept | {name: VARIABLES[name] for name in names}, clear=True):
        yield


class Broken(Exception):
    """Of the test."""


def use(**options: object) -> None:
    with mock_kms(**options) as kms:
        client = kms.client()
        client.create_key()
        boto3.DEFAULT_SESSION = object()  # as a client that the test makes


def in_a_thread() -> None:
    errors: list[BaseException] = []

    def work() -> None:
        try:
            use(region="eu-north-1")
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def in_tasks() -> None:
    async def work(number: int) -> None:
        async with mock_kms(region=f"eu-west-{number}"):
            await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.gather(*map(work, (1, 2, 3)))

    asyncio.run(main())


def with_an_error() -> None:
    with pytest.raises(Broken), mock_kms(), mock_kms(fresh=True):
        raise Broken


def with_an_interrupt() -> None:
    def interrupt(_mock: object) -> None:
        raise KeyboardInterrupt

    active_mocks.watchers.append(interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            mock_kms().start()
    finally:
        active_mocks.watchers.remove(interrupt)


def with_retries() -> None:
    with mock_kms() as kms:
        kms.faults.add("ListKeys", error="ThrottlingException", times=1)
        kms.client().list_keys()


MOMENTS: dict[str, Callable[[], None]] = {
    "use": use,
    "by wire": lambda: use(wire=True),
    "threads": in_a_thread,
    "tasks": in_tasks,
    "error": with_an_error,
    "interrupt": with_an_interrupt,
    "retries": with_retries,
}
#: What begins and goes on until it is stopped; of moto there is one at a time, since it has a fault of its own there.
LASTING: dict[str, Callable[[], Any]] = {
    "mock": mock_kms,
    "fresh": lambda: mock_kms(fresh=True, region="eu-west-1"),
    "moto": mock_aws,
}
steps = st.lists(
    st.one_of(st.sampled_from([*LASTING, *MOMENTS]), st.integers(0, 3)),  # a number stops one of those that run
    max_size=7,
)


def carry_out(names: set[str], steps: list[str | int], last: list[int]) -> None:
    with users(names), patch.object(boto3, "DEFAULT_SESSION", "from before"):
        before = process()
        running: list[tuple[str, Any]] = []

        def stop(number: int) -> None:
            running.pop(number % len(running))[1].stop()

        for step in steps:
            if isinstance(step, int):
                if running:
                    stop(step)
            elif step in MOMENTS:
                MOMENTS[step]()
            elif step != "moto" or "moto" not in [name for name, _ in running]:
                mock = LASTING[step]()
                mock.start()
                running.append((step, mock))
                boto3.DEFAULT_SESSION = object()
        for number in last:
            if running:
                stop(number)
        while running:
            stop(0)
        assert process() == before


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(names=users_environment, steps=steps, last=st.lists(st.integers(0, 3), max_size=4))
def test_after_the_last_mock_the_process_is_as_before(names, steps, last):
    carry_out(names, steps, last)


def test_ctrl_c_at_any_line_while_a_mock_is_entered():
    """The handle is not there yet: nobody could stop the mock."""
    root = str(Path(active_mocks.__file__).parents[1])

    def interrupted_at(number: int) -> bool:
        seen = 0

        def trace(frame: FrameType, event: str, _: object) -> Any:
            nonlocal seen
            if not frame.f_code.co_filename.startswith(root):
                return None
            # Signals do not come between a lock and its `with`, where a trace function does.
            line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).lstrip()
            if event == "line" and not line.startswith("with "):
                seen += 1
                if seen == number:
                    sys.settrace(None)
                    raise KeyboardInterrupt
            return trace

        mock = mock_kms()
        around = sys.gettrace()
        sys.settrace(trace)
        try:
            mock.start()
        except KeyboardInterrupt:
            return True
        finally:
            sys.settrace(around)
        mock.stop()
        return False

    before = process()
    interrupted_at(10**6)
    number = 1
    while interrupted_at(number):
        after = process()
        assert after == before, number
        number += 1
    assert number > 100


@pytest.mark.parametrize("prepare", ["", "gc.freeze()", "gc.disable()"], ids=["on", "frozen", "off"])
def test_the_garbage_collector_is_left_as_it_was(run_python, prepare):
    run_python(f"""
        import gc
        {prepare}
        frozen, enabled = gc.get_freeze_count() > 0, gc.isenabled()
        from pytest_kmsmock import mock_kms
        with mock_kms():
            pass
        assert (gc.get_freeze_count() > 0, gc.isenabled()) == (frozen, enabled)
    """)
