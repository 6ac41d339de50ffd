"""A fake Nitro enclave (or NitroTPM instance) for tests.

It creates attestation documents with chosen measurements, and decrypts responses that KMS encrypts for it.
`pytest_kmsmock._kms.attestation.document` is KMS's side. The two share only names and numbers, so each checks the
other.
"""

from __future__ import annotations

import hashlib
import importlib
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypedDict

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.x509.oid import NameOID

from pytest_kmsmock._kms.attestation.document import ES384_HEADER, REGISTERS, AttestedKind

from ._runtime.arguments import check_arguments
from ._runtime.checks import check_type
from .errors import CannotDecrypt, InvalidOption, MissingExtra

if TYPE_CHECKING:
    from types import ModuleType

# Registers that a document always has; zeros without a measurement.
_REPORTED_REGISTERS: Mapping[AttestedKind, range] = {"NitroEnclave": range(16), "NitroTPM": range(24)}
_MODULE_IDS: Mapping[AttestedKind, str] = {
    "NitroEnclave": "i-0123456789abcdef0-enc0123456789abcdef",
    "NitroTPM": "i-0123456789abcdef0-tpm0000000000000000",
}
_SHA384_LENGTH = 48
# The certificate authorities from the root, each with its path length; named as AWS's.
_CHAIN = (
    ("aws.nitro-enclaves", None),
    ("us-east-1.aws.nitro-enclaves", 1),
    ("i-0123456789abcdef0.us-east-1.aws.nitro-enclaves", 0),
)
_SIGNER = "i-0123456789abcdef0-enc0123456789abcdef.us-east-1.aws"


class Recipient(TypedDict):
    """The ``Recipient`` parameter of KMS operations."""

    KeyEncryptionAlgorithm: Literal["RSAES_OAEP_SHA_256"]
    AttestationDocument: bytes


@check_arguments("enclave.")
class FakeEnclave:
    """An attested environment of a test: pass `recipient` to KMS and `decrypt` what comes back.

    Needs the extra ``pytest-kmsmock[nitro]``. It has certificates of its own, which the fake KMS accepts and
    AWS would not. The RSA key pair (2048 bits: some 20 to 300 ms, nothing if ``private_key`` is given) and the
    certificates (a few ms) are created on first use and kept. So share an enclave between the tests that need
    the same measurements, or a key between enclaves.

    Args:
        pcrs: platform configuration registers (PCRs) by number: SHA-384 values of 48 bytes. Registers that
            are not given are zeros, as on AWS. By default PCR0, PCR1 and PCR2 (of a NitroTPM: PCR4 and PCR7)
            have generated values, always the same.
        kind: ``NitroEnclave`` or ``NitroTPM``.
        module_id: the name of the enclave or instance in its documents.
        private_key: the RSA key pair (2048, 3072 or 4096 bits).
        not_after: when the certificates expire (with a time zone). By default they do not; AWS's expire after
            three hours.

    Raises:
        InvalidOption: an unknown kind, a register that does not exist, or whose value is not 48 bytes, or another wrong
            value.

    Example:
        >>> enclave = FakeEnclave({0: bytes(range(48))})
        >>> recipient = enclave.recipient(nonce=b"once")  # for kms.decrypt(..., Recipient=recipient)
        >>> recipient["KeyEncryptionAlgorithm"]
        'RSAES_OAEP_SHA_256'
        >>> enclave.pcrs[0].hex()[:16]  # what a policy compares with kms:RecipientAttestation:PCR0
        '0001020304050607'

    AWS: https://docs.aws.amazon.com/enclaves/latest/user/set-up-attestation.html
    """

    def __init__(
        self,
        pcrs: Mapping[int, bytes] | None = None,
        *,
        kind: AttestedKind = "NitroEnclave",
        module_id: str | None = None,
        private_key: rsa.RSAPrivateKey | None = None,
        not_after: datetime = datetime(9999, 1, 1, tzinfo=timezone.utc),
    ) -> None:
        if kind not in list(REGISTERS):  # it may not be hashable
            raise InvalidOption(f"kind must be one of {', '.join(REGISTERS)}, not {kind!r}")
        if pcrs is None:
            measured = (0, 1, 2) if kind == "NitroEnclave" else (4, 7)
            pcrs = {number: hashlib.sha384(f"{kind} PCR{number}".encode()).digest() for number in measured}
        check_type(pcrs, Mapping, "FakeEnclave(): pcrs", "a mapping of the numbers of registers to bytes")
        for number, value in pcrs.items():
            if number not in range(REGISTERS[kind].count):
                raise InvalidOption(f"{kind} has no PCR{number}: registers are 0 to {REGISTERS[kind].count - 1}")
            check_type(value, (bytes, bytearray), f"PCR{number}", "bytes, such as bytes.fromhex(...)")
            if len(value) != _SHA384_LENGTH:
                raise InvalidOption(f"PCR{number} must be a SHA-384 value of 48 bytes, not {len(value)} bytes")
        for given, expected_type, name, expected in (
            (module_id, str, "module_id", "a string"),
            (private_key, rsa.RSAPrivateKey, "private_key", "an RSA private key of `cryptography`"),
        ):
            if given is not None:
                check_type(given, expected_type, f"FakeEnclave(): {name}", expected)
        check_type(not_after, datetime, "FakeEnclave(): not_after", "a datetime")
        zeros = dict.fromkeys(_REPORTED_REGISTERS[kind], bytes(_SHA384_LENGTH))
        self.kind: AttestedKind = kind
        self.pcrs: Mapping[int, bytes] = {**zeros, **pcrs}
        self.module_id = _MODULE_IDS[kind] if module_id is None else module_id
        self._given_key = private_key
        self._not_after = not_after

    @cached_property
    def private_key(self) -> rsa.RSAPrivateKey:
        """The key pair whose public key is in the document."""
        return self._given_key or rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def attestation_document(self, *, nonce: bytes | None = None, user_data: bytes | None = None) -> bytes:
        """Return a signed attestation document (CBOR, ``COSE_Sign1``), as the Nitro Security Module would.

        Args:
            nonce: up to 512 bytes for the document.
            user_data: up to 512 bytes for the document.

        Raises:
            InvalidOption: one of them is not bytes.
            MissingExtra: ``pytest-kmsmock[nitro]`` is not installed.
        """
        for name, given in (("nonce", nonce), ("user_data", user_data)):
            if given is not None:
                check_type(given, bytes, f"enclave.attestation_document(): {name}", "bytes")
        cbor2 = _nitro_extra("cbor2")
        *authorities, certificate = self._certificates
        payload: bytes = cbor2.dumps(
            {
                "module_id": self.module_id,
                "digest": "SHA384",
                "timestamp": int(time.time() * 1000),
                REGISTERS[self.kind].field: dict(sorted(self.pcrs.items())),
                "certificate": certificate,
                "cabundle": authorities,
                "public_key": self._public_key,
                "user_data": user_data,
                "nonce": nonce,
            }
        )
        to_sign = cbor2.dumps(["Signature1", ES384_HEADER, b"", payload])
        r, s = decode_dss_signature(self._signing_key.sign(to_sign, ec.ECDSA(hashes.SHA384())))
        # AWS's documents have no tag around the structure.
        document: bytes = cbor2.dumps([ES384_HEADER, {}, payload, r.to_bytes(48, "big") + s.to_bytes(48, "big")])
        return document

    def recipient(self, *, nonce: bytes | None = None, user_data: bytes | None = None) -> Recipient:
        """Return the ``Recipient`` parameter for a KMS operation, with a new document.

        Args and raises as `attestation_document`.
        """
        document = self.attestation_document(nonce=nonce, user_data=user_data)
        return {"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": document}

    def decrypt(self, ciphertext_for_recipient: bytes) -> bytes:
        """Decrypt the ``CiphertextForRecipient`` of a response.

        Args:
            ciphertext_for_recipient: CMS ``EnvelopedData``, BER.

        Raises:
            CannotDecrypt: another format, or encrypted for another enclave.
            MissingExtra: ``pytest-kmsmock[nitro]`` is not installed.
        """
        cms = _nitro_extra("asn1crypto.cms")
        try:
            enveloped = cms.ContentInfo.load(ciphertext_for_recipient, strict=True)["content"]
            (recipient,) = enveloped["recipient_infos"]
            key_identifier: bytes = recipient.chosen["rid"].native
            encrypted_key: bytes = recipient.chosen["encrypted_key"].native
            content_info = enveloped["encrypted_content_info"]
            iv: bytes = content_info["content_encryption_algorithm"].encryption_iv
            content: bytes = content_info["encrypted_content"].native
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise CannotDecrypt(
                "this is not a CiphertextForRecipient: it is not CMS EnvelopedData as AWS's is"
            ) from error
        if key_identifier != hashlib.sha256(self._public_key).digest():
            raise CannotDecrypt("this CiphertextForRecipient is for the key of another enclave")
        oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
        try:
            key = self.private_key.decrypt(encrypted_key, oaep)
            decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
            padded = decryptor.update(content) + decryptor.finalize()
            unpadder = PKCS7(128).unpadder()
            return unpadder.update(padded) + unpadder.finalize()
        except ValueError as error:
            raise CannotDecrypt("this CiphertextForRecipient was altered") from error

    @cached_property
    def _public_key(self) -> bytes:
        return self.private_key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    @cached_property
    def _signing_key(self) -> ec.EllipticCurvePrivateKey:
        return ec.generate_private_key(ec.SECP384R1())

    @cached_property
    def _certificates(self) -> list[bytes]:
        """The chain (DER), from the root to the certificate of the signing key."""
        certificates: list[bytes] = []
        issuer: tuple[str, ec.EllipticCurvePrivateKey] | None = None  # the root is self-signed
        for name, path_length in _CHAIN:
            key = ec.generate_private_key(ec.SECP384R1())
            authority = x509.BasicConstraints(ca=True, path_length=path_length)
            certificates.append(self._certify(name, key.public_key(), *(issuer or (name, key)), authority))
            issuer = name, key
        leaf = x509.BasicConstraints(ca=False, path_length=None)
        certificates.append(self._certify(_SIGNER, self._signing_key.public_key(), name, key, leaf))
        return certificates

    def _certify(
        self,
        subject: str,
        key: ec.EllipticCurvePublicKey,
        issuer: str,
        issuer_key: ec.EllipticCurvePrivateKey,
        constraints: x509.BasicConstraints,
    ) -> bytes:
        usage = x509.KeyUsage(
            digital_signature=not constraints.ca,
            key_cert_sign=constraints.ca,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            crl_sign=False,
            encipher_only=False,
            decipher_only=False,
        )
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_name(subject))
            .issuer_name(_name(issuer))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime(1970, 1, 1, tzinfo=timezone.utc))
            .not_valid_after(self._not_after)
            .add_extension(constraints, critical=True)
            .add_extension(usage, critical=True)
            .sign(issuer_key, hashes.SHA384())
        )
        return certificate.public_bytes(serialization.Encoding.DER)


def _name(common_name: str) -> x509.Name:
    values = (
        (NameOID.COUNTRY_NAME, "US"),
        (NameOID.ORGANIZATION_NAME, "pytest-kmsmock"),
        (NameOID.COMMON_NAME, common_name),
    )
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in values])


def _nitro_extra(module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtra("FakeEnclave", module.partition(".")[0], "nitro") from error
