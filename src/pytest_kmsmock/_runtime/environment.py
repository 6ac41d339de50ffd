"""Dummy credentials and a default Region in the environment while a mock is active; restored afterwards.

botocore looks in the environment first, so it looks up nothing over the network. boto3's default session remembers the
credentials that it found first, so it is restored too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

DEFAULT_REGION = "us-east-1"

#: Not a real access key. Clients that use it call as the account's administrator.
DUMMY_ACCESS_KEY_ID = "AKIAKMSMOCKDEFAULT00"
DUMMY_SECRET_ACCESS_KEY = "pytest-kmsmock"

#: Unknown access keys that signed requests, each with the test that used it first.
unknown_access_keys: dict[str, str] = {}

_saved: dict[str, str | None] = {}  # the values before `apply`
_ours: dict[str, str] = {}  # the values that `apply` set
#: Variables that other code had changed when a mock ended, and may reset to our value: that value, and the one before.
_left: dict[str, tuple[str, str | None]] = {}

#: The active mocks, and moto, each with boto3's default session from before it.
_scopes: list[_Scope] = []


def default_region() -> str:
    """Return the default Region of clients: the user's, else `DEFAULT_REGION`."""
    user_region = (
        _saved["AWS_DEFAULT_REGION"] if "AWS_DEFAULT_REGION" in _saved else os.environ.get("AWS_DEFAULT_REGION")
    )
    return user_region or DEFAULT_REGION


def apply(region: str | None) -> None:
    """Set the variables that a mock needs.

    Args:
        region: the Region of the innermost mock; None keeps the default Region.
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
    """Restore the variables that `apply` set, unless other code has changed them since."""
    for name, value in list(_ours.items()):
        before = _saved[name]
        if not _restore(name) and _scopes:  # moto is active, and will restore what it found
            _left[name] = (value, before)


def _is_users(name: str) -> bool:
    return name in os.environ and os.environ[name] != _ours.get(name)


def _set(wanted: Mapping[str, str]) -> None:
    for name, value in wanted.items():
        if name not in _ours:
            _saved[name] = os.environ.get(name)
        os.environ[name] = _ours[name] = value


def _restore(name: str) -> bool:
    """Restore a variable that still has our value, and say whether it had: else the test restores it."""
    if name not in _ours:
        return False
    value, before = _ours.pop(name), _saved.pop(name)
    is_ours = os.environ.get(name) == value
    if is_ours:
        _reset(name, before)
    return is_ours


def _reset(name: str, before: str | None) -> None:
    if before is None:
        del os.environ[name]
    else:
        os.environ[name] = before


# --- boto3's default session --------------------------------------------------------------------------------------


class _Scope:
    """A mock or moto, with boto3's default session to restore at its end.

    Args:
        owner: the mock, or moto.
        session: boto3's default session from before it.

    Attributes:
        crossed: whether a scope that began earlier has ended: then `session` is from before that one.
    """

    __slots__ = ("crossed", "owner", "session")

    def __init__(self, owner: object, session: Any) -> None:
        self.owner = owner
        self.session = session
        self.crossed = False


def begin(owner: object) -> None:
    """Save boto3's default session until the end of a mock, or of moto."""
    _scopes.append(_Scope(owner, default_session()))


def end(owner: object) -> None:
    """Restore boto3's default session from before a mock.

    If a scope that began later is active, it does so at its end.
    """
    if _scopes and _scopes[-1].owner is owner:  # nearly always
        _set_default_session(_scopes.pop().session)
        return
    index = _index_of(owner)
    if index is not None:
        _hand_on(index, _scopes.pop(index).session)


def end_other(owner: object, session: Any) -> None:
    """Do the same for another library, which has restored the environment and session from before it.

    Args:
        owner: the library.
        session: boto3's default session just before its end.
    """
    index = _index_of(owner)
    scope = (
        _Scope(owner, default_session()) if index is None else _scopes.pop(index)
    )  # None: it began before the first mock
    if (index or 0) < len(_scopes):
        _hand_on(index or 0, scope.session)
        _set_default_session(session)
    elif scope.crossed:
        _set_default_session(scope.session)
    for name, (value, before) in _left.items():
        if os.environ.get(name) == value:
            _reset(name, before)
    _left.clear()


def _index_of(owner: object) -> int | None:
    return next((index for index, scope in enumerate(_scopes) if scope.owner is owner), None)


def _hand_on(index: int, session: Any) -> None:
    _scopes[index].session, _scopes[index].crossed = session, True


def default_session() -> Any:
    """Return boto3's default session; None if there is none yet."""
    return getattr(sys.modules.get("boto3"), "DEFAULT_SESSION", None)


def session_of_default() -> Any:
    """Return the session of botocore in boto3's default session; None if there is none, or a test put a fake there."""
    inner = getattr(default_session(), "_session", None)
    botocore_session: Any = sys.modules.get("botocore.session")
    return inner if botocore_session is not None and botocore_session.Session in type(inner).__mro__ else None


def _set_default_session(session: Any) -> None:
    """Make a session boto3's default; None makes boto3 create one on next use."""
    boto3: Any = sys.modules.get("boto3")
    if boto3 is not None:
        boto3.DEFAULT_SESSION = session


# --- access keys --------------------------------------------------------------------------------------------------


def note_access_key(access_key: str) -> None:
    """Note an unknown access key, if it looks like one of AWS and is not that of the environment."""
    is_real = len(access_key) == 20 and access_key.startswith(("AKIA", "ASIA")) and not access_key.endswith("EXAMPLE")
    if is_real and access_key != os.environ.get("AWS_ACCESS_KEY_ID"):
        test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")[0]
        unknown_access_keys.setdefault(access_key, test)
