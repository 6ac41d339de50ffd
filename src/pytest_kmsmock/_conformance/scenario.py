"""A scenario: calls in order, with AWS's answers and their sources. Read by `scenario_files`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

#: How an answer is known, the strongest first.
MARKS = ("recorded", "documented", "inferred")
#: What some targets lack: principals with policies of their own, a clock that can be moved, an account without keys
#: and aliases, clusters and proxies behind custom key stores; and minutes that pass while AWS does something.
NEEDS = frozenset({"principals", "clock", "empty account", "key stores", "time"})


@dataclass(frozen=True, slots=True)
class Source:
    """Where an answer is known from.

    Attributes:
        name: how steps call it.
        mark: one of `MARKS`.
        title: what it is, for readers.
        date: when it was recorded or published, such as `2026-09`; empty of what is inferred.
        url: where it can be read, if anywhere.
    """

    name: str
    mark: str
    title: str
    date: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Cited:
    """A source, and the place in it: a page, a test, a step of a capture."""

    source: Source
    place: str = ""

    def __str__(self) -> str:
        return f"{self.source.title}: {self.place}" if self.place else self.source.title


@dataclass(frozen=True, slots=True)
class Expected:
    """What AWS answers.

    Attributes:
        error: the error code; None for a call that succeeds.
        message: the exact message of the error, or a pattern of it; None if it is left open.
        answer: members with their values; further members are allowed.
        members: the names of exactly the members that the answer has; None if that is left open.
        absent: paths of members that are not there.
    """

    error: str | None = None
    message: str | Mapping[str, Any] | None = None
    answer: Mapping[str, Any] | None = None
    members: tuple[str, ...] | None = None
    absent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """A call, or a wait.

    Attributes:
        number: which one it is in its scenario, from 1.
        place: file and line.
        operation: such as `Encrypt`; empty for a wait.
        params: its parameters, with references to earlier answers.
        name: what later steps call its answer.
        case: the situation, for readers.
        region: `first` or `other`.
        by: the principal who calls; empty for the one who runs the scenario.
        expected: what AWS answers; None if the call only has to succeed, to prepare for others.
        cited: how that is known.
        message_cited: how the message is known, if otherwise.
        within: how many seconds AWS may take to get there.
        wait: how much time passes instead of a call.
    """

    number: int
    place: str
    operation: str
    params: Mapping[str, Any]
    name: str
    case: str
    region: str
    by: str
    expected: Expected | None
    cited: tuple[Cited, ...]
    message_cited: tuple[Cited, ...]
    within: float
    wait: timedelta | None

    @property
    def mark(self) -> str:
        """How its answer is known: by the strongest of its sources; but its message may be known less well."""
        strongest = [_strongest(cited) for cited in (self.cited, self.message_cited) if cited]
        return max(strongest, key=MARKS.index, default="inferred")


def _strongest(cited: tuple[Cited, ...]) -> str:
    return min((each.source.mark for each in cited), key=MARKS.index)


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller in a scenario, with its policies; the parameters of `KmsMock.credentials` and `kms.iam`."""

    name: str
    arn: str
    policies: tuple[Mapping[str, Any], ...] = ()
    session_policies: tuple[Mapping[str, Any], ...] = ()
    boundary: Mapping[str, Any] | None = None
    session_name: str = ""
    missing: bool = False  # does not exist, although it is named


@dataclass(frozen=True, slots=True)
class Scenario:
    """Steps that belong together. It begins with no keys of its own.

    Attributes:
        file: the name of its file, without suffix.
        name: its name, unique in the file.
        place: file and line.
        steps: its steps.
        principals: who calls besides the one who runs it.
        delays: how long transitional states last on AWS, in seconds, for a mock where they take no time.
        needs: which of `NEEDS` a target must have.
    """

    file: str
    name: str
    place: str
    steps: tuple[Step, ...]
    principals: tuple[Principal, ...] = ()
    delays: Mapping[str, float] | None = None
    needs: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        """File and name, as tests and `--only` have it."""
        return f"{self.file}/{self.name}"
