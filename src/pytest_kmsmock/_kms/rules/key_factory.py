"""Creating a key: the record with its first key material. Used by CreateKey, AWS managed keys and seeds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pytest_kmsmock._kms.api.arns import key_arn, new_key_id, partition_of
from pytest_kmsmock._kms.api.key_specs import KEY_SPECS, KeySpec
from pytest_kmsmock._kms.entropy.key_source import LazyMaterial
from pytest_kmsmock._kms.policy.default_policies import default_key_policy
from pytest_kmsmock._kms.state.records import NO_TAGS, Key, KeyMaterial, MultiRegion, Rotation
from pytest_kmsmock._kms.state.state import Region

if TYPE_CHECKING:
    from pytest_kmsmock._kms.state.backend import Backend

_AWS_MANAGED_ROTATION_DAYS = 365


def make_key(
    service: Backend,
    region: Region,
    now: datetime,
    *,
    spec: KeySpec | None = None,
    usage: str = "ENCRYPT_DECRYPT",
    origin: str = "AWS_KMS",
    key_id: str | None = None,
    policy: str | None = None,
    multi_region: bool = False,
    manager: str = "CUSTOMER",
    tags: Mapping[str, str] = NO_TAGS,
    secret: LazyMaterial | None = None,
    **fields: Any,
) -> Key:
    """Create a key, add it to its Region and return it.

    Args:
        service: the fake KMS.
        region: the Region of the key.
        now: its creation date.
        spec: its key spec; by default SYMMETRIC_DEFAULT.
        usage: its KeyUsage.
        origin: its Origin; a key with Origin EXTERNAL has no key material yet.
        key_id: its id; by default a new one.
        policy: its key policy; by default AWS's default key policy.
        multi_region: whether it is a multi-Region primary key.
        manager: `CUSTOMER` or `AWS`.
        tags: its tags.
        secret: its key material; by default new material, generated on first use.
        **fields: further fields of the record.
    """
    spec = spec or KEY_SPECS["SYMMETRIC_DEFAULT"]
    key_id = key_id or new_key_id(service.random, multi_region=multi_region)
    materials: tuple[KeyMaterial, ...] = ()
    if origin != "EXTERNAL":
        materials = (KeyMaterial(service.random(32).hex(), secret or LazyMaterial(spec, service.keys)),)
    rotation = None
    if manager == "AWS":
        rotation = Rotation(_AWS_MANAGED_ROTATION_DAYS, now + timedelta(days=_AWS_MANAGED_ROTATION_DAYS))
    key = Key(
        id=key_id,
        arn=key_arn(region.name, region.account, key_id),
        account=region.account,
        region=region.name,
        spec=spec,
        usage=usage,
        origin=origin,
        created=now,
        policy=policy or default_key_policy(region.account, partition_of(region.name)),
        manager=manager,
        tags=tags,
        materials=materials,
        rotation=rotation,
        multi_region=MultiRegion(region.name) if multi_region else None,
        **fields,
    )
    service.state.add_key(key)
    if rotation is not None:
        service.state.schedule(rotation.next_date, region, key_id)
    return key
