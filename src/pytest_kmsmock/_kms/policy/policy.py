"""A compiled policy, and its evaluation for a request.

Each document is compiled once. A policy caches, per caller and action, which statements apply: a call only evaluates
the statements that depend on its resource or context.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_kmsmock._record import Record

from .documents import parse_document
from .kinds import PolicyKind
from .principals import Match

if TYPE_CHECKING:
    from .patterns import Lookup
    from .principals import Principal, PrincipalElement
    from .statements import Statement

_MAX_PLANS = 1024
"""Maximum number of cached (caller, action) pairs per policy."""


class _Plan(Record):
    """A policy's statements for a caller and an action.

    Attributes:
        denied: Whether a statement denies unconditionally.
        denies: Statements that can deny, to evaluate per request.
        allowed: The closest match of the statements that allow unconditionally.
        allows: Closer statements that allow depending on resource or context, closest first.
    """

    denied: bool
    denies: tuple[Statement, ...]
    allowed: Match
    allows: tuple[tuple[Match, Statement], ...]


class Policy:
    """One compiled policy document.

    Attributes:
        text: The document.
        kind: The kind of policy.
        statements: Its statements, in order.
    """

    __slots__ = ("_plans", "kind", "statements", "text")

    def __init__(self, text: str, kind: PolicyKind, statements: tuple[Statement, ...]) -> None:
        self.text = text
        self.kind = kind
        self.statements = statements
        self._plans: dict[tuple[str, str], _Plan] = {}

    @property
    def has_denials(self) -> bool:
        """Whether any of its statements can deny a request."""
        return any(statement.may_deny for statement in self.statements)

    @property
    def denies_by_not_principal(self) -> bool:
        """Whether any of its statements denies everyone except those listed in NotPrincipal."""
        return any(statement.denies_by_not_principal for statement in self.statements)

    @property
    def principals(self) -> frozenset[str]:
        """ARNs of the users, roles and sessions in its Principal elements, without accounts."""
        return frozenset(arn for element in self._elements for arn in element.arns if arn != "*")

    @property
    def partitions(self) -> frozenset[str]:
        """Partitions of the ARNs in its Principal elements."""
        return frozenset(partition for element in self._elements for partition in element.partitions)

    @property
    def _elements(self) -> list[PrincipalElement]:
        return [statement.principal for statement in self.statements if statement.principal is not None]

    def denies(self, principal: Principal, action: str, resource: str, lookup: Lookup) -> bool:
        """Whether a statement denies a request.

        Args:
            principal: The caller.
            action: The action, such as `kms:Encrypt`.
            resource: ARN of the resource; `*` for an action without a resource.
            lookup: The values of the request's condition keys; called only for the keys that are needed.
        """
        plan = self._plans.get((principal.identity, action)) or self._plan(principal, action)
        return plan.denied or any(statement.denies(resource, lookup) for statement in plan.denies)

    def denies_ignoring_not_principal(self, action: str, resource: str, lookup: Lookup) -> bool:
        """Whether a statement with NotPrincipal denies a request, even if it lists the caller.

        Args:
            action: The action, such as `kms:Encrypt`.
            resource: ARN of the resource; `*` for an action without a resource.
            lookup: The values of the request's condition keys.
        """
        return any(
            each.denies_by_not_principal and each.covers(action) and each.denies(resource, lookup)
            for each in self.statements
        )

    def allows(self, principal: Principal, action: str, resource: str, lookup: Lookup) -> Match:
        """Return the closest match among the statements that allow a request; NONE if no statement allows it.

        Args:
            principal: The caller.
            action: The action, such as `kms:Encrypt`.
            resource: ARN of the resource; `*` for an action without a resource.
            lookup: The values of the request's condition keys; called only for the keys that are needed.
        """
        plan = self._plans.get((principal.identity, action)) or self._plan(principal, action)
        for match, statement in plan.allows:
            if statement.holds(resource, lookup):
                return match
        return plan.allowed

    def is_unconditional(self, principal: Principal, action: str) -> bool:
        """Whether the result for a caller and an action never depends on resource or context, and is not a denial."""
        plan = self._plans.get((principal.identity, action)) or self._plan(principal, action)
        return not plan.denies and not plan.allows

    def _plan(self, principal: Principal, action: str) -> _Plan:
        matches = [(statement.match(principal, action), statement) for statement in self.statements]
        denies = tuple(statement for match, statement in matches if match and statement.may_deny)
        allows = [(match, statement) for match, statement in matches if match and not statement.deny]
        allowed = max((match for match, statement in allows if statement.unconditional), default=Match.NONE)
        closer = sorted((pair for pair in allows if pair[0] > allowed), key=lambda pair: -pair[0])
        denied = any(statement.deny and statement.unconditional for statement in denies)
        plan = _Plan(denied, denies, allowed, tuple(closer))
        if len(self._plans) >= _MAX_PLANS:
            self._plans.clear()
        self._plans[principal.identity, action] = plan
        return plan


@lru_cache(maxsize=1024)
def compile_policy(text: str, kind: PolicyKind = PolicyKind.KEY) -> Policy:
    """Compile a policy document; results are cached.

    Args:
        text: The JSON document.
        kind: The kind of policy.

    Raises:
        MalformedPolicy: If AWS rejects the document.
    """
    return Policy(text, kind, parse_document(text, kind))
