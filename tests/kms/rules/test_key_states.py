"""The table of the Developer Guide's page "Key states of AWS KMS keys", row by row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import pytest
from botocore.loaders import Loader

from pytest_kmsmock._kms.call.operation import OPERATIONS
from pytest_kmsmock._kms.operations import load
from pytest_kmsmock._kms.state.records import CustomKeyStore, Deletion, Transition

load()
MODEL = Loader().load_service_model("kms", "service-2")
FAR_AWAY = datetime(2100, 1, 1, tzinfo=timezone.utc)

DISABLED = ("DisabledException", "{arn} is disabled.")
PENDING_DELETION = ("KMSInvalidStateException", "{arn} is pending deletion.")
PENDING_REPLICA_DELETION = ("KMSInvalidStateException", "{arn} is pending replica deletion.")
NOT_PENDING_DELETION = ("KMSInvalidStateException", "{arn} is not pending deletion.")
PENDING_IMPORT = ("KMSInvalidStateException", "{arn} is pending import.")
UNAVAILABLE = ("KMSInvalidStateException", "{arn} is unavailable.")
CREATING = ("KMSInvalidStateException", "{arn} is creating.")
UPDATING = ("KMSInvalidStateException", "{arn} is updating.")

STATES = (
    "Disabled",
    "PendingDeletion",
    "PendingReplicaDeletion",
    "PendingImport",
    "Unavailable",
    "Creating",
    "Updating",
)
_PENDING = {"PendingDeletion": PENDING_DELETION, "PendingReplicaDeletion": PENDING_REPLICA_DELETION}
_CRYPTO = {
    "Disabled": DISABLED, **_PENDING, "PendingImport": PENDING_IMPORT, "Unavailable": UNAVAILABLE, "Creating": CREATING,
}  # fmt: skip
_SWITCH = {**_PENDING, "PendingImport": PENDING_IMPORT, "Creating": CREATING, "Updating": UPDATING}

_NOT_FOR_EXTERNAL = ("UnsupportedOperationException", "{arn} origin is EXTERNAL which is not valid for this operation.")
_NOT_FOR_STORES = ("UnsupportedOperationException", None)  # footnote 7; its text is not printed
_ROTATE = {"Disabled": DISABLED, **_PENDING, "Unavailable": _NOT_FOR_STORES, "Creating": CREATING}

#: Developer Guide, "Key states of AWS KMS keys", its table row by row: what refuses the operation. States that are not
#: named allow it. The rows of newer operations follow from the errors in their model (B).
REFUSED: Mapping[str, Mapping[str, tuple[str, str | None]]] = {
    "CancelKeyDeletion": dict.fromkeys(
        ("Disabled", "PendingImport", "Unavailable", "Creating", "Updating"), NOT_PENDING_DELETION
    ),
    "CreateAlias": _PENDING,
    "CreateGrant": {state: refusal for state, refusal in _CRYPTO.items() if state != "Unavailable"},
    "Decapsulate": _CRYPTO,
    "Decrypt": _CRYPTO,
    "DeleteImportedKeyMaterial": {"Creating": CREATING, "Updating": UPDATING},
    "DeriveSharedSecret": _CRYPTO,
    "DescribeKey": {},
    "DisableKey": _SWITCH,
    "DisableKeyRotation": {**_ROTATE, "PendingImport": _NOT_FOR_EXTERNAL},
    "EnableKeyRotation": {**_ROTATE, "PendingImport": _NOT_FOR_EXTERNAL},
    "EnableKey": _SWITCH,
    "Encapsulate": _CRYPTO,
    "Encrypt": _CRYPTO,
    "GenerateDataKey": _CRYPTO,
    "GenerateDataKeyPair": _CRYPTO,
    "GenerateDataKeyPairWithoutPlaintext": _CRYPTO,
    "GenerateDataKeyWithoutPlaintext": _CRYPTO,
    "GenerateMac": _CRYPTO,
    "GetKeyLastUsage": {},
    "GetKeyPolicy": {},
    "GetKeyRotationStatus": {"Unavailable": _NOT_FOR_STORES},  # PendingImport captured from AWS KMS, 2026-09
    "GetParametersForImport": {**_PENDING, "Creating": CREATING, "Updating": UPDATING},
    # A disabled key captured from AWS KMS, 2026-09
    "GetPublicKey": {state: refusal for state, refusal in _CRYPTO.items() if state != "Disabled"},
    "ImportKeyMaterial": {**_PENDING, "Creating": CREATING},
    "ListAliases": {},
    "ListGrants": {},
    "ListKeyPolicies": {},
    "ListKeyRotations": {"Unavailable": _NOT_FOR_STORES},
    "ListResourceTags": {},
    "PutKeyPolicy": {},
    "ReEncrypt": _CRYPTO,
    "ReplicateKey": {**_CRYPTO, "Updating": UPDATING},
    "RevokeGrant": {},
    "RotateKeyOnDemand": {**_ROTATE, "PendingImport": PENDING_IMPORT},
    "ScheduleKeyDeletion": {**_PENDING, "Updating": UPDATING},
    "Sign": _CRYPTO,
    "TagResource": _PENDING,
    "UntagResource": _PENDING,
    "UpdateAlias": _PENDING,
    "UpdateKeyDescription": _PENDING,
    "UpdatePrimaryRegion": _CRYPTO,
    "Verify": _CRYPTO,
    "VerifyMac": _CRYPTO,
}


def put_in_state(kms_mock: Any, key_id: str, state: str) -> None:
    """Bring a key to a state, on its record: some states last a moment only, or need hardware."""
    everything = kms_mock._service.state
    region = everything.region("123456789012", "us-east-1")
    key = region.keys[key_id]
    changes: dict[str, Any] = {
        "Enabled": {"deletion": None},
        "Disabled": {"enabled": False, "deletion": None},
        "PendingDeletion": {"deletion": Deletion(30, FAR_AWAY)},
        "PendingReplicaDeletion": {"deletion": Deletion(30, None)},
        "PendingImport": {"origin": "EXTERNAL", "materials": (), "deletion": None},
        "Unavailable": {"origin": "AWS_CLOUDHSM", "custom_key_store_id": "cks-1", "deletion": None},
        "Creating": {"transition": Transition("Creating", FAR_AWAY), "deletion": None},
        "Updating": {"transition": Transition("Updating", FAR_AWAY), "deletion": None},
    }[state]
    region.custom_key_stores["cks-1"] = CustomKeyStore("cks-1", "store", "AWS_CLOUDHSM", FAR_AWAY)
    everything.change_key(key, **changes)


#: States that the keys of an operation cannot be in: marked "-" in the guide's table, or (import) without material.
IMPOSSIBLE = {
    "DeleteImportedKeyMaterial": {"Unavailable"},
    "GetParametersForImport": {"Disabled", "Unavailable"},
    "ImportKeyMaterial": {"Disabled", "Unavailable"},
    "ReplicateKey": {"Unavailable"},
    "UpdatePrimaryRegion": {"Unavailable"},
}
CELLS = [
    pytest.param(operation, state, id=f"{operation} in {state}")
    for operation in sorted(REFUSED.keys() & OPERATIONS.keys())
    for state in STATES
    if state not in IMPOSSIBLE.get(operation, ())
]


def test_every_operation_on_a_key_has_a_row():
    """RetireGrant and DeleteAlias, which name no key in a KeyIdType, work in every state too."""
    with_key = {
        name
        for name, description in MODEL["operations"].items()
        for member in MODEL["shapes"][description["input"]["shape"]]["members"].values()
        if member["shape"] == "KeyIdType"
    }
    assert REFUSED.keys() == with_key - {"RetireGrant"}


@pytest.mark.parametrize(("operation", "state"), CELLS)
def test_key_states(kms_mock, kms_client, prepared, refusal, operation, state):
    ready = prepared(operation)
    put_in_state(kms_mock, ready.key["KeyId"], state)
    assert kms_client.describe_key(KeyId=ready.key["KeyId"])["KeyMetadata"]["KeyState"] == state
    if state in REFUSED[operation]:
        code, text = REFUSED[operation][state]
        with refusal(code, text and text.format(arn=ready.key["Arn"])):
            ready.call()
    else:
        ready.call()


@pytest.mark.parametrize("state", ["Disabled", "PendingDeletion"])
def test_either_key_of_re_encrypt_refuses(kms_mock, kms_client, prepared, refusal, state):
    ready = prepared("ReEncrypt")
    destination = kms_client.create_key()["KeyMetadata"]
    put_in_state(kms_mock, destination["KeyId"], state)
    code, text = _CRYPTO[state]
    with refusal(code, text.format(arn=destination["Arn"])):
        ready.call(DestinationKeyId=destination["KeyId"])


def test_enabled_follows_from_the_state(kms_mock, kms_client):
    """API KeyMetadata: "When KeyState is Enabled this value is true, otherwise it is false"."""
    for state in ("Enabled", *STATES):
        key_id = kms_client.create_key()["KeyMetadata"]["KeyId"]
        put_in_state(kms_mock, key_id, state)
        assert kms_client.describe_key(KeyId=key_id)["KeyMetadata"]["Enabled"] is (state == "Enabled")
