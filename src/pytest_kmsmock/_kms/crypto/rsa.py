"""RSA keys: OAEP encryption, PKCS#1 v1.5 and PSS signatures (RFC 8017)."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from pytest_kmsmock._kms.api.key_specs import ENCRYPTION_ALGORITHMS, SIGNING_ALGORITHMS

from .base import DecryptionFailed, InvalidMaterial, Material
from .primitives import der, seeded_rsa

if TYPE_CHECKING:
    from pytest_kmsmock._kms.api.key_specs import KeySpec

    from .base import Random

#: AlgorithmIdentifier of rsaEncryption (RFC 3279, 2.3.1), whose parameters are NULL.
_ALGORITHM = der.encode(der.SEQUENCE, der.encode_oid("1.2.840.113549.1.1.1"), b"\x05\0")

_HASHES: dict[str, hashes.HashAlgorithm] = {
    digest.name: digest for digest in (hashes.SHA1(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512())
}


def _signature_padding(scheme: str, digest: hashes.HashAlgorithm) -> padding.AsymmetricPadding:
    if scheme == "RSASSA-PKCS1-v1_5":
        return padding.PKCS1v15()
    # AWS: MGF1 with the same hash, and a salt as long as its output.
    return padding.PSS(padding.MGF1(digest), digest.digest_size)


_OAEP: dict[str, padding.OAEP] = {
    row.name: padding.OAEP(padding.MGF1(_HASHES[row.hash]), _HASHES[row.hash], label=None)
    for row in ENCRYPTION_ALGORITHMS.values()
    if row.name.startswith("RSAES_OAEP")
}
_SCHEMES: dict[tuple[str, str], tuple[padding.AsymmetricPadding, hashes.HashAlgorithm | Prehashed]] = {
    (row.name, message_type): (
        _signature_padding(row.scheme, _HASHES[row.hash]),
        _HASHES[row.hash] if message_type == "RAW" else Prehashed(_HASHES[row.hash]),
    )
    for row in SIGNING_ALGORITHMS.values()
    if row.scheme.startswith("RSASSA")
    for message_type in row.message_types
}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RsaMaterial(Material):
    """An RSA private key."""

    spec: KeySpec
    _private: rsa.RSAPrivateKey
    _public: rsa.RSAPublicKey

    @classmethod
    def generate(cls, spec: KeySpec, random: Random) -> RsaMaterial:
        """See `Material.generate`; see `generate_key`."""
        return cls.of(spec, generate_key(spec.bits, random))

    @classmethod
    def of(cls, spec: KeySpec, private: rsa.RSAPrivateKey) -> RsaMaterial:
        """Wrap a loaded private key, without checks for ``spec``."""
        return cls(spec, private, private.public_key())

    @classmethod
    def load(cls, spec: KeySpec, data: bytes) -> RsaMaterial:
        """See `Material.load`: PKCS#8 around an RSAPrivateKey (RFC 8017, A.1.2)."""
        data = der.from_ber(data)
        der.pkcs8_key(data, _ALGORITHM)
        try:
            private = cast("rsa.RSAPrivateKey", load_der_private_key(data, password=None))
        except ValueError as error:
            raise InvalidMaterial(f"the private key is not valid: {error}") from error
        if private.key_size != spec.bits:
            raise InvalidMaterial(f"a modulus of {private.key_size} bits is not {spec.name} key material")
        # FIPS 186-5, A.1.1, which AWS's HSMs follow; AWS does not document a narrower range.
        if not 2**16 < private.public_key().public_numbers().e < 2**256:
            raise InvalidMaterial("the public exponent is out of the range that FIPS 186-5 allows")
        return cls.of(spec, private)

    @property
    def private_key(self) -> rsa.RSAPrivateKey:
        """The private key of `cryptography`."""
        return self._private

    def private_bytes(self) -> bytes:
        """See `Material.private_bytes`."""
        return self._private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    def public_key_der(self) -> bytes:
        """See `Material.public_key_der`."""
        return self._public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def encrypt(self, algorithm: str, plaintext: bytes, random: Random = os.urandom) -> bytes:
        """See `Material.encrypt`; RSAES-OAEP with the hash also in MGF1, and an empty label."""
        if random is not os.urandom:
            digest = ENCRYPTION_ALGORITHMS[algorithm].hash
            return seeded_rsa.encrypt(self.public_key_der(), plaintext, digest, random)
        return self._public.encrypt(plaintext, _OAEP[algorithm])

    def decrypt(self, algorithm: str, ciphertext: bytes) -> bytes:
        """See `Material.decrypt`."""
        try:
            return self._private.decrypt(ciphertext, _OAEP[algorithm])
        except ValueError as error:
            raise DecryptionFailed("the ciphertext does not match the key and algorithm") from error

    def sign(self, algorithm: str, message: bytes, message_type: str, random: Random = os.urandom) -> bytes:
        """See `Material.sign`."""
        row = SIGNING_ALGORITHMS[algorithm]
        if random is not os.urandom and row.scheme == "RSASSA-PSS":
            hashed = message if message_type == "DIGEST" else hashlib.new(row.hash, message).digest()
            return seeded_rsa.sign(self.private_bytes(), hashed, row.hash, random)
        return self._private.sign(message, *_SCHEMES[algorithm, message_type])

    def verify(self, algorithm: str, message: bytes, message_type: str, signature: bytes) -> bool:
        """See `Material.verify`."""
        try:
            self._public.verify(signature, message, *_SCHEMES[algorithm, message_type])
        except InvalidSignature:
            return False
        return True


def generate_key(bits: int, random: Random = os.urandom) -> rsa.RSAPrivateKey:
    """Generate an RSA key with public exponent 65537, as AWS does.

    `cryptography` only uses OpenSSL's random numbers, so any ``random`` except `os.urandom` uses pycryptodome, which is
    about ten times slower.

    Raises:
        MissingExtra: ``random`` is not `os.urandom`, and pycryptodome is not installed.
    """
    if random is os.urandom:
        return rsa.generate_private_key(public_exponent=65537, key_size=bits)
    return cast("rsa.RSAPrivateKey", load_der_private_key(seeded_rsa.generate(bits, random), password=None))
