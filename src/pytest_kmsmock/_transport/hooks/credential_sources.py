"""Where the credentials of KMS clients come from: while a mock is active, never from a program or over the network.

Dummy credentials stand in the environment, and botocore looks there first. A test may have cleared the environment,
and a profile may name a program (`credential_process`), a role or a sign-on: a client for KMS then gets the dummy
credentials, which are of the default caller. Clients of other services are left alone.

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

if TYPE_CHECKING:
    from pytest_kmsmock._transport.gate import Gate

_STAND_IN: Mapping[str, str] = {
    "aws_access_key_id": environment.DUMMY_ACCESS_KEY_ID,
    "aws_secret_access_key": environment.DUMMY_SECRET_ACCESS_KEY,
}
#: Settings of a profile by which botocore runs a program or asks the network.
_ELSEWHERE = frozenset({"credential_process", "login_session", "sso_account_id", "sso_session", "sso_start_url"})
#: Environment variables by which it asks the network.
_CONTAINER = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
#: How many arguments `create_client` takes between the Region and the access key.
_BEFORE_ACCESS_KEY = 4


def install(session: ModuleType, _early: bool) -> None:
    """Give KMS clients that a session makes under a mock credentials that are there.

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
        mock = gate.current() if service_name == "kms" else None
        if mock is not None:
            region_name = region_name or _region(session, mock, given.get("config"))
            has_own = len(args) > _BEFORE_ACCESS_KEY or given.get("aws_access_key_id") is not None
            if not has_own and _would_look_up(session):
                given |= _STAND_IN
        return create(session, service_name, region_name, *args, **given)

    vars(create_client)["is_kms_hook"] = True
    return create_client


def _region(session: Any, mock: Gate, config: Any) -> str | None:
    """Return the Region of a client that has none because the environment was cleared."""
    is_told = getattr(config, "region_name", None) or session.instance_variables().get("region")
    return None if is_told or not is_cleared() else mock.region


def is_cleared() -> bool:
    """Say whether a test has cleared the environment: two of the variables that mocks set are gone."""
    return "AWS_EC2_METADATA_DISABLED" not in os.environ and "AWS_DEFAULT_REGION" not in os.environ


def _would_look_up(session: Any) -> bool:
    """Say whether botocore would run a program or ask the network for the credentials of a session."""
    if session._credentials is not None:  # noqa: SLF001 - `get_credentials` is what is not to be called
        return False
    if "AWS_ACCESS_KEY_ID" in os.environ and session.instance_variables().get("profile") is None:
        return False
    from botocore.exceptions import BotoCoreError

    try:
        profile, profiles = session.get_scoped_config(), session.full_config["profiles"]
    except BotoCoreError:  # a profile that is not there, a file that cannot be read: botocore says so
        return False
    if "role_arn" in profile:  # assumed when it is needed, so never here; but its source is asked at once
        return not _has_access_key(profiles.get(profile.get("source_profile"), {}))
    if _ELSEWHERE & profile.keys():
        return True
    if _has_access_key(profile):
        return False
    return os.environ.get("AWS_EC2_METADATA_DISABLED") != "true" or any(name in os.environ for name in _CONTAINER)


def _has_access_key(profile: Mapping[str, Any]) -> bool:
    return "aws_access_key_id" in profile and not _ELSEWHERE & profile.keys()
