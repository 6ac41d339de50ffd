"""Creating, describing, listing, enabling, disabling and deleting keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.api.key_specs import KEY_SPECS, KeySpec
from pytest_kmsmock._kms.call.operation import Call, Result, operation
from pytest_kmsmock._kms.operations.pagination import paginate
from pytest_kmsmock._kms.operations.targets import any_resource, key, tagged_key
from pytest_kmsmock._kms.permissions.policy_checks import check_new_policy
from pytest_kmsmock._kms.rules.custom_key_stores import cloudhsm_key_fields, external_key_fields
from pytest_kmsmock._kms.rules.key_factory import make_key
from pytest_kmsmock._kms.rules.key_metadata import key_metadata
from pytest_kmsmock._kms.rules.key_states import (
    CANCELS_DELETION,
    ENABLES_OR_DISABLES,
    NOT_PENDING_DELETION,
    SCHEDULES_DELETION,
    key_state,
)
from pytest_kmsmock._kms.rules.key_use import check_region
from pytest_kmsmock._kms.rules.rotation import resume_rotation
from pytest_kmsmock._kms.rules.tags import read_tags
from pytest_kmsmock._kms.rules.timeline import end_observed_transition
from pytest_kmsmock._kms.state.records import Deletion, Key
from pytest_kmsmock._kms.state.state import Region

KEYS_PER_REGION = 100_000
_DEFAULT_WINDOW_DAYS = 30
_KEYS_PER_PAGE = 100


@operation("CreateKey", targets=[any_resource(), tagged_key])
def create_key(call: Call) -> Result:
    """Create a KMS key.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html
    """
    spec, usage = _spec_and_usage(call)
    origin = call.params.get("Origin", "AWS_KMS")
    origin_fields = ORIGINS[origin](call, spec)
    tags = read_tags(call)
    check_quota(call.region)
    policy = check_new_policy(call)
    created = make_key(
        call.service, call.region, call.now,
        spec=spec, usage=usage, origin=origin, policy=policy, tags=tags, **origin_fields,
        multi_region=bool(call.params.get("MultiRegion")), description=call.params.get("Description", ""),
    )  # fmt: skip
    return {"KeyMetadata": key_metadata(created, call.state)}


def check_quota(region: Region) -> None:
    """Check the quota of customer managed keys in a Region; AWS managed keys do not count."""
    keys = region.keys
    if len(keys) < KEYS_PER_REGION:
        return
    used = sum(key.manager == "CUSTOMER" for key in keys.values())
    if used >= KEYS_PER_REGION:
        raise errors.KEY_QUOTA(quota=KEYS_PER_REGION, used=used)


def _spec_and_usage(call: Call) -> tuple[KeySpec, str]:
    if "KeySpec" in call.params and "CustomerMasterKeySpec" in call.params:
        raise errors.SPEC_GIVEN_TWICE()
    spec = KEY_SPECS[call.params.get("KeySpec") or call.params.get("CustomerMasterKeySpec") or "SYMMETRIC_DEFAULT"]
    usage = call.params.get("KeyUsage")
    if usage is None:
        if spec.name != "SYMMETRIC_DEFAULT":
            raise errors.USAGE_MISSING()
        usage = "ENCRYPT_DECRYPT"
    if usage not in spec.usages:
        raise errors.USAGE_NOT_FOR_SPEC(usage=usage, spec=spec.name)
    check_region(call, spec)
    return spec, usage


def _imported_key_fields(call: Call, spec: KeySpec) -> dict[str, Any]:
    if not spec.importable:
        raise errors.SPEC_NOT_FOR_ORIGIN(spec=spec.name, origin="EXTERNAL")
    return _kms_key_fields(call, spec)


def _kms_key_fields(call: Call, _spec: KeySpec) -> dict[str, Any]:
    for parameter in ("CustomKeyStoreId", "XksKeyId"):
        if parameter in call.params:
            raise errors.INVALID(
                reason=f"{parameter} is not valid for a KMS key with Origin {call.params.get('Origin', 'AWS_KMS')}."
            )
    return {}


#: Origin -> check of the request, which returns further fields of the key's record.
ORIGINS: Mapping[str, Callable[[Call, KeySpec], dict[str, Any]]] = {
    "AWS_KMS": _kms_key_fields,
    "EXTERNAL": _imported_key_fields,
    "AWS_CLOUDHSM": cloudhsm_key_fields,
    "EXTERNAL_KEY_STORE": external_key_fields,
}


@operation(
    "DescribeKey", targets=[key(aliases=True)], grantable=True, cross_account=True, keeps_transition="transition"
)  # fmt: skip
def describe_key(call: Call) -> Result:
    """Return the metadata of a key.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html
    """
    shown = key_metadata(call.key, call.state)
    end_observed_transition(call.service, call.key, "transition")
    return {"KeyMetadata": shown}


@operation("ListKeys", targets=[any_resource()])
def list_keys(call: Call) -> Result:
    """List the keys of the account in the Region.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeys.html
    """
    region = call.region
    owners = call.params.get("ResourceOwners", ["SELF"])

    def show(key_id: str) -> dict[str, str]:
        return {"KeyId": key_id, "KeyArn": region.keys[key_id].arn}

    names = region.key_ids.after if "SELF" in owners else lambda _: iter(())
    return paginate(call, "Keys", names, show, default=_KEYS_PER_PAGE, scope=",".join(sorted(set(owners))))


@operation("EnableKey", targets=[key()], states=ENABLES_OR_DISABLES, customer_managed=True)
def enable_key(call: Call) -> Result:
    """Enable a key.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKey.html
    """
    enabled = call.state.change_key(call.key, enabled=True)
    resume_rotation(call.service, enabled, call.now)
    return {}


@operation("DisableKey", targets=[key()], states=ENABLES_OR_DISABLES, customer_managed=True)
def disable_key(call: Call) -> Result:
    """Disable a key: it cannot be used in cryptographic operations.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_DisableKey.html
    """
    call.state.change_key(call.key, enabled=False)
    return {}


@operation("UpdateKeyDescription", targets=[key()], states=NOT_PENDING_DELETION, customer_managed=True)
def update_key_description(call: Call) -> Result:
    """Change the description of a key.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateKeyDescription.html
    """
    call.state.change_key(call.key, description=call.params["Description"])
    return {}


@operation("ScheduleKeyDeletion", targets=[key()], states=SCHEDULES_DELETION, customer_managed=True)
def schedule_key_deletion(call: Call) -> Result:
    """Schedule the deletion of a key after a waiting period of 7 to 30 days.

    A multi-Region primary key with replicas has no deletion date until all replicas are deleted.
    See https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html
    """
    window = call.params.get("PendingWindowInDays", _DEFAULT_WINDOW_DAYS)
    date = None if waits_for_replicas(call.key) else call.now + timedelta(days=window)
    changed = call.state.change_key(call.key, deletion=Deletion(window, date), enabled=False)
    result: Result = {
        "KeyId": changed.arn,
        "KeyState": key_state(changed, call.state),
        "PendingWindowInDays": window,
    }
    if date is not None:
        call.state.schedule(date, call.state.home(changed), changed.id)
        result["DeletionDate"] = date
    return result


def waits_for_replicas(key: Key) -> bool:
    """Whether a key is a multi-Region primary that still has replicas."""
    multi_region = key.multi_region
    return multi_region is not None and multi_region.primary == key.region and bool(multi_region.replicas)


@operation("CancelKeyDeletion", targets=[key()], states=CANCELS_DELETION, customer_managed=True)
def cancel_key_deletion(call: Call) -> Result:
    """Cancel the deletion of a key, and leave it disabled.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_CancelKeyDeletion.html
    """
    changed = call.state.change_key(call.key, deletion=None, enabled=False)
    return {"KeyId": changed.arn}
