"""A compiled condition of a statement: operator, key and values, and whether a request meets it.

A lookup of the caller provides the values of the request's condition keys. `operators` has the comparisons.

See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from pytest_kmsmock._kms.policy.patterns import MULTIVALUED, Variable, constant, parse_template, pattern_text, resolve
from pytest_kmsmock._record import Record

from .operators import OPERATORS, is_arn, is_true

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pytest_kmsmock._kms.policy.patterns import Lookup, Template

    from .operators import Comparison, Operator

#: Whether a request meets a condition; None if it cannot be evaluated, which denies the request.
Check: TypeAlias = "Callable[[Lookup], bool | None]"
#: Compiles, for a request, the comparison of one of its values with all values of the policy.
AnyOf: TypeAlias = "Callable[[Lookup], Comparison]"

_NAME = r"(?:(?P<qualifier>ForAllValues|ForAnyValue):)?(?P<base>[A-Za-z]+?)(?P<if_exists>IfExists)?"


class Condition(Record):
    """One operator with one key and its values; a request must meet all conditions of a statement.

    Attributes:
        operator: The operator as the policy has it, with set operator and suffix.
        key: The condition key as the policy has it.
        values: The values as strings.
        context_key: The key in lower case, for the lookup.
        templates: The values, compiled.
        check: Whether a request meets the condition; None if it cannot be evaluated, which denies the request.
        stored: Whether IAM stores a policy with it.
        may_be_undecided: Whether `check` can return None.
    """

    operator: str
    key: str
    values: tuple[str, ...]
    context_key: str
    templates: tuple[Template, ...]
    check: Check
    stored: bool = True
    may_be_undecided: bool = False

    def describe(self, lookup: Lookup) -> str:
        """Describe the values of the policy and of the request."""
        found = lookup(self.context_key)
        wanted = ", ".join(self._shown_values(lookup)) or "nothing"
        has = "does not have it" if found is None else f"has {', '.join(map(repr, found)) or 'no value'}"
        text = f"{self.operator} {self.key}: the policy says {wanted}, the request {has}"
        several = found and (self.context_key in MULTIVALUED or len(found) > 1)
        if several and not self.operator.startswith(("For", "Null")):
            text += "; a key of several values needs ForAllValues or ForAnyValue"
        if self.may_be_undecided and self.check(lookup) is None:
            text += "; a pattern that is not an ARN denies the request"
        return text

    def _shown_values(self, lookup: Lookup) -> Iterable[str]:
        """Yield the values of the policy, with the values of their variables."""
        for value, template in zip(self.values, self.templates, strict=True):
            pattern = resolve(template, lookup)
            if pattern is None:
                yield f"{value!r} (a variable without a value)"
            elif constant(template) is None:
                yield f"{value!r} ({pattern_text(pattern)!r})"
            else:
                yield repr(value)


def compile_condition(name: str, key: str, values: tuple[str, ...], *, variables: bool) -> Condition | None:
    """Compile one condition.

    Args:
        name: Operator with set operator and suffix, such as `ForAnyValue:StringLike` or `BoolIfExists`.
        key: Condition key, case-insensitive; also after `kms:EncryptionContext:`.
        values: Values of the policy.
        variables: Whether the policy's version has variables.

    Returns:
        The condition; None for an unknown operator.
    """
    parts = re.fullmatch(_NAME, name)
    row = OPERATORS.get(parts["base"]) if parts else None
    if parts is None or row is None:
        return None
    context_key = key.lower()
    templates = tuple(
        parse_template(value, variables=variables and row.variables, wildcards=row.wildcards) for value in values
    )
    if parts["base"] == "Null":
        # "You can add IfExists to the end of any condition operator name except the Null condition."
        check = _null(context_key, values)
        return None if parts["if_exists"] else Condition(name, key, values, context_key, templates, check)
    absent = row.negated or bool(parts["if_exists"])
    check = _QUALIFIERS[parts["qualifier"]](context_key, _any_of(row, templates), negated=row.negated, absent=absent)
    return Condition(
        name, key, values, context_key, templates, check,
        stored=row.stored is None or all(map(row.stored, _constant_values(templates))),
        may_be_undecided=row.comparable is is_arn and not all(is_arn(_literal_text(each)) for each in templates),
    )  # fmt: skip


def _constant_values(templates: Iterable[Template]) -> Iterable[str]:
    patterns = map(constant, templates)
    return (pattern_text(pattern) for pattern in patterns if pattern is not None)


def _literal_text(template: Template) -> str:
    """Return the text of a template without its variables."""
    return pattern_text(tuple(part for part in template if not isinstance(part, Variable)))


def _null(key: str, values: tuple[str, ...]) -> Check:
    wanted = {is_true(value) for value in values}
    # A key without values is null too.
    return lambda lookup: (not lookup(key)) in wanted


def _any_of(row: Operator, templates: Sequence[Template]) -> AnyOf:
    """Compile the comparison of a value of the request with each value of the policy.

    It skips policy values whose variables have no value.
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
    """Compare with each value of the policy: the first that matches, or cannot be compared, decides."""

    def compare(text: str) -> bool | None:
        for each in comparisons:
            answer = each(text)
            if answer is not False:
                return answer
        return False

    return compare


# --- single-valued and multivalued keys ---------------------------------------------------------------------------


def _meets(row: Operator, compare: Comparison) -> Comparison:
    """Compile an operator or its negation; values that it cannot compare meet neither."""
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
    """The value of the request meets the operator; a multivalued key that is present does not."""
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
    """Every value of the request meets the operator; true without values."""
    return lambda lookup: _every(any_of(lookup), lookup(key) or ())


def _for_any(key: str, any_of: AnyOf, **_of_plain: bool) -> Check:
    """At least one value of the request meets the operator; false without values, even with IfExists."""
    return lambda lookup: _some(any_of(lookup), lookup(key) or ())


_QUALIFIERS: dict[str | None, Callable[..., Check]] = {
    None: _plain,
    "ForAllValues": _for_all,
    "ForAnyValue": _for_any,
}
