"""The little of DER (X.690) that key structures need where `cryptography` does not read or write them.

Only definite, minimal lengths and one-byte tags; no general ASN.1 and no schemas. `from_ber` makes DER of BER.
"""

from __future__ import annotations

from pytest_kmsmock._kms.crypto.base import InvalidMaterial

INTEGER, BIT_STRING, OCTET_STRING, OBJECT_IDENTIFIER, SEQUENCE = 0x02, 0x03, 0x04, 0x06, 0x30
#: BER (X.690, 8.1): the bit of a tag whose content is elements; the length that is not said, and what ends it.
_CONSTRUCTED, _INDEFINITE, _END_OF_CONTENTS = 0x20, 0x80, b"\0\0"


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


def from_ber(data: bytes) -> bytes:
    """Return the DER of one element in BER: lengths may be indefinite or longer than needed, OCTET STRINGs in parts.

    Raises:
        InvalidMaterial: the bytes are not one element.
    """
    try:
        element, rest = _take_ber(data)
    except (IndexError, InvalidDer, RecursionError):
        raise InvalidMaterial("the key material is not a PKCS#8 structure: it is neither DER nor BER") from None
    if rest:
        raise InvalidMaterial("the key material is not a PKCS#8 structure: something follows it")
    return element


def _take_ber(data: bytes) -> tuple[bytes, bytes]:
    """Read the element that ``data`` starts with; return it in DER, and what follows it."""
    tag, first = data[0], data[1]
    if first == _INDEFINITE:
        content, rest = _elements(data[2:], _END_OF_CONTENTS)
    else:
        start = 2 + (first & 0x7F if first & 0x80 else 0)
        end = start + (int.from_bytes(data[2:start], "big") if first & 0x80 else first)
        if end > len(data):
            raise IndexError
        content, rest = data[start:end], data[end:]
        if tag & _CONSTRUCTED:
            content = _elements(content)[0]
    if tag == OCTET_STRING | _CONSTRUCTED:
        parts = []
        while content:
            part, content = take(content, OCTET_STRING)
            parts.append(part)
        tag, content = OCTET_STRING, b"".join(parts)
    return encode(tag, content), rest


def _elements(data: bytes, end: bytes = b"") -> tuple[bytes, bytes]:
    """Read elements up to ``end``; return them in DER, and what follows."""
    found = []
    while data if not end else not data.startswith(end):
        element, data = _take_ber(data)
        found.append(element)
    return b"".join(found), data[len(end) :]


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
        raise InvalidMaterial(f"the key material is not a PKCS#8 structure: {error}") from error
    raise InvalidMaterial("the key material is not a PKCS#8 structure of the version and algorithm expected")


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
