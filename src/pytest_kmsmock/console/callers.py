"""Who calls: credentials of any principal, and acting as one for a while. What a principal may do is in `console.iam`.

An access key is worked out from the principal and its circumstances, so the same credentials mean the same caller in
every mock of the process, however long a client keeps them.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple, TypeAlias, TypedDict

from .. import scopes
from ..errors import InvalidPrincipal, InvalidSimulation
from ..service.authorization.documents import PolicyKind
from ..service.authorization.principals import ACCOUNT_ID, Principal, PrincipalKind
from ..service.caller import Caller, administrator
from ..service.condition_keys import condition_text
from .policy_texts import Document, policy_text

#: How principals can be written in short, for the mock's own account.
_SHORT = re.compile(r"root|(user|role|assumed-role|federated-user)/.+")
_TEMPORARY = (PrincipalKind.ASSUMED_ROLE, PrincipalKind.FEDERATED_USER)
DEFAULT_SESSION = "pytest-kmsmock"
#: A principal: its ARN, its short form such as `user/alice`, or its credentials.
Named: TypeAlias = "str | Principal | Credentials | Caller"
#: A value of a condition key; of several, each.
ContextValue: TypeAlias = "str | bool | int | float | datetime"
_VALUE_TYPES = (str, bool, int, float, datetime)
#: Circumstances that are texts.
_TEXTS = (
    "session_name", "org_id", "issuer_arn", "provider", "account", "via_service", "source_arn", "source_account",
    "source_ip", "source_vpc", "source_vpce",
)  # fmt: skip
#: Circumstances that are part of who a principal is.
_IDENTITY = ("tags", "org_id", "issuer_arn", "provider", "session_name")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Credentials(Mapping[str, str]):
    """Credentials of a principal: `boto3.client("kms", **credentials)`.

    As a mapping it has the arguments of boto3 and botocore.

    Attributes:
        caller: whom requests with them come from.
        access_key_id: the access key.
        secret_access_key: the secret access key.
        session_token: the session token of temporary credentials; None for those of a user.
    """

    caller: Caller
    access_key_id: str
    secret_access_key: str
    session_token: str | None

    @property
    def arn(self) -> str:
        """The ARN that AWS prints as `User:`."""
        return self.caller.arn

    @property
    def environment(self) -> dict[str, str]:
        """The same as environment variables, for `monkeypatch.setenv` and other processes."""
        return {f"AWS_{name.removeprefix('aws_').upper()}": value for name, value in self.items()}

    def __getitem__(self, name: str) -> str:
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


_issued: dict[str, Credentials] = {}
_acting: ContextVar[Caller | None] = ContextVar("kms_mock_acting", default=None)
#: Callers that code outside of asyncio tasks acts as, innermost last: threads see them too.
_acting_in_process: list[Caller] = []


def caller_of(access_key: str | None) -> Caller | None:
    """Return whom a request with an access key comes from; None for the default caller."""
    credentials = _issued.get(access_key or "")
    if credentials is not None:
        return credentials.caller
    return _acting.get() or (_acting_in_process[-1] if _acting_in_process else None)


def secret_of(access_key: str) -> str | None:
    """Return the secret access key of an access key; None if it is of no credentials made here."""
    credentials = _issued.get(access_key)
    return None if credentials is None else credentials.secret_access_key


def session_token_of(access_key: str) -> str | None:
    """Return the session token that goes with an access key; None for those of users, which have none."""
    credentials = _issued.get(access_key)
    return None if credentials is None else credentials.session_token


class Circumstances(TypedDict, total=False):
    """What surrounds the requests of a principal. `KmsMock.credentials` describes it."""

    session_name: str
    session_policies: Document | Iterable[Document]
    tags: Mapping[str, str]
    org_id: str
    issuer_arn: str
    provider: str
    account: str
    via_service: str
    source_arn: str
    source_account: str
    source_ip: str
    source_vpc: str
    source_vpce: str
    mfa: bool
    context: Mapping[str, ContextValue | Iterable[ContextValue]]


#: Circumstance -> the condition key that says it.
_CONDITION_KEYS = {
    "source_arn": "aws:sourcearn",
    "source_account": "aws:sourceaccount",
    "source_ip": "aws:sourceip",
    "source_vpc": "aws:sourcevpc",
    "source_vpce": "aws:sourcevpce",
}


class Home(NamedTuple):
    """Where short forms of principals belong: account, partition and default Region of a mock."""

    account: str
    partition: str
    region: str


def make_caller(named: Named | None, home: Home, given: Circumstances) -> Caller:
    """Return a caller.

    Args:
        named: the principal; None is the default caller, who may do everything that key policies let IAM allow.
        home: the mock's account, partition and Region.
        given: its circumstances.

    Raises:
        InvalidPrincipal: saying what a principal looks like.
        InvalidPolicy: for a session policy that AWS would refuse.
    """
    unknown = sorted(set(given) - set(Circumstances.__annotations__))
    if unknown:
        known = ", ".join(Circumstances.__annotations__)
        raise InvalidPrincipal(f"{unknown[0]!r} is not known of callers. What can be given is: {known}.")
    if isinstance(named, Credentials):
        named = named.caller
    if isinstance(named, Caller):
        if given:
            raise InvalidPrincipal(
                f"{next(iter(given))!r} is given with credentials that there are already, of {named.arn}. What "
                "surrounds their requests belongs to them: give it when they are made."
            )
        return named
    _check_types(named, given)
    _check_identity(named, given)
    default = administrator(home.account, home.partition)
    principal = (
        named
        if isinstance(named, Principal)
        else _caller_principal(default.arn if named is None else named, home, given)
    )
    policies = given.get("session_policies", ())
    listed = (policies,) if isinstance(policies, str | Mapping) else policies
    return Caller(
        principal,
        given.get("account") or principal.account or home.account,
        administrator=principal.arn == default.arn,
        session_policies=tuple(policy_text(policy, PolicyKind.SESSION, "session_policies") for policy in listed),
        context=_context(home, given),
    )


def _check_types(named: object, given: Circumstances) -> None:
    """Refuse what has another type than it should: a None or a number would go on as a text."""
    circumstances: Mapping[str, object] = given
    for name in _TEXTS:
        if name in circumstances and not isinstance(circumstances[name], str | IPv4Address | IPv6Address):
            raise InvalidPrincipal(f"{name} is a text, not {circumstances[name]!r}.")
    if not isinstance(given.get("mfa", False), bool):
        raise InvalidPrincipal(f"mfa is True or False, not {given['mfa']!r}.")
    if not ACCOUNT_ID.fullmatch(given.get("account", "0" * 12)):
        raise InvalidPrincipal(f"account is the id of an account, 12 digits, not {given['account']!r}.")
    if named is not None and not isinstance(named, str | Principal):
        raise InvalidPrincipal(
            f"A principal is given by its ARN or in short, as text, or by its credentials, not by {named!r}."
        )


def _check_identity(named: str | Principal | None, given: Circumstances) -> None:
    """Refuse circumstances that say who a principal is, where they cannot."""
    tags = given.get("tags")
    if tags is not None and not (isinstance(tags, Mapping) and all(map(_is_pair_of_texts, tags.items()))):
        raise InvalidPrincipal(f"tags is a mapping of texts to texts, such as {{'team': 'blue'}}, not {tags!r}.")
    lost = [name for name in _IDENTITY if name in given] if isinstance(named, Principal) else []
    if lost:
        raise InvalidPrincipal(f"{lost[0]!r} is part of the Principal that is given: {named!r}")
    if "session_name" in given and not (isinstance(named, str) and ("role/" in named and "assumed-role/" not in named)):
        raise InvalidPrincipal(f"A session_name goes with a role, such as 'role/app', not with {named!r}.")


def _is_pair_of_texts(pair: tuple[object, object]) -> bool:
    return all(isinstance(part, str) for part in pair)


def in_context(caller: Caller, context: Mapping[str, ContextValue | Iterable[ContextValue]]) -> Caller:
    """Return a caller with further condition keys of its requests.

    Raises:
        InvalidSimulation: for what is no value of a condition key.
    """
    return replace(caller, context={**caller.context, **_listed(context, InvalidSimulation)})


def _listed(
    values: Mapping[str, ContextValue | Iterable[ContextValue]],
    error: type[InvalidPrincipal | InvalidSimulation] = InvalidPrincipal,
) -> dict[str, tuple[str, ...]]:  # fmt: skip
    """Return condition keys in lower case, with their values as conditions compare them."""
    if not isinstance(values, Mapping):
        raise error(f"context is a mapping of condition keys to values, not {values!r}.")
    listed: dict[str, tuple[str, ...]] = {}
    for name, value in values.items():
        entries = [value] if isinstance(value, str) or not isinstance(value, Iterable) else list(value)
        if isinstance(value, Mapping | bytes) or not all(isinstance(entry, _VALUE_TYPES) for entry in entries):
            raise error(f"{name}: a condition key has texts, numbers, truth values or times, not {value!r}.")
        listed[name.lower()] = tuple(map(condition_text, entries))
    return listed


def principal_arn(text: str, home: Home) -> str:
    """Return the ARN of a principal for a policy, where a role is named itself and not as a session.

    Raises:
        InvalidPrincipal: saying what a principal looks like.
    """
    return _principal(text, home, {}).arn


def _caller_principal(text: str, home: Home, given: Circumstances) -> Principal:
    principal = _principal(text, home, given)
    if principal.kind is not PrincipalKind.ROLE:
        return principal
    try:
        return _session_of(principal, given.get("session_name", DEFAULT_SESSION))
    except ValueError as error:
        raise InvalidPrincipal(str(error)) from None


def _principal(text: str, home: Home, given: Circumstances) -> Principal:
    if _SHORT.fullmatch(text):
        service = "sts" if text.startswith(("assumed-role/", "federated-user/")) else "iam"
        text = f"arn:{home.partition}:{service}::{home.account}:{text}"
    try:
        return Principal.parse(
            text,
            tags=given.get("tags"),
            org_id=given.get("org_id"),
            issuer_arn=given.get("issuer_arn"),
            provider=given.get("provider"),
        )
    except ValueError as error:
        short = "Of the mock's own account, 'root', 'user/NAME' and 'role/NAME' will do."
        raise InvalidPrincipal(f"{error}. {short}") from None


def _context(home: Home, given: Circumstances) -> dict[str, tuple[str, ...]]:
    """Return the condition keys that circumstances give a value."""
    circumstances: Mapping[str, object] = given
    values: dict[str, ContextValue | Iterable[ContextValue]] = {
        key: str(circumstances[name]) for name, key in _CONDITION_KEYS.items() if name in circumstances
    }
    if "via_service" in given:
        values["kms:viaservice"] = _endpoint_of(given["via_service"], home)
    if "mfa" in given:
        values["aws:multifactorauthpresent"] = bool(given["mfa"])
    return _listed(values) | _listed(given.get("context", {}))


def _session_of(role: Principal, session_name: str) -> Principal:
    """Return a session of a role: nobody calls as a role itself. Session ARNs leave out the path of the role."""
    arn = f"arn:{role.partition}:sts::{role.account}:assumed-role/{role.name}/{session_name}"
    return Principal.parse(
        arn, tags=dict(role.tags), org_id=role.org_id, issuer_arn=role.arn, provider=role.provider
    )  # fmt: skip


def _endpoint_of(service: str, home: Home) -> str:
    """Return what `kms:ViaService` says of a service that is given with or without its Region."""
    if "." in service:
        return service
    return f"{service}.{home.region}.amazonaws.com" + (".cn" if home.partition == "aws-cn" else "")


def issue(caller: Caller) -> Credentials:
    """Return the credentials of a caller, the same each time."""
    temporary = caller.principal.kind in _TEMPORARY or caller.principal.is_service
    principal, context = caller.principal, sorted(caller.context.items())
    described = f"{caller.key}|{caller.account}|{principal.tags}|{principal.org_id}|{context}"
    digest = hashlib.sha512(described.encode()).digest()
    access_key = ("ASIA" if temporary else "AKIA") + base64.b32encode(digest).decode()[:16]
    if access_key not in _issued:
        secret = base64.b64encode(digest[20:50]).decode()
        token = base64.b64encode(digest * 4).decode() if temporary else None
        _issued[access_key] = Credentials(caller, access_key, secret, token)
    return _issued[access_key]


@contextmanager
def acting_as(caller: Caller) -> Iterator[Credentials]:
    """Let requests with other credentials than those made here come from a caller meanwhile."""
    in_process = not scopes.in_task()
    token = _acting.set(caller)
    if in_process:
        _acting_in_process.append(caller)
    try:
        yield issue(caller)
    finally:
        _acting.reset(token)
        if in_process:
            _acting_in_process.remove(caller)
