"""`KeyMetadata`: how CreateKey, DescribeKey and ReplicateKey show a key."""

from __future__ import annotations

from .identifiers import key_arn
from .key_states import ENABLED, PENDING_IMPORT, key_state
from .records import Key, MultiRegion
from .specs import ALGORITHM_MEMBER
from .state import State


def key_metadata(key: Key, state: State) -> dict[str, object]:
    """Return the members of `KeyMetadata` that AWS returns for a key; absent ones are left out.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html
    """
    now = key_state(key, state)
    spec = key.spec
    metadata: dict[str, object] = {
        "AWSAccountId": key.account,
        "KeyId": key.id,
        "Arn": key.arn,
        "CreationDate": key.created,
        "Enabled": now == ENABLED,
        "Description": key.description,
        "KeyUsage": key.usage,
        "KeyState": now,
        "Origin": key.origin,
        "KeyManager": key.manager,
        "KeySpec": spec.name,
        ALGORITHM_MEMBER[key.usage]: list(spec.usages[key.usage]),
        "MultiRegion": key.multi_region is not None,
    }
    if spec.legacy:
        metadata["CustomerMasterKeySpec"] = spec.name
    current = key.current
    if (
        current is not None
        and spec.key_type == "symmetric"
        and not (key.origin == "EXTERNAL" and now == PENDING_IMPORT)
    ):
        metadata["CurrentKeyMaterialId"] = current.id
    if key.multi_region is not None:
        metadata["MultiRegionConfiguration"] = _multi_region(key, key.multi_region)
    if key.deletion is not None:
        if key.deletion.date is not None:
            metadata["DeletionDate"] = key.deletion.date
        else:
            metadata["PendingDeletionWindowInDays"] = key.deletion.window_days
    if key.origin == "EXTERNAL" and current is not None and current.secret is not None:
        metadata["ExpirationModel"] = (
            "KEY_MATERIAL_DOES_NOT_EXPIRE" if current.expires is None else "KEY_MATERIAL_EXPIRES"
        )
        if current.expires is not None:
            metadata["ValidTo"] = current.expires
    if key.custom_key_store_id is not None:
        metadata["CustomKeyStoreId"] = key.custom_key_store_id
        store = state.home(key).custom_key_stores[key.custom_key_store_id]
        if key.xks_key_id is not None:
            metadata["XksKeyConfiguration"] = {"Id": key.xks_key_id}
        elif "CloudHsmClusterId" in store.settings:
            metadata["CloudHsmClusterId"] = store.settings["CloudHsmClusterId"]
    return metadata


def _multi_region(key: Key, related: MultiRegion) -> dict[str, object]:
    def show(region: str) -> dict[str, str]:
        return {"Arn": key_arn(region, key.account, key.id), "Region": region}

    return {
        "MultiRegionKeyType": "PRIMARY" if related.primary == key.region else "REPLICA",
        "PrimaryKey": show(related.primary),
        "ReplicaKeys": [show(region) for region in related.replicas],
    }
