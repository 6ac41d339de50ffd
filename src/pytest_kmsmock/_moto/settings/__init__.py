"""The encryption settings of resources: read from moto's objects in this process, else by the service's own API.

Reading objects takes microseconds and makes no calls. Where moto is not active in this process (its server), or has
changed its internals, the API is called. There is a module per service; this one chooses between the two.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

_T = TypeVar("_T")

#: The errors of reading an attribute or item that another moto does not have.
_CHANGED = (AttributeError, ImportError, KeyError, TypeError, ValueError)


class Api(Protocol):
    """Makes a call of the service's API."""

    def __call__(self, operation: str, /, **params: object) -> Mapping[str, Any]:
        """Return the parsed response; of an error, with `Error`."""


def is_active() -> bool:
    """Say whether moto is active in this process."""
    models = sys.modules.get("moto.core.models")
    if models is None:
        return False
    try:
        return bool(models.botocore_stubber.enabled)
    except AttributeError:  # another moto: assume that it is
        return True


def account_of(access_key: str | None) -> str:
    """Return the account in which moto executes a request with an access key; moto has to be in this process."""
    from moto.iam.models import get_account_id_from

    account: str = get_account_id_from(access_key or "")
    return account


def read(inside: Callable[[], _T], outside: Callable[[], _T]) -> _T:
    """Return a setting: from moto's objects if they are in this process and have known attributes, else by the API."""
    if is_active():
        try:
            return inside()
        except _CHANGED:
            pass
    return outside()
