"""Elliptic curve keys: ECDSA and ECDH over the NIST curves, ECDSA over secp256k1."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from .base import InvalidMaterial, InvalidPeerKey, Material
from .primitives import der

if TYPE_CHECKING:
    from pytest_kmsmock._kms.api.key_specs import KeySpec

    from .base import Random

_CURVES: dict[str, ec.EllipticCurve] = {
    curve.name: curve for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1(), ec.SECP256K1())
}

#: The group order of each curve (SEC 2, 2.4 to 2.6), which only later releases of `cryptography` have.
_ORDERS: dict[str, int] = {
    "secp256r1": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "secp384r1": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
    "secp521r1": 0x1FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409,  # noqa: E501
    "secp256k1": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
}

#: AlgorithmIdentifier of a key on each curve (RFC 5480): id-ecPublicKey with the curve's name.
_ALGORITHMS: dict[str, bytes] = {
    curve: der.encode(der.SEQUENCE, der.encode_oid("1.2.840.10045.2.1"), der.encode_oid(oid))
    for curve, oid in {
        "secp256r1": "1.2.840.10045.3.1.7",
        "secp384r1": "1.3.132.0.34",
        "secp521r1": "1.3.132.0.35",
        "secp256k1": "1.3.132.0.10",
    }.items()
}

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "ECDSA_SHA_256": hashes.SHA256(),
    "ECDSA_SHA_384": hashes.SHA384(),
    "ECDSA_SHA_512": hashes.SHA512(),
}

#: First octets of points in public keys: compressed (two values) and uncompressed. RFC 5480, 2.2, rejects others, such
#: as the hybrid form, which OpenSSL accepts.
_POINT_FORMS = (b"\2", b"\3", b"\4")

_DIGESTS = {"ECDSA_SHA_256": hashlib.sha256, "ECDSA_SHA_384": hashlib.sha384, "ECDSA_SHA_512": hashlib.sha512}


def _schemes(*, deterministic: bool) -> dict[str, ec.ECDSA]:
    return {
        algorithm: ec.ECDSA(Prehashed(digest), deterministic_signing=deterministic)
        for algorithm, digest in _HASHES.items()
    }


def _digest(algorithm: str, message: bytes, message_type: str) -> bytes:
    """Return the digest to sign. `hashlib` is faster than hashing in OpenSSL's signature functions."""
    return message if message_type == "DIGEST" else _DIGESTS[algorithm](message).digest()


_SCHEMES = _schemes(deterministic=False)
_DETERMINISTIC_SCHEMES = _schemes(deterministic=True)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EcMaterial(Material):
    """A private key on one of the curves of `_CURVES`."""

    spec: KeySpec
    _private: ec.EllipticCurvePrivateKey
    _public: ec.EllipticCurvePublicKey

    @classmethod
    def generate(cls, spec: KeySpec, random: Random) -> EcMaterial:
        """See `Material.generate`; FIPS 186-5, A.2.1: 64 extra bits, reduced modulo the order."""
        curve = _CURVES[spec.parameters]
        candidate = int.from_bytes(random((curve.key_size + 7) // 8 + 8), "big")
        private = ec.derive_private_key(candidate % (_ORDERS[curve.name] - 1) + 1, curve)
        return cls(spec, private, private.public_key())

    @classmethod
    def load(cls, spec: KeySpec, data: bytes) -> EcMaterial:
        """See `Material.load`: PKCS#8 around an ECPrivateKey (RFC 5915), the curve by name."""
        data = der.from_ber(data)
        der.pkcs8_key(data, _ALGORITHMS[spec.parameters])
        try:
            private = load_der_private_key(data, password=None)
        except ValueError as error:
            raise InvalidMaterial(f"the private key is not valid: {error}") from error
        # The AlgorithmIdentifier was checked, so it is an EC key on this curve.
        assert isinstance(private, ec.EllipticCurvePrivateKey)
        return cls(spec, private, private.public_key())

    def private_bytes(self) -> bytes:
        """See `Material.private_bytes`."""
        return self._private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    def data_key_bytes(self) -> bytes:
        """See `Material.data_key_bytes`: AWS repeats the curve in the ECPrivateKey (RFC 5915)."""
        in_sec1 = self._private.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        return der.encode_pkcs8(_ALGORITHMS[self.spec.parameters], in_sec1)

    def public_key_der(self) -> bytes:
        """See `Material.public_key_der`."""
        return self._public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, algorithm: str, message: bytes, message_type: str, random: Random = os.urandom) -> bytes:
        """See `Material.sign`; the signature is the DER of r and s (RFC 3279, 2.2.3).

        With ``random`` it is deterministic by RFC 6979, since `cryptography` does not accept random bytes.
        """
        schemes = _SCHEMES if random is os.urandom else _DETERMINISTIC_SCHEMES
        return self._private.sign(_digest(algorithm, message, message_type), schemes[algorithm])

    def verify(self, algorithm: str, message: bytes, message_type: str, signature: bytes) -> bool:
        """See `Material.verify`."""
        try:
            self._public.verify(signature, _digest(algorithm, message, message_type), _SCHEMES[algorithm])
        except InvalidSignature:
            return False
        return True

    def derive(self, peer_public_der: bytes) -> bytes:
        """See `Material.derive`."""
        try:
            point = der.spki_key(peer_public_der, _ALGORITHMS[self.spec.parameters])
            if point[:1] not in _POINT_FORMS:
                raise der.InvalidDer("the point is neither compressed nor uncompressed")
            peer = load_der_public_key(peer_public_der)
        except ValueError as error:
            raise InvalidPeerKey(f"not a public key on {self.spec.parameters}: {error}") from error
        assert isinstance(peer, ec.EllipticCurvePublicKey)
        return self._private.exchange(ec.ECDH(), peer)
