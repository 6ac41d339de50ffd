"""Tables of figures and targets, in Markdown: `docs/performance.md` shows those of one run."""

from __future__ import annotations

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


def lines_of(table: Table) -> list[str]:
    """Return a table in Markdown."""
    verdicts = {True: "yes", False: "**no**", None: ""}
    cells = [(row.what, *row.figures, row.target, verdicts[row.met]) for row in table.rows]
    cells.insert(0, ("", *table.heads, "target", "met"))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [" | ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)) for line in cells]
    head, *others = (f"| {line} |" for line in lines)
    return [head, "|" + "|".join("-" * (width + 2) for width in widths) + "|", *others]


def replaced(page: str, table: Table) -> str:
    """Return a page with the table in place of the first one below its title.

    Raises:
        ValueError: the page has no such title.
    """
    lines = page.splitlines()
    title = lines.index(f"## {table.title}")
    start = next(number for number, line in enumerate(lines) if number > title and line.startswith("|"))
    end = next(number for number, line in enumerate([*lines, ""]) if number > start and not line.startswith("|"))
    return "\n".join([*lines[:start], *lines_of(table), *lines[end:]]) + "\n"
