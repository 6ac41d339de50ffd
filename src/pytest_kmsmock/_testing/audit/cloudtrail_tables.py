"""Tables of what CloudTrail shows of each KMS operation, for `cloudtrail`.

Source: the examples of log entries in the KMS Developer Guide,
https://docs.aws.amazon.com/kms/latest/developerguide/understanding-kms-entries.html. The rest is inferred (B).
"""

from __future__ import annotations

from collections.abc import Mapping

#: Operations with `readOnly` false; cryptographic operations are not among them.
WRITES = frozenset(
    {
        "CancelKeyDeletion", "ConnectCustomKeyStore", "CreateAlias", "CreateCustomKeyStore", "CreateGrant", "CreateKey",
        "DeleteAlias", "DeleteCustomKeyStore", "DeleteImportedKeyMaterial", "DisableKey", "DisableKeyRotation",
        "DisconnectCustomKeyStore", "EnableKey", "EnableKeyRotation", "ImportKeyMaterial", "PutKeyPolicy",
        "ReplicateKey", "RetireGrant", "RevokeGrant", "RotateKeyOnDemand", "ScheduleKeyDeletion", "TagResource",
        "UntagResource", "UpdateAlias", "UpdateCustomKeyStore", "UpdateKeyDescription", "UpdatePrimaryRegion",
    }
)  # fmt: skip

#: Operations whose `requestParameters` is always null.
NO_PARAMETERS = frozenset({"GenerateRandom", "RetireGrant"})

#: Parameters that are omitted, in addition to blobs and what the service model marks as sensitive.
OMITTED = frozenset({"GrantToken", "GrantTokens", "Recipient", "TrustAnchorCertificate"})

#: Parameters with another name; all others have the API's name with a lower-case first letter.
RENAMED: Mapping[str, str] = {"CloudHsmClusterId": "clusterId"}

#: Defaults that `requestParameters` shows if the request does not have the parameter.
DEFAULTS: Mapping[str, Mapping[str, object]] = {
    "Decrypt": {"encryptionAlgorithm": "SYMMETRIC_DEFAULT"},
    "Encrypt": {"encryptionAlgorithm": "SYMMETRIC_DEFAULT"},
    "ReEncrypt": {
        "sourceEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "destinationEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
    },
    "Sign": {"messageType": "RAW"},
    "Verify": {"messageType": "RAW"},
    "CreateKey": {
        "description": "",
        "keyUsage": "ENCRYPT_DECRYPT",
        "keySpec": "SYMMETRIC_DEFAULT",
        "origin": "AWS_KMS",
        "multiRegion": False,
        "bypassPolicyLockoutSafetyCheck": False,
    },
    "PutKeyPolicy": {"policyName": "default", "bypassPolicyLockoutSafetyCheck": False},
    "ReplicateKey": {"description": "", "bypassPolicyLockoutSafetyCheck": False},
}

#: Members of the response that `responseElements` shows; it is null for all other operations.
ANSWERS: Mapping[str, tuple[str, ...]] = {
    "CancelKeyDeletion": ("KeyId",),
    "CreateCustomKeyStore": ("CustomKeyStoreId",),
    "CreateGrant": ("GrantId",),
    "CreateKey": ("KeyMetadata",),
    "DeleteImportedKeyMaterial": ("KeyId", "KeyMaterialId"),
    "ImportKeyMaterial": ("KeyId", "KeyMaterialId"),
    "ReplicateKey": ("ReplicaKeyMetadata", "ReplicaPolicy", "ReplicaTags"),
    "RotateKeyOnDemand": ("KeyId",),
    "ScheduleKeyDeletion": ("KeyId", "KeyState", "DeletionDate", "PendingWindowInDays"),
}

#: Operations and service events whose `responseElements` has the key's ARN as `keyId`, which is not in the response
#: (since December 2022; older examples of the guide do not show it). (B) for DisableKeyRotation, PutKeyPolicy,
#: RevokeGrant, TagResource and UpdateKeyDescription; RetireGrant has it in examples of 2024 and 2025 of the ECS and
#: DataZone guides.
KEY_ARN_ANSWERED = frozenset(
    {
        "CreateAlias", "CreateGrant", "DeleteAlias", "DeleteKey", "DisableKey", "DisableKeyRotation", "EnableKey",
        "EnableKeyRotation", "PutKeyPolicy", "RetireGrant", "RevokeGrant", "SynchronizeMultiRegionKey", "TagResource",
        "UntagResource", "UpdateAlias", "UpdateKeyDescription", "UpdatePrimaryRegion",
    }
)  # fmt: skip

#: Operations of which `resources` lists the alias after the key; UpdateAlias and DeleteAlias list it first.
KEY_FIRST = frozenset({"CreateAlias"})

#: Operations without the element `resources`; for others that use no key it is empty.
NO_RESOURCES = frozenset(
    {
        "ConnectCustomKeyStore", "CreateCustomKeyStore", "DeleteCustomKeyStore", "DescribeCustomKeyStores",
        "DisconnectCustomKeyStore", "UpdateCustomKeyStore",
    }
)  # fmt: skip

#: Service events of another type than `AwsServiceEvent`.
API_CALL_EVENTS = frozenset({"SynchronizeMultiRegionKey"})
