"""Replaces moto's KMS with the fake KMS of the active mock, for calls of moto's other services."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from pytest_kmsmock._kms.api.arns import partition_of
from pytest_kmsmock._kms.api.errors import KmsError
from pytest_kmsmock._kms.state.caller import administrator
from pytest_kmsmock._runtime import active_mocks
from pytest_kmsmock._transport.hooks import installation

from . import deployments

if TYPE_CHECKING:
    from .deployments import Deploying


class ActiveKms:
    """The fake KMS of the active mock; implements `_moto.kms.Kms`."""

    def is_active(self) -> bool:
        """Say whether a mock is active here and now."""
        return active_mocks.current() is not None

    def call(self, account: str, region: str, operation: str, /, **params: object) -> Mapping[str, Any]:
        """Execute an operation as the administrator of an account, without policies and without a record.

        Raises:
            Refused: the fake KMS refuses it; then nothing has changed.
        """
        from pytest_kmsmock._moto.kms import Refused

        service = cast("Deploying", active_mocks.current()).service
        given = {name: value for name, value in params.items() if value is not None}
        try:
            return service.privileged().call(operation, given, administrator(account, partition_of(region)), region)
        except KmsError as error:
            raise Refused(error.code, error.message) from None


_kms = ActiveKms()
installed = False


def install() -> None:
    """Replace moto's KMS in the modules of moto that are loaded, and in others when they are imported."""
    global installed
    installed = True
    for name, lay in _SEAMS.items():
        installation.when_imported(name, lay)


def _at_backends(_models: ModuleType, _early: bool) -> None:
    from pytest_kmsmock._moto import backend

    backend.install(_kms)


def _at_tagging(api: ModuleType, _early: bool) -> None:
    from pytest_kmsmock._moto import backend

    backend.install(_kms)
    backend.install_tagging(api)


def _at_cloudformation(parsing: ModuleType, _early: bool) -> None:
    from pytest_kmsmock._moto import cloudformation

    cloudformation.install(parsing, _kms)


def _at_start(models: ModuleType, _early: bool) -> None:
    from pytest_kmsmock._moto import start

    start.install(models, _begun)


def _begun() -> None:
    mock = cast("Deploying | None", active_mocks.current())
    if mock is not None and mock.deployments:
        deployments.into_moto(mock, mock.deployments)


#: Module of moto -> what to do when it is imported.
_SEAMS = {
    "moto.core.models": _at_start,
    "moto.kms.models": _at_backends,
    "moto.resourcegroupstaggingapi.models": _at_tagging,
    "moto.cloudformation.parsing": _at_cloudformation,
}
