"""Policy evaluation in AWS's order: explicit denials, organization, key and identity policies, grants.

Pure functions of a request and compiled policies. Callers provide policies, grants and condition values.
`decision` has the result, with messages and explanations.

See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html and
https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import TYPE_CHECKING

from pytest_kmsmock._record import Record

from .kinds import PolicyKind
from .patterns import no_context
from .principals import Match, PrincipalKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .patterns import Lookup
    from .policy import Policy
    from .principals import Principal


class ApplicableGrant(Record):
    """A grant that allows a request.

    Attributes:
        id: The grant id.
        match: How its grantee matches the caller.
        account: Id of the issuing account.
    """

    id: str
    match: Match
    account: str


Grants = Callable[[], Iterable[ApplicableGrant]]


def no_grants() -> tuple[()]:
    """Return no grants."""
    return ()


class Origin(Record):
    """The source of a policy in an infrastructure file.

    Attributes:
        file: The name of the file.
        resource: The resource that declares the policy.
        line: Its line; 0 if unknown.
        lines: The line of each statement.
    """

    file: str
    resource: str
    line: int = 0
    lines: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.file}{f':{self.line}' if self.line else ''}, {self.resource}"

    def statement(self, number: int) -> str:
        """Return the line of a statement, by its number from 1; empty if unknown."""
        return f"line {self.lines[number - 1]}" if number <= len(self.lines) and self.lines[number - 1] else ""


#: ARN of a key, user or role -> one of its policy documents -> its origin. The empty string is for the key, user or
#: role itself.
Origins = Mapping[str, Mapping[str, Origin]]

NO_ORIGINS: Origins = {}
NO_HOLDERS: Mapping[str, tuple[str, ...]] = {}


class Request(Record):
    """A request for one action on one resource.

    Attributes:
        principal: The caller.
        action: The permission, such as `kms:ReEncryptFrom`.
        resource: ARN of the key, alias or custom key store; `*` for an action without a resource.
        account: Id of the account that owns the resource; empty for an action without a resource.
        context: Returns the values of a condition key, named in lower case.
        cross_account: Whether the operation supports keys of other accounts.
        from_ciphertext: Whether the key is known only from a ciphertext; AWS's message then omits the key.
        creates_resource: Whether the action creates the resource; AWS's message then omits the resource.
        origins: Sources of policies, for explanations.
        holders: ARN of each user or role -> its attached policies, for explanations.
    """

    principal: Principal
    action: str
    resource: str = "*"
    account: str = ""
    context: Lookup = no_context
    cross_account: bool = True
    from_ciphertext: bool = False
    creates_resource: bool = False
    origins: Origins = NO_ORIGINS
    holders: Mapping[str, tuple[str, ...]] = NO_HOLDERS


class Policies:
    """All policies that apply to a request.

    Attributes:
        key: Key policies: the key's own, and that of AWS RAM if the key is shared. Empty for actions that only
            IAM authorises, such as CreateKey, and for aliases.
        identity: Policies of the user or role, and of the user's groups.
        boundary: Permissions boundary; None if there is none.
        session: Session policies of a role session or federated user; None without session policies.
        service_control: Service control policies of the caller's account, one tuple for each level of the
            organization from the root to the account. At least one at each level must allow the request.
        resource_control: Resource control policies of the account that owns the resource. Only their denials
            count, because AWS attaches one that allows everything at every level.
        vpc_endpoint: Policy of the request's VPC endpoint; None for requests without one, and for endpoints with the
            default policy.
        denying: The policies with Deny statements, in the order in which a denial is reported.
        unconditional: Cache of `evaluate`: (caller, action, account) -> whether the action is allowed unconditionally.
    """

    __slots__ = (
        "boundary", "denying", "identity", "key", "resource_control", "service_control", "session", "unconditional",
        "vpc_endpoint",
    )  # fmt: skip

    def __init__(
        self,
        key: tuple[Policy, ...] = (),
        identity: tuple[Policy, ...] = (),
        boundary: Policy | None = None,
        session: tuple[Policy, ...] | None = None,
        service_control: tuple[tuple[Policy, ...], ...] = (),
        resource_control: tuple[Policy, ...] = (),
        vpc_endpoint: Policy | None = None,
    ) -> None:
        self.key = key
        self.identity = identity
        self.boundary = boundary
        self.session = session
        self.service_control = service_control
        self.resource_control = resource_control
        self.vpc_endpoint = vpc_endpoint
        self.denying = tuple(policy for group in policy_groups(self) for policy in group if policy.has_denials)
        self.unconditional: dict[tuple[str, str, str], bool] = {}

    def allow_unconditionally(self, principal: Principal, action: str, account: str) -> bool | None:
        """Whether the policies allow an action with any resource and context, and without grants.

        That holds for most requests, which then need no evaluation. None if it is not cached yet.

        Args:
            principal: The caller.
            action: The permission.
            account: Id of the account that owns the resource.
        """
        return self.unconditional.get((principal.identity, action, account))


class Denial(Enum):
    """The reason for AccessDenied; the value is the end of AWS's message.

    See https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    """

    IDENTITY_EXPLICIT = "with an explicit deny in an identity-based policy"
    RESOURCE_EXPLICIT = "with an explicit deny in a resource-based policy"
    BOUNDARY_EXPLICIT = "with an explicit deny in a permissions boundary"
    SESSION_EXPLICIT = "with an explicit deny in a session policy"
    SERVICE_CONTROL_EXPLICIT = "with an explicit deny in a service control policy"
    RESOURCE_CONTROL_EXPLICIT = "with an explicit deny in a resource control policy"
    VPC_ENDPOINT_EXPLICIT = "with an explicit deny in a VPC endpoint policy"
    IDENTITY = "because no identity-based policy allows the {action} action"
    RESOURCE = "because no resource-based policy allows the {action} action"
    BOUNDARY = "because no permissions boundary allows the {action} action"
    SESSION = "because no session policy allows the {action} action"
    SERVICE_CONTROL = "because no service control policy allows the {action} action"
    VPC_ENDPOINT = "because no VPC endpoint policy allows the {action} action"
    OTHER_ACCOUNT = (
        "because the resource does not exist in this Region, no resource-based policies allow access, or a "
        "resource-based policy explicitly denies access"
    )


# AWS calls key policies resource-based.
_EXPLICIT = {kind: Denial[f"{'RESOURCE' if kind is PolicyKind.KEY else kind.name}_EXPLICIT"] for kind in PolicyKind}


def policy_groups(policies: Policies) -> Iterator[tuple[Policy, ...]]:
    """Yield all policies, in the order in which a denial is reported."""
    yield from policies.service_control
    yield policies.resource_control
    if policies.vpc_endpoint is not None:
        yield (policies.vpc_endpoint,)
    yield policies.key
    yield policies.identity
    if policies.boundary is not None:
        yield (policies.boundary,)
    yield policies.session or ()


def explicit_denial(request: Request, policies: Policies) -> Denial | None:
    for policy in policies.denying:
        if denies(policy, request, policies):
            if policy.kind is PolicyKind.KEY and (is_cross_account(request) or request.principal.is_service):
                return Denial.OTHER_ACCOUNT
            return _EXPLICIT[policy.kind]
    return None


def denies(policy: Policy, request: Request, policies: Policies) -> bool:
    # "The NotPrincipal element with a Deny effect will always deny any IAM principal that has a permissions boundary".
    return policy.denies(request.principal, request.action, request.resource, request.context) or (
        policies.boundary is not None
        and policy.denies_ignoring_not_principal(request.action, request.resource, request.context)
    )


def is_cross_account(request: Request) -> bool:
    """Whether the caller's account differs from the resource's. AWS services do not belong to an account."""
    principal = request.principal
    return request.account != principal.account and bool(request.account) and not principal.is_service


def _closest_allow(request: Request, policies: tuple[Policy, ...]) -> Match:
    """Return the closest match among the statements that allow the request."""
    closest = Match.NONE
    for policy in policies:
        match = policy.allows(request.principal, request.action, request.resource, request.context)
        if match > closest:
            closest = match
    return closest


def implicit_denial(request: Request, policies: Policies, grants: Grants) -> Denial | None:
    for level in policies.service_control:
        if not _closest_allow(request, level):
            return Denial.SERVICE_CONTROL
    if policies.vpc_endpoint is not None and not _closest_allow(request, (policies.vpc_endpoint,)):
        return Denial.VPC_ENDPOINT
    if not policies.key:
        return _by_identity(request, policies)
    if is_cross_account(request) and not request.cross_account:
        return Denial.OTHER_ACCOUNT
    denial = _by_key_policy(request, policies)
    if denial is None:
        return None
    first = None
    for grant in grants():  # there may be thousands
        by_grant = evaluate_grant(request, policies, grant)
        if by_grant is None:
            return None
        first = first or by_grant
    return first or denial


def _by_key_policy(request: Request, policies: Policies) -> Denial | None:
    """Decide by the key policy, and by the caller's policies if the key policy delegates to them.

    For cross-account access both must allow the request:
    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
    """
    match = _closest_allow(request, policies.key)
    if is_cross_account(request):
        return _by_identity(request, policies) if match else Denial.OTHER_ACCOUNT
    if match is Match.NONE:
        # Services get the message for other accounts, since they belong to none. Captured from AWS KMS, 2026-09.
        return Denial.OTHER_ACCOUNT if request.principal.is_service else Denial.RESOURCE
    if match is Match.DIRECT:
        return None
    return _limits(request, policies) if match is Match.ISSUER else _by_identity(request, policies)


def evaluate_grant(request: Request, policies: Policies, grant: ApplicableGrant) -> Denial | None:
    """Decide on a request that a grant allows, by the policies that must allow it as well.

    Captured from AWS KMS, 2026-09: a grant issued by the caller's own account suffices; if the grantee is a role, its
    permissions boundary and session policies must allow the request. A grant issued by another account also needs an
    identity-based policy; if the grantee is the session itself, AWS reports that one instead of a session policy.
    """
    if grant.match is Match.ACCOUNT:
        return _by_identity(request, policies)
    if is_cross_account(request) and grant.account != request.principal.account:
        denial = _by_identity(request, policies)
        return Denial.IDENTITY if denial is Denial.SESSION and grant.match is Match.DIRECT else denial
    return _limits(request, policies) if grant.match is Match.ISSUER else None


def _by_identity(request: Request, policies: Policies) -> Denial | None:
    """Decide by the caller's policies; the root user needs no identity-based policy."""
    if request.principal.kind is not PrincipalKind.ROOT and not _closest_allow(request, policies.identity):
        return Denial.IDENTITY
    return _limits(request, policies)


def _limits(request: Request, policies: Policies) -> Denial | None:
    """Decide by the caller's permissions boundary and session policies."""
    if policies.boundary is not None and not _closest_allow(request, (policies.boundary,)):
        return Denial.BOUNDARY
    if policies.session is not None and not _closest_allow(request, policies.session):
        return Denial.SESSION
    return None
