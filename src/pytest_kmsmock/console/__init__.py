"""The test author's console: what `KmsMock` offers beside answering calls.

Its modules are loaded when `KmsMock` first needs them, so that a test pays for what it uses.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from . import (
        assertions,
        cloudtrail,
        deterministic,
        explanations,
        iam,
        inspection,
        key_stores,
        least_privilege,
        permissions,
        seeds,
        snapshot,
        wizard,
    )

__all__ = [
    "assertions",
    "cloudtrail",
    "deterministic",
    "explanations",
    "iam",
    "inspection",
    "key_stores",
    "least_privilege",
    "permissions",
    "seeds",
    "snapshot",
    "wizard",
]


def __getattr__(name: str) -> ModuleType:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.{name}")
