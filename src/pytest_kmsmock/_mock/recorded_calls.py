"""The methods of `KmsMock` for recorded calls: the list of calls, and assertions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kmsmock import _testing
from pytest_kmsmock._runtime.arguments import check_arguments

if TYPE_CHECKING:
    from pytest_kmsmock._kms.engine.fake_kms import FakeKms
    from pytest_kmsmock._testing.calls.call_list import Calls

    from .core import MockCore


@check_arguments()
class RecordedCalls:
    """Methods for recorded calls."""

    _core: MockCore
    _service: FakeKms

    @property
    def calls(self) -> Calls:
        """The calls made so far in this mock, oldest first, with filters."""
        return self._core.calls

    def assert_called(self, operation: str, /, *, times: int | None = None, **params: object) -> None:
        """Fail unless an operation was called.

        Args:
            operation: such as `Decrypt`.
            times: the exact number of calls; at least one by default.
            **params: expected parameters, as in `KmsMock.calls.of`.

        Raises:
            AssertionError: with the closest calls and their differences.
            InvalidCallPattern: the operation or a parameter does not exist.
        """
        __tracebackhide__ = True
        _testing.assertions.assert_called(self.calls, self._service.state, operation, times, params)

    def assert_not_called(self, operation: str | None = None, /, **params: object) -> None:
        """Fail if an operation was called, or any if none is given; the arguments are those of `assert_called`."""
        __tracebackhide__ = True
        _testing.assertions.assert_not_called(self.calls, operation, params)

    def assert_only_called(self, operation: str, /, **params: object) -> None:
        """Fail unless an operation was called, and nothing else; the arguments are those of `assert_called`."""
        __tracebackhide__ = True
        _testing.assertions.assert_only_called(self.calls, self._service.state, operation, params)
