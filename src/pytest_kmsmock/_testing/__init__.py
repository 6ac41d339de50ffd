"""What tests use besides responses: seeds, faults, calls, policies, CloudTrail records, dumps, and inspecting state.

`FACETS` are the modules behind `KmsMock`'s methods, imported on first use, so that a test pays only for what it uses.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from .audit import cloudtrail
    from .calls import assertions
    from .dumps import dump
    from .identity import callers, iam_console
    from .policies import explanation, least_privilege, required_permissions, simulation
    from .seeds import console_wizard, key_seed, planting, seed_files
    from .views import key_store_console, key_view

__all__ = [
    "assertions",
    "callers",
    "cloudtrail",
    "console_wizard",
    "dump",
    "explanation",
    "iam_console",
    "key_seed",
    "key_store_console",
    "key_view",
    "least_privilege",
    "planting",
    "required_permissions",
    "seed_files",
    "simulation",
]

#: Module -> its sub-package.
FACETS = {
    "assertions": "calls",
    "callers": "identity",
    "cloudtrail": "audit",
    "console_wizard": "seeds",
    "dump": "dumps",
    "explanation": "policies",
    "iam_console": "identity",
    "key_seed": "seeds",
    "key_store_console": "views",
    "key_view": "views",
    "least_privilege": "policies",
    "planting": "seeds",
    "seed_files": "seeds",
    "required_permissions": "policies",
    "simulation": "policies",
}


def __getattr__(name: str) -> ModuleType:
    if name not in FACETS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.{FACETS[name]}.{name}")
