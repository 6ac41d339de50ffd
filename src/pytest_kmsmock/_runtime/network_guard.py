"""Keeping KMS calls outside a mock from leaving the process, when `kms_mock_block_real_calls` asks for it."""

from __future__ import annotations

import os

from pytest_kmsmock.errors import RealKmsCall

blocking = False  # set by the plugin for the session
allowed = False  # set by the plugin while a test marked kms_allow_real_calls runs


def check_real_call(operation: str) -> None:
    """Refuse a real call if they are blocked.

    Raises:
        RealKmsCall: naming the test, the operation and what to do.
    """
    if blocking and not allowed:
        test = os.environ.get("PYTEST_CURRENT_TEST")
        raise RealKmsCall(operation, f"Test {test}" if test else "Code outside of a test")
