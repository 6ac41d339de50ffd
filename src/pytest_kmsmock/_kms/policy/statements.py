"""A compiled statement of a policy, and whether it applies to a request.

`documents` parses statements; `policy` and `evaluation` combine them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kmsmock._record import Record

from .patterns import constant, matcher, no_context, parse_template, resolve
from .principals import Match

if TYPE_CHECKING:
    from .conditions import Condition
    from .patterns import Lookup, Matcher, Template
    from .principals import Principal, PrincipalElement


class PatternElement(Record):
    """An Action, NotAction, Resource or NotResource element.

    Attributes:
        name: The name of the element.
        entries: Its entries as the policy has them.
        constants: Matchers of the entries without variables.
        templates: The entries with variables.
        negated: Whether it is NotAction or NotResource.
        universal: Whether it matches everything, a shortcut for `matches`.
    """

    name: str
    entries: tuple[str, ...]
    constants: tuple[Matcher, ...]
    templates: tuple[Template, ...]
    negated: bool
    universal: bool

    @classmethod
    def compile(cls, name: str, entries: tuple[str, ...], *, variables: bool, fold: bool) -> PatternElement:
        """Compile the entries of an element.

        Args:
            name: The name of the element.
            entries: Its entries.
            variables: Whether `${…}` is a variable in them.
            fold: Whether to fold their case; then `matches` needs lower case too.
        """
        templates = [parse_template(text.lower() if fold else text, variables=variables) for text in entries]
        patterns = [constant(template) for template in templates]
        constants = tuple(matcher(pattern) for pattern in patterns if pattern is not None)
        varying = tuple(template for template in templates if constant(template) is None)
        negated = name.startswith("Not")
        return cls(name, entries, constants, varying, negated, "*" in entries and not negated)

    def matches(self, text: str, lookup: Lookup) -> bool:
        """Whether the element includes an action or resource."""
        if any(matches(text) for matches in self.constants):
            return not self.negated
        for template in self.templates:
            pattern = resolve(template, lookup)
            # "the resource that includes a policy variable with no value will not match any resource"
            if pattern is not None and matcher(pattern)(text):
                return not self.negated
        return self.negated


class Statement(Record):
    """A statement of a policy.

    Attributes:
        number: Its number in the document, from 1.
        sid: Its Sid, if it has one.
        deny: Whether its effect is Deny.
        principal: Its Principal or NotPrincipal; None in policies that apply to what they are attached to.
        action: Its Action or NotAction; None if it has neither, and so no effect.
        resource: Its Resource or NotResource; None if it has neither, and so no effect.
        conditions: Its conditions, which must all be met.
    """

    number: int
    sid: str | None
    deny: bool
    principal: PrincipalElement | None
    action: PatternElement | None
    resource: PatternElement | None
    conditions: tuple[Condition, ...]

    @property
    def name(self) -> str:
        """The display name in explanations."""
        return f"statement {self.number}" + (f" ({self.sid!r})" if self.sid else "")

    @property
    def denies_by_not_principal(self) -> bool:
        """Whether it denies everyone except those listed in NotPrincipal."""
        return self.deny and self.principal is not None and self.principal.negated

    @property
    def may_deny(self) -> bool:
        """Whether it can deny a request; an Allow can, by a condition that cannot be evaluated."""
        return self.deny or any(condition.may_be_undecided for condition in self.conditions)

    @property
    def unconditional(self) -> bool:
        """Whether it applies to every resource and request context."""
        return not self.conditions and self.resource is not None and self.resource.universal

    def match(self, principal: Principal, action: str) -> Match:
        """Match the statement with a caller and an action, ignoring resource and conditions.

        Args:
            principal: The caller.
            action: The action, such as `kms:Encrypt`.

        Returns:
            How closely its Principal element matches the caller; NONE if caller or action do not match.
        """
        if not self.covers(action):
            return Match.NONE
        return Match.DIRECT if self.principal is None else self.principal.match(principal, deny=self.deny)

    def covers(self, action: str) -> bool:
        """Whether the statement has an effect and includes an action, for any caller."""
        if self.action is None or self.resource is None:
            return False
        return self.action.matches(action.lower(), no_context)

    def holds(self, resource: str, lookup: Lookup) -> bool | None:
        """Whether resource and conditions match, for a statement that matches caller and action.

        Args:
            resource: ARN of the resource; `*` for an action without a resource.
            lookup: The values of the request's condition keys.

        Returns:
            None if a condition cannot be evaluated, which denies the request.
        """
        if self.resource is None or not (self.resource.universal or self.resource.matches(resource, lookup)):
            return False
        for condition in self.conditions:
            answer = condition.check(lookup)
            if not answer:
                return answer
        return True

    def denies(self, resource: str, lookup: Lookup) -> bool:
        """Whether a statement that matches caller and action denies the request.

        Args:
            resource: ARN of the resource; `*` for an action without a resource.
            lookup: The values of the request's condition keys.
        """
        answer = self.holds(resource, lookup)
        return answer is None or (answer and self.deny)

    def explain_mismatch(
        self, principal: Principal, action: str, resource: str, lookup: Lookup, *, bounded: bool = False
    ) -> str | None:  # fmt: skip
        """Explain why the statement does not apply to a request.

        Args:
            principal: The caller.
            action: The action, such as `kms:Encrypt`.
            resource: ARN of the resource, or `*`.
            lookup: The values of the request's condition keys.
            bounded: Whether the caller has a permissions boundary: then NotPrincipal does not exempt it from a Deny.

        Returns:
            The first element that does not match, or the conditions that are not met; None if the statement applies, or
            has a condition that cannot be evaluated.
        """
        for missing, element in (("Action", self.action), ("Resource", self.resource)):
            if element is None:
                return f"it has no {missing}, so it has no effect"
        if self.action is not None and not self.action.matches(action.lower(), no_context):
            return f"its {self.action.name} {_listed(self.action.entries)} does not cover {action}"
        listed = self.principal
        named = listed is None or listed.match(principal, deny=self.deny) or (bounded and self.denies_by_not_principal)
        if listed is not None and not named:
            verb = "exempts" if listed.negated else "does not name"
            return f"its {listed.name} {verb} {principal.arn}"
        if self.resource is not None and not self.resource.matches(resource, lookup):
            return f"its {self.resource.name} {_listed(self.resource.entries)} does not cover {resource}"
        if self.holds(resource, lookup) is None:
            return None
        failed = [c.describe(lookup) for c in self.conditions if not c.check(lookup)]
        return "; ".join(failed) or None


def _listed(entries: tuple[str, ...]) -> str:
    return "[" + ", ".join(entries[:5]) + (", …]" if len(entries) > 5 else "]")
