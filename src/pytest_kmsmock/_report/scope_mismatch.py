"""The section "KMS mocks" of a test with a ScopeMismatch: which mock the fixture can take."""

from __future__ import annotations

import re

TITLE = "KMS mocks"

_MISMATCH = re.compile(
    r"ScopeMismatch: You tried to access the \w+ scoped fixture (?:\w+_)?(kms_\w+) with a (\w+) scoped request"
)
_FIXTURES = {"kms_mock": "", "kms_client": ".client()", "kms_server": ".serve()"}


def advice(message: str) -> str:
    """Return what a fixture can take instead; empty for messages about other fixtures."""
    found = _MISMATCH.match(message)
    if found is None or found[1] not in _FIXTURES:
        return ""
    name, scope = found.groups()
    instead = f" and calls {scope}_kms_mock{_FIXTURES[name]}" if _FIXTURES[name] else ""
    return f"A fixture of scope {scope} takes {scope}_kms_mock{instead}. The kms_mock of each test begins with a copy."
