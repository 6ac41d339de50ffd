"""`HttpRequest`: a request, in one form for all transports."""

from __future__ import annotations

from collections.abc import Mapping

from .json_protocol import TARGET_PREFIX


class HttpRequest:
    """A request.

    Args:
        method: such as `POST`.
        url: the whole URL.
        headers: the headers, as the mapping of the library; names in any case, values strings or bytes.
        body: the body.
    """

    __slots__ = ("_given_headers", "_headers", "body", "method", "url")

    def __init__(
        self, method: str, url: str, headers: Mapping[str, str | bytes], body: str | bytes | bytearray | None
    ) -> None:  # fmt: skip
        self.method = method
        self.url = url
        self.body = body.encode() if isinstance(body, str) else bytes(body or b"")
        self._given_headers = headers
        self._headers: dict[str, str] | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The headers by lower-case name."""
        if self._headers is None:
            self._headers = {
                name.lower(): value.decode("latin-1") if isinstance(value, bytes) else value
                for name, value in self._given_headers.items()
            }
        return self._headers

    def header(self, name: str) -> str:
        """Return a header by its lower-case name; empty if there is none."""
        value = self._given_headers.get(name)  # mostly found as it is, and converting all is slow
        if isinstance(value, str):
            return value
        return self.headers.get(name, "") if value is None else value.decode("latin-1")

    @property
    def operation(self) -> str:
        """The operation that the request names, which may not exist."""
        return self.header("x-amz-target").removeprefix(TARGET_PREFIX)

    @property
    def names_kms(self) -> bool:
        """Whether the target or the service of the signature says that the request is for KMS."""
        return (
            self.header("x-amz-target").startswith(TARGET_PREFIX)
            or "/kms/aws4_request" in self.header("authorization")
            or "%2Fkms%2Faws4_request" in self.url
        )
