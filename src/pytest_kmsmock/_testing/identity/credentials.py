"""Credentials of principals, and calling as another principal.

`_testing.identity.iam_console` has their policies.

An access key is derived from the principal and its request context, so the same credentials identify the same caller in
every mock of the process, however long a client keeps them.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeAlias

from pytest_kmsmock._kms.policy.principals import Principal, PrincipalKind
from pytest_kmsmock._kms.state.caller import Caller
from pytest_kmsmock._record import Record
from pytest_kmsmock._runtime import active_mocks, network_guard

_TEMPORARY = (PrincipalKind.ASSUMED_ROLE, PrincipalKind.FEDERATED_USER)
#: A principal: its ARN, its short form such as `user/alice`, or its credentials.
Named: TypeAlias = "str | Principal | Credentials | Caller"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Credentials(Mapping[str, Any]):
    """Credentials of a principal: `boto3.client("kms", **credentials)`.

    As a mapping it has the credential arguments of boto3 and botocore.

    Attributes:
        arn: the ARN of the principal, which AWS prints after `User`.
        access_key_id: the access key.
        secret_access_key: the secret access key.
        session_token: the session token of temporary credentials; None for those of a user.
    """

    arn: str
    access_key_id: str
    secret_access_key: str
    session_token: str | None

    @property
    def environment(self) -> dict[str, str]:
        """The credentials as environment variables, for `monkeypatch.setenv` and other processes."""
        return {f"AWS_{name.removeprefix('aws_').upper()}": value for name, value in self.items()}

    def __getitem__(self, name: str) -> Any:  # Any, so that `client("kms", **credentials)` fits every parameter
        return self._arguments()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arguments())

    def __len__(self) -> int:
        return len(self._arguments())

    def __repr__(self) -> str:
        return f"<Credentials of {self.arn}>"

    def _arguments(self) -> dict[str, str]:
        arguments = {
            "aws_access_key_id": self.access_key_id,
            "aws_secret_access_key": self.secret_access_key,
            "aws_session_token": self.session_token,
        }
        return {name: value for name, value in arguments.items() if value is not None}


class Issued(Record):
    """Credentials of this module, and the caller that they identify."""

    credentials: Credentials
    caller: Caller


#: Access key -> its credentials and caller.
issued: dict[str, Issued] = {}
_acting: ContextVar[Caller | None] = ContextVar("kms_mock_acting", default=None)
#: Callers of `as_principal` outside of asyncio tasks, innermost last; threads use them too.
_acting_in_process: list[Caller] = []


def caller_of(access_key: str | None) -> Caller | None:
    """Return the caller of a request with an access key; None for the default caller."""
    known = issued.get(access_key or "")
    if known is not None:
        return known.caller
    return _acting.get() or (_acting_in_process[-1] if _acting_in_process else None)


class Home(Record):
    """Account and partition of a mock, for short forms of principals."""

    account: str
    partition: str


def issue(caller: Caller) -> Credentials:
    """Return the credentials of a caller, the same each time."""
    temporary = caller.principal.kind in _TEMPORARY or caller.principal.is_service
    principal, context = caller.principal, sorted(caller.context.items())
    described = f"{caller.key}|{caller.account}|{principal.tags}|{principal.org_id}|{context}|{caller.via}"
    return _derived(caller, described, temporary=temporary)


def issue_session(caller: Caller) -> Credentials:
    """Return temporary credentials of a user, as of GetSessionToken; the same each time."""
    return _derived(caller, f"session|{issue(caller).access_key_id}", temporary=True)


def _derived(caller: Caller, described: str, *, temporary: bool) -> Credentials:
    digest = hashlib.sha512(described.encode(errors="surrogatepass")).digest()
    access_key = ("ASIA" if temporary else "AKIA") + base64.b32encode(digest).decode()[:16]
    if access_key not in issued:
        secret = base64.b64encode(digest[20:50]).decode()
        token = base64.b64encode(digest * 4).decode() if temporary else None
        register(caller, access_key, secret, token)
    return issued[access_key].credentials


def register(caller: Caller, access_key: str, secret: str, token: str | None = None) -> Credentials:
    """Assign an access key to a caller, in every mock of the process; return its credentials."""
    network_guard.issued.add(access_key)
    issued[access_key] = Issued(Credentials(caller.arn, access_key, secret, token), caller)
    return issued[access_key].credentials


@contextmanager
def acting_as(caller: Caller) -> Iterator[Credentials]:
    """Set the caller of requests in a block, except those with credentials of this module."""
    in_process = not active_mocks.in_task()
    token = _acting.set(caller)
    if in_process:
        _acting_in_process.append(caller)
    try:
        yield issue(caller)
    finally:
        _acting.reset(token)
        if in_process:
            _acting_in_process.remove(caller)
