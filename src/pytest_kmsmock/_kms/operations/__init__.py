"""The operations of KMS, one module per group as users know them: `management` of keys, and `cryptography` with them.

An operation is a plain function with what AWS documents about it as data in its decorator (see
`pytest_kmsmock._kms.call.operation`). `load` imports every module of this folder, so that adding an operation
touches its own file only.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil


@functools.cache
def load() -> None:
    """Import every module of operations, which registers what they define."""
    for module in pkgutil.walk_packages(__path__, f"{__name__}."):
        importlib.import_module(module.name)
