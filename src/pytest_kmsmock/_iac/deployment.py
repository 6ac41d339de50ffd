"""Deploying: reading files, and creating in a fake KMS what they declare."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_kmsmock._kms.api.arns import alias_arn, key_arn
from pytest_kmsmock._runtime.checks import did_you_mean
from pytest_kmsmock.errors import InvalidSeed

from . import unknowns
from .cloudformation.resources import items_of
from .cloudformation.stack import Stacks, StackScope
from .deploying.fake_kms import deploy_to_kms
from .diff import WHAT_TO_GIVE
from .files import MANIFEST, DeployOptions, Terraform, sources
from .model import Alias, Deployment, Item, Key, ManagedPolicy, Principal, Replica, ServiceResource
from .reading import parse, text_of
from .terraform.reader import read

if TYPE_CHECKING:
    from pytest_kmsmock._kms.engine.fake_kms import FakeKms
    from pytest_kmsmock._kms.state.records import Key as KeyRecord

_CACHE_SIZE = 64
#: What was read, with time and size of all files that it was read from.
_read: dict[tuple[Any, ...], tuple[dict[str, tuple[int, int]], Deployment]] = {}
#: CDK adds eight digits to the names of constructs.
_CDK_ID = re.compile(r"(.+?)[0-9A-F]{8}")


def load(paths: Sequence[str], given: DeployOptions) -> Deployment:
    """Return what files declare, all of them together; what was read before is read again if a file has changed.

    Raises:
        InvalidSeed: with file and line.
    """
    place = (tuple(paths), repr(given))
    known = _read.get(place)
    if known is None or any(_stamp(file) != stamp for file, stamp in known[0].items()):
        if len(_read) >= _CACHE_SIZE:
            _read.clear()
        known = _read[place] = _load(paths, given)
    return known[1]


def _stamp(file: str) -> tuple[int, int] | None:
    try:
        stat = Path(file).stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size


def _load(paths: Sequence[str], given: DeployOptions) -> tuple[dict[str, tuple[int, int]], Deployment]:
    stacks, items, files = Stacks(), list[Item](), list[str](paths)
    plans: list[Terraform] = []
    for path in paths:
        with _as_invalid_seed(path):
            for source in sources(path, given):
                if isinstance(source, Terraform):
                    plans.append(source)
                else:
                    stacks.add(source)
    _check_parameters(stacks, given)
    for scope in stacks.scopes:
        files += [*scope.files, str(Path(scope.source.file).parent / MANIFEST)]
        with _as_invalid_seed(scope.source.file, scope):
            items += items_of(scope)
    for plan in plans:
        files.append(plan.file)
        with _as_invalid_seed(plan.file):
            items += read(plan.file, parse(plan.file, text_of(plan.file)), plan.stack, stacks.unknowns)
    stamps = {file: stamp for file in files if (stamp := _stamp(file)) is not None}
    return stamps, Deployment(tuple(items), tuple(unknowns.by_cause(stacks.unknowns)))


@contextmanager
def _as_invalid_seed(file: str, scope: StackScope | None = None) -> Iterator[None]:
    """Turn errors that a value of a wrong type causes into errors of the file.

    Raises:
        InvalidSeed: with the line of the resource, if the file has lines.
    """
    try:
        yield
    except InvalidSeed:
        raise
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        line = 1 if scope is None else scope.line
        raise InvalidSeed(f"{file}:{line}: invalid value for this format: {error}") from error


def _check_parameters(stacks: Stacks, given: DeployOptions) -> None:
    """Check that a template has each given parameter.

    Raises:
        InvalidSeed: there is one.
    """
    known = {name for scope in stacks.scopes for name in scope.parameters}
    listed = (name for scope in stacks.scopes for name in scope.source.parameters)  # in a file that lists stacks
    for name in (*given.parameters, *listed):
        if name not in known:
            raise InvalidSeed(f"no template has a parameter {name!r}.{did_you_mean(name, known)}")


def deploy(
    service: FakeKms, paths: Sequence[str | os.PathLike[str]], given: DeployOptions
) -> tuple[Deployment, list[KeyRecord]]:  # fmt: skip
    """Create what files declare in a fake KMS, all of it or nothing.

    Args:
        service: the fake KMS.
        paths: the files.
        given: what they are deployed with.

    Returns:
        What they declare, and the records of the keys.

    Raises:
        InvalidSeed: with file and line; then nothing has changed.
    """
    deployment = load([os.fspath(path) for path in paths], given)
    if given.strict:
        unknowns.check_strict(deployment.unknowns)
    try:
        with _as_invalid_seed(os.fspath(paths[0])):
            keys, further = deploy_to_kms(service, deployment, strict=given.strict)
    except InvalidSeed as error:
        raise unknowns.explained(error, deployment.unknowns) from None
    complete = Deployment(deployment.items, (*deployment.unknowns, *further))
    unknowns.tell(complete.unknowns)
    return complete, keys


# --- what is deployed, by name ----------------------------------------------------------------------------------------


def find(deployments: Sequence[Deployment], name: str) -> str:
    """Return the ARN of a principal or key, or what an API takes for another resource.

    Args:
        deployments: where to look.
        name: its logical id, as CDK's too without the digits at its end, its address or its name; `stack/id` if several
            stacks have one.

    Raises:
        InvalidSeed: there is none, or more than one.
    """
    found: dict[str, list[str]] = {}
    for deployment in deployments:
        for item in filter(_has_name, deployment.items):
            for label in _labels(item):
                values = found.setdefault(label, [])
                value = _value(item)
                if value not in values:
                    values.append(value)
    values = found.get(name, [])
    if len(values) == 1:
        return values[0]
    if values:
        raise InvalidSeed(f"deployed({name!r}) is ambiguous: {', '.join(values)}. Choose one with 'stack/{name}'.")
    if not deployments:
        raise InvalidSeed(f"deployed({name!r}): nothing was deployed in this mock. {WHAT_TO_GIVE}")
    names = [item.place.resource for deployment in deployments for item in deployment.items if _has_name(item)]
    hint = did_you_mean(name, found) or f" Choose from: {', '.join(dict.fromkeys(names)) or '(the files have none)'}."
    raise InvalidSeed(f"No resource {name!r} was deployed.{hint}")


def _has_name(item: Item) -> bool:
    """Say whether an item is a resource with a name of its own, and not an attachment."""
    return isinstance(item, Alias | Key | ManagedPolicy | Principal | Replica | ServiceResource)


def _labels(item: Item) -> Iterator[str]:
    resource = item.place.resource
    without_digits = _CDK_ID.fullmatch(resource)
    names = [resource, *([without_digits[1]] if without_digits else [])]
    for name in names:
        yield name
        yield f"{item.stack.name}/{name}"
    for attribute in ("name", "id", "arn"):
        value = getattr(item, attribute, None)
        if isinstance(value, str):
            yield value


def _value(item: Item) -> str:
    stack = item.stack
    if isinstance(item, Key):
        return key_arn(stack.region, stack.account, item.id)
    if isinstance(item, Replica):
        return key_arn(stack.region, stack.account, item.primary.rpartition("/")[2])
    if isinstance(item, Alias):
        return alias_arn(stack.region, stack.account, item.name)
    return str(getattr(item, "arn", "") or getattr(item, "id", ""))


def named(deployments: Sequence[Deployment], *kinds: type) -> Iterator[tuple[str, Item]]:
    """Yield the items of some kinds with their values, as `find` gives them."""
    for deployment in deployments:
        for item in deployment.items:
            if isinstance(item, kinds):
                yield _value(item), item
