"""The sessions of botocore and aiobotocore that the clients of all handles come from: they hold what is loaded."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from pytest_kmsmock._kms.api.service_model import data_files
from pytest_kmsmock._runtime.arguments import check_names
from pytest_kmsmock._services import hook as services
from pytest_kmsmock.errors import MissingExtra

#: Handlers of events of all services, which have nothing to do with calls of KMS itself.
_OF_SERVICES = {handler for _, handler in services.HANDLERS}


def session() -> Any:
    """Return the session of botocore, with the handlers of events that a KMS client can meet."""
    from botocore import session as module

    return _session_of(module)


@functools.lru_cache(maxsize=2)  # an application that a test imports afresh may bring a botocore of its own
def _session_of(module: ModuleType) -> Any:
    """Make a session of botocore.

    Each client copies the handlers of its session. Those of other services are most of them, and would be a fifth of
    what it takes to make a client.
    """
    handlers = module.handlers
    made = module.Session(include_builtin_handlers=False)
    emitter = made.get_component("event_emitter")
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


def create(session: Any, method: str, arguments: Mapping[str, Any]) -> Any:
    """Return a new client for KMS.

    Args:
        session: the session of botocore or aiobotocore.
        method: the method of `KmsMock` that makes it, for messages.
        arguments: the arguments of `create_client`.

    Raises:
        InvalidArgument: there is no such argument.
    """
    try:
        return session.create_client("kms", **arguments)
    except TypeError:
        import inspect

        from botocore.session import Session

        known = [name for name in inspect.signature(Session.create_client).parameters if name != "self"]
        check_names(method, arguments, ["region", "principal", *known])
        raise
