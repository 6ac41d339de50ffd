"""The sessions of botocore and aiobotocore that make the clients of all mocks; they cache the service model."""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

from pytest_kmsmock._kms.api.service_model import data_files
from pytest_kmsmock._services import hook as services
from pytest_kmsmock.errors import MissingExtra

#: Our handlers for events of other services; no call of a KMS client needs them.
_OF_SERVICES = {handler for _, handler in services.HANDLERS}


def session() -> Any:
    """Return the session of botocore, with the event handlers that a KMS client needs."""
    from botocore import session as module

    return _session_of(module)


@functools.lru_cache(maxsize=2)  # a test that reloads modules may have another botocore
def _session_of(module: ModuleType) -> Any:
    """Create a session of botocore.

    Each client copies the handlers of its session. Most of them are for other services; copying those would be a fifth
    of the cost of a client.
    """
    handlers = module.handlers
    made = module.Session(include_builtin_handlers=False)
    # Its own emitter looks for other services' old names in each event that is new to a client.
    emitter = module.EventAliaser(module.HierarchicalEmitter(), {})
    made.register_component("event_emitter", emitter)
    register = {
        (): emitter.register,
        (handlers.REGISTER_FIRST,): emitter.register_first,
        (handlers.REGISTER_LAST,): emitter.register_last,
    }
    for event, handler, *when in handlers.BUILTIN_HANDLERS:
        _kind, *places = event.split(".")
        if (not places and handler not in _OF_SERVICES) or "kms" in places:
            register[tuple(when)](event, handler)
    made.register_component("data_loader", data_files())
    return made


@functools.cache
def async_session() -> Any:
    """Return the session of aiobotocore.

    Raises:
        MissingExtra: when aiobotocore is not installed.
    """
    try:
        from aiobotocore.session import AioSession
    except ModuleNotFoundError:
        raise MissingExtra("An asynchronous client", "aiobotocore", "aio") from None
    return AioSession()


@functools.cache
def argument_names() -> list[str]:
    """Return the names of the arguments of `KmsMock.client`: its own, and those of `create_client` of botocore."""
    import inspect

    from botocore.session import Session

    names = inspect.signature(Session.create_client).parameters
    return ["region", "principal", *(name for name in names if name not in ("self", "service_name"))]
