"""The KMS calls and keys of a test as plain data: dicts, lists, strings and numbers, for pytest-xdist and JSON.

Created in the process that runs the test, read in the process that reports the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from pytest_kmsmock._kms.state.records import Key
    from pytest_kmsmock._kms.state.state import Region
    from pytest_kmsmock._mock.core import MockCore

    from .registry import SeenCall


_LONGEST = 80  # characters of a description that is shown as a name


class CallEntry(TypedDict):
    """A call, as reports show it.

    Attributes:
        operation: the operation's name.
        phase: `setup`, `call` or `teardown`.
        mock: the mock that answered, such as `kms_mock` or `mock_kms() 2`.
        caller: the ARN of the caller.
        via: the AWS service that made the call; empty if the caller did.
        administrator: whether that is the default caller.
        region: the Region called.
        time: when, by the mock's clock, in ISO 8601.
        start: seconds from the start of the test's first call to the start of this one.
        took: how long the fake KMS took, in seconds.
        request: the parameters, each as a short string.
        answer: the members of the response, each as a short string.
        keys: the ARNs of its keys.
        uses_key: whether it succeeded and is a cryptographic operation.
        lacks_context: whether it encrypted or decrypted under a symmetric key without encryption context.
        error: the error code; empty if it succeeded.
        message: the error's message.
        injected: whether a fault caused the error.
        reasons: why policies denied it, a line for each statement.
        decisive: the indexes of the decisive lines of `reasons`.
    """

    operation: str
    phase: str
    mock: str
    caller: str
    via: str
    administrator: bool
    region: str
    time: str
    start: float
    took: float
    request: list[tuple[str, str]]
    answer: list[tuple[str, str]]
    keys: list[str]
    uses_key: bool
    lacks_context: bool
    error: str
    message: str
    injected: bool
    reasons: list[str]
    decisive: list[int]


class KeyEntry(TypedDict):
    """A key that a test left behind.

    Attributes:
        arn: its ARN.
        name: its oldest alias, for a multi-Region key also one of a related key; else its shortened description, else
            empty.
        spec: its key spec.
    """

    arn: str
    name: str
    spec: str


class ItemEntry(TypedDict):
    """A test that used KMS.

    Attributes:
        test: its node id.
        outcome: `passed`, `failed`, `error` or `skipped`.
        failure: the message of its failure, as in pytest's summary; empty if it did not fail.
        calls: its calls, in order.
        keys: the customer managed keys of its mocks at its end that no earlier test had.
    """

    test: str
    outcome: str
    failure: str
    calls: list[CallEntry]
    keys: list[KeyEntry]


def place_of(mock: MockCore) -> str:
    """Return how a mock was created: the name of its fixture, or `mock_kms()`."""
    if mock.place == "mock_kms":
        return "mock_kms()"
    return "kms_mock" if mock.place == "function" else f"{mock.place}_kms_mock"


def call_entries(seen: Sequence[SeenCall]) -> list[CallEntry]:
    """Return the calls of a test as data."""
    from pytest_kmsmock._kms.call.operation import OPERATIONS
    from pytest_kmsmock._testing.audit.encryption_contexts import lacks_context

    from .denials import decisive, reasons

    names = mock_names(call.mock for call in seen)
    beginning = seen[0].record.started if seen else 0.0
    return [
        {
            "operation": record.operation,
            "phase": phase,
            "mock": names[mock],
            "caller": record.caller.arn,
            "via": record.via or "",
            "administrator": record.caller.administrator,
            "region": record.region,
            "time": record.time.isoformat(timespec="milliseconds"),
            "start": record.started - beginning,
            "took": record.took,
            "request": _members(record.params),
            "answer": _members(record.result or {}),
            "keys": [key.arn for key in record.keys],
            "uses_key": not record.refused and OPERATIONS[record.operation].cryptographic,
            "lacks_context": lacks_context(record),
            "error": record.error.code if record.error is not None else "",
            "message": record.error.message if record.error is not None else "",
            "injected": record.injected,
            "reasons": reasons(record),
            "decisive": decisive(record),
        }
        for phase, mock, record in seen
    ]


def mock_names(mocks: Iterable[MockCore]) -> dict[MockCore, str]:
    """Name the mocks of a test; those created in the same way are numbered."""
    names: dict[MockCore, str] = {}
    made: dict[str, int] = {}
    for mock in dict.fromkeys(mocks):
        place = place_of(mock)
        made[place] = made.get(place, 0) + 1
        names[mock] = place if made[place] == 1 else f"{place} {made[place]}"
    return names


def _members(members: Mapping[str, object]) -> list[tuple[str, str]]:
    from pytest_kmsmock._kms.call.short_repr import format_value

    return [(name, format_value(item)) for name, item in members.items()]


def key_entries(mocks: Iterable[MockCore], known: set[str]) -> list[KeyEntry]:
    """Return the customer managed keys of some mocks as data.

    Args:
        mocks: the mocks, which may have ended.
        known: the ARNs of keys that were returned before: these are skipped, and new ones are added.
    """
    found: list[KeyEntry] = []
    for mock in mocks:
        regions = list(mock.service.state.regions())
        for region in regions:
            for key in region.keys.values():
                if key.arn not in known and key.manager == "CUSTOMER":
                    known.add(key.arn)
                    name = _alias(key, regions if key.multi_region else [region]) or _shortened(key.description)
                    found.append({"arn": key.arn, "name": name, "spec": key.spec.name})
    return found


def _alias(key: Key, regions: Iterable[Region]) -> str | None:
    """Return the oldest alias of a key; for a multi-Region key the first of a Region with a related key."""
    own = (region for region in regions if region.account == key.account)
    return next((alias for region in own for alias in region.aliases_of.get(key.id, ())), None)


def _shortened(description: str) -> str:
    return description if len(description) <= _LONGEST else f"{description[: _LONGEST - 1]}…"
