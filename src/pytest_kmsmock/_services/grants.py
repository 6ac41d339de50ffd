"""Grants for services on the keys of their resources, which they retire when the resource is deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pytest_kmsmock._kms.api.arns import parse_arn

from .protected import Protected

if TYPE_CHECKING:
    from .request import Request


def granting(protected: Protected, grantee: str, operations: tuple[str, ...]) -> Protected:
    """Return a resource with the parameters of the CreateGrant that a service calls as its caller.

    Args:
        protected: the resource.
        grantee: the service principal, such as `dynamodb.us-east-1.amazonaws.com`; it is also the retiring principal.
        operations: the operations that the grant allows.
    """
    params: dict[str, object] = {
        "GranteePrincipal": grantee, "RetiringPrincipal": grantee, "Operations": list(operations)
    }  # fmt: skip
    if protected.context:
        params["Constraints"] = {"EncryptionContextSubset": dict(protected.context)}
    return protected._replace(params=params)


def retiring(request: Request, protected: Protected, grantee: str) -> Iterator[Protected]:
    """Yield the grants of a service on the key of a resource, each with the parameters of RetireGrant."""
    arn = parse_arn(protected.key)
    state = request.mock.service.state
    grants = () if arn is None else state.region(arn.account, arn.region).grants_to(arn.name, grantee)
    yield from (
        protected._replace(params={"GrantId": grant.id})
        for grant in grants
        if protected.context.items() <= (grant.context_subset or {}).items()
    )
