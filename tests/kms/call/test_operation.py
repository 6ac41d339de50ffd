"""A call in the pipeline."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from pytest_kmsmock._kms.call.operation import OPERATIONS, Call
from pytest_kmsmock._kms.operations import load
from pytest_kmsmock._kms.state.state import Region


def test_a_call_without_a_target_key_says_so(kms_mock):
    load()
    call = Call(
        kms_mock._service, kms_mock._service.state, OPERATIONS["ListKeys"], {}, kms_mock._caller(),
        Region("123456789012", "us-east-1"), datetime.now(timezone.utc), "request",
    )  # fmt: skip
    with pytest.raises(LookupError, match="ListKeys has no target key"):
        _ = call.key
