"""Where a policy is written, for explanations: the file and the resource that declare it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Origin(NamedTuple):
    """Where a policy comes from.

    Attributes:
        file: The name of the file.
        resource: The resource in it that declares the policy.
        line: Its line; 0 if the file has no lines to speak of.
        lines: The line of each statement.
    """

    file: str
    resource: str
    line: int = 0
    lines: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.file}{f':{self.line}' if self.line else ''}, {self.resource}"

    def statement(self, number: int) -> str:
        """Say where a statement is, by its number from 1."""
        return f"line {self.lines[number - 1]}" if number <= len(self.lines) and self.lines[number - 1] else ""


#: ARN of a key, a user or a role -> text of one of its policies -> where that is written. The empty text stands for the
#: key, user or role itself.
Origins = Mapping[str, Mapping[str, Origin]]

NO_ORIGINS: Origins = {}
