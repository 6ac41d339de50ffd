"""What the sessions of botocore share: what they have read and found out, and the classes of KMS's exceptions.

A mock ends with the default session of boto3 that was there before it, so each test makes a session of its own. That
would read botocore's data files anew, which takes ten times as long as making a client, and look for old names of
services in the names of some 150 events, which takes as long.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from pytest_kmsmock._runtime import active_mocks, environment

if TYPE_CHECKING:
    from botocore.loaders import Loader

#: The loaders of data files that are shared, by class and search paths; the oldest goes when there are too many.
_loaders: dict[tuple[object, ...], Loader] = {}
_MOST_LOADERS = 4
#: By class: a test may import botocore afresh.
_factories: dict[type, Any] = {}


def share_event_names(session: Any) -> None:
    """Let sessions and clients that are made under a mock share what they find out about events and their handlers.

    Args:
        session: the module `botocore.session`.
    """
    original = session.EventAliaser
    if hasattr(original, "is_kms_hook"):
        return
    hooks: Any = sys.modules[original.__module__]
    names: dict[str, str] = {}

    class EventAliaser(original):  # type: ignore[misc,valid-type]  # which one it is, is known at run time
        is_kms_hook = True

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            if self._event_aliases == hooks.EVENT_ALIASES and active_mocks.is_any_active():
                self._alias_name_cache = names

    session.EventAliaser = EventAliaser
    hooks.accepts_kwargs = _remembering(hooks.accepts_kwargs, [entry[1] for entry in session.handlers.BUILTIN_HANDLERS])


def _remembering(accepts_kwargs: Callable[[object], Any], handlers: Iterable[object]) -> Callable[[object], Any]:
    """Wrap the check of a handler's signature to look only once at handlers that every session has."""
    lasting = {id(handler): handler for handler in handlers}  # others may be gone, and their id be another's
    results: dict[int, Any] = {}

    @functools.wraps(accepts_kwargs)
    def accepts(handler: object) -> Any:
        key = id(handler)
        if key not in lasting:
            return accepts_kwargs(handler)
        if key not in results:
            results[key] = accepts_kwargs(handler)
        return results[key]

    return accepts


def _file_functions() -> tuple[object, ...]:
    """Return what loaders look for files with."""
    return open, os.listdir, os.path.exists, os.path.isdir, os.path.isfile


_REAL_FILES = _file_functions()


def share_loader(session: Any) -> None:
    """Let a session read data files by the loader of an earlier one with the same search paths.

    Not while a test fakes files: what is not found there, or only there, is for no other test.

    Args:
        session: a session of botocore or aiobotocore.
    """
    if _file_functions() != _REAL_FILES:
        return
    loader = session.get_component("data_loader")
    key = _key(loader)
    shared = _loaders.get(key)
    if shared is None or _key(shared) != key:  # a test may add to the search paths of one
        while len(_loaders) >= _MOST_LOADERS:
            del _loaders[next(iter(_loaders))]
        _loaders[key] = loader
    elif shared is not loader:
        session.register_component("data_loader", shared)


def _key(loader: Loader) -> tuple[object, ...]:
    return type(loader), *loader.search_paths


def adopt_default_session() -> None:
    """Share the exceptions of boto3's default session, if there is one: clients of a module level come from it."""
    default = environment.session_of_default()
    if default is not None:
        share_exceptions(default)


def share_exceptions(session: Any) -> None:
    """Make `client.exceptions.X` one class for all sessions: a test may catch with it what another client raises.

    Args:
        session: a session of botocore or aiobotocore.
    """
    own = session._get_internal_component("exceptions_factory")  # noqa: SLF001 - botocore has no other way
    shared = _factories.setdefault(type(own), own)
    if shared is not own:
        session._register_internal_component("exceptions_factory", shared)  # noqa: SLF001 - as above
