"""A resource that a service encrypts with a KMS key, and the data key that it stores beside the data."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_kmsmock._record import Record


class DataKey(Record):
    """An encrypted data key that a service stores beside the data.

    Attributes:
        blob: the encrypted data key; of Encrypt, the ciphertext.
        arn: the ARN of the KMS key.
        context: the encryption context.
    """

    blob: bytes
    arn: str
    context: Mapping[str, str]


class Protected(Record):
    """A resource that a service encrypts with a KMS key: an object, a queue, a version of a secret.

    Attributes:
        key: the key as the service passes it to KMS: id, ARN, alias name or alias ARN.
        context: the encryption context.
        region: the Region of the resource, where KMS is called.
        name: identifies the resource within the service; its data key is stored under this name.
        account: the account of a bare key id or alias; that of the caller if empty.
        params: further parameters of the KMS call, such as the `Plaintext` of Encrypt.
        reused_by: whose requests share a data key for `Delays.data_key_reuse`: those of a `session`, or of a `role`
            with the same session policies; empty if each request has its own.
        source: the `aws:SourceArn` and `aws:SourceAccount` of a service principal's call.
    """

    key: str
    context: Mapping[str, str]
    region: str
    name: tuple[str, ...] = ()
    account: str = ""
    params: Mapping[str, object] = {}  # never changed
    source: tuple[str, str] = ("", "")
    reused_by: str = ""
