"""Against the examples of the KMS Developer Guide, "Examples of AWS KMS log entries" (ct-*.md)."""

from __future__ import annotations

import json
import re
import uuid
from datetime import datetime, timezone

import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from pytest_kmsmock import mock_kms
from pytest_kmsmock._kms.api.errors import KmsError
from pytest_kmsmock._kms.api.service_model import operation_names, service_description
from pytest_kmsmock._kms.call.operation import OPERATIONS
from pytest_kmsmock._kms.operations import load
from pytest_kmsmock._kms.policy.principals import Principal
from pytest_kmsmock._kms.state.caller import Caller
from pytest_kmsmock._testing.audit import cloudtrail_tables as tables
from pytest_kmsmock._testing.audit.cloudtrail import _java_time
from pytest_kmsmock.errors import InvalidOption

CONTEXT = {"Department": "Engineering", "Project": "Alpha"}


@pytest.fixture
def kms():
    with mock_kms(region="us-west-2", account="111122223333") as kms:
        kms.clock.freeze("2025-05-20T20:45:00.250Z")
        yield kms


@pytest.fixture
def client(kms):
    return kms.client()


@pytest.fixture
def key(client):
    return client.create_key()["KeyMetadata"]


def last(kms):
    return kms.cloudtrail_events()[-1]


def test_decrypt_is_as_in_awss_example(kms, client, key):  # ct-decrypt
    blob = client.encrypt(KeyId=key["KeyId"], Plaintext=b"x", EncryptionContext=CONTEXT)["CiphertextBlob"]
    answer = client.decrypt(KeyId=key["Arn"], CiphertextBlob=blob, EncryptionContext=CONTEXT)
    event = last(kms)
    made_up = {name: event.pop(name) for name in ("sourceIPAddress", "userAgent", "eventID", "tlsDetails")}
    assert event == {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": event["userIdentity"]["principalId"],
            "arn": "arn:aws:iam::111122223333:user/Administrator",
            "accountId": "111122223333",
            "accessKeyId": "AKIAKMSMOCKDEFAULT00",
            "userName": "Administrator",
        },
        "eventTime": "2025-05-20T20:45:00Z",
        "eventSource": "kms.amazonaws.com",
        "eventName": "Decrypt",
        "awsRegion": "us-west-2",
        "requestParameters": {
            "encryptionAlgorithm": "SYMMETRIC_DEFAULT",
            "keyId": key["Arn"],
            "encryptionContext": CONTEXT,
        },
        "responseElements": None,
        "additionalEventData": {"keyMaterialId": answer["KeyMaterialId"]},
        "requestID": answer["ResponseMetadata"]["RequestId"],
        "readOnly": True,
        "resources": [{"accountId": "111122223333", "type": "AWS::KMS::Key", "ARN": key["Arn"]}],
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": "111122223333",
        "eventCategory": "Management",
    }
    assert re.fullmatch(r"AIDA[A-Z2-7]{17}", event["userIdentity"]["principalId"])
    assert uuid.UUID(made_up["eventID"])
    assert made_up["tlsDetails"]["clientProvidedHostHeader"] == "kms.us-west-2.amazonaws.com"


def test_decrypt_without_a_key_id_shows_none_but_the_resource(kms, client, key):
    blob = client.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    client.decrypt(CiphertextBlob=blob)
    event = last(kms)
    assert event["requestParameters"] == {"encryptionAlgorithm": "SYMMETRIC_DEFAULT"}
    assert event["resources"][0]["ARN"] == key["Arn"]


def test_a_failure_has_code_and_message(kms, client, key):  # ct-decrypt, "Decrypt failure"
    other = client.create_key()["KeyMetadata"]
    blob = client.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    with pytest.raises(ClientError):
        client.decrypt(KeyId=other["Arn"], CiphertextBlob=blob)
    event = last(kms)
    assert event["errorCode"] == "IncorrectKeyException"
    assert event["errorMessage"] == "The key ID in the request does not identify a CMK that can perform this operation."
    assert event["responseElements"] is None
    assert event["resources"][0]["ARN"] == other["Arn"]
    assert "additionalEventData" not in event


def test_a_dry_run_is_an_error_with_its_parameter(kms, client, key):
    with pytest.raises(ClientError):
        client.encrypt(KeyId=key["KeyId"], Plaintext=b"x", DryRun=True)
    event = last(kms)
    assert event["errorCode"] == "DryRunOperationException"
    assert event["errorMessage"] == "The request would have succeeded, but the DryRun option is set."
    assert event["requestParameters"]["dryRun"] is True


def test_a_failure_without_a_known_key_has_no_resources(kms, client):
    with pytest.raises(ClientError):
        client.describe_key(KeyId="alias/none")
    assert "resources" not in last(kms)
    with pytest.raises(ClientError):
        client.create_key(KeySpec="AES_512")
    assert "resources" not in last(kms)


def test_encrypt_tells_the_key_material(kms, client, key):  # ct-encrypt
    client.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    event = last(kms)
    assert event["additionalEventData"] == {"keyMaterialId": key["CurrentKeyMaterialId"]}
    assert event["requestParameters"] == {"keyId": key["KeyId"], "encryptionAlgorithm": "SYMMETRIC_DEFAULT"}


def test_re_encrypt_lists_source_and_destination(kms, client, key):  # ct-reencrypt
    other = client.create_key()["KeyMetadata"]
    blob = client.encrypt(KeyId=key["KeyId"], Plaintext=b"x", EncryptionContext=CONTEXT)["CiphertextBlob"]
    client.re_encrypt(
        CiphertextBlob=blob, SourceEncryptionContext=CONTEXT, DestinationKeyId=other["KeyId"],
        DestinationEncryptionContext={"Level": "3A"},
    )  # fmt: skip
    event = last(kms)
    assert event["requestParameters"] == {
        "sourceEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "sourceEncryptionContext": CONTEXT,
        "destinationKeyId": other["KeyId"],
        "destinationEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "destinationEncryptionContext": {"Level": "3A"},
    }
    assert [resource["ARN"] for resource in event["resources"]] == [key["Arn"], other["Arn"]]
    assert event["additionalEventData"] == {
        "sourceKeyMaterialId": key["CurrentKeyMaterialId"],
        "destinationKeyMaterialId": other["CurrentKeyMaterialId"],
    }


def test_create_key_shows_its_defaults_and_the_metadata(kms, client):  # ct-createkey
    metadata = client.create_key(Tags=[{"TagKey": "Department", "TagValue": "IT"}])["KeyMetadata"]
    event = last(kms)
    assert event["requestParameters"] == {
        "description": "",
        "keyUsage": "ENCRYPT_DECRYPT",
        "keySpec": "SYMMETRIC_DEFAULT",
        "origin": "AWS_KMS",
        "multiRegion": False,
        "bypassPolicyLockoutSafetyCheck": False,
        "tags": [{"tagKey": "Department", "tagValue": "IT"}],
    }
    shown = event["responseElements"]["keyMetadata"]
    assert shown["aWSAccountId"] == "111122223333"
    assert shown["creationDate"] == "May 20, 2025, 8:45:00 PM"
    assert shown["encryptionAlgorithms"] == ["SYMMETRIC_DEFAULT"]
    assert event["resources"] == [{"accountId": "111122223333", "type": "AWS::KMS::Key", "ARN": metadata["Arn"]}]
    assert event["readOnly"] is False


def test_operations_on_aliases_list_alias_and_key(kms, client, key):  # ct-createalias, -updatealias, -deletealias
    other = client.create_key()["KeyMetadata"]
    alias = "arn:aws:kms:us-west-2:111122223333:alias/ExampleAlias"
    client.create_alias(AliasName="alias/ExampleAlias", TargetKeyId=key["KeyId"])
    event = last(kms)
    assert event["requestParameters"] == {"aliasName": "alias/ExampleAlias", "targetKeyId": key["KeyId"]}
    assert event["responseElements"] == {"keyId": key["Arn"]}
    assert [resource["ARN"] for resource in event["resources"]] == [key["Arn"], alias]
    assert {resource["type"] for resource in event["resources"]} == {"AWS::KMS::Key"}
    client.update_alias(AliasName="alias/ExampleAlias", TargetKeyId=other["KeyId"])
    event = last(kms)
    assert event["responseElements"] == {"keyId": other["Arn"]}
    assert [resource["ARN"] for resource in event["resources"]] == [alias, other["Arn"]]
    client.delete_alias(AliasName="alias/ExampleAlias")
    event = last(kms)
    assert event["requestParameters"] == {"aliasName": "alias/ExampleAlias"}
    assert [resource["ARN"] for resource in event["resources"]] == [alias, other["Arn"]]


@pytest.mark.parametrize("operation", ["enable_key", "disable_key", "enable_key_rotation"])
def test_some_operations_answer_the_key_arn_there_only(kms, client, key, operation):  # ct-enablekey and others
    getattr(client, operation)(KeyId=key["KeyId"])
    event = last(kms)
    assert event["requestParameters"] == {"keyId": key["KeyId"]}
    assert event["responseElements"] == {"keyId": key["Arn"]}


def test_schedule_key_deletion_shows_the_date(kms, client, key):  # ct-schedule-key-deletion
    client.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=20)
    event = last(kms)
    assert event["requestParameters"] == {"keyId": key["KeyId"], "pendingWindowInDays": 20}
    assert event["responseElements"] == {
        "keyId": key["Arn"], "keyState": "PendingDeletion", "deletionDate": "Jun 9, 2025, 8:45:00 PM",
    }  # fmt: skip


def test_create_grant_hides_the_token(kms, client, key):  # ct-creategrant
    grant = client.create_grant(
        KeyId=key["KeyId"],
        GranteePrincipal="arn:aws:iam::111122223333:role/Worker",
        Operations=["Encrypt", "RetireGrant"],
        Constraints={"EncryptionContextSubset": {"ContextKey1": "Value1"}},
    )
    event = last(kms)
    assert event["requestParameters"] == {
        "keyId": key["KeyId"],
        "granteePrincipal": "arn:aws:iam::111122223333:role/Worker",
        "operations": ["Encrypt", "RetireGrant"],
        "constraints": {"encryptionContextSubset": {"ContextKey1": "Value1"}},
    }
    assert event["responseElements"] == {"grantId": grant["GrantId"], "keyId": key["Arn"]}


def test_retire_grant_shows_the_grant_beside_the_request(kms, client, key):  # ct-retire-grant
    grant = client.create_grant(
        KeyId=key["KeyId"], GranteePrincipal="arn:aws:iam::111122223333:role/Worker", Operations=["Encrypt"]
    )
    client.retire_grant(KeyId=key["Arn"], GrantId=grant["GrantId"])
    event = last(kms)
    assert event["requestParameters"] is None
    assert event["additionalEventData"] == {"grantId": grant["GrantId"]}


def test_what_uses_no_key_has_empty_resources(kms, client):  # ct-listaliases, ct-generaterandom
    client.list_aliases(Limit=5)
    event = last(kms)
    assert (event["requestParameters"], event["responseElements"], event["resources"]) == ({"limit": 5}, None, [])
    client.generate_random(NumberOfBytes=32)
    event = last(kms)
    assert (event["requestParameters"], event["resources"]) == (None, [])


def test_sign_shows_the_message_type(kms, client):  # ct-sign
    key_id = client.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    client.sign(KeyId=key_id, Message=b"x", SigningAlgorithm="ECDSA_SHA_256")
    assert last(kms)["requestParameters"] == {
        "messageType": "RAW", "keyId": key_id, "signingAlgorithm": "ECDSA_SHA_256",
    }  # fmt: skip
    assert "additionalEventData" not in last(kms)


def test_no_secret_is_in_any_record(kms, client, key):
    client.encrypt(KeyId=key["KeyId"], Plaintext=b"top secret")
    client.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256")
    client.generate_data_key_pair(KeyId=key["KeyId"], KeyPairSpec="ECC_NIST_P256")
    text = json.dumps(kms.cloudtrail_events())
    assert "secret" not in text
    assert not re.search(r'"(plaintext|ciphertextBlob|privateKey\w*|publicKey)"', text)


def test_replicating_is_logged_in_both_regions(kms, client):  # ct-replicate-key, ct-createkey
    primary = client.create_key(MultiRegion=True)["KeyMetadata"]
    client.replicate_key(KeyId=primary["KeyId"], ReplicaRegion="eu-west-1")
    replicate, create = kms.cloudtrail_events()[-2:]
    assert replicate["eventName"] == "ReplicateKey"
    assert replicate["requestParameters"] == {
        "keyId": primary["KeyId"], "replicaRegion": "eu-west-1", "description": "",
        "bypassPolicyLockoutSafetyCheck": False,
    }  # fmt: skip
    assert replicate["responseElements"]["replicaKeyMetadata"]["multiRegionConfiguration"]["primaryKey"] == {
        "arn": primary["Arn"], "region": "us-west-2",
    }  # fmt: skip
    assert [resource["ARN"] for resource in replicate["resources"]] == [primary["Arn"]]
    assert (create["eventName"], create["awsRegion"]) == ("CreateKey", "eu-west-1")
    assert create["userIdentity"]["invokedBy"] == "kms.amazonaws.com"
    assert create["requestID"] == replicate["requestID"]
    assert create["eventID"] != replicate["eventID"]


def test_moving_the_primary_is_logged_in_both_regions(kms, client):  # ct-update-primary-region
    primary = client.create_key(MultiRegion=True)["KeyMetadata"]
    client.replicate_key(KeyId=primary["KeyId"], ReplicaRegion="ap-northeast-1")
    kms.clock.advance(days=1)
    client.update_primary_region(KeyId=primary["KeyId"], PrimaryRegion="ap-northeast-1")
    here, there = kms.cloudtrail_events()[-2:]
    assert here["requestParameters"] == {"keyId": primary["KeyId"], "primaryRegion": "ap-northeast-1"}
    assert [resource["ARN"] for resource in here["resources"]] == [primary["Arn"]]
    assert there["awsRegion"] == "ap-northeast-1"
    assert there["requestParameters"]["keyId"] == primary["Arn"].replace("us-west-2", "ap-northeast-1")
    assert there["userIdentity"]["invokedBy"] == "kms.amazonaws.com"
    assert "resources" not in there


def test_deletion_is_logged_when_it_is_due(kms, client, key):  # ct-delete-key
    client.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    kms.clock.advance(days=8)
    event = last(kms)
    event.pop("eventID")
    assert event == {
        "eventVersion": "1.11",
        "userIdentity": {"accountId": "111122223333", "invokedBy": "AWS Internal"},
        "eventTime": "2025-05-27T20:45:00Z",
        "eventSource": "kms.amazonaws.com",
        "eventName": "DeleteKey",
        "awsRegion": "us-west-2",
        "sourceIPAddress": "AWS Internal",
        "userAgent": "AWS Internal",
        "requestParameters": None,
        "responseElements": {"keyId": key["Arn"]},  # by the text; the example is older than December 2022
        "readOnly": False,
        "resources": [{"accountId": "111122223333", "type": "AWS::KMS::Key", "ARN": key["Arn"]}],
        "eventType": "AwsServiceEvent",
        "managementEvent": True,
        "recipientAccountId": "111122223333",
        "eventCategory": "Management",
    }


def test_deletion_in_a_key_store_names_store_and_cluster(kms, client):  # ct-delete-key, second example
    store = kms.key_stores.add_store(region="us-west-2")
    key_id = client.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store)["KeyMetadata"]["KeyId"]
    client.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    kms.clock.advance(days=8)
    cluster = client.describe_custom_key_stores()["CustomKeyStores"][0]["CloudHsmClusterId"]
    (event,) = [event for event in kms.cloudtrail_events() if event["eventName"] == "DeleteKey"]
    assert event["additionalEventData"] == {"customKeyStoreId": store, "clusterId": cluster}


def test_rotation_is_logged_with_both_materials(kms, client, key):  # ct-rotatekey
    client.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
    kms.clock.advance(days=91)
    now = client.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
    (event,) = [event for event in kms.cloudtrail_events() if event["eventName"] == "RotateKey"]
    assert event["eventType"] == "AwsServiceEvent"
    assert event["serviceEventDetails"] == {
        "rotationType": "AUTOMATIC",
        "keyOrigin": "AWS_KMS",
        "previousKeyMaterialId": key["CurrentKeyMaterialId"],
        "currentKeyMaterialId": now["CurrentKeyMaterialId"],
        "keyId": key["KeyId"],
    }


def test_synchronising_is_a_call_that_names_the_primary(kms, client):  # ct-synchronize-multi-region-key
    primary = client.create_key(MultiRegion=True)["KeyMetadata"]
    client.replicate_key(KeyId=primary["KeyId"], ReplicaRegion="eu-west-1")
    client.enable_key_rotation(KeyId=primary["KeyId"], RotationPeriodInDays=90)
    kms.clock.advance(days=91)
    (event,) = [event for event in kms.cloudtrail_events() if event["eventName"] == "SynchronizeMultiRegionKey"]
    assert event["eventType"] == "AwsApiCall"
    assert uuid.UUID(event["requestID"])
    assert "serviceEventDetails" not in event
    assert [resource["ARN"] for resource in event["resources"]] == [primary["Arn"]]
    assert event["responseElements"] == {"keyId": primary["Arn"]}


def carry_out(kms, caller, operation="ListKeys", **params):
    try:
        kms._service.call(operation, params, caller, "us-west-2")
    except KmsError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        pytest.param(
            "arn:aws:iam::111122223333:root",
            {"type": "Root", "principalId": "111122223333", "arn": "arn:aws:iam::111122223333:root"},
            id="root",
        ),
        pytest.param(
            "arn:aws:sts::111122223333:assumed-role/Worker/MySession",
            {
                "type": "AssumedRole",
                "sessionContext": {
                    "sessionIssuer": {
                        "type": "Role",
                        "principalId": "AROA",
                        "arn": "arn:aws:iam::111122223333:role/Worker",
                        "accountId": "111122223333",
                        "userName": "Worker",
                    },
                    "attributes": {"mfaAuthenticated": "false"},
                },
            },
            id="role session",
        ),
        pytest.param(
            "arn:aws:sts::111122223333:federated-user/Bob",
            {"type": "FederatedUser", "principalId": "111122223333:Bob"},
            id="federated user",
        ),
        pytest.param("arn:aws:iam::111122223333:role/Worker", {"type": "Role"}, id="role itself"),
    ],
)
def test_the_identity_is_that_of_the_kind_of_principal(kms, arn, expected):
    # https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
    carry_out(kms, Caller(Principal.parse(arn), "111122223333"))
    identity = last(kms)["userIdentity"]
    assert re.fullmatch(r"A[KS]IA[A-Z2-7]{16}", identity["accessKeyId"])
    if "sessionContext" in identity:
        issuer = identity["sessionContext"]["sessionIssuer"]
        assert identity["principalId"] == f"{issuer['principalId']}:MySession"
        issuer["principalId"] = issuer["principalId"][:4]
    assert {name: identity[name] for name in expected} == expected


def test_a_service_is_named_as_such(kms):
    carry_out(kms, Caller(Principal.parse("s3.amazonaws.com"), "111122223333"))
    event = last(kms)
    assert event["userIdentity"] == {"type": "AWSService", "invokedBy": "s3.amazonaws.com"}
    assert event["sourceIPAddress"] == event["userAgent"] == "s3.amazonaws.com"


def test_a_call_through_a_service_says_which(kms):
    user = Principal.parse("arn:aws:iam::111122223333:user/Alice")
    carry_out(kms, Caller(user, "111122223333", via=("sqs",)))
    event = last(kms)
    assert event["userIdentity"]["invokedBy"] == "sqs.amazonaws.com"
    assert event["userIdentity"]["userName"] == "Alice"
    assert event["sourceIPAddress"] == event["userAgent"] == "sqs.amazonaws.com"
    assert "tlsDetails" not in event  # captured from AWS KMS, 2020 to 2026-09


def test_s3_goes_by_another_name(kms):
    # recorded from AWS, 2026-07
    user = Principal.parse("arn:aws:iam::111122223333:user/Alice")
    carry_out(kms, Caller(user, "111122223333", context={"kms:viaservice": ("s3.us-west-2.amazonaws.com",)}))
    event = last(kms)
    assert event["userIdentity"]["invokedBy"] == event["sourceIPAddress"] == "fas.s3.amazonaws.com"


def test_the_address_of_a_caller_is_shown(kms):
    user = Principal.parse("arn:aws:iam::111122223333:user/Alice")
    carry_out(kms, Caller(user, "111122223333", context={"aws:sourceip": ("192.0.2.0",)}))
    assert last(kms)["sourceIPAddress"] == "192.0.2.0"


OTHER = "444455556666"


def cross_account(kms, client, *, allowed):
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "kms:*", "Resource": "*"}
            for account in ("111122223333", OTHER)[: 1 + allowed]
        ],
    }
    key = client.create_key(Policy=json.dumps(policy))["KeyMetadata"]
    caller = Caller(Principal.parse(f"arn:aws:iam::{OTHER}:user/Bob"), OTHER, administrator=True)
    error = carry_out(kms, caller, "Encrypt", KeyId=key["Arn"], Plaintext=b"x")
    return key, error


def test_a_call_across_accounts_is_in_both_trails(kms, client):
    # https://docs.aws.amazon.com/awscloudtrail/latest/userguide/shared-event-ID.html
    key, error = cross_account(kms, client, allowed=True)
    assert error is None
    (bob,) = kms.cloudtrail_events(account=OTHER)
    owner = kms.cloudtrail_events(account="111122223333")[-1]
    assert bob["sharedEventID"] == owner["sharedEventID"]
    assert bob["eventID"] != owner["eventID"]
    assert bob["userIdentity"]["userName"] == "Bob"
    assert owner["userIdentity"] == {
        "type": "AWSAccount", "principalId": bob["userIdentity"]["principalId"], "accountId": OTHER,
    }  # fmt: skip
    assert owner["resources"] == [{"accountId": "111122223333", "type": "AWS::KMS::Key", "ARN": key["Arn"]}]


def test_a_denied_call_across_accounts_is_in_the_callers_trail_only(kms, client, monkeypatch):
    # "requests that are rejected because access is denied are logged only in the caller's account"
    from pytest_kmsmock._kms.engine import pipeline

    def deny(call, target):
        if call.operation.name == "Encrypt":
            raise KmsError("AccessDeniedException", "denied")

    monkeypatch.setattr(pipeline, "authorize", deny)
    _, error = cross_account(kms, client, allowed=False)
    assert error is not None
    (bob,) = kms.cloudtrail_events(account=OTHER)
    assert bob["errorCode"] == "AccessDenied"
    assert "sharedEventID" not in bob
    assert all(event["eventName"] != "Encrypt" for event in kms.cloudtrail_events(account="111122223333"))


def test_a_service_that_uses_a_key_is_in_the_owners_trail(kms, key, monkeypatch):
    from pytest_kmsmock._kms.engine import pipeline

    monkeypatch.setattr(pipeline, "authorize", lambda *_: None)
    fake_kms = Caller(Principal.parse("s3.amazonaws.com"), "")
    assert carry_out(kms, fake_kms, "Encrypt", KeyId=key["Arn"], Plaintext=b"x") is None
    event = last(kms)
    assert event["recipientAccountId"] == "111122223333"
    assert event["userIdentity"] == {"type": "AWSService", "invokedBy": "s3.amazonaws.com"}


def test_what_never_reached_kms_is_not_logged_and_what_was_lost_is(kms, key):
    client = kms.client(config=Config(retries={"total_max_attempts": 1}))
    count = len(kms.cloudtrail_events())
    kms.faults.add("ListKeys", error="ConnectTimeoutError", times=1)
    kms.faults.add("ListKeys", error=503, times=1)
    kms.faults.add("ListKeys", error="ThrottlingException", times=1)
    kms.faults.add("ListKeys", error="ReadTimeoutError", executed=True)
    for _ in range(4):
        with pytest.raises((BotoCoreError, ClientError)):
            client.list_keys()
    throttled, lost = kms.cloudtrail_events()[count:]
    assert throttled["errorCode"] == "ThrottlingException"
    assert lost["eventName"] == "ListKeys"
    assert "errorCode" not in lost


def test_records_are_the_same_each_time(kms, client, key):
    client.list_keys()
    assert kms.cloudtrail_events() == kms.cloudtrail_events()


def test_a_malformed_request_is_shown_as_it_came(kms):
    carry_out(kms, Caller(Principal.parse("arn:aws:iam::111122223333:user/A"), "111122223333"), Limit="many")
    assert last(kms)["requestParameters"] == {"limit": "many"}


def test_an_attested_request_shows_the_enclave(kms, client, key):  # ct-decrypt-enclave
    from pytest_kmsmock.enclave import FakeEnclave

    enclave = FakeEnclave({0: bytes(range(48))})
    client.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256", Recipient=enclave.recipient())
    recipient = last(kms)["additionalEventData"]["recipient"]
    assert recipient["attestationDocumentEnclaveImageDigest"] == bytes(range(48)).hex()
    assert recipient["attestationDocumentModuleId"]
    assert "recipient" not in last(kms)["requestParameters"]
    instance = FakeEnclave({4: bytes(48)}, kind="NitroTPM", private_key=enclave.private_key)
    client.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256", Recipient=instance.recipient())
    assert set(last(kms)["additionalEventData"]["recipient"]) == {"attestationDocumentModuleId"}


def test_a_document_that_is_none_is_left_out(kms, client, key):
    recipient = {"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": b"x"}
    with pytest.raises(ClientError):
        client.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256", Recipient=recipient)
    assert "additionalEventData" not in last(kms)


@pytest.mark.parametrize(
    ("hour", "text"), [(0, "12:00:05 AM"), (12, "12:00:05 PM"), (9, "9:00:05 AM"), (23, "11:00:05 PM")]
)
def test_times_are_written_as_java_does(hour, text):
    assert _java_time(datetime(2025, 1, 2, hour, 0, 5, tzinfo=timezone.utc)) == f"Jan 2, 2025, {text}"


def test_the_tables_name_operations_of_kms():
    names = operation_names()
    for table in (
        tables.WRITES, tables.NO_PARAMETERS, tables.DEFAULTS, tables.ANSWERS,
        tables.KEY_ARN_ANSWERED - {"DeleteKey", "SynchronizeMultiRegionKey"}, tables.KEY_FIRST, tables.NO_RESOURCES,
    ):  # fmt: skip
        assert set(table) <= names


def test_what_writes_is_neither_a_read_nor_cryptographic():
    load()
    reads = {name for name in operation_names() if name.startswith(("Get", "List", "Describe"))}
    cryptographic = {name for name, operation in OPERATIONS.items() if operation.cryptographic} | {"GenerateRandom"}
    assert operation_names() - tables.WRITES == reads | cryptographic


def test_what_answers_shows_are_members_of_the_answer():
    description = service_description()
    for operation, members in tables.ANSWERS.items():
        output = description["operations"][operation]["output"]["shape"]
        assert set(members) <= set(description["shapes"][output]["members"])


def test_keys_in_custom_key_stores_tell_their_store(kms, client):  # ct-decrypt, "in an AWS CloudHSM key store"
    store = kms.key_stores.add_store()
    key_id = client.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store)["KeyMetadata"]["KeyId"]
    client.encrypt(KeyId=key_id, Plaintext=b"x")
    assert last(kms)["additionalEventData"]["customKeyStoreId"] == store
    assert "xksKeyId" not in last(kms)["additionalEventData"]
    client.disable_key(KeyId=key_id)
    assert "additionalEventData" not in last(kms)


def test_custom_key_stores_are_logged_without_resources(kms, client):  # ct-create-keystore, ct-connect-keystore
    cluster = kms.key_stores.add_cluster()
    store = client.create_custom_key_store(CustomKeyStoreName="ExampleKeyStore", **cluster.parameters)
    store_id = store["CustomKeyStoreId"]
    event = last(kms)
    event["requestParameters"].pop("customKeyStoreType")  # the example's request does not have it
    assert event["requestParameters"] == {"customKeyStoreName": "ExampleKeyStore", "clusterId": cluster.id}
    assert event["responseElements"] == {"customKeyStoreId": store_id}
    assert "resources" not in event
    client.connect_custom_key_store(CustomKeyStoreId=store_id)
    event = last(kms)
    assert event["requestParameters"] == {"customKeyStoreId": store_id}
    assert event["responseElements"] is None
    assert event["additionalEventData"] == {"customKeyStoreName": "ExampleKeyStore", "clusterId": cluster.id}
    assert "resources" not in event


def test_external_key_stores_tell_the_external_key(kms, client):  # ct-decrypt, "in an external key store"
    proxy = kms.key_stores.add_xks_proxy()
    store = kms.key_stores.add_store(proxy)
    kms.key_stores.add_xks_key(proxy, "external-key-1")
    metadata = client.create_key(Origin="EXTERNAL_KEY_STORE", CustomKeyStoreId=store, XksKeyId="external-key-1")
    client.encrypt(KeyId=metadata["KeyMetadata"]["KeyId"], Plaintext=b"x")
    data = last(kms)["additionalEventData"]
    assert (data["customKeyStoreId"], data["xksKeyId"]) == (store, "external-key-1")
    client.disconnect_custom_key_store(CustomKeyStoreId=store)
    assert set(last(kms)["additionalEventData"]) == {"customKeyStoreName"}


def test_an_error_of_the_mocks_own_is_not_logged(kms, monkeypatch):
    from pytest_kmsmock._kms.engine import fake_kms

    def fail(_call):
        raise RuntimeError

    monkeypatch.setattr(fake_kms, "perform", fail)
    with pytest.raises(RuntimeError):
        kms.client().list_keys()
    assert kms.cloudtrail_events() == []


@pytest.mark.parametrize("account", [123456789012, "12345", ""])
def test_the_trail_of_no_account_is_refused(kms_mock, account):
    with pytest.raises(InvalidOption, match=r"^cloudtrail_events\(\): account must be 12 digits"):
        kms_mock.cloudtrail_events(account=account)
