"""The files of a deployment: templates, plans and states, CDK's output folder, and files that list stacks."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_kmsmock._runtime.checks import ACCOUNT_ID, REGION
from pytest_kmsmock._testing.dumps.codec import Misfit, decode
from pytest_kmsmock.errors import InvalidSeed

from .cloudformation.source import Source
from .model import Stack
from .reading import line_of, parse, text_of

#: How lines of a template in YAML begin, and those of a seed file do not.
_TEMPLATE = re.compile(r"^(AWSTemplateFormatVersion|Resources|Transform|stacks)\s*:", re.MULTILINE)
_IN_JSON = ("Resources", "planned_values", "terraform_version", "stacks")
#: What CDK writes beside templates: which stacks there are, and where they are deployed.
MANIFEST = "manifest.json"
_ENVIRONMENT = re.compile(r"aws://([^/]+)/(.+)")
_MAX_CDK_DEPTH = 10
_NONE_OF_THESE = (
    "this is neither a CloudFormation template, which has Resources, nor a plan or state of Terraform, as `terraform "
    "show -json` prints it"
)


@dataclass(frozen=True, slots=True)
class DeployOptions:
    """The options of a deployment.

    Attributes:
        account: the account of stacks that do not name theirs.
        region: the Region of stacks that do not name theirs.
        stack: the name of the stack; by default that of its file.
        parameters: values of the templates' parameters.
        imports: values of exports of stacks that are not given.
        nested: files of nested stacks, by logical id.
        strict: whether it is an error if something is not understood that decides about KMS.
    """

    account: str
    region: str
    stack: str | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)
    imports: Mapping[str, object] = field(default_factory=dict)
    nested: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False


def options_of(given: Mapping[str, Any]) -> DeployOptions:
    """Return the options that `deploy()` was given.

    Raises:
        InvalidSeed: there is no such option, or its value is of another type.
    """
    try:
        options: DeployOptions = decode(dict(given), DeployOptions, "")
    except Misfit as misfit:
        raise InvalidSeed(f"deploy(): {misfit if misfit.where else misfit.reason}") from None
    return options


@dataclass(frozen=True, slots=True)
class Terraform:
    """A plan or state, and where it is deployed by default."""

    file: str
    stack: Stack


@dataclass(frozen=True, slots=True)
class _StackEntry:
    """A stack of a file that lists stacks."""

    template: str | None = None
    terraform: str | None = None
    name: str | None = None
    account: str | None = None
    region: str | None = None
    parameters: Mapping[str, object] | None = None
    imports: Mapping[str, object] | None = None
    nested: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class _StackFile:
    """A file that lists stacks."""

    stacks: list[_StackEntry]


def is_infrastructure(path: str) -> bool:
    """Say whether a file is one of these, and not a seed file."""
    try:
        text = text_of(path)
    except InvalidSeed:
        return False  # who reads it as a seed file says what is wrong
    if text.lstrip()[:1] != "{":
        return _TEMPLATE.search(text) is not None
    found = parse(path, text)
    return isinstance(found, dict) and any(name in found for name in _IN_JSON)


def sources(path: str, given: DeployOptions) -> Iterator[Source | Terraform]:
    """Yield what a path stands for.

    Raises:
        InvalidSeed: it cannot be read, or is none of what is known.
    """
    if os.path.isdir(path):  # noqa: PTH112 - False for names that are too long, where Path.is_dir() raises an error
        yield from _assembly(Path(path), given, 0)
        return
    content = parse(path, text_of(path))
    if not isinstance(content, dict):
        raise InvalidSeed(f"{path}:1: {_NONE_OF_THESE}")
    if "stacks" in content:
        yield from _listed(path, content, given)
    elif "Resources" in content:
        yield _template(path, given)
    elif "terraform_version" in content or "planned_values" in content:
        yield Terraform(path, Stack(given.stack or _stem(path), given.account, given.region))
    else:
        raise InvalidSeed(f"{path}:1: {_NONE_OF_THESE}")


def _stem(path: str) -> str:
    return Path(path).name.partition(".")[0]


def _template(path: str, given: DeployOptions, stack: Stack | None = None) -> Source:
    found = stack or _of_manifest(Path(path), given) or Stack(_stem(path), given.account, given.region)
    named = found if given.stack is None else found._replace(name=given.stack)
    return Source(path, named, given.parameters, given.imports, given.nested)


# --- CDK --------------------------------------------------------------------------------------------------------------


def _manifest(folder: Path) -> Mapping[str, Any]:
    """Return the artifacts of a folder that CDK wrote; none if it is another folder."""
    file = folder / MANIFEST
    content = parse(str(file), text_of(str(file))) if file.is_file() else None
    artifacts = content.get("artifacts") if isinstance(content, dict) else None
    return artifacts if isinstance(artifacts, dict) else {}


def _stack_of(name: str, artifact: Mapping[str, Any], given: DeployOptions) -> Stack:
    """Return where CDK deploys a stack; what it leaves open is as given."""
    environment = _ENVIRONMENT.fullmatch(str(artifact.get("environment")))
    account, region = environment.groups() if environment else ("", "")
    return Stack(
        str((artifact.get("properties") or {}).get("stackName") or name),
        account if re.fullmatch(ACCOUNT_ID, account) else given.account,
        region if re.fullmatch(REGION, region) else given.region,
    )


def _stacks(artifacts: Mapping[str, Any], given: DeployOptions) -> Iterator[tuple[str, Stack]]:
    for name, artifact in artifacts.items():
        if artifact.get("type") == "aws:cloudformation:stack":
            file = (artifact.get("properties") or {}).get("templateFile")
            yield str(file), _stack_of(name, artifact, given)


def _of_manifest(file: Path, given: DeployOptions) -> Stack | None:
    """Return where CDK deploys a template that lies in its output folder; None if it lies elsewhere."""
    return dict(_stacks(_manifest(file.parent), given)).get(file.name)


def _assembly(folder: Path, given: DeployOptions, depth: int) -> Iterator[Source]:
    artifacts = _manifest(folder)
    if not artifacts or depth > _MAX_CDK_DEPTH:
        raise InvalidSeed(
            f"{folder} is not an output folder of CDK: it has no {MANIFEST} with artifacts. Give the files in it, or "
            "run `cdk synth` first."
        )
    for file, stack in _stacks(artifacts, given):
        yield _template(str(folder / file), given, stack)
    for artifact in artifacts.values():
        if artifact.get("type") == "cdk:cloud-assembly":
            yield from _assembly(folder / str(artifact["properties"]["directoryName"]), given, depth + 1)


# --- a file that lists stacks -----------------------------------------------------------------------------------------


def _listed(path: str, content: Mapping[str, Any], given: DeployOptions) -> Iterator[Source | Terraform]:
    try:
        listed: _StackFile = decode(dict(content), _StackFile, "")
    except Misfit as misfit:
        found = re.match(r"stacks\[(\d+)\]", misfit.where)
        line = line_of(content["stacks"][int(found[1])]) if found else 0
        raise InvalidSeed(f"{path}:{line or line_of(content)}: {misfit}{misfit.choices}") from None
    for index, entry in enumerate(listed.stacks):
        where = f"{path}:{line_of(content['stacks'][index])}: stacks[{index}]"
        file = entry.template or entry.terraform
        if file is None:
            raise InvalidSeed(f"{where}: name a template or a terraform file")
        for form, value in ((ACCOUNT_ID, entry.account), (REGION, entry.region)):
            if value is not None and not re.fullmatch(form, value):
                raise InvalidSeed(f"{where}: {value!r} is neither an account id nor a Region")
        inner = DeployOptions(
            entry.account or given.account, entry.region or given.region, entry.name,
            {**given.parameters, **(entry.parameters or {})}, {**given.imports, **(entry.imports or {})},
            entry.nested or {},
        )  # fmt: skip
        nested = str(Path(path).parent / file)
        if nested == path:
            raise InvalidSeed(f"{where}: this file lists itself")
        for source in sources(nested, inner):
            yield _at(source, entry)


def _at(source: Source | Terraform, entry: _StackEntry) -> Source | Terraform:
    """Return a source deployed where its entry says, which goes before what CDK says."""
    said = {"account": entry.account, "region": entry.region}
    stack = source.stack._replace(**{name: value for name, value in said.items() if value is not None})
    if isinstance(source, Terraform):
        return Terraform(source.file, stack)
    return Source(source.file, stack, source.parameters, source.imports, source.nested)
