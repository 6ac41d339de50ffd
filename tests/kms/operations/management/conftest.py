"""What the tests of key management share."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest


@pytest.fixture
def kms(kms_mock):
    """The mock, whose time stands still at the beginning of 2030."""
    kms_mock.clock.freeze(datetime(2030, 1, 1, tzinfo=timezone.utc))
    return kms_mock


@pytest.fixture
def clients(kms_mock):
    """Clients by principal: `clients(ROLE)`."""
    return lambda principal, **context: kms_mock.client(principal=kms_mock.credentials(principal, **context))
