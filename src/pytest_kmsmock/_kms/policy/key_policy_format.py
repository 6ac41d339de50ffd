"""The format in which KMS stores key policies and GetKeyPolicy returns them.

KMS rewrites policies without changing their meaning. Layout, order of elements, one-element lists and account ids are
recorded:
cloud-custodian, `test_cross_account_kms`, `test_kms_remove_matched` and `test_cross_account_kms_condition_keys_1` (2018
to 2022), and the policies of AWS managed keys in FogSecurity/aws-managed-kms-keys (2024, 2025).
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from .documents import load_json
from .kinds import PolicyKind
from .principals import ACCOUNT_ID

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .documents import Json

_DOCUMENT = ("Version", "Id", "Statement")
_STATEMENT = (
    "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
)  # fmt: skip


@lru_cache(maxsize=256)
def format_key_policy(text: str, partition: str) -> str:
    """Return a key policy as KMS stores it.

    Args:
        text: the policy of the request, a valid key policy.
        partition: the partition of the key's Region, for the root ARNs that replace account ids.
    """
    document = cast("dict[str, Json]", load_json(text, PolicyKind.KEY))
    found = document["Statement"]
    statements = cast("list[dict[str, Json]]", found if isinstance(found, list) else [found])
    document["Statement"] = [_statement(statement, partition) for statement in statements]
    return format_json(_in_order(document, _DOCUMENT))


def format_json(value: Json, indent: str = "") -> str:
    """Format JSON as KMS does: indentation of two spaces, spaces around colons, lists on one line."""
    if isinstance(value, dict):
        inner = ",\n".join(
            f"{indent}  {_text(name)} : {format_json(item, indent + '  ')}" for name, item in value.items()
        )
        return f"{{\n{inner}\n{indent}}}" if value else "{ }"
    if isinstance(value, list):
        return f"[ {', '.join(format_json(item, indent) for item in value)} ]" if value else "[ ]"
    return _text(value)


def _text(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def _in_order(element: dict[str, Json], names: Iterable[str]) -> dict[str, Json]:
    # A null Sid is left out.
    return {name: element[name] for name in names if element.get(name) is not None}


def _statement(statement: dict[str, Json], partition: str) -> dict[str, Json]:
    element = {name: _value(value) for name, value in statement.items()}
    for name in ("Principal", "NotPrincipal"):
        if isinstance(element.get(name), dict):
            element[name] = _principals(cast("dict[str, Json]", element[name]), partition)
    if "Condition" in element:
        conditions = cast("dict[str, dict[str, Json]]", element["Condition"])
        element["Condition"] = _in_hash_order({operator: _in_hash_order(keys) for operator, keys in conditions.items()})
    return _in_order(element, _STATEMENT)


def _value(value: Json) -> Json:
    """Return a value as KMS stores it: numbers and Booleans as strings, one-element lists as their element."""
    if isinstance(value, dict):
        return {name: _value(item) for name, item in value.items()}
    if isinstance(value, list):
        return _value(value[0]) if len(value) == 1 else [_value(item) for item in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if value is None else str(value)


def _principals(listed: dict[str, Json], partition: str) -> dict[str, Json]:
    def arn(text: Json) -> Json:
        found = isinstance(text, str) and re.fullmatch(ACCOUNT_ID, text)
        return f"arn:{partition}:iam::{text}:root" if found else text

    if "AWS" in listed:
        names = listed["AWS"]
        listed["AWS"] = [arn(name) for name in names] if isinstance(names, list) else arn(names)
    return _in_hash_order(listed)


def _in_hash_order(items: dict[str, Json]) -> dict[str, Json]:
    """Order a mapping as a Java hash table does, which is the order in all recordings.

    Names in the same bucket are sorted, as in the recordings of policies that a customer put.
    """
    size = 16
    while len(items) > size * 3 // 4:
        size *= 2
    return {name: items[name] for name in sorted(sorted(items), key=lambda name: _hash_bucket(name, size))}


def _hash_bucket(name: str, size: int) -> int:
    """Return the bucket of a string in a Java hash table (`java.util.HashMap`, `java.lang.String.hashCode`)."""
    units = name.encode("utf-16-be", "surrogatepass")
    hashed = 0
    for high, low in zip(units[::2], units[1::2], strict=True):
        hashed = (31 * hashed + (high << 8 | low)) & 0xFFFFFFFF
    return (hashed ^ hashed >> 16) & (size - 1)
