"""`userIdentity` of CloudTrail records: the caller.

Access keys and other ids of IAM are derived from the principal. See
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

from __future__ import annotations

from collections.abc import Mapping
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
    identity = _person(principal)
    if caller.administrator and principal.kind is PrincipalKind.USER:
        identity["accessKeyId"] = environment.DUMMY_ACCESS_KEY_ID
    service = invoking_service(caller)
    return identity if service is None else identity | {"invokedBy": service}


#: Kind of principal -> `type`, and the prefix of its access keys.
_KINDS: Mapping[PrincipalKind, tuple[str, str]] = {
    PrincipalKind.USER: ("IAMUser", "AKIA"),
    PrincipalKind.ROOT: ("Root", "AKIA"),
    PrincipalKind.ROLE: ("Role", "ASIA"),
    PrincipalKind.ASSUMED_ROLE: ("AssumedRole", "ASIA"),
    PrincipalKind.FEDERATED_USER: ("FederatedUser", "ASIA"),
}


def _person(principal: Principal) -> Event:
    kind, key_prefix = _KINDS[principal.kind]
    person: Event = {
        "type": kind,
        "principalId": principal.unique_id,
        "arn": principal.arn,
        "accountId": principal.account,
        "accessKeyId": generated_id(key_prefix, principal.arn, 16),
    }
    if principal.kind is PrincipalKind.USER:
        person["userName"] = principal.name
    elif principal.kind is PrincipalKind.ASSUMED_ROLE:
        person["sessionContext"] = {"sessionIssuer": _issuer(principal), "attributes": {"mfaAuthenticated": "false"}}
    return person


def _issuer(session: Principal) -> Event:
    role = Principal.parse(session.issuer_arn or session.account_arn)
    return {
        "type": "Role",
        "principalId": role.unique_id,
        "arn": role.arn,
        "accountId": role.account,
        "userName": role.name,
    }


def seen_by_owner(caller: Caller) -> Event:
    """Return `userIdentity` in the trail of the key's owner, which has only the account."""
    identity = of(caller)
    if "accountId" not in identity:
        return identity
    return {"type": "AWSAccount", "principalId": identity["principalId"], "accountId": identity["accountId"]}
