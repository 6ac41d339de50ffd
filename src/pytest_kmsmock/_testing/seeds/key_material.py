"""Forms of key material in seeds: raw secrets, PKCS#8, PEM, base64, and older formats of private keys."""

from __future__ import annotations

import base64
import binascii
import functools
import re
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from pytest_kmsmock._kms.crypto import InvalidMaterial, Material, load
from pytest_kmsmock._kms.crypto.primitives import der

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from pytest_kmsmock._kms.api.key_specs import KeySpec

_PEM = re.compile(r"\s*-----BEGIN ([A-Z0-9 ]+)-----\s*(.+?)\s*-----END \1-----\s*", re.DOTALL)


def material_bytes(given: object) -> bytes:
    """Return key material in the form of ImportKeyMaterial: a raw secret or PKCS#8 DER.

    Args:
        given: this form; PEM as a string or bytes; or a base64 string.

    Raises:
        TypeError: neither bytes nor a string.
        ValueError: a string that is neither PEM nor base64, or an encrypted key.
    """
    if isinstance(given, bytes | bytearray):
        pem = bytes(given).lstrip().startswith(b"-----BEGIN ")
        return _from_pem(bytes(given).decode("ascii")) if pem else bytes(given)
    if not isinstance(given, str):
        raise TypeError(f"expected bytes or a string, not {type(given).__name__}")
    if "-----BEGIN " in given:
        return _from_pem(given)
    try:
        return base64.b64decode("".join(given.split()), validate=True)
    except binascii.Error as error:
        raise ValueError(f"the string is neither PEM nor base64: {error}") from error


def _from_pem(text: str) -> bytes:
    """Return the PKCS#8 DER of a PEM; older formats of RSA and EC keys are converted."""
    match = _PEM.fullmatch(text)
    if match is None:
        raise ValueError("the PEM data is damaged, or contains more than a private key")
    label, body = match.groups()
    if label == "PRIVATE KEY":
        return base64.b64decode("".join(body.split()), validate=True)
    if label not in ("RSA PRIVATE KEY", "EC PRIVATE KEY") or "ENCRYPTED" in body:
        raise ValueError(f"a PEM {label} is not supported: give the unencrypted private key")
    return _written(serialization.load_pem_private_key(text.strip().encode(), password=None))


@functools.lru_cache(maxsize=256)
def load_material(spec: KeySpec, data: bytes) -> Material:
    """Load material; cached, since each test of a run may seed the same keys and RSA keys load slowly."""
    try:
        return load(spec, data)
    except InvalidMaterial:
        rewritten = _seed_form(data) or _pkcs8(data)
        if rewritten is None:
            raise
        return load(spec, rewritten)


def _seed_form(data: bytes) -> bytes | None:
    """Return an ML-DSA or ML-KEM key as its seed, from the form with seed and expanded key that OpenSSL writes.

    See https://www.rfc-editor.org/rfc/rfc9881#name-private-key-format ("both").
    """
    try:
        _, rest = der.read_integer(der.read_single(data, der.SEQUENCE))
        algorithm, rest = der.read_element(rest, der.SEQUENCE)
        seed, _ = der.read_element(
            der.read_single(der.read_single(rest, der.OCTET_STRING), der.SEQUENCE), der.OCTET_STRING
        )
    except der.InvalidDer:
        return None
    return der.encode_pkcs8_seed(der.encode(der.SEQUENCE, algorithm), seed)


def _pkcs8(data: bytes) -> bytes | None:
    """Convert an RSA or EC key from its older format (PKCS#1, SEC 1) to PKCS#8."""
    try:
        key = serialization.load_der_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return _written(key)


def _written(key: PrivateKeyTypes) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )  # fmt: skip
