"""Encrypting and decrypting under a key: symmetric keys with their envelope, RSA and SM2 keys without one.

Shared by Encrypt, Decrypt, ReEncrypt and the data key operations. What is refused here is refused alike in all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pytest_kmsmock._kms.api import errors, key_store_errors
from pytest_kmsmock._kms.api.arns import parse_arn
from pytest_kmsmock._kms.api.key_specs import ENCRYPTION_ALGORITHMS
from pytest_kmsmock._kms.call.operation import Call, Target
from pytest_kmsmock._kms.crypto import DecryptionFailed
from pytest_kmsmock._kms.formats.ciphertext_blob import ENCRYPTED, Envelope, open_sealed, parse, seal
from pytest_kmsmock._kms.formats.double_encryption import RefusedOutside, cipher_of
from pytest_kmsmock._kms.rules.key_use import check_algorithm, secret_of
from pytest_kmsmock._kms.state.records import Key

from .targets import find_key

SYMMETRIC_DEFAULT = "SYMMETRIC_DEFAULT"
_IGNORE_CIPHERTEXT = "IGNORE_CIPHERTEXT"
_PARSED = "envelope"  # the call's note, between finding the key and opening the blob


class Opened(NamedTuple):
    """What decrypting gave; `material_id` is None for asymmetric keys."""

    plaintext: bytes
    material_id: str | None


def check_encryption(key: Key, algorithm: str, context: Mapping[str, str] | None) -> None:
    """Refuse an encryption algorithm or an encryption context that does not fit the key.

    Raises:
        KmsError: `InvalidKeyUsageException` or `ValidationException`.
    """
    check_algorithm(key, algorithm)
    if context and algorithm != SYMMETRIC_DEFAULT:
        raise errors.CONTEXT_ON_ASYMMETRIC()


def check_plaintext(key: Key, algorithm: str, plaintext: bytes) -> None:
    """Refuse a plaintext that is too long for the algorithm.

    Raises:
        KmsError: `ValidationException`.
    """
    most = ENCRYPTION_ALGORITHMS[algorithm].plaintext_limits[key.spec.name]
    if len(plaintext) > most:
        raise errors.PLAINTEXT_TOO_LONG(algorithm=algorithm, spec=key.spec.name, most=most)


def encrypt_under(
    call: Call, key: Key, algorithm: str, plaintext: bytes, context: Mapping[str, str] | None, kind: int = ENCRYPTED
) -> bytes:  # fmt: skip
    """Return the ciphertext of a plaintext; everything has been checked."""
    material, random = secret_of(key), call.service.random
    if algorithm != SYMMETRIC_DEFAULT:
        return material.encrypt(algorithm, plaintext, random)
    current = key.current
    assert current is not None, "the key's state was checked"
    return seal(cipher_of(call.state, key, material), key, current.id, plaintext, context, random, kind)


def decrypt_under(
    call: Call, key: Key, algorithm: str, blob: bytes, context: Mapping[str, str] | None
) -> Opened:  # fmt: skip
    """Return the plaintext of a ciphertext of this key.

    Raises:
        KmsError: `InvalidCiphertextException` for a damaged one or another encryption context,
            `InvalidKeyUsageException` for an algorithm of other keys, `ValidationException` for an encryption context
            with an asymmetric algorithm, `KMSInvalidStateException` for what an external key manager refuses.
    """
    try:
        if algorithm == SYMMETRIC_DEFAULT:
            return _decrypt_symmetric(call, key, blob, context)
        check_encryption(key, algorithm, context)
        return Opened(secret_of(key).decrypt(algorithm, blob), None)
    except RefusedOutside:
        raise key_store_errors.XKS_CIPHERTEXT() from None
    except DecryptionFailed:
        raise errors.INVALID_CIPHERTEXT() from None


def _decrypt_symmetric(call: Call, key: Key, blob: bytes, context: Mapping[str, str] | None) -> Opened:
    # AWS reads the blob before it looks whether the key is a symmetric one: an RSA ciphertext without
    # EncryptionAlgorithm is an invalid ciphertext, not a wrong use of the key.
    envelope = call.notes.pop(_PARSED, None) or parse(blob)
    if envelope is None:
        raise errors.INVALID_CIPHERTEXT()
    material = key.material(envelope.material_id)
    # With material of this key, a blob of another key is this key's, and damaged where it names the key.
    if envelope.key_id != key.id or material is None or material.secret is None:
        raise errors.INVALID_CIPHERTEXT()
    cipher = cipher_of(call.state, key, material.secret.get())
    return Opened(open_sealed(envelope, cipher, context), material.id)


def ciphertext_key(call: Call, member: str, algorithm_member: str, permission: str) -> Target:
    """Return the key that decrypts the request's `CiphertextBlob`: the one that is named, else the one in the blob.

    Args:
        call: the call.
        member: the request member that may name the key.
        algorithm_member: the request member that may name the encryption algorithm.
        permission: the IAM action that is needed.

    Raises:
        KmsError: `ValidationException` where only the request can name the key and does not, or without blob;
            `InvalidCiphertextException` for a blob that names no key, `AccessDeniedException` for one whose key is not
            in this Region; `IncorrectKeyException` for the ARN of a related key.
    """
    identifier = call.params.get(member)
    symmetric = call.params.get(algorithm_member, SYMMETRIC_DEFAULT) == SYMMETRIC_DEFAULT
    blob = call.params.get("CiphertextBlob")
    envelope = parse(blob) if blob is not None and symmetric else None
    if envelope is not None:
        call.notes[_PARSED] = envelope
    if identifier is not None:
        # A bare key id may be that of another account's key here, and here only, if the ciphertext says so too.
        if envelope is not None and identifier == envelope.key_id and identifier not in call.region.keys:
            return _key_of_envelope(call, envelope, member, permission)
        if envelope is not None and _is_related_key(call, identifier, envelope.key_id):
            raise errors.INCORRECT_KEY()
        return find_key(call, identifier, permission, aliases=True, member=member)
    if ignores_ciphertext(call) or not symmetric:
        raise errors.NULL(member=member)
    if blob is None:
        raise errors.MISSING(member="ciphertextBlob")
    if envelope is None:
        raise errors.INVALID_CIPHERTEXT()
    return _key_of_envelope(call, envelope, member, permission)


def check_ciphertext_key(call: Call) -> None:
    """Refuse a key that the request names and another one's ciphertext, whatever usage and state the key has.

    Raises:
        KmsError: `IncorrectKeyException`.
    """
    envelope, key = call.notes.get(_PARSED), call.key
    if envelope is None or envelope.key_id == key.id or "DryRunModifiers" in call.params:
        return
    if key.material(envelope.material_id) is None:
        raise errors.INCORRECT_KEY()


def _is_related_key(call: Call, identifier: str, key_id: str) -> bool:
    """Say whether an identifier is the ARN of a key of another Region that is related to one here, such as its primary.

    Captured from AWS KMS, 2026-09: what a key here would decrypt is refused as another key's, where any other ARN of
    another Region is not found.
    """
    arn = parse_arn(identifier)
    return arn is not None and arn.region != call.region.name and arn.name == key_id and key_id in call.region.keys


def _key_of_envelope(call: Call, envelope: Envelope, member: str, permission: str) -> Target:
    region = call.region
    found = region.keys.get(envelope.key_id) or call.state.find_key(region.name, envelope.key_id)
    if found is not None:
        # What a service calls in the name of somebody of the key's account is refused with the key's ARN. Captured from
        # AWS (SQS, SNS, S3, Lambda), 2025 and 2026.
        told = bool(call.caller.via) and found.account == call.caller.account
        return Target(permission, found.arn, found, member=member, from_ciphertext=not told)
    keys = (key for home in call.state.regions() for key in home.keys.values())
    if any(key.material(envelope.material_id) and key.id != envelope.key_id for key in keys):
        raise errors.INVALID_CIPHERTEXT()  # the material is another key's: the blob is damaged where it names the key
    raise errors.CIPHERTEXT_KEY_NOT_VISIBLE(caller=call.caller.arn, action=permission)


def ignores_ciphertext(call: Call) -> bool:
    """Say whether a dry run leaves the ciphertext aside and only tests permissions.

    Raises:
        KmsError: `ValidationException` for DryRunModifiers without DryRun.
    """
    modifiers = call.params.get("DryRunModifiers", ())
    if modifiers and not call.params.get("DryRun"):
        raise errors.DRY_RUN_MODIFIERS()
    return _IGNORE_CIPHERTEXT in modifiers
