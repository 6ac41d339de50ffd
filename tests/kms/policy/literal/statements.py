"""Whether a statement applies to a request: its actions, its resources, its principals, its conditions.

[elements]  https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
[principal] https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
[not]       https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
[arns]      https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
[key]       https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .conditions import Context, holds, like, resolve

Policy = Mapping[str, Any]
Statement = Mapping[str, Any]


@dataclass(frozen=True)
class Caller:
    """Who calls.

    Attributes:
        arn: the ARN of the user, session, federated user or root user; the name of a service.
        account: its account; empty for services.
        kind: `root`, `user`, `session`, `federated` or `service`.
        source: the role of a session, the user behind a federated user.
        has_boundary: whether its user or role has a permissions boundary.
    """

    arn: str
    account: str
    kind: str
    source: str | None = None
    has_boundary: bool = False


@dataclass(frozen=True)
class Request:
    """What is asked."""

    caller: Caller
    action: str
    resource: str
    context: Context


def listed(value: Any) -> list[Any]:
    """[elements] A single value may stand for a list of one."""
    return list(value) if isinstance(value, list) else [value]


def statements(policy: Policy, effect: str) -> Iterator[tuple[Statement, bool]]:
    """Give the statements of an effect, and whether they have variables: [variables] from Version 2012-10-17 on."""
    for statement in listed(policy["Statement"]):
        if statement["Effect"] == effect:
            yield statement, policy.get("Version") == "2012-10-17"


def applies(statement: Statement, variables: bool, request: Request) -> bool:
    """Decide whether a statement applies, whoever it is for."""
    return (
        _covers_action(statement, request)
        and _covers_resource(statement, variables, request)
        and all(
            holds(operator, key, listed(values), request.context, variables)
            for operator, block in statement.get("Condition", {}).items()
            for key, values in block.items()
        )
    )


def _covers_action(statement: Statement, request: Request) -> bool:
    """[elements] Actions: `*` and `?` anywhere, without regard to case. NotAction: everything but those.

    [key] A key policy's statement without actions, or without resources, has no effect.
    """
    for element in ("Action", "NotAction"):
        if element in statement:
            patterns = (resolve(text.lower(), {}, False, wildcards=True) for text in listed(statement[element]))
            return any(like(request.action.lower(), pattern or []) for pattern in patterns) is (element == "Action")
    return False


def _covers_resource(statement: Statement, variables: bool, request: Request) -> bool:
    """[elements] Resources: ARNs with wildcards and variables. NotResource: everything but those.

    [arns] "AWS automatically completes the ARN by adding wildcard characters (*) to all missing fields."
    """
    for element in ("Resource", "NotResource"):
        if element in statement:
            entries = listed(statement[element])
            texts = [text if text == "*" else text + ":*" * (5 - text.count(":")) for text in entries]
            patterns = (resolve(text, request.context, variables, wildcards=True) for text in texts)
            found = any(like(request.resource, pattern) for pattern in patterns if pattern is not None)
            return found is (element == "Resource")
    return False


def manner(statement: Statement, caller: Caller) -> str | None:
    """Tell how a statement of a resource-based policy names the caller, if it does.

    Returns:
        `directly`: as this user, session, federated user, service or root user, or as everybody;
        `by its source`: as the role of the session, or the user who federated, whose other policies still limit it;
        `by its account`: as the account, which delegates to its IAM policies; the root user is named directly.
    """
    if "NotPrincipal" in statement:
        return None if _exempt(statement["NotPrincipal"], caller) else "directly"
    principal = statement["Principal"]
    manners = {_names(kind, entry, caller) for kind, entry in _entries(principal)}
    return next((how for how in ("directly", "by its source", "by its account") if how in manners), None)


def _entries(principal: Any) -> Iterator[tuple[str, str]]:
    """Give what a Principal element lists. [principal] `"*"` and `{"AWS": "*"}` are the same."""
    for kind, entries in ({"AWS": "*"} if principal == "*" else principal).items():
        for entry in listed(entries):
            yield kind, entry


def _names(kind: str, entry: str, caller: Caller) -> str | None:
    if kind == "Service" or caller.kind == "service":
        return "directly" if entry in (caller.arn, "*") else None
    if entry in ("*", caller.arn):
        return "directly"
    if entry == caller.source:
        return "by its source"
    if entry in (caller.account, f"arn:aws:iam::{caller.account}:root"):
        return "directly" if caller.kind == "root" else "by its account"
    return None


def _exempt(not_principal: Any, caller: Caller) -> bool:
    """[not] The principal must be listed with its account.

    A session must be listed, and its role as well: "you must include both ARNs for this approach to work",
    https://aws.amazon.com/blogs/security/how-to-restrict-amazon-s3-bucket-access-to-a-specific-iam-role/
    "The NotPrincipal element with a Deny effect will always deny any IAM principal that has a permissions boundary".
    """
    entries = {entry for _, entry in _entries(not_principal)}
    if caller.account in entries:
        entries.add(f"arn:aws:iam::{caller.account}:root")
    role = {caller.source} if caller.kind == "session" else set()
    return not caller.has_boundary and {caller.arn, f"arn:aws:iam::{caller.account}:root", *role} <= entries
