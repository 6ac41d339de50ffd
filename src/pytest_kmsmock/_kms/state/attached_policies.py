"""Policies outside of KMS: those of IAM principals, AWS Organizations and VPC endpoints.

Tests change them through `kms.iam` (`_testing.identity.iam_console`). Policies are stored as strings, for copies and
dumps; compiled policies are cached.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
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
#: Maximum number of cached combinations of caller, owner and key policy.
_MAX_CACHED = 4096
_ADMINISTRATOR = (compile_policy(FULL_ACCESS, PolicyKind.IDENTITY),)
#: Returns the same object for the same policies, in all mocks: it caches what they allow unconditionally, which is the
#: same in each test that uses default key policies.
_combined = lru_cache(maxsize=_MAX_CACHED)(Policies)


class Iam:
    """Attached policies.

    Dumps follow the names and types of the attributes (`_testing.dumps.dump`).
    """

    __slots__ = (
        "_compiled", "boundaries", "identity", "missing", "origins", "resource_control", "service_control", "tags",
        "vpc_endpoints",
    )  # fmt: skip

    identity: dict[str, tuple[str, ...]]  # ARN of a user or role -> its policies
    boundaries: dict[str, str]  # ARN of a user or role -> its permissions boundary
    service_control: dict[str, tuple[tuple[str, ...], ...]]  # account -> policies of each level of the organization
    resource_control: dict[str, tuple[str, ...]]  # account -> its policies
    vpc_endpoints: dict[str, str]  # id of a VPC endpoint -> its policy
    missing: frozenset[str]  # ARNs of principals that do not exist
    origins: dict[str, dict[str, Origin]]  # ARN of a key, user or role -> policy -> its file; see `Origins`
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
        """Return an independent copy."""
        clone = Iam()
        clone.identity = self.identity.copy()
        clone.boundaries = self.boundaries.copy()
        clone.service_control = self.service_control.copy()
        clone.resource_control = self.resource_control.copy()
        clone.vpc_endpoints = self.vpc_endpoints.copy()
        clone.missing = self.missing
        clone.origins, clone.tags = self.origins, self.tags
        return clone

    def is_missing(self, principal: Principal) -> bool:
        """Whether a principal, or the role of a session, does not exist according to the test."""
        missing = self.missing
        if not missing or principal.kind is not PrincipalKind.ASSUMED_ROLE:
            return principal.arn in missing
        # A session ARN omits the path of its role.
        role = str(principal.issuer_arn)
        start, _, name = role.partition("role/")
        return any(
            arn == principal.arn or (arn.startswith(f"{start}role/") and arn.endswith(f"/{name}")) for arn in missing
        )

    def with_tags(self, caller: Caller) -> Caller:
        """Return a caller with the tags of its user or role; those of its session take precedence."""
        own = self.tags.get(policy_holder(caller.principal))
        if not own:
            return caller
        tags = tuple((own | dict(caller.principal.tags)).items())
        return replace(caller, principal=caller.principal._replace(tags=tags))

    def clear_cache(self) -> None:
        """Clear the cache, after a policy was attached or detached."""
        self._compiled.clear()

    def policies(self, caller: Caller, owner: str, key_policy: Policy | None = None) -> Policies:
        """Return all policies that apply to a caller's requests.

        Args:
            caller: the caller.
            owner: the account whose resource control policies apply to the resource; empty without such policies.
            key_policy: the key policy, if the resource is a key.
        """
        cache_key = (caller.key, owner, key_policy)
        cached = self._compiled.get(cache_key)
        if cached is None:
            if len(self._compiled) >= _MAX_CACHED:
                self._compiled.clear()
            cached = self._compiled[cache_key] = self._collect(caller, owner, key_policy)
        return cached

    def _collect(self, caller: Caller, owner: str, key_policy: Policy | None) -> Policies:
        principal = caller.principal
        holder = policy_holder(principal)
        attached = _compiled((*self.identity.get(holder, ()), *caller.identity_policies), PolicyKind.IDENTITY)
        boundary = self.boundaries.get(holder, caller.boundary)
        levels = self.service_control.get(principal.account, ()) if _has_service_control(principal) else ()
        endpoint_policy = self.vpc_endpoints.get(caller.vpc_endpoint or "")
        return _combined(
            key=() if key_policy is None else (key_policy,),
            identity=(*_ADMINISTRATOR, *attached) if caller.administrator else attached,
            boundary=None if boundary is None else compile_policy(boundary, PolicyKind.BOUNDARY),
            session=_session_policies(caller),
            service_control=tuple(_compiled(level, PolicyKind.SERVICE_CONTROL) for level in levels),
            resource_control=_compiled(
                () if _is_service_linked(principal) else self.resource_control.get(owner, ()),
                PolicyKind.RESOURCE_CONTROL,
            ),
            vpc_endpoint=None if endpoint_policy is None else compile_policy(endpoint_policy, PolicyKind.VPC_ENDPOINT),
        )


def policy_holder(principal: Principal) -> str:
    """Return the ARN that a principal's policies are attached to: a session's role, or the principal itself."""
    return principal.issuer_arn or principal.arn


def _session_policies(caller: Caller) -> tuple[Policy, ...] | None:
    # "The resulting federated user session has no permissions" without a session policy:
    # https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
    if not caller.session_policies and caller.principal.kind is not PrincipalKind.FEDERATED_USER:
        return None
    return _compiled(caller.session_policies, PolicyKind.SESSION)


def _has_service_control(principal: Principal) -> bool:
    """Whether service control policies apply to a principal: not to services and service-linked roles."""
    return not principal.is_service and not _is_service_linked(principal)


def _is_service_linked(principal: Principal) -> bool:
    """Whether a principal is a service-linked role, to which an organization's policies do not apply."""
    return ":role/aws-service-role/" in policy_holder(principal)


def _compiled(documents: tuple[str, ...], kind: PolicyKind) -> tuple[Policy, ...]:
    return tuple(compile_policy(text, kind) for text in documents)
