"""Double encryption of keys in external key stores: by KMS's key material, then by the external key manager.

See https://docs.aws.amazon.com/kms/latest/developerguide/keystore-external.html#concept-double-encryption
"""

from __future__ import annotations

from pytest_kmsmock._kms.crypto import DecryptionFailed, Material
from pytest_kmsmock._kms.rules.custom_key_stores import external_key
from pytest_kmsmock._kms.state.records import Key
from pytest_kmsmock._kms.state.state import State
from pytest_kmsmock._record import Record

from .ciphertext_blob import Cipher


class ExternalDecryptionFailed(DecryptionFailed):
    """The external key manager failed to decrypt; KMS has not checked the ciphertext yet."""


class DoubleCipher(Record):
    """Two ciphers as one; the outer one is outside of KMS."""

    inner: Cipher
    outer: Cipher

    def seal(self, nonce: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
        """Encrypt twice. One nonce is enough for two keys."""
        return self.outer.seal(nonce, self.inner.seal(nonce, plaintext, associated_data), associated_data)

    def unseal(self, nonce: bytes, ciphertext: bytes, associated_data: bytes) -> bytes:
        """Decrypt a ciphertext of `seal`.

        Raises:
            ExternalDecryptionFailed: the external key manager cannot decrypt the outer layer.
            DecryptionFailed: KMS cannot decrypt the inner layer.
        """
        try:
            inner = self.outer.unseal(nonce, ciphertext, associated_data)
        except DecryptionFailed as error:
            raise ExternalDecryptionFailed("the external key manager refused the ciphertext") from error
        return self.inner.unseal(nonce, inner, associated_data)


def cipher_of(state: State, key: Key, material: Material) -> Cipher:
    """Return the cipher of a symmetric key, given its key material in KMS."""
    if key.xks_key_id is None:
        return material
    external = external_key(key, state)
    assert external is not None, "the key store was checked"
    return DoubleCipher(material, external.secret.get())
