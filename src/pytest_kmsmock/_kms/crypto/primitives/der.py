"""A minimal DER (X.690) reader and writer, for key structures that `cryptography` does not support.

It supports definite, minimal lengths and one-byte tags, not general ASN.1 and schemas. `from_ber` converts BER to DER.
"""

from __future__ import annotations

from pytest_kmsmock._kms.crypto.base import InvalidMaterial

INTEGER, BIT_STRING, OCTET_STRING, OBJECT_IDENTIFIER, SEQUENCE = 0x02, 0x03, 0x04, 0x06, 0x30
#: BER (X.690, 8.1): the bit of constructed tags; the indefinite length, and the end of contents.
_CONSTRUCTED, _INDEFINITE, _END_OF_CONTENTS = 0x20, 0x80, b"\0\0"


class InvalidDer(ValueError):
    """Bytes are not the expected DER structure."""


def encode(tag: int, *contents: bytes) -> bytes:
    """Encode an element with a tag and the joined ``contents``."""
    content = b"".join(contents)
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    size = (length.bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + length.to_bytes(size, "big") + content


def encode_integer(value: int) -> bytes:
    """Encode a non-negative INTEGER."""
    return encode(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def encode_oid(dotted: str) -> bytes:
    """Encode an OBJECT IDENTIFIER such as ``1.2.840.10045.2.1``."""
    first, second, *arcs = map(int, dotted.split("."))
    content = bytearray()
    for arc in (first * 40 + second, *arcs):
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(arc & 0x7F | 0x80)
        content += bytes(reversed(septets))
    return encode(OBJECT_IDENTIFIER, bytes(content))


def read_element(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """Read the element with ``tag`` at the start of ``data``; return its contents and the rest."""
    if len(data) < 2 or data[0] != tag:
        raise InvalidDer(f"no element with tag {tag:#04x}")
    start, length = 2, data[1]
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start], "big")
    end = start + length
    # Encoding the element again detects indefinite lengths, and lengths that are not minimal.
    if end > len(data) or data[:end] != encode(tag, data[start:end]):
        raise InvalidDer("the length is wrong")
    return data[start:end], data[end:]


def from_ber(data: bytes) -> bytes:
    """Convert one BER element to DER: indefinite lengths, lengths that are not minimal, constructed OCTET STRINGs.

    Raises:
        InvalidMaterial: the bytes are not exactly one element.
    """
    try:
        element, rest = _read_ber_element(data)
    except (IndexError, InvalidDer, RecursionError):
        raise InvalidMaterial("the key material is not a PKCS#8 structure: it is neither DER nor BER") from None
    if rest:
        raise InvalidMaterial("the key material is not a PKCS#8 structure: it has trailing data")
    return element


def _read_ber_element(data: bytes) -> tuple[bytes, bytes]:
    """Read the BER element at the start of ``data``; return it in DER, and the rest."""
    tag, first = data[0], data[1]
    if first == _INDEFINITE:
        content, rest = _read_ber_elements(data[2:], _END_OF_CONTENTS)
    else:
        start = 2 + (first & 0x7F if first & 0x80 else 0)
        end = start + (int.from_bytes(data[2:start], "big") if first & 0x80 else first)
        if end > len(data):
            raise IndexError
        content, rest = data[start:end], data[end:]
        if tag & _CONSTRUCTED:
            content = _read_ber_elements(content)[0]
    if tag == OCTET_STRING | _CONSTRUCTED:
        parts = []
        while content:
            part, content = read_element(content, OCTET_STRING)
            parts.append(part)
        tag, content = OCTET_STRING, b"".join(parts)
    return encode(tag, content), rest


def _read_ber_elements(data: bytes, end: bytes = b"") -> tuple[bytes, bytes]:
    """Read BER elements up to ``end``; return them in DER, and the rest."""
    found = []
    while data if not end else not data.startswith(end):
        element, data = _read_ber_element(data)
        found.append(element)
    return b"".join(found), data[len(end) :]


def read_single(data: bytes, tag: int) -> bytes:
    """Read ``data`` as exactly one element with ``tag``; return its contents."""
    content, rest = read_element(data, tag)
    if rest:
        raise InvalidDer("the structure has trailing data")
    return content


def read_integer(data: bytes) -> tuple[int, bytes]:
    """Read the non-negative INTEGER at the start of ``data``; return it and the rest."""
    content, rest = read_element(data, INTEGER)
    value = int.from_bytes(content, "big")
    if encode_integer(value) != encode(INTEGER, content):
        raise InvalidDer("the integer is negative or not minimal")
    return value, rest


def encode_spki(algorithm: bytes, public_key: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo (RFC 5280) of an AlgorithmIdentifier in DER and a public key."""
    return encode(SEQUENCE, algorithm, encode(BIT_STRING, b"\0", public_key))


def spki_key(data: bytes, algorithm: bytes) -> bytes:
    """Return the public key's octets in a SubjectPublicKeyInfo with exactly this AlgorithmIdentifier."""
    content = read_single(data, SEQUENCE)
    if not content.startswith(algorithm):
        raise InvalidDer("the algorithm is not the expected one")
    bits = read_single(content[len(algorithm) :], BIT_STRING)
    if bits[:1] != b"\0":
        raise InvalidDer("the bit string has unused bits")
    return bits[1:]


def encode_pkcs8(algorithm: bytes, private_key: bytes) -> bytes:
    """Return a PKCS#8 PrivateKeyInfo (RFC 5208) of version 0."""
    return encode(SEQUENCE, encode_integer(0), algorithm, encode(OCTET_STRING, private_key))


def pkcs8_key(data: bytes, algorithm: bytes) -> bytes:
    """Return the private key's octets in a PKCS#8 structure with exactly this AlgorithmIdentifier.

    It ignores attributes, and the public key of version 1 (RFC 5958).

    Raises:
        InvalidMaterial: the bytes are not such a structure; PKCS#1 and SEC 1 keys are not either.
    """
    try:
        version, rest = read_integer(read_single(data, SEQUENCE))
        if version <= 1 and rest.startswith(algorithm):
            return read_element(rest[len(algorithm) :], OCTET_STRING)[0]
    except InvalidDer as error:
        raise InvalidMaterial(f"the key material is not a PKCS#8 structure: {error}") from error
    raise InvalidMaterial("the key material is not a PKCS#8 structure of the version and algorithm expected")


#: The seed format of private keys of RFC 9881 (ML-DSA) and RFC 9935 (ML-KEM): [0] OCTET STRING.
_SEED = 0x80


def encode_pkcs8_seed(algorithm: bytes, seed: bytes) -> bytes:
    """Return the PKCS#8 structure of an ML-DSA or ML-KEM private key in seed format."""
    return encode_pkcs8(algorithm, encode(_SEED, seed))


def pkcs8_seed(data: bytes, algorithm: bytes, length: int) -> bytes:
    """Return the seed of ``length`` bytes in a PKCS#8 structure in seed format, or raise `InvalidMaterial`."""
    try:
        seed = read_single(pkcs8_key(data, algorithm), _SEED)
    except InvalidDer as error:
        raise InvalidMaterial(f"the private key is not in seed form: {error}") from error
    if len(seed) != length:
        raise InvalidMaterial(f"the seed has {len(seed)} bytes instead of {length}")
    return seed
