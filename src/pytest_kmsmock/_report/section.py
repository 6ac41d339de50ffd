"""The section "KMS calls" of a failing test, beside pytest's captured output and logs."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .denials import allowances, reasons
from .entries import mock_names, place_of
from .terminal import one_line

if TYPE_CHECKING:
    from pytest_kmsmock._kms.engine.call_record import CallRecord
    from pytest_kmsmock._kms.state.state import State
    from pytest_kmsmock._mock.core import MockCore

    from .registry import SeenCall

TITLE = "KMS calls"

_BY_SERVICES = (
    "{services} called KMS, as on AWS. To turn that off, leave the service out of the option services "
    "(kms_mock_services)."
)
#: Of many calls the last ones are shown, and the last refused ones before: probably one of them is the cause.
_LAST = 20
_REFUSED = 10
#: A setup of at most this many calls is shown call by call.
_QUIET = 3


def section(
    seen: Sequence[SeenCall], mocks: Sequence[MockCore], failed_in: str = "call", *, explain: bool = False
) -> str:  # fmt: skip
    """Return the calls of a test as text, by phase and mock, refused ones with their errors.

    Args:
        seen: the calls.
        mocks: the mocks of the test; some may have answered none of them.
        failed_in: the phase in which the test failed. An earlier setup without refused calls is one line.
        explain: whether to show what allowed the calls of this phase.
    """
    refused = sum(call.record.refused for call in seen)
    lines = [f"{_plural(len(seen), 'call')}, {refused or 'none'} refused"]
    quiet = _quiet_setup(seen) if failed_in != "setup" else 0
    if quiet:
        lines.append(f"setup: {_plural(quiet, 'call')}, none refused")
    shown = _chosen(seen)
    answering = list(dict.fromkeys(call.mock for call in seen))
    states = {name: mock.service.state for mock, name in mock_names(mocks).items()}
    width = len(str(len(seen)))
    heading, left_out = "", 0
    for index, call in enumerate(seen[quiet:], quiet):
        if index not in shown:
            left_out += 1
            continue
        if left_out:
            lines.append(f"{'':{width}}   … {_plural(left_out, 'call')} left out")
            left_out = 0
        if heading != (heading := _heading(call, answering)):
            lines.append(heading)
        number = f"{index + 1:>{width}}. "
        lines += _call(call, number, states)
        if explain and call.phase == failed_in and not call.record.refused:
            lines += [one_line(" " * len(number) + line) for line in allowances(call.record)]
    refusing = sorted({str(call.record.via) for call in seen if call.record.refused and call.record.via})
    if refusing:
        lines.append(_BY_SERVICES.format(services=" and ".join(refusing)))
    if any(reasons(call.record) for call in seen):
        lines += _unknowns(answering)
    unused = [rule.description for mock in mocks for rule in mock.injector.unused]
    return "\n".join([*lines, *(f"Fault that never fired: {one_line(fault)}" for fault in unused)])


def _quiet_setup(seen: Sequence[SeenCall]) -> int:
    """Return the number of calls in setup, if they are many and none was refused; else 0."""
    calls = [call for call in seen if call.phase == "setup"]
    return len(calls) if len(calls) > _QUIET and not any(call.record.refused for call in calls) else 0


def _unknowns(mocks: Sequence[MockCore]) -> list[str]:
    """Return the unsupported elements of deployed policies: these may be why a call was denied."""
    found = dict.fromkeys(
        str(unknown)
        for mock in mocks
        for deployment in mock.deployments
        for unknown in deployment.unknowns
        if unknown.decides
    )
    return ["Not understood, which may be the reason:", *(f"  {one_line(text)}" for text in found)] if found else []


def _chosen(seen: Sequence[SeenCall]) -> set[int]:
    first = max(0, len(seen) - _LAST)
    refused = [index for index, call in enumerate(seen[:first]) if call.record.refused]
    return {*range(first, len(seen)), *refused[-_REFUSED:]}


def _heading(call: SeenCall, mocks: list[MockCore]) -> str:
    if len(mocks) == 1:
        return f"{call.phase}:"
    return f"{call.phase}, in mock {mocks.index(call.mock) + 1} of {len(mocks)} ({place_of(call.mock)}):"


def _call(call: SeenCall, number: str, states: Mapping[str, State]) -> list[str]:
    from pytest_kmsmock._kms.call.short_repr import format_caller, format_request
    from pytest_kmsmock._testing.views.near_misses import hints

    record = call.record
    lines = [
        f"{number}{format_request(record.operation, record.params)}{_key(record)} in {record.region}"
        f"{format_caller(record.caller)}"
    ]
    if record.error is not None:
        injected = " (injected by a fault)" if record.injected else ""
        message = f": {record.error.message}" if record.error.message else ""
        indent = " " * len(number)
        lines.append(one_line(f"{indent}REFUSED {record.error.code}{injected}{message}"))
        lines += [textwrap.indent(reason, indent + "  ") for reason in reasons(record)]
        lines += [one_line(f"{indent}  {hint}") for hint in hints(record, call.mock.service.state, states)]
    return lines


def _key(record: CallRecord) -> str:
    """Return the keys of a call that its parameters do not name by id or ARN."""
    told = {str(value) for value in record.params.values() if isinstance(value, str)}
    keys = [key.id for key in record.keys if key.id not in told and key.arn not in told]
    return f" [{', '.join(f'key/{key}' for key in keys)}]" if keys else ""


def _plural(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
