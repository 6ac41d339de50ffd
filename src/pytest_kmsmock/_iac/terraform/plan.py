"""Values of a plan that are known only after apply: those of the references in the configuration, or placeholders.

The JSON of a plan says which attributes are unknown, and of their expressions the references, not how these are
combined. So an attribute with one reference has that one's value; a combination of several is unknown. See https://developer.hashicorp.com/terraform/internals/json-format
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..model import Place, Stack, Unknown
from ..names import PLACEHOLDER
from .computed import COMPUTED, computed
from .documents import DOCUMENT, rendered
from .resource import Note, Resource

_PART = re.compile(r'\["(?P<key>[^"]*)"\]|\[(?P<number>\d+|[^\]]*)\]|(?P<name>[^.\[]+)')
_NOTHING: Mapping[str, Any] = {}


class Values:
    """The attributes of all resources of a file.

    Args:
        resources: the resources and data sources.
        configuration: the plan's configuration; empty for a state, where all is known.
        variables: the values of the root module's variables.
        file: the file, for notes.
        stack: default account and Region.
        note: is called with what was not understood.
    """

    def __init__(
        self, resources: Mapping[str, Resource], configuration: Mapping[str, Any], variables: Mapping[str, Any],
        file: str, stack: Stack, note: Note,
    ) -> None:  # fmt: skip
        self._resources, self._variables, self._stack = resources, variables, stack
        self._root = configuration.get("root_module") or {}
        self._file, self._note = file, note
        self._resolving: set[tuple[str, str]] = set()
        self._found: dict[tuple[str, str], Any] = {}

    def get(self, resource: Resource, attribute: str) -> Any:
        """Return an attribute of a resource."""
        place = (resource.address, attribute)
        if place not in self._found:
            if place in self._resolving:
                return None
            self._resolving.add(place)
            self._found[place] = self._get(resource, attribute)
            self._resolving.discard(place)
        return self._found[place]

    def _get(self, resource: Resource, attribute: str) -> Any:
        known, unknown = resource.values.get(attribute), resource.unknown.get(attribute, False)
        if resource.is_data and resource.kind == DOCUMENT and attribute == "json" and known is None:
            return rendered(lambda name: self.get(resource, name))
        if unknown in (False, None, {}, []):
            return known
        if unknown is True and attribute not in resource.expressions:
            given = {
                name: self.get(resource, name)
                for name in (*resource.values, *resource.expressions)
                if name != attribute
            }
            return computed(resource.kind, attribute, resource.address, given, self._stack)
        return self._filled(known, unknown, resource.expressions.get(attribute), resource, attribute)

    def _filled(self, known: Any, unknown: Any, expression: Any, resource: Resource, attribute: str) -> Any:
        """Return a value with what is unknown of it filled in."""
        if unknown is True:
            return self._evaluate(expression, resource, attribute)
        if isinstance(unknown, Mapping) and isinstance(known, Mapping):
            said = expression if isinstance(expression, Mapping) else _NOTHING
            return {
                name: self._filled(known.get(name), unknown.get(name, False), said.get(name), resource, attribute)
                for name in {**known, **unknown}
            }
        if isinstance(unknown, list) and isinstance(known, list):
            return self._filled_list(known, unknown, expression, resource, attribute)
        return known

    def _filled_list(
        self, known: list[Any], unknown: list[Any], expression: Any, resource: Resource, attribute: str
    ) -> list[Any]:
        length = max(len(known), len(unknown))
        known, unknown = known + [None] * (length - len(known)), unknown + [False] * (length - len(unknown))
        if isinstance(expression, list):  # blocks, each with its own expressions
            said = expression + [None] * (length - len(expression))
            return [self._filled(*parts, resource, attribute) for parts in zip(known, unknown, said, strict=False)]
        gaps = [index for index, part in enumerate(unknown) if part is True]
        references = list(_references(expression))
        if len(gaps) != len(references):
            return [self._filled(*parts, None, resource, attribute) for parts in zip(known, unknown, strict=True)]
        values = dict(zip(gaps, references, strict=True))
        return [
            self._reference(values[index], resource, attribute) if index in values else part
            for index, part in enumerate(known)
        ]

    def _evaluate(self, expression: Any, resource: Resource, attribute: str) -> Any:
        references = list(_references(expression))
        if len(references) == 1:
            return self._reference(references[0], resource, attribute)
        parts = " and ".join(references) if references else "what is not in the plan"
        return self._placeholder(resource, f"a value is known only after apply, and combines {parts}")

    def _placeholder(self, resource: Resource, reason: str) -> str:
        decides = resource.kind.startswith(("aws_kms_", "aws_iam_"))
        self._note(Unknown(Place(self._file, 0, resource.address), reason, decides))
        return f"arn:{self._stack.partition}{PLACEHOLDER}{resource.kind.replace('_', '-')}"

    # --- references -----------------------------------------------------------------------------------------------

    def _reference(self, reference: str, resource: Resource, attribute: str) -> Any:
        found = self._look_up(reference, resource.module, resource.index, attribute)
        return self._placeholder(resource, f"{reference} is known only after apply") if found is None else found

    def _look_up(self, reference: str, module: str, index: str | int | None, wanted: str) -> Any:
        """Return the value of a reference in a module; None if it is unknown.

        Args:
            reference: the reference.
            module: the address of the module.
            index: the key or number of the instance that refers.
            wanted: the attribute that it is the value of.
        """
        parts = _parts(reference)
        if parts[0] == "var" and len(parts) > 1:
            return self._variable(str(parts[1]), module, index, wanted)
        if parts[0] == "module" and len(parts) > 2:
            return self._output(parts, module, index, wanted)
        if parts[0] in ("each", "count", "local", "path", "terraform", "self"):
            return None
        is_data = parts[0] == "data"
        kind, name, *rest = parts[1:] if is_data else parts
        keys = [part for part in rest if isinstance(part, int) or (isinstance(part, str) and part.startswith('"'))]
        attribute = next((part for part in rest if isinstance(part, str) and not part.startswith('"')), None)
        found = self._instance(module, str(kind), str(name), keys, index, is_data=is_data)
        return None if found is None else self.get(found, attribute or _likely(found, wanted))

    def _instance(
        self, module: str, kind: str, name: str, keys: list[Any], index: str | int | None, *, is_data: bool
    ) -> Resource | None:  # fmt: skip
        """Return the resource that is meant: by its key, else the one of the same key, else the only one."""
        wanted = keys[0].strip('"') if keys and isinstance(keys[0], str) else keys[0] if keys else None
        having = [
            each
            for each in self._resources.values()
            if (each.module, each.kind, each.name, each.is_data) == (module, kind, name, is_data)
        ]
        if wanted is None and len(having) > 1:
            wanted = index
        return next((each for each in having if wanted is None or each.index == wanted), None)

    def _variable(self, name: str, module: str, index: str | int | None, wanted: str) -> Any:
        if not module:
            return (self._variables.get(name) or _NOTHING).get("value")
        parent, _, call = module.rpartition("module.")
        parent = parent.rstrip(".")
        calls = (self._configured(parent) or _NOTHING).get("module_calls") or {}
        expression = ((calls.get(_bare(call)) or _NOTHING).get("expressions") or {}).get(name) or _NOTHING
        if "constant_value" in expression:
            return expression["constant_value"]
        references = list(_references(expression))
        return self._look_up(references[0], parent, index, wanted) if len(references) == 1 else None

    def _output(self, parts: list[str | int], module: str, index: str | int | None, wanted: str) -> Any:
        name = str(parts[1])
        keys = [part for part in parts[2:-1] if isinstance(part, int) or part.startswith('"')]
        key = f"[{keys[0]}]" if keys else ""
        child = f"{module}{'.' if module else ''}module.{name}{key}"
        outputs = (self._configured(child) or _NOTHING).get("outputs") or {}
        references = list(_references((outputs.get(str(parts[-1])) or _NOTHING).get("expression")))
        return self._look_up(references[0], child, index, wanted) if len(references) == 1 else None

    def _configured(self, module: str) -> Mapping[str, Any] | None:
        """Return the configuration of a module by its address."""
        found: Mapping[str, Any] | None = self._root
        for name in re.findall(r"module\.([^.\[]+)", module):
            call = ((found or _NOTHING).get("module_calls") or {}).get(name) or _NOTHING
            found = call.get("module")
        return found


#: Attributes with the name of another resource; all others have its ARN, where a plan names only the resource.
_NAMES = ("bucket", "group", "role", "user")


def _likely(resource: Resource, wanted: str) -> str:
    """Return the attribute that is meant where a plan names only the resource: `aws_kms_key.this[each.key].arn`."""
    if resource.kind == DOCUMENT:
        return "json"
    return COMPUTED.get(resource.kind, ("", {}))[0] or "id" if wanted in _NAMES else "arn"


def _references(expression: Any) -> Iterator[str]:
    """Yield the references of an expression, without those to what others are parts of, and to keys of instances."""
    references = expression.get("references") if isinstance(expression, Mapping) else None
    listed = [reference for reference in references or () if isinstance(reference, str)]
    resources = [reference for reference in listed if not reference.startswith(("each.", "count."))]
    for reference in dict.fromkeys(resources or listed):
        if not any(other != reference and other.startswith((f"{reference}.", f"{reference}[")) for other in listed):
            yield reference


def _parts(reference: str) -> list[str | int]:
    """Return the parts of a reference: names, numbers in brackets, and keys in brackets with their quotes."""
    found: list[str | int] = []
    for match in _PART.finditer(reference):
        if match["key"] is not None:
            found.append(f'"{match["key"]}"')
        elif match["number"] is not None:
            found += [int(match["number"])] if match["number"].isdigit() else []
        else:
            found.append(match["name"])
    return found


def _bare(call: str) -> str:
    """Return the name of a module call, without the key of an instance."""
    return call.partition("[")[0]
