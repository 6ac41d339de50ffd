"""A stack: a template with parameters, conditions, names of resources, exports and nested stacks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_kmsmock._runtime.checks import did_you_mean
from pytest_kmsmock.errors import InvalidSeed

from ..model import Place, Stack, Unknown
from ..names import PLACEHOLDER, fill, key_id, physical_name, suffix
from ..policies import as_list
from ..reading import Located, line_of, parse, text_of
from . import include, sam
from .functions import NO_VALUE, resolve, string, truth, unroll
from .source import Note, Source
from .types import TYPES, ResourceType

#: The sections that may have loops, which do not refer to these sections.
_WITH_LOOPS = ("Conditions", "Outputs", "Resources")
NESTED = "AWS::CloudFormation::Stack"
#: Prefixes of the types of KMS and IAM.
OURS = ("AWS::KMS::", "AWS::IAM::")
_MAX_DEPTH = 20
_MAX_ITERATIONS = 100_000
_UNKNOWN_TYPE = ResourceType()
#: Macros that are supported, or that do not affect KMS and IAM.
_SUPPORTED_MACROS = {
    sam.TRANSFORM, "AWS::LanguageExtensions", "AWS::SecretsManager-2020-07-23", "AWS::SecretsManager-2024-09-16",
    "AWS::CodeDeployBlueGreen", "AWS::ServiceCatalog",
}  # fmt: skip


class Stacks:
    """All stacks of one deployment, which see each other's exports."""

    def __init__(self) -> None:
        self.scopes: list[StackScope] = []
        self.unknowns: list[Unknown] = []

    def add(self, source: Source, parents: tuple[str, ...] = ()) -> StackScope:
        """Add a stack, and those that are nested in it.

        Raises:
            InvalidSeed: the template cannot be read, or a stack is nested in itself.
        """
        if source.file in parents or len(parents) > _MAX_DEPTH:
            raise InvalidSeed(f"{source.file}:1: stacks are nested too deeply: {' > '.join((*parents, source.file))}")
        scope = StackScope(self, source)
        self.scopes.append(scope)
        for logical_id, body in scope.resources.items():
            if body.get("Type") == NESTED:
                scope.nest(logical_id, body, (*parents, source.file))
        return scope

    def export(self, name: str, importing: StackScope) -> Any:
        """Return what a stack of the same account and Region exports; `NO_VALUE` if none does."""
        for scope in self.scopes:
            if scope.stack[1:] == importing.stack[1:]:
                found = scope.exports.get(name)
                if found is not None:
                    return scope.output(found, importing)
        return NO_VALUE

    def output(self, stack: Stack, name: str, user: StackScope) -> Any:
        """Return an output of a stack; `NO_VALUE` if there is none."""
        for scope in self.scopes:
            if scope.stack == stack and name in scope.outputs:
                return scope.output(scope.outputs[name], user)
        return NO_VALUE


class StackScope:
    """A stack: what `functions.Scope` describes, and its resources."""

    def __init__(self, stacks: Stacks, source: Source) -> None:
        self.stacks, self.source, self.stack = stacks, source, source.stack
        self.files = [source.file]
        content = text_of(source.file)
        template = parse(source.file, content)
        if include.NAME in content:
            template = include.with_included(source.file, template, self.files)
        if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
            raise InvalidSeed(f"{source.file}:1: this is not a template: it has no Resources")
        self.template = template
        self.notes: list[Note] = []
        self.nested: dict[str, StackScope] = {}
        self._parameters: dict[str, Any] = {}
        self._conditions: dict[str, tuple[bool, list[Note]]] = {}
        self._names: dict[str, tuple[str, str]] = {}
        self._resolving: list[str] = []
        self._iterations = 0
        self._unrolled: dict[str, Mapping[str, Any]] = {}
        self.line = 1
        self._check_transforms()
        self.resources = dict(self._declared())

    def _section(self, name: str) -> Mapping[str, Any]:
        section = self.template.get(name) or {}
        if not isinstance(section, dict):
            raise InvalidSeed(f"{self.source.file}:1: {name} must be a mapping")
        if name not in _WITH_LOOPS:
            return section
        if name not in self._unrolled:
            start = len(self.notes)
            self._unrolled[name] = dict(unroll(self, section))
            self._report(self.take_notes(start), name)
        return self._unrolled[name]

    def _check_transforms(self) -> None:
        for macro in as_list(self.template.get("Transform") or None):
            name = str(macro.get("Name") if isinstance(macro, dict) else macro)
            if name not in _SUPPORTED_MACROS:
                self._report([Note(include.reason("this macro", name))], f"Transform {name}")

    def _declared(self) -> Iterator[tuple[str, Located]]:
        """Yield the resources whose conditions hold."""
        for logical_id, body in sam.expand(self._section("Resources"), self._section("Globals")).items():
            self.line = line_of(body)
            if not isinstance(body, Located) or not isinstance(body.get("Type"), str):
                raise self.invalid(f"the resource {logical_id} has no Type")
            holds = "Condition" not in body or self.condition(string(body["Condition"]))
            self._report(self.take_notes(0), logical_id, decides=body["Type"].startswith(OURS))
            if holds:
                yield logical_id, body

    def nest(self, logical_id: str, body: Located, parents: tuple[str, ...]) -> None:
        """Add a nested stack, if its template is at hand."""
        given = body.get("Properties") or {}
        file = self._nested_file(logical_id, body)
        if file is None:
            self.line = line_of(body)
            reason = f"the template of this nested stack is not at hand: {self._how_to_give('nested', logical_id)}"
            self._report([Note(reason)], logical_id)
            return
        parameters: dict[str, Any] = {}
        notes: dict[str, list[Note]] = {}
        for name, value in (given.get("Parameters") or {}).items():
            found = resolve(self, value)
            notes[name] = self.take_notes(0)
            if found is not NO_VALUE:
                parameters[name] = found
        stack = self.stack._replace(name=physical_name(self.stack, logical_id, 128))
        source = Source(file, stack, parameters, self.source.imports, parent=logical_id, notes=notes)
        self.nested[logical_id] = nested = self.stacks.add(source, parents)
        self.line = line_of(given.get("Parameters")) or line_of(body)
        for name in notes:
            if name not in nested.parameters:
                hint = did_you_mean(name, nested.parameters)
                raise self.invalid(f"{logical_id}: {Path(file).name} has no parameter {name!r}.{hint}")

    def _nested_file(self, logical_id: str, body: Located) -> str | None:
        """Find the file: as it was given, where CDK's asset metadata says, or where `TemplateURL` is a path."""
        url = (body.get("Properties") or {}).get("TemplateURL")
        asset = (body.get("Metadata") or {}).get("aws:asset:path")
        for given in (self.source.nested.get(logical_id), asset, url):
            if isinstance(given, str) and "://" not in given:
                file = Path(self.source.file).parent / given
                if file.is_file():
                    return str(file)
        return None

    # --- unknown values, and errors --------------------------------------------------------------------------------

    def _report(self, notes: list[Note], resource: str, *, decides: bool = True) -> None:
        place = Place(self.source.file, self.line, resource)
        self.stacks.unknowns += [Unknown(place, reason, decides, cause) for reason, cause in notes]

    def take_notes(self, start: int) -> list[Note]:
        """Return the notes from a position on, and forget them."""
        found = self.notes[start:]
        del self.notes[start:]
        return found

    def placeholder(self, what: str, reason: str, cause: Place | None = None) -> Any:
        """Return a placeholder for what is not known, and note why: it counts if a policy on KMS depends on it."""
        self.notes.append(Note(reason, cause))
        name = re.sub(r"[^A-Za-z0-9]+", "-", what).strip("-").lower()
        return self._placeholder_arn(name)

    def _placeholder_arn(self, name: str) -> str:
        return f"arn:{self.stack.partition}{PLACEHOLDER}{name}"

    def invalid(self, reason: str) -> InvalidSeed:
        """Return an error with its location."""
        return InvalidSeed(f"{self.source.file}:{self.line}: {reason}")

    # --- values ---------------------------------------------------------------------------------------------------

    def ref(self, name: str) -> Any:
        """Return what `Ref` gives."""
        if name in _PSEUDO:
            return _PSEUDO[name](self)
        if name in self.parameters:
            return self.parameter(name)
        if name in self.resources:
            return self._form(name, self.type_of(name).ref)
        if name in self._section("Resources"):  # its condition does not hold
            return self.placeholder(name, f"{name} is not deployed: its condition does not hold")
        raise self.invalid(f"there is no resource or parameter {name}")

    def get_att(self, name: str, attribute: str) -> Any:
        """Return what `Fn::GetAtt` gives."""
        if name in self.nested and attribute.startswith("Outputs."):
            nested = self.nested[name]
            return nested.output(nested.outputs.get(attribute.removeprefix("Outputs."), {}), self)
        if name not in self.resources:
            if name in self._section("Resources"):
                return self.placeholder(name, f"{name} is not deployed: its condition does not hold")
            raise self.invalid(f"there is no resource {name}")
        kind = self.resources[name]["Type"]
        form = self.type_of(name).attributes.get(attribute)
        if form is not None:
            return self._form(name, form)
        what = f"{attribute} of {name} ({kind})"
        self.notes.append(Note(f"{what} is a placeholder"))
        if not attribute.endswith("Arn"):
            return f"{self.name_of(name)[0]}-{attribute}"
        service = kind.split("::")[1].lower() if kind.count("::") > 1 else "cloudformation"
        return self._form(name, f"arn:{{partition}}:{service}:{{region}}:{{account}}:{{name}}")

    def _form(self, name: str, form: str) -> str:
        physical, path = self.name_of(name)
        return fill(form, self.stack, physical, path)

    def type_of(self, name: str) -> ResourceType:
        """Return how a resource is named."""
        return TYPES.get(self.resources[name]["Type"], _UNKNOWN_TYPE)

    def name_of(self, logical_id: str) -> tuple[str, str]:
        """Return the physical name of a resource, and its path in IAM."""
        if logical_id not in self._names:
            self._enter(logical_id)
            body = self.resources[logical_id]
            given = body.get("Properties") or {}
            path = string(resolve(self, given.get("Path") or "/"))
            self._names[logical_id] = (self._physical(logical_id, body["Type"], given), path)
            self._resolving.pop()
        return self._names[logical_id]

    def _physical(self, logical_id: str, kind: str, given: Mapping[str, Any]) -> str:
        if kind == "AWS::KMS::ReplicaKey":
            return string(resolve(self, given.get("PrimaryKeyArn", ""))).rpartition("/")[2]
        if kind == "AWS::KMS::Key":
            multi_region = string(resolve(self, given.get("MultiRegion", False))) == "true"
            return key_id(self.stack, logical_id, multi_region=multi_region)
        named = TYPES.get(kind, _UNKNOWN_TYPE)
        if named.named_by in given:
            name = resolve(self, given[named.named_by])
            if name is not NO_VALUE:
                return string(name).replace(self._placeholder_arn(""), "")  # names have no colons
        made_up = physical_name(self.stack, logical_id, named.max_length)
        return made_up.lower() if named.lower else made_up

    def _enter(self, what: str) -> None:
        if what in self._resolving:
            raise self.invalid(f"circular dependency between {', '.join(self._resolving)}")
        self._resolving.append(what)

    def parameter(self, name: str) -> Any:
        """Return the value of a parameter: the given one, or its default."""
        self.notes += self.source.notes.get(name, ())
        if name not in self._parameters:
            declared = self.parameters[name] or {}
            kind = str(declared.get("Type", "String"))
            value = self.source.parameters.get(name, declared.get("Default"))
            is_stored = kind.startswith("AWS::SSM::Parameter::Value") and name not in self.source.parameters
            if value is None or is_stored:
                lacks = "takes its value from Parameter Store, which is not read" if is_stored else "has no value"
                cause = Place(self.source.file, line_of(declared), name)
                return self.placeholder(name, f"this parameter {lacks}: {self._how_to_pass(name)}", cause)
            is_list = kind == "CommaDelimitedList" or "List<" in kind
            if is_list and not isinstance(value, list):
                value = [part.strip() for part in string(value).split(",")]
            self._parameters[name] = value if is_list else string(value)
        return self._parameters[name]

    def _how_to_pass(self, name: str) -> str:
        if self.source.parent:
            return f"add it to the Parameters of {self.source.parent}"
        return f"{self._how_to_give('parameters', name)}, or with check-policies --parameter {name}=..."

    def _how_to_give(self, option: str, name: str) -> str:
        return f"give it with kms_mock.deploy({option}={{{name!r}: ...}}) or `{option}` in a file that lists stacks"

    def condition(self, name: str) -> bool:
        """Say whether a condition holds."""
        if name not in self._conditions:
            if name not in self._section("Conditions"):
                raise self.invalid(f"there is no condition {name}")
            self._enter(name)
            start = len(self.notes)
            holds = truth(self, self._section("Conditions")[name])
            self._conditions[name] = (holds, self.take_notes(start))
            self._resolving.pop()
        holds, notes = self._conditions[name]
        self.notes += notes
        return holds

    def find_in_map(self, name: str, first: str, second: str) -> Any:
        """Return a value of a mapping; `NO_VALUE` if it has none."""
        found: Any = self._section("Mappings").get(name)
        for key in (first, second):
            if not isinstance(found, dict) or key not in found:
                return NO_VALUE
            found = found[key]
        return found

    def import_value(self, name: str) -> Any:
        """Return what another stack exports, or what was given for it."""
        if name in self.source.imports:
            return self.source.imports[name]
        found = self.stacks.export(name, self)
        if found is NO_VALUE:
            return self.placeholder(name, f"no given stack exports {name}: {self._how_to_give('imports', name)}")
        return found

    def count_iteration(self) -> None:
        """Count an iteration of a loop.

        Raises:
            InvalidSeed: there are too many.
        """
        self._iterations += 1
        if self._iterations > _MAX_ITERATIONS:
            raise self.invalid(f"Fn::ForEach: more than {_MAX_ITERATIONS:,} iterations")

    def stack_output(self, stack: str, name: str, region: str | None, role: str | None) -> Any:
        """Return an output of another stack; `role` is one of its account."""
        account = self.stack.account if role is None else "".join(role.split(":")[4:5])
        found = self.stacks.output(Stack(stack, account, region or self.stack.region), name, self)
        if found is NO_VALUE:
            return self.placeholder(name, f"no given stack {stack} has an output {name}: give its template too")
        return found

    def zones(self, region: str) -> list[str]:
        """Return three Availability Zones."""
        return [f"{region or self.stack.region}{letter}" for letter in "abc"]

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The declarations of the parameters, by their names."""
        return self._section("Parameters")

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The outputs, by their logical ids."""
        return self._section("Outputs")

    @property
    def exports(self) -> Mapping[str, Any]:
        """The outputs that are exported, by the names of the exports."""
        found = {}
        start = len(self.notes)
        for output in self.outputs.values():
            if isinstance(output, dict) and isinstance(output.get("Export"), dict):
                found[string(resolve(self, output["Export"].get("Name")))] = output
        self.take_notes(start)  # of an export whose name is not known: no import finds it, which is noted there
        return found

    def output(self, output: Mapping[str, Any], user: StackScope) -> Any:
        """Return the value of an output, and let the stack that uses it note what is not known of it."""
        self._enter(f"an output in line {line_of(output)}")
        start = len(self.notes)
        value = resolve(self, output.get("Value"))
        user.notes += self.take_notes(start)
        self._resolving.pop()
        return value


_PSEUDO: Mapping[str, Callable[[StackScope], Any]] = {
    "AWS::AccountId": lambda scope: scope.stack.account,
    "AWS::NoValue": lambda _scope: NO_VALUE,
    "AWS::NotificationARNs": lambda _scope: [],
    "AWS::Partition": lambda scope: scope.stack.partition,
    "AWS::Region": lambda scope: scope.stack.region,
    "AWS::StackId": lambda scope: (
        f"arn:{scope.stack.partition}:cloudformation:{scope.stack.region}:{scope.stack.account}:stack/"
        f"{scope.stack.name}/{key_id(scope.stack, 'stack')}"
    ),
    "AWS::StackName": lambda scope: scope.stack.name,
    "AWS::URLSuffix": lambda scope: suffix(scope.stack),
}
