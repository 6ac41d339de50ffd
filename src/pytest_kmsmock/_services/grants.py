"""Grants that services make for themselves on the keys of what they protect, and retire when that is deleted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pytest_kmsmock._kms.api.arns import parse_arn

from .protected import Protected

if TYPE_CHECKING:
    from .request import Request


def granting(protected: Protected, grantee: str, operations: tuple[str, ...], *, retires: bool = True) -> Protected:
    """Return what is protected with the parameters of the grant that a service has its caller make.

    Args:
        protected: what is protected.
        grantee: the principal of the service, such as `dynamodb.us-east-1.amazonaws.com`.
        operations: what the grant allows.
        retires: whether the grantee may retire it.
    """
    params: dict[str, object] = {"GranteePrincipal": grantee, "Operations": list(operations)}
    if retires:
        params["RetiringPrincipal"] = grantee
    if protected.context:
        params["Constraints"] = {"EncryptionContextSubset": dict(protected.context)}
    return protected._replace(params=params)


def retiring(request: Request, protected: Protected, grantee: str) -> Iterator[Protected]:
    """Yield the grants of a service on the key of what it protects, each with the parameters of RetireGrant."""
    arn = parse_arn(protected.key)
    if arn is None:
        return
    for grant in request.mock.service.state.region(arn.account, arn.region).grants_to(arn.name, grantee):
        if grant.context_subset == protected.context or _is_more(grant.context_subset, protected.context):
            yield protected._replace(params={"GrantId": grant.id})


def _is_more(constraint: Mapping[str, str] | None, context: Mapping[str, str]) -> bool:
    return constraint is not None and context.items() <= constraint.items()
