"""moto by itself, to compare it with: no mock of this package is active meanwhile."""

from __future__ import annotations

from contextlib import AbstractContextManager

from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID as ACCOUNT_ID

__all__ = ["ACCOUNT_ID", "CALLER", "mocked"]

#: Whom moto takes for the caller.
CALLER = f"arn:aws:sts::{ACCOUNT_ID}:user/moto"


def mocked() -> AbstractContextManager[object]:
    """Return a context in which moto answers, beginning empty."""
    return mock_aws()
