"""Import tokens: what binds a wrapping key to a KMS key for 24 hours.

A token holds all there is to know of it, the private wrapping key included, sealed as AWS's is. So KMS remembers no
tokens, and one works in whatever scope its key is in. It is sealed under a fixed key: it needs to be opaque and hard to
alter by accident, not secret in a test.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pytest_kmsmock._kms.api import errors

VALID_FOR = timedelta(hours=24)

_SEAL = AESGCM(hashlib.sha256(b"pytest-kmsmock import token").digest())
_NONCE_BYTES = 12
_LENGTH_BYTES = 2


class ImportToken(NamedTuple):
    """What an import token says. Times to the millisecond.

    Attributes:
        key_arn: the KMS key that it is for.
        algorithm: the wrapping algorithm.
        wrapping_spec: the spec of the wrapping key.
        valid_to: when it is good for nothing any more.
        wrapping_key: the private wrapping key, PKCS#8 in DER.
    """

    key_arn: str
    algorithm: str
    wrapping_spec: str
    valid_to: datetime
    wrapping_key: bytes


def issue(token: ImportToken, random: Callable[[int], bytes]) -> bytes:
    """Return the bytes of a token, some 1,500 to 2,700 of them."""
    head = json.dumps(
        [token.key_arn, token.algorithm, token.wrapping_spec, round(token.valid_to.timestamp() * 1000)]
    ).encode()
    nonce = random(_NONCE_BYTES)
    return nonce + _SEAL.encrypt(nonce, len(head).to_bytes(_LENGTH_BYTES, "big") + head + token.wrapping_key, None)


def read(data: bytes, key_arn: str, now: datetime) -> ImportToken:
    """Return what the bytes of a token say.

    Raises:
        KmsError: `InvalidImportTokenException` for bytes that are no token or the token of another key,
            `ExpiredImportTokenException` after 24 hours.
    """
    try:
        opened = _SEAL.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], None)
    except (InvalidTag, ValueError):
        raise errors.INVALID_IMPORT_TOKEN() from None
    end = _LENGTH_BYTES + int.from_bytes(opened[:_LENGTH_BYTES], "big")
    arn, algorithm, wrapping_spec, valid_to = json.loads(opened[_LENGTH_BYTES:end])
    if arn != key_arn:
        raise errors.INVALID_IMPORT_TOKEN()
    token = ImportToken(
        arn, algorithm, wrapping_spec, datetime.fromtimestamp(valid_to / 1000, timezone.utc), opened[end:]
    )
    if now > token.valid_to:
        raise errors.EXPIRED_IMPORT_TOKEN()
    return token
