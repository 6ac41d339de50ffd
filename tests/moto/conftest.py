"""Both mocks at once, in either order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from moto import mock_aws

from pytest_kmsmock import KmsMock, mock_kms


@pytest.fixture(params=["moto outside", "moto inside"])
def kms(request: pytest.FixtureRequest) -> Iterator[KmsMock]:
    with ExitStack() as stack:
        if request.param == "moto outside":
            stack.enter_context(mock_aws())
        mock = stack.enter_context(mock_kms())
        if request.param == "moto inside":
            stack.enter_context(mock_aws())
        yield mock
