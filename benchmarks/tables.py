"""Tables of figures and targets, in Markdown: `docs/performance.md` shows those of one run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NamedTuple


class Row(NamedTuple):
    """A line of a table: what was measured, the figures, and whether the target is met; None if there is none."""

    what: str
    figures: tuple[str, ...]
    target: str = ""
    met: bool | None = None


class Table(NamedTuple):
    """A title, the heads of the figures, and the rows."""

    title: str
    heads: tuple[str, ...]
    rows: Sequence[Row]


def show(table: Table) -> None:
    """Print a table."""
    verdicts = {True: "yes", False: "**no**", None: ""}
    lines = [(row.what, *row.figures, row.target, verdicts[row.met]) for row in table.rows]
    lines.insert(0, ("", *table.heads, "target", "met"))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    print(f"\n## {table.title}\n")
    for number, line in enumerate(lines):
        print("| " + " | ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)) + " |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    sys.stdout.flush()
