"""The principal of an access key that moto's IAM or STS issued, with its policies in moto's IAM.

moto's objects are read at every call, so that changes by IAM take effect at once. Reading a principal takes some
microseconds, and loads none of AWS's managed policies. Works with moto 5.0 and later; the tests beside moto fail when a
release stores these things elsewhere.

moto returns the same access key, `AKIAIOSFODNN7EXAMPLE`, for every GetSessionToken and GetFederationToken, and cannot
identify the principal by it. It does not store session tags and the identity provider of a session.
"""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pytest_kmsmock._record import Record


class Identity(Record):
    """The principal of an access key.

    Attributes:
        arn: the ARN that `sts.get_caller_identity` returns: of a user or role session.
        account: its account.
        issuer: the ARN of the role of a session; None for a user.
        secret: the secret access key.
        token: the session token; None for a user.
        valid: whether the access key may be used: it is neither inactive nor deleted.
        exists: whether moto's IAM has the user or role; moto assumes roles that do not exist.
        tags: tags of the user or role.
        policies: its identity policies, including those of its groups, as JSON strings.
        boundary: its permissions boundary; None if it has none, or moto does not have the document.
        session_policy: the session policy; None if there is none.
    """

    arn: str
    account: str
    issuer: str | None
    secret: str
    token: str | None
    valid: bool
    exists: bool
    tags: tuple[tuple[str, str], ...] = ()
    policies: tuple[str, ...] = ()
    boundary: str | None = None
    session_policy: str | None = None


#: The principals of access keys at their last use: moto forgets deleted access keys.
_used: dict[str, Identity] = {}


#: The errors of reading something that another moto stores elsewhere.
_CHANGED = (AttributeError, KeyError, TypeError, ValueError)


def find(access_key: str) -> Identity | None:
    """Return the principal of an access key; None if moto did not issue it."""
    try:
        return _find(access_key)
    except _CHANGED as error:
        _warn_of_change(repr(error))
        return None


def find_role(role: str, session_name: str) -> Identity | None:
    """Return the session of a role that a service assumes; None if moto's IAM does not have the role.

    Args:
        role: the ARN of the role.
        session_name: the name of the session.
    """
    _, partition, _, _, account, named = role.split(":", 5)
    try:
        accounts = list(sys.modules["moto.iam.models"].iam_backends.items())
        backends = [backend for number, places in accounts if number == account for backend in list(places.values())]
        for backend in backends:
            found = next((each for each in backend.roles.values() if each.arn == role), None)
            if found is not None:
                arn = f"arn:{partition}:sts::{account}:assumed-role/{named.rpartition('/')[2]}/{session_name}"
                return _with_role(Identity(arn, account, role, "", None, valid=True, exists=True), backend, found)
    except _CHANGED as error:
        _warn_of_change(repr(error))
    return None


@functools.cache
def _warn_of_change(error: str) -> None:
    warnings.warn(
        f"pytest-kmsmock cannot read the access keys of this release of moto ({error}): callers that moto knows are "
        "taken for the default caller. It works with moto 5: update pytest-kmsmock, or use another moto.",
        stacklevel=2,
    )


def _find(access_key: str) -> Identity | None:
    for accounts in list(sys.modules["moto.iam.models"].iam_backends.values()):
        for backend in list(accounts.values()):
            key = backend.access_keys.get(access_key)
            if key is not None:
                found = _user(backend, key) if key.user_name else _session(backend, access_key)
                if found is not None:
                    _used[access_key] = found
                return found
    deleted = _used.get(access_key)
    return None if deleted is None else deleted._replace(valid=False)


def _user(backend: Any, key: Any) -> Identity:
    user = next((user for user in backend.users.values() if user.name == key.user_name), None)
    account = backend.account_id
    if user is None:
        arn = f"arn:aws:iam::{account}:user/{key.user_name}"
        return Identity(arn, account, None, key.secret_access_key, None, valid=False, exists=False)
    groups = [group for group in backend.groups.values() if user in group.users]
    return Identity(
        user.arn,
        account,
        None,
        key.secret_access_key,
        None,
        valid=key.status == "Active",
        exists=True,
        tags=tuple(backend.tagger.get_tag_dict_for_resource(user.arn).items()),
        policies=tuple(text for holder in (user, *groups) for text in _policies(holder)),
    )


def _session(backend: Any, access_key: str) -> Identity | None:
    account = backend.account_id
    # A session by SAML is stored in the account of the caller.
    places = list(sys.modules["moto.sts.models"].sts_backends.values())
    sessions = (one for place in places for each in list(place.values()) for one in each.assumed_roles)
    session = next((one for one in sessions if one.access_key_id == access_key), None)
    if session is None:
        return None
    role = next((role for role in backend.roles.values() if role.arn == session.role_arn), None)
    known = Identity(
        session.arn,
        account,
        session.role_arn,
        session.secret_access_key,
        session.session_token,
        valid=True,
        exists=role is not None,
        session_policy=session.policy or None,
    )
    return known if role is None else _with_role(known, backend, role)


def _with_role(session: Identity, backend: Any, role: Any) -> Identity:
    """Return a session with the tags, policies and boundary of its role."""
    return session._replace(
        tags=tuple((tag["Key"], tag["Value"]) for tag in _listed(role.tags)),
        policies=tuple(_policies(role)),
        boundary=_boundary(backend, role),
    )


def _listed(tags: Any) -> Iterable[Any]:
    """Return the tags of a role; earlier releases of moto store them as a dict."""
    entries: Iterable[Any] = tags.values() if isinstance(tags, dict) else tags or ()
    return entries


def _policies(holder: Any) -> Iterator[str]:
    """Yield the policy documents of a user, group or role: inline and managed."""
    inline: Mapping[str, Any] = holder.policies
    for text in inline.values():
        yield str(getattr(text, "policy_document", text))
    for policy in holder.managed_policies.values():
        yield _document(policy)


def _boundary(backend: Any, role: Any) -> str | None:
    arn = vars(role).get("permissions_boundary_arn", vars(role).get("permissions_boundary"))  # since 5.2, before
    policy = backend.managed_policies.get(arn) if arn else None
    return None if policy is None else _document(policy)


def _document(policy: Any) -> str:
    """Return the document of the default version of a managed policy."""
    return next((str(version.document) for version in policy.versions if version.is_default), "")
