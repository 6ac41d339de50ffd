"""A template file with the options of its deployment, and notes on values that are not known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_kmsmock._record import Record

from ..model import Place, Stack


class Note(Record):
    """Why a value is a placeholder.

    Attributes:
        reason: what is not known.
        cause: the parameter without a value that it follows from, if any.
    """

    reason: str
    cause: Place | None = None


@dataclass(frozen=True)
class Source:
    """A template file, and the options of its deployment.

    Attributes:
        file: its path.
        stack: where it is deployed.
        parameters: values of its parameters.
        imports: values of exports of stacks that are not given.
        nested: files of its nested stacks, by logical id.
        parent: the logical id of the stack in the template that nests it; empty if none does.
        notes: what is not known of the parameters that the parent passes.
    """

    file: str
    stack: Stack
    parameters: Mapping[str, Any] = field(default_factory=dict)
    imports: Mapping[str, Any] = field(default_factory=dict)
    nested: Mapping[str, str] = field(default_factory=dict)
    parent: str = ""
    notes: Mapping[str, list[Note]] = field(default_factory=dict)
