"""`KMSClient` for type checkers, from the stubs that the user has installed; without any, it is `Any`.

Nothing imports this module at run time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # Star imports: one of a package that is missing defines nothing, so the name is that of the package that is there.
    # With `try` and `except ImportError`, checkers take the first import, found or not.
    from mypy_boto3_kms.client import *  # noqa: F403
    from types_boto3_kms.client import *  # noqa: F403

    def __getattr__(name: str) -> Any: ...
