"""CloudFormation's intrinsic functions: resolving values of a template.

`FUNCTIONS` has one function for each. They are given the scope of the stack and their argument as it is written. What a
function needs and the files do not say is replaced by a placeholder of the scope, which notes it.

See https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import base64
import ipaddress
import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from pytest_kmsmock.errors import InvalidSeed

from ..reading import Located, line_of
from .include import TRANSFORM, reason

#: The value of `AWS::NoValue`: its property is left out.
NO_VALUE = object()

_LOOP = "Fn::ForEach::"
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_DYNAMIC = re.compile(r"\{\{resolve:[^}]+\}\}")


class Scope(Protocol):
    """The stack that a value belongs to."""

    def ref(self, name: str) -> Any:
        """Return what `Ref` gives."""

    def get_att(self, name: str, attribute: str) -> Any:
        """Return what `Fn::GetAtt` gives."""

    def condition(self, name: str) -> bool:
        """Say whether a condition holds."""

    def find_in_map(self, name: str, first: str, second: str) -> Any:
        """Return a value of a mapping; `NO_VALUE` if it has none."""

    def import_value(self, name: str) -> Any:
        """Return what another stack exports."""

    def stack_output(self, stack: str, name: str, region: str | None, role: str | None) -> Any:
        """Return an output of another stack; `role` is one of its account."""

    def zones(self, region: str) -> list[str]:
        """Return the Availability Zones of a Region."""

    def count_iteration(self) -> None:
        """Count an iteration of a loop: loops in loops grow exponentially."""

    def placeholder(self, what: str, reason: str) -> Any:
        """Return a placeholder for what is not known, and note why."""

    def invalid(self, reason: str) -> InvalidSeed:
        """Return an error with its location."""


def resolve(scope: Scope, value: Any) -> Any:
    """Return the resolved value of a part of a template.

    Raises:
        InvalidSeed: a function has wrong arguments.
    """
    if isinstance(value, dict):
        if len(value) == 1:
            [(name, argument)] = value.items()
            if name in FUNCTIONS:
                return FUNCTIONS[name](scope, argument)
            if name.startswith("Fn::") and not name.startswith(_LOOP):
                return _unsupported(scope, name, argument)
        found = {name: resolve(scope, item) for name, item in unroll(scope, value)}
        return Located({name: item for name, item in found.items() if item is not NO_VALUE}, line_of(value))
    if isinstance(value, list):
        return [item for item in (resolve(scope, each) for each in value) if item is not NO_VALUE]
    if isinstance(value, str) and "{{resolve:" in value:
        return _DYNAMIC.sub(lambda found: str(scope.placeholder(found[0], f"{found[0]} is not resolved")), value)
    return value


def _unsupported(scope: Scope, name: str, argument: Any) -> Any:
    macro = argument.get("Name") if name == TRANSFORM and isinstance(argument, dict) else None
    if macro is None:
        return scope.placeholder(name, f"{name} is not supported")
    return scope.placeholder(f"{macro}", reason(f"{name} {macro}", macro))


def function_of(value: Any) -> str:
    """Return the function that a value is a call of; empty if it is none."""
    if not isinstance(value, dict) or len(value) != 1:
        return ""
    name = next(iter(value))
    return name if name.startswith(("Ref", "Fn::")) else ""


def string(value: Any) -> str:
    """Return a value as CloudFormation writes it into a string."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(string, value)) if isinstance(value, list) else str(value)


def truth(scope: Scope, value: Any) -> bool:
    """Return the value of a condition.

    Raises:
        InvalidSeed: it is none.
    """
    if isinstance(value, dict) and len(value) == 1:
        [(name, argument)] = value.items()
        if name == "Condition":
            return scope.condition(string(argument))
        if name in _CONDITIONS:
            return _CONDITIONS[name](scope, _list(scope, name, argument))
    raise scope.invalid(f"{json.dumps(value)[:80]} is not a condition")


def _list(scope: Scope, name: str, argument: Any, least: int = 1) -> list[Any]:
    if not isinstance(argument, list) or len(argument) < least:
        raise scope.invalid(f"{name} takes a list{f' of {least} or more' if least > 1 else ''}, not {argument!r}")
    return argument


def _ref(scope: Scope, argument: Any) -> Any:
    return scope.ref(string(resolve(scope, argument)))


def _get_att(scope: Scope, argument: Any) -> Any:
    parts = argument.split(".", 1) if isinstance(argument, str) else _list(scope, "Fn::GetAtt", argument, 2)
    if len(parts) < 2:
        raise scope.invalid(f"Fn::GetAtt takes a resource and an attribute, not {argument!r}")
    return scope.get_att(string(parts[0]), ".".join(string(resolve(scope, part)) for part in parts[1:]))


def _join(scope: Scope, argument: Any) -> Any:
    delimiter, parts = _list(scope, "Fn::Join", argument, 2)[:2]
    found = resolve(scope, parts)
    return string(delimiter).join(map(string, found if isinstance(found, list) else [found]))


def _sub(scope: Scope, argument: Any) -> str:
    given: Mapping[str, Any] = {}
    if isinstance(argument, list):
        argument, given = _list(scope, "Fn::Sub", argument, 2)[:2]
    values = resolve(scope, given)

    def variable(found: re.Match[str]) -> str:
        name = found[1].strip()
        if name.startswith("!"):
            return f"${{{name[1:]}}}"
        if name in values:
            return string(values[name])
        resource, _, attribute = name.partition(".")
        return string(scope.get_att(resource, attribute) if attribute else scope.ref(name))

    return _VARIABLE.sub(variable, string(resolve(scope, argument)))


def _select(scope: Scope, argument: Any) -> Any:
    index, choices = _list(scope, "Fn::Select", argument, 2)[:2]
    found = resolve(scope, choices)
    try:
        return found[int(string(resolve(scope, index)))]
    except (IndexError, ValueError, TypeError, KeyError):
        return scope.placeholder("Fn::Select", f"Fn::Select finds no item {index!r} in {found!r}")


def _split(scope: Scope, argument: Any) -> list[str]:
    delimiter, source = _list(scope, "Fn::Split", argument, 2)[:2]
    return string(resolve(scope, source)).split(string(delimiter))


def _find_in_map(scope: Scope, argument: Any) -> Any:
    names = _list(scope, "Fn::FindInMap", argument, 3)
    first, second, third = (string(resolve(scope, name)) for name in names[:3])
    found = scope.find_in_map(first, second, third)
    if found is not NO_VALUE:
        return found
    if len(names) > 3 and isinstance(names[3], dict) and "DefaultValue" in names[3]:
        return resolve(scope, names[3]["DefaultValue"])
    return scope.placeholder(f"{first}.{second}.{third}", f"Mappings have no {first}.{second}.{third}")


def _if(scope: Scope, argument: Any) -> Any:
    name, then, otherwise = _list(scope, "Fn::If", argument, 3)[:3]
    holds = truth(scope, name) if isinstance(name, dict) else scope.condition(string(name))
    return resolve(scope, then if holds else otherwise)


def _base64(scope: Scope, argument: Any) -> str:
    return base64.b64encode(string(resolve(scope, argument)).encode()).decode()


def _cidr(scope: Scope, argument: Any) -> Any:
    block, *numbers = (string(resolve(scope, part)) for part in _list(scope, "Fn::Cidr", argument, 3)[:3])
    try:
        network = ipaddress.ip_network(block, strict=False)
        count, bits = map(int, numbers)
        subnets = network.subnets(new_prefix=network.max_prefixlen - bits)
        found = [str(subnet) for subnet in itertools.islice(subnets, count)]
    except ValueError:  # of a placeholder, among others
        return scope.placeholder("Fn::Cidr", f"Fn::Cidr cannot split {block!r} into {' blocks of '.join(numbers)} bits")
    if len(found) < count:
        raise scope.invalid(f"Fn::Cidr: {block} has only {len(found)} blocks of {bits} bits, not {count}")
    return found


def _import_value(scope: Scope, argument: Any) -> Any:
    return scope.import_value(string(resolve(scope, argument)))


def _stack_output(scope: Scope, argument: Any) -> Any:
    given = resolve(scope, argument)
    if not isinstance(given, dict) or not {"StackName", "OutputName"} <= given.keys():
        raise scope.invalid(f"Fn::GetStackOutput takes StackName and OutputName, not {argument!r}")
    names = (given.get(name) for name in ("StackName", "OutputName", "Region", "RoleArn"))
    stack, output, region, role = (None if name is None else string(name) for name in names)
    return scope.stack_output(f"{stack}", f"{output}", region, role)


def _zones(scope: Scope, argument: Any) -> list[str]:
    return scope.zones(string(resolve(scope, argument)))


def _length(scope: Scope, argument: Any) -> int:
    return len(_list(scope, "Fn::Length", resolve(scope, argument), 0))


def _to_json(scope: Scope, argument: Any) -> str:
    return json.dumps(resolve(scope, argument), separators=(",", ":"))


#: The functions, by their full names.
FUNCTIONS: Mapping[str, Callable[[Scope, Any], Any]] = {
    "Ref": _ref,
    "Fn::Base64": _base64,
    "Fn::Cidr": _cidr,
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAZs": _zones,
    "Fn::GetAtt": _get_att,
    "Fn::GetStackOutput": _stack_output,
    "Fn::If": _if,
    "Fn::ImportValue": _import_value,
    "Fn::Join": _join,
    "Fn::Length": _length,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
    "Fn::ToJsonString": _to_json,
}


def _equals(scope: Scope, given: list[Any]) -> bool:
    first, second = _list(scope, "Fn::Equals", given, 2)[:2]
    return string(resolve(scope, first)) == string(resolve(scope, second))


_CONDITIONS: Mapping[str, Callable[[Scope, list[Any]], bool]] = {
    "Fn::And": lambda scope, given: all(truth(scope, each) for each in given),
    "Fn::Equals": _equals,
    "Fn::Not": lambda scope, given: not truth(scope, given[0]),
    "Fn::Or": lambda scope, given: any(truth(scope, each) for each in given),
}


# --- Fn::ForEach ------------------------------------------------------------------------------------------------------


def unroll(scope: Scope, section: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the entries of a section, those of its loops one by one.

    See https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-foreach.html

    Raises:
        InvalidSeed: a loop has wrong arguments.
    """
    for name, entry in section.items():
        if name == TRANSFORM:
            _unsupported(scope, name, entry)
            continue
        if not name.startswith(_LOOP):
            yield name, entry
            continue
        identifier, collection, body = _list(scope, name, entry, 3)[:3]
        values = resolve(scope, collection)
        if not isinstance(values, list) or not isinstance(body, dict):
            raise scope.invalid(f"{name} takes a name, a list and a mapping")
        for value in values:
            scope.count_iteration()
            yield from unroll(scope, _replaced(body, string(identifier), string(value)))


def _replaced(value: Any, identifier: str, by: str) -> Any:
    """Return a value with the identifier of a loop replaced: `${Name}`, and `&{Name}` by letters and digits only."""
    if isinstance(value, dict):
        if value.keys() == {"Ref"} and value["Ref"] == identifier:
            return by
        pairs = {_in_text(name, identifier, by): _replaced(item, identifier, by) for name, item in value.items()}
        return Located(pairs, line_of(value))
    if isinstance(value, list):
        return [_replaced(item, identifier, by) for item in value]
    return _in_text(value, identifier, by) if isinstance(value, str) else value


def _in_text(value: str, identifier: str, by: str) -> str:
    bare = re.sub(r"[^A-Za-z0-9]", "", by)
    return value.replace(f"${{{identifier}}}", by).replace(f"&{{{identifier}}}", bare)
