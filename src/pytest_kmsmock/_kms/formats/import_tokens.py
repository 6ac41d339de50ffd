"""Import tokens, which bind a wrapping key to a KMS key for 24 hours.

A token is self-contained, with the private wrapping key in it, and encrypted. So the state has no tokens, and a token
works in every scope that has its key. The encryption key is fixed: tokens must be opaque and tamper-evident, not
secret.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._record import Record

VALID_FOR = timedelta(hours=24)

_SEAL = AESGCM(hashlib.sha256(b"pytest-kmsmock import token").digest())
_NONCE_BYTES = 12
_LENGTH_BYTES = 2


class ImportToken(Record):
    """The content of an import token. Times have millisecond precision.

    Attributes:
        key_arn: the ARN of the KMS key.
        algorithm: the wrapping algorithm.
        wrapping_spec: the key spec of the wrapping key.
        valid_to: its expiration date.
        wrapping_key: the private wrapping key, PKCS#8 in DER.
    """

    key_arn: str
    algorithm: str
    wrapping_spec: str
    valid_to: datetime
    wrapping_key: bytes


def issue(token: ImportToken, random: Callable[[int], bytes]) -> bytes:
    """Return an encoded token, of 1,500 to 2,700 bytes."""
    head = json.dumps(
        [token.key_arn, token.algorithm, token.wrapping_spec, round(token.valid_to.timestamp() * 1000)]
    ).encode()
    nonce = random(_NONCE_BYTES)
    return nonce + _SEAL.encrypt(nonce, len(head).to_bytes(_LENGTH_BYTES, "big") + head + token.wrapping_key, None)


def read(data: bytes, key_arn: str, now: datetime) -> ImportToken:
    """Decode a token.

    Raises:
        KmsError: `InvalidImportTokenException` for a malformed token or one of another key,
            `ExpiredImportTokenException` after 24 hours.
    """
    try:
        decrypted = _SEAL.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], None)
    except (InvalidTag, ValueError):
        raise errors.INVALID_IMPORT_TOKEN() from None
    end = _LENGTH_BYTES + int.from_bytes(decrypted[:_LENGTH_BYTES], "big")
    arn, algorithm, wrapping_spec, valid_to = json.loads(decrypted[_LENGTH_BYTES:end])
    if arn != key_arn:
        raise errors.INVALID_IMPORT_TOKEN()
    token = ImportToken(
        arn, algorithm, wrapping_spec, datetime.fromtimestamp(valid_to / 1000, timezone.utc), decrypted[end:]
    )
    if now > token.valid_to:
        raise errors.EXPIRED_IMPORT_TOKEN()
    return token
