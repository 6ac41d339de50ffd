"""The condition keys of requests: the table against AWS's lists, and the values of real calls.

Sources: Developer Guide, "AWS KMS condition keys" and "AWS KMS permissions" (2026), Service Authorization Reference,
and for newer keys the API reference.
"""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta, timezone

import pytest
from botocore.exceptions import ClientError

from pytest_kmsmock._kms.api.errors import KmsError
from pytest_kmsmock._kms.call.operation import AccessRequest, Target
from pytest_kmsmock._kms.permissions.condition_keys import CONDITION_KEYS, values_of
from pytest_kmsmock.enclave import FakeEnclave

#: Every kms: key that AWS documents. `:`, `PCR` end names of families.
KMS_KEYS = {
    "BypassPolicyLockoutSafetyCheck", "CallerAccount", "CustomerMasterKeySpec", "CustomerMasterKeyUsage",
    "DataKeyPairSpec", "EncapsulationAlgorithm", "EncryptionAlgorithm", "EncryptionContext:",
    "EncryptionContextKeys", "ExpirationModel",
    "GrantConstraintSourceArn", "GrantConstraintType", "GrantIsForAWSResource", "GrantOperations", "GranteePrincipal",
    "GranteeServicePrincipal", "KeyAgreementAlgorithm", "KeyOrigin", "KeySpec", "KeyUsage", "MacAlgorithm",
    "MessageType", "MultiRegion", "MultiRegionKeyType", "PolicyName", "PrimaryRegion", "ReEncryptOnSameKey",
    "RecipientAttestation:ImageSha384", "RecipientAttestation:NitroTPMPCR", "RecipientAttestation:PCR", "ReplicaRegion",
    "RequestAlias", "ResourceAliases", "RetiringPrincipal", "RetiringServicePrincipal", "RotationPeriodInDays",
    "ScheduleKeyDeletionPendingWindowInDays", "SigningAlgorithm", "TrailingDaysWithoutKeyUsage", "ValidTo",
    "ViaService", "WrappingAlgorithm", "WrappingKeySpec",
}  # fmt: skip
AWS_KEYS = {
    "AssumedRoot", "CalledVia", "CalledViaAWSMCP", "CalledViaFirst", "CalledViaLast", "ChatbotSourceArn", "CurrentTime",
    "Ec2InstanceSourcePrivateIPv4", "Ec2InstanceSourceVpc", "EpochTime", "FederatedProvider", "IsMcpServiceAction",
    "MultiFactorAuthAge", "MultiFactorAuthPresent", "PrincipalAccount", "PrincipalArn", "PrincipalIsAWSService",
    "PrincipalOrgID", "PrincipalOrgPaths", "PrincipalServiceName", "PrincipalServiceNamesList", "PrincipalTag/",
    "PrincipalType", "Referer", "RequestTag/", "RequestedRegion", "ResourceAccount", "ResourceOrgID",
    "ResourceOrgPaths", "ResourceTag/", "SecureTransport", "SignInSessionArn", "SourceAccount", "SourceArn",
    "SourceIdentity", "SourceIp", "SourceOrgID", "SourceOrgPaths", "SourceVpc", "SourceVpcArn", "SourceVpce", "TagKeys",
    "TokenIssueTime", "UserAgent", "ViaAWSMCPService", "ViaAWSService", "VpcSourceIp", "VpceAccount", "VpceOrgID",
    "VpceOrgPaths", "userid", "username",
}  # fmt: skip
ENCRYPTION = {
    "Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo",
}  # fmt: skip
CRYPTOGRAPHY = ENCRYPTION | {
    "Decapsulate", "DeriveSharedSecret", "Encapsulate", "GenerateMac", "Sign", "Verify", "VerifyMac",
}  # fmt: skip


def test_the_table_has_every_key_that_aws_documents_and_no_other():
    names = [row.name for row in CONDITION_KEYS]
    assert len(names) == len(set(names))
    assert set(names) == {f"kms:{name}" for name in KMS_KEYS} | {f"aws:{name}" for name in AWS_KEYS}


@pytest.mark.parametrize(
    ("name", "permissions"),
    [
        ("kms:BypassPolicyLockoutSafetyCheck", {"CreateKey", "PutKeyPolicy"}),
        ("kms:DataKeyPairSpec", {"GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"}),
        ("kms:EncapsulationAlgorithm", {"Decapsulate", "Encapsulate"}),
        ("kms:EncryptionAlgorithm", ENCRYPTION),
        ("kms:EncryptionContext:", ENCRYPTION | {"CreateGrant", "RetireGrant"}),
        ("kms:EncryptionContextKeys", ENCRYPTION | {"CreateGrant", "RetireGrant"}),
        ("kms:ExpirationModel", {"ImportKeyMaterial"}),
        ("kms:GrantConstraintSourceArn", {"CreateGrant"}),
        ("kms:GrantConstraintType", {"CreateGrant", "RetireGrant"}),
        ("kms:GrantIsForAWSResource", {"CreateGrant", "ListGrants", "RevokeGrant"}),
        ("kms:GrantOperations", {"CreateGrant"}),
        ("kms:GranteePrincipal", {"CreateGrant"}),
        ("kms:GranteeServicePrincipal", {"CreateGrant"}),
        ("kms:KeyAgreementAlgorithm", {"DeriveSharedSecret"}),
        ("kms:MacAlgorithm", {"GenerateMac", "VerifyMac"}),
        ("kms:MessageType", {"Sign", "Verify"}),
        ("kms:PolicyName", {"PutKeyPolicy"}),
        ("kms:PrimaryRegion", {"UpdatePrimaryRegion"}),
        ("kms:ReEncryptOnSameKey", {"ReEncryptFrom", "ReEncryptTo"}),
        (
            "kms:RecipientAttestation:PCR",
            {"Decrypt", "DeriveSharedSecret", "GenerateDataKey", "GenerateDataKeyPair", "GenerateRandom"},
        ),
        ("kms:ReplicaRegion", {"ReplicateKey"}),
        ("kms:RequestAlias", CRYPTOGRAPHY | {"DescribeKey", "GetPublicKey"}),
        ("kms:RetiringPrincipal", {"CreateGrant"}),
        ("kms:RetiringServicePrincipal", {"CreateGrant"}),
        ("kms:RotationPeriodInDays", {"EnableKeyRotation"}),
        ("kms:ScheduleKeyDeletionPendingWindowInDays", {"ScheduleKeyDeletion"}),
        ("kms:SigningAlgorithm", {"Sign", "Verify"}),
        ("kms:TrailingDaysWithoutKeyUsage", {"DisableKey", "ScheduleKeyDeletion"}),
        ("kms:ValidTo", {"ImportKeyMaterial"}),
        ("kms:WrappingAlgorithm", {"GetParametersForImport"}),
        ("kms:WrappingKeySpec", {"GetParametersForImport"}),
        ("aws:RequestTag/", {"CreateKey", "TagResource"}),
        ("aws:TagKeys", {"CreateKey", "TagResource", "UntagResource"}),
        ("kms:CallerAccount", None),
        ("kms:KeySpec", None),
        ("kms:ViaService", None),
        ("aws:ResourceTag/", None),
    ],
)
def test_a_key_applies_to_the_permissions_that_aws_lists(name, permissions):
    assert next(row for row in CONDITION_KEYS if row.name == name).permissions == permissions


# --- values -----------------------------------------------------------------------------------------------------------

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
CONTEXT = {"Tenant": "A", "table": "t"}


@pytest.fixture
def value(kms_mock):
    """Call, and return the values of condition keys in the last call's requests: `value(operation, key, **members)`."""
    kms_mock.create_key(alias="alias/app", tags={"Team": "x"})
    kms_mock.create_key(alias="alias/other", spec="RSA_2048", usage="ENCRYPT_DECRYPT")
    kms_mock.create_key(alias="alias/sign", spec="ECC_NIST_P256", usage="SIGN_VERIFY")
    kms_mock.create_key(alias="alias/shared", spec="ECC_NIST_P256", usage="KEY_AGREEMENT")
    kms_mock.create_key(alias="alias/import", origin="EXTERNAL")
    kms_mock.create_key(alias="alias/multi", multi_region=True, replicas=["eu-west-1"])

    def find(operation, key, target=0, caller=None, region="us-east-1", **members):
        members = {
            name: kms_mock.keys[member].arn
            if str(member).startswith("alias/") and operation not in BY_ALIAS
            else member
            for name, member in members.items()
        }
        with contextlib.suppress(KmsError):  # what is refused later has been authorized before
            kms_mock._service.call(operation, members, caller or kms_mock._caller(), region)
        return kms_mock.calls[-1].decisions[target].request.context(key.lower())

    return find


BY_ALIAS = {"Encrypt", "Sign", "DescribeKey", "DeriveSharedSecret"}
ENCRYPT = {"KeyId": "alias/app", "Plaintext": b"x"}
SIGN = {"KeyId": "alias/sign", "Message": b"x", "SigningAlgorithm": "ECDSA_SHA_256"}
GRANT = {"KeyId": "alias/app", "GranteePrincipal": ROLE, "Operations": ["Encrypt", "Decrypt"]}
CONSTRAINED = GRANT | {"Constraints": {"EncryptionContextSubset": {"Tenant": "A"}}}
TABLE = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/t"
FOR_SERVICE = {
    "KeyId": "alias/app", "GranteeServicePrincipal": "dynamodb.amazonaws.com", "Operations": ["Encrypt"],
    "RetiringServicePrincipal": "dynamodb.us-east-1.amazonaws.com", "Constraints": {"SourceArn": TABLE},
}  # fmt: skip
PARAMETERS = {"KeyId": "alias/import", "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"}
IMPORT = {"KeyId": "alias/import", "ImportToken": b"x", "EncryptedKeyMaterial": b"x"}
RSA = {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}
TAGS = [{"TagKey": "Team", "TagValue": "y"}]
POLICY = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:*"}]}'
RE_ENCRYPT = {
    "SourceKeyId": "alias/app", "DestinationKeyId": "alias/app", "CiphertextBlob": b"x",
    "SourceEncryptionContext": {"a": "1"}, "DestinationEncryptionContext": {"a": "2"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("operation", "members", "key", "expected"),
    [
        ("Encrypt", ENCRYPT, "kms:CallerAccount", (ACCOUNT,)),
        ("Encrypt", ENCRYPT, "kms:EncryptionAlgorithm", ("SYMMETRIC_DEFAULT",)),
        ("Encrypt", ENCRYPT | {"EncryptionAlgorithm": "RSAES_OAEP_SHA_1"}, "kms:EncryptionAlgorithm",
         ("RSAES_OAEP_SHA_1",)),
        ("Encrypt", ENCRYPT | {"EncryptionContext": CONTEXT}, "kms:EncryptionContext:tenant", ("A",)),
        ("Encrypt", ENCRYPT | {"EncryptionContext": CONTEXT}, "kms:EncryptionContext:none", None),
        ("Encrypt", ENCRYPT | {"EncryptionContext": CONTEXT}, "kms:EncryptionContextKeys", ("Tenant", "table")),
        ("Encrypt", ENCRYPT, "kms:EncryptionContextKeys", None),
        ("Encrypt", ENCRYPT, "kms:RequestAlias", ("alias/app",)),
        ("Encrypt", ENCRYPT, "kms:ResourceAliases", ("alias/app",)),
        ("Encrypt", ENCRYPT, "kms:KeySpec", ("SYMMETRIC_DEFAULT",)),
        ("Encrypt", ENCRYPT, "kms:CustomerMasterKeySpec", ("SYMMETRIC_DEFAULT",)),
        ("Encrypt", ENCRYPT, "kms:KeyUsage", ("ENCRYPT_DECRYPT",)),
        ("Encrypt", ENCRYPT, "kms:CustomerMasterKeyUsage", ("ENCRYPT_DECRYPT",)),
        ("Encrypt", ENCRYPT, "kms:KeyOrigin", ("AWS_KMS",)),
        ("Encrypt", ENCRYPT, "kms:MultiRegion", ("false",)),
        ("Encrypt", ENCRYPT, "kms:MultiRegionKeyType", None),
        ("Encrypt", ENCRYPT, "kms:ViaService", None),
        ("Encrypt", ENCRYPT, "kms:SigningAlgorithm", None),
        ("Encrypt", ENCRYPT, "kms:NoSuchKey", None),
        ("Encrypt", ENCRYPT, "", None),
        ("Encrypt", ENCRYPT, "aws:ResourceTag/team", ("x",)),
        ("Encrypt", ENCRYPT, "aws:ResourceTag/other", None),
        ("Encrypt", ENCRYPT, "aws:ResourceAccount", (ACCOUNT,)),
        ("Encrypt", ENCRYPT, "aws:PrincipalArn", (f"arn:aws:iam::{ACCOUNT}:user/Administrator",)),
        ("Encrypt", ENCRYPT, "aws:username", ("Administrator",)),
        ("Encrypt", ENCRYPT, "aws:SourceIp", ("127.0.0.1",)),
        ("Encrypt", ENCRYPT, "aws:SecureTransport", ("true",)),
        ("Encrypt", ENCRYPT, "aws:RequestedRegion", ("us-east-1",)),
        ("Encrypt", ENCRYPT, "aws:ViaAWSService", ("false",)),
        ("Encrypt", ENCRYPT, "aws:CalledVia", None),
        ("Encrypt", ENCRYPT, "aws:CalledViaFirst", None),
        ("Encrypt", ENCRYPT, "aws:MultiFactorAuthPresent", None),
        ("Encrypt", ENCRYPT, "aws:UserAgent", ("pytest-kmsmock",)),
        ("Encrypt", ENCRYPT, "aws:SourceArn", None),
        ("ReEncrypt", RE_ENCRYPT, "kms:ReEncryptOnSameKey", ("true",)),
        ("ReEncrypt", RE_ENCRYPT, "kms:EncryptionContext:a", ("1",)),
        ("ReEncrypt", RE_ENCRYPT | {"DestinationKeyId": "alias/other"}, "kms:ReEncryptOnSameKey", ("false",)),
        ("ReEncrypt", RE_ENCRYPT | {"SourceEncryptionAlgorithm": "RSAES_OAEP_SHA_256"}, "kms:EncryptionAlgorithm",
         ("RSAES_OAEP_SHA_256",)),
        ("GenerateDataKeyPair", {"KeyId": "alias/app", "KeyPairSpec": "ECC_NIST_P256"}, "kms:DataKeyPairSpec",
         ("ECC_NIST_P256",)),
        ("GenerateDataKey", {"KeyId": "alias/app", "KeySpec": "AES_256"}, "kms:EncryptionAlgorithm",
         ("SYMMETRIC_DEFAULT",)),
        ("GenerateDataKey", {"KeyId": "alias/app", "KeySpec": "AES_256"}, "kms:RecipientAttestation:PCR0", None),
        ("Sign", SIGN, "kms:MessageType", ("RAW",)),
        ("Sign", SIGN, "kms:SigningAlgorithm", ("ECDSA_SHA_256",)),
        ("GenerateMac", {"KeyId": "alias/app", "Message": b"x", "MacAlgorithm": "HMAC_SHA_256"}, "kms:MacAlgorithm",
         ("HMAC_SHA_256",)),
        ("DeriveSharedSecret", {"KeyId": "alias/shared", "KeyAgreementAlgorithm": "ECDH", "PublicKey": b"x"},
         "kms:KeyAgreementAlgorithm", ("ECDH",)),
        ("Encapsulate", {"KeyId": "alias/sign", "EncapsulationAlgorithm": "ML_KEM"}, "kms:EncapsulationAlgorithm",
         ("ML_KEM",)),
        ("CreateGrant", GRANT, "kms:GrantOperations", ("Encrypt", "Decrypt")),
        ("CreateGrant", GRANT | {"Operations": []}, "kms:GrantOperations", None),
        ("CreateGrant", GRANT, "kms:GranteePrincipal", (ROLE,)),
        ("CreateGrant", GRANT, "kms:RetiringPrincipal", None),
        ("CreateGrant", GRANT | {"RetiringPrincipal": ROLE}, "kms:RetiringPrincipal", (ROLE,)),
        ("CreateGrant", GRANT, "kms:GrantConstraintType", None),
        ("CreateGrant", GRANT, "kms:GrantIsForAWSResource", ("false",)),
        ("CreateGrant", CONSTRAINED, "kms:GrantConstraintType", ("EncryptionContextSubset",)),
        ("CreateGrant", CONSTRAINED, "kms:EncryptionContext:Tenant", ("A",)),
        ("CreateGrant", CONSTRAINED, "kms:GrantConstraintSourceArn", None),
        ("CreateGrant", GRANT, "kms:GrantConstraintSourceArn", None),
        ("CreateGrant", GRANT, "kms:GranteeServicePrincipal", None),
        ("CreateGrant", FOR_SERVICE, "kms:GrantConstraintSourceArn", (TABLE,)),
        ("CreateGrant", FOR_SERVICE, "kms:GranteeServicePrincipal", ("dynamodb.amazonaws.com",)),
        ("CreateGrant", FOR_SERVICE, "kms:RetiringServicePrincipal", ("dynamodb.us-east-1.amazonaws.com",)),
        ("CreateKey", {}, "kms:KeySpec", ("SYMMETRIC_DEFAULT",)),
        ("CreateKey", {"CustomerMasterKeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}, "kms:KeySpec", ("RSA_2048",)),
        ("CreateKey", {}, "kms:KeyUsage", ("ENCRYPT_DECRYPT",)),
        ("CreateKey", RSA, "kms:KeySpec", ("RSA_2048",)),
        ("CreateKey", RSA, "kms:KeyUsage", ("SIGN_VERIFY",)),
        ("CreateKey", {"Origin": "EXTERNAL"}, "kms:KeyOrigin", ("EXTERNAL",)),
        ("CreateKey", {}, "kms:KeyOrigin", ("AWS_KMS",)),
        ("CreateKey", {}, "kms:MultiRegion", ("false",)),
        ("CreateKey", {}, "kms:MultiRegionKeyType", None),
        ("CreateKey", {"MultiRegion": True}, "kms:MultiRegion", ("true",)),
        ("CreateKey", {"MultiRegion": True}, "kms:MultiRegionKeyType", ("PRIMARY",)),
        ("CreateKey", {}, "kms:BypassPolicyLockoutSafetyCheck", None),
        ("CreateKey", {"BypassPolicyLockoutSafetyCheck": False}, "kms:BypassPolicyLockoutSafetyCheck", ("false",)),
        ("CreateKey", {"Tags": TAGS}, "aws:RequestTag/team", ("y",)),
        ("CreateKey", {"Tags": TAGS}, "aws:RequestTag/other", None),
        ("CreateKey", {"Tags": TAGS}, "aws:TagKeys", ("Team",)),
        ("CreateKey", {}, "aws:RequestTag/team", None),
        ("CreateKey", {}, "aws:TagKeys", None),
        ("CreateKey", {}, "aws:ResourceAccount", None),
        ("UntagResource", {"KeyId": "alias/app", "TagKeys": ["a", "b"]}, "aws:TagKeys", ("a", "b")),
        ("UntagResource", {"KeyId": "alias/app", "TagKeys": ["a", "b"]}, "aws:RequestTag/a", None),
        ("ListKeys", {}, "kms:KeySpec", None),
        ("ListKeys", {}, "kms:MultiRegion", None),
        ("ListKeys", {}, "kms:MultiRegionKeyType", None),
        ("ReplicateKey", {"KeyId": "alias/multi", "ReplicaRegion": "eu-north-1"}, "kms:ReplicaRegion", ("eu-north-1",)),
        ("ReplicateKey", {"KeyId": "alias/multi", "ReplicaRegion": "eu-north-1"}, "kms:MultiRegionKeyType",
         ("PRIMARY",)),
        ("UpdatePrimaryRegion", {"KeyId": "alias/multi", "PrimaryRegion": "eu-west-1"}, "kms:PrimaryRegion",
         ("eu-west-1",)),
        ("PutKeyPolicy", {"KeyId": "alias/app", "Policy": POLICY}, "kms:PolicyName", ("default",)),
        ("PutKeyPolicy", {"KeyId": "alias/app", "Policy": POLICY, "PolicyName": "AWS_RAM"}, "kms:PolicyName",
         ("AWS_RAM",)),
        ("EnableKeyRotation", {"KeyId": "alias/app", "RotationPeriodInDays": 100}, "kms:RotationPeriodInDays",
         ("100",)),
        ("EnableKeyRotation", {"KeyId": "alias/app"}, "kms:RotationPeriodInDays", ("365",)),  # API: the default
        ("ScheduleKeyDeletion", {"KeyId": "alias/app", "PendingWindowInDays": 7},
         "kms:ScheduleKeyDeletionPendingWindowInDays", ("7",)),
        ("ScheduleKeyDeletion", {"KeyId": "alias/app"}, "kms:ScheduleKeyDeletionPendingWindowInDays", ("30",)),  # same
        ("GetParametersForImport", PARAMETERS, "kms:WrappingAlgorithm", ("RSAES_OAEP_SHA_256",)),
        ("GetParametersForImport", PARAMETERS, "kms:WrappingKeySpec", ("RSA_2048",)),
        ("ImportKeyMaterial", IMPORT, "kms:ExpirationModel", None),
        ("ImportKeyMaterial", IMPORT | {"ExpirationModel": "KEY_MATERIAL_EXPIRES"}, "kms:ExpirationModel",
         ("KEY_MATERIAL_EXPIRES",)),
        ("ImportKeyMaterial", IMPORT | {"ValidTo": datetime(2099, 1, 2, tzinfo=timezone.utc)}, "kms:ValidTo",
         ("4070995200.0",)),
    ],
)  # fmt: skip
def test_the_value_of_a_key(value, operation, members, key, expected):
    assert value(operation, key, **members) == expected


@pytest.mark.parametrize(
    ("circumstances", "key", "expected"),
    [
        ({"via_service": "s3"}, "kms:ViaService", ("s3.us-east-1.amazonaws.com",)),
        ({"via_service": "s3"}, "kms:GrantIsForAWSResource", ("true",)),
        ({"via_service": "s3"}, "aws:ViaAWSService", ("true",)),
        # IAM User Guide, "Forward access sessions"
        ({"via_service": "s3"}, "aws:SourceIp", ("127.0.0.1",)),
        ({"via_service": "s3", "source_ip": "203.0.113.7"}, "aws:SourceIp", ("203.0.113.7",)),
        *(({"via_service": "s3", "source_vpce": "vpce-1", "source_ip": "10.1.2.3", "source_vpc": "vpc-1"}, key, None)
          for key in ("aws:SourceIp", "aws:VpcSourceIp", "aws:SourceVpce", "aws:SourceVpc")),
        ({"via_service": "s3", "source_vpce": "vpce-1"}, "aws:VpcSourceIp", None),
        ({"source_vpce": "vpce-1", "context": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}, "aws:SourceVpce",
         None),
        ({"source_vpce": "vpce-1", "source_vpc": "vpc-1"}, "aws:SourceVpc", ("vpc-1",)),
        ({"via_service": "s3"}, "aws:CalledVia", ("s3.amazonaws.com",)),  # captured from AWS KMS, 2026-09
        ({"context": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}, "aws:CalledVia", ("s3.amazonaws.com",)),
        ({"via_service": "dynamodb.eu-west-1.amazonaws.com"}, "aws:CalledViaLast", ("dynamodb.amazonaws.com",)),
        ({"context": {"aws:CalledVia": ["cloudformation.amazonaws.com", "kms.amazonaws.com"]}}, "aws:CalledViaFirst",
         ("cloudformation.amazonaws.com",)),
        ({"source_vpce": "vpce-1"}, "aws:SourceVpce", ("vpce-1",)),
        ({"source_vpce": "vpce-1"}, "aws:SourceIp", None),
        ({"source_vpce": "vpce-1"}, "aws:VpcSourceIp", ("127.0.0.1",)),
        ({"source_vpce": "vpce-1", "source_ip": "10.1.2.3"}, "aws:VpcSourceIp", ("10.1.2.3",)),
        ({"source_vpce": "vpce-1", "source_ip": "10.1.2.3"}, "aws:SourceIp", None),
        ({}, "aws:VpcSourceIp", None),
        ({"source_ip": "203.0.113.7"}, "aws:SourceIp", ("203.0.113.7",)),
        ({"source_arn": "arn:aws:s3:::b"}, "aws:SourceArn", ("arn:aws:s3:::b",)),
        ({"tags": {"Team": "x"}}, "aws:PrincipalTag/team", ("x",)),
        ({"org_id": "o-1"}, "aws:PrincipalOrgID", ("o-1",)),
        ({"org_id": "o-1"}, "aws:PrincipalOrgPaths", ("o-1/r-ls64/",)),
        ({}, "aws:PrincipalOrgPaths", None),
        ({"context": {"aws:PrincipalOrgPaths": ["o-1/r-ab12/ou-ab12-11111111/"]}}, "aws:PrincipalOrgPaths",
         ("o-1/r-ab12/ou-ab12-11111111/",)),
        ({"org_id": "o-1"}, "aws:ResourceOrgID", ("o-1",)),
        ({"org_id": "o-1"}, "aws:ResourceOrgPaths", ("o-1/r-ls64/",)),
        ({}, "aws:ResourceOrgID", None),
        ({"org_id": "o-1", "resource_org_id": "o-2"}, "aws:ResourceOrgID", ("o-1",)),  # of keys of its own account
        ({"org_id": "o-1", "context": {"aws:ResourceOrgPaths": ["o-2/r-ab12/"]}}, "aws:ResourceOrgPaths",
         ("o-1/r-ls64/",)),
        ({"context": {"aws:PrincipalOrgID": "o-3"}}, "aws:ResourceOrgID", ("o-3",)),
        ({"context": {"aws:PrincipalOrgPaths": ["o-1/r-ab12/ou-ab12-11111111/"]}}, "aws:ResourceOrgPaths",
         ("o-1/r-ab12/ou-ab12-11111111/",)),
        ({"mfa": True}, "aws:MultiFactorAuthPresent", ("true",)),
        ({}, "aws:MultiFactorAuthPresent", ("false",)),
        ({}, "aws:PrincipalArn", (ROLE,)),
        ({}, "aws:FederatedProvider", None),
        ({"provider": "accounts.google.com"}, "aws:FederatedProvider", ("accounts.google.com",)),
        ({"context": {"aws:TokenIssueTime": "2020-01-01T00:00:00Z"}}, "aws:TokenIssueTime", ("2020-01-01T00:00:00Z",)),
        ({"context": {"aws:TokenIssueTime": datetime(2020, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))}},
         "aws:TokenIssueTime", ("2020-01-01T00:00:00Z",)),
        ({"context": {"saml:sub": "x"}}, "saml:sub", ("x",)),
        ({"context": {"kms:KeySpec": "RSA_2048"}}, "kms:KeySpec", ("RSA_2048",)),
    ],
)  # fmt: skip
def test_the_value_of_a_key_in_the_request_context(kms_mock, value, circumstances, key, expected):
    caller = kms_mock._caller("role/app", **circumstances)
    assert value("CreateGrant", key, caller=caller, **GRANT) == expected


@pytest.mark.parametrize(
    ("principal", "values"),
    [
        ("user/alice", {"PrincipalType": "User", "username": "alice", "PrincipalIsAWSService": "false"}),
        ("role/app", {"PrincipalType": "AssumedRole", "PrincipalArn": ROLE, "PrincipalAccount": ACCOUNT}),
        ("s3.amazonaws.com", {"PrincipalIsAWSService": "true", "PrincipalServiceName": "s3.amazonaws.com"}),
    ],
)
def test_properties_of_the_caller(kms_mock, value, principal, values):
    """IAM User Guide, "Properties of the principal"."""
    caller = kms_mock._caller(principal)
    found = {name: value("CreateGrant", f"aws:{name}", caller=caller, **GRANT) for name in values}
    assert found == {name: (expected,) for name, expected in values.items()}
    account = None if "." in principal else (ACCOUNT,)
    assert value("CreateGrant", "kms:CallerAccount", caller=caller, **GRANT) == account


def test_calls_of_services_do_not_come_from_the_callers_address(kms_mock):
    """IAM User Guide, aws:PrincipalIsAWSService: an exception for services in policies for expected networks."""
    elsewhere = {"NotIpAddress": {"aws:SourceIp": "127.0.0.1"}}
    allowed = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "kms:*", "Resource": "*"}
    denied = allowed | {"Effect": "Deny", "Condition": elsewhere}
    for statements, expected in (([allowed], True), ([allowed, denied], False)):
        policy = {"Version": "2012-10-17", "Statement": statements}
        key = kms_mock.create_key(policy=policy)
        assert bool(kms_mock.simulate("s3.amazonaws.com", "kms:Decrypt", key)) is expected


def test_the_organization_of_another_accounts_key(kms_mock):
    """IAM User Guide, aws:ResourceOrgID: the organization "to which the requested resource belongs"."""
    abroad = kms_mock.client(principal="arn:aws:iam::111122223333:root")
    key = abroad.create_key()["KeyMetadata"]["Arn"]
    for given, expected in (({}, None), ({"resource_org_id": "o-2"}, ("o-2",))):
        caller = kms_mock.credentials("user/alice", org_id="o-1", **given)
        with pytest.raises(ClientError):
            kms_mock.client(principal=caller).describe_key(KeyId=key)
        asked = kms_mock.calls[-1].decisions[0].request.context
        assert asked("aws:resourceorgid") == expected
        assert asked("aws:principalorgid") == ("o-1",)


def test_each_permission_of_a_call_has_values_of_its_own(value):
    assert value("ReEncrypt", "kms:EncryptionContext:a", target=1, **RE_ENCRYPT) == ("2",)
    to_rsa = RE_ENCRYPT | {"DestinationKeyId": "alias/other", "DestinationEncryptionAlgorithm": "RSAES_OAEP_SHA_1"}
    algorithms = [value("ReEncrypt", "kms:EncryptionAlgorithm", target=target, **to_rsa) for target in (0, 1)]
    assert algorithms == [("SYMMETRIC_DEFAULT",), ("RSAES_OAEP_SHA_1",)]
    replicate = {"KeyId": "alias/multi", "ReplicaRegion": "eu-north-1"}
    assert value("ReplicateKey", "aws:RequestedRegion", target=1, **replicate) == ("eu-north-1",)


def test_a_replica_is_created_like_its_primary(kms_mock, kms_client):
    key = kms_mock.create_key(multi_region=True, spec="ECC_NIST_P256", usage="SIGN_VERIFY")
    kms_client.replicate_key(KeyId=key.arn, ReplicaRegion="eu-west-1")
    created = kms_mock.calls[-1].decisions[1].request
    assert created.action == "kms:CreateKey"
    values = [created.context(f"kms:{name}") for name in ("keyspec", "keyusage", "multiregion", "multiregionkeytype")]
    assert values == [("ECC_NIST_P256",), ("SIGN_VERIFY",), ("true",), ("REPLICA",)]
    kms_mock.client(region="eu-west-1").describe_key(KeyId=key.id)
    assert kms_mock.calls[-1].decisions[0].request.context("kms:multiregionkeytype") == ("REPLICA",)


def test_retiring_a_grant_has_the_context_of_its_constraint(kms_mock, kms_client):
    """Service Authorization Reference: RetireGrant has kms:EncryptionContext and kms:GrantConstraintType."""
    key = kms_mock.create_key()
    for constraints, kind, context in (
        ({"EncryptionContextEquals": {"a": "b"}}, ("EncryptionContextEquals",), ("b",)),
        ({"EncryptionContextSubset": {"a": "c"}}, ("EncryptionContextSubset",), ("c",)),
        ({}, None, None),
    ):
        grant = kms_client.create_grant(
            KeyId=key.arn, GranteePrincipal=ROLE, Operations=["Encrypt"], Constraints=constraints
        )
        kms_client.retire_grant(GrantToken=grant["GrantToken"])
        asked = kms_mock.calls[-1].decisions[0].request.context
        assert (asked("kms:grantconstrainttype"), asked("kms:encryptioncontext:a")) == (kind, context)


def test_time_is_that_of_the_call(kms_mock, kms_client):
    kms_mock.clock.freeze(datetime(2030, 5, 6, 7, 8, 9, tzinfo=timezone.utc))
    kms_client.list_keys()
    asked = kms_mock.calls[-1].decisions[0].request.context
    kms_mock.clock.advance(days=1)
    assert asked("aws:currenttime") == ("2030-05-06T07:08:09Z",)
    assert asked("aws:epochtime") == ("1904281689",)


@pytest.mark.parametrize("operation", ["DisableKey", "ScheduleKeyDeletion"])
def test_days_without_use_count_from_the_last_use_or_the_creation_and_are_whole(kms_mock, kms_client, operation):
    """Developer Guide, kms:TrailingDaysWithoutKeyUsage: rounded down; for a key that was never used, since creation."""
    used, unused, doomed = (kms_mock.create_key().arn for _ in range(3))
    recent = {
        "Effect": "Deny", "Action": f"kms:{operation}", "Resource": "*",
        "Condition": {"NumericLessThanEquals": {"kms:TrailingDaysWithoutKeyUsage": "30"}},
    }  # fmt: skip
    kms_mock.iam.service_control({"Version": "2012-10-17", "Statement": [recent]})
    kms_mock.clock.advance(days=20)
    kms_client.encrypt(KeyId=used, Plaintext=b"x")
    kms_mock.clock.advance(days=10.9)
    assert not kms_mock.simulate(None, f"kms:{operation}", unused)
    kms_mock.clock.advance(days=0.2)
    assert kms_mock.simulate(None, f"kms:{operation}", unused)
    decision = kms_mock.simulate(None, f"kms:{operation}", used)
    assert not decision
    kms_mock.clock.advance(days=30)
    kms_client.encrypt(KeyId=used, Plaintext=b"x")
    assert decision.decisions[0].request.context("kms:trailingdayswithoutkeyusage") == ("11",)
    assert kms_mock.simulate(None, f"kms:{operation}", doomed)
    assert kms_mock.simulate(None, "kms:Encrypt", used).decisions[0].request.context(
        "kms:trailingdayswithoutkeyusage"
    ) is None  # fmt: skip


def test_temporary_credentials_are_as_old_as_the_call(kms_mock, kms_client):
    """IAM User Guide, aws:TokenIssueTime: "only when the principal uses temporary credentials"; federated users do."""
    kms_mock.clock.freeze(datetime(2030, 5, 6, 7, 8, 9, tzinfo=timezone.utc))
    issued = ("2030-05-06T07:08:09Z",)
    for principal, expected in (("role/app", issued), ("federated-user/fred", issued), ("user/alice", None)):
        decision = kms_mock.simulate(principal, "kms:ListKeys").decisions[0]
        assert decision.request.context("aws:tokenissuetime") == expected


@pytest.mark.parametrize("principal", ["root", "user/alice", "role/app", "federated-user/fred"])
def test_the_user_id_is_that_of_cloudtrail(kms_mock, kms_client, principal):
    """CloudTrail User Guide: principalId is "a unique identifier of the entity that made the call"."""
    key = kms_mock.create_key().arn
    client = kms_mock.client(principal=principal)
    with contextlib.suppress(ClientError):
        client.describe_key(KeyId=key)
    shown = kms_mock.cloudtrail_events()[-1]["userIdentity"]["principalId"]
    assert kms_mock.calls[-1].decisions[0].request.context("aws:userid") == (shown,)


def test_measurements_of_an_enclave(kms_mock, kms_client):
    enclave = FakeEnclave({0: b"\xab" * 48})
    kms_client.generate_random(NumberOfBytes=8, Recipient=enclave.recipient())
    asked = kms_mock.calls[-1].decisions[0].request.context
    assert asked("kms:recipientattestation:imagesha384") == asked("kms:recipientattestation:pcr0") == ("ab" * 48,)
    assert asked("kms:recipientattestation:nitrotpmpcr0") is None


def test_simulations_have_the_keys_of_given_parameters_only(kms_mock):
    """IAM User Guide, "Null": a condition key is absent from requests without what it describes."""
    asked = kms_mock.simulate(None, "kms:CreateGrant", kms_mock.create_key()).decisions[0].request.context
    names = ("kms:GrantOperations", "kms:ResourceAliases", "kms:EncryptionContextKeys", "kms:GrantConstraintType")
    assert [asked(name.lower()) for name in names] == [None] * len(names)


def test_without_a_grant_there_is_no_constraint(kms_mock, kms_client):
    """Simulations of RetireGrant name no grant."""
    key = kms_mock.create_key()
    kms_client.describe_key(KeyId=key.id)
    call = kms_mock.calls[-1].decisions[0].request.context.access.call
    asked = AccessRequest(call, Target("kms:RetireGrant", key.arn, call.targets[0].key))
    assert values_of(asked, "kms:grantconstrainttype") is None
    assert values_of(asked, "kms:encryptioncontextkeys") is None
