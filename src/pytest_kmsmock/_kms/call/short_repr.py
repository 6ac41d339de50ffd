"""Short representations of values, requests and callers, for messages and reports. Long values are truncated.

Imported on first use.
"""

from __future__ import annotations

import inspect
import reprlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_kmsmock._kms.state.caller import Caller

_LONGEST = 128  # characters of a string
_BYTES_SHOWN = 16


class _Short(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = _LONGEST
        self.maxlist = self.maxtuple = self.maxdict = 20
        self.maxlevel = 8

    def repr_bytes(self, value: bytes, _level: int) -> str:
        if len(value) <= 2 * _BYTES_SHOWN:
            return repr(value)
        return f"{value[:_BYTES_SHOWN]!r}… ({len(value)} bytes)"


_short = _Short()


def format_value(what: object) -> str:
    """Return a short representation of a value."""
    if what is None:
        return "(absent)"
    if inspect.isroutine(what):
        return f"<{what.__name__.strip('<>')}>"
    return _short.repr(what)


def format_request(operation: str | None, params: Mapping[str, object]) -> str:
    """Return an operation with its parameters, such as `Decrypt(KeyId='…')`."""
    return (
        f"{operation or 'any operation'}({', '.join(f'{name}={format_value(item)}' for name, item in params.items())})"
    )


def format_caller(caller: Caller) -> str:
    """Return ` by <ARN>` unless it is the default caller, and ` via <service>` for a forwarded request."""
    text = "" if caller.administrator else f" by {caller.arn}"
    return text if caller.forwarding_service is None else f"{text} via {caller.forwarding_service}"
