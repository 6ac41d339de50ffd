"""Names of KMS permissions, and unknown actions in policies, which AWS stores without an error."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from pytest_kmsmock._kms.api.service_model import operation_names
from pytest_kmsmock._kms.call.operation import OPERATIONS
from pytest_kmsmock._kms.operations import load
from pytest_kmsmock._kms.policy.patterns import constant, matcher, parse_template
from pytest_kmsmock._runtime.checks import did_you_mean

if TYPE_CHECKING:
    from pytest_kmsmock._kms.policy.statements import Statement

VENDOR = "kms:"
#: Permissions that are not named after an operation.
WITHOUT_OPERATION = ("ReEncryptFrom", "ReEncryptTo", "SynchronizeMultiRegionKey")


@functools.cache
def permission_names() -> Mapping[str, str]:
    """Return the names of KMS permissions without `kms:`, by lower-case name, since IAM ignores case."""
    load()
    names = {*OPERATIONS, *WITHOUT_OPERATION} - {"ReEncrypt"}
    return {name.lower(): name for name in sorted(names)}


def unknown_actions(statements: Iterable[Statement]) -> Iterator[str]:
    """Yield each action of statements that matches no KMS permission, with its statement and a suggestion."""
    for statement in statements:
        for action in () if statement.action is None else statement.action.entries:
            if action.lower().startswith(VENDOR) and not _exists(action.lower()):
                known = [VENDOR + name for name in (*permission_names().values(), "ReEncrypt*")]
                yield f"{statement.name}: unknown KMS permission {action!r}.{did_you_mean(action, known)}"


@functools.lru_cache(maxsize=256)
def _exists(action: str) -> bool:
    pattern = constant(parse_template(action, variables=False))
    newer = (name.lower() for name in operation_names() if name != "ReEncrypt")  # of a newer botocore
    return pattern is not None and any(map(matcher(pattern), (VENDOR + name for name in (*permission_names(), *newer))))
