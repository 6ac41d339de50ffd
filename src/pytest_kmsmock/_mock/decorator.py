"""`mock_kms`: decorator, context manager and async context manager in one."""

from __future__ import annotations

import functools
import gc
import os
import types
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from pytest_kmsmock._runtime import active_mocks
from pytest_kmsmock.errors import InvalidOption, NotActive

if TYPE_CHECKING:
    from types import TracebackType

    from .core import MockCore
    from .kms_mock import KmsMock

_T = TypeVar("_T", bound=Callable[..., Any])

#: pytest hides frames of this module, so that wrong options show the user's line, also at import.
__tracebackhide__ = True


@functools.cache
def _classes() -> tuple[type[MockCore], type[KmsMock]]:
    """Import all that a mock needs, without the garbage collector: it takes long and finds nothing.

    What was imported goes to the oldest generation at once. Else the next allocation would collect all three, which
    takes a quarter of a process's first test.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        from .core import MockCore
        from .kms_mock import KmsMock
    finally:
        if enabled:
            if not gc.get_freeze_count():  # else a program keeps its own objects frozen
                gc.freeze()
                gc.unfreeze()
            gc.enable()
    return MockCore, KmsMock


class MockKms:
    """The result of `mock_kms()`: use it with `with`, as a decorator, or by `start()` and `stop()`.

    It can be entered any number of times; each time is a separate mock.
    """

    def __init__(
        self,
        given: Mapping[str, Any],
        where: str = "mock_kms()",
        place: str = "mock_kms",
        definition: Callable[[], tuple[str, int] | None] = lambda: None,
        region_from: str | None = None,
    ) -> None:
        """Check the options.

        Args:
            given: the options of its mocks.
            where: where they are given, for error messages.
            place: how its mocks are created; selects the random stream of a deterministic mock.
            definition: returns file and line of the test that the mock is for, for warnings. None, if it is unknown:
                then they show where the mock ends.
            region_from: where its Region is given, if that is another place.
        """
        # Imported here and below, so that importing the package is cheap.
        from pytest_kmsmock._runtime.options import Options, changed

        changed(Options(), given, where)  # raise where the options are given, not where the mock is entered
        self._given, self._where, self._place, self._definition = given, where, place, definition
        self._region_from = where if region_from is None else region_from
        self._entered: list[MockCore] = []

    def start(self) -> KmsMock:
        """Start a mock and return its handle; `stop` ends it.

        A nested mock starts with a copy of the outer mock's state and with its options, unless `fresh=True`.
        """
        from pytest_kmsmock._runtime.options import Options, changed, inherited

        outer = None if self._given.get("fresh") else active_mocks.enclosing()
        options = changed(inherited(outer.options) if outer else Options(), self._given, self._where)
        core_class, face_class = _classes()
        core = core_class(options, self._place)
        self._entered.append(core)
        try:
            core.enter(self._region_from)
            return face_class(core)
        except BaseException:  # such as Ctrl-C: the caller gets no handle to stop
            self._entered.remove(core)
            core.leave()
            raise

    def stop(self) -> None:
        """End the mock that was started last, and restore the state before it.

        Raises:
            NotActive: when it is not running.
            KmsHygieneError: with `hygiene="error"`, when a check found something.
            UnusedFaults: with `unused_faults="error"`, when a fault never fired.
        """
        core = self._end()
        if core.options.unused_faults != "off" and core.injector.unused:
            from . import hygiene

            hygiene.report_unused_faults(core, self._definition())
        if core.options.hygiene != "off":
            from . import hygiene

            hygiene.inspect(core, self._definition())

    def _end(self) -> MockCore:
        if not self._entered:
            raise NotActive("stop() without start(): this mock_kms() is not running.")
        innermost: Any = active_mocks.current()
        core: MockCore = innermost if innermost in self._entered else self._entered[-1]
        self._entered.remove(core)
        core.leave()
        return core

    def __enter__(self) -> KmsMock:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self.stop()
        else:
            self._end()  # hygiene is no matter beside the exception that ends the block

    async def __aenter__(self) -> KmsMock:
        return self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    def __call__(self, target: _T) -> _T:
        """Decorate a function, coroutine function, generator function or test class."""
        if isinstance(target, type):
            return cast("_T", _decorate_class(target, self._given))
        return cast("_T", _decorate_function(target, self._given))


@overload
def mock_kms(target: _T, /) -> _T: ...


@overload
def mock_kms(
    *,
    region: str | None = ...,
    account: str = ...,
    enforce_policies: bool = ...,
    fresh: bool = ...,
    wire: bool = ...,
    deterministic: bool = ...,
    seed: str | os.PathLike[str] | None = ...,
    request_quotas: bool = ...,
    hygiene: str = ...,
    hygiene_checks: str | list[str] | tuple[str, ...] = ...,
    unused_faults: str = ...,
    share_with_children: bool = ...,
    moto_policies: bool = ...,
    max_calls: int = ...,
    endpoint_urls: str | list[str] | tuple[str, ...] = ...,
    services: str | list[str] | tuple[str, ...] = ...,
) -> MockKms: ...


def mock_kms(target: Any = None, /, **options: Any) -> Any:
    """Answer KMS calls inside this process instead of AWS.

    A decorator, with or without parentheses, of functions, coroutine functions, (async) generator functions such as
    fixtures, and test classes; or a context manager whose value is the `KmsMock` handle.

    Args:
        target: what to decorate, when used without parentheses.
        **options: the attributes of `Options`.

    Raises:
        InvalidOption: an unknown option or a wrong value.

    Example:
        >>> from pytest_kmsmock import mock_kms
        >>> with mock_kms(region="eu-west-1") as kms:
        ...     key = kms.client().create_key()["KeyMetadata"]
        >>> key["KeySpec"], key["Arn"].split(":")[3]
        ('SYMMETRIC_DEFAULT', 'eu-west-1')
    """
    mock = MockKms(options)
    return mock if target is None else mock(target)


#: Attribute of functions that `mock_kms` decorates.
DECORATED = "decorated_with_mock_kms"


def _decorate_function(function: Callable[..., Any], given: Mapping[str, Any]) -> Callable[..., Any]:
    """Wrap a function so that each call of it runs in a mock of its own."""
    import inspect

    if isinstance(function, staticmethod | classmethod):
        return type(function)(_decorate_function(function.__func__, given))
    if _is_fixture(function):
        raise InvalidOption(f"{function.__name__} is a fixture: write @mock_kms below @pytest.fixture, not above it.")
    if not callable(function):
        raise InvalidOption(
            f"mock_kms({function!r}): mock_kms decorates functions and classes, and takes options by name, such as "
            f"mock_kms({option_meant(function)})."
        )
    definition = functools.partial(_definition, function)
    kinds = (
        (inspect.isasyncgenfunction, _wrap_async_generator),
        (inspect.iscoroutinefunction, _wrap_coroutine),
        (inspect.isgeneratorfunction, _wrap_generator),
    )
    called = type(function).__call__  # of an object: its method
    wrap = next((wrap for is_one, wrap in kinds if is_one(function) or is_one(called)), _wrap_function)
    wrapper = functools.wraps(function)(wrap(function, functools.partial(MockKms, given, definition=definition)))
    vars(wrapper)[DECORATED] = True
    return wrapper


def _is_fixture(function: Callable[..., Any]) -> bool:
    """Say whether pytest has made a fixture of a function: an object of its own, or before pytest 8.4 a function."""
    code = getattr(function, "__code__", None)
    made_by = type(function).__module__ if code is None else code.co_filename
    return made_by.startswith("_pytest.") or f"{os.sep}_pytest{os.sep}" in made_by


def option_meant(value: object) -> str:
    """Return the option that a positional value was probably meant for, with the value."""
    from pytest_kmsmock._runtime.arguments import argument_meant
    from pytest_kmsmock._runtime.options import Options

    return argument_meant(value, Options._fields) or "region='eu-west-1'"


def _wrap_function(function: Callable[..., Any], mock: Callable[[], MockKms]) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with mock():
            result = function(*args, **kwargs)
        if isinstance(result, types.CoroutineType):
            result.close()
            raise InvalidOption(
                f"{function!r} returned a coroutine, which would run after its mock: decorate the coroutine function "
                "itself with @mock_kms, or write `with mock_kms():` in it."
            )
        return result

    return wrapper


def _wrap_coroutine(function: Callable[..., Any], mock: Callable[[], MockKms]) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        with mock():
            return await function(*args, **kwargs)

    return wrapper


def _wrap_generator(function: Callable[..., Any], mock: Callable[[], MockKms]) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with mock():
            return (yield from function(*args, **kwargs))

    return wrapper


def _wrap_async_generator(function: Callable[..., Any], mock: Callable[[], MockKms]) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        with mock():
            # The equivalent of `yield from`: forwards values, exceptions and closing to the function.
            inner = function(*args, **kwargs)
            try:
                step = inner.__anext__()
                while True:
                    try:
                        item = await step
                    except StopAsyncIteration:
                        return
                    try:
                        sent = yield item
                    except GeneratorExit:
                        raise
                    except BaseException as error:
                        step = inner.athrow(error)
                    else:
                        step = inner.asend(sent)
            finally:
                await inner.aclose()

    return wrapper


def _definition(function: Any) -> tuple[str, int] | None:
    """Return file and line of a function; None if it is not written in Python."""
    import inspect

    code = getattr(inspect.unwrap(function), "__code__", None)
    return None if code is None else (code.co_filename, code.co_firstlineno)


#: Class methods that run once for a class, outside the mocks of its tests.
_OUTSIDE = ("setUpClass", "tearDownClass", "setup_class", "teardown_class")


def _refuse_calls_in(cls: type, name: str) -> None:
    """Block calls in a class method that runs outside of any mock: they would go to AWS."""
    import inspect

    method = inspect.getattr_static(cls, name, None)  # of a base class too
    function = getattr(method, "__func__", method)
    if function is None or isinstance(method, staticmethod) or not inspect.signature(function).parameters:
        return
    if function.__module__ == "unittest.case":  # does nothing
        return

    @functools.wraps(function)
    def outside(cls: Any) -> Any:  # pytest inspects its parameters
        from pytest_kmsmock._runtime import network_guard
        from pytest_kmsmock._services import hook as services
        from pytest_kmsmock._transport.hooks import installation

        installation.install(services.HANDLERS)
        before, network_guard.outside = network_guard.outside, f"{cls.__name__}.{name}"
        try:
            return function(cls)
        finally:
            network_guard.outside = before

    setattr(cls, name, classmethod(outside) if isinstance(method, classmethod) else outside)


def _decorate_class(cls: type, given: Mapping[str, Any]) -> type:
    """Run each test of a class in a mock of its own, including setup and teardown."""
    import unittest

    for name in _OUTSIDE:
        _refuse_calls_in(cls, name)
    if issubclass(cls, unittest.TestCase):
        run = cls.run

        @functools.wraps(run)
        def run_in_mock(self: unittest.TestCase, result: unittest.TestResult | None = None) -> Any:
            test = getattr(self, self._testMethodName)
            with MockKms(given, definition=functools.partial(_definition, test)):
                return run(self, result)

        # Not a plain function: moto's decorator would wrap it, and a `run` wrapped by moto would keep moto's state from
        # one test to the next.
        cls.run = functools.partialmethod(run_in_mock)  # type: ignore[assignment]  # it binds like a method
        return cls
    import pytest

    return cast("type", pytest.mark.kms_mock(**given)(cls))
