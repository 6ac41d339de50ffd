"""Retry backoff of botocore: skipped if the option of the mock says so.

botocore sleeps in its endpoint (by `time.sleep`; aiobotocore by `asyncio.sleep`, or by a method of the endpoint, which
for the httpx backend uses anyio) and, in its adaptive retry mode, in the client's token bucket. Only their `time` and
`asyncio`, or that method, are replaced; `time.sleep` itself is not. They are replaced when a call that the mock
answered may be retried, and restored when the mock ends. Clients of other services wait as usual.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from contextvars import ContextVar
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pytest_kmsmock._transport import gate

from .configuration import is_answered

if TYPE_CHECKING:
    from pytest_kmsmock._transport.gate import Gate

#: The mock that answered the attempt before the delay; None if no mock did.
_delayed_by: ContextVar[Gate | None] = ContextVar("kms_mock_delayed_by", default=None)

#: Whether an attempt that a mock answered has ever failed in this process.
_had_failures = False
_replaced: list[tuple[Any, str, Any]] = []
#: Classes of endpoints whose sleep is replaced, and their subclasses.
_sleepless: set[type] = set()
#: The method of an endpoint that sleeps, if it has one.
_METHOD = "_sleep"


def note_attempt(
    endpoint: Any, operation: Any, request_dict: dict[str, Any], response: tuple[Any, Any] | None, **_: Any
) -> None:  # fmt: skip
    """Note which mock the next delay belongs to. Called after each attempt by wire, of every service."""
    global _had_failures
    went_well = response is not None and response[0].status_code < 300
    if went_well and not _had_failures:
        return  # neither the endpoint nor a token bucket of the adaptive mode has a reason to wait
    mock = gate.current()
    if mock is None or operation.service_model.service_name != "kms" or not is_answered(mock, request_dict["url"]):
        _delayed_by.set(None)
        return
    if mock is not _delayed_by.get():
        _delayed_by.set(mock)
    _had_failures = True
    if went_well and _replaced:
        return  # the endpoint does not wait after it
    if not _replaced:
        _replace_acquire()
    if type(endpoint) not in _sleepless:
        _replace_delays(type(endpoint))


def restore() -> None:
    """Restore what was replaced."""
    _sleepless.clear()
    while _replaced:
        owner, name, original = _replaced.pop()
        setattr(owner, name, original)


def _replace_delays(endpoint_class: type) -> None:
    _sleepless.add(endpoint_class)
    owner = next((kind for kind in endpoint_class.__mro__ if _METHOD in vars(kind)), None)
    if owner is None:
        _replace_sleep(sys.modules[endpoint_class.__module__])
    else:
        _replace_method(owner)


def _replace_sleep(module: ModuleType) -> None:
    for name, replacement in (("time", _Time), ("asyncio", _Asyncio)):
        found = vars(module).get(name)
        if isinstance(found, ModuleType):
            _replaced.append((module, name, found))
            setattr(module, name, replacement(found))


def _replace_method(kind: type) -> None:
    sleep = vars(kind)[_METHOD]
    if any(owner is kind for owner, _, _ in _replaced):
        return

    @functools.wraps(sleep)
    def sleep_unless_skipped(endpoint: Any, seconds: float) -> Any:
        return sleep(endpoint, 0 if _is_skipped(seconds) else seconds)

    _replaced.append((kind, _METHOD, sleep))
    setattr(kind, _METHOD, sleep_unless_skipped)


def _replace_acquire() -> None:
    """Let the token buckets of the adaptive mode give tokens that they do not have, where they would wait."""
    for module, name, wrap in _BUCKETS:
        bucket = getattr(sys.modules.get(module), name, None)
        if bucket is not None:
            _replaced.append((bucket, "acquire", bucket.acquire))
            bucket.acquire = wrap(bucket.acquire)


def _at_once(acquire: Callable[..., Any]) -> Callable[..., Any]:
    from botocore.exceptions import CapacityNotAvailableError

    @functools.wraps(acquire)
    def acquire_at_once(self: Any, amount: int = 1, block: bool = True) -> Any:
        if not block or not _gives_at_once():
            return acquire(self, amount, block)
        try:
            return acquire(self, amount, block=False)
        except CapacityNotAvailableError:
            return True

    return acquire_at_once


def _awaited_at_once(acquire: Callable[..., Any]) -> Callable[..., Any]:
    from botocore.exceptions import CapacityNotAvailableError

    @functools.wraps(acquire)
    async def acquire_at_once(self: Any, amount: int = 1, block: bool = True) -> Any:
        if not block or not _gives_at_once():
            return await acquire(self, amount, block)
        try:
            return await acquire(self, amount, block=False)
        except CapacityNotAvailableError:
            return True

    return acquire_at_once


def _gives_at_once() -> bool:
    mock = _delayed_by.get()
    return mock is not None and mock.skips_backoff


#: Module, class, and the wrapper of its method `acquire`.
_BUCKETS: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("botocore.retries.bucket", "TokenBucket", _at_once),
    ("aiobotocore.retries.bucket", "AsyncTokenBucket", _awaited_at_once),
)


def _is_skipped(seconds: float) -> bool:
    mock = _delayed_by.get()
    return mock is not None and mock.active and mock.skip_backoff(seconds)


class _Time:
    """The module `time`, with a sleep that may be skipped."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def sleep(self, seconds: float) -> None:
        """Sleep, unless the delay is to be skipped."""
        if not _is_skipped(seconds):
            self._module.sleep(seconds)


class _Asyncio:
    """The module `asyncio`, with a sleep that may be skipped."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    async def sleep(self, delay: float, *args: Any) -> Any:
        """Sleep, unless the delay is to be skipped."""
        return await self._module.sleep(0 if _is_skipped(delay) else delay, *args)
