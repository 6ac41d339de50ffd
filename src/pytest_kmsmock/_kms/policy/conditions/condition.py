"""The condition of a statement, compiled: which operator with which key and values, and whether a request meets it.

Which condition keys a request has, and their values, is the caller's business: conditions ask a lookup for them.
How operators compare is in `operators`.

See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from pytest_kmsmock._kms.policy.patterns import MULTIVALUED, Variable, constant, parse_template, resolve, text_of

from .operators import OPERATORS, is_arn, is_true

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pytest_kmsmock._kms.policy.patterns import Lookup, Template

    from .operators import Comparison, Operator

#: Says whether a request meets a condition; None if that cannot be said, which denies the request.
Check: TypeAlias = "Callable[[Lookup], bool | None]"
#: Makes for one request what says whether one of its values meets an operator with all values of the policy.
AnyOf: TypeAlias = "Callable[[Lookup], Comparison]"

_NAME = re.compile(r"(?:(?P<qualifier>ForAllValues|ForAnyValue):)?(?P<base>[A-Za-z]+?)(?P<if_exists>IfExists)?")


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator with one key and its values; a statement's conditions must all hold.

    Attributes:
        operator: The operator as the policy writes it, with qualifier and suffix.
        key: The condition key as the policy writes it.
        values: The values as texts.
        looked_up: The key as the lookup is asked for it.
        templates: The values, compiled.
        check: Says whether the condition holds for a request; None if it cannot be decided, which denies the request.
        stored: Whether IAM stores a policy with it.
        may_be_undecided: Whether `check` may give None.
    """

    operator: str
    key: str
    values: tuple[str, ...]
    looked_up: str
    templates: tuple[Template, ...]
    check: Check
    stored: bool = True
    may_be_undecided: bool = False

    def describe(self, lookup: Lookup) -> str:
        """Say in words what the condition wants and what the request has."""
        found = lookup(self.looked_up)
        wanted = ", ".join(self._wanted(lookup)) or "nothing"
        has = "does not have it" if found is None else f"has {', '.join(map(repr, found)) or 'no value'}"
        text = f"{self.operator} {self.key}: the policy says {wanted}, the request {has}"
        several = found and (self.looked_up in MULTIVALUED or len(found) > 1)
        if several and not self.operator.startswith(("For", "Null")):
            text += "; a key of several values needs ForAllValues or ForAnyValue"
        if self.may_be_undecided and self.check(lookup) is None:
            text += "; a pattern that is no ARN denies the request"
        return text

    def _wanted(self, lookup: Lookup) -> Iterable[str]:
        """Return the values of the policy, with what their variables stand for."""
        for value, template in zip(self.values, self.templates, strict=True):
            pattern = resolve(template, lookup)
            if pattern is None:
                yield f"{value!r} (a variable without a value)"
            elif constant(template) is None:
                yield f"{value!r} ({text_of(pattern)!r})"
            else:
                yield repr(value)


def compile_condition(name: str, key: str, values: tuple[str, ...], *, variables: bool) -> Condition | None:
    """Compile one condition.

    Args:
        name: Operator with its qualifier and suffix, such as `ForAnyValue:StringLike` or `BoolIfExists`.
        key: Condition key; case does not matter, also in what follows `kms:EncryptionContext:`.
        values: Values of the policy.
        variables: Whether the version of the policy has variables.

    Returns:
        The condition, or None if there is no such operator.
    """
    parts = _NAME.fullmatch(name)
    row = OPERATORS.get(parts["base"]) if parts else None
    if parts is None or row is None:
        return None
    looked_up = key.lower()
    templates = tuple(
        parse_template(value, variables=variables and row.variables, wildcards=row.wildcards) for value in values
    )
    if parts["base"] == "Null":
        # "You can add IfExists to the end of any condition operator name except the Null condition."
        check = _null(looked_up, values)
        return None if parts["if_exists"] else Condition(name, key, values, looked_up, templates, check)
    absent = row.negated or bool(parts["if_exists"])
    check = _QUALIFIERS[parts["qualifier"]](looked_up, _any_of(row, templates), negated=row.negated, absent=absent)
    return Condition(
        name, key, values, looked_up, templates, check,
        stored=row.stored is None or all(map(row.stored, _fixed_texts(templates))),
        may_be_undecided=row.comparable is is_arn and not all(is_arn(_literal_text(each)) for each in templates),
    )  # fmt: skip


def _fixed_texts(templates: Iterable[Template]) -> Iterable[str]:
    patterns = map(constant, templates)
    return (text_of(pattern) for pattern in patterns if pattern is not None)


def _literal_text(template: Template) -> str:
    """Return the text of a template without its variables."""
    return text_of(tuple(part for part in template if not isinstance(part, Variable)))


def _null(key: str, values: tuple[str, ...]) -> Check:
    wanted = {is_true(value) for value in values}
    # A key that is there without a value is null too.
    return lambda lookup: (not lookup(key)) in wanted


def _any_of(row: Operator, templates: Sequence[Template]) -> AnyOf:
    """Make what compares a value of the request with the values of the policy, one after the other.

    A value with a variable that has no value is passed over: nothing equals it.
    """
    fixed = [None if pattern is None else row.test(pattern) for pattern in map(constant, templates)]
    known = [compare for compare in fixed if compare is not None]

    def with_variables(lookup: Lookup) -> Comparison:
        comparisons = []
        for template, compare in zip(templates, fixed, strict=True):
            pattern = resolve(template, lookup) if compare is None else None
            if compare is not None:
                comparisons.append(compare)
            elif pattern is not None:
                comparisons.append(row.test(pattern))
        return _meets(row, _first_of(comparisons))

    if len(known) < len(fixed):
        return with_variables
    meets = _meets(row, known[0] if len(known) == 1 else _first_of(known))
    return lambda _lookup: meets


def _first_of(comparisons: Iterable[Comparison]) -> Comparison:
    """Compare with one value of the policy after the other: the first that matches, or cannot be compared, decides."""

    def compare(text: str) -> bool | None:
        for each in comparisons:
            answer = each(text)
            if answer is not False:
                return answer
        return False

    return compare


# --- one value of the request, and several ------------------------------------------------------------------------


def _meets(row: Operator, compare: Comparison) -> Comparison:
    """Return whether a value of the request meets an operator or its negation; neither if it cannot be compared."""
    comparable, negated = row.comparable, row.negated
    if comparable is None and not negated:
        return compare

    def meets(text: str) -> bool | None:
        if comparable is not None and not comparable(text):
            return False
        answer = compare(text)
        return not answer if negated and answer is not None else answer

    return meets


def _some(meets: Comparison, values: Iterable[str]) -> bool | None:
    for value in values:
        answer = meets(value)
        if answer is not False:
            return answer
    return False


def _every(meets: Comparison, values: Iterable[str]) -> bool | None:
    for value in values:
        answer = meets(value)
        if answer is not True:
            return answer
    return True


def _plain(key: str, any_of: AnyOf, *, negated: bool, absent: bool) -> Check:
    """The value of the request meets the operator; a key of several values, if it is there, meets none."""
    multivalued = key in MULTIVALUED

    def check(lookup: Lookup) -> bool | None:
        values = lookup(key)
        if values is None:
            return absent
        if multivalued or len(values) > 1:
            return False
        return any_of(lookup)(values[0]) if values else negated

    return check


def _for_all(key: str, any_of: AnyOf, **_of_plain: bool) -> Check:
    """Every value of the request meets the operator; true if there is none."""
    return lambda lookup: _every(any_of(lookup), lookup(key) or ())


def _for_any(key: str, any_of: AnyOf, **_of_plain: bool) -> Check:
    """At least one value of the request meets the operator; false if there is none, also with IfExists."""
    return lambda lookup: _some(any_of(lookup), lookup(key) or ())


_QUALIFIERS: dict[str | None, Callable[..., Check]] = {
    None: _plain,
    "ForAllValues": _for_all,
    "ForAnyValue": _for_any,
}
