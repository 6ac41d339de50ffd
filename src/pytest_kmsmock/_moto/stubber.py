"""moto's handler of requests of botocore and `requests`: whether it is active, and which requests it must skip."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any


def answers(service: str) -> bool:
    """Say whether moto answers calls of a service, such as `kms`, in this process."""
    models = sys.modules.get("moto.core.models")
    if models is None or not models.botocore_stubber.enabled:
        return False
    return not sys.modules["moto.core.config"].passthrough_service(service)


def install(botocore_stubber: ModuleType, is_elsewhere: Callable[[str], bool]) -> None:
    """Prevent moto from executing requests that are answered elsewhere.

    botocore calls all handlers of `before-send` and uses the first response, so that moto would execute requests that
    a handler before moto's has answered.

    Args:
        botocore_stubber: the module `moto.core.botocore_stubber`.
        is_elsewhere: says of a URL whether something else answers the request.
    """
    kind = botocore_stubber.BotocoreStubber
    process = kind.process_request
    if getattr(process, "is_kms_hook", False):
        return

    @functools.wraps(process)
    def process_unless_elsewhere(stubber: Any, request: Any) -> Any:
        return None if is_elsewhere(request.url) else process(stubber, request)

    vars(process_unless_elsewhere)["is_kms_hook"] = True
    kind.process_request = process_unless_elsewhere
