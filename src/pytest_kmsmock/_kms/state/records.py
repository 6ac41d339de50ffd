"""Immutable records of the fake KMS. A change replaces a record.

So a nested scope is a checkpoint: it copies the dicts and shares the records. `state` has the records, `rules` the
rules for changing them. Records are named tuples, since a frozen dataclass takes four times as long to create, and its
class to define.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from pytest_kmsmock._record import Record

if TYPE_CHECKING:
    from pytest_kmsmock._kms.api.key_specs import KeySpec
    from pytest_kmsmock._kms.entropy.key_source import LazyMaterial


class KeyMaterial(Record):
    """One of a key's key materials.

    Attributes:
        id: the key material id, 64 hexadecimal digits.
        secret: the material itself, generated on first use; None while imported material is missing.
        state: `CURRENT`, `NON_CURRENT`, `PENDING_ROTATION` or `PENDING_MULTI_REGION_IMPORT_AND_ROTATION`.
        rotated: the date of the rotation to it; None for a key's first material.
        rotation_type: `AUTOMATIC` or `ON_DEMAND`; None for a key's first material.
        expires: the expiration date of imported material; `secret` is None after it. None without expiration.
        description: the KeyMaterialDescription of imported material.
    """

    id: str
    secret: LazyMaterial | None
    state: str = "CURRENT"
    rotated: datetime | None = None
    rotation_type: str | None = None
    expires: datetime | None = None
    description: str | None = None


class Deletion(Record):
    """A scheduled deletion. `date` is None while a multi-Region primary key waits for its replica keys."""

    window_days: int
    date: datetime | None


class Transition(Record):
    """A transitional state of a multi-Region key: `Creating` or `Updating`, until the given time.

    `shown_until`: see `OnDemandRotation`.
    """

    state: str
    until: datetime
    shown_until: datetime | None = None


class Rotation(Record):
    """Automatic rotation: its period in days and its next date."""

    period_days: int
    next_date: datetime


class OnDemandRotation(Record):
    """An on-demand rotation in progress: its start and its end.

    Without a delay, operations can still observe it as in progress before `shown_until`; see `rules.timeline`.
    """

    started: datetime
    until: datetime
    shown_until: datetime | None = None


class MultiRegion(Record):
    """The Regions of the related keys of a multi-Region key. `replicas` are Regions in order of creation."""

    primary: str
    replicas: tuple[str, ...] = ()


NO_TAGS: Mapping[str, str] = {}


class Key(Record):
    """A KMS key in one Region.

    `enabled` follows EnableKey and DisableKey; `key_states.key_state` returns the KeyState.
    The fields in `SHARED` are the same for all related keys of a multi-Region key.
    """

    id: str
    arn: str
    account: str
    region: str
    spec: KeySpec
    usage: str
    origin: str
    created: datetime
    policy: str
    description: str = ""
    manager: str = "CUSTOMER"
    tags: Mapping[str, str] = NO_TAGS
    enabled: bool = True
    deletion: Deletion | None = None
    transition: Transition | None = None
    materials: tuple[KeyMaterial, ...] = ()
    rotation: Rotation | None = None
    on_demand_rotations: int = 0
    on_demand: OnDemandRotation | None = None
    multi_region: MultiRegion | None = None
    custom_key_store_id: str | None = None
    xks_key_id: str | None = None

    @property
    def current(self) -> KeyMaterial | None:
        """The current key material; None before the first import."""
        materials = self.materials
        if len(materials) == 1:
            return materials[0]
        return next((material for material in reversed(materials) if material.state == "CURRENT"), None)

    def material(self, material_id: str) -> KeyMaterial | None:
        """Return the key material with an id; None for an unknown id."""
        for material in self.materials:
            if material.id == material_id:
                return material
        return None


#: Shared properties of multi-Region keys, without imported material: each replica key needs an import of its own.
#: Source: Developer Guide, "Multi-Region keys in AWS KMS".
SHARED = frozenset({"materials", "rotation", "on_demand_rotations", "on_demand", "multi_region"})


class Alias(Record):
    """An alias. `name` begins with `alias/`; `key_id` is None for a predefined AWS alias without a key."""

    name: str
    key_id: str | None
    created: datetime | None
    updated: datetime | None


class Grant(Record):
    """A grant on a key. All its grant tokens are equivalent."""

    id: str
    key_arn: str
    key_id: str
    tokens: tuple[str, ...]
    name: str
    created: datetime
    operations: tuple[str, ...]
    issuing_account: str
    grantee: str | None = None
    grantee_service: str | None = None
    retiree: str | None = None
    retiree_service: str | None = None
    context_equals: Mapping[str, str] | None = None
    context_subset: Mapping[str, str] | None = None
    source_arn: str | None = None

    @property
    def holder(self) -> str:
        """The grantee principal or grantee service principal."""
        return self.grantee or self.grantee_service or ""


class LastUsage(Record):
    """The last successful cryptographic operation with a key, for GetKeyLastUsage."""

    operation: str
    time: datetime
    request_id: str


NO_DETAILS: Mapping[str, object] = {}


class CustomKeyStore(Record):
    """A custom key store.

    Attributes:
        id: `cks-` and 17 hexadecimal digits.
        name: its name.
        type: `AWS_CLOUDHSM` or `EXTERNAL_KEY_STORE`.
        created: its creation date.
        secret: the credential of the backing key store: the password of `kmsuser`, or the secret access key for the
            proxy. Responses never include it.
        state: its ConnectionState.
        state_until: when `CONNECTING` or `DISCONNECTING` ends.
        error_code: its ConnectionErrorCode when `FAILED`; while `CONNECTING`, the failure that the test has set.
        settings: its configuration as in responses of DescribeCustomKeyStores.
    """

    id: str
    name: str
    type: str
    created: datetime
    secret: str = ""
    state: str = "DISCONNECTED"
    state_until: datetime | None = None
    error_code: str | None = None
    settings: Mapping[str, object] = NO_DETAILS


class ServiceEvent(Record):
    """A service event in CloudTrail, which KMS causes itself: `DeleteKey`, `RotateKey`, ...

    Attributes:
        name: its `eventName`.
        time: its `eventTime`.
        key: the key before the event.
        details: its `serviceEventDetails` without the key id.
    """

    name: str
    time: datetime
    key: Key
    details: Mapping[str, object] = NO_DETAILS
