"""Callers: the principals that a test names, with the request context of their requests.

`credentials` issues the credentials of callers.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from pytest_kmsmock._kms.policy.kinds import INLINE_SESSION_CHARACTERS, PolicyKind
from pytest_kmsmock._kms.policy.principals import Principal, PrincipalKind
from pytest_kmsmock._kms.state.caller import Caller, administrator
from pytest_kmsmock.errors import InvalidPrincipal, InvalidSimulation

from .context_values import ContextValue, listed
from .credentials import Credentials, Home, Named, issued
from .policy_text import Document, policy_text
from .request_context import RequestContext, check_request_context, check_session

_NAME = r"[A-Za-z_][\w+=,@-]*"  # of a role or user, unlike an account or a service
#: Short forms of principals in the mock's own account.
_SHORT = r"root|(user|role|assumed-role|federated-user)/.+"
DEFAULT_SESSION = "pytest-kmsmock"
_HOW_GIVEN = "A principal is a string: its ARN or its short form"
#: Part of a request context -> its condition key.
_CONDITION_KEYS = {
    "source_arn": "aws:sourcearn",
    "source_account": "aws:sourceaccount",
    "source_ip": "aws:sourceip",
    "resource_org_id": "aws:resourceorgid",
    "source_vpc": "aws:sourcevpc",
    "source_vpce": "aws:sourcevpce",
}


def make_caller(named: Named | None, home: Home, given: RequestContext) -> Caller:
    """Return a caller.

    Args:
        named: the principal; None is the default caller, who may do everything that key policies let IAM allow.
        home: the mock's account and partition.
        given: its request context.

    Raises:
        InvalidPrincipal: with the forms of a principal.
        InvalidPolicy: AWS would refuse the session policy.
    """
    if isinstance(named, Credentials):
        named = issued[named.access_key_id].caller
    if isinstance(named, Caller):
        if given:
            raise InvalidPrincipal(
                f"{next(iter(given))!r} cannot be added to existing credentials, of {named.arn}. "
                "Give the request context when you make them."
            )
        return named
    if named is not None and not isinstance(named, str | Principal):
        raise InvalidPrincipal(f"{_HOW_GIVEN}, or its credentials, not {named!r}.")
    check_request_context(named, given)
    default = administrator(home.account, home.partition)
    principal = (
        named
        if isinstance(named, Principal)
        else _caller_principal(default.arn if named is None else named, home, given)
    )
    check_session(principal, given)
    return Caller(
        principal,
        given.get("account") or principal.account or home.account,
        administrator=principal.arn == default.arn,
        session_policies=_session_policies(given.get("session_policies", ()), home.partition),
        context=_context(given),
        via=(given["via_service"],) if "via_service" in given else (),
    )


def _session_policies(given: Document | Iterable[Document], partition: str) -> tuple[str, ...]:
    """Return session policies as strings: a single one is inline, those of a list may be managed policies.

    Raises:
        InvalidPolicy: AWS would refuse the policy.
    """
    if isinstance(given, str | Mapping | os.PathLike):
        policies: Iterable[Document] = (given,)
        most: int | None = INLINE_SESSION_CHARACTERS
    else:
        policies, most = given, None
    return tuple(
        policy_text(policy, PolicyKind.SESSION, "session_policies", partition=partition, most=most)
        for policy in policies
    )


def in_context(caller: Caller, context: Mapping[str, ContextValue | Iterable[ContextValue]]) -> Caller:
    """Return a caller with further condition keys of its requests.

    Raises:
        InvalidSimulation: a wrong value of a condition key.
    """
    return replace(caller, context=_merged(caller.context, listed(context, InvalidSimulation), InvalidSimulation))


def _merged(
    said: Mapping[str, tuple[str, ...]],
    more: Mapping[str, tuple[str, ...]],
    error: type[InvalidPrincipal | InvalidSimulation],
) -> Mapping[str, tuple[str, ...]]:
    """Return condition keys from two sources; the second takes precedence.

    Raises:
        InvalidPrincipal, InvalidSimulation: a request cannot have both; the class is `error`.
    """
    merged = {**said, **more}
    if "aws:sourceip" in merged and "aws:sourcevpce" in merged:
        raise error("Requests through a VPC endpoint have aws:VpcSourceIp instead of aws:SourceIp.")
    return merged


def principal_arn(text: str, home: Home) -> str:
    """Return the ARN of a principal for a policy, which names a role itself and not a session.

    Raises:
        InvalidPrincipal: with the forms of a principal.
    """
    if not isinstance(text, str):
        raise InvalidPrincipal(f"{_HOW_GIVEN}, not {text!r}.")
    return _principal(text, home, {}).arn


def _caller_principal(text: str, home: Home, given: RequestContext) -> Principal:
    principal = _principal(text, home, given)
    if principal.kind is not PrincipalKind.ROLE:
        return principal
    return _session_of(principal, given.get("session_name", DEFAULT_SESSION))


def _principal(text: str, home: Home, given: RequestContext) -> Principal:
    if re.fullmatch(_SHORT, text):
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
        if re.fullmatch(_NAME, text):
            message = f"{text!r} is not a principal. Did you mean 'role/{text}' or 'user/{text}'?"
        else:
            message = f"{error}. Short forms are 'role/NAME', 'user/NAME' and 'root'."
        raise InvalidPrincipal(message) from None


def _context(given: RequestContext) -> Mapping[str, tuple[str, ...]]:
    """Return the condition keys of a request context."""
    parts: Mapping[str, object] = given
    values: dict[str, ContextValue | Iterable[ContextValue]] = {
        key: str(parts[name]) for name, key in _CONDITION_KEYS.items() if name in parts
    }
    if "mfa" in given:
        values["aws:multifactorauthpresent"] = bool(given["mfa"])
    if "source_ip" in given and "source_vpce" in given:
        values["aws:vpcsourceip"] = values.pop("aws:sourceip")
    return _merged(listed(values), listed(given.get("context", {})), InvalidPrincipal)


def _session_of(role: Principal, session_name: str) -> Principal:
    """Return a session of a role, since roles call as sessions. Session ARNs omit the path of the role."""
    arn = f"arn:{role.partition}:sts::{role.account}:assumed-role/{role.name}/{session_name}"
    return Principal.parse(
        arn, tags=dict(role.tags), org_id=role.org_id, issuer_arn=role.arn, provider=role.provider
    )  # fmt: skip
