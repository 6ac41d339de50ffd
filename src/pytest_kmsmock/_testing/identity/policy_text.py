"""Policies as a test gives them: JSON, a mapping or the path of a file; with an error that says what is wrong where."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from pytest_kmsmock._kms.policy.kinds import (
    PARTITIONS,
    MalformedPolicy,
    PolicyKind,
    check_partition,
    check_size,
    compact,
)
from pytest_kmsmock._kms.policy.policy import compile_policy
from pytest_kmsmock.errors import InvalidPolicy

#: A policy: a JSON string, what `json.dumps` makes one of, or the path of a file with one. A string is never a path.
Document: TypeAlias = "str | Mapping[str, object] | os.PathLike[str]"


def written_policy(document: Document) -> str:
    """Return the JSON string of a policy.

    Raises:
        InvalidPolicy: it is none, or its file cannot be read.
    """
    if isinstance(document, os.PathLike):
        try:
            return Path(document).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:  # also what is not UTF-8, and a path with a null byte
            raise InvalidPolicy(f"the policy file {os.fspath(document)} cannot be read: {error}") from None
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
    except (TypeError, ValueError) as error:  # also what contains itself
        raise InvalidPolicy(f"this policy cannot be written as JSON: {error}") from None


def policy_text(
    document: Document, kind: PolicyKind, where: str, *, partition: str | None = None, most: int | None = None
) -> str:  # fmt: skip
    """Return the text of a policy that AWS would take.

    Args:
        document: the policy.
        kind: what it is used as.
        where: where the test gives it, for the error message.
        partition: the partition that its ARNs are to be of; any by default.
        most: how many characters it may have, if fewer than the largest policy of its kind.

    Raises:
        InvalidPolicy: saying what AWS would say.
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
        raise InvalidPolicy(f"{where}: AWS refuses this {kind.value}: {malformed.reason or 'not JSON'}") from None
    return text
