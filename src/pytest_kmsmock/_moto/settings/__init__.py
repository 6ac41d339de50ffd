"""The encryption settings of resources: read from moto in this process, else asked for by the service's own API.

moto's objects are read because that takes microseconds, and no call of a test's shows up that the test did not make.
Where moto does not answer in this process (its server), or has changed its insides, the API is asked. There is a module
per service; this one says which of the two it is.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

_T = TypeVar("_T")

#: What reading an attribute or a row that is not there any more raises.
_CHANGED = (AttributeError, ImportError, KeyError, TypeError, ValueError)


class Api(Protocol):
    """Makes a call of the service's API."""

    def __call__(self, operation: str, /, **params: object) -> Mapping[str, Any]:
        """Return the answer; of a refused call, what botocore parsed, with `Error`."""


def is_active() -> bool:
    """Say whether moto answers calls of this process."""
    models = sys.modules.get("moto.core.models")
    if models is None:
        return False
    try:
        return bool(models.botocore_stubber.enabled)
    except AttributeError:  # another moto: it is there, and calls that nobody answers fail without us
        return True


def account_of(access_key: str | None) -> str:
    """Return the account that moto takes a request with an access key for; moto has to be in this process."""
    from moto.iam.models import get_account_id_from

    account: str = get_account_id_from(access_key or "")
    return account


def read(inside: Callable[[], _T], outside: Callable[[], _T]) -> _T:
    """Return a setting: from moto's objects if they are in this process and as they are known, else by the API."""
    if is_active():
        try:
            return inside()
        except _CHANGED:
            pass
    return outside()
