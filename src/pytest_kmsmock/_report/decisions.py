"""The section "KMS decisions" of a failing test: the explanations that its assertion failed on, in full.

pytest shows a short line for them, `Explanation.__repr__`, and has no hook for `assert kms_mock.simulate(...)`.
"""

from __future__ import annotations

from typing import Any

import pytest

from pytest_kmsmock._testing.policies.explanation import Explanation

TITLE = "KMS decisions"
#: Characters that pytest leaves of the beginning of a long line.
_LEFT = 100


def explained(failure: pytest.ExceptionInfo[Any]) -> str:
    """Return the explanations that a failure shows in short, one after the other; empty if it shows none."""
    if not isinstance(failure.value, AssertionError):
        return ""
    message = str(failure.value)
    # A rewritten assertion keeps its intermediate values as local variables of the frame in which it failed.
    values = (value for entry in failure.traceback for value in entry.frame.f_locals.values())
    found = (value for value in values if isinstance(value, Explanation))
    return "\n\n".join(dict.fromkeys(str(each) for each in found if repr(each)[:_LEFT] in message))
