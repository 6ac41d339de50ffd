"""How a test describes calls: an operation and what its members are like. Used by filters, assertions and faults.

What an expected value matches:

| expected | matches |
|---|---|
| `None` | the member is not there |
| a mapping | a mapping that has at least its entries; an empty one only an empty or absent one |
| a list or tuple | a list of the same length whose elements match |
| a key id, key ARN, alias name or alias ARN, in a member that names a key | any form in which the call named it |
| a compiled pattern | a text that the pattern finds something in |
| a function | what it returns something true for |
| anything else, `unittest.mock.ANY` among it | what is equal to it |
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_kmsmock._kms.api.arns import parse_arn
from pytest_kmsmock._kms.api.service_model import operation_names, service_description
from pytest_kmsmock._runtime.checks import closest
from pytest_kmsmock.errors import InvalidCallPattern

if TYPE_CHECKING:
    from pytest_kmsmock._kms.call.operation import Target
    from pytest_kmsmock._kms.engine.call_record import CallRecord
    from pytest_kmsmock._kms.state.state import State

#: The members that name a key: any form of the identifier will do.
KEY_MEMBERS = frozenset({"KeyId", "SourceKeyId", "DestinationKeyId", "TargetKeyId"})

#: Not a member of requests: the AWS service that made the call. None is a direct call.
VIA = "via"

#: Stands for a member that is not there.
ABSENT = type("_Absent", (), {"__repr__": lambda _: "(absent)"})()


class Difference(NamedTuple):
    """Where a call is not as expected.

    Attributes:
        path: the member, as `EncryptionContext['tenant']`.
        expected: what was expected there.
        actual: what the call has there; `ABSENT` if nothing.
    """

    path: str
    expected: object
    actual: object


class CallPattern:
    """What calls are looked for.

    Args:
        operation: the operation; None for any.
        members: what parameters of the call are like.
        arguments: what else is given in the same place, by names that may be misspelt too.

    Raises:
        InvalidCallPattern: for an operation or a member that there is not, which would never match.
    """

    def __init__(
        self, operation: str | None, members: Mapping[str, object], arguments: Iterable[str] = ()
    ) -> None:  # fmt: skip
        if operation is not None and not (isinstance(operation, str) and operation in operation_names()):
            raise InvalidCallPattern(f"Unknown KMS operation {operation!r}.{_hint(operation, operation_names())}")
        known = _members(operation) | {VIA}
        for member in members:
            if member not in known:
                whose = f"KMS {operation}" if operation else "any KMS operation"
                raise InvalidCallPattern(
                    f"Unknown parameter {member!r} of {whose}.{_hint(member, known.union(arguments))}"
                )
        self.operation = operation
        self.members = {
            name: getattr(value, "arn", value) if name in KEY_MEMBERS else value for name, value in members.items()
        }

    def differences(self, record: CallRecord, state: State) -> list[Difference]:
        """Return where a call is not as expected; nothing if it matches."""
        found: list[Difference] = []
        if self.operation is not None and record.operation != self.operation:
            found.append(Difference("operation", self.operation, record.operation))
        for member, expected in self.members.items():
            actual = record.params.get(member, ABSENT) if member != VIA else record.via or ABSENT
            if member in KEY_MEMBERS and isinstance(expected, str):
                target = next((target for target in record.targets if target.parameter == member), None)
                if expected != actual and not names_key(expected, target, state):
                    shown = target.arn if target is not None and actual is ABSENT else actual
                    found.append(Difference(member, expected, shown))
            else:
                found += _compare(member, expected, actual)
        return found

    def matches(self, record: CallRecord, state: State) -> bool:
        """Say whether a call is one of those that are looked for."""
        if self.operation is not None and record.operation != self.operation:
            return False
        return not self.members or not self.differences(record, state)


def names_key(identifier: str, target: Target | None, state: State) -> bool:
    """Say whether an identifier names the key of a target.

    An alias counts when the call used it, and also when it belongs to the key now.

    Args:
        identifier: key id, key ARN, alias name or alias ARN.
        target: what the call needed permission for.
        state: the present state, for aliases.
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
        return expected.encode() == actual  # botocore sends text as UTF-8 where a blob is due
    return bool(expected == actual)


def _members(operation: str | None) -> frozenset[str]:
    """Return the parameters of an operation; those of all operations for None."""
    description = service_description()
    shapes = description["shapes"]
    operations = description["operations"]
    chosen = operations.values() if operation is None else [operations[operation]]
    return frozenset(member for each in chosen for member in shapes[each["input"]["shape"]]["members"])


def _hint(name: object, known: frozenset[str]) -> str:
    """Return what may have been meant: boto3's method names and parameters in lower case count as the same."""
    alike = {_folded(candidate): candidate for candidate in sorted(known)}
    close = closest(_folded(str(name)), alike)
    return f" Did you mean {alike[close[0]]!r}?" if close else ""


def _folded(name: str) -> str:
    return name.replace("_", "").lower()
