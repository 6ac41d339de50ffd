"""`KeyMetadata` in responses of CreateKey, DescribeKey and ReplicateKey."""

from __future__ import annotations

from pytest_kmsmock._kms.api.arns import key_arn
from pytest_kmsmock._kms.api.key_specs import ALGORITHMS_FIELD
from pytest_kmsmock._kms.state.records import Key, MultiRegion
from pytest_kmsmock._kms.state.state import State

from .imported_material import is_complete
from .key_states import CREATING, ENABLED, key_state
from .rotation import PENDING


def key_metadata(key: Key, state: State) -> dict[str, object]:
    """Return `KeyMetadata` of a key, without absent fields.

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
        # Both have every spec, also specs that the deprecated enum lacks, as in AWS's examples of ML-DSA keys:
        # https://aws.amazon.com/blogs/security/how-to-create-post-quantum-signatures-using-aws-kms-and-ml-dsa
        "CustomerMasterKeySpec": spec.name,
        "KeySpec": spec.name,
        ALGORITHMS_FIELD[key.usage]: list(spec.usages[key.usage]),
        "MultiRegion": key.multi_region is not None,
    }
    current = key.current
    # AWS: a replica key in state Creating has no CurrentKeyMaterialId.
    if current is not None and spec.key_type == "symmetric" and key.custom_key_store_id is None and now != CREATING:
        metadata["CurrentKeyMaterialId"] = current.id
    if key.multi_region is not None:
        metadata["MultiRegionConfiguration"] = _multi_region(key, key.multi_region)
    if key.deletion is not None:
        if key.deletion.date is not None:
            metadata["DeletionDate"] = key.deletion.date
        else:
            metadata["PendingDeletionWindowInDays"] = key.deletion.window_days
    if key.origin == "EXTERNAL" and is_complete(key.materials):
        expiries = [
            material.expires
            for material in key.materials
            if material.expires is not None and material.state not in PENDING  # only permanently associated material
        ]
        metadata["ExpirationModel"] = "KEY_MATERIAL_EXPIRES" if expiries else "KEY_MATERIAL_DOES_NOT_EXPIRE"
        if expiries:
            metadata["ValidTo"] = min(expiries)
    if key.custom_key_store_id is not None:
        metadata["CustomKeyStoreId"] = key.custom_key_store_id
        if key.xks_key_id is not None:
            metadata["XksKeyConfiguration"] = {"Id": key.xks_key_id}
        else:
            store = state.home(key).custom_key_stores[key.custom_key_store_id]
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
