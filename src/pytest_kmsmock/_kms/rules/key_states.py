"""Key states: which state a key is in, and which operations AWS allows in it.

Source: Developer Guide, "Key states of AWS KMS keys"
(https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html). An operation names one of the rules below.
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

#: Which error refuses an operation that does not work in a state.
_REFUSALS: Mapping[str, errors.ErrorTemplate] = {
    DISABLED: errors.DISABLED,
    PENDING_DELETION: errors.PENDING_DELETION,
    PENDING_REPLICA_DELETION: errors.PENDING_REPLICA_DELETION,
    PENDING_IMPORT: errors.PENDING_IMPORT,
    UNAVAILABLE: errors.UNAVAILABLE,
    CREATING: errors.CREATING,
    UPDATING: errors.UPDATING,
}


def _refused_in(*states: str) -> dict[str, errors.ErrorTemplate]:
    return {state: _REFUSALS[state] for state in states}


#: Encrypting, signing and everything else that uses the material.
USES_MATERIAL = _refused_in(DISABLED, PENDING_DELETION, PENDING_REPLICA_DELETION, PENDING_IMPORT, UNAVAILABLE, CREATING)
#: GetPublicKey, which works with disabled keys, against the guide's table (captured from AWS KMS, 2026-09).
SHOWS_PUBLIC_KEY = _refused_in(PENDING_DELETION, PENDING_REPLICA_DELETION, PENDING_IMPORT, UNAVAILABLE, CREATING)
#: CreateGrant: as using the material, but a disconnected key store does not matter.
CREATES_GRANT = _refused_in(DISABLED, PENDING_DELETION, PENDING_REPLICA_DELETION, PENDING_IMPORT, CREATING)
#: CreateAlias, TagResource, UntagResource, UpdateKeyDescription.
NOT_PENDING_DELETION = _refused_in(PENDING_DELETION, PENDING_REPLICA_DELETION)
#: EnableKey and DisableKey.
SWITCHES = _refused_in(PENDING_DELETION, PENDING_REPLICA_DELETION, PENDING_IMPORT, CREATING, UPDATING)
#: ScheduleKeyDeletion.
SCHEDULES_DELETION = _refused_in(PENDING_DELETION, PENDING_REPLICA_DELETION, UPDATING)
#: CancelKeyDeletion.
CANCELS_DELETION: StateRule = dict.fromkeys(
    (ENABLED, DISABLED, PENDING_IMPORT, UNAVAILABLE, CREATING, UPDATING), errors.NOT_PENDING_DELETION
)
#: EnableKeyRotation, DisableKeyRotation and RotateKeyOnDemand.
ROTATES = _refused_in(DISABLED, PENDING_DELETION, PENDING_REPLICA_DELETION, CREATING)
#: ImportKeyMaterial. Keys that can be unavailable have another origin, which the operation itself refuses.
IMPORTS = _refused_in(PENDING_DELETION, PENDING_REPLICA_DELETION, CREATING)
#: GetParametersForImport.
PREPARES_IMPORT = IMPORTS | _refused_in(UPDATING)
#: DeleteImportedKeyMaterial.
DELETES_MATERIAL = _refused_in(CREATING, UPDATING)
#: ReplicateKey.
REPLICATES = _refused_in(DISABLED, PENDING_DELETION, PENDING_REPLICA_DELETION, PENDING_IMPORT, CREATING, UPDATING)
#: UpdatePrimaryRegion.
MOVES_PRIMARY = _refused_in(DISABLED, PENDING_DELETION, PENDING_REPLICA_DELETION, PENDING_IMPORT, CREATING)


def key_state(key: Key, state: State) -> str:
    """Return the KeyState of a key, as DescribeKey shows it."""
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
    """Refuse an operation on a key that is not in a fit state.

    Raises:
        KmsError: `DisabledException` or `KMSInvalidStateException` with AWS's text for the state.
    """
    refusal = rule.get(key_state(key, state))
    if refusal is not None:
        raise refusal(arn=key.arn)
