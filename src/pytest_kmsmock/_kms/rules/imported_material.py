"""Imported key material: its id, importing, deleting and expiring it.

Related multi-Region keys list the same key materials, and each key needs an import of its own: until then a key
material has no `secret` in that key. Used by the operations of `_kms.operations.management.imports` and
`_kms.operations.management.multi_region`, and by the timeline.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from .rotation import PENDING, PENDING_MULTI_REGION, PENDING_ROTATION, is_primary

if TYPE_CHECKING:
    from pytest_kmsmock._kms.crypto import Material
    from pytest_kmsmock._kms.state.records import Key, KeyMaterial
    from pytest_kmsmock._kms.state.state import State


def material_id(key: Key, material: Material) -> str:
    """Return the key material id, 64 hexadecimal digits derived from key id and material, as AWS documents."""
    return hashlib.sha256(key.id.encode() + b"\0" + material.private_bytes()).hexdigest()


def without_secrets(materials: Iterable[KeyMaterial]) -> tuple[KeyMaterial, ...]:
    """Return key materials as in a new replica key, which needs an import of its own."""
    return tuple(material._replace(secret=None, expires=None) for material in materials)


def is_imported(material: KeyMaterial) -> bool:
    """Whether a key lists a key material as imported, which includes expired material.

    Captured from AWS KMS, 2026-09, for 15 minutes after the expiry of material pending rotation.
    """
    return material.secret is not None or material.expires is not None


def store_material(state: State, key: Key, entry: KeyMaterial) -> Key:
    """Add a key material to a key, or replace the one with its id.

    A key is enabled once its material is complete, even if it was disabled before (captured from AWS KMS, 2026-09).
    Replica keys list new material too, and have the descriptions of the primary key.
    """
    if key.material(entry.id) is None:
        materials = (*key.materials, entry)
        for replica in state.related(key):
            state.change_key(replica, materials=(*replica.materials, *without_secrets([entry])))
    else:
        materials = _with_material(key, entry)
        for replica in state.related(key) if is_primary(key) else ():
            known = replica.material(entry.id)
            assert known is not None, "related keys list the same key materials"
            state.change_key(replica, materials=_with_material(replica, known._replace(description=entry.description)))
    changed = state.change_key(key, materials=materials)
    if entry.state not in PENDING and is_complete(materials):
        changed = state.change_key(changed, enabled=True)
    update_pending_state(state, changed)
    if entry.expires is not None:
        state.schedule(entry.expires, state.home(key), key.id)
    return changed


def _with_material(key: Key, entry: KeyMaterial) -> tuple[KeyMaterial, ...]:
    """Return the key materials of a key, with `entry` replacing the one with its id."""
    return tuple(entry if material.id == entry.id else material for material in key.materials)


def delete_material(state: State, key: Key, entry: KeyMaterial) -> None:
    """Delete a key material of a key.

    Current and former material stays listed, so that it can be imported again. Material pending rotation is removed
    from all related keys if it is deleted from the primary key.
    """
    if entry.state in PENDING and is_primary(key):
        for each in (key, *state.related(key)):
            state.change_key(each, materials=tuple(other for other in each.materials if other.id != entry.id))
        return
    gone = entry._replace(secret=None, expires=None)
    update_pending_state(state, state.change_key(key, materials=_with_material(key, gone)))


def expire_material(state: State, key: Key, when: datetime) -> None:
    """Delete the secrets of expired key materials; material pending rotation stays pending."""
    for material in key.materials:
        if material.secret is not None and material.expires is not None and material.expires <= when:
            state.log("DeleteExpiredKeyMaterial", material.expires, key, keyMaterialId=material.id)
            key = state.change_key(key, materials=_with_material(key, material._replace(secret=None)))


def is_complete(materials: Iterable[KeyMaterial]) -> bool:
    """Whether all required key materials are imported: the current one and those before it."""
    needed = [material for material in materials if material.state not in PENDING]
    return bool(needed) and all(material.secret is not None for material in needed)


def update_pending_state(state: State, key: Key) -> None:
    """Update the state of material pending rotation: whether all related keys have imported it."""
    all_related = [key, *state.related(key)]
    for pending in [material.id for material in key.materials if material.state in PENDING]:
        complete = all((entry := each.material(pending)) is not None and is_imported(entry) for each in all_related)
        label = PENDING_ROTATION if complete else PENDING_MULTI_REGION
        for each in all_related:
            current = state.home(each).keys[each.id]
            state.change_key(
                current,
                materials=tuple(
                    material._replace(state=label) if material.id == pending else material
                    for material in current.materials
                ),
            )
