"""DryRun: for every operation that has it in botocore's model, also those that are built later."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.loaders import Loader

from pytest_kmsmock._kms.call.operation import OPERATIONS
from pytest_kmsmock._kms.operations import load

load()
MODEL = Loader().load_service_model("kms", "service-2")
HAVE_DRY_RUN = sorted(
    name
    for name, operation in MODEL["operations"].items()
    if "DryRun" in MODEL["shapes"][operation["input"]["shape"]]["members"] and name in OPERATIONS
)
#: Developer guide, "Testing your permissions".
TEXT = "The request would have succeeded, but the DryRun option is set."

#: What is wrong with the rest of a request, and how it is refused all the same.
MISTAKES: Mapping[str, tuple[dict[str, Any], str]] = {
    "CreateGrant": ({"Operations": ["Sign"]}, "ValidationException"),
    "Decapsulate": ({"SharedSecretCiphertextBlob": b"c"}, "InvalidCiphertextException"),
    "Decrypt": ({"EncryptionContext": {"a": "b"}}, "InvalidCiphertextException"),
    "DeriveSharedSecret": ({"PublicKey": b"p"}, "ValidationException"),
    "Encrypt": ({"EncryptionAlgorithm": "SM2PKE"}, "InvalidKeyUsageException"),
    "GenerateDataKey": ({"NumberOfBytes": 32}, "ValidationException"),
    "GenerateDataKeyPair": ({"KeyPairSpec": "SM2"}, "UnsupportedOperationException"),
    "GenerateDataKeyPairWithoutPlaintext": ({"KeyPairSpec": "SM2"}, "UnsupportedOperationException"),
    "GenerateDataKeyWithoutPlaintext": ({"NumberOfBytes": 32}, "ValidationException"),
    "GenerateMac": ({"MacAlgorithm": "HMAC_SHA_512"}, "InvalidKeyUsageException"),
    "ReEncrypt": ({"CiphertextBlob": b"c"}, "InvalidCiphertextException"),
    "RetireGrant": ({"GrantId": "f" * 64}, "NotFoundException"),
    "RevokeGrant": ({"GrantId": "f" * 64}, "NotFoundException"),
    "Sign": ({"MessageType": "DIGEST"}, "ValidationException"),
    "Verify": ({"Message": b"n"}, "KMSInvalidSignatureException"),
    "VerifyMac": ({"Message": b"n"}, "KMSInvalidMacException"),
}


@pytest.mark.parametrize("operation", HAVE_DRY_RUN)
def test_a_dry_run_says_that_the_request_would_have_succeeded_and_changes_nothing(
    kms_mock, prepared, refusal, operation
):
    ready = prepared(operation)
    region = kms_mock._service.state.region("123456789012", "us-east-1")
    before = region.copy()
    with refusal("DryRunOperationException", TEXT):
        ready.call(DryRun=True)
    for what in ("keys", "grants", "last_usage", "aliases"):
        assert getattr(region, what) == getattr(before, what)
    ready.call(DryRun=False)


@pytest.mark.parametrize("operation", sorted(set(HAVE_DRY_RUN) & set(MISTAKES)))
def test_a_dry_run_of_an_invalid_request_has_the_error_of_the_request(prepared, refusal, operation):
    mistake, code = MISTAKES[operation]
    ready = prepared(operation)
    with refusal(code):
        ready.call(**mistake, DryRun=True)


@pytest.mark.parametrize("operation", sorted(set(HAVE_DRY_RUN) - {"RetireGrant", "RevokeGrant"}))
def test_a_dry_run_checks_the_key_state(kms_client, prepared, refusal, operation):
    ready = prepared(operation)
    kms_client.disable_key(KeyId=ready.key["KeyId"])
    with refusal("DisabledException", f"{ready.key['Arn']} is disabled."):
        ready.call(DryRun=True)


@pytest.mark.parametrize("operation", sorted(set(HAVE_DRY_RUN) - {"RetireGrant"}))
def test_a_dry_run_looks_up_the_key(prepared, refusal, operation):
    ready = prepared(operation)
    missing = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-4000-8000-000000000000"
    with refusal("NotFoundException", f"Key '{missing}' does not exist"):
        ready.call(**{ready.members[-1]: missing}, DryRun=True)


# --- IGNORE_CIPHERTEXT (API reference of Decrypt and ReEncrypt, DryRunModifiers) -------------------------------------

IGNORE = {"DryRun": True, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]}


def test_permissions_can_be_tested_without_a_ciphertext(kms_client, new_key, refusal):
    arn, rsa = new_key(), new_key("RSA_2048")
    sha_1 = "RSAES_OAEP_SHA_1"
    for request in (
        {"KeyId": arn},
        {"KeyId": arn, "CiphertextBlob": hashlib.sha256(b"").digest()},
        {"KeyId": rsa, "EncryptionAlgorithm": sha_1},
    ):
        with refusal("DryRunOperationException", TEXT):
            kms_client.decrypt(**request, **IGNORE)
    for request in (
        {"SourceKeyId": arn, "DestinationKeyId": arn},
        {"SourceKeyId": rsa, "SourceEncryptionAlgorithm": sha_1, "DestinationKeyId": arn, "CiphertextBlob": b"c"},
    ):
        with refusal("DryRunOperationException", TEXT):
            kms_client.re_encrypt(**request, **IGNORE)


def test_the_key_must_be_named_then(kms_client, prepared, refusal):
    ready = prepared("Decrypt")
    for request in ({}, {"CiphertextBlob": ready.request["CiphertextBlob"]}):
        with refusal("ValidationException", "KeyId must not be null"):
            kms_client.decrypt(**request, **IGNORE)
    with refusal("ValidationException", "SourceKeyId must not be null"):
        kms_client.re_encrypt(DestinationKeyId=ready.key["Arn"], **IGNORE)


def test_everything_else_is_checked(kms_client, new_key, refusal):
    signer = new_key("RSA_2048", "SIGN_VERIFY")
    with refusal("InvalidKeyUsageException", f"{signer} key usage is SIGN_VERIFY which is not valid for Decrypt."):
        kms_client.decrypt(KeyId=signer, **IGNORE)
    with refusal("InvalidKeyUsageException", "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048."):
        kms_client.decrypt(KeyId=new_key("RSA_2048"), **IGNORE)


@pytest.mark.parametrize("dry_run", [{}, {"DryRun": False}], ids=str)
def test_modifiers_belong_to_a_dry_run(prepared, refusal, dry_run):
    # API reference: the parameter "only applies when DryRun is set to true"; that it is refused else is not confirmed.
    ready = prepared("Decrypt")
    with refusal("ValidationException", "DryRunModifiers can only be specified when DryRun is true"):
        ready.call(**dry_run, DryRunModifiers=["IGNORE_CIPHERTEXT"])
