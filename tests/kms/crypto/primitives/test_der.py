from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_kmsmock._kms.crypto import InvalidMaterial
from pytest_kmsmock._kms.crypto.primitives import der


@given(tag=st.integers(0, 255), content=st.binary(max_size=300))
def test_what_is_encoded_is_read_back(tag: int, content: bytes) -> None:
    assert der.read_single(der.encode(tag, content), tag) == content
    assert der.read_element(der.encode(tag, content) + b"rest", tag) == (content, b"rest")


@pytest.mark.parametrize(
    ("length", "header"),
    [(0, "0400"), (127, "047f"), (128, "048180"), (255, "0481ff"), (256, "04820100"), (65536, "0483010000")],
)
def test_lengths_are_those_of_x690(length: int, header: str) -> None:
    assert der.encode(der.OCTET_STRING, bytes(length)).hex().removesuffix("00" * length) == header


@given(value=st.integers(min_value=0, max_value=2**600))
def test_integers_are_read_back(value: int) -> None:
    assert der.read_integer(der.encode_integer(value) + b"rest") == (value, b"rest")


@pytest.mark.parametrize(("value", "encoded"), [(0, "020100"), (127, "02017f"), (128, "02020080"), (256, "02020100")])
def test_integers_are_those_of_x690(value: int, encoded: str) -> None:
    assert der.encode_integer(value).hex() == encoded


@pytest.mark.parametrize(
    ("dotted", "encoded"),
    [
        ("1.2.840.113549", "06062a864886f70d"),
        ("1.3.101.112", "06032b6570"),
        ("2.999.3", "0603883703"),
    ],
)
def test_object_identifiers_are_those_of_x690(dotted: str, encoded: str) -> None:
    assert der.encode_oid(dotted).hex() == encoded


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x04", id="no length"),
        pytest.param(b"\x05\x00", id="another tag"),
        pytest.param(b"\x04\x02a", id="too short"),
        pytest.param(b"\x04\x80a\0\0", id="indefinite length"),
        pytest.param(b"\x04\x81\x01a", id="length not minimal"),
        pytest.param(b"\x04\x82\x00\x80" + bytes(128), id="length with a zero"),
        pytest.param(b"\x04\x84\xff\xff\xff\xff", id="huge length"),
        pytest.param(b"\x04\x82\x01", id="length cut off"),
        pytest.param(b"\x04\x01ab", id="something after it"),
    ],
)
def test_invalid_der_is_rejected(data: bytes) -> None:
    with pytest.raises(der.InvalidDer):
        der.read_single(data, der.OCTET_STRING)


@pytest.mark.parametrize("data", ["020180", "02020001", "0200"], ids=["negative", "not minimal", "empty"])
def test_odd_integers_are_refused(data: str) -> None:
    with pytest.raises(der.InvalidDer):
        der.read_integer(bytes.fromhex(data))


ALGORITHM = der.encode(der.SEQUENCE, der.encode_oid("1.3.101.112"))
OTHER = der.encode(der.SEQUENCE, der.encode_oid("1.3.101.110"))


def test_public_key_structures_are_read_back() -> None:
    assert der.spki_key(der.encode_spki(ALGORITHM, b"key"), ALGORITHM) == b"key"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(der.encode_spki(OTHER, b"key"), id="another algorithm"),
        pytest.param(der.encode(der.SEQUENCE, ALGORITHM, der.encode(der.BIT_STRING, b"\1key")), id="unused bits"),
        pytest.param(der.encode(der.SEQUENCE, ALGORITHM, der.encode(der.BIT_STRING)), id="no bits"),
        pytest.param(der.encode(der.SEQUENCE, ALGORITHM), id="no key"),
        pytest.param(der.encode_spki(ALGORITHM, b"key") + b"\0", id="something after it"),
    ],
)
def test_other_public_key_structures_are_refused(data: bytes) -> None:
    with pytest.raises(der.InvalidDer):
        der.spki_key(data, ALGORITHM)


@pytest.mark.parametrize("version", [0, 1])
def test_private_key_structures_may_have_attributes(version: int) -> None:
    # RFC 5958, section 2: version 1 has the public key as well
    data = der.encode(
        der.SEQUENCE,
        der.encode_integer(version),
        ALGORITHM,
        der.encode(der.OCTET_STRING, b"key"),
        der.encode(0x81, b"\0public"),
    )
    assert der.pkcs8_key(data, ALGORITHM) == b"key"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(der.encode_pkcs8(OTHER, b"key"), id="another algorithm"),
        pytest.param(der.encode_pkcs8(ALGORITHM, b"key").replace(b"\2\1\0", b"\2\1\2"), id="version"),
        pytest.param(der.encode(der.SEQUENCE, der.encode_integer(0), ALGORITHM), id="no key"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_other_private_key_structures_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidMaterial):
        der.pkcs8_key(data, ALGORITHM)


def test_seeds_are_read_back() -> None:
    assert der.pkcs8_seed(der.encode_pkcs8_seed(ALGORITHM, b"seed"), ALGORITHM, 4) == b"seed"
    with pytest.raises(InvalidMaterial, match="the seed has 4 bytes instead of 5"):
        der.pkcs8_seed(der.encode_pkcs8_seed(ALGORITHM, b"seed"), ALGORITHM, 5)


# --- BER ------------------------------------------------------------------------------------------------------------

#: An element: a primitive one, or a constructed one with its elements.
ELEMENTS = st.recursive(
    st.tuples(st.sampled_from([der.INTEGER, der.OCTET_STRING, 0x80]), st.binary(max_size=200)),
    lambda inner: st.tuples(st.sampled_from([der.SEQUENCE, 0xA0]), st.lists(inner, max_size=3)),
    max_leaves=8,
)


def write(element: tuple[int, bytes | list], style: Callable[[int], int]) -> bytes:
    """Write an element: in DER, with a longer length, or with an indefinite one, as ``style`` has it."""
    tag, content = element
    constructed = isinstance(content, list)
    data = b"".join(write(inner, style) for inner in content) if constructed else content
    match style(2 if constructed else 1):
        case 1:
            return bytes([tag, 0x84]) + len(data).to_bytes(4, "big") + data
        case 2:
            return bytes([tag, 0x80]) + data + b"\0\0"
    return der.encode(tag, data)


@given(element=ELEMENTS, random=st.randoms(use_true_random=False))
def test_ber_becomes_der(element: tuple[int, bytes | list], random: Random) -> None:
    assert der.from_ber(write(element, lambda most: random.randint(0, most))) == write(element, lambda _: 0)


def test_the_parts_of_an_octet_string_are_joined() -> None:
    """X.690, 8.7.3.2: an OCTET STRING may be constructed of others."""
    parts = der.encode(der.OCTET_STRING, b"ab") + der.encode(der.OCTET_STRING, b"c")
    assert der.from_ber(b"\x24\x80" + parts + b"\0\0") == der.encode(der.OCTET_STRING, b"abc")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x30", id="no length"),
        pytest.param(b"\x30\x05\x02\x01\x00", id="too short"),
        pytest.param(b"\x30\x80\x02\x01\x00", id="no end"),
        pytest.param(b"\x30\x03\x02\x01\x00?", id="something behind"),
        pytest.param(b"\x24\x80\x02\x01\x00\0\0", id="an OCTET STRING of other parts"),
        pytest.param(b"\x30\x80" * 5000, id="deeply nested"),
    ],
)
def test_invalid_ber_is_rejected(data: bytes) -> None:
    with pytest.raises(InvalidMaterial):
        der.from_ber(data)


@given(data=st.binary(max_size=60))
def test_any_bytes_are_ber_or_refused(data: bytes) -> None:
    try:
        found = der.from_ber(data)
    except InvalidMaterial:
        return
    assert der.from_ber(found) == found
