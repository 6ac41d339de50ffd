"""What the tests of this project share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from botocore.exceptions import ClientError

Refusal = Callable[..., AbstractContextManager[None]]


@pytest.fixture
def refusal() -> Refusal:
    """Give a context manager that expects AWS's refusal: `with refusal("NotFoundException", "the exact text"):`.

    The text is compared whole; None leaves it open; a compiled pattern must match from beginning to end.
    """

    @contextmanager
    def expect(code: str, message: str | re.Pattern[str] | None = None) -> Iterator[None]:
        with pytest.raises(ClientError) as refused:
            yield
        error = refused.value.response["Error"]
        assert error["Code"] == code, error
        if isinstance(message, str):
            assert error["Message"] == message
        elif message is not None:
            assert message.fullmatch(error["Message"]), error["Message"]

    return expect
