"""Multi-Region keys: replicating them, and changing the primary Region.

See https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from datetime import datetime, timedelta

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.api.arns import key_arn, partition_of
from pytest_kmsmock._kms.api.service_model import data_files
from pytest_kmsmock._kms.call.operation import Call, Result, Target, operation
from pytest_kmsmock._kms.operations.targets import key
from pytest_kmsmock._kms.permissions.policy_checks import check_new_policy
from pytest_kmsmock._kms.policy.default_policies import default_key_policy
from pytest_kmsmock._kms.rules.imported_material import update_pending_state, without_secrets
from pytest_kmsmock._kms.rules.key_metadata import key_metadata
from pytest_kmsmock._kms.rules.key_states import CREATING, MOVES_PRIMARY, REPLICATES, UPDATING
from pytest_kmsmock._kms.rules.rotation import is_primary, schedule_rotation
from pytest_kmsmock._kms.rules.tags import read_tags
from pytest_kmsmock._kms.state.delays import Duration, end_of
from pytest_kmsmock._kms.state.records import Key, MultiRegion, Transition

from .keys import check_quota

#: Typical duration of `Updating` on AWS: without a delay, DescribeKey can observe the state for this time at most.
_UPDATING_DURATION = timedelta(seconds=3)


def _in_replica_region(call: Call) -> Iterable[Target]:
    """Find the permissions that ReplicateKey needs in the replica's Region."""
    region = call.params["ReplicaRegion"]
    yield Target("kms:CreateKey", "*", region=region)
    if call.params.get("Tags"):
        yield Target("kms:TagResource", _replica_arn(call), region=region, creates_key=True)


def _replica_arn(call: Call) -> str:
    """Return the ARN of the replica key that ReplicateKey creates."""
    return key_arn(call.params["ReplicaRegion"], call.key.account, call.key.id)


def _future_primary(call: Call) -> Iterable[Target]:
    """Find the replica key that becomes the primary key, if it exists."""
    region = call.params["PrimaryRegion"]
    found = call.state.region(call.key.account, region).keys.get(call.key.id)
    if found is not None and found.region != call.key.region:
        yield Target("kms:UpdatePrimaryRegion", found.arn, found, parameter="PrimaryRegion", region=region)


@operation("ReplicateKey", targets=[key(), _in_replica_region], states=REPLICATES, customer_managed=True)
def replicate_key(call: Call) -> Result:
    """Create a replica of a multi-Region primary key in another Region.

    Policy, tags and description are independent of the primary key. The replica key is `Creating` at first; with
    imported key material it needs an import of its own.
    See https://docs.aws.amazon.com/kms/latest/APIReference/API_ReplicateKey.html
    """
    primary = call.key
    related = _related(primary, errors.NOT_PRIMARY_TO_REPLICATE)
    name = call.params["ReplicaRegion"]
    _check_region(name, primary)
    if name == related.primary:
        raise errors.REPLICA_IN_PRIMARY_REGION(region=name)
    if name in related.replicas:
        raise errors.REPLICA_EXISTS()
    tags = read_tags(call)
    region = call.state.region(primary.account, name)
    check_quota(region)
    policy = check_new_policy(call) or default_key_policy(primary.account, partition_of(name))
    shared = related._replace(replicas=(*related.replicas, name))
    replica = primary._replace(
        arn=key_arn(name, primary.account, primary.id),
        region=name,
        created=call.now,
        policy=policy,
        tags=tags,
        description=call.params.get("Description", ""),
        enabled=True,
        materials=without_secrets(primary.materials) if primary.origin == "EXTERNAL" else primary.materials,
        multi_region=shared,
    )
    call.state.change_key(primary, multi_region=shared)
    call.state.add_key(replica)
    if primary.origin == "EXTERNAL":
        update_pending_state(call.state, replica)
        replica = region.keys[replica.id]  # material pending rotation now waits for this replica too
    replica = _begin_transition(call, replica, CREATING, call.service.delays.creating)
    shown = key_metadata(replica, call.state)
    if primary.origin == "EXTERNAL":  # captured from AWS KMS, 2026-09: that of the primary key, without ValidTo
        shown["ExpirationModel"] = key_metadata(primary, call.state)["ExpirationModel"]
    result: Result = {"ReplicaKeyMetadata": shown, "ReplicaPolicy": policy}
    if tags:
        result["ReplicaTags"] = [{"TagKey": tag, "TagValue": value} for tag, value in tags.items()]
    return result


@operation("UpdatePrimaryRegion", targets=[key(), _future_primary], states=MOVES_PRIMARY, customer_managed=True)
def update_primary_region(call: Call) -> Result:
    """Make a replica key the primary key, and the primary key a replica key.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdatePrimaryRegion.html
    """
    old = call.key
    related = _related(old, errors.NOT_PRIMARY_TO_MOVE)
    name = call.params["PrimaryRegion"]
    if name == old.region:
        return {}  # captured from AWS KMS, 2026-09
    if name not in related.replicas:
        raise errors.NO_REPLICA_IN_REGION(key_id=old.id)
    others = tuple(region for region in related.replicas if region != name)
    old = call.state.change_key(old, multi_region=MultiRegion(name, (*others, old.region)))
    _begin_transition(call, old, UPDATING, call.service.delays.updating, shown=True)
    new = call.state.region(old.account, name).keys[old.id]
    new = _begin_transition(call, new, UPDATING, call.service.delays.updating, shown=True)
    if new.rotation is not None:  # automatic rotation rotates the primary key
        schedule_rotation(call.service, new, new.rotation)
    return {}


def _begin_transition(
    call: Call, changing: Key, transitional_state: str, duration: Duration, *, shown: bool = False
) -> Key:  # fmt: skip
    """Put a key into a transitional state, and schedule its end.

    Args:
        call: the call.
        changing: the key.
        transitional_state: its KeyState.
        duration: the duration of the state.
        shown: whether the next DescribeKey shows the state even without a delay, since the call's response does not.
    """
    until: datetime = end_of(call.now, duration)
    shown_until = call.now + _UPDATING_DURATION if shown and not duration else None
    changed = call.state.change_key(changing, transition=Transition(transitional_state, until, shown_until))
    call.state.schedule(until, call.state.home(changed), changed.id)
    return changed


def _related(primary: Key, error: errors.ErrorTemplate) -> MultiRegion:
    """Return the Regions of the related keys of a primary key.

    Raises:
        KmsError: `UnsupportedOperationException` for a single-Region key, the given error for a replica key.
    """
    if primary.multi_region is None:
        raise errors.NOT_MULTI_REGION(arn=primary.arn)
    if not is_primary(primary):
        raise error(arn=primary.arn)
    return primary.multi_region


def _check_region(name: str, primary: Key) -> None:
    """Check that a replica Region exists and is in the partition of the primary key."""
    if partition_of(name) != partition_of(primary.region):
        raise errors.REPLICA_OUTSIDE_PARTITION()
    if name not in known_regions():
        raise errors.REGION_UNKNOWN(region=name)


@functools.cache
def known_regions() -> frozenset[str]:
    """Return the Regions of all partitions in the installed botocore's endpoints."""
    partitions = data_files().load_data("endpoints")["partitions"]
    return frozenset(name for partition in partitions for name in partition["regions"])
