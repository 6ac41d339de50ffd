"""Start and stop of moto's mocks, which change the environment and boto3's default session as other mocks do."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any


def install(models: ModuleType, began: Callable[[], None], ending: Callable[[], Callable[[], None]]) -> None:
    """Call back when moto starts and stops, however many of its mocks are nested.

    Args:
        models: the module `moto.core.models`.
        began: called before the first mock changes anything.
        ending: called before the last one restores things; its result is called afterwards.
    """
    kind = models.MockAWS
    start, stop = kind.start, kind.stop
    if getattr(start, "is_kms_hook", False):
        return

    @functools.wraps(start)
    def start_and_tell(mock: Any, *args: Any, **given: Any) -> Any:
        if kind._nested_count == 0:  # noqa: SLF001 - it has no public name
            began()
        return start(mock, *args, **given)

    @functools.wraps(stop)
    def stop_and_tell(mock: Any, *args: Any, **given: Any) -> Any:
        ended = ending()
        try:
            return stop(mock, *args, **given)
        finally:
            if kind._nested_count == 0:  # noqa: SLF001 - nor here
                ended()

    vars(start_and_tell)["is_kms_hook"] = True
    kind.start, kind.stop = start_and_tell, stop_and_tell
