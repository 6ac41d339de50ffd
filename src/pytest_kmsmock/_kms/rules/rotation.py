"""Rotation of key material: rotating a key, and scheduling the next rotation.

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
PENDING_MULTI_REGION = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
PENDING = (PENDING_ROTATION, PENDING_MULTI_REGION)
#: Maximum number of automatic rotations per key when the clock moves: only the last ones are made, since key material
#: of earlier ones was never used.
MAX_ROTATIONS_AT_ONCE = 1000


def is_primary(key: Key) -> bool:
    """Whether a key is a multi-Region primary key or a single-Region key: it can be rotated."""
    return key.multi_region is None or key.multi_region.primary == key.region


def schedule_rotation(service: Backend, key: Key, rotation: Rotation) -> None:
    """Enable automatic rotation for a key and its related keys, from the given next date."""
    changed = service.state.change_key(key, rotation=rotation)
    service.state.schedule(rotation.next_date, service.state.home(changed), changed.id)


def rotate(service: Backend, key: Key, when: datetime, kind: str) -> Key:
    """Generate new key material for a key; earlier materials still decrypt."""
    new = KeyMaterial(service.random(32).hex(), LazyMaterial(key.spec, service.keys), "CURRENT", when, kind)
    *older, current = key.materials  # the last one is current, since no generated material is pending rotation
    changed = service.state.change_key(key, materials=(*older, current._replace(state="NON_CURRENT"), new))
    _log_rotation(service, key, changed, when, kind)
    return changed


def rotate_to_imported(service: Backend, key: Key, when: datetime) -> None:
    """Make the key material that is pending rotation the current one, in all related keys.

    Captured from AWS KMS, 2026-09: also if it was replaced, deleted from a replica key, or expired since the rotation
    began.
    """
    state = service.state
    if all(material.state not in PENDING for material in key.materials):
        return  # it was deleted
    for each in (key, *state.related(key)):
        state.change_key(each, materials=tuple(_rotated(material, when) for material in each.materials))
    _log_rotation(service, key, state.home(key).keys[key.id], when, ON_DEMAND)


def _log_rotation(service: Backend, before: Key, after: Key, when: datetime, kind: str) -> None:
    """Log a rotation for CloudTrail, and its synchronization to replica keys."""
    old, new = before.current, after.current
    assert old is not None
    assert new is not None
    service.state.log(
        "RotateKey", when, before, rotationType=kind, keyOrigin=before.origin,
        previousKeyMaterialId=old.id, currentKeyMaterialId=new.id,
    )  # fmt: skip
    for related in service.state.related(after):
        service.state.log("SynchronizeMultiRegionKey", when, related)


def _rotated(material: KeyMaterial, when: datetime) -> KeyMaterial:
    if material.state in PENDING:
        return material._replace(state="CURRENT", rotated=when, rotation_type=ON_DEMAND)
    return material._replace(state="NON_CURRENT")


def rotate_if_due(service: Backend, key: Key, when: datetime) -> None:
    """Rotate a key if its automatic rotation is due, and schedule the next one.

    Disabled keys and keys pending deletion are not rotated; `resume_rotation` does it later. If more than
    `MAX_ROTATIONS_AT_ONCE` rotations are due at once, the first ones are skipped.
    """
    rotation = key.rotation
    # Keys pending deletion are disabled too.
    if rotation is None or rotation.next_date > when or not key.enabled or not is_primary(key):
        return
    period = timedelta(days=rotation.period_days)
    skipped = (service.clock.now() - rotation.next_date) // period + 1 - MAX_ROTATIONS_AT_ONCE
    if skipped > 0:
        _schedule_next(service, key, rotation, rotation.next_date + skipped * period)
        return
    key = rotate(service, key, rotation.next_date, AUTOMATIC)
    _schedule_next(service, key, rotation, rotation.next_date + period)


def resume_rotation(service: Backend, key: Key, now: datetime) -> None:
    """Resume automatic rotation of a key that was just enabled.

    AWS: material that has not been rotated for a whole period is rotated at once and every period thereafter; else
    the key resumes its prior schedule.
    See https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html
    """
    rotation = key.rotation
    if rotation is None or rotation.next_date > now or not is_primary(key):
        return
    period = timedelta(days=rotation.period_days)
    current = key.current
    assert current is not None, "keys with automatic rotation have generated key material"
    if now - (current.rotated or key.created) >= period:
        key = rotate(service, key, now, AUTOMATIC)
        following = now + period
    else:
        following = rotation.next_date + period * ((now - rotation.next_date) // period + 1)
    _schedule_next(service, key, rotation, following)


def _schedule_next(service: Backend, key: Key, rotation: Rotation, date: datetime) -> None:
    schedule_rotation(service, key, rotation._replace(next_date=date))


def finish_on_demand(service: Backend, key: Key, when: datetime) -> None:
    """Finish an on-demand rotation, if it is due."""
    on_demand = key.on_demand
    if on_demand is None or on_demand.until > when:
        return
    primary = next(each for each in (key, *service.state.related(key)) if is_primary(each))
    key = service.state.change_key(primary, on_demand=None)
    if key.origin == "EXTERNAL":
        rotate_to_imported(service, key, on_demand.until)
    else:
        rotate(service, key, on_demand.until, ON_DEMAND)
