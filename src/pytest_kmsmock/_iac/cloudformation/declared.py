"""One resource of a stack, with its properties resolved and placeholders in them noted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pytest_kmsmock.errors import InvalidSeed

from ..model import Document, Place, Unknown
from ..policies import affects_kms, as_list, document_of, statements_of
from ..reading import Located, line_of
from .functions import NO_VALUE, function_of, resolve, string, unroll
from .stack import OURS, StackScope


class Declared:
    """One resource of a stack.

    Args:
        scope: the stack.
        id: its logical id.
    """

    def __init__(self, scope: StackScope, id: str) -> None:  # noqa: A002 - as CloudFormation calls it
        self.scope, self.id, self.stack = scope, id, scope.stack
        self.body = scope.resources[id]
        self.kind: str = self.body["Type"]
        self.place = Place(scope.source.file, line_of(self.body), id)
        self.properties: Mapping[str, Any] = self._properties()

    def _properties(self) -> Mapping[str, Any]:
        given = self.body.get("Properties") or {}
        if function_of(given) == "Fn::If":
            given = resolve(self.scope, given)
        if not isinstance(given, dict):
            raise self.invalid("Properties must be a mapping")
        with self._noting(decides=self.kind.startswith(OURS)):
            return Located(dict(unroll(self.scope, given)), line_of(given))

    @contextmanager
    def _noting(self, *, decides: bool = True) -> Iterator[None]:
        """Note the placeholders of values that are resolved meanwhile."""
        before = len(self.scope.notes)
        yield
        for reason, cause in self.scope.take_notes(before):
            self.unknown(reason, decides=decides, cause=cause)

    @property
    def name(self) -> str:
        """Its physical name. A placeholder in it is noted: it decides nothing, but a test may look for another name."""
        with self._noting(decides=False):
            return self.scope.name_of(self.id)[0]

    @property
    def path(self) -> str:
        """Its path in IAM."""
        return self.scope.name_of(self.id)[1]

    def get(self, name: str, default: Any = None) -> Any:
        """Return a resolved property; placeholders in it are noted."""
        return self.value(self.properties.get(name, default), default)

    def value(self, given: Any, default: Any = None) -> Any:
        """Return a resolved value, as `get` does."""
        self.scope.line = line_of(given) or self.place.line
        with self._noting():
            found = resolve(self.scope, given)
        return default if found is NO_VALUE else found

    def string(self, name: str) -> str | None:
        """Return a property as a string; None if it is not there."""
        found = self.get(name)
        return None if found is None else string(found)

    def strings(self, name: str) -> tuple[str, ...]:
        """Return a property that is a list of strings."""
        return tuple(map(string, as_list(self.get(name))))

    def flag(self, name: str, default: bool | None = None) -> bool | None:
        """Return a property that is true or false."""
        found = self.get(name)
        return default if found is None else string(found).lower() == "true"

    def number(self, name: str) -> int | None:
        """Return a property that is a number."""
        found = self.get(name)
        try:
            return None if found is None else int(string(found))
        except ValueError:
            raise self.invalid(f"{name} must be a number, not {found!r}") from None

    def tags(self) -> dict[str, str]:
        """Return its tags."""
        return {
            string(tag.get("Key")): string(tag.get("Value"))
            for tag in as_list(self.get("Tags"))
            if isinstance(tag, dict)
        }

    def document(self, given: Any, line: int = 0) -> Document | None:
        """Return a policy document. Placeholders are noted if their statement can affect KMS."""
        self.scope.line = line_of(given) or line or self.place.line
        if function_of(given) == "Fn::SamPolicyTemplate":
            self.unknown(f"the policy template {given['Fn::SamPolicyTemplate']} is unknown")
            return None
        if function_of(given) in ("Fn::If", "Ref"):
            given = self.value(given)
        if given is None:
            return None
        if not isinstance(given, dict):
            raise self.invalid(f"a policy document must be a mapping, not {given!r}")
        statements = [self._statement(statement) for statement in self._statements(given)]
        kept = {name: resolve(self.scope, value) for name, value in given.items() if name != "Statement"}
        found = [statement for statement in statements if statement is not NO_VALUE]
        if not found:
            return None
        return document_of({**kept, "Statement": found}, self.place)

    def _statements(self, given: Mapping[str, Any]) -> list[Any]:
        found = given.get("Statement")
        return as_list(self.value(found)) if function_of(found) else statements_of(given)

    def _statement(self, statement: Any) -> Any:
        before = len(self.scope.notes)
        self.scope.line = line_of(statement) or self.place.line
        found = resolve(self.scope, statement)
        notes = self.scope.take_notes(before)
        if affects_kms(found):
            for reason, cause in notes:
                self.unknown(reason, line=line_of(statement), cause=cause)
        return found

    def unknown(self, reason: str, *, line: int = 0, decides: bool = True, cause: Place | None = None) -> None:
        """Note what was not understood."""
        place = self.place._replace(line=line or self.place.line)
        self.scope.stacks.unknowns.append(Unknown(place, reason, decides, cause))

    def invalid(self, reason: str) -> InvalidSeed:
        """Return an error with its location."""
        return InvalidSeed(f"{self.place}: {reason}")
