"""The totals of a run over its tests, for the table in the terminal and the HTML page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from pytest_kmsmock._record import Record

from .entries import CallEntry, ItemEntry, KeyEntry

ACCESS_DENIED = "AccessDeniedException"


@dataclass(slots=True)
class OperationTotal:
    """An operation over the whole run.

    Attributes:
        operation: its name.
        calls: how often it was called.
        refused: how many of these calls got an error.
        denied: how many of those were denied by policies.
        without_context: how many calls used a symmetric key without encryption context.
        tests: the node ids of the tests that called it.
        took: how long the fake KMS took, in seconds.
    """

    operation: str
    calls: int = 0
    refused: int = 0
    denied: int = 0
    without_context: int = 0
    tests: set[str] = field(default_factory=set)
    took: float = 0.0


class ItemCall(Record):
    """A call with the node id of its test."""

    test: str
    call: CallEntry


class UnusedKey(Record):
    """A key that no test used.

    Attributes:
        key: the key; the first of several with the same alias.
        tests: the node ids of the tests that had it.
    """

    key: KeyEntry
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Totals:
    """A whole run.

    Attributes:
        tests: how many tests called KMS.
        operations: the operations, most called first.
        overall: all operations together.
        denied: the calls that policies denied.
        without_context: the calls that used a symmetric key without encryption context.
        unused_keys: the keys that no test of the run used for cryptography.
    """

    tests: int
    operations: tuple[OperationTotal, ...]
    overall: OperationTotal
    denied: tuple[ItemCall, ...]
    without_context: tuple[ItemCall, ...]
    unused_keys: tuple[UnusedKey, ...]


def is_denied(call: CallEntry) -> bool:
    """Say whether policies denied a call."""
    return call["error"] == ACCESS_DENIED and not call["injected"]


def totals(tests: Sequence[ItemEntry]) -> Totals:
    """Return the totals of tests."""
    by_name: dict[str, OperationTotal] = {}
    overall = OperationTotal("all operations")
    for test, call in _calls(tests):
        operation = by_name.setdefault(call["operation"], OperationTotal(call["operation"]))
        for total in (operation, overall):
            total.calls += 1
            total.refused += bool(call["error"])
            total.denied += is_denied(call)
            total.without_context += call["lacks_context"]
            total.tests.add(test)
            total.took += call["took"]
    return Totals(
        tests=len(overall.tests),
        operations=tuple(sorted(by_name.values(), key=lambda total: (-total.calls, total.operation))),
        overall=overall,
        denied=_those(tests, is_denied),
        without_context=_those(tests, lambda call: call["lacks_context"]),
        unused_keys=tuple(_unused_keys(tests)),
    )


def _unused_keys(tests: Sequence[ItemEntry]) -> Iterator[UnusedKey]:
    """Yield the keys that no test used.

    Keys that tests create under the same alias count as one, and so do the related keys of a multi-Region key.
    """
    found: dict[str, tuple[KeyEntry, dict[str, None]]] = {}
    names: dict[str, str] = {}
    for entry in tests:
        for key in entry["keys"]:
            name = names[key["arn"]] = _identity(key)
            found.setdefault(name, (key, {}))[1][entry["test"]] = None
    used = {names.get(arn) for _, call in _calls(tests) if call["uses_key"] for arn in call["keys"]}
    for name, (key, having) in found.items():
        if name not in used:
            yield UnusedKey(key, tuple(having))


def _identity(key: KeyEntry) -> str:
    home, _, key_id = key["arn"].partition(":key/")
    if key_id.startswith("mrk-"):
        home = home.rpartition(":")[2]  # the account: related keys are in several Regions
    return f"{home}:{key['name'] if key['name'].startswith('alias/') else key_id}"


def _calls(tests: Sequence[ItemEntry]) -> Iterator[ItemCall]:
    for entry in tests:
        for call in entry["calls"]:
            yield ItemCall(entry["test"], call)


def _those(tests: Sequence[ItemEntry], condition: Callable[[CallEntry], bool]) -> tuple[ItemCall, ...]:
    return tuple(found for found in _calls(tests) if condition(found.call))
