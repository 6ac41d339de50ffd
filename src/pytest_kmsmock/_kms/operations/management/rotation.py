"""Rotation of key material, by the calendar and on demand.

See https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
"""

from __future__ import annotations

from datetime import timedelta

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.call.operation import Call, Result, operation
from pytest_kmsmock._kms.operations.pagination import after_in, paginate
from pytest_kmsmock._kms.operations.targets import key
from pytest_kmsmock._kms.rules.imported_material import is_complete, is_imported
from pytest_kmsmock._kms.rules.key_states import ROTATES
from pytest_kmsmock._kms.rules.rotation import PENDING, PENDING_ROTATION, is_primary, schedule_rotation
from pytest_kmsmock._kms.rules.timeline import end_shown
from pytest_kmsmock._kms.state.delays import end_of
from pytest_kmsmock._kms.state.records import Key, KeyMaterial, OnDemandRotation, Rotation

ROTATIONS_ON_DEMAND = 25
_DEFAULT_PERIOD_DAYS = 365
_ROTATIONS_PER_PAGE = 100
#: A rotation on demand is refused so shortly before an automatic one.
_CLOSE_TO_AUTOMATIC = timedelta(minutes=20)
#: How long one takes at least (captured from AWS KMS, 2026-09: 35 seconds to 7 minutes).
_SHOWN_UNDER_WAY = timedelta(seconds=35)


@operation("EnableKeyRotation", targets=[key()], states=ROTATES, customer_managed=True)
def enable_key_rotation(call: Call) -> Result:
    """Rotate the material of a key every so many days from now; on a key that is rotated so already, change the period.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html
    """
    found = call.key
    _check_rotatable(found)
    _check_automatic(call)
    present = None if found.rotation is None else found.rotation.period_days
    period = call.params.get("RotationPeriodInDays", present or _DEFAULT_PERIOD_DAYS)
    if period != present:  # captured from AWS KMS, 2026-09: the same period keeps the date, too
        schedule_rotation(call.service, found, Rotation(period, call.now + timedelta(days=period)))
    return {}


@operation("DisableKeyRotation", targets=[key()], states=ROTATES, customer_managed=True)
def disable_key_rotation(call: Call) -> Result:
    """Stop rotating the material of a key by the calendar. Asymmetric and HMAC keys have no rotation to stop.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_DisableKeyRotation.html
    """
    if not _is_asymmetric_or_hmac(call.key):
        _check_rotatable(call.key)
        _check_automatic(call)
    call.state.change_key(call.key, rotation=None)
    return {}


@operation("GetKeyRotationStatus", targets=[key()], cross_account=True, watches="on_demand")
def get_key_rotation_status(call: Call) -> Result:
    """Say whether and when the material of a key is rotated by the calendar, and whether it is being rotated on demand.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html
    """
    found = call.key
    _check_store(found)
    rotation = None if _hides_rotation(found) else found.rotation
    result: Result = {"KeyId": found.arn, "KeyRotationEnabled": rotation is not None}
    if rotation is not None:
        result["RotationPeriodInDays"] = rotation.period_days
        result["NextRotationDate"] = rotation.next_date
    if found.on_demand is not None:
        result["OnDemandRotationStartDate"] = found.on_demand.started
        end_shown(call.service, found, "on_demand")
    return result


def _hides_rotation(found: Key) -> bool:
    """Say whether AWS calls the rotation of a key disabled: of one pending deletion, or a new AWS managed key.

    Captured from AWS KMS, 2026-09: false for a new `aws/sqs` key, and as before for a primary key that waits for its
    replicas. That AWS managed keys say true later on is inferred: the API reference says they always do.
    """
    if found.deletion is not None and found.deletion.date is not None:
        return True
    return found.manager == "AWS" and all(material.rotated is None for material in found.materials)


@operation("RotateKeyOnDemand", targets=[key()], states=ROTATES, customer_managed=True, watches="on_demand")
def rotate_key_on_demand(call: Call) -> Result:
    """Rotate the material of a key now, whatever its calendar; nothing more while it is being rotated on demand.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_RotateKeyOnDemand.html
    """
    found = call.key
    _check_rotatable(found)
    _check_primary(call)
    if found.on_demand is None:
        _check_on_demand(call)
        _begin_on_demand(call)
    return {"KeyId": found.arn}


def _check_on_demand(call: Call) -> None:
    found = call.key
    if found.origin == "EXTERNAL":
        if not is_complete(found.materials):
            raise errors.PENDING_IMPORT(arn=found.arn)
        waiting = [material.state for material in found.materials if material.state in PENDING]
        if not waiting:
            raise errors.NO_MATERIAL_PENDING_ROTATION(arn=found.arn)
        if PENDING_ROTATION not in waiting:
            raise errors.REPLICA_LACKS_MATERIAL()
    if found.rotation is not None and found.rotation.next_date - call.now <= _CLOSE_TO_AUTOMATIC:
        raise errors.ROTATION_IMMINENT()
    if found.on_demand_rotations >= ROTATIONS_ON_DEMAND:
        raise errors.TOO_MANY_ROTATIONS(arn=found.arn)


def _begin_on_demand(call: Call) -> None:
    found, duration = call.key, call.service.delays.rotating
    until = end_of(call.now, duration)
    call.state.change_key(
        found,
        on_demand=OnDemandRotation(call.now, until, None if duration else call.now + _SHOWN_UNDER_WAY),
        on_demand_rotations=found.on_demand_rotations + 1,
    )
    call.state.schedule(until, call.region, found.id)


@operation("ListKeyRotations", targets=[key()])
def list_key_rotations(call: Call) -> Result:
    """List the completed rotations of a key, oldest first; on request all its material.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeyRotations.html
    """
    found = call.key
    _check_store(found)
    if "IncludeKeyMaterial" in call.params and _is_asymmetric_or_hmac(found):
        raise errors.MATERIAL_LIST_NOT_FOR_SPEC()
    included = call.params.get("IncludeKeyMaterial", "ROTATIONS_ONLY")
    names = [
        material.id for material in found.materials if included == "ALL_KEY_MATERIAL" or material.rotated is not None
    ]

    def show(material_id: str) -> object:
        material = found.material(material_id)
        return None if material is None else _show(found, material)

    return paginate(
        call, "Rotations", after_in(names), show, default=_ROTATIONS_PER_PAGE, scope=f"{found.id} {included}"
    )


def _show(found: Key, material: KeyMaterial) -> dict[str, object]:
    entry: dict[str, object] = {
        "KeyId": found.arn,
        "KeyMaterialId": material.id,
        "KeyMaterialState": material.state,
    }
    if found.origin == "EXTERNAL":
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


def _is_asymmetric_or_hmac(found: Key) -> bool:
    return found.spec.key_type != "symmetric"


def _check_store(found: Key) -> None:
    """Refuse keys in custom key stores."""
    if found.custom_key_store_id is not None:
        raise errors.UNSUPPORTED_WITHOUT_MESSAGE()


def _check_rotatable(found: Key) -> None:
    """Refuse keys whose material never changes: asymmetric and HMAC keys, and those of custom key stores."""
    _check_store(found)
    if _is_asymmetric_or_hmac(found):
        raise errors.UNSUPPORTED_WITHOUT_MESSAGE()


def _check_automatic(call: Call) -> None:
    """Refuse keys that are not rotated by the calendar, and replica keys."""
    if call.key.origin == "EXTERNAL":
        raise errors.ORIGIN_NOT_VALID(arn=call.key.arn, origin=call.key.origin)
    _check_primary(call)


def _check_primary(call: Call) -> None:
    if not is_primary(call.key):
        raise errors.ROTATION_OF_REPLICA(arn=call.key.arn, operation=call.operation.name)
