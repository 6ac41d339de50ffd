"""Rotating key material: what a rotation does to a key, and when the next one is due.

Used by the operations of `_kms.operations.management.rotation`, by the timeline and by EnableKey.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pytest_kmsmock._kms.entropy.key_source import LazyMaterial
from pytest_kmsmock._kms.state.records import Key, KeyMaterial, Rotation

if TYPE_CHECKING:
    from pytest_kmsmock._kms.state.backend import Backend

AUTOMATIC, ON_DEMAND = "AUTOMATIC", "ON_DEMAND"
PENDING_ROTATION = "PENDING_ROTATION"
PENDING_EVERYWHERE = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
PENDING = (PENDING_ROTATION, PENDING_EVERYWHERE)
#: How many automatic rotations of a key a jump of the clock carries out: the last ones. Nobody has used the material of
#: those before.
CARRIED_OUT = 1000


def is_primary(key: Key) -> bool:
    """Whether a key is the one of its related keys that is rotated and replicated; single-Region keys are."""
    return key.multi_region is None or key.multi_region.primary == key.region


def schedule_rotation(service: Backend, key: Key, rotation: Rotation) -> None:
    """Turn automatic rotation on for a key and its related keys, with the given next date."""
    changed = service.state.change_key(key, rotation=rotation)
    service.state.schedule(rotation.next_date, service.state.home(changed), changed.id)


def rotate(service: Backend, key: Key, when: datetime, kind: str) -> Key:
    """Give a key new material made by KMS, now; the older ones go on to decrypt."""
    fresh = KeyMaterial(service.random(32).hex(), LazyMaterial(key.spec, service.keys), "CURRENT", when, kind)
    *older, current = key.materials  # KMS makes material only for keys whose latest is the current one
    changed = service.state.change_key(key, materials=(*older, current._replace(state="NON_CURRENT"), fresh))
    _log_rotation(service, key, changed, when, kind)
    return changed


def rotate_to_imported(service: Backend, key: Key, when: datetime) -> None:
    """Make the material that is pending rotation now the current one, in each related key, with or without it.

    Captured from AWS KMS, 2026-09: it may have been replaced, deleted from a replica or have expired since the rotation
    began.
    """
    state = service.state
    if all(material.state not in PENDING for material in key.materials):
        return  # deleted since
    for member in (key, *state.related(key)):
        state.change_key(member, materials=tuple(_promoted(material, when) for material in member.materials))
    _log_rotation(service, key, state.home(key).keys[key.id], when, ON_DEMAND)


def _log_rotation(service: Backend, before: Key, after: Key, when: datetime, kind: str) -> None:
    """Note a rotation for CloudTrail, and that the replicas were given its result."""
    old, new = before.current, after.current
    assert old is not None
    assert new is not None
    service.state.log(
        "RotateKey", when, before, rotationType=kind, keyOrigin=before.origin,
        previousKeyMaterialId=old.id, currentKeyMaterialId=new.id,
    )  # fmt: skip
    for related in service.state.related(after):
        service.state.log("SynchronizeMultiRegionKey", when, related)


def _promoted(material: KeyMaterial, when: datetime) -> KeyMaterial:
    if material.state in PENDING:
        return material._replace(state="CURRENT", rotated=when, rotation_type=ON_DEMAND)
    return material._replace(state="NON_CURRENT")


def rotate_if_due(service: Backend, key: Key, when: datetime) -> None:
    """Do the automatic rotation of a key that is due, and say when the next one is.

    A key that is disabled or pending deletion is not rotated; `resume_rotation` sees to it later. Of more rotations
    than `CARRIED_OUT` that are due at once, the first are left out.
    """
    rotation = key.rotation
    # A key that is pending deletion is not enabled either.
    if rotation is None or rotation.next_date > when or not key.enabled or not is_primary(key):
        return
    period = timedelta(days=rotation.period_days)
    skipped = (service.clock.now() - rotation.next_date) // period + 1 - CARRIED_OUT
    if skipped > 0:
        _set_next(service, key, rotation, rotation.next_date + skipped * period)
        return
    key = rotate(service, key, rotation.next_date, AUTOMATIC)
    _set_next(service, key, rotation, rotation.next_date + period)


def resume_rotation(service: Backend, key: Key, now: datetime) -> None:
    """Take automatic rotation up again for a key that was just enabled.

    AWS: material that has not been rotated for a whole period is rotated at once and every period thereafter; else
    the key resumes its prior schedule.
    See https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html
    """
    rotation = key.rotation
    if rotation is None or rotation.next_date > now or not is_primary(key):
        return
    period = timedelta(days=rotation.period_days)
    current = key.current
    assert current is not None, "KMS made the material of a key with automatic rotation"
    if now - (current.rotated or key.created) >= period:
        key = rotate(service, key, now, AUTOMATIC)
        following = now + period
    else:
        following = rotation.next_date + period * ((now - rotation.next_date) // period + 1)
    _set_next(service, key, rotation, following)


def _set_next(service: Backend, key: Key, rotation: Rotation, date: datetime) -> None:
    schedule_rotation(service, key, rotation._replace(next_date=date))


def finish_on_demand(service: Backend, key: Key, when: datetime) -> None:
    """End a rotation on demand that is under way, if its time has come."""
    under_way = key.on_demand
    if under_way is None or under_way.until > when:
        return
    primary = next(member for member in (key, *service.state.related(key)) if is_primary(member))
    key = service.state.change_key(primary, on_demand=None)
    if key.origin == "EXTERNAL":
        rotate_to_imported(service, key, under_way.until)
    else:
        rotate(service, key, under_way.until, ON_DEMAND)
