"""Keeping KMS calls from leaving the process: past a mock, and outside of one if `kms_mock_block_real_calls` is on."""

from __future__ import annotations

import os
from collections.abc import Callable

from pytest_kmsmock.errors import RealKmsCall, RealKmsConnection

blocking = False  # set by the plugin for the session
allowed = False  # set by the plugin while a test marked kms_allow_real_calls runs
others: list[Callable[[], bool]] = []  # say whether somebody else answers KMS calls in this process, as moto does
parent: str | None = None  # in a child process that a test has started: who started it

_SERVER = (
    "To answer it here, point it at the fixture kms_server or kms_mock.serve() (`endpoint_url`). "
    "To let the test reach AWS, mark it with @pytest.mark.kms_allow_real_calls."
)


def check_real_call(operation: str) -> None:
    """Refuse a real call if they are blocked. What moto answers is no real call.

    Raises:
        RealKmsCall: naming the test, the operation and what to do.
    """
    if blocking and not allowed and not any(answers() for answers in others):
        raise RealKmsCall(operation, _place())


def check_look_up(host: str, *, inside_mock: bool) -> None:
    """Refuse to look up a KMS endpoint past a mock, where calls are blocked, and in a child of a test.

    Args:
        host: the name of the endpoint.
        inside_mock: whether a mock is active.

    Raises:
        RealKmsConnection: naming the test, the endpoint and what to do.
    """
    if allowed:
        return
    if inside_mock:
        raise RealKmsConnection(
            f"{_place()} was about to connect to {host}, past the active mock: botocore, boto3, aiobotocore, aioboto3 "
            f"and requests are answered in this process, other HTTP libraries are not.\n{_SERVER}"
        )
    if parent is not None:
        raise RealKmsConnection(
            f"A process that {parent} started was about to connect to {host}: a mock does not reach into processes "
            "started by spawn or forkserver.\nUse mock_kms(share_with_children=True), which serves the mock to them."
        )
    if blocking:
        raise RealKmsConnection(
            f"{_place()} was about to connect to {host}, and kms_mock_block_real_calls is on.\n{_SERVER}"
        )


def _place() -> str:
    test = os.environ.get("PYTEST_CURRENT_TEST")
    return f"Test {test}" if test else "Code outside of a test"
