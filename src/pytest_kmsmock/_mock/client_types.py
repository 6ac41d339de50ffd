"""`KMSClient` for type checkers, from the stubs that the user has installed; without any, it is `Any`.

Nothing imports this module at run time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # Star imports: a missing package defines nothing, so `KMSClient` comes from the package that is installed.
    # With `try` and `except ImportError`, checkers take the first import, found or not.
    from mypy_boto3_kms.client import *  # noqa: F403
    from types_boto3_kms.client import *  # noqa: F403

    def __getattr__(name: str) -> Any: ...
