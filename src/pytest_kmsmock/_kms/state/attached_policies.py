"""What IAM and AWS Organizations know: policies of principals, of accounts and of VPC endpoints. KMS only asks.

All of it belongs to the test author, who changes it through `kms.iam` (`_testing.identity.iam_console`). Policies are
kept as texts, so that nested scopes copy and dumps write them; compiling a text twice costs a look-up.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_kmsmock._kms.policy.evaluation import Origin, Policies
from pytest_kmsmock._kms.policy.kinds import PolicyKind
from pytest_kmsmock._kms.policy.policy import Policy, compile_policy
from pytest_kmsmock._kms.policy.principals import PrincipalKind

if TYPE_CHECKING:
    from pytest_kmsmock._kms.policy.principals import Principal

    from .caller import Caller

#: AWS's managed policy `AdministratorAccess`, and as a service control policy `FullAWSAccess`.
FULL_ACCESS = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
#: How many combinations of caller, owner and key policy are remembered.
_KEPT = 4096
_ADMINISTRATOR = (compile_policy(FULL_ACCESS, PolicyKind.IDENTITY),)


class Iam:
    """The policies that are attached, by what they are attached to.

    The types of the attributes are what dumps go by (`_testing.dumps.dump`).
    """

    __slots__ = (
        "_compiled", "boundaries", "identity", "missing", "origins", "resource_control", "service_control", "tags",
        "vpc_endpoints",
    )  # fmt: skip

    identity: dict[str, tuple[str, ...]]  # ARN of a user or role -> its policies
    boundaries: dict[str, str]  # ARN of a user or role -> its permissions boundary
    service_control: dict[str, tuple[tuple[str, ...], ...]]  # account -> level of the organization -> its policies
    resource_control: dict[str, tuple[str, ...]]  # account -> its policies
    vpc_endpoints: dict[str, str]  # id of a VPC endpoint -> its policy
    missing: frozenset[str]  # ARNs that no principal has
    origins: dict[str, dict[str, Origin]]  # ARN of a key, user or role -> policy -> where it is written; as `Origins`
    tags: dict[str, dict[str, str]]  # ARN of a user or role -> its tags
    _compiled: dict[tuple[str, str, Policy | None], Policies]

    def __init__(self) -> None:
        self.identity = {}
        self.boundaries = {}
        self.service_control = {}
        self.resource_control = {}
        self.vpc_endpoints = {}
        self.missing = frozenset()
        self.origins = {}
        self.tags = {}
        self._compiled = {}

    def copy(self) -> Iam:
        """Return a copy of its own."""
        clone = Iam()
        clone.identity = self.identity.copy()
        clone.boundaries = self.boundaries.copy()
        clone.service_control = self.service_control.copy()
        clone.resource_control = self.resource_control.copy()
        clone.vpc_endpoints = self.vpc_endpoints.copy()
        clone.missing = self.missing
        clone.origins, clone.tags = self.origins, self.tags
        return clone

    def lacks(self, principal: Principal) -> bool:
        """Say whether the test says that there is no such principal, or that the role of a session does not exist."""
        gone = self.missing
        if not gone or principal.kind is not PrincipalKind.ASSUMED_ROLE:
            return principal.arn in gone
        # A session ARN leaves out the path of its role.
        role = str(principal.issuer_arn)
        start, _, name = role.partition("role/")
        return any(
            arn == principal.arn or (arn.startswith(f"{start}role/") and arn.endswith(f"/{name}")) for arn in gone
        )

    def tagged(self, caller: Caller) -> Caller:
        """Return a caller with the tags of its user or role; those of its session take precedence."""
        own = self.tags.get(policy_holder(caller.principal))
        if not own:
            return caller
        tags = tuple((own | dict(caller.principal.tags)).items())
        return replace(caller, principal=replace(caller.principal, tags=tags))

    def changed(self) -> None:
        """Forget what was worked out: a policy was attached or detached."""
        self._compiled.clear()

    def policies(self, caller: Caller, owner: str, key_policy: Policy | None = None) -> Policies:
        """Return all policies that bear on a caller's requests.

        Args:
            caller: who calls.
            owner: the account whose resource control policies protect the resource; empty if none do.
            key_policy: the key policy, if the resource is a key.
        """
        place = (caller.key, owner, key_policy)
        known = self._compiled.get(place)
        if known is None:
            if len(self._compiled) >= _KEPT:
                self._compiled.clear()
            known = self._compiled[place] = self._gather(caller, owner, key_policy)
        return known

    def _gather(self, caller: Caller, owner: str, key_policy: Policy | None) -> Policies:
        principal = caller.principal
        holder = policy_holder(principal)
        attached = _compiled((*self.identity.get(holder, ()), *caller.identity_policies), PolicyKind.IDENTITY)
        boundary = self.boundaries.get(holder, caller.boundary)
        levels = self.service_control.get(principal.account, ()) if _has_service_control(principal) else ()
        endpoint = next(iter(caller.context.get("aws:sourcevpce", ())), None)
        endpoint_policy = None if endpoint is None else self.vpc_endpoints.get(endpoint)
        return Policies(
            key=() if key_policy is None else (key_policy,),
            identity=(*_ADMINISTRATOR, *attached) if caller.administrator else attached,
            boundary=None if boundary is None else compile_policy(boundary, PolicyKind.BOUNDARY),
            session=_session(caller),
            service_control=tuple(_compiled(level, PolicyKind.SERVICE_CONTROL) for level in levels),
            resource_control=_compiled(
                () if _is_service_linked(principal) else self.resource_control.get(owner, ()),
                PolicyKind.RESOURCE_CONTROL,
            ),
            vpc_endpoint=None if endpoint_policy is None else compile_policy(endpoint_policy, PolicyKind.VPC_ENDPOINT),
        )


def policy_holder(principal: Principal) -> str:
    """Return the ARN of what a principal's policies are attached to: of a session, its role; else its own."""
    return principal.issuer_arn or principal.arn


def _session(caller: Caller) -> tuple[Policy, ...] | None:
    # "The resulting federated user session has no permissions" without a session policy:
    # https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
    if not caller.session_policies and caller.principal.kind is not PrincipalKind.FEDERATED_USER:
        return None
    return _compiled(caller.session_policies, PolicyKind.SESSION)


def _has_service_control(principal: Principal) -> bool:
    """Say whether service control policies concern a principal: not services, nor service-linked roles."""
    return not principal.is_service and not _is_service_linked(principal)


def _is_service_linked(principal: Principal) -> bool:
    """Say whether a principal is a service-linked role, which no policy of an organization restricts."""
    return ":role/aws-service-role/" in policy_holder(principal)


def _compiled(texts: tuple[str, ...], kind: PolicyKind) -> tuple[Policy, ...]:
    return tuple(compile_policy(text, kind) for text in texts)
