"""`data.aws_iam_policy_document`, written out as the provider writes it.

See https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ..policies import statements_of

DOCUMENT = "aws_iam_policy_document"
_LISTS = {
    "actions": "Action", "not_actions": "NotAction", "resources": "Resource", "not_resources": "NotResource",
}  # fmt: skip


def rendered(get: Callable[[str], Any]) -> str:
    """Return the policy of a data source.

    Args:
        get: gives an attribute of it.
    """
    statements: list[dict[str, Any]] = []
    for source in get("source_policy_documents") or ():
        statements += _statements(source)
    statements += [_statement(block) for block in get("statement") or () if isinstance(block, Mapping)]
    for source in get("override_policy_documents") or ():
        for statement in _statements(source):
            sid = statement.get("Sid")
            statements = [other for other in statements if not sid or other.get("Sid") != sid] + [statement]
    named = {"Version": get("version") or "2012-10-17", "Id": get("policy_id")}
    return json.dumps({name: value for name, value in named.items() if value} | {"Statement": statements})


def _statements(text: object) -> list[dict[str, Any]]:
    try:
        return statements_of(json.loads(str(text)))
    except (ValueError, AttributeError):
        return []


def _statement(block: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"Sid": block["sid"]} if block.get("sid") else {}
    found["Effect"] = block.get("effect") or "Allow"
    for name, element in _LISTS.items():
        values = [value for value in block.get(name) or () if value is not None]
        if values:
            found[element] = values
    for name, element in (("principals", "Principal"), ("not_principals", "NotPrincipal")):
        principals = block.get(name) or ()
        if principals:
            found[element] = _principals(principals)
    conditions: dict[str, dict[str, list[Any]]] = {}
    for condition in block.get("condition") or ():
        conditions.setdefault(condition["test"], {})[condition["variable"]] = list(condition.get("values") or ())
    return found | ({"Condition": conditions} if conditions else {})


def _principals(blocks: Any) -> Any:
    found: dict[str, list[Any]] = {}
    for block in blocks:
        found.setdefault(str(block.get("type")), []).extend(block.get("identifiers") or ())
    return "*" if found == {"*": ["*"]} else found
