"""Credentials of principals, and calling as another principal.

`_testing.identity.iam_console` has their policies.

An access key is derived from the principal and its request context, so the same credentials identify the same caller in
every mock of the process, however long a client keeps them.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_kmsmock._kms.policy.principals import Principal, PrincipalKind
from pytest_kmsmock._kms.state.caller import Caller
from pytest_kmsmock._record import Record
from pytest_kmsmock._runtime import active_mocks, network_guard

if TYPE_CHECKING:
    from types import TracebackType

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
#: Callers of `as_principal`, innermost last.
_acting: ContextVar[tuple[Acting, ...]] = ContextVar("kms_mock_acting", default=())
#: Those outside of asyncio tasks; threads use them too.
_acting_in_process: list[Acting] = []


def caller_of(access_key: str | None) -> Caller | None:
    """Return the caller of a request with an access key; None for the default caller."""
    known = issued.get(access_key or "")
    if known is not None:
        return known.caller
    acting = _acting.get() or _acting_in_process
    return acting[-1].caller if acting else None


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


@dataclass(frozen=True, slots=True, eq=False)
class Acting:
    """A block in which requests have a caller."""

    caller: Caller

    def end(self) -> None:
        """End the block, in this context and in the process."""
        _acting.set(tuple(each for each in _acting.get() if each is not self))  # it may have begun in another
        if self in _acting_in_process:
            _acting_in_process.remove(self)


class ActingAs:
    """Sets the caller of requests in `with` blocks, except those with credentials of this module.

    Args:
        caller: the caller.
        blocks: those of the mock that run; the mock ends them.
        must_be_active: raises an error when the mock has ended.
    """

    def __init__(self, caller: Caller, blocks: list[Acting], must_be_active: Callable[[], None]) -> None:
        self._caller, self._blocks, self._must_be_active = caller, blocks, must_be_active
        self._entered: list[Acting] = []

    def __enter__(self) -> Credentials:
        self._must_be_active()
        block = Acting(self._caller)
        _acting.set((*_acting.get(), block))
        if not active_mocks.in_task():
            _acting_in_process.append(block)
        self._entered.append(block)
        self._blocks.append(block)
        return issue(self._caller)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        block = self._entered.pop()
        self._blocks.remove(block)
        block.end()
