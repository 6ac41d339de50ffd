"""Imported key material: its identity, and how it comes to a key and goes from it.

Related multi-Region keys have the same generations of material, each with its own import: a generation that a replica
lacks has no `secret` there. Used by the operations of `_kms.operations.management.imports` and
`_kms.operations.management.multi_region`, and by the timeline.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from .rotation import PENDING, PENDING_EVERYWHERE, PENDING_ROTATION, is_primary

if TYPE_CHECKING:
    from pytest_kmsmock._kms.crypto import Material
    from pytest_kmsmock._kms.state.records import Key, KeyMaterial
    from pytest_kmsmock._kms.state.state import State


def material_id(key: Key, material: Material) -> str:
    """Return the key material id, 64 hexadecimal digits: a function of key id and material, as AWS documents."""
    return hashlib.sha256(key.id.encode() + b"\0" + material.private_bytes()).hexdigest()


def missing_everywhere(materials: Iterable[KeyMaterial]) -> tuple[KeyMaterial, ...]:
    """Return the generations as a new replica key has them, which waits for its own import."""
    return tuple(material._replace(secret=None, expires=None) for material in materials)


def is_imported(material: KeyMaterial) -> bool:
    """Whether a key lists a generation as imported: it does so for expired material too, though it cannot be used.

    Captured from AWS KMS, 2026-09, for 15 minutes after the expiry of material pending rotation.
    """
    return material.secret is not None or material.expires is not None


def put_material(state: State, key: Key, entry: KeyMaterial) -> Key:
    """Put a generation of material into a key, in the place of the one with its id if there is one.

    An import of what the key needs enables it when its material is complete then, even if it was disabled (captured
    from AWS KMS, 2026-09). Replicas learn of new material, and have the primary key's descriptions.
    """
    if key.material(entry.id) is None:
        materials = (*key.materials, entry)
        for replica in state.related(key):
            state.change_key(replica, materials=(*replica.materials, *missing_everywhere([entry])))
    else:
        materials = _with(key, entry)
        for replica in state.related(key) if is_primary(key) else ():
            known = replica.material(entry.id)
            assert known is not None, "related keys have the same generations"
            state.change_key(replica, materials=_with(replica, known._replace(description=entry.description)))
    changed = state.change_key(key, materials=materials)
    if entry.state not in PENDING and is_complete(materials):
        changed = state.change_key(changed, enabled=True)
    relabel_pending(state, changed)
    if entry.expires is not None:
        state.schedule(entry.expires, state.home(key), key.id)
    return changed


def _with(key: Key, entry: KeyMaterial) -> tuple[KeyMaterial, ...]:
    """Return the generations of a key with one in the place of that with its id."""
    return tuple(entry if material.id == entry.id else material for material in key.materials)


def take_material(state: State, key: Key, entry: KeyMaterial) -> None:
    """Delete a generation of material from a key.

    What is current or was current stays known, so that the same material can be imported again. What is pending
    rotation is forgotten when the primary key loses it, by its replicas too.
    """
    if entry.state in PENDING and is_primary(key):
        for member in (key, *state.related(key)):
            state.change_key(member, materials=tuple(other for other in member.materials if other.id != entry.id))
        return
    gone = entry._replace(secret=None, expires=None)
    relabel_pending(state, state.change_key(key, materials=_with(key, gone)))


def expire_material(state: State, key: Key, when: datetime) -> None:
    """Delete the secrets of the material of a key whose time has come; what is pending rotation stays so."""
    for material in key.materials:
        if material.secret is not None and material.expires is not None and material.expires <= when:
            state.log("DeleteExpiredKeyMaterial", material.expires, key, keyMaterialId=material.id)
            key = state.change_key(key, materials=_with(key, material._replace(secret=None)))


def is_complete(materials: Iterable[KeyMaterial]) -> bool:
    """Whether the generations that a key needs are all there: the current one and those before it."""
    needed = [material for material in materials if material.state not in PENDING]
    return bool(needed) and all(material.secret is not None for material in needed)


def relabel_pending(state: State, key: Key) -> None:
    """Say of material that is pending rotation whether every related key has it."""
    family = [key, *state.related(key)]
    for pending in [material.id for material in key.materials if material.state in PENDING]:
        complete = all((entry := member.material(pending)) is not None and is_imported(entry) for member in family)
        label = PENDING_ROTATION if complete else PENDING_EVERYWHERE
        for member in family:
            current = state.home(member).keys[member.id]
            state.change_key(
                current,
                materials=tuple(
                    material._replace(state=label) if material.id == pending else material
                    for material in current.materials
                ),
            )
