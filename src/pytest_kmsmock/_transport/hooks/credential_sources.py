"""Sources of the credentials of KMS clients: while a mock is active, never a program or the network.

Dummy credentials are in the environment, where botocore looks first. A test may have cleared the environment, and a
profile may name a program (`credential_process`), a role or a sign-on: then a client for KMS gets the dummy
credentials, which are those of the default caller. Clients of other services are not affected.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pytest_kmsmock._runtime import environment
from pytest_kmsmock._transport import gate

from . import shared_parts

if TYPE_CHECKING:
    from pytest_kmsmock._transport.gate import Gate

_DUMMY_CREDENTIALS: Mapping[str, str] = {
    "aws_access_key_id": environment.DUMMY_ACCESS_KEY_ID,
    "aws_secret_access_key": environment.DUMMY_SECRET_ACCESS_KEY,
}
#: Settings of a profile for which botocore runs a program or uses the network.
_EXTERNAL_SOURCES = frozenset({"credential_process", "login_session", "sso_account_id", "sso_session", "sso_start_url"})
#: Environment variables for which it uses the network.
_CONTAINER = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
#: Environment variables with further parts of credentials.
_FURTHER_PARTS = ("AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_ACCOUNT_ID")
#: How many arguments `create_client` takes between the Region and the access key.
_BEFORE_ACCESS_KEY = 4


def install(session: ModuleType, _early: bool) -> None:
    """Give KMS clients that are made under a mock credentials without a look-up.

    Args:
        session: the module `botocore.session`, or `aiobotocore.session`.
    """
    kind = getattr(session, "AioSession", None) or session.Session
    create = kind.create_client
    if not getattr(create, "is_kms_hook", False):
        kind.create_client = _with_credentials(create)


def _with_credentials(create: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(create)
    def create_client(
        session: Any, service_name: str, region_name: str | None = None, *args: Any, **given: Any
    ) -> Any:  # fmt: skip
        mock = gate.current()
        if mock is not None:
            shared_parts.share_loader(session)
        if service_name == "kms":
            shared_parts.share_exceptions(session)
        if mock is not None and service_name == "kms":
            region_name = region_name or _region(session, mock, given.get("config"))
            has_own = len(args) > _BEFORE_ACCESS_KEY or given.get("aws_access_key_id") is not None
            if not has_own and (_would_find_dummies(session) or _would_look_up(session)):
                given |= _DUMMY_CREDENTIALS
        return create(session, service_name, region_name, *args, **given)

    vars(create_client)["is_kms_hook"] = True
    return create_client


def _region(session: Any, mock: Gate, config: Any) -> str | None:
    """Return the Region for a client that has none because the environment was cleared."""
    is_told = getattr(config, "region_name", None) or session.instance_variables().get("region")
    return None if is_told or not is_cleared() else mock.region


def is_cleared() -> bool:
    """Say whether a test has cleared the environment: two variables that mocks set are missing."""
    return "AWS_EC2_METADATA_DISABLED" not in os.environ and "AWS_DEFAULT_REGION" not in os.environ


def _would_find_dummies(session: Any) -> bool:
    """Say whether botocore would find the dummy credentials in the environment.

    To look there it makes clients of HTTP for the places that come later: an eighth of the time for a session's client.
    """
    return (
        session._credentials is None  # noqa: SLF001 - `get_credentials` would look them up
        and session.instance_variables().get("profile") is None
        and all(os.environ.get(name.upper()) == value for name, value in _DUMMY_CREDENTIALS.items())
        and not any(name in os.environ for name in _FURTHER_PARTS)
    )


def _would_look_up(session: Any) -> bool:
    """Say whether botocore would run a program or use the network for the credentials of a session."""
    if session._credentials is not None:  # noqa: SLF001 - `get_credentials` would look them up
        return False
    if "AWS_ACCESS_KEY_ID" in os.environ and session.instance_variables().get("profile") is None:
        return False
    profile, profiles = session.get_scoped_config(), session.full_config["profiles"]
    if "role_arn" in profile:  # the role is assumed on use, so never here; its source is read at once
        return not _has_access_key(profiles.get(profile.get("source_profile"), {}))
    if _EXTERNAL_SOURCES & profile.keys():
        return True
    if _has_access_key(profile):
        return False
    return os.environ.get("AWS_EC2_METADATA_DISABLED") != "true" or any(name in os.environ for name in _CONTAINER)


def _has_access_key(profile: Mapping[str, Any]) -> bool:
    return "aws_access_key_id" in profile and not _EXTERNAL_SOURCES & profile.keys()
