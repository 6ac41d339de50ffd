"""Encrypting and decrypting under a KMS key, for Encrypt, Decrypt, ReEncrypt and the data key operations.

Ciphertexts of symmetric keys have an envelope; those of RSA and SM2 keys do not.
"""

from __future__ import annotations

from collections.abc import Mapping

from pytest_kmsmock._kms.api import errors, key_store_errors
from pytest_kmsmock._kms.api.arns import parse_arn
from pytest_kmsmock._kms.api.key_specs import ENCRYPTION_ALGORITHMS
from pytest_kmsmock._kms.call.operation import Call, Target
from pytest_kmsmock._kms.crypto import DecryptionFailed
from pytest_kmsmock._kms.formats.ciphertext_blob import ENCRYPTED, Envelope, decrypt_envelope, parse, seal
from pytest_kmsmock._kms.formats.double_encryption import ExternalDecryptionFailed, cipher_of
from pytest_kmsmock._kms.rules.key_use import check_algorithm, current_material
from pytest_kmsmock._kms.state.records import Key
from pytest_kmsmock._record import Record

from .targets import find_key

SYMMETRIC_DEFAULT = "SYMMETRIC_DEFAULT"
_IGNORE_CIPHERTEXT = "IGNORE_CIPHERTEXT"
_PARSED = "envelope"  # in the call's notes, from finding the key to decrypting


class Decrypted(Record):
    """The result of a decryption; `material_id` is None for asymmetric keys."""

    plaintext: bytes
    material_id: str | None


def check_encryption(key: Key, algorithm: str, context: Mapping[str, str] | None) -> None:
    """Check that the key supports an encryption algorithm, and an encryption context.

    Raises:
        KmsError: `InvalidKeyUsageException` or `ValidationException`.
    """
    check_algorithm(key, algorithm)
    if context:
        if algorithm != SYMMETRIC_DEFAULT:
            raise errors.CONTEXT_ON_ASYMMETRIC()
        if "" in context.values():
            raise errors.INVALID_CONTEXT()


def check_plaintext(key: Key, algorithm: str, plaintext: bytes) -> None:
    """Check the length of a plaintext.

    Raises:
        KmsError: `ValidationException`.
    """
    most = ENCRYPTION_ALGORITHMS[algorithm].plaintext_limits[key.spec.name]
    if len(plaintext) > most:
        raise errors.PLAINTEXT_TOO_LONG(algorithm=algorithm, spec=key.spec.name, most=most)


def encrypt_under(
    call: Call, key: Key, algorithm: str, plaintext: bytes, context: Mapping[str, str] | None, kind: int = ENCRYPTED
) -> bytes:  # fmt: skip
    """Return the ciphertext of a plaintext; callers have done all checks."""
    material, random = current_material(key), call.service.random
    if algorithm != SYMMETRIC_DEFAULT:
        return material.encrypt(algorithm, plaintext, random)
    current = key.current
    assert current is not None, "the key's state was checked"
    return seal(cipher_of(call.state, key, material), key, current.id, plaintext, context, random, kind)


def decrypt_under(
    call: Call, key: Key, algorithm: str, blob: bytes, context: Mapping[str, str] | None
) -> Decrypted:  # fmt: skip
    """Return the plaintext of a ciphertext of this key.

    Raises:
        KmsError: `InvalidCiphertextException` for a damaged ciphertext or another encryption context,
            `InvalidKeyUsageException` for an algorithm of other keys, `ValidationException` for an encryption context
            with an asymmetric algorithm or an empty value, `KMSInvalidStateException` if the external key manager fails
            to decrypt.
    """
    try:
        if algorithm == SYMMETRIC_DEFAULT:
            return _decrypt_symmetric(call, key, blob, context)
        check_encryption(key, algorithm, context)
        return Decrypted(current_material(key).decrypt(algorithm, blob), None)
    except ExternalDecryptionFailed:
        raise key_store_errors.XKS_CIPHERTEXT() from None
    except DecryptionFailed:
        if context and "" in context.values():  # which no ciphertext has
            raise errors.INVALID_CONTEXT() from None
        raise errors.INVALID_CIPHERTEXT() from None


def _decrypt_symmetric(call: Call, key: Key, blob: bytes, context: Mapping[str, str] | None) -> Decrypted:
    # AWS parses the blob before it checks the key spec: an RSA ciphertext without EncryptionAlgorithm is an invalid
    # ciphertext, not an invalid key usage.
    envelope = call.notes.pop(_PARSED, None) or parse(blob)
    if envelope is None:
        raise errors.INVALID_CIPHERTEXT()
    material = key.material(envelope.material_id)
    # A blob with material of this key but another key id is damaged.
    if envelope.key_id != key.id or material is None or material.secret is None:
        raise errors.INVALID_CIPHERTEXT()
    cipher = cipher_of(call.state, key, material.secret.get())
    return Decrypted(decrypt_envelope(envelope, cipher, context), material.id)


def ciphertext_key(call: Call, parameter: str, algorithm_parameter: str, permission: str) -> Target:
    """Return the key that decrypts the request's `CiphertextBlob`: that of the request, by default that of the blob.

    Args:
        call: the call.
        parameter: the request parameter with the key identifier.
        algorithm_parameter: the request parameter with the encryption algorithm.
        permission: the IAM action.

    Raises:
        KmsError: `ValidationException` for a missing blob, or a missing key identifier that the blob cannot replace;
            `InvalidCiphertextException` for a malformed blob; `AccessDeniedException` if its key is not in this Region;
            `IncorrectKeyException` for the ARN of a related key.
    """
    identifier = call.params.get(parameter)
    symmetric = call.params.get(algorithm_parameter, SYMMETRIC_DEFAULT) == SYMMETRIC_DEFAULT
    blob = call.params.get("CiphertextBlob")
    if blob is None and not ignores_ciphertext(call):  # before keys are looked up, as for any missing parameter
        raise errors.MISSING(parameter="ciphertextBlob")
    envelope = parse(blob) if blob is not None and symmetric else None
    if envelope is not None:
        call.notes[_PARSED] = envelope
    if identifier is not None:
        # Only here a bare key id can identify a key of another account: if the ciphertext has the same key id.
        if envelope is not None and identifier == envelope.key_id and identifier not in call.region.keys:
            return _key_of_envelope(call, envelope, parameter, permission)
        if envelope is not None and _is_related_key(call, identifier, envelope.key_id):
            raise errors.INCORRECT_KEY()
        return find_key(call, identifier, permission, aliases=True, parameter=parameter)
    if ignores_ciphertext(call) or not symmetric:
        raise errors.NULL(parameter=parameter)
    if envelope is None:
        raise errors.INVALID_CIPHERTEXT()
    return _key_of_envelope(call, envelope, parameter, permission)


def check_ciphertext_key(call: Call) -> None:
    """Check that the ciphertext is of the request's key, before usage and state of the key.

    Raises:
        KmsError: `IncorrectKeyException`.
    """
    envelope, key = call.notes.get(_PARSED), call.key
    if envelope is None or envelope.key_id == key.id or "DryRunModifiers" in call.params:
        return
    if key.material(envelope.material_id) is None:
        raise errors.INCORRECT_KEY()


def _is_related_key(call: Call, identifier: str, key_id: str) -> bool:
    """Whether an identifier is the ARN of a related multi-Region key in another Region.

    Captured from AWS KMS, 2026-09: with a ciphertext of a key here, the ARN of a related key is an incorrect key; any
    other ARN of another Region is not found.
    """
    arn = parse_arn(identifier)
    return arn is not None and arn.region != call.region.name and arn.name == key_id and key_id in call.region.keys


def _key_of_envelope(call: Call, envelope: Envelope, parameter: str, permission: str) -> Target:
    region = call.region
    found = region.keys.get(envelope.key_id) or call.state.find_key(region.name, envelope.key_id)
    if found is not None:
        # If a service forwards a request of the key's own account, AWS's denial message has the key's ARN. Captured
        # from AWS (SQS, SNS, S3, Lambda), 2025 and 2026.
        names_key = bool(call.caller.via) and found.account == call.caller.account
        return Target(permission, found.arn, found, parameter=parameter, from_ciphertext=not names_key)
    keys = (key for home in call.state.regions() for key in home.keys.values())
    if any(key.material(envelope.material_id) and key.id != envelope.key_id for key in keys):
        raise errors.INVALID_CIPHERTEXT()  # material of another key: the key id in the blob is damaged
    raise errors.CIPHERTEXT_KEY_NOT_VISIBLE(caller=call.caller.arn, action=permission)


def ignores_ciphertext(call: Call) -> bool:
    """Whether a dry run ignores the ciphertext and only checks permissions.

    Raises:
        KmsError: `ValidationException` for DryRunModifiers without DryRun.
    """
    modifiers = call.params.get("DryRunModifiers", ())
    if modifiers and not call.params.get("DryRun"):
        raise errors.DRY_RUN_MODIFIERS()
    return _IGNORE_CIPHERTEXT in modifiers
