"""The interface of the KMS that replaces moto's, and its error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Refused(Exception):
    """KMS refused a call.

    Args:
        code: the error code, such as `NotFoundException`.
        message: AWS's message.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Kms(Protocol):
    """A KMS that replaces moto's."""

    def is_active(self) -> bool:
        """Say whether it is active; otherwise moto's KMS is used."""

    def call(self, account: str, region: str, operation: str, /, **params: object) -> Mapping[str, Any]:
        """Execute an operation for an account, without policy checks. Parameters that are None are left out.

        Raises:
            Refused: KMS refuses it.
        """


def pages(kms: Kms, account: str, region: str, operation: str, items: str, /, **params: object) -> list[Any]:
    """Return the items of all pages of a list."""
    found: list[Any] = []
    marker: object = None
    while True:
        page = kms.call(account, region, operation, Marker=marker, **params)
        found += page[items]
        marker = page.get("NextMarker")
        if marker is None:
            return found
