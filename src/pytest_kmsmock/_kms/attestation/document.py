"""Attestation documents: checking them, their condition values, and ``CiphertextForRecipient``.

AWS Nitro Enclaves and NitroTPM send KMS a signed attestation document with an RSA public key, and get secrets
encrypted for that key instead of plaintext. This module is KMS's side; the enclave's side, for tests, is
`pytest_kmsmock.enclave`. The operations know whether they accept a ``Recipient``, and how it changes their response.

AWS:
    https://docs.aws.amazon.com/kms/latest/developerguide/cryptographic-attestation.html
    https://docs.aws.amazon.com/enclaves/latest/user/verify-root.html
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/nitrotpm-attestation-document-validate.html
    https://github.com/aws/aws-nitro-enclaves-nsm-api/blob/main/docs/attestation_process.md
"""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from pytest_kmsmock.errors import MissingExtra

from .cms import enveloped_data

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence, Sized
    from datetime import datetime

AttestedKind = Literal["NitroEnclave", "NitroTPM"]

COSE_SIGN1_TAG = 18
# The protected header {1: -35} (algorithm: ES384), as CBOR. AWS allows no other.
ES384_HEADER = bytes.fromhex("a1013822")


@dataclass(frozen=True, slots=True)
class Registers:
    """The platform configuration registers (PCRs) of a kind of attested environment."""

    field: str
    """The field of the document."""
    count: int
    """The number of registers, which are numbered from 0."""
    condition_key: str
    """The condition key without the register number."""


REGISTERS: Mapping[AttestedKind, Registers] = {
    "NitroEnclave": Registers("pcrs", 32, "kms:RecipientAttestation:PCR"),
    # A TPM 2.0 has 24 registers; AWS has a condition key for each.
    "NitroTPM": Registers("nitrotpm_pcrs", 24, "kms:RecipientAttestation:NitroTPMPCR"),
}
REGISTER_LENGTHS = (32, 48, 64)


@dataclass(frozen=True, slots=True)
class _Field:
    type: type
    sizes: range  # of an integer, its value; of anything else, its length
    mandatory: bool = True


# "Check content" of the attestation process. AWS documents that fields must not be null, but its hypervisor writes null
# for an optional field without a value; null has this meaning here.
_FIELDS: Mapping[str, _Field] = {
    "module_id": _Field(str, range(1, 1 << 18)),
    "digest": _Field(str, range(6, 7)),
    "timestamp": _Field(int, range(1, 1 << 64)),
    "certificate": _Field(bytes, range(1, 1025)),
    "cabundle": _Field(list, range(1, 1 << 18)),
    "public_key": _Field(bytes, range(1, 1025), mandatory=False),
    "user_data": _Field(bytes, range(513), mandatory=False),
    "nonce": _Field(bytes, range(513), mandatory=False),
}

# The sizes that AWS's SDK for enclaves generates.
_RSA_KEY_SIZES = (2048, 3072, 4096)

# Errors of cryptography for malformed certificates and keys.
_MALFORMED = (
    ValueError,
    TypeError,
    InvalidSignature,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.UnsupportedGeneralNameType,
    Warning,  # for some malformed values it only warns, and pytest can turn warnings into errors
)


class InvalidAttestation(ValueError):
    """An attestation document that KMS rejects; the argument is the reason.

    Operations raise AWS's ``ValidationException``.
    """


@dataclass(frozen=True, slots=True)
class Attestation:
    """The content of a valid attestation document."""

    kind: AttestedKind
    module_id: str
    """The enclave or the instance, such as ``i-0123456789abcdef0-enc0123456789abcdef``."""
    timestamp: int
    """The time of the document, in milliseconds since the epoch."""
    digest: str
    """The hash function of the registers: always ``SHA384``."""
    pcrs: Mapping[int, bytes]
    """The platform configuration registers, by number."""
    certificate: bytes
    """The certificate that signed the document (DER)."""
    public_key: rsa.RSAPublicKey
    """The key for which secrets are encrypted."""
    user_data: bytes | None
    nonce: bytes | None


def parse_attestation(document: bytes, *, at: datetime | None = None) -> Attestation:
    """Check an attestation document as KMS does, and return its content.

    It checks the ``COSE_Sign1`` structure, every field, the certificate chain and the ES384 signature. Unlike AWS, it
    accepts **any root certificate**, because the enclave of a test has its own instead of AWS's. It does not read
    revocation lists; AWS's procedure disables them too.

    Args:
        document: the signed document in CBOR, with or without the tag of ``COSE_Sign1``.
        at: an aware datetime at which all its certificates must be valid. By default validity periods are not checked.

    Raises:
        InvalidAttestation: for any invalid document; no input raises another error.
        MissingExtra: cbor2 is not installed.

    AWS: https://github.com/aws/aws-nitro-enclaves-nsm-api/blob/main/docs/attestation_process.md
    """
    payload, signed, signature = _open_cose_sign1(document)
    kind, fields = _read_fields(payload)
    signer = _verify_chain([*cast("list[bytes]", fields["cabundle"]), cast("bytes", fields["certificate"])], at)
    try:
        signer.verify(signature, signed, ec.ECDSA(hashes.SHA384()))
    except InvalidSignature:
        raise InvalidAttestation("the signature is not that of the certificate in the document") from None
    return Attestation(
        kind=kind,
        module_id=cast("str", fields["module_id"]),
        timestamp=cast("int", fields["timestamp"]),
        digest=cast("str", fields["digest"]),
        pcrs=cast("dict[int, bytes]", fields[REGISTERS[kind].field]),
        certificate=cast("bytes", fields["certificate"]),
        public_key=_recipient_key(cast("bytes | None", fields.get("public_key"))),
        user_data=cast("bytes | None", fields.get("user_data")),
        nonce=cast("bytes | None", fields.get("nonce")),
    )


def attestation_condition_values(attestation: Attestation) -> Mapping[str, str]:
    """Return the values of condition keys in a document, by condition key.

    Values are lower-case hexadecimal. ``kms:RecipientAttestation:ImageSha384`` is PCR0 of an enclave. The condition key
    of a missing register is absent; zeros, as in an enclave in debug mode, are a regular value.

    AWS:
        https://docs.aws.amazon.com/kms/latest/developerguide/conditions-nitro-enclave.html
        https://docs.aws.amazon.com/kms/latest/developerguide/conditions-nitro-tpm.html
    """
    prefix = REGISTERS[attestation.kind].condition_key
    values = {f"{prefix}{number}": pcr.hex() for number, pcr in sorted(attestation.pcrs.items())}
    if attestation.kind == "NitroEnclave" and 0 in attestation.pcrs:
        values["kms:RecipientAttestation:ImageSha384"] = attestation.pcrs[0].hex()
    return values


def _decode_cbor(data: bytes, what: str) -> object:
    try:
        import cbor2
    except ImportError as error:
        raise MissingExtra("The Recipient parameter", "cbor2", "nitro") from error
    stream = io.BytesIO(data)
    try:
        value: object = cbor2.CBORDecoder(stream).decode()
    except Exception:  # the decoder calls other code for tags, which can raise anything for hostile input
        raise InvalidAttestation(f"the {what} is not CBOR") from None
    if stream.tell() != len(data):
        raise InvalidAttestation(f"the {what} is followed by other bytes")
    return value


def _open_cose_sign1(document: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the payload, the signed bytes, and the signature (DER)."""
    message = _decode_cbor(document, "document")
    if getattr(message, "tag", None) == COSE_SIGN1_TAG:
        message = getattr(message, "value", None)
    if not isinstance(message, list | tuple) or len(message) != 4:
        raise InvalidAttestation("the document is not a COSE_Sign1 structure")
    protected, unprotected, payload, signature = message
    if protected != ES384_HEADER or unprotected != {}:
        raise InvalidAttestation("the document's header is not that of an ES384 signature")
    if type(payload) is not bytes or type(signature) is not bytes or len(signature) != 96:
        raise InvalidAttestation("the document's payload or signature has the wrong type or length")
    import cbor2

    signed: bytes = cbor2.dumps(["Signature1", protected, b"", payload])
    r, s = int.from_bytes(signature[:48], "big"), int.from_bytes(signature[48:], "big")
    return payload, signed, encode_dss_signature(r, s)


def _read_fields(payload: bytes) -> tuple[AttestedKind, dict[str, object]]:
    decoded = _decode_cbor(payload, "payload")
    if not isinstance(decoded, dict):
        raise InvalidAttestation("the payload is not a map")
    kinds = [kind for kind, registers in REGISTERS.items() if registers.field in decoded]
    if len(kinds) != 1:
        raise InvalidAttestation("the payload must have one field of pcrs or nitrotpm_pcrs")
    if decoded.keys() - _FIELDS.keys() - {REGISTERS[kinds[0]].field}:
        raise InvalidAttestation("the payload has a field that attestation documents do not have")
    for name, field in _FIELDS.items():
        value = decoded.get(name)
        if value is None and not field.mandatory:
            continue
        if value is None:
            raise InvalidAttestation(f"the field {name} is missing")
        if type(value) is not field.type or _size(value) not in field.sizes:
            raise InvalidAttestation(f"the field {name} has the wrong type or length")
    if decoded["digest"] != "SHA384":
        raise InvalidAttestation("the digest is not SHA384")
    if not all(type(der) is bytes and len(der) in _FIELDS["certificate"].sizes for der in decoded["cabundle"]):
        raise InvalidAttestation("the field cabundle has a certificate of the wrong type or length")
    _check_registers(decoded[REGISTERS[kinds[0]].field], REGISTERS[kinds[0]])
    return kinds[0], decoded


def _size(value: object) -> int:
    return value if isinstance(value, int) else len(cast("Sized", value))


def _check_registers(pcrs: object, registers: Registers) -> None:
    if not isinstance(pcrs, dict) or not 1 <= len(pcrs) <= registers.count:
        raise InvalidAttestation(f"{registers.field} is not a map of 1 to {registers.count} registers")
    for number, pcr in pcrs.items():
        if type(number) is not int or number not in range(registers.count):
            raise InvalidAttestation(f"{registers.field} has a register with a wrong number")
        if type(pcr) is not bytes or len(pcr) not in REGISTER_LENGTHS:
            raise InvalidAttestation(f"{registers.field} has a register of the wrong type or length")


def _verify_chain(chain: Sequence[bytes], at: datetime | None) -> ec.EllipticCurvePublicKey:
    """Verify a certificate chain (DER, from root to signer), and return the signer's key."""
    try:
        certificates = [x509.load_der_x509_certificate(der) for der in chain]
        for issuer, subject in pairwise([certificates[0], *certificates]):
            subject.verify_directly_issued_by(issuer)
        key = certificates[-1].public_key()
        *authorities, signer = [
            (
                certificate.extensions.get_extension_for_class(x509.BasicConstraints).value,
                certificate.extensions.get_extension_for_class(x509.KeyUsage).value,
            )
            for certificate in certificates
        ]
    except _MALFORMED:
        raise InvalidAttestation("certificate and cabundle are not a chain of valid certificates") from None
    # The path length of an authority limits the number of authorities between it and the signer.
    for below, (constraints, usage) in enumerate(reversed(authorities)):
        too_long = constraints.path_length is not None and constraints.path_length < below
        if not constraints.ca or not usage.key_cert_sign or too_long:
            raise InvalidAttestation("a certificate of cabundle may not issue the next one")
    if signer[0].ca or not signer[1].digital_signature:
        raise InvalidAttestation("the certificate may not sign a document")
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP384R1):
        raise InvalidAttestation("the key of the certificate is not on the curve P-384")
    for certificate in certificates:
        if at is not None and not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
            raise InvalidAttestation("a certificate has expired or is not valid yet")
    return key


def _recipient_key(der: bytes | None) -> rsa.RSAPublicKey:
    if der is None:
        raise InvalidAttestation("the field public_key is missing: there is no key to encrypt for")
    try:
        key = serialization.load_der_public_key(der)
    except _MALFORMED:
        raise InvalidAttestation("public_key is not a DER-encoded public key") from None
    # The loader also accepts PKCS#1, while KMS requires a SubjectPublicKeyInfo; and an even modulus, which cannot
    # encrypt.
    if (
        not isinstance(key, rsa.RSAPublicKey)
        or key.key_size not in _RSA_KEY_SIZES
        or key.public_numbers().n % 2 == 0
        or _spki(key) != der
    ):
        raise InvalidAttestation("public_key is not the SubjectPublicKeyInfo of an RSA key of 2048, 3072 or 4096 bits")
    return key


def encrypt_for_recipient(attestation: Attestation, plaintext: bytes) -> bytes:
    """Return ``CiphertextForRecipient``: ``plaintext`` encrypted for the attested environment.

    A new AES-256 key encrypts it (CBC, PKCS#7 padding); RSAES-OAEP with SHA-256 encrypts that key; AWS identifies the
    recipient by the SHA-256 digest of its SubjectPublicKeyInfo.

    AWS: https://github.com/aws/aws-nitro-enclaves-sdk-c/blob/main/source/cms.c (the parser of AWS's client)
    """
    key, iv = os.urandom(32), os.urandom(16)
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    content = encryptor.update(padder.update(plaintext) + padder.finalize()) + encryptor.finalize()
    oaep = OAEP(mgf=MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
    return enveloped_data(
        key_identifier=hashlib.sha256(_spki(attestation.public_key)).digest(),
        encrypted_key=attestation.public_key.encrypt(key, oaep),
        iv=iv,
        content=content,
    )


def _spki(key: rsa.RSAPublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
