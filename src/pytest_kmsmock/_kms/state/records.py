"""What the fake KMS remembers: frozen records. A change replaces a record.

That makes a nested scope a checkpoint: the dicts that hold the records are copied, the records are shared.
Nothing here decides anything; `state` holds the records, `key_states` reads them. They are tuples, since a frozen
dataclass takes four times as long to make; but for grants, thousands of which may be looked through, since a field of a
tuple takes longer to read, and for what hides a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pytest_kmsmock._kms.api.key_specs import KeySpec
    from pytest_kmsmock._kms.entropy.key_source import LazyMaterial


class KeyMaterial(NamedTuple):
    """One generation of a key's material.

    Attributes:
        id: the key material id, 64 hexadecimal digits.
        secret: the material itself, made when first needed; None while imported material is missing.
        state: `CURRENT`, `NON_CURRENT`, `PENDING_ROTATION` or `PENDING_MULTI_REGION_IMPORT_AND_ROTATION`.
        rotated: when a rotation made it current; None for a key's first material.
        rotation_type: `AUTOMATIC` or `ON_DEMAND`; None for a key's first material.
        expires: when imported material expires, or expired: its `secret` is gone then; None if it never does.
        description: what the caller said of imported material.
    """

    id: str
    secret: LazyMaterial | None
    state: str = "CURRENT"
    rotated: datetime | None = None
    rotation_type: str | None = None
    expires: datetime | None = None
    description: str | None = None


class Deletion(NamedTuple):
    """A scheduled deletion. `date` is None while a multi-Region primary waits for its replicas."""

    window_days: int
    date: datetime | None


class Transition(NamedTuple):
    """A transitional state of a multi-Region key: `Creating` or `Updating`, until the given time.

    `shown_until`: see `OnDemandRotation`.
    """

    state: str
    until: datetime
    shown_until: datetime | None = None


class Rotation(NamedTuple):
    """Automatic rotation: its period in days and when it is next due."""

    period_days: int
    next_date: datetime


class OnDemandRotation(NamedTuple):
    """A rotation on demand that is under way: when it was asked for and when it will be done.

    One that takes no time is still under way for operations that look at it before `shown_until`; see
    `rules.timeline`.
    """

    started: datetime
    until: datetime
    shown_until: datetime | None = None


class MultiRegion(NamedTuple):
    """Where the related keys of a multi-Region key are. `replicas` are Region names in the order of creation."""

    primary: str
    replicas: tuple[str, ...] = ()


NO_TAGS: Mapping[str, str] = {}


class Key(NamedTuple):
    """A KMS key in one Region.

    `enabled` is what the owner asked for last; `key_states.key_state` gives the state that follows from everything.
    The fields named in `SHARED` are the same for all related keys of a multi-Region key.
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
        """The material that encrypts and signs now; None before the first import."""
        materials = self.materials
        if len(materials) == 1:
            return materials[0]
        return next((material for material in reversed(materials) if material.state == "CURRENT"), None)

    def material(self, material_id: str) -> KeyMaterial | None:
        """Return the generation with this key material id."""
        for material in self.materials:
            if material.id == material_id:
                return material
        return None


#: What multi-Region keys synchronise. Source: Developer Guide, "Multi-Region keys in AWS KMS". Material of
#: imported keys is not among it: each replica gets its own import.
SHARED = frozenset({"materials", "rotation", "on_demand_rotations", "on_demand", "multi_region"})


class Alias(NamedTuple):
    """An alias. `name` begins with `alias/`; `key_id` is None for a predefined AWS alias without a key."""

    name: str
    key_id: str | None
    created: datetime | None
    updated: datetime | None


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant on a key. All tokens are equivalent; `constraints` is as the caller gave it."""

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


class LastUsage(NamedTuple):
    """The last successful cryptographic operation with a key, for GetKeyLastUsage."""

    operation: str
    time: datetime
    request_id: str


@dataclass(frozen=True, slots=True)
class CustomKeyStore:
    """A custom key store.

    Attributes:
        id: `cks-` and 17 hexadecimal digits.
        name: what the owner calls it.
        type: `AWS_CLOUDHSM` or `EXTERNAL_KEY_STORE`.
        created: when it was made.
        secret: what KMS opens the backing key store with: the password of `kmsuser`, or the secret access key for
            the proxy. No operation shows it.
        state: its ConnectionState.
        state_until: when `CONNECTING` or `DISCONNECTING` ends.
        error_code: its ConnectionErrorCode when `FAILED`; while `CONNECTING`, the failure that the test asked for.
        settings: the members of its configuration as DescribeCustomKeyStores shows them.
    """

    id: str
    name: str
    type: str
    created: datetime
    secret: str = field(default="", repr=False)
    state: str = "DISCONNECTED"
    state_until: datetime | None = None
    error_code: str | None = None
    settings: Mapping[str, object] = field(default_factory=dict)


NO_DETAILS: Mapping[str, object] = {}


class ServiceEvent(NamedTuple):
    """Something that KMS did on its own, which CloudTrail logs: `DeleteKey`, `RotateKey`, ...

    Attributes:
        name: as CloudTrail names it.
        time: when it was due.
        key: the key as it was before.
        details: what `serviceEventDetails` says besides the key id.
    """

    name: str
    time: datetime
    key: Key
    details: Mapping[str, object] = NO_DETAILS
