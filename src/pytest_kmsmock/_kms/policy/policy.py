"""A compiled policy, and what it says about a request.

A policy is compiled once for each text, and remembers which of its statements are about a caller and an
action: what remains to be checked at a call are the statements that depend on its resource or context.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from .documents import parse_document
from .kinds import PolicyKind
from .principals import Match

if TYPE_CHECKING:
    from .patterns import Lookup
    from .principals import Principal, PrincipalElement
    from .statements import Statement

_PLANS_KEPT = 1024
"""How many pairs of caller and action a policy remembers."""


class _Plan(NamedTuple):
    """What a policy says about a caller and an action, and what depends on resource and context.

    Attributes:
        denied: Whether a statement denies that depends on neither.
        denies: Statements to check that can deny.
        allowed: How closely the closest statement names the caller that allows and depends on neither.
        allows: Allowing statements to check, closest first; only those that would be closer than that.
    """

    denied: bool
    denies: tuple[Statement, ...]
    allowed: Match
    allows: tuple[tuple[Match, Statement], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """One compiled policy document.

    Attributes:
        text: The document.
        kind: What it is used as.
        statements: Its statements, in order.
    """

    text: str = field(repr=False)
    kind: PolicyKind
    statements: tuple[Statement, ...]
    _plans: dict[tuple[str, str], _Plan] = field(default_factory=dict, repr=False)

    @property
    def has_denials(self) -> bool:
        """Whether any of its statements can deny a request."""
        return any(statement.may_deny for statement in self.statements)

    @property
    def exempts(self) -> bool:
        """Whether any of its statements denies everyone but some."""
        return any(statement.exempts for statement in self.statements)

    @property
    def principals(self) -> frozenset[str]:
        """ARNs of the users, roles and sessions that its Principal elements name; accounts are not among them."""
        return frozenset(arn for element in self._elements for arn in element.arns if arn != "*")

    @property
    def partitions(self) -> frozenset[str]:
        """Partitions of the ARNs that its Principal elements name."""
        return frozenset(partition for element in self._elements for partition in element.partitions)

    @property
    def _elements(self) -> list[PrincipalElement]:
        return [statement.principal for statement in self.statements if statement.principal is not None]

    def denies(self, principal: Principal, action: str, resource: str, lookup: Lookup) -> bool:
        """Say whether a statement denies a request.

        Args:
            principal: The caller.
            action: The action, such as `kms:Encrypt`.
            resource: ARN of the resource, or `*` for an action that has none.
            lookup: The values of the request's condition keys; asked only for the keys that decide.
        """
        plan = self._plans.get((principal.identity, action)) or self._plan(principal, action)
        return plan.denied or any(statement.denies(resource, lookup) for statement in plan.denies)

    def denies_in_spite(self, action: str, resource: str, lookup: Lookup) -> bool:
        """Say whether a statement denies a request that exempts callers, whoever calls.

        Args:
            action: The action, such as `kms:Encrypt`.
            resource: ARN of the resource, or `*` for an action that has none.
            lookup: The values of the request's condition keys.
        """
        return any(each.exempts and each.covers(action) and each.denies(resource, lookup) for each in self.statements)

    def allows(self, principal: Principal, action: str, resource: str, lookup: Lookup) -> Match:
        """Say how closely the closest statement that allows a request names the caller; NONE if none allows.

        Args:
            principal: The caller.
            action: The action, such as `kms:Encrypt`.
            resource: ARN of the resource, or `*` for an action that has none.
            lookup: The values of the request's condition keys; asked only for the keys that decide.
        """
        plan = self._plans.get((principal.identity, action)) or self._plan(principal, action)
        for match, statement in plan.allows:
            if statement.holds(resource, lookup):
                return match
        return plan.allowed

    def settles(self, principal: Principal, action: str) -> bool:
        """Say whether no statement about a caller and an action denies, or depends on the resource or the context."""
        plan = self._plans.get((principal.identity, action)) or self._plan(principal, action)
        return not plan.denies and not plan.allows

    def _plan(self, principal: Principal, action: str) -> _Plan:
        about = [(statement.match(principal, action), statement) for statement in self.statements]
        denies = tuple(statement for match, statement in about if match and statement.may_deny)
        allows = [(match, statement) for match, statement in about if match and not statement.deny]
        sure = max((match for match, statement in allows if statement.unconditional), default=Match.NONE)
        closer = sorted((pair for pair in allows if pair[0] > sure), key=lambda pair: -pair[0])
        denied = any(statement.deny and statement.unconditional for statement in denies)
        plan = _Plan(denied, denies, sure, tuple(closer))
        if len(self._plans) >= _PLANS_KEPT:
            self._plans.clear()
        self._plans[principal.identity, action] = plan
        return plan


@lru_cache(maxsize=1024)
def compile_policy(text: str, kind: PolicyKind = PolicyKind.KEY) -> Policy:
    """Compile a policy document; the same text is compiled once.

    Args:
        text: The document, in JSON.
        kind: What it is to be used as.

    Returns:
        The compiled policy.

    Raises:
        MalformedPolicy: If AWS would refuse it.
    """
    return Policy(text, kind, parse_document(text, kind))
