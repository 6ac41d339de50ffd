"""`userIdentity` of CloudTrail records: the caller.

Access keys and other ids of IAM are derived from the principal. See
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pytest_kmsmock._kms.policy.principals import Principal, PrincipalKind, generated_id
from pytest_kmsmock._runtime import environment

if TYPE_CHECKING:
    from pytest_kmsmock._kms.state.caller import Caller

#: Part of a CloudTrail record.
Event = dict[str, Any]


#: Services that call KMS with the name of another service. Recorded 2026-07 (until 2025-10 `AWS Internal`).
_INVOKED_BY = {"s3": "fas.s3.amazonaws.com"}


def invoking_service(caller: Caller) -> str | None:
    """Return the AWS service that makes a request, for itself or for the caller; None if the caller does."""
    if caller.principal.is_service:
        return caller.principal.arn
    service = caller.forwarding_service
    return None if service is None else _INVOKED_BY.get(service, f"{service}.amazonaws.com")


def of(caller: Caller) -> Event:
    """Return `userIdentity`.

    See https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
    """
    principal = caller.principal
    if principal.is_service:
        return {"type": "AWSService", "invokedBy": principal.arn}
    identity = _KINDS[principal.kind](principal)
    if caller.administrator and principal.kind is PrincipalKind.USER:
        identity["accessKeyId"] = environment.DUMMY_ACCESS_KEY_ID
    service = invoking_service(caller)
    return identity if service is None else identity | {"invokedBy": service}


def _user(principal: Principal) -> Event:
    return _person(principal, "IAMUser", "AKIA") | {"userName": principal.name}


def _root(principal: Principal) -> Event:
    return _person(principal, "Root", "AKIA")


def _role(principal: Principal) -> Event:
    return _person(principal, "Role", "ASIA")


def _session(principal: Principal) -> Event:
    role = Principal.parse(principal.issuer_arn or principal.account_arn)
    issuer = {
        "type": "Role",
        "principalId": role.unique_id,
        "arn": role.arn,
        "accountId": role.account,
        "userName": role.name,
    }
    person = _person(principal, "AssumedRole", "ASIA")
    return person | {"sessionContext": {"sessionIssuer": issuer, "attributes": {"mfaAuthenticated": "false"}}}


def _federated(principal: Principal) -> Event:
    return _person(principal, "FederatedUser", "ASIA")


_KINDS: Mapping[PrincipalKind, Callable[[Principal], Event]] = {
    PrincipalKind.USER: _user,
    PrincipalKind.ROOT: _root,
    PrincipalKind.ROLE: _role,
    PrincipalKind.ASSUMED_ROLE: _session,
    PrincipalKind.FEDERATED_USER: _federated,
}


def _person(principal: Principal, kind: str, key_prefix: str) -> Event:
    return {
        "type": kind,
        "principalId": principal.unique_id,
        "arn": principal.arn,
        "accountId": principal.account,
        "accessKeyId": generated_id(key_prefix, principal.arn, 16),
    }


def seen_by_owner(caller: Caller) -> Event:
    """Return `userIdentity` in the trail of the key's owner, which has only the account."""
    identity = of(caller)
    if "accountId" not in identity:
        return identity
    return {"type": "AWSAccount", "principalId": identity["principalId"], "accountId": identity["accountId"]}
