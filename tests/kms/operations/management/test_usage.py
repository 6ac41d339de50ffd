"""GetKeyLastUsage. Source: its API reference, and "Determine past usage of a KMS key" of the Developer Guide."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from botocore.client import BaseClient

from pytest_kmsmock._kms.api.service_model import service_description
from pytest_kmsmock._kms.call.operation import OPERATIONS
from pytest_kmsmock._kms.operations import load

START = datetime(2030, 1, 1, tzinfo=timezone.utc)


def usage(client: BaseClient, key: str) -> dict[str, Any]:
    answer: dict[str, Any] = client.get_key_last_usage(KeyId=key)
    del answer["ResponseMetadata"]
    return answer


def test_a_key_that_was_never_used(kms, kms_client, new_key):
    key = new_key()
    kms.clock.advance(days=1)
    assert usage(kms_client, key) == {
        "KeyId": key.partition("/")[2],
        "KeyLastUsage": {},
        "TrackingStartDate": START,
        "KeyCreationDate": START,
    }


def test_the_last_use_that_succeeded_counts(kms, kms_client, new_key, refusal):
    key = new_key()
    blob = kms_client.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    kms.clock.advance(days=1)
    request_id = kms_client.decrypt(CiphertextBlob=blob)["ResponseMetadata"]["RequestId"]
    kms.clock.advance(days=1)
    with refusal("InvalidCiphertextException"):
        kms_client.decrypt(CiphertextBlob=blob, EncryptionContext={"wrong": "context"})
    with refusal("DryRunOperationException"):
        kms_client.encrypt(KeyId=key, Plaintext=b"x", DryRun=True)
    kms_client.describe_key(KeyId=key)
    found = usage(kms_client, key)["KeyLastUsage"]
    event = next(event for event in kms.cloudtrail_events() if event["requestID"] == request_id)
    assert found.pop("CloudTrailEventId") == event["eventID"]
    assert found == {"Operation": "Decrypt", "Timestamp": START + timedelta(days=1), "KmsRequestId": request_id}


def test_re_encrypt_uses_both_keys(kms, kms_client, new_key):
    source, destination = new_key(), new_key()
    blob = kms_client.encrypt(KeyId=source, Plaintext=b"x")["CiphertextBlob"]
    kms_client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=destination)
    for key in (source, destination):
        assert usage(kms_client, key)["KeyLastUsage"]["Operation"] == "ReEncrypt"


def test_aliases_are_not_accepted(kms, kms_client, new_key, refusal):
    kms_client.create_alias(AliasName="alias/mine", TargetKeyId=new_key())
    with refusal("InvalidArnException", "Key Aliases are not supported for this operation."):
        kms_client.get_key_last_usage(KeyId="alias/mine")


def test_every_operation_that_is_tracked_is_cryptographic_here():
    load()
    tracked = set(service_description()["shapes"]["KeyLastUsageTrackingOperation"]["enum"])
    assert {name for name, operation in OPERATIONS.items() if operation.cryptographic} == tracked
