"""Deployments of a mock. `_iac` reads infrastructure files, and is imported when the first one is given."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from pytest_kmsmock.errors import InvalidSeed

if TYPE_CHECKING:
    from pytest_kmsmock._iac.diff import PolicyDiff
    from pytest_kmsmock._iac.model import Deployment
    from pytest_kmsmock._kms.engine.call_record import CallRecord
    from pytest_kmsmock._kms.engine.fake_kms import FakeKms
    from pytest_kmsmock._kms.state.records import Key
    from pytest_kmsmock._runtime.options import Options

#: What a mock starts with: a file, or several infrastructure files.
Seed: TypeAlias = "str | os.PathLike[str] | Sequence[str | os.PathLike[str]]"
#: Suffixes of infrastructure files; they can also have those of seed files.
_ENDINGS = (".template", ".tfstate")
#: Every infrastructure file has one of these names; seed files rarely do.
_NAMES = rb'\b(Resources|Transform|planned_values|stacks|terraform_version)"?\s*:'


class Deploying(Protocol):
    """What deployments use of a mock; `MockCore` describes the attributes."""

    options: Options
    service: FakeKms
    active: bool
    seeded: frozenset[str]
    deployments: tuple[Deployment, ...]

    @property
    def region(self) -> str: ...

    @property
    def calls(self) -> Sequence[CallRecord]: ...


def paths_of(seed: Seed, where: str = "seed()") -> list[str]:
    """Return the paths of a seed.

    Args:
        seed: the seed.
        where: where it was given, for the error message.

    Raises:
        InvalidSeed: it is neither a path nor a list of paths.
    """
    listed: Sequence[Any] = seed if isinstance(seed, list | tuple) else [seed]
    if not listed or not all(isinstance(path, str | os.PathLike) for path in listed):
        given = repr(seed) if listed else "nothing"
        hint = ""
        if where == "deploy()" and any(isinstance(path, Mapping) for path in listed):
            hint = ' Give parameters by name: deploy("app.yaml", parameters={...}).'
        raise InvalidSeed(f"{where} takes the path of a file, not {given}.{hint}")
    return [os.fspath(path) for path in listed]


def is_infrastructure(path: str) -> bool:
    """Say whether a file is an infrastructure file, by its content."""
    try:
        if path.endswith(_ENDINGS) or Path(path).is_dir():
            return True
        if not re.search(_NAMES, Path(path).read_bytes()):
            return False
    except (OSError, ValueError):
        return False  # the reader of seed files reports the error
    from pytest_kmsmock._iac.files import is_infrastructure

    return is_infrastructure(path)


def deploy(core: Deploying, paths: Sequence[str], **given: Any) -> list[Key]:
    """Create the resources that files declare.

    Args:
        core: the mock.
        paths: the files.
        **given: parameters of the deployment, fields of `_iac.files.DeployOptions`; None is the default.

    Raises:
        InvalidSeed: with file and line; then nothing has changed.
    """
    from pytest_kmsmock._iac import deployment
    from pytest_kmsmock._iac.files import options_of

    defaults = {"account": core.options.account, "region": core.region, "strict": core.options.seed_strict}
    settings = {name: value for name, value in given.items() if value is not None}
    deployed, keys = deployment.deploy(core.service, paths, options_of(defaults | settings))
    core.deployments += (deployed,)
    core.seeded |= {str(Path.cwd() / path) for path in paths}
    if core.active:
        into_moto(core, [deployed])
    return keys


def into_moto(core: Deploying, deployments: Sequence[Deployment]) -> None:
    """Create resources of other services in moto, if it is active; report what moto does not support."""
    from pytest_kmsmock._iac import unknowns
    from pytest_kmsmock._iac.deploying.moto import deploy_to_moto

    unknowns.tell(deploy_to_moto(deployments, core.options.account))


def find(core: Deploying, name: str) -> str:
    """Return the ARN of a deployed principal or key; of another resource, the identifier that its API takes.

    Raises:
        InvalidSeed: no resource has this name, or more than one.
    """
    from pytest_kmsmock._iac import deployment

    return deployment.find(core.deployments, name)


def policy_diff(core: Deploying) -> PolicyDiff:
    """Compare the permissions that a mock's calls needed with those that its deployed policies give."""
    from pytest_kmsmock._iac.diff import PolicyDiff, PolicyUsage

    usage = PolicyUsage()
    usage.add(core.calls, core.service.state.iam)
    return PolicyDiff.of(usage)
