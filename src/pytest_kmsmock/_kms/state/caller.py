"""Who makes a call, and what surrounds the request: what the authorization engine is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
        context: further condition keys of its requests by lower-case name (`aws:sourceip`, `kms:viaservice`, ...).
        key: all that says which policies bear on it, in one text; for caches.
    """

    principal: Principal
    account: str
    administrator: bool = False
    session_policies: tuple[str, ...] = ()
    context: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NOTHING)
    key: str = field(init=False, repr=False, compare=False, default="")

    def __post_init__(self) -> None:
        endpoint = self.context.get("aws:sourcevpce", "")
        key = f"{self.principal.identity}|{self.administrator}|{self.session_policies}|{endpoint}"
        object.__setattr__(self, "key", key)

    @property
    def arn(self) -> str:
        """The ARN that AWS prints as `User:`."""
        return self.principal.arn


def administrator(account: str, partition: str = "aws") -> Caller:
    """Return the caller of tests that do not care who calls: an IAM user with full access to its account."""
    principal = Principal.parse(f"arn:{partition}:iam::{account}:user/Administrator")
    return Caller(principal, account, administrator=True)
