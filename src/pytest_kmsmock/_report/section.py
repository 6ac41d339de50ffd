"""The section "KMS calls" of a failing test, beside pytest's captured output and logs."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .denials import reasons
from .entries import place_of
from .terminal import one_line

if TYPE_CHECKING:
    from pytest_kmsmock._kms.engine.call_record import CallRecord
    from pytest_kmsmock._mock.core import MockCore

    from .registry import SeenCall

TITLE = "KMS calls"

_BY_SERVICES = (
    "The calls of {services} are made as on AWS, where the service itself calls KMS. To make none, leave the service "
    "out of the option services (kms_mock_services)."
)
#: Of a long list the last calls are shown, and before them the last refused ones: one of them is likely the reason.
_LAST = 20
_REFUSED = 10


def section(seen: Sequence[SeenCall]) -> str:
    """Return the calls of a test as text, under their phase and mock, refused ones with AWS's reason."""
    refused = sum(call.record.refused for call in seen)
    lines = [f"{_plural(len(seen), 'call')}, {refused or 'none'} refused"]
    shown = _chosen(seen)
    mocks = list(dict.fromkeys(call.mock for call in seen))
    width = len(str(len(seen)))
    heading, left_out = "", 0
    for index, call in enumerate(seen):
        if index not in shown:
            left_out += 1
            continue
        if left_out:
            lines.append(f"{'':{width}}   … {_plural(left_out, 'call')} left out")
            left_out = 0
        if heading != (heading := _heading(call, mocks)):
            lines.append(heading)
        lines += _call(call, f"{index + 1:>{width}}. ")
    refusing = sorted({str(call.record.via) for call in seen if call.record.refused and call.record.via})
    if refusing:
        lines.append(_BY_SERVICES.format(services=" and ".join(refusing)))
    return "\n".join(lines)


def _chosen(seen: Sequence[SeenCall]) -> set[int]:
    first = max(0, len(seen) - _LAST)
    refused = [index for index, call in enumerate(seen[:first]) if call.record.refused]
    return {*range(first, len(seen)), *refused[-_REFUSED:]}


def _heading(call: SeenCall, mocks: list[MockCore]) -> str:
    if len(mocks) == 1:
        return f"{call.phase}:"
    return f"{call.phase}, in mock {mocks.index(call.mock) + 1} of {len(mocks)} ({place_of(call.mock)}):"


def _call(call: SeenCall, number: str) -> list[str]:
    from pytest_kmsmock._kms.call.short_text import request, who

    record = call.record
    lines = [f"{number}{request(record.operation, record.params)}{_key(record)} in {record.region}{who(record.caller)}"]
    if record.error is not None:
        injected = " (injected by a fault)" if record.injected else ""
        message = f": {record.error.message}" if record.error.message else ""
        indent = " " * len(number)
        lines.append(one_line(f"{indent}REFUSED {record.error.code}{injected}{message}"))
        lines += [textwrap.indent(reason, indent + "  ") for reason in reasons(record)]
    return lines


def _key(record: CallRecord) -> str:
    """Name the keys that the request does not: by alias, or only by the ciphertext."""
    told = {str(value) for value in record.params.values() if isinstance(value, str)}
    keys = [key.id for key in record.keys if key.id not in told and key.arn not in told]
    return f" [{', '.join(f'key/{key}' for key in keys)}]" if keys else ""


def _plural(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
