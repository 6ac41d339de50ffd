"""What the generated cases reach: a mistake in any rule of the literal evaluator changes a decision."""

from __future__ import annotations

import base64
import functools
from ipaddress import ip_address
from typing import Any

import pytest

from . import conditions, context, decision, statements
from .cases import make_case
from .context import Case

NUMBERS = range(3000)
_variable = conditions._variable


def lenient_base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(f"{text}==")
    except ValueError:
        return None


def any_address(text: str) -> Any:
    try:
        return ip_address(text)
    except ValueError:
        return None


def default_of_multivalued(name: str, values: conditions.Context) -> str | None:
    found = _variable(name, values)
    return name.split("'")[1] if found is None and "'" in name else found


MISTAKES: dict[str, tuple[Any, str, Any]] = {
    "negated operators": (conditions, "NEGATED", {}),
    "canonical base64": (conditions, "_decoded", lenient_base64),
    "UTF-16 units": (conditions, "_units", lambda text: text),
    "IPv4-mapped addresses": (conditions, "_address", any_address),
    "milliseconds": (conditions, "_milliseconds", lambda text: None if "." in text else len(text)),
    "variables without a value": (conditions, "_variable", lambda name, values: _variable(name, values) or ""),
    "defaults of multivalued keys": (conditions, "_variable", default_of_multivalued),
    "what is an ARN": (conditions, "_is_arn", lambda *_: True),
    "exemptions by NotPrincipal": (statements, "_exempt", lambda *_: True),
    "no exemptions by NotPrincipal": (statements, "_exempt", lambda *_: False),
    "constraints of grants": (decision, "_as_strict", lambda *_: True),
    "grants": (decision, "_granted", lambda *_: None),
    "VPC endpoint policies": (decision, "_through_endpoint", lambda *_: False),
    "operations across accounts": (decision, "ACROSS_ACCOUNTS", {"TagResource", "GetKeyPolicy", "ScheduleKeyDeletion"}),
    "condition keys of the key": (context, "_KEY", {}),
}


@functools.cache
def cases() -> list[tuple[Case, bool]]:
    made = [make_case(number) for number in NUMBERS]
    return [(case, decision.decide(case).allowed) for case in made]


@pytest.mark.slow
@pytest.mark.parametrize(("module", "name", "mistake"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_noticed(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, mistake: Any):
    expected = cases()
    monkeypatch.setattr(module, name, mistake)
    assert any(decides_otherwise(case, allowed) for case, allowed in expected)


def decides_otherwise(case: Case, allowed: bool) -> bool:
    try:
        return decision.decide(case).allowed is not allowed
    except (AssertionError, KeyError):  # the mistake makes nonsense of the operator
        return True
