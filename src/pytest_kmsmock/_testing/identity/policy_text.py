"""Policies as a test gives them: as JSON text or as a mapping, with an error that says what is wrong where."""

from __future__ import annotations

import json
from collections.abc import Mapping
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

#: A policy: JSON text, or what `json.dumps` makes it of.
Document: TypeAlias = "str | Mapping[str, object]"


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
    if not isinstance(document, str | Mapping):
        raise InvalidPolicy(f"{where}: a policy is a JSON string or a mapping, not {type(document).__name__}.")
    try:
        text = document if isinstance(document, str) else json.dumps(document)
        policy = compile_policy(text, kind)
        resources = [arn for each in policy.statements if each.resource for arn in each.resource.entries]
        check_partition(resources, PARTITIONS if partition is None else {partition})
        check_size(text if isinstance(document, str) else compact(document), kind, most)
    except MalformedPolicy as malformed:
        raise InvalidPolicy(f"{where}: AWS refuses this {kind.value}: {malformed.reason or 'not JSON'}") from None
    except TypeError as error:
        raise InvalidPolicy(f"{where}: this policy cannot be written as JSON: {error}") from None
    return text
