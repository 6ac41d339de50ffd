"""The ciphertext blob of symmetric keys: key id, key material id, and the encrypted plaintext.

The format of AWS's blobs, as far as public samples show it: five leading bytes (base64 `AQICAH`, or `AQIDAH` for a data
key), 32 bytes of the key material id, a format byte, 16 bytes of the key id, then a CMS EncryptedData with AES-256-GCM.
The blob of a 32-byte plaintext has 184 bytes. AWS does not document the format: do not rely on it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from pytest_kmsmock._kms.crypto.primitives import der
from pytest_kmsmock._record import Record

if TYPE_CHECKING:
    from pytest_kmsmock._kms.state.records import Key

ENCRYPTED, DATA_KEY = 2, 3  # the third byte: Encrypt and ReEncrypt, or data keys
_KINDS = (ENCRYPTED, DATA_KEY)

_START = bytes((1, 2))
_AFTER_KIND = bytes((0, 0x78))
_FORMATS = {True: 2, False: 1}  # multi-Region or not -> the byte before the key id
#: CMS object identifiers, encoded: encryptedData, data, aes256-GCM.
_ENCRYPTED_DATA = bytes.fromhex("06092a864886f70d010706")
_DATA = bytes.fromhex("06092a864886f70d010701")
_AES256_GCM = bytes.fromhex("060960864801650304012e")
_VERSION_0 = bytes((2, 1, 0))
_TAG_LENGTH = bytes((2, 1, 16))
_NONCE_BYTES, _TAG_BYTES = 12, 16
#: AWS's encrypted content is this much longer than plaintext and tag. Zeros here, for the same length.
_PADDING = bytes(11)
_HEADER = 5 + 32 + 1 + 16


class Cipher(Protocol):
    """Authenticated encryption: symmetric `Material`, or two of them (see `double_encryption`)."""

    def seal(self, nonce: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
        """Encrypt and authenticate; `nonce` is 12 bytes."""

    def unseal(self, nonce: bytes, ciphertext: bytes, associated_data: bytes) -> bytes:
        """Decrypt a ciphertext of `seal`, or raise `DecryptionFailed`."""


class Envelope(Record):
    """A parsed ciphertext blob."""

    kind: int
    material_id: str
    key_id: str
    header: bytes
    nonce: bytes
    sealed: bytes


def seal(
    cipher: Cipher, key: Key, material_id: str, plaintext: bytes, context: Mapping[str, str] | None,
    random: Callable[[int], bytes], kind: int = ENCRYPTED,
) -> bytes:  # fmt: skip
    """Return the ciphertext blob of a plaintext under a symmetric key."""
    header = _header(kind, material_id, key.id)
    nonce = random(_NONCE_BYTES)
    sealed = cipher.seal(nonce, _PADDING + plaintext, header + canonical(context))
    before, after = _frame(len(sealed))
    return b"".join((header, before, nonce, after, sealed))


def undecryptable(key_id: str, material_id: str, length: int, random: Callable[[int], bytes], kind: int) -> bytes:
    """Return a well-formed blob that cannot be decrypted, for a key that was deleted or has no key material."""
    sealed = random(len(_PADDING) + length + _TAG_BYTES)
    before, after = _frame(len(sealed))
    return b"".join((_header(kind, material_id, key_id), before, random(_NONCE_BYTES), after, sealed))


def parse(blob: bytes) -> Envelope | None:
    """Parse a ciphertext blob; None if it is malformed."""
    header = blob[:_HEADER]
    identifiers, frame = _parse_header(header), _frame_in(len(blob))
    if identifiers is None or frame is None:
        return None
    before, after = frame
    nonce_at = _HEADER + len(before)
    nonce_end = nonce_at + _NONCE_BYTES
    if not (blob.startswith(before, _HEADER) and blob.startswith(after, nonce_end)):
        return None
    return Envelope(*identifiers, header, blob[nonce_at:nonce_end], blob[nonce_end + len(after) :])


@functools.lru_cache(maxsize=1024)
def _parse_header(header: bytes) -> tuple[int, str, str] | None:
    """Return kind, key material id and key id of a header; None if it is malformed."""
    if len(header) < _HEADER or header[:2] != _START or header[2] not in _KINDS or header[3:5] != _AFTER_KIND:
        return None
    digits = header[38:].hex()
    if header[37] == _FORMATS[True]:
        key_id = f"mrk-{digits}"
    elif header[37] == _FORMATS[False]:
        key_id = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    else:
        return None
    return header[2], header[5:37].hex(), key_id


def decrypt_envelope(envelope: Envelope, cipher: Cipher, context: Mapping[str, str] | None) -> bytes:
    """Return the plaintext of a blob.

    Raises:
        DecryptionFailed: if blob or encryption context were modified.
    """
    return cipher.unseal(envelope.nonce, envelope.sealed, envelope.header + canonical(context))[len(_PADDING) :]


def canonical(context: Mapping[str, str] | None) -> bytes:
    """Return an encryption context as additional authenticated data, independent of the order of its pairs.

    With the length of each string, different contexts have different bytes.
    """
    return _canonical(tuple(context.items())) if context else b""


@functools.lru_cache(maxsize=256)
def _canonical(pairs: tuple[tuple[str, str], ...]) -> bytes:
    parts: list[bytes] = []
    for pair in sorted(pairs):
        for text in pair:
            encoded = text.encode("utf-8", "surrogatepass")
            parts += (len(encoded).to_bytes(4, "big"), encoded)
    return b"".join(parts)


@functools.lru_cache(maxsize=1024)
def _header(kind: int, material_id: str, key_id: str) -> bytes:
    multi_region = key_id.startswith("mrk-")
    return b"".join(
        (
            _START,
            bytes((kind,)),
            _AFTER_KIND,
            bytes.fromhex(material_id),
            bytes((_FORMATS[multi_region],)),
            bytes.fromhex(key_id[4:] if multi_region else key_id.replace("-", "")),
        )
    )


@functools.lru_cache(maxsize=1024)
def _frame(length: int) -> tuple[bytes, bytes]:
    """Return the bytes before and after the nonce, in front of `length` encrypted bytes."""
    nonce, sealed = bytes(_NONCE_BYTES), bytes(length)
    algorithm = der.encode(
        der.SEQUENCE, _AES256_GCM + der.encode(der.SEQUENCE, der.encode(der.OCTET_STRING, nonce) + _TAG_LENGTH)
    )
    content = der.encode(
        der.SEQUENCE, _VERSION_0 + der.encode(der.SEQUENCE, _DATA + algorithm + der.encode(0x80, sealed))
    )
    body = der.encode(der.SEQUENCE, _ENCRYPTED_DATA + der.encode(0xA0, content))
    after_nonce = body.index(_TAG_LENGTH)
    before = len(body).to_bytes(4, "big") + body[: after_nonce - _NONCE_BYTES]
    return before, body[after_nonce : len(body) - length]


@functools.lru_cache(maxsize=1024)
def _frame_in(length: int) -> tuple[bytes, bytes] | None:
    """Return the bytes before and after the nonce in a blob of `length` bytes; None for an impossible length."""
    rest = length - _HEADER
    for sealed in range(rest - 90, rest - 60):  # the frame has 60 to 90 bytes, depending on the lengths in it
        if sealed >= len(_PADDING) + _TAG_BYTES:
            before, after = _frame(sealed)
            if len(before) + _NONCE_BYTES + len(after) + sealed == rest:
                return before, after
    return None
