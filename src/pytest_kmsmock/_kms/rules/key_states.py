"""Key states: the state of a key, and the operations that AWS allows in it.

Source: Developer Guide, "Key states of AWS KMS keys"
(https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html). Each operation refers to one of the rules below.
"""

from __future__ import annotations

from collections.abc import Mapping

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.call.operation import StateRule
from pytest_kmsmock._kms.state.records import Key
from pytest_kmsmock._kms.state.state import State

from .imported_material import is_complete

ENABLED, DISABLED = "Enabled", "Disabled"
PENDING_DELETION, PENDING_REPLICA_DELETION = "PendingDeletion", "PendingReplicaDeletion"
PENDING_IMPORT, UNAVAILABLE, CREATING, UPDATING = "PendingImport", "Unavailable", "Creating", "Updating"

#: Key state -> the error of operations that are not allowed in it.
_STATE_ERRORS: Mapping[str, errors.ErrorTemplate] = {
    DISABLED: errors.DISABLED,
    PENDING_DELETION: errors.PENDING_DELETION,
    PENDING_REPLICA_DELETION: errors.PENDING_REPLICA_DELETION,
    PENDING_IMPORT: errors.PENDING_IMPORT,
    UNAVAILABLE: errors.UNAVAILABLE,
    CREATING: errors.CREATING,
    UPDATING: errors.UPDATING,
}


def _not_allowed_in(*states: str) -> dict[str, errors.ErrorTemplate]:
    return {state: _STATE_ERRORS[state] for state in states}


#: Cryptographic operations.
USES_MATERIAL = _not_allowed_in(
    DISABLED, PENDING_DELETION, PENDING_REPLICA_DELETION, PENDING_IMPORT, UNAVAILABLE, CREATING
)
#: GetPublicKey; unlike the guide's table, it works for disabled keys (captured from AWS KMS, 2026-09).
SHOWS_PUBLIC_KEY = _not_allowed_in(PENDING_DELETION, PENDING_REPLICA_DELETION, PENDING_IMPORT, UNAVAILABLE, CREATING)
#: CreateGrant: as cryptographic operations, but also for keys in a disconnected custom key store.
CREATES_GRANT = _not_allowed_in(DISABLED, PENDING_DELETION, PENDING_REPLICA_DELETION, PENDING_IMPORT, CREATING)
#: CreateAlias, TagResource, UntagResource, UpdateKeyDescription; GetParametersForImport and ImportKeyMaterial, after
#: the key's Origin.
NOT_PENDING_DELETION = _not_allowed_in(PENDING_DELETION, PENDING_REPLICA_DELETION)
#: EnableKey and DisableKey.
ENABLES_OR_DISABLES = _not_allowed_in(PENDING_DELETION, PENDING_REPLICA_DELETION, PENDING_IMPORT, CREATING, UPDATING)
#: ScheduleKeyDeletion.
SCHEDULES_DELETION = _not_allowed_in(PENDING_DELETION, PENDING_REPLICA_DELETION, UPDATING)
#: CancelKeyDeletion.
CANCELS_DELETION: StateRule = dict.fromkeys(
    (ENABLED, DISABLED, PENDING_IMPORT, UNAVAILABLE, CREATING, UPDATING), errors.NOT_PENDING_DELETION
)
#: Operations that check the Origin of a key before other states (footnotes 7 to 9 of the guide's table):
#: ImportKeyMaterial, EnableKeyRotation, DisableKeyRotation and RotateKeyOnDemand.
NOT_CREATING = _not_allowed_in(CREATING)
#: GetParametersForImport and DeleteImportedKeyMaterial.
NOT_CREATING_OR_UPDATING = _not_allowed_in(CREATING, UPDATING)
#: EnableKeyRotation, DisableKeyRotation and RotateKeyOnDemand, after the key's Origin.
ROTATES = _not_allowed_in(DISABLED, PENDING_DELETION, PENDING_REPLICA_DELETION)
#: ReplicateKey.
REPLICATES = _not_allowed_in(DISABLED, PENDING_DELETION, PENDING_REPLICA_DELETION, PENDING_IMPORT, CREATING, UPDATING)
#: UpdatePrimaryRegion.
MOVES_PRIMARY = _not_allowed_in(DISABLED, PENDING_DELETION, PENDING_REPLICA_DELETION, PENDING_IMPORT, CREATING)


def key_state(key: Key, state: State) -> str:
    """Return the KeyState of a key."""
    if key.deletion is not None:
        return PENDING_REPLICA_DELETION if key.deletion.date is None else PENDING_DELETION
    if key.transition is not None:
        return key.transition.state
    if key.origin == "EXTERNAL" and not is_complete(key.materials):
        return PENDING_IMPORT
    if key.custom_key_store_id is not None:
        store = state.home(key).custom_key_stores[key.custom_key_store_id]
        if store.state != "CONNECTED":
            return UNAVAILABLE
    return ENABLED if key.enabled else DISABLED


def check_state(key: Key, rule: StateRule, state: State) -> None:
    """Check that a rule allows the state of a key.

    Raises:
        KmsError: `DisabledException` or `KMSInvalidStateException` with AWS's message for the state.
    """
    error = rule.get(key_state(key, state))
    if error is not None:
        raise error(arn=key.arn)
