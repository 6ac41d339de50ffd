"""Rotation of key material, by the calendar and on demand.

See https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
"""

from __future__ import annotations

from datetime import timedelta

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.call.operation import Call, Result, operation
from pytest_kmsmock._kms.operations.pagination import after_in, paginate
from pytest_kmsmock._kms.operations.targets import key
from pytest_kmsmock._kms.rules.imported_material import is_complete
from pytest_kmsmock._kms.rules.key_states import ROTATES
from pytest_kmsmock._kms.rules.rotation import PENDING_ROTATION, is_primary, schedule_rotation
from pytest_kmsmock._kms.state.delays import Delays
from pytest_kmsmock._kms.state.records import Key, KeyMaterial, OnDemandRotation, Rotation

ROTATIONS_ON_DEMAND = 25
_DEFAULT_PERIOD_DAYS = 365
_ROTATIONS_PER_PAGE = 100
#: A rotation on demand is refused so shortly before an automatic one.
_CLOSE_TO_AUTOMATIC = timedelta(minutes=20)


@operation("EnableKeyRotation", targets=[key()], states=ROTATES, customer_managed=True)
def enable_key_rotation(call: Call) -> Result:
    """Rotate the material of a key every so many days from now; on a key that is rotated so already, change the period.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html
    """
    _check_automatic(call.key, primary=True)
    period = call.params.get("RotationPeriodInDays", _DEFAULT_PERIOD_DAYS)
    schedule_rotation(call.service, call.key, Rotation(period, call.now + timedelta(days=period)))
    return {}


@operation("DisableKeyRotation", targets=[key()], states=ROTATES, customer_managed=True)
def disable_key_rotation(call: Call) -> Result:
    """Rotate the material of a key by the calendar no more.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_DisableKeyRotation.html
    """
    _check_automatic(call.key, primary=True)
    call.state.change_key(call.key, rotation=None)
    return {}


@operation("GetKeyRotationStatus", targets=[key()], cross_account=True)
def get_key_rotation_status(call: Call) -> Result:
    """Say whether and when the material of a key is rotated by the calendar.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html
    """
    _check_automatic(call.key)
    rotation = call.key.rotation if call.key.deletion is None else None  # AWS: false while pending deletion
    result: Result = {"KeyId": call.key.arn, "KeyRotationEnabled": rotation is not None}
    if rotation is not None:
        result["RotationPeriodInDays"] = rotation.period_days
        result["NextRotationDate"] = rotation.next_date
    if call.key.on_demand is not None:
        result["OnDemandRotationStartDate"] = call.key.on_demand.started
    return result


@operation("RotateKeyOnDemand", targets=[key()], states=ROTATES, customer_managed=True)
def rotate_key_on_demand(call: Call) -> Result:
    """Rotate the material of a key now, whatever its calendar.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_RotateKeyOnDemand.html
    """
    found = call.key
    _check_rotatable(found)
    _check_primary(found)
    if found.origin == "EXTERNAL":
        if not is_complete(found.materials):
            raise errors.PENDING_IMPORT(arn=found.arn)
        if not any(material.state == PENDING_ROTATION for material in found.materials):
            raise errors.NO_MATERIAL_TO_ROTATE_TO(arn=found.arn)
    soon = found.rotation is not None and found.rotation.next_date - call.now <= _CLOSE_TO_AUTOMATIC
    if soon or found.on_demand is not None:
        raise errors.ROTATION_UNDER_WAY()
    if found.on_demand_rotations >= ROTATIONS_ON_DEMAND:
        raise errors.TOO_MANY_ROTATIONS(arn=found.arn)
    until = Delays.end(call.now, call.service.delays.rotating)
    call.state.change_key(
        found,
        on_demand=OnDemandRotation(call.now, until),
        on_demand_rotations=found.on_demand_rotations + 1,
    )
    call.state.schedule(until, call.region, found.id)
    return {"KeyId": found.arn}


@operation("ListKeyRotations", targets=[key()])
def list_key_rotations(call: Call) -> Result:
    """List the completed rotations of a key, oldest first; on request all its material.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeyRotations.html
    """
    found = call.key
    _check_rotatable(found)
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
        "KeyId": found.id,
        "KeyMaterialId": material.id,
        "KeyMaterialState": material.state,
    }
    if found.origin == "EXTERNAL":
        entry["ImportState"] = "PENDING_IMPORT" if material.secret is None else "IMPORTED"
        if material.description is not None:
            entry["KeyMaterialDescription"] = material.description
        if material.secret is not None:
            entry["ExpirationModel"] = (
                "KEY_MATERIAL_DOES_NOT_EXPIRE" if material.expires is None else "KEY_MATERIAL_EXPIRES"
            )
        if material.expires is not None:
            entry["ValidTo"] = material.expires
    if material.rotated is not None:
        entry["RotationDate"] = material.rotated
        entry["RotationType"] = material.rotation_type
    return entry


def _check_rotatable(found: Key) -> None:
    """Refuse keys whose material never changes: asymmetric and HMAC keys, and those of custom key stores."""
    if found.spec.key_type != "symmetric" or found.custom_key_store_id is not None:
        raise errors.UNSUPPORTED_SILENTLY()


def _check_automatic(found: Key, *, primary: bool = False) -> None:
    """Refuse keys that are not rotated by the calendar."""
    _check_rotatable(found)
    if found.origin == "EXTERNAL":
        raise errors.ORIGIN_NOT_VALID(arn=found.arn, origin=found.origin)
    if primary:
        _check_primary(found)


def _check_primary(found: Key) -> None:
    if not is_primary(found):
        raise errors.NOT_PRIMARY(arn=found.arn)
