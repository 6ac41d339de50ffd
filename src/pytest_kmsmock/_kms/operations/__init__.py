"""The operations of KMS, one module per group: `management` of keys, and `cryptography` with keys.

An operation is a plain function; its decorator has what AWS documents about it as data (see
`pytest_kmsmock._kms.call.operation`). `load` imports every module of this folder, so a new operation needs no
registration elsewhere.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil


@functools.cache
def load() -> None:
    """Import every module of operations, which registers its operations."""
    for module in pkgutil.walk_packages(__path__, f"{__name__}."):
        importlib.import_module(module.name)
