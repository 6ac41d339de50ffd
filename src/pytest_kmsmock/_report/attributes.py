"""What was meant by an attribute that an object of this package does not have.

Python's own suggestions do not know of `kms_mock.clock.advance`, and pytest shows them since Python 3.12 only.
"""

from __future__ import annotations

from pytest_kmsmock._kms.api.service_model import operation_names
from pytest_kmsmock._mock.kms_mock import KmsMock
from pytest_kmsmock._runtime.checks import closest

#: Attributes of a handle whose own attributes may be meant.
_PARTS = ("calls", "clock", "faults", "iam", "key_stores", "keys")


def explain(error: AttributeError) -> None:
    """Add what was meant to the message of an error about an object of this package."""
    hint = _hint(error.obj, error.name or "")
    if hint:
        error.args, error.name = (f"{error}.{hint}",), None  # without a name Python adds no suggestion of its own


def _hint(owner: object, name: str) -> str:
    if name.startswith("_"):
        return ""
    parts: tuple[str, ...] = ()
    if isinstance(owner, KmsMock):
        if name.replace("_", "") in map(str.lower, operation_names()):
            return f" KMS operations are methods of a client: kms_mock.client().{name}(...)."
        parts = _PARTS if owner.active else ()
    paths = {each: f"{part}.{each}" for part in parts for each in _members(getattr(owner, part))}
    paths |= {each: each for each in _members(owner)}
    close = closest(name, paths)
    return f" Did you mean {paths[close[0]]!r}?" if close else ""


def _members(owner: object) -> list[str]:
    return [name for name in dir(owner) if not name.startswith("_")]
