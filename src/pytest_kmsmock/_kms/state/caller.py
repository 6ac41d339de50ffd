"""Who makes a call, and what surrounds the request: what the authorization engine is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_kmsmock._kms.api.arns import service_endpoint
from pytest_kmsmock._kms.policy.principals import Principal

#: No condition keys beyond those that every request has.
_NOTHING: Mapping[str, tuple[str, ...]] = {}


@dataclass(frozen=True, slots=True)
class Caller:
    """A principal with its request context.

    Attributes:
        principal: who it is.
        account: the account whose keys a bare key id refers to; 12 digits.
        administrator: whether it has an identity policy that allows everything, as the default caller has.
        session_policies: texts of session policies, which limit what the session may do.
        context: further condition keys of its requests by lower-case name (`aws:sourceip`, ...).
        identity_policies: texts of identity policies that IAM elsewhere has for it, beside those of `kms.iam`.
        boundary: text of the permissions boundary that IAM elsewhere has for it; None if it has none.
        via: the AWS services that call for it, in the order of their calls: the last one calls KMS. Each is a name such
            as `s3`, or with the Region and domain that `kms:ViaService` is to have.
        key: all that says which policies bear on it, in one text; for caches.
    """

    principal: Principal
    account: str
    administrator: bool = False
    session_policies: tuple[str, ...] = ()
    context: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NOTHING)
    via: tuple[str, ...] = ()
    identity_policies: tuple[str, ...] = ()
    boundary: str | None = None
    key: str = field(init=False, repr=False, compare=False, default="")

    def __post_init__(self) -> None:
        endpoint = self.context.get("aws:sourcevpce", "")
        key = f"{self.principal.identity}|{self.administrator}|{self.session_policies}|{endpoint}"
        if self.identity_policies or self.boundary is not None:
            key = f"{key}|{self.identity_policies}|{self.boundary}"
        object.__setattr__(self, "key", key)

    @property
    def arn(self) -> str:
        """The ARN that AWS prints after `User`."""
        return self.principal.arn

    def forwarded_by(self, service: str) -> Caller:
        """Return this caller when a service such as `s3` calls for it."""
        return Caller(
            self.principal, self.account, self.administrator, self.session_policies, self.context,
            (*self.via, service), self.identity_policies, self.boundary,
        )  # fmt: skip

    @property
    def forwarding_service(self) -> str | None:
        """The name of the AWS service that calls KMS for the principal, such as `s3`; None if it calls by itself."""
        named = self.context.get("kms:viaservice") or self.via
        return named[-1].split(".")[0] if named else None

    def via_service(self, region: str) -> str | None:
        """Return the value of `kms:ViaService` in a request to a Region; None if no service calls for the principal."""
        if not self.via:
            return None
        service = self.via[-1]
        return service if "." in service else service_endpoint(service, region)

    @property
    def called_via(self) -> tuple[str, ...]:
        """The values of `aws:CalledVia`: the services that call for the principal, in the order of their calls."""
        given = self.context.get("aws:calledvia")
        if given is not None:
            return given
        named = self.via or self.context.get("kms:viaservice", ())
        return tuple(f"{service.split('.')[0]}.amazonaws.com" for service in named)


def administrator(account: str, partition: str = "aws") -> Caller:
    """Return the caller of tests that do not care who calls: an IAM user with full access to its account."""
    principal = Principal.parse(f"arn:{partition}:iam::{account}:user/Administrator")
    return Caller(principal, account, administrator=True)


def session_of(role: str, name: str, *, administrator: bool = False) -> Caller:
    """Return the session of a role.

    Args:
        role: the ARN of the role.
        name: the name of the session.
        administrator: whether it has an identity policy that allows everything.
    """
    _, partition, _, _, account, resource = role.split(":", 5)
    arn = f"arn:{partition}:sts::{account}:assumed-role/{resource.rpartition('/')[2]}/{name}"
    return Caller(Principal.parse(arn, issuer_arn=role), account, administrator=administrator)
