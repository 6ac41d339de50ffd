"""The evaluation of a request: AWS's order of explicit denials, organization, key and identity policies, and grants.

Pure functions of compiled policies and a request. Where policies, grants and condition values come from, and
which requests an operation makes, is for the caller. What is made of it is in `decision`.

See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html and
https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from .kinds import PolicyKind
from .patterns import no_context
from .principals import Match, PrincipalKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .patterns import Lookup
    from .policy import Policy
    from .principals import Principal


class Granted(NamedTuple):
    """A grant that gives a caller a permission.

    Attributes:
        id: The grant id.
        named: How closely it names the caller.
        account: Id of the account that gave it.
    """

    id: str
    named: Match
    account: str


Grants = Callable[[], Iterable[Granted]]


def no_grants() -> tuple[()]:
    """Return the grants of who has none."""
    return ()


class Origin(NamedTuple):
    """Where a policy comes from.

    Attributes:
        file: The name of the file.
        resource: The resource in it that declares the policy.
        line: Its line; 0 if the file has no lines to speak of.
        lines: The line of each statement.
    """

    file: str
    resource: str
    line: int = 0
    lines: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.file}{f':{self.line}' if self.line else ''}, {self.resource}"

    def statement(self, number: int) -> str:
        """Say where a statement is, by its number from 1."""
        return f"line {self.lines[number - 1]}" if number <= len(self.lines) and self.lines[number - 1] else ""


#: ARN of a key, a user or a role -> text of one of its policies -> where that is written. The empty text stands for the
#: key, user or role itself.
Origins = Mapping[str, Mapping[str, Origin]]

NO_ORIGINS: Origins = {}


class Request(NamedTuple):
    """What is asked for: one action on one resource.

    Attributes:
        principal: The caller.
        action: The permission, such as `kms:ReEncryptFrom`.
        resource: ARN of the key, alias or custom key store; `*` for an action without a resource.
        account: Id of the account that owns the resource; empty for an action without a resource.
        context: Gives the values of a condition key, named in lower case.
        cross_account: Whether the operation works on keys of other accounts at all.
        from_ciphertext: Whether the key is known only from a ciphertext; then AWS's text does not name it.
        unnamed: Whether the resource is yet to be made; then AWS's text is about none.
        origins: Where policies are written, for explanations.
    """

    principal: Principal
    action: str
    resource: str = "*"
    account: str = ""
    context: Lookup = no_context
    cross_account: bool = True
    from_ciphertext: bool = False
    unnamed: bool = False
    origins: Origins = NO_ORIGINS


@dataclass(frozen=True, slots=True)
class Policies:
    """All policies that bear on a request.

    Attributes:
        key: Key policies: the default one, and one of RAM if the key is shared. Empty for actions that only
            IAM authorises, such as CreateKey, and for aliases.
        identity: Policies of the user or role, and of the user's groups.
        boundary: Permissions boundary; None if there is none.
        session: Session policies of a role session or federated user; None if none was passed.
        service_control: Service control policies of the caller's account, one tuple for each level of the
            organization from the root to the account. At each level at least one must allow.
        resource_control: Resource control policies of the account that owns the resource. Only their denials
            count, because AWS attaches one that allows everything at every level.
        vpc_endpoint: Policy of the VPC endpoint through which the request comes; None if it comes through
            none, or the endpoint has no policy of its own.
        denying: Those of all these that have a statement that denies, in the order in which a denial is reported.
        outright: Caller, action and account -> whether they allow it outright, as far as `evaluate` was asked.
    """

    key: tuple[Policy, ...] = ()
    identity: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    session: tuple[Policy, ...] | None = None
    service_control: tuple[tuple[Policy, ...], ...] = ()
    resource_control: tuple[Policy, ...] = ()
    vpc_endpoint: Policy | None = None
    denying: tuple[Policy, ...] = field(init=False, repr=False, compare=False)
    outright: dict[tuple[str, str, str], bool] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        denying = tuple(policy for group in groups(self) for policy in group if policy.has_denials)
        object.__setattr__(self, "denying", denying)

    def allow_outright(self, principal: Principal, action: str, account: str) -> bool | None:
        """Say whether these policies allow an action whatever the resource, the context and the grants.

        Most requests are of this kind, and need no second thought. None if nobody has worked it out.

        Args:
            principal: The caller.
            action: The permission.
            account: Id of the account that owns the resource.
        """
        return self.outright.get((principal.identity, action, account))


class Denial(Enum):
    """Why a request was refused; the value is the end of AWS's text.

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


# AWS calls the policy of a key resource-based.
_EXPLICIT = {kind: Denial[f"{'RESOURCE' if kind is PolicyKind.KEY else kind.name}_EXPLICIT"] for kind in PolicyKind}


def groups(policies: Policies) -> Iterator[tuple[Policy, ...]]:
    """List all policies, in the order in which a denial is reported."""
    yield from policies.service_control
    yield policies.resource_control
    if policies.vpc_endpoint is not None:
        yield (policies.vpc_endpoint,)
    yield policies.key
    yield policies.identity
    if policies.boundary is not None:
        yield (policies.boundary,)
    yield policies.session or ()


def explicit(request: Request, policies: Policies) -> Denial | None:
    for policy in policies.denying:
        if denies(policy, request, policies):
            if policy.kind is PolicyKind.KEY and (is_foreign(request) or request.principal.is_service):
                return Denial.OTHER_ACCOUNT
            return _EXPLICIT[policy.kind]
    return None


def denies(policy: Policy, request: Request, policies: Policies) -> bool:
    # "The NotPrincipal element with a Deny effect will always deny any IAM principal that has a permissions boundary".
    return policy.denies(request.principal, request.action, request.resource, request.context) or (
        policies.boundary is not None and policy.denies_in_spite(request.action, request.resource, request.context)
    )


def is_foreign(request: Request) -> bool:
    """Say whether the caller belongs to another account than the resource. A service belongs to none."""
    principal = request.principal
    return request.account != principal.account and bool(request.account) and not principal.is_service


def _allow(request: Request, policies: tuple[Policy, ...]) -> Match:
    """Say how closely policies name the caller in what allows the request."""
    closest = Match.NONE
    for policy in policies:
        match = policy.allows(request.principal, request.action, request.resource, request.context)
        if match > closest:
            closest = match
    return closest


def implicit(request: Request, policies: Policies, grants: Grants) -> Denial | None:
    for level in policies.service_control:
        if not _allow(request, level):
            return Denial.SERVICE_CONTROL
    if policies.vpc_endpoint is not None and not _allow(request, (policies.vpc_endpoint,)):
        return Denial.VPC_ENDPOINT
    if not policies.key:
        return _by_identity(request, policies)
    if is_foreign(request) and not request.cross_account:
        return Denial.OTHER_ACCOUNT
    denial = _by_key_policy(request, policies)
    if denial is None:
        return None
    lacking = None
    for granted in grants():  # which may be thousands
        refused = by_grant(request, policies, granted)
        if refused is None:
            return None
        lacking = lacking or refused
    return lacking or denial


def _by_key_policy(request: Request, policies: Policies) -> Denial | None:
    """Decide by the key policy, and by the caller's policies as far as it leaves that to them.

    On a key of another account both must allow:
    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
    """
    named = _allow(request, policies.key)
    if is_foreign(request):
        return _by_identity(request, policies) if named else Denial.OTHER_ACCOUNT
    if named is Match.NONE:
        # A service belongs to no account, so it is told no more than a stranger. Captured from AWS KMS, 2026-09.
        return Denial.OTHER_ACCOUNT if request.principal.is_service else Denial.RESOURCE
    if named is Match.DIRECT:
        return None
    return _limits(request, policies) if named is Match.ISSUER else _by_identity(request, policies)


def by_grant(request: Request, policies: Policies, granted: Granted) -> Denial | None:
    """Decide on a request that a grant allows: by what else must, given how it names the caller and who gave it.

    Captured from AWS KMS, 2026-09: a grant that the caller's own account gave is good by itself; of a grant for a role,
    a permissions boundary and session policies must allow what it gives. Any other account's grant needs identity
    policies beside it, and what is lacking in a session policy is said to be lacking there if the session is named.
    """
    if granted.named is Match.ACCOUNT:
        return _by_identity(request, policies)
    if is_foreign(request) and granted.account != request.principal.account:
        denial = _by_identity(request, policies)
        return Denial.IDENTITY if denial is Denial.SESSION and granted.named is Match.DIRECT else denial
    return _limits(request, policies) if granted.named is Match.ISSUER else None


def _by_identity(request: Request, policies: Policies) -> Denial | None:
    """Decide by the policies of the caller; the root user needs none."""
    if request.principal.kind is not PrincipalKind.ROOT and not _allow(request, policies.identity):
        return Denial.IDENTITY
    return _limits(request, policies)


def _limits(request: Request, policies: Policies) -> Denial | None:
    """Decide by what limits the policies of the caller."""
    if policies.boundary is not None and not _allow(request, (policies.boundary,)):
        return Denial.BOUNDARY
    if policies.session is not None and not _allow(request, policies.session):
        return Denial.SESSION
    return None
