"""Policies as tests give them (JSON, a mapping or the path of a file), and their validation."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias, cast

from pytest_kmsmock._kms.policy.kinds import (
    PARTITIONS,
    MalformedPolicy,
    PolicyKind,
    check_partition,
    check_size,
    compact,
)
from pytest_kmsmock._kms.policy.policy import compile_policy
from pytest_kmsmock._runtime.checks import did_you_mean, unreadable
from pytest_kmsmock.errors import InvalidPolicy

#: A policy: a JSON string, a mapping that `json.dumps` accepts, or the path of a file. A string is never a path.
Document: TypeAlias = "str | Mapping[str, object] | os.PathLike[str]"


def written_policy(document: Document) -> str:
    """Return the JSON string of a policy.

    Raises:
        InvalidPolicy: another type, or the file cannot be read.
    """
    if isinstance(document, os.PathLike):
        try:
            return Path(document).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:  # ValueError: invalid UTF-8, or a path with a null byte
            raise InvalidPolicy(f"the policy file {unreadable(document, error)}") from None
    if isinstance(document, str):
        if document.strip() and "{" not in document:
            raise InvalidPolicy(
                f"{document!r} is not a policy: give a JSON string, a mapping, or in Python a file as "
                f"Path({document!r})"
            )
        return document
    if not isinstance(document, Mapping):
        raise InvalidPolicy(f"a policy is a JSON string, a mapping or a pathlib.Path, not {type(document).__name__}")
    try:
        return json.dumps(document)
    except (TypeError, ValueError) as error:  # ValueError: it contains itself
        raise InvalidPolicy(f"this policy cannot be written as JSON: {error}") from None


def policy_text(
    document: Document, kind: PolicyKind, where: str, *, partition: str | None = None, most: int | None = None
) -> str:  # fmt: skip
    """Return the JSON string of a policy that AWS would accept.

    Args:
        document: the policy.
        kind: its kind.
        where: where the test gives it, for the error message.
        partition: the partition of its ARNs; any by default.
        most: the maximum number of characters, if lower than the limit of its kind.

    Raises:
        InvalidPolicy: AWS would refuse it, with AWS's reason.
    """
    try:
        text = written_policy(document)
    except InvalidPolicy as error:
        raise InvalidPolicy(f"{where}: {error}.") from None
    try:
        policy = compile_policy(text, kind)
        resources = [arn for each in policy.statements if each.resource for arn in each.resource.entries]
        check_partition(resources, PARTITIONS if partition is None else {partition})
        check_size(compact(document) if isinstance(document, Mapping) else text, kind, most)
    except MalformedPolicy as malformed:
        reason = f"{malformed.reason or 'not JSON'}{malformation_hint(malformed)}"
        raise InvalidPolicy(f"{where}: AWS refuses this {kind.value}: {reason}") from None
    return text


def malformation(document: object, kind: PolicyKind) -> MalformedPolicy | None:
    """Return what is wrong with a policy and where; None if nothing is, or if it is not a document."""
    try:
        compile_policy(written_policy(cast("Document", document)), kind)
    except MalformedPolicy as malformed:
        return malformed
    except InvalidPolicy:
        return None
    return None


def malformation_hint(malformed: MalformedPolicy) -> str:
    """Return where a policy is malformed and what was meant, for the end of a message, after AWS's own."""
    where = f" (statement {malformed.statement})" if malformed.statement else ""
    found = malformed.found
    advice = did_you_mean(found, malformed.choices) if malformed.choices else ""
    if isinstance(found, bool | int | float):
        advice = f" {malformed.place.rpartition('.')[2]} is {json.dumps(found)}."
    return where + (advice and f".{advice}")
