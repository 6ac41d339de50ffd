"""Callers: a principal with its request context."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from pytest_kmsmock._kms.api.arns import service_endpoint
from pytest_kmsmock._kms.policy.principals import Principal

#: A request context without further condition keys.
_NO_CONTEXT: Mapping[str, tuple[str, ...]] = {}


@dataclass(frozen=True, slots=True)
class Caller:
    """A principal with its request context.

    Attributes:
        principal: the principal.
        account: id of the account in which key ids without an ARN are looked up.
        administrator: whether it has an identity-based policy that allows everything, as the default caller has.
        session_policies: its session policies.
        context: further condition keys of its requests, named in lower case (`aws:sourceip`, ...).
        identity_policies: identity-based policies from another IAM (moto), in addition to those of `kms.iam`.
        boundary: permissions boundary from another IAM (moto); None without one.
        via: the AWS services that forward the request, in order: the last one calls KMS. Each is a name such as `s3`,
            or a full value of `kms:ViaService`.
        key: all that determines which policies apply, as one string; for caches.
    """

    principal: Principal
    account: str
    administrator: bool = False
    session_policies: tuple[str, ...] = ()
    context: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NO_CONTEXT)
    via: tuple[str, ...] = ()
    identity_policies: tuple[str, ...] = ()
    boundary: str | None = None
    key: str = field(init=False, repr=False, compare=False, default="")

    def __post_init__(self) -> None:
        key = f"{self.principal.identity}|{self.administrator}|{self.session_policies}|{self.vpc_endpoint}"
        if self.identity_policies or self.boundary is not None:
            key = f"{key}|{self.identity_policies}|{self.boundary}"
        object.__setattr__(self, "key", key)

    @property
    def arn(self) -> str:
        """The ARN that AWS's messages have after `User`."""
        return self.principal.arn

    def forwarded_by(self, service: str) -> Caller:
        """Return this caller with its request forwarded by a service such as `s3`."""
        return Caller(
            self.principal, self.account, self.administrator, self.session_policies, self.context,
            (*self.via, service), self.identity_policies, self.boundary,
        )  # fmt: skip

    @property
    def vpc_endpoint(self) -> str | None:
        """The id of the VPC endpoint of its requests; None without one, as for those that AWS services forward."""
        endpoint = self.context.get("aws:sourcevpce")
        return endpoint[0] if endpoint and self.forwarding_service is None else None

    @property
    def forwarding_service(self) -> str | None:
        """The AWS service that calls KMS on behalf of the principal, such as `s3`; None for direct calls."""
        named = self.context.get("kms:viaservice") or self.via
        return named[-1].split(".")[0] if named else None

    def via_service(self, region: str) -> str | None:
        """Return the value of `kms:ViaService` in a request to a Region; None for direct calls."""
        if not self.via:
            return None
        service = self.via[-1]
        return service if "." in service else service_endpoint(service, region)

    @property
    def called_via(self) -> tuple[str, ...]:
        """The values of `aws:CalledVia`: the services that call on behalf of the principal, in order."""
        given = self.context.get("aws:calledvia")
        if given is not None:
            return given
        named = self.via or self.context.get("kms:viaservice", ())
        return tuple(f"{service.split('.')[0]}.amazonaws.com" for service in named)


@lru_cache(maxsize=64)
def administrator(account: str, partition: str = "aws") -> Caller:
    """Return the default caller: an IAM user with full access to its account."""
    principal = Principal.parse(f"arn:{partition}:iam::{account}:user/Administrator")
    return Caller(principal, account, administrator=True)


def role_session(role: str, name: str, *, administrator: bool = False) -> Caller:
    """Return a role session.

    Args:
        role: the ARN of the role.
        name: the name of the session.
        administrator: whether it has an identity-based policy that allows everything.
    """
    _, partition, _, _, account, resource = role.split(":", 5)
    arn = f"arn:{partition}:sts::{account}:assumed-role/{resource.rpartition('/')[2]}/{name}"
    return Caller(Principal.parse(arn, issuer_arn=role), account, administrator=administrator)
