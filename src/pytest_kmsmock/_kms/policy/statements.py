"""A compiled statement of a policy, and whether it applies to a request.

How statements are read from a document is in `documents`; what several of them decide together is in `policy` and
`decision`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .patterns import constant, matcher, no_context, parse_template, resolve
from .principals import Match

if TYPE_CHECKING:
    from .conditions import Condition
    from .patterns import Lookup, Matcher, Template
    from .principals import Principal, PrincipalElement


@dataclass(frozen=True, slots=True)
class Texts:
    """An Action, NotAction, Resource or NotResource element.

    Attributes:
        name: The name of the element.
        texts: Its entries as the policy writes them.
        fixed: Matchers of the entries without variables.
        templates: The entries with variables.
        negated: Whether it is NotAction or NotResource.
        universal: Whether it matches everything, so that nobody needs to ask.
    """

    name: str
    texts: tuple[str, ...]
    fixed: tuple[Matcher, ...]
    templates: tuple[Template, ...]
    negated: bool
    universal: bool

    @classmethod
    def compile(cls, name: str, texts: tuple[str, ...], *, variables: bool, fold: bool) -> Texts:
        """Compile the entries of an element.

        Args:
            name: The name of the element.
            texts: Its entries.
            variables: Whether `${…}` is a variable in them.
            fold: Whether to fold their case; then `matches` wants lower case too.
        """
        templates = [parse_template(text.lower() if fold else text, variables=variables) for text in texts]
        constants = [constant(template) for template in templates]
        fixed = tuple(matcher(pattern) for pattern in constants if pattern is not None)
        varying = tuple(template for template in templates if constant(template) is None)
        negated = name.startswith("Not")
        return cls(name, texts, fixed, varying, negated, "*" in texts and not negated)

    def matches(self, text: str, lookup: Lookup) -> bool:
        """Say whether the element covers an action or resource."""
        if any(matches(text) for matches in self.fixed):
            return not self.negated
        for template in self.templates:
            pattern = resolve(template, lookup)
            # "the resource that includes a policy variable with no value will not match any resource"
            if pattern is not None and matcher(pattern)(text):
                return not self.negated
        return self.negated


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement.

    Attributes:
        number: Its place in the document, from 1.
        sid: Its Sid, if it has one.
        deny: Whether its effect is Deny.
        principal: Whom it is about; None in policies without Principal elements, which are about whom they are
            attached to.
        action: Its Action or NotAction; None if it has neither, and so no effect.
        resource: Its Resource or NotResource; None likewise.
        conditions: Conditions that must all hold.
    """

    number: int
    sid: str | None
    deny: bool
    principal: PrincipalElement | None
    action: Texts | None
    resource: Texts | None
    conditions: tuple[Condition, ...]

    @property
    def name(self) -> str:
        """How explanations name it."""
        return f"statement {self.number}" + (f" ({self.sid!r})" if self.sid else "")

    @property
    def exempts(self) -> bool:
        """Whether it denies everyone but those whom a NotPrincipal lists."""
        return self.deny and self.principal is not None and self.principal.negated

    @property
    def may_deny(self) -> bool:
        """Whether it can deny a request: also if it allows, by a condition that cannot be decided."""
        return self.deny or any(condition.may_be_undecided for condition in self.conditions)

    @property
    def unconditional(self) -> bool:
        """Whether it applies to every resource in every context."""
        return not self.conditions and self.resource is not None and self.resource.universal

    def match(self, principal: Principal, action: str) -> Match:
        """Say how closely the statement is about a caller and an action, whatever the resource and the context.

        Args:
            principal: The caller.
            action: The action, such as `kms:Encrypt`.

        Returns:
            How closely its Principal element names the caller; NONE if it is not about caller and action.
        """
        if not self.covers(action):
            return Match.NONE
        return Match.DIRECT if self.principal is None else self.principal.match(principal, deny=self.deny)

    def covers(self, action: str) -> bool:
        """Say whether the statement has an effect and is about an action, whoever calls."""
        if self.action is None or self.resource is None:
            return False
        return self.action.matches(action.lower(), no_context)

    def holds(self, resource: str, lookup: Lookup) -> bool | None:
        """Say whether resource and context fit, for a statement that matches caller and action.

        Args:
            resource: ARN of the resource, or `*` for an action that has none.
            lookup: The values of the request's condition keys.

        Returns:
            None if a condition cannot be decided, which denies the request.
        """
        if self.resource is None or not (self.resource.universal or self.resource.matches(resource, lookup)):
            return False
        for condition in self.conditions:
            answer = condition.check(lookup)
            if not answer:
                return answer
        return True

    def denies(self, resource: str, lookup: Lookup) -> bool:
        """Say whether the statement denies a request, for one that matches caller and action.

        Args:
            resource: ARN of the resource, or `*` for an action that has none.
            lookup: The values of the request's condition keys.
        """
        answer = self.holds(resource, lookup)
        return answer is None or (answer and self.deny)

    def why_not(
        self, principal: Principal, action: str, resource: str, lookup: Lookup, *, bounded: bool = False
    ) -> str | None:  # fmt: skip
        """Say in words why the statement does not apply to a request.

        Args:
            principal: The caller.
            action: The action, such as `kms:Encrypt`.
            resource: ARN of the resource, or `*`.
            lookup: The values of the request's condition keys.
            bounded: Whether the caller has a permissions boundary: then no statement that denies exempts it.

        Returns:
            The first element that does not match, or the conditions that fail; None if the statement applies, or has a
            condition that cannot be decided.
        """
        for missing, element in (("Action", self.action), ("Resource", self.resource)):
            if element is None:
                return f"it has no {missing}, so it has no effect"
        if self.action is not None and not self.action.matches(action.lower(), no_context):
            return f"its {self.action.name} {_listed(self.action.texts)} does not cover {action}"
        named = self.principal is None or self.principal.match(principal, deny=self.deny) or (bounded and self.exempts)
        if self.principal is not None and not named:
            verb = "exempts" if self.principal.negated else "does not name"
            return f"its {self.principal.name} {verb} {principal.arn}"
        if self.resource is not None and not self.resource.matches(resource, lookup):
            return f"its {self.resource.name} {_listed(self.resource.texts)} does not cover {resource}"
        if self.holds(resource, lookup) is None:
            return None
        failed = [c.describe(lookup) for c in self.conditions if not c.check(lookup)]
        return "; ".join(failed) or None


def _listed(texts: tuple[str, ...]) -> str:
    return "[" + ", ".join(texts[:5]) + (", …]" if len(texts) > 5 else "]")
