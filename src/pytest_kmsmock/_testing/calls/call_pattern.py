"""Patterns of calls: an operation and expected parameters. Used by filters, assertions and faults.

How expected values match:

| expected | matches |
|---|---|
| `None` | an absent parameter |
| a mapping | a mapping with at least its entries; an empty one matches only an empty or absent one |
| a list or tuple | a list of the same length whose elements match |
| a key id, key ARN, alias name or alias ARN, in a parameter that names a key | every identifier of that key |
| a compiled pattern | a string in which `search` finds it |
| a function | values for which it returns a true value |
| anything else, such as `unittest.mock.ANY` | an equal value |
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pytest_kmsmock._kms.api.arns import parse_arn
from pytest_kmsmock._kms.api.service_model import operation_names, service_description
from pytest_kmsmock._record import Record
from pytest_kmsmock._runtime.checks import closest, did_you_mean
from pytest_kmsmock._runtime.options import SERVICES
from pytest_kmsmock.errors import InvalidCallPattern

if TYPE_CHECKING:
    from pytest_kmsmock._kms.call.operation import Target
    from pytest_kmsmock._kms.engine.call_record import CallRecord
    from pytest_kmsmock._kms.state.state import State

#: The parameters that name a key: they match every form of the identifier.
KEY_PARAMETERS = frozenset({"KeyId", "SourceKeyId", "DestinationKeyId", "TargetKeyId"})

#: Not a parameter of requests: the AWS service that made the call. None is a direct call.
VIA = "via"
_SERVICE = "[a-z0-9-]+"

#: Represents an absent parameter.
ABSENT = type("_Absent", (), {"__repr__": lambda _: "(absent)"})()


class Difference(Record):
    """A difference between a call and a pattern.

    Attributes:
        path: the parameter, such as `EncryptionContext['tenant']`.
        expected: the expected value.
        actual: the value in the call; `ABSENT` if there is none.
    """

    path: str
    expected: object
    actual: object


class CallPattern:
    """A pattern of calls.

    Args:
        operation: the operation; None for any.
        params: the expected parameters.
        arguments: other arguments of the same function, which a misspelt name may have meant.

    Raises:
        InvalidCallPattern: the operation, a parameter or the service does not exist, so no call would match.
    """

    def __init__(
        self, operation: str | None, params: Mapping[str, object], arguments: Iterable[str] = ()
    ) -> None:  # fmt: skip
        if operation is not None and not (isinstance(operation, str) and operation in operation_names()):
            raise InvalidCallPattern(f"Unknown KMS operation {operation!r}.{_hint(operation, operation_names())}")
        known = _parameters_of(operation) | {VIA}
        for param in params:
            if param not in known:
                whose = f"KMS {operation}" if operation else "any KMS operation"
                raise InvalidCallPattern(
                    f"Unknown parameter {param!r} of {whose}.{_hint(param, known.union(arguments))}"
                )
        via = params.get(VIA)
        if isinstance(via, str) and not re.fullmatch(_SERVICE, via):
            hint = did_you_mean(via.partition(".")[0], SERVICES) or " Give a name such as 's3'."
            raise InvalidCallPattern(f"Unknown service {via!r}.{hint}")
        self.operation = operation
        self.params = {
            name: getattr(value, "arn", value) if name in KEY_PARAMETERS else value for name, value in params.items()
        }

    def differences(self, record: CallRecord, state: State) -> list[Difference]:
        """Return the differences of a call; none if it matches."""
        found: list[Difference] = []
        if self.operation is not None and record.operation != self.operation:
            found.append(Difference("operation", self.operation, record.operation))
        for param, expected in self.params.items():
            actual = record.params.get(param, ABSENT) if param != VIA else record.via or ABSENT
            if param in KEY_PARAMETERS and isinstance(expected, str):
                target = next((target for target in record.targets if target.parameter == param), None)
                if expected != actual and not names_key(expected, target, state):
                    shown = target.arn if target is not None and actual is ABSENT else actual
                    found.append(Difference(param, expected, shown))
            else:
                found += _compare(param, expected, actual)
        return found

    def matches(self, record: CallRecord, state: State) -> bool:
        """Say whether a call matches."""
        if self.operation is not None and record.operation != self.operation:
            return False
        return not self.params or not self.differences(record, state)


def names_key(identifier: str, target: Target | None, state: State) -> bool:
    """Say whether an identifier names the key of a target.

    An alias matches if the call used it, or if it belongs to the key now.

    Args:
        identifier: key id, key ARN, alias name or alias ARN.
        target: the target of the call.
        state: the current state, for aliases.
    """
    if target is None or target.key is None:
        return False
    key = target.key
    if identifier in (key.id, key.arn):
        return True
    arn = parse_arn(identifier)
    name = arn.name if arn is not None else identifier
    if not name.startswith("alias/"):
        return False
    if arn is not None and (arn.account, arn.region) != (key.account, key.region):
        return False
    if target.alias == name:
        return True
    alias = state.region(key.account, key.region).aliases.get(name)
    return alias is not None and alias.key_id == key.id


def _compare(path: str, expected: Any, actual: Any) -> Iterator[Difference]:
    if expected is None:
        if actual is not ABSENT:
            yield Difference(path, None, actual)
    elif isinstance(expected, Mapping):
        yield from _compare_mappings(path, expected, actual)
    elif isinstance(expected, list | tuple):
        if not isinstance(actual, list | tuple) or len(actual) != len(expected):
            yield Difference(path, expected, actual)
        else:
            for index, (one, other) in enumerate(zip(expected, actual, strict=True)):
                yield from _compare(f"{path}[{index}]", one, other)
    elif not _is_like(expected, actual):
        yield Difference(path, expected, actual)


def _compare_mappings(path: str, expected: Mapping[Any, Any], actual: Any) -> Iterator[Difference]:
    if not expected:
        if actual is not ABSENT and actual != {}:
            yield Difference(path, expected, actual)
    elif not isinstance(actual, Mapping):
        yield Difference(path, expected, actual)
    else:
        for name, value in expected.items():
            yield from _compare(f"{path}[{name!r}]", value, actual.get(name, ABSENT))


def _is_like(expected: Any, actual: Any) -> bool:
    if actual is ABSENT:
        return False
    if isinstance(expected, re.Pattern):
        return isinstance(actual, str) and expected.search(actual) is not None
    if inspect.isroutine(expected) or isinstance(expected, functools.partial):
        return bool(expected(actual))
    if isinstance(expected, str) and isinstance(actual, bytes):
        return expected.encode() == actual  # botocore sends a string as UTF-8 if a blob is expected
    return bool(expected == actual)


def _parameters_of(operation: str | None) -> frozenset[str]:
    """Return the parameters of an operation; those of all operations for None."""
    description = service_description()
    shapes = description["shapes"]
    operations = description["operations"]
    chosen = operations.values() if operation is None else [operations[operation]]
    return frozenset(param for each in chosen for param in shapes[each["input"]["shape"]]["members"])


def _hint(name: object, known: frozenset[str]) -> str:
    """Return a suggestion, ignoring case and underscores, so that method names of boto3 match operations."""
    alike = {_folded(candidate): candidate for candidate in sorted(known)}
    close = closest(_folded(str(name)), alike)
    return f" Did you mean {alike[close[0]]!r}?" if close else ""


def _folded(name: str) -> str:
    return name.replace("_", "").lower()
