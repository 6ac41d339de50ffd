"""Whether a call may do what it wants: the pipeline's question to the authorization engine."""

from __future__ import annotations

from .operation import Call, Target


def authorize(call: Call, target: Target) -> None:
    """Let a call pass or refuse it."""
