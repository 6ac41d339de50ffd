"""The request context of a principal and its validation.

`_testing.identity.credentials` parses the principal itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import TypedDict

from pytest_kmsmock._kms.policy.principals import Principal, PrincipalKind
from pytest_kmsmock._runtime.arguments import check_names
from pytest_kmsmock._runtime.checks import check_type
from pytest_kmsmock.errors import InvalidPrincipal

from .context_values import ACCOUNT, ORGANIZATION, VPC, VPC_ENDPOINT, ContextValue, is_address
from .policy_text import Document


class RequestContext(TypedDict, total=False):
    """The request context of a principal. `KmsMock.credentials` describes it."""

    session_name: str
    session_policies: Document | Iterable[Document]
    tags: Mapping[str, str]
    org_id: str
    resource_org_id: str
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


#: String part of a request context -> its form: a pattern and a description.
_STRINGS: Mapping[str, tuple[str, str]] = {
    "session_name": (r"[A-Za-z0-9_+=,.@-]{2,64}", "a name of 2 to 64 letters, digits and =,.@+-_"),
    "org_id": ORGANIZATION,
    "resource_org_id": ORGANIZATION,
    "issuer_arn": (r"arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/.+|arn:aws[a-z-]*:iam::[0-9]{12}:root",
                   "the ARN of the role of a session, or of the user behind a federated user"),
    "provider": (r"\S+", "an identity provider, such as 'accounts.google.com'"),
    "account": ACCOUNT,
    "via_service": (r"[a-z0-9-]+(\.[a-z0-9-]+)*", "an AWS service, such as 's3'"),
    "source_arn": (r"arn(:[^:]*){4}:.+", "the ARN of a resource"),
    "source_account": ACCOUNT,
    "source_ip": (r".+", "an IP address"),
    "source_vpc": VPC,
    "source_vpce": VPC_ENDPOINT,
}  # fmt: skip
#: Parts that belong to the principal itself.
_IDENTITY = ("tags", "org_id", "issuer_arn", "provider", "session_name")
#: Part -> the kinds of principals that have it.
_OF_SESSIONS: Mapping[str, tuple[PrincipalKind, ...]] = {
    "session_policies": (PrincipalKind.ASSUMED_ROLE, PrincipalKind.FEDERATED_USER),
    "issuer_arn": (PrincipalKind.ASSUMED_ROLE, PrincipalKind.FEDERATED_USER),
    "provider": (PrincipalKind.ASSUMED_ROLE,),
}
# https://docs.aws.amazon.com/STS/latest/APIReference/API_Tag.html
_TAG_KEY_CHARACTERS, _TAG_VALUE_CHARACTERS = 128, 256


def check_request_context(named: object, given: RequestContext) -> None:
    """Validate the names and forms of a request context, and whether they fit the principal.

    Args:
        named: the principal as the test gives it.
        given: the request context.

    Raises:
        InvalidArgument: an unknown part.
        InvalidPrincipal: with the expected form.
    """
    values: Mapping[str, object] = given
    check_names("credentials", given, list(RequestContext.__annotations__))
    for name, (form, words) in _STRINGS.items():
        if name in values:
            _check_string(name, values[name], form, words)
    check_type(given.get("mfa", False), bool, "mfa", error=InvalidPrincipal)
    if "tags" in given:
        _check_tags(given["tags"])
    if not isinstance(given.get("session_policies", ()), Iterable | os.PathLike):
        raise InvalidPrincipal(f"session_policies must be a policy or several, not {given['session_policies']!r}.")
    lost = [name for name in _IDENTITY if name in given] if isinstance(named, Principal) else []
    if lost:
        raise InvalidPrincipal(f"{lost[0]!r} is part of the Principal that is given: {named!r}")
    is_role = isinstance(named, str) and "role/" in named and "assumed-role/" not in named
    if "issuer_arn" in given and is_role:
        raise InvalidPrincipal(f"issuer_arn is for sessions, not for {named!r}: that role issues its own sessions.")
    if "session_name" in given and not is_role:
        raise InvalidPrincipal(f"A session_name goes with a role, such as 'role/app', not with {named!r}.")


def check_session(principal: Principal, given: RequestContext) -> None:
    """Validate parts that only sessions have.

    Args:
        principal: the caller; of a role, its session.
        given: the request context.

    Raises:
        InvalidPrincipal: with the kinds of principals that have them.
    """
    for name, kinds in _OF_SESSIONS.items():
        if name in given and principal.kind not in kinds:
            whose = "role sessions and federated users" if len(kinds) > 1 else "role sessions"
            raise InvalidPrincipal(f"{name} is for {whose}, not for {principal.arn}.")
    issuer = given.get("issuer_arn")
    if issuer is None:
        return
    *_, account, resource = issuer.split(":", 5)
    role = principal.arn.split("/")[1] if principal.kind is PrincipalKind.ASSUMED_ROLE else None
    fits = not resource.startswith("role/") if role is None else re.fullmatch(f"role/(.+/)?{re.escape(role)}", resource)
    if account != principal.account or not fits:
        raise InvalidPrincipal(f"{issuer} cannot be the issuer of {principal.arn}.")


def _check_string(name: str, value: object, form: str, words: str) -> None:
    if name == "source_ip" and isinstance(value, IPv4Address | IPv6Address):
        return
    if not isinstance(value, str):
        raise InvalidPrincipal(f"{name} must be a string, not {value!r}: {words}.")
    if not re.fullmatch(form, value) or (name == "source_ip" and not is_address(value)):
        raise InvalidPrincipal(f"{name} must be {words}, not {value!r}.")


def _check_tags(tags: object) -> None:
    if not (isinstance(tags, Mapping) and all(isinstance(part, str) for pair in tags.items() for part in pair)):
        raise InvalidPrincipal(
            f"tags must be a mapping of strings to strings, such as {{'team': 'blue'}}, not {tags!r}."
        )
    for key, value in tags.items():
        if not 0 < len(key) <= _TAG_KEY_CHARACTERS or len(value) > _TAG_VALUE_CHARACTERS:
            raise InvalidPrincipal(
                f"A tag's key has 1 to {_TAG_KEY_CHARACTERS} characters, its value at most {_TAG_VALUE_CHARACTERS}, "
                f"not {key!r}: {value!r}."
            )
