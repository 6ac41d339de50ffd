"""DryRun: for every operation that has it in botocore's model, also those that are built later."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import pytest
from botocore.client import BaseClient
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

Members = dict[str, Any]
NewKey = Callable[..., str]
Refusal = Callable[..., AbstractContextManager[None]]


def call(client: BaseClient, operation: str, members: Mapping[str, Any]) -> Any:
    names = {api: method for method, api in client.meta.method_to_api_mapping.items()}
    return getattr(client, names[operation])(**members)


def decrypt(client: BaseClient, new_key: NewKey) -> Members:
    arn = new_key()
    return {"KeyId": arn, "CiphertextBlob": client.encrypt(KeyId=arn, Plaintext=b"p")["CiphertextBlob"]}


def re_encrypt(client: BaseClient, new_key: NewKey) -> Members:
    members = decrypt(client, new_key)
    return {
        "SourceKeyId": members["KeyId"],
        "CiphertextBlob": members["CiphertextBlob"],
        "DestinationKeyId": new_key(),
    }


def verify(client: BaseClient, new_key: NewKey) -> Members:
    members = {"KeyId": new_key("ECC_NIST_P256", "SIGN_VERIFY"), "Message": b"m", "SigningAlgorithm": "ECDSA_SHA_256"}
    return members | {"Signature": client.sign(**members)["Signature"]}


def verify_mac(client: BaseClient, new_key: NewKey) -> Members:
    members = {"KeyId": new_key("HMAC_256", "GENERATE_VERIFY_MAC"), "Message": b"m", "MacAlgorithm": "HMAC_SHA_256"}
    return members | {"Mac": client.generate_mac(**members)["Mac"]}


def derive(client: BaseClient, new_key: NewKey) -> Members:
    arn = new_key("ECC_NIST_P256", "KEY_AGREEMENT")
    public = client.get_public_key(KeyId=arn)["PublicKey"]
    return {"KeyId": arn, "KeyAgreementAlgorithm": "ECDH", "PublicKey": public}


def decapsulate(client: BaseClient, new_key: NewKey) -> Members:
    members = {"KeyId": new_key("ML_KEM_768", "ENCAPSULATE_DECAPSULATE"), "EncapsulationAlgorithm": "ML_KEM"}
    return members | {"SharedSecretCiphertextBlob": client.encapsulate(**members)["SharedSecretCiphertextBlob"]}


def create_grant(_client: BaseClient, new_key: NewKey) -> Members:
    grantee = "arn:aws:iam::123456789012:user/Administrator"
    return {"KeyId": new_key(), "GranteePrincipal": grantee, "Operations": ["Encrypt"]}


def existing_grant(client: BaseClient, new_key: NewKey) -> Members:
    members = create_grant(client, new_key)
    return {"KeyId": members["KeyId"], "GrantId": client.create_grant(**members)["GrantId"]}


#: A request that would succeed, for each operation.
REQUESTS: Mapping[str, Callable[[BaseClient, NewKey], Members]] = {
    "CreateGrant": create_grant,
    "Decapsulate": decapsulate,
    "Decrypt": decrypt,
    "DeriveSharedSecret": derive,
    "Encapsulate": lambda client, new_key: {
        member: value
        for member, value in decapsulate(client, new_key).items()
        if member != "SharedSecretCiphertextBlob"
    },
    "Encrypt": lambda _, new_key: {"KeyId": new_key(), "Plaintext": b"p"},
    "GenerateDataKey": lambda _, new_key: {"KeyId": new_key(), "KeySpec": "AES_256"},
    "GenerateDataKeyPair": lambda _, new_key: {"KeyId": new_key(), "KeyPairSpec": "ECC_NIST_P256"},
    "GenerateDataKeyPairWithoutPlaintext": lambda _, new_key: {"KeyId": new_key(), "KeyPairSpec": "ECC_NIST_P256"},
    "GenerateDataKeyWithoutPlaintext": lambda _, new_key: {"KeyId": new_key(), "KeySpec": "AES_256"},
    "GenerateMac": lambda client, new_key: {
        member: value for member, value in verify_mac(client, new_key).items() if member != "Mac"
    },
    "ReEncrypt": re_encrypt,
    "RetireGrant": existing_grant,
    "RevokeGrant": existing_grant,
    "Sign": lambda client, new_key: {
        member: value for member, value in verify(client, new_key).items() if member != "Signature"
    },
    "Verify": verify,
    "VerifyMac": verify_mac,
}
#: What is wrong with the rest of a request, and how it is refused all the same.
MISTAKES: Mapping[str, tuple[Members, str]] = {
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
    kms_mock, kms_client, new_key, refusal, operation
):
    members = REQUESTS[operation](kms_client, new_key)
    region = kms_mock._service.state.region("123456789012", "us-east-1")
    before = region.copy()
    with refusal("DryRunOperationException", TEXT):
        call(kms_client, operation, members | {"DryRun": True})
    for what in ("keys", "grants", "last_usage", "aliases"):
        assert getattr(region, what) == getattr(before, what)
    call(kms_client, operation, members | {"DryRun": False})


@pytest.mark.parametrize("operation", sorted(set(HAVE_DRY_RUN) & set(MISTAKES)))
def test_a_dry_run_of_an_invalid_request_has_the_error_of_the_request(kms_client, new_key, refusal, operation):
    mistake, code = MISTAKES[operation]
    members = REQUESTS[operation](kms_client, new_key) | mistake
    with refusal(code):
        call(kms_client, operation, members | {"DryRun": True})


@pytest.mark.parametrize("operation", sorted(set(HAVE_DRY_RUN) - {"RetireGrant", "RevokeGrant"}))
def test_a_dry_run_checks_the_key_state(kms_client, new_key, refusal, operation):
    members = REQUESTS[operation](kms_client, new_key) | {"DryRun": True}
    arn = members.get("KeyId") or members["DestinationKeyId"]
    kms_client.disable_key(KeyId=arn)
    with refusal("DisabledException", f"{arn} is disabled."):
        call(kms_client, operation, members)


@pytest.mark.parametrize("operation", sorted(set(HAVE_DRY_RUN) - {"RetireGrant"}))
def test_a_dry_run_looks_up_the_key(kms_client, new_key, refusal, operation):
    members = REQUESTS[operation](kms_client, new_key) | {"DryRun": True}
    missing = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-4000-8000-000000000000"
    members["KeyId" if "KeyId" in members else "DestinationKeyId"] = missing
    with refusal("NotFoundException", f"Key '{missing}' does not exist"):
        call(kms_client, operation, members)


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


def test_the_key_must_be_named_then(kms_client, new_key, refusal):
    members = decrypt(kms_client, new_key)
    for request in ({}, {"CiphertextBlob": members["CiphertextBlob"]}):
        with refusal("ValidationException", "KeyId must not be null"):
            kms_client.decrypt(**request, **IGNORE)
    with refusal("ValidationException", "SourceKeyId must not be null"):
        kms_client.re_encrypt(DestinationKeyId=members["KeyId"], **IGNORE)


def test_everything_else_is_checked(kms_client, new_key, refusal):
    signer = new_key("RSA_2048", "SIGN_VERIFY")
    with refusal("InvalidKeyUsageException", f"{signer} key usage is SIGN_VERIFY which is not valid for Decrypt."):
        kms_client.decrypt(KeyId=signer, **IGNORE)
    with refusal("InvalidKeyUsageException", "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048."):
        kms_client.decrypt(KeyId=new_key("RSA_2048"), **IGNORE)


@pytest.mark.parametrize("dry_run", [{}, {"DryRun": False}], ids=str)
def test_modifiers_belong_to_a_dry_run(kms_client, new_key, refusal, dry_run):
    # API reference: the parameter "only applies when DryRun is set to true"; that it is refused else is not confirmed.
    members = decrypt(kms_client, new_key) | dry_run | {"DryRunModifiers": ["IGNORE_CIPHERTEXT"]}
    with refusal("ValidationException", "DryRunModifiers can only be specified when DryRun is true"):
        kms_client.decrypt(**members)
