"""Multi-Region keys: replicas, and which of the related keys is the primary one.

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
from pytest_kmsmock._kms.rules.imported_material import missing_everywhere, relabel_pending
from pytest_kmsmock._kms.rules.key_metadata import key_metadata
from pytest_kmsmock._kms.rules.key_states import CREATING, MOVES_PRIMARY, REPLICATES, UPDATING
from pytest_kmsmock._kms.rules.rotation import is_primary, schedule_rotation
from pytest_kmsmock._kms.rules.tags import read_tags
from pytest_kmsmock._kms.state.delays import Duration, end_of
from pytest_kmsmock._kms.state.records import Key, MultiRegion, Transition

from .keys import check_quota

#: How long keys are `Updating` on AWS (seconds): so long at most is the state shown that no delay was set for.
_SHOWN_UPDATING = timedelta(seconds=3)


def _in_replica_region(call: Call) -> Iterable[Target]:
    """Find what ReplicateKey needs permission for where the replica will be."""
    region = call.params["ReplicaRegion"]
    yield Target("kms:CreateKey", "*", region=region)
    if call.params.get("Tags"):
        yield Target("kms:TagResource", _replica_arn(call), region=region, new=True)


def _replica_arn(call: Call) -> str:
    """Return the ARN of the replica that ReplicateKey makes."""
    return key_arn(call.params["ReplicaRegion"], call.key.account, call.key.id)


def _future_primary(call: Call) -> Iterable[Target]:
    """Find the replica key that is to be the primary one; there may be none."""
    region = call.params["PrimaryRegion"]
    found = call.state.region(call.key.account, region).keys.get(call.key.id)
    if found is not None and found.region != call.key.region:
        yield Target("kms:UpdatePrimaryRegion", found.arn, found, member="PrimaryRegion", region=region)


@operation("ReplicateKey", targets=[key(), _in_replica_region], states=REPLICATES, customer_managed=True)
def replicate_key(call: Call) -> Result:
    """Make a replica of a multi-Region primary key in another Region.

    Its policy, tags and description are its own. It is `Creating` for a while; a replica of a key with imported
    material waits for its own import then.
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
        materials=missing_everywhere(primary.materials) if primary.origin == "EXTERNAL" else primary.materials,
        multi_region=shared,
    )
    call.state.change_key(primary, multi_region=shared)
    call.state.add_key(replica)
    if primary.origin == "EXTERNAL":
        relabel_pending(call.state, replica)
        replica = region.keys[replica.id]  # what is pending rotation waits for this replica, too
    replica = _pass_through(call, replica, CREATING, call.service.delays.creating)
    shown = key_metadata(replica, call.state)
    if primary.origin == "EXTERNAL":  # captured from AWS KMS, 2026-09: the primary key's, without its date
        shown["ExpirationModel"] = key_metadata(primary, call.state)["ExpirationModel"]
    result: Result = {"ReplicaKeyMetadata": shown, "ReplicaPolicy": policy}
    if tags:
        result["ReplicaTags"] = [{"TagKey": tag, "TagValue": value} for tag, value in tags.items()]
    return result


@operation("UpdatePrimaryRegion", targets=[key(), _future_primary], states=MOVES_PRIMARY, customer_managed=True)
def update_primary_region(call: Call) -> Result:
    """Make a replica key the primary one, and the primary key a replica.

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
    _pass_through(call, old, UPDATING, call.service.delays.updating, shown=True)
    new = call.state.region(old.account, name).keys[old.id]
    new = _pass_through(call, new, UPDATING, call.service.delays.updating, shown=True)
    if new.rotation is not None:  # it is the primary key that is rotated when the time has come
        schedule_rotation(call.service, new, new.rotation)
    return {}


def _pass_through(
    call: Call, changing: Key, passing_state: str, duration: Duration, *, shown: bool = False
) -> Key:  # fmt: skip
    """Put a key into a transitional state, and say when it ends.

    Args:
        call: the call.
        changing: the key.
        passing_state: its KeyState.
        duration: how long it lasts.
        shown: whether the next DescribeKey shows the state even if it takes no time: the call's own answer does not.
    """
    until: datetime = end_of(call.now, duration)
    shown_until = call.now + _SHOWN_UPDATING if shown and not duration else None
    changed = call.state.change_key(changing, transition=Transition(passing_state, until, shown_until))
    call.state.schedule(until, call.state.home(changed), changed.id)
    return changed


def _related(primary: Key, refusal: errors.ErrorTemplate) -> MultiRegion:
    """Return where the related keys of a primary key are.

    Raises:
        KmsError: `UnsupportedOperationException` for a single-Region key, the given refusal for a replica key.
    """
    if primary.multi_region is None:
        raise errors.NOT_MULTI_REGION(arn=primary.arn)
    if not is_primary(primary):
        raise refusal(arn=primary.arn)
    return primary.multi_region


def _check_region(name: str, primary: Key) -> None:
    """Refuse a replica Region that AWS KMS is not in, or that is in another partition than the primary key."""
    if partition_of(name) != partition_of(primary.region):
        raise errors.REPLICA_OUTSIDE_PARTITION()
    if name not in known_regions():
        raise errors.REGION_UNKNOWN(region=name)


@functools.cache
def known_regions() -> frozenset[str]:
    """Return the Regions of all partitions that AWS KMS is in, as far as the installed botocore knows."""
    partitions = data_files().load_data("endpoints")["partitions"]
    return frozenset(name for partition in partitions for name in partition["regions"])
