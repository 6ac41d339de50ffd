"""What botocore takes for the response to a call that was answered before it became an HTTP request."""

from __future__ import annotations

import functools

from botocore.awsrequest import AWSResponse, HeadersDict


class Answer(AWSResponse):  # type: ignore[misc]  # botocore has no types
    """A response without a body. Its headers take botocore's form when somebody reads them, and hardly anybody does.

    Args:
        url: the address that was called.
        status: the HTTP status.
        headers: the headers, by lower-case name.
    """

    def __init__(self, url: str, status: int, headers: dict[str, str]) -> None:
        self.url = url
        self.status_code = status
        self.raw = None
        self._content = None
        self._headers = headers

    @functools.cached_property
    def headers(self) -> HeadersDict:
        """The headers, by name in any case."""
        return HeadersDict(self._headers)
