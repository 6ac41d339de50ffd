"""What tests use besides responses: seeds, faults, calls, policies, CloudTrail records, dumps, and inspecting state.

`FACETS` are the modules behind `KmsMock`'s methods, imported on first use, so that a test pays only for what it uses.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from .audit import cloudtrail as cloudtrail
    from .calls import assertions as assertions
    from .dumps import dump as dump
    from .identity import callers as callers
    from .policies import least_privilege as least_privilege
    from .policies import required_permissions as required_permissions
    from .seeds import key_seed as key_seed
    from .seeds import planting as planting
    from .seeds import seed_files as seed_files
    from .views import key_store_console as key_store_console
    from .views import key_view as key_view

#: Module -> its sub-package.
FACETS = {
    "assertions": "calls",
    "callers": "identity",
    "cloudtrail": "audit",
    "dump": "dumps",
    "key_seed": "seeds",
    "key_store_console": "views",
    "key_view": "views",
    "least_privilege": "policies",
    "planting": "seeds",
    "seed_files": "seeds",
    "required_permissions": "policies",
}


def __getattr__(name: str) -> ModuleType:
    if name not in FACETS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.{FACETS[name]}.{name}")
