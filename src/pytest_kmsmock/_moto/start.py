"""The start of moto, when it is active and empty: resources can be created then."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any


def install(models: ModuleType, begun: Callable[[], None]) -> None:
    """Call back when moto starts.

    Args:
        models: the module `moto.core.models`.
        begun: called after moto has started.
    """
    kind = models.MockAWS
    enable = kind._enable_patching  # noqa: SLF001 - called when moto begins, not when it is entered again
    if getattr(enable, "is_kms_hook", False):
        return

    @functools.wraps(enable)
    def enable_and_tell(mock: Any, *args: Any, **kwargs: Any) -> None:
        enable(mock, *args, **kwargs)
        begun()

    vars(enable_and_tell)["is_kms_hook"] = True
    kind._enable_patching = enable_and_tell  # noqa: SLF001
