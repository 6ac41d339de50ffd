"""The encoding of ``CiphertextForRecipient``: CMS ``EnvelopedData`` (RFC 5652) as AWS writes it.

AWS writes BER with indefinite lengths, not DER: parsers that support DER only must fail here as on AWS. Common
libraries do not write this form. `document` has the encryption.

AWS:
    https://github.com/aws/aws-nitro-enclaves-sdk-c/blob/main/source/cms.c
    https://github.com/aws/aws-nitro-enclaves-sdk-c/blob/main/tests/cms_test.c (a response of KMS)
"""

from __future__ import annotations

from pytest_kmsmock._kms.crypto.primitives import der

_OID_ENVELOPED_DATA = bytes.fromhex("06092a864886f70d010703")
_OID_DATA = bytes.fromhex("06092a864886f70d010701")
_OID_AES_256_CBC = bytes.fromhex("060960864801650304012a")
# RSAES-OAEP with explicit SHA-256 and MGF1 with SHA-256; the empty label is the default.
_RSAES_OAEP_SHA_256 = bytes.fromhex(
    "303c06092a864886f70d010107302fa00f300d06096086480165030402010500"
    "a11c301a06092a864886f70d010108300d06096086480165030402010500"
)
_VERSION_2 = bytes.fromhex("020102")
_SET = 0x31
_CONTEXT_0, _CONTEXT_0_CONSTRUCTED = 0x80, 0xA0
# AWS splits long content into several octet strings. Their length is not published: this is the one of the canonical
# encoding rules (X.690, 9.2).
_SEGMENT = 1000


def enveloped_data(*, key_identifier: bytes, encrypted_key: bytes, iv: bytes, content: bytes) -> bytes:
    """Return the CMS ``ContentInfo`` of an ``EnvelopedData`` with one recipient, in BER.

    Args:
        key_identifier: identifies the recipient's key (``subjectKeyIdentifier``).
        encrypted_key: the content encryption key, encrypted by RSAES-OAEP with SHA-256.
        iv: the IV of AES-256-CBC, 16 bytes.
        content: the encrypted content.
    """
    recipient = der.encode(
        der.SEQUENCE,
        _VERSION_2,
        der.encode(_CONTEXT_0, key_identifier),  # subjectKeyIdentifier
        _RSAES_OAEP_SHA_256,
        der.encode(der.OCTET_STRING, encrypted_key),
    )
    segments = [content[start : start + _SEGMENT] for start in range(0, len(content), _SEGMENT)]
    encrypted_content = _indefinite(
        der.SEQUENCE,
        _OID_DATA,
        der.encode(der.SEQUENCE, _OID_AES_256_CBC, der.encode(der.OCTET_STRING, iv)),
        _indefinite(_CONTEXT_0_CONSTRUCTED, *(der.encode(der.OCTET_STRING, segment) for segment in segments)),
    )
    enveloped = _indefinite(der.SEQUENCE, _VERSION_2, der.encode(_SET, recipient), encrypted_content)
    return _indefinite(der.SEQUENCE, _OID_ENVELOPED_DATA, _indefinite(_CONTEXT_0_CONSTRUCTED, enveloped))


def _indefinite(tag: int, *parts: bytes) -> bytes:
    return bytes([tag, 0x80]) + b"".join(parts) + b"\0\0"
