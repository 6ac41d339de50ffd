"""Key material of scenarios, generated and wrapped for ImportKeyMaterial, with `cryptography` only."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives import hashes, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

_CURVES: Mapping[str, Callable[[], ec.EllipticCurve]] = {
    "ECC_NIST_P256": ec.SECP256R1,
    "ECC_NIST_P384": ec.SECP384R1,
    "ECC_NIST_P521": ec.SECP521R1,
    "ECC_SECG_P256K1": ec.SECP256K1,
}
_RAW_LENGTHS = {"SYMMETRIC_DEFAULT": 32, "HMAC_224": 28, "HMAC_256": 32, "HMAC_384": 48, "HMAC_512": 64}
#: The AES key of RSA_AES_KEY_WRAP, not random: nothing secret is kept.
_WRAPPING_KEY = bytes(range(32))


def material(given: tuple[str, str]) -> bytes:
    """Return key material.

    Args:
        given: the KeySpec, and a name: the same name is the same material, but for RSA.
    """
    spec, name = given
    if spec in _RAW_LENGTHS:
        return hashlib.shake_256(name.encode()).digest(_RAW_LENGTHS[spec])
    return _pkcs8(_private_key(spec, name))


def public_key(curve: str) -> bytes:
    """Return the public key of another party on a curve, in DER."""
    found: bytes = _private_key(curve, "somebody else").public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )  # fmt: skip
    return found


def _private_key(spec: str, name: str) -> Any:
    seed = hashlib.sha256(name.encode()).digest()
    if spec in _CURVES:
        return ec.derive_private_key(int.from_bytes(seed[:31], "big"), _CURVES[spec]())
    if spec == "ECC_NIST_EDWARDS25519":
        return ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    return rsa.generate_private_key(65537, int(spec.removeprefix("RSA_")))


def _pkcs8(key: Any) -> bytes:
    found: bytes = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return found


def ber(der: bytes) -> bytes:
    """Return a DER structure as BER, with an indefinite outer length."""
    header = 2 if der[1] < 0x80 else 2 + (der[1] & 0x7F)
    return der[:1] + b"\x80" + der[header:] + b"\x00\x00"


def wrap(given: Mapping[str, Any]) -> bytes:
    """Wrap key material for ImportKeyMaterial.

    Args:
        given: `material`; `params`, the PublicKey of GetParametersForImport; `algorithm`, its WrappingAlgorithm, if it
            is not RSAES_OAEP_SHA_256.
    """
    algorithm: str = given.get("algorithm", "RSAES_OAEP_SHA_256")
    key: Any = serialization.load_der_public_key(given["params"])
    digest = hashes.SHA1() if algorithm.endswith("_SHA_1") else hashes.SHA256()
    oaep = padding.OAEP(padding.MGF1(digest), digest, None)
    if algorithm.startswith("RSA_AES_KEY_WRAP"):
        wrapped = keywrap.aes_key_wrap_with_padding(_WRAPPING_KEY, given["material"])
        return bytes(key.encrypt(_WRAPPING_KEY, oaep)) + wrapped
    return bytes(key.encrypt(given["material"], oaep))
