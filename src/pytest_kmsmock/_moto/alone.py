"""moto without a mock of this package, for comparisons."""

from __future__ import annotations

from contextlib import AbstractContextManager

from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID as ACCOUNT_ID

__all__ = ["ACCOUNT_ID", "CALLER", "mocked"]

#: The caller that moto reports.
CALLER = f"arn:aws:sts::{ACCOUNT_ID}:user/moto"


def mocked() -> AbstractContextManager[object]:
    """Return a context in which moto is active, without resources."""
    return mock_aws()
