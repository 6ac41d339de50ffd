"""Automatic and on-demand rotation of key material.

See https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
"""

from __future__ import annotations

from datetime import timedelta

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.call.operation import Call, Result, operation
from pytest_kmsmock._kms.operations.pagination import in_given_order, paginate
from pytest_kmsmock._kms.operations.targets import key
from pytest_kmsmock._kms.rules.imported_material import is_complete, is_imported
from pytest_kmsmock._kms.rules.key_states import NOT_CREATING, ROTATES, check_state
from pytest_kmsmock._kms.rules.rotation import PENDING, PENDING_ROTATION, is_primary, schedule_rotation
from pytest_kmsmock._kms.rules.timeline import end_observed_transition
from pytest_kmsmock._kms.state.delays import end_of
from pytest_kmsmock._kms.state.records import Key, KeyMaterial, OnDemandRotation, Rotation

ROTATIONS_ON_DEMAND = 25
_DEFAULT_PERIOD_DAYS = 365
_ROTATIONS_PER_PAGE = 100
#: On-demand rotation is an error for this time before an automatic rotation.
_CLOSE_TO_AUTOMATIC = timedelta(minutes=20)
#: Minimum duration of an on-demand rotation (captured from AWS KMS, 2026-09: 35 seconds to 7 minutes).
_MIN_ON_DEMAND_DURATION = timedelta(seconds=35)


@operation("EnableKeyRotation", targets=[key()], states=NOT_CREATING, customer_managed=True)
def enable_key_rotation(call: Call) -> Result:
    """Enable automatic rotation of a key, or change its period.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html
    """
    kms_key = call.key
    _check_automatic(kms_key)
    check_state(kms_key, ROTATES, call.state)
    _check_symmetric(kms_key)
    _check_primary(call)
    present = None if kms_key.rotation is None else kms_key.rotation.period_days
    period = call.params.get("RotationPeriodInDays", present or _DEFAULT_PERIOD_DAYS)
    if period != present:  # captured from AWS KMS, 2026-09: the same period keeps the next date
        schedule_rotation(call.service, kms_key, Rotation(period, call.now + timedelta(days=period)))
    return {}


@operation("DisableKeyRotation", targets=[key()], states=NOT_CREATING, customer_managed=True)
def disable_key_rotation(call: Call) -> Result:
    """Disable automatic rotation of a key; does nothing for asymmetric and HMAC keys.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_DisableKeyRotation.html
    """
    kms_key = call.key
    _check_automatic(kms_key)
    check_state(kms_key, ROTATES, call.state)
    if not _is_asymmetric_or_hmac(kms_key):
        _check_primary(call)
    call.state.change_key(kms_key, rotation=None)
    return {}


@operation("GetKeyRotationStatus", targets=[key()], cross_account=True, keeps_transition="on_demand")
def get_key_rotation_status(call: Call) -> Result:
    """Return the automatic rotation of a key, and an on-demand rotation in progress.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html
    """
    kms_key = call.key
    _check_store(kms_key)
    rotation = None if _reports_rotation_disabled(kms_key) else kms_key.rotation
    result: Result = {"KeyId": kms_key.arn, "KeyRotationEnabled": rotation is not None}
    if rotation is not None:
        result["RotationPeriodInDays"] = rotation.period_days
        result["NextRotationDate"] = rotation.next_date
    if kms_key.on_demand is not None:
        result["OnDemandRotationStartDate"] = kms_key.on_demand.started
        end_observed_transition(call.service, kms_key, "on_demand")
    return result


def _reports_rotation_disabled(kms_key: Key) -> bool:
    """Whether AWS reports KeyRotationEnabled as false: for a key pending deletion, or a new AWS managed key.

    Captured from AWS KMS, 2026-09: false for a new `aws/sqs` key; unchanged for a primary key that waits for its
    replicas. True for an AWS managed key after its first rotation is inferred: the API reference says always.
    """
    if kms_key.deletion is not None and kms_key.deletion.date is not None:
        return True
    return kms_key.manager == "AWS" and all(material.rotated is None for material in kms_key.materials)


@operation(
    "RotateKeyOnDemand", targets=[key()], states=NOT_CREATING, customer_managed=True, keeps_transition="on_demand"
)  # fmt: skip
def rotate_key_on_demand(call: Call) -> Result:
    """Start an on-demand rotation of a key; does nothing while one is in progress.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_RotateKeyOnDemand.html
    """
    kms_key = call.key
    _check_store(kms_key)
    check_state(kms_key, ROTATES, call.state)
    _check_symmetric(kms_key)
    _check_primary(call)
    if kms_key.on_demand is None:
        _check_on_demand(call)
        _begin_on_demand(call)
    return {"KeyId": kms_key.arn}


def _check_on_demand(call: Call) -> None:
    kms_key = call.key
    if kms_key.origin == "EXTERNAL":
        if not is_complete(kms_key.materials):
            raise errors.PENDING_IMPORT(arn=kms_key.arn)
        pending = [material.state for material in kms_key.materials if material.state in PENDING]
        if not pending:
            raise errors.NO_MATERIAL_PENDING_ROTATION(arn=kms_key.arn)
        if PENDING_ROTATION not in pending:
            raise errors.REPLICA_LACKS_MATERIAL()
    if kms_key.rotation is not None and kms_key.rotation.next_date - call.now <= _CLOSE_TO_AUTOMATIC:
        raise errors.ROTATION_IMMINENT()
    if kms_key.on_demand_rotations >= ROTATIONS_ON_DEMAND:
        raise errors.TOO_MANY_ROTATIONS(arn=kms_key.arn)


def _begin_on_demand(call: Call) -> None:
    kms_key, duration = call.key, call.service.delays.rotating
    until = end_of(call.now, duration)
    call.state.change_key(
        kms_key,
        on_demand=OnDemandRotation(call.now, until, None if duration else call.now + _MIN_ON_DEMAND_DURATION),
        on_demand_rotations=kms_key.on_demand_rotations + 1,
    )
    call.state.schedule(until, call.region, kms_key.id)


@operation("ListKeyRotations", targets=[key()])
def list_key_rotations(call: Call) -> Result:
    """List the completed rotations of a key, oldest first; with IncludeKeyMaterial all its key materials.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeyRotations.html
    """
    kms_key = call.key
    _check_store(kms_key)
    if "IncludeKeyMaterial" in call.params and _is_asymmetric_or_hmac(kms_key):
        raise errors.MATERIAL_LIST_NOT_FOR_SPEC()
    included = call.params.get("IncludeKeyMaterial", "ROTATIONS_ONLY")
    names = [
        material.id for material in kms_key.materials if included == "ALL_KEY_MATERIAL" or material.rotated is not None
    ]

    def show(material_id: str) -> object:
        material = kms_key.material(material_id)
        return None if material is None else _show(kms_key, material)

    return paginate(
        call, "Rotations", in_given_order(names), show, default=_ROTATIONS_PER_PAGE, scope=f"{kms_key.id} {included}"
    )


def _show(kms_key: Key, material: KeyMaterial) -> dict[str, object]:
    entry: dict[str, object] = {
        "KeyId": kms_key.arn,
        "KeyMaterialId": material.id,
        "KeyMaterialState": material.state,
    }
    if kms_key.origin == "EXTERNAL":
        entry["ImportState"] = "IMPORTED" if is_imported(material) else "PENDING_IMPORT"
        if material.description is not None:
            entry["KeyMaterialDescription"] = material.description
        if is_imported(material):
            entry["ExpirationModel"] = (
                "KEY_MATERIAL_DOES_NOT_EXPIRE" if material.expires is None else "KEY_MATERIAL_EXPIRES"
            )
        if material.expires is not None:
            entry["ValidTo"] = material.expires
    if material.rotated is not None:
        entry["RotationDate"] = material.rotated
        entry["RotationType"] = material.rotation_type
    return entry


def _is_asymmetric_or_hmac(kms_key: Key) -> bool:
    return kms_key.spec.key_type != "symmetric"


def _check_store(kms_key: Key) -> None:
    """Check that a key is not in a custom key store. The message is recorded: crossplane-contrib/provider-aws#2310."""
    if kms_key.custom_key_store_id is not None:
        raise errors.ORIGIN_NOT_VALID(arn=kms_key.arn, origin=kms_key.origin)


def _check_automatic(kms_key: Key) -> None:
    """Check that a key has an Origin that supports automatic rotation."""
    _check_store(kms_key)
    if kms_key.origin == "EXTERNAL" and not _is_asymmetric_or_hmac(kms_key):
        raise errors.ORIGIN_NOT_VALID(arn=kms_key.arn, origin=kms_key.origin)


def _check_symmetric(kms_key: Key) -> None:
    """Check that a key is a symmetric encryption key."""
    if _is_asymmetric_or_hmac(kms_key):
        raise errors.UNSUPPORTED_WITHOUT_MESSAGE()


def _check_primary(call: Call) -> None:
    if not is_primary(call.key):
        raise errors.ROTATION_OF_REPLICA(arn=call.key.arn, operation=call.operation.name)
