"""The methods of `KmsMock` for infrastructure files: deploying them, look-ups, and the policy diff."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pytest_kmsmock._runtime.arguments import check_arguments
from pytest_kmsmock._runtime.checks import check_form, check_type
from pytest_kmsmock.errors import InvalidSeed

from . import deployments

if TYPE_CHECKING:
    from pytest_kmsmock._iac.diff import PolicyDiff
    from pytest_kmsmock._kms.engine.fake_kms import FakeKms
    from pytest_kmsmock._testing.views.key_view import KeyView

    from .core import MockCore


@check_arguments()
class Deployed:
    """Methods for infrastructure files."""

    _core: MockCore
    _service: FakeKms

    def deploy(
        self,
        *files: str | os.PathLike[str],
        stack: str | None = None,
        parameters: Mapping[str, object] | None = None,
        imports: Mapping[str, object] | None = None,
        nested: Mapping[str, str] | None = None,
        account: str | None = None,
        region: str | None = None,
        strict: bool | None = None,
    ) -> list[KeyView]:
        """Create the resources that infrastructure files declare, as `seed` does, with parameters of the deployment.

        Args:
            *files: templates, plans and states, or CDK's output folder; they see each other's exports.
            stack: the name of the stack, by default that of its file.
            parameters: values of the templates' parameters.
            imports: values of `Fn::ImportValue` of stacks that are not among the files.
            nested: files of nested stacks, by logical id.
            account: the account of stacks that do not name one, by default that of the mock.
            region: the Region of stacks that do not name one, by default that of the mock.
            strict: whether an unsupported element that affects KMS is an error, by default the option `seed_strict`.

        Returns:
            The keys, as `KmsMock.keys` shows them.

        Raises:
            InvalidOption: a wrong account or Region.
            InvalidSeed: with the line and the reason; then nothing has changed.
        """
        from pytest_kmsmock._testing.views.key_view import KeyView

        self._core.must_be_active()
        for name, value in (("account", account), ("region", region)):
            if value is not None:
                check_form(name, value, "deploy()")
        made = deployments.deploy(
            self._core, deployments.paths_of(files, "deploy()"), strict=strict, stack=stack, parameters=parameters,
            imports=imports, nested=nested, account=account, region=region,
        )  # fmt: skip
        return [KeyView(self._service, key) for key in made]

    def deployed(self, name: str) -> str:
        """Return the ARN of a deployed principal or key; of another resource, the identifier that its API takes.

        Args:
            name: its logical id (of CDK with or without the digits at its end), its address in Terraform, or its name;
                `stack/id` where several stacks have one.

        Raises:
            InvalidSeed: no resource has this name, or more than one.
        """
        check_type(name, str, "deployed(): name", "the name of a resource", InvalidSeed)
        return deployments.find(self._core, name)

    def policy_diff(self) -> PolicyDiff:
        """Return the permissions that the calls so far needed and deployed policies lack, and those that none needed.

        Each entry names the file, line and resource to change.
        """
        return deployments.policy_diff(self._core)
