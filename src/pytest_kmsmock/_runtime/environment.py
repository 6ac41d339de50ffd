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
#: What somebody else, who may put our value back, had changed when it was to go: our value and the one before.
_left: dict[str, tuple[str, str | None]] = {}

#: Who has begun and not ended: mocks, and moto. Each with boto3's default session from before it.
_scopes: list[_Scope] = []


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
    for name, value in list(_ours.items()):
        before = _saved[name]
        if not _restore(name) and _scopes:  # moto goes on, and will put back what it found
            _left[name] = (value, before)


def _is_users(name: str) -> bool:
    return name in os.environ and os.environ[name] != _ours.get(name)


def _set(wanted: Mapping[str, str]) -> None:
    for name, value in wanted.items():
        if name not in _ours:
            _saved[name] = os.environ.get(name)
        os.environ[name] = _ours[name] = value


def _restore(name: str) -> bool:
    """Put a variable back, and say whether it was there: if the test changed it, it is the test's to restore."""
    if name not in _ours:
        return False
    value, before = _ours.pop(name), _saved.pop(name)
    is_there = os.environ.get(name) == value
    if is_there:
        _put_back(name, before)
    return is_there


def _put_back(name: str, before: str | None) -> None:
    if before is None:
        del os.environ[name]
    else:
        os.environ[name] = before


# --- boto3's default session --------------------------------------------------------------------------------------


class _Scope:
    """A time in which boto3's default session is another one.

    Args:
        owner: whose it is.
        session: boto3's default session from before it.

    Attributes:
        crossed: whether a scope that began before it has ended before it: then `session` is from before that one.
    """

    __slots__ = ("crossed", "owner", "session")

    def __init__(self, owner: object, session: Any) -> None:
        self.owner = owner
        self.session = session
        self.crossed = False


def begin(owner: object) -> None:
    """Remember boto3's default session for the end of a mock, or of moto."""
    _scopes.append(_Scope(owner, default_session()))


def end(owner: object) -> None:
    """Put boto3's default session back that was there before a mock.

    While scopes that began later go on, the first of them does so at its end.
    """
    if _scopes and _scopes[-1].owner is owner:  # nearly always
        _set_default_session(_scopes.pop().session)
        return
    place = _place(owner)
    if place is not None:
        _hand_on(place, _scopes.pop(place).session)


def end_other(owner: object, session: Any) -> None:
    """Do the same for somebody else, who has put back already what was there when it began.

    Args:
        owner: who it is.
        session: boto3's default session just before its end.
    """
    place = _place(owner)
    scope = _Scope(owner, default_session()) if place is None else _scopes.pop(place)  # None: it was there before us
    if (place or 0) < len(_scopes):
        _hand_on(place or 0, scope.session)
        _set_default_session(session)
    elif scope.crossed:
        _set_default_session(scope.session)
    for name, (value, before) in _left.items():
        if os.environ.get(name) == value:
            _put_back(name, before)
    _left.clear()


def _place(owner: object) -> int | None:
    return next((place for place, scope in enumerate(_scopes) if scope.owner is owner), None)


def _hand_on(place: int, session: Any) -> None:
    _scopes[place].session, _scopes[place].crossed = session, True


def default_session() -> Any:
    """Return boto3's default session; None if there is none yet."""
    return getattr(sys.modules.get("boto3"), "DEFAULT_SESSION", None)


def _set_default_session(session: Any) -> None:
    """Make a session boto3's default; None lets boto3 make one when it is next needed."""
    boto3: Any = sys.modules.get("boto3")
    if boto3 is not None:
        boto3.DEFAULT_SESSION = session


# --- access keys --------------------------------------------------------------------------------------------------


def note_access_key(access_key: str) -> None:
    """Note an access key that nobody is known by, if it may be one of AWS's and is not the environment's."""
    is_real = len(access_key) == 20 and access_key.startswith(("AKIA", "ASIA")) and not access_key.endswith("EXAMPLE")
    if is_real and access_key != os.environ.get("AWS_ACCESS_KEY_ID"):
        test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")[0]
        unknown_access_keys.setdefault(access_key, test)
