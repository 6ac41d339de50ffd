"""SM2 keys of the China Regions: SM2DSA signatures, SM2PKE encryption, ECDH (GM/T 0003-2012, GM/T 0009-2012).

The formats are those that AWS documents for offline operations with SM2 keys: ciphertexts in ASN.1, 1234567812345678 as
the distinguishing identifier, https://docs.aws.amazon.com/kms/latest/developerguide/offline-operations.html
"""
# ruff: noqa: ARG002 - the family has one algorithm for each usage

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes

from .base import DecryptionFailed, InvalidMaterial, InvalidPeerKey, Material
from .primitives import der, sm2_curve

if TYPE_CHECKING:
    from pytest_kmsmock._kms.api.key_specs import KeySpec
    from pytest_kmsmock._kms.crypto.primitives.sm2_curve import Point

    from .base import Random

_CURVE_OID = der.encode_oid("1.2.156.10197.1.301")
#: AlgorithmIdentifier: id-ecPublicKey (RFC 5480) with SM2's curve.
_ALGORITHM = der.encode(der.SEQUENCE, der.encode_oid("1.2.840.10045.2.1"), _CURVE_OID)
#: ECPrivateKey of RFC 5915: [0] the curve, [1] the public key, both optional.
_EC_PARAMETERS, _EC_PUBLIC_KEY = 0xA0, 0xA1

_IDENTIFIER = b"1234567812345678"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sm2Material(Material):
    """A private key on SM2's curve, its public point, and the hash of identifier and point (Z)."""

    spec: KeySpec
    _scalar: int
    _point: Point
    _z: bytes

    @classmethod
    def generate(cls, spec: KeySpec, random: Random) -> Sm2Material:
        """See `Material.generate`; 64 extra bits, reduced to 1 … n-2."""
        return cls._from_scalar(spec, int.from_bytes(random(40), "big") % (sm2_curve.N - 2) + 1)

    @classmethod
    def load(cls, spec: KeySpec, data: bytes) -> Sm2Material:
        """See `Material.load`: PKCS#8 around an ECPrivateKey (RFC 5915), the curve by name."""
        try:
            version, rest = der.read_integer(der.read_single(der.pkcs8_key(data, _ALGORITHM), der.SEQUENCE))
            octets, rest = der.read_element(rest, der.OCTET_STRING)
            scalar = int.from_bytes(octets, "big")
            if version != 1 or len(octets) != 32 or not 0 < scalar < sm2_curve.N - 1:
                raise InvalidMaterial("the private key is out of range")
            material = cls._from_scalar(spec, scalar)
            if rest[:1] == bytes((_EC_PARAMETERS,)):
                parameters, rest = der.read_element(rest, _EC_PARAMETERS)
                if parameters != _CURVE_OID:
                    raise InvalidMaterial("the private key is on another curve")
            point = material._point  # noqa: SLF001 - of this class
            if rest and der.read_single(rest, _EC_PUBLIC_KEY) != _public_bits(point):
                raise InvalidMaterial("the public key is not the private key's")
        except der.InvalidDer as error:
            raise InvalidMaterial(f"the private key is not an ECPrivateKey: {error}") from error
        return material

    @classmethod
    def _from_scalar(cls, spec: KeySpec, scalar: int) -> Sm2Material:
        point = _multiply(scalar, sm2_curve.G)
        curve = b"".join(map(_coordinate, (sm2_curve.A, sm2_curve.B, *sm2_curve.G, *point)))
        # GM/T 0003.2, 5.5: the identifier's length in bits comes first.
        return cls(spec, scalar, point, _sm3((len(_IDENTIFIER) * 8).to_bytes(2, "big"), _IDENTIFIER, curve))

    def private_bytes(self) -> bytes:
        """See `Material.private_bytes`; includes the public key, as in OpenSSL."""
        public = der.encode(_EC_PUBLIC_KEY, _public_bits(self._point))
        scalar = der.encode(der.OCTET_STRING, _coordinate(self._scalar))
        return der.encode_pkcs8(_ALGORITHM, der.encode(der.SEQUENCE, der.encode_integer(1), scalar, public))

    def public_key_der(self) -> bytes:
        """See `Material.public_key_der`; the point is uncompressed."""
        return der.encode_spki(_ALGORITHM, _octets(self._point))

    def encrypt(self, algorithm: str, plaintext: bytes, random: Random = os.urandom) -> bytes:
        """See `Material.encrypt`; returns the SM2Cipher of GM/T 0009: C1, C3 and C2 in ASN.1."""
        while True:
            scalar = _random_scalar(random)
            x2, y2 = map(_coordinate, _multiply(scalar, self._point))
            keystream = _kdf(x2 + y2, len(plaintext))
            # GM/T 0003.4, 6.1, A5: start again if the key stream is all zeros.
            if any(keystream) or not plaintext:
                break
        return der.encode(
            der.SEQUENCE,
            *map(der.encode_integer, _multiply(scalar, sm2_curve.G)),
            der.encode(der.OCTET_STRING, _sm3(x2, plaintext, y2)),
            der.encode(der.OCTET_STRING, _xor(plaintext, keystream)),
        )

    def decrypt(self, algorithm: str, ciphertext: bytes) -> bytes:
        """See `Material.decrypt`."""
        try:
            x1, rest = der.read_integer(der.read_single(ciphertext, der.SEQUENCE))
            y1, rest = der.read_integer(rest)
            check, rest = der.read_element(rest, der.OCTET_STRING)
            masked = der.read_single(rest, der.OCTET_STRING)
        except der.InvalidDer as error:
            raise DecryptionFailed(f"the ciphertext is not an SM2Cipher: {error}") from error
        if not sm2_curve.is_on_curve((x1, y1)):
            raise DecryptionFailed("the ciphertext's point is not on the curve")
        x2, y2 = map(_coordinate, _multiply(self._scalar, (x1, y1)))
        plaintext = _xor(masked, _kdf(x2 + y2, len(masked)))
        if not hmac.compare_digest(_sm3(x2, plaintext, y2), check):
            raise DecryptionFailed("the ciphertext is not of this key")
        return plaintext

    def sign(self, algorithm: str, message: bytes, message_type: str, random: Random = os.urandom) -> bytes:
        """See `Material.sign`; a DIGEST is SM3 over Z and the message, computed by the caller."""
        e = self._digest(message, message_type)
        while True:
            k = _random_scalar(random)
            r = (e + _multiply(k, sm2_curve.G)[0]) % sm2_curve.N
            s = (k - r * self._scalar) * pow(1 + self._scalar, -1, sm2_curve.N) % sm2_curve.N
            # GM/T 0003.2, 6.1, A5 and A6.
            if r and s and r + k != sm2_curve.N:
                return der.encode(der.SEQUENCE, der.encode_integer(r), der.encode_integer(s))

    def verify(self, algorithm: str, message: bytes, message_type: str, signature: bytes) -> bool:
        """See `Material.verify`."""
        try:
            r, rest = der.read_integer(der.read_single(signature, der.SEQUENCE))
            s, rest = der.read_integer(rest)
        except der.InvalidDer:
            return False
        t = (r + s) % sm2_curve.N
        if rest or not 0 < r < sm2_curve.N or not 0 < s < sm2_curve.N or not t:
            return False
        point = sm2_curve.multiply_add(s, t, self._point)
        return point is not None and (self._digest(message, message_type) + point[0]) % sm2_curve.N == r

    def _digest(self, message: bytes, message_type: str) -> int:
        return int.from_bytes(message if message_type == "DIGEST" else _sm3(self._z, message), "big")

    def derive(self, peer_public_der: bytes) -> bytes:
        """See `Material.derive`."""
        try:
            octets = der.spki_key(peer_public_der, _ALGORITHM)
        except der.InvalidDer as error:
            raise InvalidPeerKey(f"not a public key on SM2's curve: {error}") from error
        point = int.from_bytes(octets[1:33], "big"), int.from_bytes(octets[33:], "big")
        if len(octets) != 65 or octets[0] != 4 or not sm2_curve.is_on_curve(point):
            raise InvalidPeerKey("the public key is not a point on SM2's curve")
        return _coordinate(_multiply(self._scalar, point)[0])


def _random_scalar(random: Random) -> int:
    """Return a number from 1 to n-1: 64 extra bits, reduced modulo the order."""
    return int.from_bytes(random(40), "big") % (sm2_curve.N - 1) + 1


def _multiply(scalar: int, point: Point) -> Point:
    """Multiply; since the curve's order is prime, the result is never the point at infinity."""
    result = sm2_curve.multiply(scalar, point)
    assert result is not None
    return result


def _coordinate(value: int) -> bytes:
    return value.to_bytes(32, "big")


def _octets(point: Point) -> bytes:
    return b"\x04" + _coordinate(point[0]) + _coordinate(point[1])


def _public_bits(point: Point) -> bytes:
    return der.encode(der.BIT_STRING, b"\0", _octets(point))


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def _sm3(*parts: bytes) -> bytes:
    digest = hashes.Hash(hashes.SM3())
    for part in parts:
        digest.update(part)
    return digest.finalize()


def _kdf(secret: bytes, length: int) -> bytes:
    """Return the key stream of GM/T 0003.4, 5.4.3: SM3 over the secret and a counter that starts at 1."""
    blocks = (_sm3(secret, counter.to_bytes(4, "big")) for counter in range(1, length // 32 + 2))
    return b"".join(blocks)[:length]
