"""The little of DER (X.690) that key structures need where `cryptography` does not read or write them.

Only definite, minimal lengths and one-byte tags; no general ASN.1 and no schemas.
"""

from __future__ import annotations

from pytest_kmsmock._kms.crypto.base import InvalidMaterial

INTEGER, BIT_STRING, OCTET_STRING, OBJECT_IDENTIFIER, SEQUENCE = 0x02, 0x03, 0x04, 0x06, 0x30


class InvalidDer(ValueError):
    """Bytes are not the DER structure that is read."""


def encode(tag: int, *contents: bytes) -> bytes:
    """Return one element: its tag, its length, and ``contents`` joined."""
    content = b"".join(contents)
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    size = (length.bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + length.to_bytes(size, "big") + content


def encode_integer(value: int) -> bytes:
    """Return INTEGER ``value``, which is not negative."""
    return encode(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def encode_oid(dotted: str) -> bytes:
    """Return OBJECT IDENTIFIER ``dotted``, such as ``1.2.840.10045.2.1``."""
    first, second, *arcs = map(int, dotted.split("."))
    content = bytearray()
    for arc in (first * 40 + second, *arcs):
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(arc & 0x7F | 0x80)
        content += bytes(reversed(septets))
    return encode(OBJECT_IDENTIFIER, bytes(content))


def take(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """Read the element with ``tag`` that ``data`` starts with; return its contents and what follows it."""
    if len(data) < 2 or data[0] != tag:
        raise InvalidDer(f"no element with tag {tag:#04x}")
    start, length = 2, data[1]
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start], "big")
    end = start + length
    # Writing the header again finds indefinite lengths, and lengths that are not minimal.
    if end > len(data) or data[:end] != encode(tag, data[start:end]):
        raise InvalidDer("the length is wrong")
    return data[start:end], data[end:]


def only(data: bytes, tag: int) -> bytes:
    """Read the one element that ``data`` is; return its contents."""
    content, rest = take(data, tag)
    if rest:
        raise InvalidDer("something follows the structure")
    return content


def take_integer(data: bytes) -> tuple[int, bytes]:
    """Read the INTEGER, not negative, that ``data`` starts with; return it and what follows it."""
    content, rest = take(data, INTEGER)
    value = int.from_bytes(content, "big")
    if encode_integer(value) != encode(INTEGER, content):
        raise InvalidDer("the integer is negative or not minimal")
    return value, rest


def encode_spki(algorithm: bytes, public_key: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo (RFC 5280) of ``algorithm``, which is in DER, and ``public_key``."""
    return encode(SEQUENCE, algorithm, encode(BIT_STRING, b"\0", public_key))


def spki_key(data: bytes, algorithm: bytes) -> bytes:
    """Return the octets of the public key in a SubjectPublicKeyInfo that has just this ``algorithm``."""
    content = only(data, SEQUENCE)
    if not content.startswith(algorithm):
        raise InvalidDer("the algorithm is another one")
    bits = only(content[len(algorithm) :], BIT_STRING)
    if bits[:1] != b"\0":
        raise InvalidDer("the bit string has unused bits")
    return bits[1:]


def encode_pkcs8(algorithm: bytes, private_key: bytes) -> bytes:
    """Return a PKCS#8 PrivateKeyInfo (RFC 5208) of version 0 around ``private_key``."""
    return encode(SEQUENCE, encode_integer(0), algorithm, encode(OCTET_STRING, private_key))


def pkcs8_key(data: bytes, algorithm: bytes) -> bytes:
    """Return the octets of the private key in a PKCS#8 structure that has just this ``algorithm``.

    Attributes, and the public key of version 1 (RFC 5958), are left to whoever reads the key itself.

    Raises:
        InvalidMaterial: the bytes are no such structure (which PKCS#1 and SEC 1 keys are not).
    """
    try:
        version, rest = take_integer(only(data, SEQUENCE))
        if version <= 1 and rest.startswith(algorithm):
            return take(rest[len(algorithm) :], OCTET_STRING)[0]
    except InvalidDer as error:
        raise InvalidMaterial(f"the key material is no PKCS#8 structure: {error}") from error
    raise InvalidMaterial("the key material is no PKCS#8 structure of the version and algorithm expected")


#: The seed alone, of the private key forms of RFC 9881 (ML-DSA) and RFC 9935 (ML-KEM): [0] OCTET STRING.
_SEED = 0x80


def encode_pkcs8_seed(algorithm: bytes, seed: bytes) -> bytes:
    """Return the PKCS#8 structure of an ML-DSA or ML-KEM private key as its seed."""
    return encode_pkcs8(algorithm, encode(_SEED, seed))


def pkcs8_seed(data: bytes, algorithm: bytes, length: int) -> bytes:
    """Return the seed, of ``length`` bytes, in what `encode_pkcs8_seed` makes, or raise `InvalidMaterial`."""
    try:
        seed = only(pkcs8_key(data, algorithm), _SEED)
    except InvalidDer as error:
        raise InvalidMaterial(f"the private key is not in seed form: {error}") from error
    if len(seed) != length:
        raise InvalidMaterial(f"a seed of {len(seed)} bytes, where {length} are needed")
    return seed
