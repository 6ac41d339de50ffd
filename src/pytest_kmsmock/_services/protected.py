"""What a service protects with a key, and what it keeps beside what it encrypted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class DataKey(NamedTuple):
    """What a service keeps beside what it encrypted.

    Attributes:
        blob: the encrypted data key, or of an Encrypt the ciphertext.
        arn: the ARN of the KMS key.
        context: the encryption context.
    """

    blob: bytes
    arn: str
    context: Mapping[str, str]


class Protected(NamedTuple):
    """What a service protects with a key: an object, a queue, a version of a secret.

    Attributes:
        key: the key as the service hands it to KMS: id, ARN, alias name or alias ARN.
        context: the encryption context.
        region: its Region, where KMS is called.
        name: tells it from everything else that the service protects; under this its data key is remembered.
        account: the account whose keys a bare id or alias means; that of the caller if empty.
        params: further parameters of the KMS call, such as the `Plaintext` of Encrypt.
        reused_by: whose requests share a data key while `Delays.data_key_reuse` lasts: of a `session`, or of a `role`
            with the same session policies; empty if each request has its own.
        source: on whose behalf a service principal calls: the ARN and the account of a resource.
    """

    key: str
    context: Mapping[str, str]
    region: str
    name: tuple[str, ...] = ()
    account: str = ""
    params: Mapping[str, object] = {}  # never changed
    source: tuple[str, str] = ("", "")
    reused_by: str = ""
