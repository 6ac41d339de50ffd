"""Policy documents of files: which of their statements can affect KMS, and the line of each."""

from __future__ import annotations

import fnmatch
import functools
import json
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

from .model import Document, Json, Place
from .reading import line_of

#: ARNs of AWS managed policies have no account.
AWS_MANAGED = ":iam::aws:policy/"


def as_list(value: Any) -> list[Any]:
    """Return a value as a list: policies and templates may have one entry without a list."""
    return value if isinstance(value, list) else [] if value is None else [value]


def statements_of(content: Mapping[str, Any]) -> list[Any]:
    """Return the statements of a policy document."""
    return as_list(content.get("Statement"))


def affects_kms(statement: object) -> bool:
    """Say whether a statement can affect permissions on KMS."""
    if not isinstance(statement, Mapping):
        return False
    return "NotAction" in statement or any(_is_of_kms(action) for action in as_list(statement.get("Action")))


def _is_of_kms(action: object) -> bool:
    service, _, name = str(action).lower().partition(":")
    return fnmatch.fnmatchcase("kms", service) and (bool(name) or service == "*")


def mentions_kms(value: Any) -> bool:
    """Say whether a value contains a statement, or a JSON string of one, with actions of KMS."""
    if isinstance(value, Mapping):
        actions = as_list(value.get("Action")) if "Effect" in value else ()
        return any(str(action).lower().startswith("kms:") for action in actions) or any(
            map(mentions_kms, value.values())
        )
    if isinstance(value, list):
        return any(map(mentions_kms, value))
    return isinstance(value, str) and '"kms:' in value.lower()


def document_of(content: Mapping[str, Any], place: Place) -> Document:
    """Return a policy document of a file, whose values are resolved."""
    written = {name: value for name, value in content.items() if name != "Statement"}
    found = statements_of(content)
    written["Statement"] = [_written(statement) for statement in found]
    return Document(json.dumps(written), place, tuple(map(line_of, found)))


def _written(statement: Any) -> Any:
    """Return a statement with account ids as strings: YAML reads them as numbers."""
    if not isinstance(statement, Mapping):
        return statement
    names = ("Principal", "NotPrincipal")
    return {name: _as_text(value) if name in names else value for name, value in statement.items()}


def _as_text(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _as_text(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_as_text(item) for item in value]
    return f"{value:012}" if isinstance(value, int) else value


@functools.cache
def _of_aws() -> Mapping[str, Any]:
    read: Mapping[str, Any] = json.loads(
        files(__package__).joinpath("aws_managed_policies.json").read_text(encoding="utf-8")
    )
    return read


def aws_managed(arn: str) -> Json | None:
    """Return an AWS managed policy, of which there are the statements that can affect permissions on KMS.

    Args:
        arn: its ARN.

    Returns:
        The document; an empty one if the policy is known to have none of them; None if the policy is not known.
    """
    known = _of_aws()
    name = arn.partition(AWS_MANAGED)[2]
    found: Json | None = known["kms"].get(name)
    return {} if found is None and name in known["others"] else found


def aws_managed_names() -> Iterable[str]:
    """Return the names of the AWS managed policies that are known, with their paths."""
    return (*_of_aws()["kms"], *_of_aws()["others"])
