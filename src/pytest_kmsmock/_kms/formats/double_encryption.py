"""Double encryption: keys in an external key store encrypt with KMS's material first, then in the external key manager.

See https://docs.aws.amazon.com/kms/latest/developerguide/keystore-external.html#concept-double-encryption
"""

from __future__ import annotations

from typing import NamedTuple

from pytest_kmsmock._kms.crypto import DecryptionFailed, Material
from pytest_kmsmock._kms.rules.custom_key_stores import external_key
from pytest_kmsmock._kms.state.records import Key
from pytest_kmsmock._kms.state.state import State

from .ciphertext_blob import Cipher


class ExternalDecryptionFailed(DecryptionFailed):
    """The external key manager did not decrypt; what KMS itself would say of the ciphertext is not known."""


class DoubleCipher(NamedTuple):
    """Two ciphers as one; the outer one is not in KMS."""

    inner: Cipher
    outer: Cipher

    def seal(self, nonce: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
        """Encrypt twice. The keys are two, so the nonce can be one."""
        return self.outer.seal(nonce, self.inner.seal(nonce, plaintext, associated_data), associated_data)

    def unseal(self, nonce: bytes, ciphertext: bytes, associated_data: bytes) -> bytes:
        """Decrypt what `seal` made.

        Raises:
            RefusedOutside: the external key manager does not open the outer layer.
            DecryptionFailed: it does, and what is in it is not of KMS's material.
        """
        try:
            inner = self.outer.unseal(nonce, ciphertext, associated_data)
        except DecryptionFailed as error:
            raise ExternalDecryptionFailed("the external key manager refused the ciphertext") from error
        return self.inner.unseal(nonce, inner, associated_data)


def cipher_of(state: State, key: Key, material: Material) -> Cipher:
    """Return what a symmetric key encrypts and decrypts with, given the material that KMS has of it."""
    if key.xks_key_id is None:
        return material
    external = external_key(key, state)
    assert external is not None, "the key store was checked"
    return DoubleCipher(material, external.secret.get())
