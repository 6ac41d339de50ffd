"""The section "KMS decisions" of a failing test: the full explanations of its failed assertion.

pytest itself shows one line of them, `Explanation.__repr__`: it has no hook for `assert kms_mock.simulate(...)`.
"""

from __future__ import annotations

from typing import Any

import pytest

from pytest_kmsmock._testing.policies.explanation import Explanation

TITLE = "KMS decisions"
#: pytest shortens long lines, but keeps this many characters at the beginning.
_LEFT = 100


def explained(failure: pytest.ExceptionInfo[Any]) -> str:
    """Return the explanations that a failure shows in short; empty if it shows none."""
    if not isinstance(failure.value, AssertionError):
        return ""
    message = str(failure.value)
    # A rewritten assertion keeps intermediate values as local variables of its frame.
    values = (value for entry in failure.traceback for value in entry.frame.f_locals.values())
    found = (value for value in values if isinstance(value, Explanation))
    return "\n\n".join(dict.fromkeys(str(each) for each in found if repr(each)[:_LEFT] in message))
