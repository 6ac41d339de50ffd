"""The table of `--kms-report`: operations, then findings, as lines that `hooks` prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from .totals import OperationTotal, Totals, UnusedKey

#: How many entries of a list are shown; the HTML page shows all.
_SHOWN = 10

_COLUMNS = ("operation", "calls", "refused", "denied", "no context", "tests", "time")


def table(totals: Totals) -> Iterator[str]:
    """Yield the lines of the table."""
    if not totals.operations:
        yield "No test called KMS."
        return
    rows = [_row(total) for total in totals.operations]
    foot = _row(totals.overall)
    widths = [max(len(row[column]) for row in (_COLUMNS, *rows, foot)) for column in range(len(_COLUMNS))]
    yield _line(_COLUMNS, widths)
    rule = "  ".join("-" * width for width in widths)
    yield rule
    for row in rows:
        yield _line(row, widths)
    yield rule
    yield _line(foot, widths)


def _row(total: OperationTotal) -> tuple[str, ...]:
    counts = (total.calls, total.refused, total.denied, total.without_context, len(total.tests))
    return (total.operation, *(str(count) if count else "-" for count in counts), duration(total.took))


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (
        f"{cell:{'>' if column else '<'}{width}}" for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join(cells)


def findings(totals: Totals) -> Iterator[str]:
    """Yield the lines of findings: denied calls, calls without encryption context, keys never used."""
    yield from _list(
        "denied calls", (f"{test}: {call['operation']}: {call['message']}" for test, call in totals.denied)
    )
    yield from _list(
        "calls without encryption context",
        (f"{test}: {call['operation']}" for test, call in totals.without_context),
    )
    yield from _list(
        "keys never used",
        (_key(unused) for unused in totals.unused_keys),
    )


def _key(unused: UnusedKey) -> str:
    key, tests = unused
    name, region = key["name"] or key["arn"].partition(":key/")[2], key["arn"].split(":")[3]
    others = len(tests) - 1
    more = f" and {others} more test{'s' if others > 1 else ''}" if others else ""
    return f"{name} ({key['spec']}) in {region}: {tests[0]}{more}"


def _list(title: str, entries: Iterable[str]) -> Iterator[str]:
    """Yield a list with equal entries counted; nothing if there are none."""
    counted = Counter(entries)
    if not counted:
        return
    yield ""
    yield f"{title} ({sum(counted.values())}):"
    for entry, count in list(counted.items())[:_SHOWN]:
        yield f"  {one_line(entry)}{f'  (x{count})' if count > 1 else ''}"
    if len(counted) > _SHOWN:
        yield f"  … and {len(counted) - _SHOWN} more; --kms-report=FILE.html shows all"


def one_line(text: str) -> str:
    """Return a string as one line that is safe for a terminal: control characters are escaped."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def duration(seconds: float) -> str:
    """Return a duration as text, in milliseconds or seconds."""
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"
