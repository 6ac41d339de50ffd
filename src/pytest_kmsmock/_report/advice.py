"""The section "KMS mocks" of a failing test: which mock to take, and how to have it answer a call."""

from __future__ import annotations

import re
from collections.abc import Iterable

TITLE = "KMS mocks"

_MISMATCH = re.compile(
    r"ScopeMismatch: You tried to access the \w+ scoped fixture (?:\w+_)?(kms_\w+) with a (\w+) scoped request"
)
_FIXTURES = {"kms_mock": "", "kms_client": ".client()", "kms_server": ".serve()"}


def advice(message: str, endpoints: Iterable[str]) -> str:
    """Return what to do about a failure, a line for each reason; empty if nothing is known.

    Args:
        message: the message of the failure.
        endpoints: the endpoints other than AWS's that KMS calls of the test went to.
    """
    return "\n".join(filter(None, (_on_scopes(message), _on_endpoints(list(endpoints)))))


def _on_scopes(message: str) -> str:
    """Return what a fixture can take instead; empty for messages about other fixtures."""
    found = _MISMATCH.match(message)
    if found is None or found[1] not in _FIXTURES:
        return ""
    name, scope = found.groups()
    instead = f" and calls {scope}_kms_mock{_FIXTURES[name]}" if _FIXTURES[name] else ""
    return f"A fixture of scope {scope} takes {scope}_kms_mock{instead}. The kms_mock of each test begins with a copy."


def _on_endpoints(endpoints: list[str]) -> str:
    """Return how to have the mock answer calls to endpoints; empty if there are none."""
    if not endpoints:
        return ""
    return (
        f"KMS calls went to {' and '.join(endpoints)}, which the mock does not answer. To have it answer them: "
        f"@pytest.mark.kms_mock(endpoint_urls={endpoints}), or kms_mock_endpoint_urls in the ini file."
    )
