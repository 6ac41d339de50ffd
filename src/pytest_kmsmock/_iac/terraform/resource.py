"""One resource of a plan or state, and what its attributes are."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..model import Document, Json, Place, Stack, Unknown
from ..policies import as_list, document_of

Note = Callable[[Unknown], None]


@dataclass(frozen=True)
class Resource:
    """A resource, or a data source, at one address.

    Attributes:
        address: such as `module.keys.aws_kms_key.data["a"]`.
        kind: its type, such as `aws_kms_key`.
        name: its name in the configuration.
        module: the address of its module; empty for the root.
        index: its key of `for_each` or number of `count`; None if it has neither.
        is_data: whether it is a data source.
        values: its attributes, as far as they are known.
        unknown: those that are known after apply: true, or the same for parts.
        expressions: what the configuration says of its attributes.
    """

    address: str
    kind: str
    name: str
    module: str = ""
    index: str | int | None = None
    is_data: bool = False
    values: Mapping[str, Any] = field(default_factory=dict)
    unknown: Mapping[str, Any] = field(default_factory=dict)
    expressions: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for text in (self.address, self.kind, self.name, self.module):
            if not isinstance(text, str):
                raise TypeError(f"address, type, name and module of a resource are strings, found {text!r}")


class Declared:
    """A managed resource with all its attributes, placeholders among them.

    Args:
        resource: the resource.
        get: gives an attribute.
        file: the file.
        stack: default account and Region.
        note: is called with what was not understood.
    """

    def __init__(self, resource: Resource, get: Callable[[str], Any], file: str, stack: Stack, note: Note) -> None:
        self.resource, self.get, self._note = resource, get, note
        self.place = Place(file, 0, resource.address)
        self.stack = _stack_of(get("arn"), get("region"), stack)

    def string(self, name: str) -> str | None:
        """Return an attribute as a string; None if it has no value."""
        found = self.get(name)
        return None if found in (None, "") else str(found)

    def required(self, name: str) -> str:
        """Return an attribute as a string; empty if it has no value."""
        return self.string(name) or ""

    def flag(self, name: str, default: bool = False) -> bool:
        """Return an attribute that is true or false."""
        found = self.get(name)
        return default if found is None else bool(found)

    def strings(self, name: str) -> tuple[str, ...]:
        """Return an attribute that is a list of strings."""
        return tuple(map(str, self.get(name) or ()))

    def blocks(self, name: str) -> list[Mapping[str, Any]]:
        """Return nested blocks."""
        return [block for block in as_list(self.get(name)) if isinstance(block, Mapping)]

    def tags(self) -> dict[str, str]:
        """Return its tags, those of the provider among them."""
        found = self.get("tags_all") or self.get("tags") or {}
        return {str(name): str(value) for name, value in found.items()}

    def document(self, text: object) -> Document | None:
        """Return a policy, which is a JSON string in Terraform."""
        if text in (None, ""):
            return None
        try:
            content: Json = json.loads(str(text))
        except ValueError:
            self.unknown(
                "its policy is known only after apply, and a plan in JSON does not contain its expression: use "
                "data.aws_iam_policy_document, or the state after apply"
            )
            return None
        return document_of(content, self.place)

    def unknown(self, reason: str, *, decides: bool = True) -> None:
        """Note what was not understood."""
        self._note(Unknown(self.place, reason, decides))


def _stack_of(arn: object, region: object, stack: Stack) -> Stack:
    """Return where a resource is: as its ARN says, which leaves out what is global."""
    parts = str(arn or "").split(":")
    account = parts[4] if len(parts) > 5 and parts[4].isdigit() else stack.account
    place = region if isinstance(region, str) and region else parts[3] if len(parts) > 5 else ""
    return stack._replace(account=account, region=place or stack.region)
