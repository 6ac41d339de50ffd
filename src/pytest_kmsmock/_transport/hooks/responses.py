"""Responses for botocore: with a body if the call went by wire, else without one."""

from __future__ import annotations

import functools
import io
from collections.abc import Generator
from typing import Any

from botocore.awsrequest import AWSResponse


class Headers(dict[str, str]):
    """Headers under lower-case names, looked up by name in any case. It is cheap to make."""

    def __missing__(self, name: str) -> str:
        lowered = name.lower()
        if lowered == name:
            raise KeyError(name)
        return self[lowered]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())

    def get(self, name: str, default: Any = None, /) -> Any:
        """Return a header, or the default if there is none of that name."""
        return super().get(name.lower(), default)


class AwaitedAtOnce:
    """A value that is also awaitable: botocore uses it, aiobotocore awaits it first."""

    __slots__ = ()

    def __await__(self) -> Generator[None, None, AwaitedAtOnce]:
        yield from ()
        return self


class Content(bytes, AwaitedAtOnce):
    """The content of a response."""


class Raw(io.BytesIO):
    """The body of a response, as urllib3 would give it to botocore."""

    def stream(self, **_: object) -> list[bytes]:
        """Return the whole body as the only chunk."""
        return [self.read()]


class Answer(AWSResponse):  # type: ignore[misc]  # botocore has no types
    """A response.

    Args:
        url: the URL that was called.
        status: the HTTP status.
        headers: the headers, by lower-case name.
        body: the body; None if the call was answered before it became an HTTP request.
    """

    def __init__(self, url: str, status: int, headers: dict[str, str], body: bytes | None = None) -> None:
        self.url = url
        self.status_code = status
        self.headers = Headers(headers)
        self._content = None if body is None else Content(body)

    @functools.cached_property
    def raw(self) -> Raw | None:
        """The body as a stream; made on first use, which is rare."""
        return None if self._content is None else Raw(self._content)
