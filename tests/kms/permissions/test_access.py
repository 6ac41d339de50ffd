"""Permissions and resources of each operation: authorization of real calls.

What policies mean is tested with the engine (`authorization/`); here are the facts of "AWS KMS permissions"
(https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html) and of the API reference.
"""

from __future__ import annotations

import contextlib
import json
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_kmsmock import mock_kms
from pytest_kmsmock._kms.api.errors import KmsError
from pytest_kmsmock._kms.api.service_model import service_description
from pytest_kmsmock._kms.call.operation import OPERATIONS
from pytest_kmsmock._kms.operations import load

ACCOUNT, OTHER = "123456789012", "111122223333"
USER = f"arn:aws:iam::{ACCOUNT}:user/alice"
STRANGER = f"arn:aws:iam::{OTHER}:user/bob"
OUT_OF_SIGHT = (
    "because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based "
    "policy explicitly denies access"
)


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


def deny(action, resource="*", **more):
    return {"Effect": "Deny", "Action": action, "Resource": resource} | more


def for_(principal, action, **more):
    return allow(action, Principal={"AWS": principal}, **more)


DELEGATES = for_(f"arn:aws:iam::{ACCOUNT}:root", "kms:*")


@pytest.fixture
def key(kms_mock):
    return kms_mock.create_key(alias="alias/app", tags={"team": "x"})


# --- each operation -------------------------------------------------------------------------------------------------

BLOB = b"\x01\x02\x02\x00"
CONSTRAINTS = {"EncryptionContextSubset": {"a": "b"}}
#: Operation -> the smallest request that reaches authorization. `KEY`, `OTHER_KEY` and `GRANT` are filled in.
REQUESTS: dict[str, dict[str, Any]] = {
    "CancelKeyDeletion": {"KeyId": "KEY"},
    "ConnectCustomKeyStore": {"CustomKeyStoreId": "cks-1234567890abcdef0"},
    "CreateAlias": {"AliasName": "alias/new", "TargetKeyId": "KEY"},
    "CreateCustomKeyStore": {"CustomKeyStoreName": "store"},
    "CreateGrant": {"KeyId": "KEY", "GranteePrincipal": STRANGER, "Operations": ["Encrypt"]},
    "CreateKey": {"Tags": [{"TagKey": "a", "TagValue": "b"}]},
    "Decapsulate": {"KeyId": "KEY", "EncapsulationAlgorithm": "ML_KEM", "SharedSecretCiphertextBlob": BLOB},
    "Decrypt": {"KeyId": "KEY", "CiphertextBlob": BLOB},
    "DeleteAlias": {"AliasName": "alias/app"},
    "DeleteCustomKeyStore": {"CustomKeyStoreId": "cks-1234567890abcdef0"},
    "DeleteImportedKeyMaterial": {"KeyId": "KEY"},
    "DeriveSharedSecret": {"KeyId": "KEY", "KeyAgreementAlgorithm": "ECDH", "PublicKey": b"x"},
    "DescribeCustomKeyStores": {},
    "DescribeKey": {"KeyId": "KEY"},
    "DisableKey": {"KeyId": "KEY"},
    "DisableKeyRotation": {"KeyId": "KEY"},
    "DisconnectCustomKeyStore": {"CustomKeyStoreId": "cks-1234567890abcdef0"},
    "EnableKey": {"KeyId": "KEY"},
    "EnableKeyRotation": {"KeyId": "KEY"},
    "Encapsulate": {"KeyId": "KEY", "EncapsulationAlgorithm": "ML_KEM"},
    "Encrypt": {"KeyId": "KEY", "Plaintext": b"x"},
    "GenerateDataKey": {"KeyId": "KEY", "KeySpec": "AES_256"},
    "GenerateDataKeyPair": {"KeyId": "KEY", "KeyPairSpec": "ECC_NIST_P256"},
    "GenerateDataKeyPairWithoutPlaintext": {"KeyId": "KEY", "KeyPairSpec": "ECC_NIST_P256"},
    "GenerateDataKeyWithoutPlaintext": {"KeyId": "KEY", "KeySpec": "AES_256"},
    "GenerateMac": {"KeyId": "KEY", "Message": b"x", "MacAlgorithm": "HMAC_SHA_256"},
    "GenerateRandom": {"NumberOfBytes": 1},
    "GetKeyLastUsage": {"KeyId": "KEY"},
    "GetKeyPolicy": {"KeyId": "KEY"},
    "GetKeyRotationStatus": {"KeyId": "KEY"},
    "GetParametersForImport": {
        "KeyId": "KEY",
        "WrappingAlgorithm": "RSAES_OAEP_SHA_256",
        "WrappingKeySpec": "RSA_2048",
    },
    "GetPublicKey": {"KeyId": "KEY"},
    "ImportKeyMaterial": {"KeyId": "KEY", "ImportToken": b"x", "EncryptedKeyMaterial": b"x"},
    "ListAliases": {},
    "ListGrants": {"KeyId": "KEY"},
    "ListKeyPolicies": {"KeyId": "KEY"},
    "ListKeyRotations": {"KeyId": "KEY"},
    "ListKeys": {},
    "ListResourceTags": {"KeyId": "KEY"},
    "ListRetirableGrants": {"RetiringPrincipal": USER},
    "PutKeyPolicy": {"KeyId": "KEY", "Policy": policy(DELEGATES)},
    "ReEncrypt": {"SourceKeyId": "KEY", "DestinationKeyId": "OTHER_KEY", "CiphertextBlob": BLOB},
    "ReplicateKey": {"KeyId": "KEY", "ReplicaRegion": "eu-west-1", "Tags": [{"TagKey": "a", "TagValue": "b"}]},
    "RetireGrant": {"KeyId": "KEY", "GrantId": "GRANT"},
    "RevokeGrant": {"KeyId": "KEY", "GrantId": "GRANT"},
    "RotateKeyOnDemand": {"KeyId": "KEY"},
    "ScheduleKeyDeletion": {"KeyId": "KEY"},
    "Sign": {"KeyId": "KEY", "Message": b"x", "SigningAlgorithm": "ECDSA_SHA_256"},
    "TagResource": {"KeyId": "KEY", "Tags": [{"TagKey": "a", "TagValue": "b"}]},
    "UntagResource": {"KeyId": "KEY", "TagKeys": ["a"]},
    "UpdateAlias": {"AliasName": "alias/app", "TargetKeyId": "OTHER_KEY"},
    "UpdateCustomKeyStore": {"CustomKeyStoreId": "cks-1234567890abcdef0"},
    "UpdateKeyDescription": {"KeyId": "KEY", "Description": "x"},
    "UpdatePrimaryRegion": {"KeyId": "KEY", "PrimaryRegion": "eu-west-1"},
    "Verify": {"KeyId": "KEY", "Message": b"x", "SigningAlgorithm": "ECDSA_SHA_256", "Signature": b"x"},
    "VerifyMac": {"KeyId": "KEY", "Message": b"x", "MacAlgorithm": "HMAC_SHA_256", "Mac": b"x"},
}
#: Operation -> the permissions it needs and on what; for all others `kms:<operation>` on the key.
PERMISSIONS: dict[str, Any] = {
    **{
        operation: [(None, "*")]
        for operation in (
            "ConnectCustomKeyStore", "CreateCustomKeyStore", "DeleteCustomKeyStore", "DescribeCustomKeyStores",
            "DisconnectCustomKeyStore", "GenerateRandom", "ListAliases", "ListKeys", "UpdateCustomKeyStore",
        )
    },
    # Developer Guide, "Controlling access to tags": "an IAM policy that isn't restricted to particular KMS keys".
    "CreateKey": [("CreateKey", "*"), ("TagResource", f"arn:aws:kms:*:{ACCOUNT}:key/*")],
    "CreateAlias": [(None, "alias/new"), (None, "KEY")],
    "DeleteAlias": [(None, "alias/app"), (None, "KEY")],
    "UpdateAlias": [(None, "alias/app"), (None, "KEY"), (None, "OTHER_KEY")],
    "ReEncrypt": [("ReEncryptFrom", "KEY"), ("ReEncryptTo", "OTHER_KEY")],
    "ReplicateKey": [(None, "KEY"), ("CreateKey", "*"), ("TagResource", f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/*")],
    "ListRetirableGrants": [(None, USER)],
}  # fmt: skip


def test_every_operation_is_in_the_table():
    load()
    assert REQUESTS.keys() == OPERATIONS.keys()


def permissions(operation, places):
    listed = PERMISSIONS.get(operation, [(None, "KEY")])
    return [(f"kms:{name or operation}", places.get(what, what)) for name, what in listed]


def request_of(operation, places):
    return {
        name: places[value] if value in ("KEY", "OTHER_KEY", "GRANT") else value
        for name, value in REQUESTS[operation].items()
    }


@pytest.fixture
def places(kms_mock, kms_client, key):
    other = kms_mock.create_key()
    grant = kms_client.create_grant(KeyId=key.arn, GranteePrincipal=STRANGER, Operations=["Encrypt"])
    alias = f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/"
    return {
        "KEY": key.arn,
        "OTHER_KEY": other.arn,
        "GRANT": grant["GrantId"],
        "alias/new": f"{alias}new",
        "alias/app": f"{alias}app",
    }


def call(kms, operation, request, caller):
    """Call, and say whether the policies let it pass, and what it was refused with."""
    try:
        kms._service.call(operation, request, caller, "us-east-1")
    except KmsError as refusal:
        return kms.calls[-1].authorized, refusal
    return kms.calls[-1].authorized, None


@pytest.mark.parametrize("operation", sorted(REQUESTS))
def test_an_operation_needs_all_its_permissions_and_no_others(kms_mock, places, operation):
    request = request_of(operation, places)
    needed = permissions(operation, places)
    caller = kms_mock._caller(USER)
    for missing in [*needed, None]:
        kms_mock.iam.detach(USER)
        kms_mock.iam.attach(USER, policy(*(allow(*pair) for pair in needed if pair != missing), deny("kms:nothing")))
        authorized, refusal = call(kms_mock, operation, request, caller)
        if missing is None:
            assert authorized, refusal
            continue
        action, resource = missing
        assert not authorized
        assert refusal.code == "AccessDeniedException"
        # Recorded for CreateKey (DataBiosphere/azul#5628); the key that is not there yet is not named.
        where = "" if resource.endswith("key/*") else f" on resource: {resource}"
        assert refusal.message == (
            f"User: {USER} is not authorized to perform: {action}{where} because no identity-based "
            f"policy allows the {action} action"
        )


KEY_OPERATIONS = sorted(
    operation for operation in REQUESTS if operation not in PERMISSIONS and operation != "RetireGrant"
)


@pytest.mark.parametrize("operation", KEY_OPERATIONS)
def test_a_key_policy_alone_can_allow_an_operation_on_the_key(kms_mock, operation):
    action = f"kms:{operation}"
    key = kms_mock.create_key(policy=policy(DELEGATES, for_(USER, action)))
    places = {"KEY": key.arn, "OTHER_KEY": key.arn, "GRANT": "0" * 64}
    authorized, refusal = call(kms_mock, operation, request_of(operation, places), kms_mock._caller(USER))
    assert authorized, refusal
    key = kms_mock.create_key(policy=policy(for_(f"arn:aws:iam::{ACCOUNT}:user/other", "kms:*")))
    authorized, refusal = call(
        kms_mock, operation, request_of(operation, {**places, "KEY": key.arn}), kms_mock._caller()
    )
    assert not authorized
    # Recorded: "because no resource-based policy allows the ... action".
    assert refusal.message == (
        f"User: arn:aws:iam::{ACCOUNT}:user/Administrator is not authorized to perform: {action} on "
        f"resource: {key.arn} because no resource-based policy allows the {action} action"
    )


#: "Cross-account use: Yes", from the descriptions of the operations in the API reference.
CROSS_ACCOUNT = {
    "CreateGrant", "Decapsulate", "Decrypt", "DeriveSharedSecret", "DescribeKey", "Encapsulate", "Encrypt",
    "GenerateDataKey", "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext", "GenerateDataKeyWithoutPlaintext",
    "GenerateMac", "GetKeyRotationStatus", "GetPublicKey", "ListGrants", "ReEncrypt", "RevokeGrant", "Sign", "Verify",
    "VerifyMac",
}  # fmt: skip


@pytest.mark.parametrize("operation", [*KEY_OPERATIONS, "ReEncrypt"])
def test_across_accounts_both_sides_must_allow_what_works_there_at_all(kms_mock, operation):
    open_to_all = policy(DELEGATES, for_(f"arn:aws:iam::{OTHER}:root", "kms:*"))
    key = kms_mock.create_key(policy=open_to_all)
    places = {"KEY": key.arn, "OTHER_KEY": key.arn, "GRANT": "0" * 64}
    request = request_of(operation, places)
    caller = kms_mock._caller(STRANGER)
    authorized, refusal = call(kms_mock, operation, request, caller)
    action = "kms:ReEncryptFrom" if operation == "ReEncrypt" else f"kms:{operation}"
    works = operation in CROSS_ACCOUNT
    assert not authorized
    reason = f"because no identity-based policy allows the {action} action" if works else OUT_OF_SIGHT
    assert refusal.message == f"User: {STRANGER} is not authorized to perform: {action} on this resource {reason}"
    kms_mock.iam.attach(STRANGER, policy(allow("kms:*")))
    assert call(kms_mock, operation, request, caller)[0] is works
    # Its IAM policies do not help where the key policy says nothing.
    closed = kms_mock.create_key()
    request = request_of(operation, {**places, "KEY": closed.arn, "OTHER_KEY": closed.arn})
    authorized, refusal = call(kms_mock, operation, request, caller)
    assert not authorized
    assert refusal.message == f"User: {STRANGER} is not authorized to perform: {action} on this resource {OUT_OF_SIGHT}"


def test_a_key_that_does_not_exist_is_denied_as_one_that_exists(kms_mock, key):
    nobody = kms_mock.client(principal=STRANGER)
    texts = set()
    for arn in (key.arn, key.arn[:-12] + "0" * 12, f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/none"):
        with pytest.raises(ClientError) as refused:
            nobody.encrypt(KeyId=arn, Plaintext=b"x")
        texts.add(refused.value.response["Error"]["Message"])
    assert texts == {f"User: {STRANGER} is not authorized to perform: kms:Encrypt on this resource {OUT_OF_SIGHT}"}


def test_a_ciphertext_of_a_key_that_may_not_be_used_names_it_in_its_own_account_only(
    kms_mock, kms_client, key, refusal
):
    """Captured from AWS KMS, 2026-09, for callers of the key's account."""
    blob = kms_client.encrypt(KeyId=key.arn, Plaintext=b"x")["CiphertextBlob"]
    start = "User: {} is not authorized to perform: kms:Decrypt on {} "
    with refusal(
        "AccessDeniedException", start.format(STRANGER, "the resource associated with this ciphertext") + OUT_OF_SIGHT
    ):
        kms_mock.client(principal=STRANGER).decrypt(CiphertextBlob=blob)
    with refusal(
        "AccessDeniedException",
        start.format(USER, f"resource: {key.arn}") + "because no identity-based policy allows the kms:Decrypt action",
    ):
        kms_mock.client(principal=USER).decrypt(CiphertextBlob=blob)


def test_nothing_is_denied_when_policies_are_not_enforced():
    with mock_kms(enforce_policies=False) as kms:
        key = kms.create_key(policy=policy(deny("kms:*", Principal="*")))
        client = kms.client(principal=USER)
        client.encrypt(KeyId=key.arn, Plaintext=b"x")
        client.put_key_policy(KeyId=key.arn, Policy=policy(deny("kms:*", Principal="*")))  # no lockout check either
        assert kms.calls[-1].decisions == ()


def test_keys_of_other_accounts_are_refused_even_when_policies_are_not_enforced(refusal):
    with mock_kms(enforce_policies=False) as kms:
        key = kms.create_key(alias="alias/app")
        abroad = kms.client(principal=f"arn:aws:iam::{OTHER}:role/app")
        assert abroad.describe_key(KeyId=key.arn)["KeyMetadata"]["Arn"] == key.arn
        with refusal("AccessDeniedException"):
            abroad.create_alias(AliasName="alias/app", TargetKeyId=key.arn)
        assert "works only on keys of the caller's own account" in str(kms.calls[-1].decisions[-1].explain())
        with refusal("AccessDeniedException"):
            abroad.rotate_key_on_demand(KeyId=key.arn)
        assert not any("TargetKeyId" in alias for alias in abroad.list_aliases()["Aliases"])


# --- key policies and IAM together ----------------------------------------------------------------------------------


def test_root_needs_a_statement_for_its_account_and_nothing_else(kms_mock, key, refusal):
    """Developer Guide, "Default key policy"."""
    root = kms_mock.client(principal="root")
    root.encrypt(KeyId=key.arn, Plaintext=b"x")
    closed = kms_mock.create_key(policy=policy(for_(USER, "kms:*")))
    with refusal("AccessDeniedException"):
        root.encrypt(KeyId=closed.arn, Plaintext=b"x")


def test_an_iam_policy_does_not_allow_unless_the_key_policy_delegates(kms_mock, refusal):
    key = kms_mock.create_key(policy=policy(for_(f"arn:aws:iam::{ACCOUNT}:role/other", "kms:*")))
    kms_mock.iam.attach(USER, policy(allow("kms:*", key.arn)))
    with refusal("AccessDeniedException"):
        kms_mock.client(principal=USER).encrypt(KeyId=key.arn, Plaintext=b"x")


def test_the_alias_is_allowed_by_iam_only(kms_mock, refusal):
    """Developer Guide, "Controlling access to aliases": the key policy has no say on the alias."""
    key = kms_mock.create_key(policy=policy(DELEGATES, for_(USER, "kms:*")))
    client = kms_mock.client(principal=USER)
    arn = f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/mine"
    with refusal(
        "AccessDeniedException",
        f"User: {USER} is not authorized to perform: kms:CreateAlias on resource: {arn} because no identity-based "
        "policy allows the kms:CreateAlias action",
    ):
        client.create_alias(AliasName="alias/mine", TargetKeyId=key.arn)
    kms_mock.iam.attach(USER, policy(allow("kms:CreateAlias", f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/m*")))
    client.create_alias(AliasName="alias/mine", TargetKeyId=key.arn)


def test_aws_managed_keys_are_used_through_their_service_only(kms_mock, kms_client, refusal):
    """Developer Guide, "AWS managed keys": their key policies allow use through the service."""
    arn = kms_mock.managed_key("s3")
    kms_client.describe_key(KeyId=arn)
    with refusal("AccessDeniedException"):
        kms_client.encrypt(KeyId=arn, Plaintext=b"x")
    through_s3 = kms_mock.client(principal=kms_mock.credentials(USER, via_service="s3"))
    through_s3.encrypt(KeyId=arn, Plaintext=b"x")
    for other in (kms_mock.credentials(USER, via_service="sqs"), kms_mock.credentials(STRANGER, via_service="s3")):
        with refusal("AccessDeniedException"):
            kms_mock.client(principal=other).encrypt(KeyId=arn, Plaintext=b"x")


def test_resource_control_policies_leave_alone_actions_without_a_resource(kms_mock, kms_client):
    """Inferred from the Developer Guide, "Resource control policies": they limit actions "on resources"."""
    kms_mock.iam.resource_control(policy(deny("kms:*", Principal="*")))
    assert kms_client.list_keys()["Keys"] == []
    kms_client.generate_random(NumberOfBytes=1)


def test_a_service_principal(kms_mock, refusal):
    """IAM User Guide, "AWS services as principals"; the confused deputy is kept out by aws:SourceArn."""
    bucket = "arn:aws:s3:::bucket"
    statement = allow(
        "kms:GenerateDataKey*",
        Principal={"Service": "logging.s3.amazonaws.com"},
        Condition={"ArnLike": {"aws:SourceArn": bucket}, "StringEquals": {"aws:SourceAccount": ACCOUNT}},
    )
    key = kms_mock.create_key(policy=policy(DELEGATES, statement))
    trusted = kms_mock.credentials("logging.s3.amazonaws.com", source_arn=bucket, source_account=ACCOUNT)
    kms_mock.client(principal=trusted).generate_data_key(KeyId=key.id, KeySpec="AES_256")
    for deputy in (
        kms_mock.credentials("logging.s3.amazonaws.com", source_arn="arn:aws:s3:::else", source_account=ACCOUNT),
        kms_mock.credentials("sns.amazonaws.com", source_arn=bucket, source_account=ACCOUNT),
        kms_mock.credentials("logging.s3.amazonaws.com"),
    ):
        with refusal("AccessDeniedException"):
            kms_mock.client(principal=deputy).generate_data_key(KeyId=key.id, KeySpec="AES_256")


def test_the_replica_region_counts_for_the_replica(kms_mock, refusal):
    """API ReplicateKey: kms:CreateKey in the replica Region."""
    key = kms_mock.create_key(multi_region=True)
    only_here = allow("kms:CreateKey", Condition={"StringEquals": {"aws:RequestedRegion": "us-east-1"}})
    kms_mock.iam.attach(USER, policy(allow("kms:ReplicateKey"), only_here))
    client = kms_mock.client(principal=USER)
    with refusal("AccessDeniedException"):
        client.replicate_key(KeyId=key.arn, ReplicaRegion="eu-west-1")
    there = {"StringEquals": {"aws:RequestedRegion": "eu-west-1", "kms:MultiRegionKeyType": "REPLICA"}}
    kms_mock.iam.attach(USER, policy(allow("kms:CreateKey", Condition=there)))
    client.replicate_key(KeyId=key.arn, ReplicaRegion="eu-west-1")


CREATES_KEYS = [allow(["kms:CreateKey", "kms:ListKeys"]), allow("kms:CreateAlias", f"arn:aws:kms:*:{ACCOUNT}:alias/*")]
TAGS = [{"TagKey": "team", "TagValue": "x"}]


@pytest.mark.parametrize("multi_region", [False, True])
def test_the_guide_s_policy_for_who_creates_keys_lets_tag_them_from_the_beginning(kms_mock, multi_region, refusal):
    """Developer Guide, "Allow a user to create KMS keys": `kms:TagResource` on `arn:aws:kms:*:111122223333:key/*`."""
    kms_mock.iam.attach(USER, policy(*CREATES_KEYS))
    client = kms_mock.client(principal=USER)
    client.create_key(MultiRegion=multi_region)
    with refusal(
        "AccessDeniedException",
        f"User: {USER} is not authorized to perform: kms:TagResource because no identity-based policy allows the "
        "kms:TagResource action",
    ):
        client.create_key(MultiRegion=multi_region, Tags=TAGS)
    kms_mock.iam.attach(USER, policy(allow("kms:TagResource", f"arn:aws:kms:*:{ACCOUNT}:key/*")))
    made = client.create_key(MultiRegion=multi_region, Tags=TAGS)["KeyMetadata"]
    assert kms_mock.keys[made["KeyId"]].tags == {"team": "x"}


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        pytest.param(deny("kms:TagResource", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/*"), False, id="denied on all keys"),
        pytest.param(deny("kms:TagResource", f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/*"), True, id="denied elsewhere"),
        pytest.param(deny("kms:TagResource", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/mrk-*"), True, id="denied on mrk"),
        pytest.param(
            deny("kms:*", Condition={"StringNotEquals": {"aws:RequestTag/team": "x"}}), True, id="by the request's tag"
        ),
        pytest.param(
            deny("kms:TagResource", Condition={"StringEquals": {"aws:ResourceTag/team": "x"}}), True, id="by no tag yet"
        ),
    ],
)
def test_denying_tagging_denies_creating_keys_with_tags(kms_mock, statement, allowed):
    kms_mock.iam.attach(USER, policy(allow("kms:*"), statement))
    authorized, refusal = call(kms_mock, "CreateKey", {"Tags": TAGS}, kms_mock._caller(USER))
    assert authorized is allowed
    assert allowed or refusal.message == (
        f"User: {USER} is not authorized to perform: kms:TagResource with an explicit deny in an identity-based policy"
    )


def test_the_key_policy_that_comes_with_a_key_does_not_let_tag_it(kms_mock, refusal):
    """API CreateKey: kms:TagResource "in an IAM policy"."""
    kms_mock.iam.attach(USER, policy(allow(["kms:CreateKey", "kms:PutKeyPolicy"])))
    with refusal("AccessDeniedException", re.compile(".*kms:TagResource because no identity-based policy.*")):
        kms_mock.client(principal=USER).create_key(Tags=TAGS, Policy=policy(DELEGATES, for_(USER, "kms:*")))


def test_a_replica_can_be_tagged_by_who_may_tag_that_key_in_that_region(kms_mock, refusal):
    key = kms_mock.create_key(multi_region=True)
    replica = key.arn.replace("us-east-1", "eu-west-1")
    kms_mock.iam.attach(USER, policy(allow(["kms:ReplicateKey", "kms:CreateKey"]), allow("kms:TagResource", key.arn)))
    client = kms_mock.client(principal=USER)
    with refusal("AccessDeniedException", re.compile(".*kms:TagResource because no identity-based policy.*")):
        client.replicate_key(KeyId=key.arn, ReplicaRegion="eu-west-1", Tags=TAGS)
    kms_mock.iam.attach(USER, policy(allow("kms:TagResource", replica)))
    client.replicate_key(KeyId=key.arn, ReplicaRegion="eu-west-1", Tags=TAGS)


def test_a_refused_creation_changes_no_id_that_comes_after_it():
    def next_id(*, refused):
        with mock_kms(deterministic=True) as kms:
            if refused:
                with pytest.raises(ClientError):
                    kms.client(principal=USER).create_key(Tags=TAGS)
            return kms.client().create_key(Tags=TAGS)["KeyMetadata"]["KeyId"]

    assert next_id(refused=True) == next_id(refused=False)


# --- attributes -----------------------------------------------------------------------------------------------------


def test_a_tag_decides_until_it_changes(kms_mock, kms_client, key, refusal):
    """Developer Guide, "Using tags to control access to KMS keys"."""
    condition = {"StringEquals": {"aws:ResourceTag/Team": "${aws:PrincipalTag/team}"}}
    kms_mock.iam.attach(USER, policy(allow("kms:Encrypt", Condition=condition)))
    client = kms_mock.client(principal=kms_mock.credentials(USER, tags={"team": "x"}))
    client.encrypt(KeyId=key.arn, Plaintext=b"x")
    kms_client.tag_resource(KeyId=key.arn, Tags=[{"TagKey": "team", "TagValue": "y"}])
    with refusal("AccessDeniedException"):
        client.encrypt(KeyId=key.arn, Plaintext=b"x")
    kms_client.tag_resource(KeyId=key.arn, Tags=[{"TagKey": "team", "TagValue": "x"}])
    client.encrypt(KeyId=key.arn, Plaintext=b"x")
    kms_client.untag_resource(KeyId=key.arn, TagKeys=["team"])
    with refusal("AccessDeniedException"):
        client.encrypt(KeyId=key.arn, Plaintext=b"x")


def test_an_alias_of_the_key_decides_however_the_key_is_named(kms_mock, kms_client, key, refusal):
    """Developer Guide, "Using aliases to control access to KMS keys": kms:ResourceAliases."""
    condition = {"ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/a*"}}
    kms_mock.iam.attach(USER, policy(allow("kms:Encrypt", Condition=condition)))
    client = kms_mock.client(principal=USER)
    other = kms_mock.create_key(alias="alias/b")
    client.encrypt(KeyId=key.id, Plaintext=b"x")
    with refusal("AccessDeniedException"):
        client.encrypt(KeyId="alias/b", Plaintext=b"x")
    kms_client.update_alias(AliasName="alias/app", TargetKeyId=other.id)
    client.encrypt(KeyId="alias/b", Plaintext=b"x")
    with refusal("AccessDeniedException"):
        client.encrypt(KeyId=key.id, Plaintext=b"x")
    kms_client.delete_alias(AliasName="alias/app")
    with refusal("AccessDeniedException"):
        client.encrypt(KeyId="alias/b", Plaintext=b"x")


@pytest.mark.parametrize("names_it", ["alias/app", f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/app"])
def test_the_alias_of_the_request_decides(kms_mock, names_it, refusal):
    """Same page: kms:RequestAlias is the alias name, also when the request has the ARN; without alias it is absent."""
    condition = {"StringEquals": {"kms:RequestAlias": "alias/app"}}
    key = kms_mock.create_key(alias="alias/app", policy=policy(DELEGATES, for_(USER, "kms:*", Condition=condition)))
    client = kms_mock.client(principal=USER)
    client.encrypt(KeyId=names_it, Plaintext=b"x")
    with refusal("AccessDeniedException"):
        client.encrypt(KeyId=key.arn, Plaintext=b"x")


# --- AWS's examples, through calls ----------------------------------------------------------------------------------

EXAMPLES = [
    example
    for path in sorted((Path(__file__).parents[1] / "policy" / "aws_examples").glob("*.json"))
    for example in json.loads(path.read_text(encoding="utf-8"))
]
EXAMPLE_KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"
EXAMPLE_ARN = f"arn:aws:kms:us-west-2:{OTHER}:key/{EXAMPLE_KEY}"
OPERATION_OF = {"kms:ReEncryptFrom": "ReEncrypt", "kms:ReEncryptTo": "ReEncrypt"}


def is_of_a_call(asked):
    """Whether a call can ask this: an action of KMS on the example's key, or on nothing."""
    operation = OPERATION_OF.get(asked["action"], asked["action"].removeprefix("kms:"))
    on_key = asked.get("resource", EXAMPLE_ARN) == EXAMPLE_ARN
    return operation in KEY_OPERATIONS and on_key


def requests_of(example):
    """Return the requests of an example that calls can make, and whether each is allowed."""
    return [
        (asked, outcome == "allowed")
        for outcome in ("allowed", "denied")
        for asked in example.get(outcome, ())
        if is_of_a_call(asked) and "key" in example
    ]


CALLED = [example for example in EXAMPLES if requests_of(example)]


def test_most_examples_are_run_through_calls():
    assert sum(len(requests_of(example)) for example in CALLED) > 500
    assert [example["example"] for example in EXAMPLES if "calls_only" in example and example not in CALLED] == []


#: Condition key -> the member of the request that it is about: calls say it so, not by a context of the test's.
MEMBERS = {
    "kms:BypassPolicyLockoutSafetyCheck": "BypassPolicyLockoutSafetyCheck", "kms:DataKeyPairSpec": "KeyPairSpec",
    "kms:EncryptionAlgorithm": "EncryptionAlgorithm", "kms:ExpirationModel": "ExpirationModel",
    "kms:GrantOperations": "Operations", "kms:GranteePrincipal": "GranteePrincipal",
    "kms:KeyAgreementAlgorithm": "KeyAgreementAlgorithm", "kms:MacAlgorithm": "MacAlgorithm",
    "kms:MessageType": "MessageType", "kms:PrimaryRegion": "PrimaryRegion", "kms:ReplicaRegion": "ReplicaRegion",
    "kms:RetiringPrincipal": "RetiringPrincipal", "kms:RotationPeriodInDays": "RotationPeriodInDays",
    "kms:ScheduleKeyDeletionPendingWindowInDays": "PendingWindowInDays", "kms:SigningAlgorithm": "SigningAlgorithm",
    "kms:ValidTo": "ValidTo", "kms:WrappingAlgorithm": "WrappingAlgorithm", "kms:WrappingKeySpec": "WrappingKeySpec",
}  # fmt: skip
VALUES = {
    "BypassPolicyLockoutSafetyCheck": lambda value: value == "true", "Operations": lambda value: value,
    "RotationPeriodInDays": int, "PendingWindowInDays": int,
    "ValidTo": lambda value: datetime.fromtimestamp(float(value), timezone.utc),
}  # fmt: skip
ENCRYPTION_CONTEXT = "kms:EncryptionContext:"


def members_and_context(operation, context):
    """Take apart what an example says of the request: members of it, and what only the caller's circumstances say."""
    members, rest = {}, {}
    for name, value in context.items():
        member = MEMBERS.get(name)
        if name.startswith(ENCRYPTION_CONTEXT) and operation in ENCRYPTS:
            members.setdefault("EncryptionContext", {})[name.removeprefix(ENCRYPTION_CONTEXT)] = value
        elif name == "kms:EncryptionContextKeys" and operation in ENCRYPTS:
            for key in [value] if isinstance(value, str) else value:
                members.setdefault("EncryptionContext", {}).setdefault(key, "x")
        elif member in MEMBERS_OF[operation]:
            members[member] = VALUES.get(member, str)(value)
        else:
            rest[name] = value
    return members, rest


ENCRYPTS = {"Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyPair", "GenerateDataKeyWithoutPlaintext"}
MEMBERS_OF = {
    name: service_description()["shapes"][described["input"]["shape"]]["members"]
    for name, described in service_description()["operations"].items()
}


def test_what_examples_say_of_requests_is_in_the_requests():
    said = [
        members_and_context(asked["action"].removeprefix("kms:"), asked.get("context", {}))
        for example in CALLED
        for asked, _ in requests_of(example)
    ]
    assert sum(bool(members) for members, _ in said) > 60


@pytest.mark.parametrize("example", CALLED, ids=lambda example: f"{example['page']}: {example['example']}")
def test_aws_s_example_through_calls(example):
    for asked, allowed in requests_of(example):
        check_call(example, asked, allowed)


def check_call(example, asked, allowed):
    with mock_kms(region="us-west-2", account=OTHER) as kms:
        key = kms.create_key(key_id=EXAMPLE_KEY, policy=policy(*example["key"]))
        operation = asked["action"].removeprefix("kms:")
        members, context = members_and_context(operation, asked.get("context", {}))
        members |= asked.get("request", {})
        caller = kms._caller(
            asked["caller"], tags=asked.get("tags", {}), context=context, account=OTHER,
            **({"source_vpce": "vpce-1"} if "endpoint" in example and "aws:SourceVpce" not in context else {}),
            **({"org_id": asked["org"]} if "org" in asked else {}),
        )  # fmt: skip
        # "Tags and aliases" of the resource come with the context too.
        # Root users and services have no IAM policies.
        if "iam" in example and not asked["caller"].endswith((":root", ".amazonaws.com")):
            kms.iam.attach(asked["caller"], policy(*example["iam"]))
        if "endpoint" in example:
            endpoint = caller.context["aws:sourcevpce"][0]
            kms.iam.vpc_endpoint_policy(endpoint, policy(*example["endpoint"]))
        if "rcp" in example:
            kms.iam.resource_control(policy(*example["rcp"]))
        for grant in example.get("grants", ()):
            kms.client().create_grant(KeyId=key.arn, **grant)
        request = request_of(operation, {"KEY": key.arn, "OTHER_KEY": key.arn, "GRANT": "0" * 64}) | members
        with contextlib.suppress(KmsError):
            kms._service.call(operation, request, caller, "us-west-2")
        assert kms.calls[-1].authorized is allowed, kms.explain(kms.calls[-1])
        assert bool(kms.simulate(caller, asked["action"], key.arn, **members)) is allowed


# --- laws -----------------------------------------------------------------------------------------------------------

ACTIONS = st.sampled_from(["kms:*", "kms:Encrypt", "kms:Decrypt", "kms:De*"])
PRINCIPALS = st.sampled_from(["root", "user/alice", "role/app"])
STATEMENTS = st.lists(st.tuples(st.booleans(), ACTIONS, PRINCIPALS), min_size=1, max_size=3)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    statements=STATEMENTS,
    attached=st.lists(st.tuples(st.booleans(), ACTIONS), max_size=2),
    more=st.tuples(ACTIONS, PRINCIPALS),
)
def test_a_denial_never_allows_and_an_allowance_never_denies(statements, attached, more):
    def written(denies, action, principal):
        arn = f"arn:aws:iam::{ACCOUNT}:{principal}"
        return (deny if denies else allow)(action, Principal={"AWS": arn})

    def outcomes(extra):
        with mock_kms(fresh=True) as kms:
            key = kms.create_key(policy=policy(*(written(*entry) for entry in statements), *extra))
            for denies, action in attached:
                kms.iam.attach("user/alice", policy((deny if denies else allow)(action)))
            return [
                bool(kms.simulate(who, action, key.arn))
                for who in ("root", "user/alice", "role/app", None)
                for action in ("kms:Encrypt", "kms:Decrypt", "kms:Sign")
            ]

    plain = outcomes([])
    assert all(before or not after for before, after in zip(plain, outcomes([written(True, *more)]), strict=True))
    assert all(after or not before for before, after in zip(plain, outcomes([written(False, *more)]), strict=True))
