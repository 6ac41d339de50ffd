"""Dummy credentials and a default Region in the environment while a mock is active; everything back afterwards.

botocore looks into the environment before it looks anywhere else, so nothing is looked up over the network. boto3's
default session remembers the credentials that it found first, so it is put back too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

DEFAULT_REGION = "us-east-1"

#: Not a real key: no AWS account has it. Clients that use it call as the account's administrator.
DUMMY_ACCESS_KEY_ID = "AKIAKMSMOCKDEFAULT00"
DUMMY_SECRET_ACCESS_KEY = "pytest-kmsmock"

#: Access keys that requests were signed with and nobody is known by, and the test that first did so.
unknown_access_keys: dict[str, str] = {}

_saved: dict[str, str | None] = {}
_ours: dict[str, str] = {}


def default_region() -> str:
    """Return the Region that a client without one gets: the user's, else ours."""
    user_region = (
        _saved["AWS_DEFAULT_REGION"] if "AWS_DEFAULT_REGION" in _saved else os.environ.get("AWS_DEFAULT_REGION")
    )
    return user_region or DEFAULT_REGION


def apply(region: str | None) -> None:
    """Set what a mock needs.

    Args:
        region: the Region of the innermost mock; None leaves the user's, or ours if the user has none.
    """
    _restore("AWS_DEFAULT_REGION")
    wanted: dict[str, str] = {
        "AWS_DEFAULT_REGION": region or default_region(),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    if not (_is_users("AWS_ACCESS_KEY_ID") and _is_users("AWS_SECRET_ACCESS_KEY")):
        wanted |= {"AWS_ACCESS_KEY_ID": DUMMY_ACCESS_KEY_ID, "AWS_SECRET_ACCESS_KEY": DUMMY_SECRET_ACCESS_KEY}
    _set(wanted)


def restore() -> None:
    """Put back everything that `apply` changed, unless somebody else has changed it since."""
    for name in list(_ours):
        _restore(name)


def _is_users(name: str) -> bool:
    return name in os.environ and os.environ[name] != _ours.get(name)


def _set(wanted: Mapping[str, str]) -> None:
    for name, value in wanted.items():
        if name not in _ours:
            _saved[name] = os.environ.get(name)
        os.environ[name] = _ours[name] = value


def _restore(name: str) -> None:
    if name not in _ours:
        return
    value, before = _ours.pop(name), _saved.pop(name)
    if os.environ.get(name) != value:
        return  # the test changed it: it is the test's to restore
    if before is None:
        del os.environ[name]
    else:
        os.environ[name] = before


def default_session() -> Any:
    """Return boto3's default session; None if there is none yet."""
    return getattr(sys.modules.get("boto3"), "DEFAULT_SESSION", None)


def restore_default_session(session: Any) -> None:
    """Make a session boto3's default again; None lets boto3 make one when it is next needed."""
    boto3: Any = sys.modules.get("boto3")
    if boto3 is not None:
        boto3.DEFAULT_SESSION = session


def note_access_key(access_key: str) -> None:
    """Note an access key that nobody is known by, if it may be one of AWS's and is not the environment's."""
    is_real = len(access_key) == 20 and access_key.startswith(("AKIA", "ASIA")) and not access_key.endswith("EXAMPLE")
    if is_real and access_key != os.environ.get("AWS_ACCESS_KEY_ID"):
        test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")[0]
        unknown_access_keys.setdefault(access_key, test)
