"""The encryption context of each permission of a call, for reports, hygiene checks and policies.

See https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_kmsmock._kms.call.operation import Target
    from pytest_kmsmock._kms.engine.call_record import CallRecord

#: Permission to encrypt or decrypt -> the parameter that has its encryption context.
_MEMBERS = {
    "kms:Encrypt": "EncryptionContext",
    "kms:Decrypt": "EncryptionContext",
    "kms:GenerateDataKey": "EncryptionContext",
    "kms:GenerateDataKeyWithoutPlaintext": "EncryptionContext",
    "kms:GenerateDataKeyPair": "EncryptionContext",
    "kms:GenerateDataKeyPairWithoutPlaintext": "EncryptionContext",
    "kms:ReEncryptFrom": "SourceEncryptionContext",
    "kms:ReEncryptTo": "DestinationEncryptionContext",
}

_NONE: Mapping[str, str] = {}


def encryption_context(record: CallRecord, target: Target) -> Mapping[str, str]:
    """Return the encryption context of a call for a permission; empty if there is none.

    For CreateGrant it is that of the grant's constraints, as in condition keys.
    """
    if target.permission == "kms:CreateGrant":
        constraints = record.params.get("Constraints") or {}
        return {**constraints.get("EncryptionContextEquals", {}), **constraints.get("EncryptionContextSubset", {})}
    member = _MEMBERS.get(target.permission)
    context = record.params.get(member) if member is not None else None
    return context if isinstance(context, Mapping) else _NONE


def lacks_context(record: CallRecord) -> bool:
    """Say whether a successful call used a symmetric encryption key without an encryption context."""
    return not record.refused and any(
        target.permission in _MEMBERS
        and target.key is not None
        and target.key.spec.key_type == "symmetric"
        and not encryption_context(record, target)
        for target in record.targets
    )
