"""Encrypting and decrypting under a key: symmetric keys with their envelope, RSA and SM2 keys without one.

Shared by Encrypt, Decrypt, ReEncrypt and the data key operations. What is refused here is refused alike in all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from . import errors
from .envelope import ENCRYPTED, Envelope, open_sealed, parse, seal
from .material import DecryptionFailed, Material
from .operation import Call, Target
from .records import Key
from .specs import ENCRYPTION_ALGORITHMS
from .targets import find_key

SYMMETRIC_DEFAULT = "SYMMETRIC_DEFAULT"


class Opened(NamedTuple):
    """What decrypting gave; `material_id` is None for asymmetric keys."""

    plaintext: bytes
    material_id: str | None


def secret_of(key: Key) -> Material:
    """Return the material that a key encrypts and signs with now."""
    current = key.current
    assert current is not None, "the key's state was checked"
    assert current.secret is not None, "the key's state was checked"
    return current.secret.get()


def check_algorithm(key: Key, algorithm: str, allowed: tuple[str, ...]) -> None:
    """Refuse an algorithm that the key does not have.

    Raises:
        KmsError: `InvalidKeyUsageException`.
    """
    if algorithm not in allowed:
        raise errors.ALGORITHM_NOT_FOR_SPEC(algorithm=algorithm, spec=key.spec.name)


def check_encryption(key: Key, algorithm: str, context: Mapping[str, str] | None) -> None:
    """Refuse an encryption algorithm or an encryption context that does not fit the key.

    Raises:
        KmsError: `InvalidKeyUsageException` or `ValidationException`.
    """
    check_algorithm(key, algorithm, key.spec.usages[key.usage])
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
    if algorithm != SYMMETRIC_DEFAULT:
        return secret_of(key).encrypt(algorithm, plaintext)
    current = key.current
    assert current is not None, "the key's state was checked"
    return seal(secret_of(key), key, current.id, plaintext, context, call.random, kind)


def decrypt_under(key: Key, algorithm: str, blob: bytes, context: Mapping[str, str] | None) -> Opened:
    """Return the plaintext of a ciphertext of this key.

    Raises:
        KmsError: `IncorrectKeyException` for the ciphertext of another symmetric key, `InvalidCiphertextException`
            for a damaged one or another encryption context, `InvalidKeyUsageException` for an algorithm of other keys.
    """
    check_encryption(key, algorithm, context)
    try:
        if algorithm != SYMMETRIC_DEFAULT:
            return Opened(secret_of(key).decrypt(algorithm, blob), None)
        envelope = parse(blob)
        if envelope is None:
            raise errors.INVALID_CIPHERTEXT()
        if envelope.key_id != key.id:
            raise errors.INCORRECT_KEY()
        material = key.material(envelope.material_id)
        if material is None or material.secret is None:
            raise errors.INVALID_CIPHERTEXT()
        return Opened(open_sealed(envelope, material.secret.get(), context), material.id)
    except DecryptionFailed:
        raise errors.INVALID_CIPHERTEXT() from None


def ciphertext_key(call: Call, member: str, permission: str) -> Target:
    """Return the key that decrypts the request's `CiphertextBlob`: the one that is named, else the one in the blob.

    Raises:
        KmsError: `ValidationException` without blob and key, `InvalidCiphertextException` for a blob that names no key,
            `AccessDeniedException` for one whose key is not in this Region.
    """
    identifier = call.get(member)
    if identifier is not None:
        return find_key(call, identifier, permission, aliases=True, member=member)
    blob = call.get("CiphertextBlob")
    if blob is None:
        raise errors.MISSING(member="ciphertextBlob")
    envelope: Envelope | None = parse(blob)
    if envelope is None:
        raise errors.INVALID_CIPHERTEXT()
    found = call.region.keys.get(envelope.key_id) or call.state.find_key(call.region.name, envelope.key_id)
    if found is None:
        raise errors.CIPHERTEXT_OUT_OF_SIGHT()
    return Target(permission, found.arn, found, member=member, from_ciphertext=True)
