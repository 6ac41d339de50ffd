"""Encrypt, Decrypt and ReEncrypt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pytest_kmsmock._kms.attestation.recipient import for_recipient, read_recipient
from pytest_kmsmock._kms.call.operation import Call, Result, Target, operation
from pytest_kmsmock._kms.operations.ciphertexts import (
    SYMMETRIC_DEFAULT,
    Decrypted,
    check_ciphertext_key,
    check_encryption,
    check_plaintext,
    ciphertext_key,
    decrypt_under,
    encrypt_under,
    ignores_ciphertext,
)
from pytest_kmsmock._kms.operations.targets import key
from pytest_kmsmock._kms.rules.key_states import USES_MATERIAL
from pytest_kmsmock._kms.state.records import Key


@operation(
    "Encrypt", targets=[key(aliases=True)], states=USES_MATERIAL, usage="ENCRYPT_DECRYPT",
    grantable=True, cross_account=True, cryptographic=True,
)  # fmt: skip
def encrypt(call: Call) -> Result:
    """Encrypt up to 4,096 bytes under a key.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html
    """
    key, plaintext = call.key, call.params["Plaintext"]
    algorithm = call.params.get("EncryptionAlgorithm", SYMMETRIC_DEFAULT)
    context = call.params.get("EncryptionContext")
    check_encryption(key, algorithm, context)
    check_plaintext(key, algorithm, plaintext)
    call.stop_if_dry_run()
    blob = encrypt_under(call, key, algorithm, plaintext, context)
    return {"CiphertextBlob": blob, "KeyId": key.arn, "EncryptionAlgorithm": algorithm}


def _decrypting_key(call: Call) -> Iterable[Target]:
    return (ciphertext_key(call, "KeyId", "EncryptionAlgorithm", "kms:Decrypt"),)


@operation(
    "Decrypt", targets=[_decrypting_key], check_request=check_ciphertext_key,
    states=USES_MATERIAL, usage="ENCRYPT_DECRYPT",
    grantable=True, cross_account=True, cryptographic=True,
)  # fmt: skip
def decrypt(call: Call) -> Result:
    """Decrypt a ciphertext of Encrypt, ReEncrypt or a data key operation.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html
    """
    algorithm = call.params.get("EncryptionAlgorithm", SYMMETRIC_DEFAULT)
    recipient = read_recipient(call)
    key = call.key
    decrypted = _decrypt_blob(call, key, algorithm, call.params.get("EncryptionContext"))
    call.stop_if_dry_run()
    result: Result = {"KeyId": key.arn, "EncryptionAlgorithm": algorithm}
    if recipient is not None:
        return result | for_recipient(recipient, decrypted.plaintext)
    result["Plaintext"] = decrypted.plaintext
    if decrypted.material_id is not None:
        result["KeyMaterialId"] = decrypted.material_id
    return result


def _decrypt_blob(call: Call, key: Key, algorithm: str, context: Mapping[str, str] | None) -> Decrypted:
    """Decrypt the request's blob; a dry run can ignore it."""
    if ignores_ciphertext(call):
        check_encryption(key, algorithm, context)
        return Decrypted(b"", None)
    return decrypt_under(call, key, algorithm, call.params["CiphertextBlob"], context)


def _source_key(call: Call) -> Iterable[Target]:
    return (ciphertext_key(call, "SourceKeyId", "SourceEncryptionAlgorithm", "kms:ReEncryptFrom"),)


@operation(
    "ReEncrypt",
    targets=[_source_key, key("DestinationKeyId", aliases=True, permission="kms:ReEncryptTo")],
    check_request=check_ciphertext_key, states=USES_MATERIAL, usage="ENCRYPT_DECRYPT",
    grantable=True, cross_account=True, cryptographic=True,
)  # fmt: skip
def re_encrypt(call: Call) -> Result:
    """Decrypt under one key and encrypt under another; the plaintext never leaves KMS.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_ReEncrypt.html
    """
    source, destination = call.target("SourceKeyId").key, call.target("DestinationKeyId").key
    assert source is not None
    assert destination is not None
    source_algorithm = call.params.get("SourceEncryptionAlgorithm", SYMMETRIC_DEFAULT)
    algorithm = call.params.get("DestinationEncryptionAlgorithm", SYMMETRIC_DEFAULT)
    context = call.params.get("DestinationEncryptionContext")
    check_encryption(destination, algorithm, context)
    decrypted = _decrypt_blob(call, source, source_algorithm, call.params.get("SourceEncryptionContext"))
    check_plaintext(destination, algorithm, decrypted.plaintext)
    call.stop_if_dry_run()
    result: Result = {
        "CiphertextBlob": encrypt_under(call, destination, algorithm, decrypted.plaintext, context),
        "SourceKeyId": source.arn,
        "KeyId": destination.arn,
        "SourceEncryptionAlgorithm": source_algorithm,
        "DestinationEncryptionAlgorithm": algorithm,
    }
    if decrypted.material_id is not None:
        result["SourceKeyMaterialId"] = decrypted.material_id
    if algorithm == SYMMETRIC_DEFAULT and destination.current is not None:
        result["DestinationKeyMaterialId"] = destination.current.id
    return result
