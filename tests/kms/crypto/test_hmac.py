from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC
from hypothesis import given
from hypothesis import strategies as st

from pytest_kmsmock._kms.api.key_specs import KEY_SPECS
from pytest_kmsmock._kms.crypto import InvalidMaterial, generate, load

HASHES = {224: hashes.SHA224(), 256: hashes.SHA256(), 384: hashes.SHA384(), 512: hashes.SHA512()}


@pytest.mark.parametrize("bits", HASHES)
@given(message=st.binary())
def test_mac_is_hmac_in_full_length(bits: int, message: bytes) -> None:
    material = generate(KEY_SPECS[f"HMAC_{bits}"])
    independent = HMAC(material.private_bytes(), HASHES[bits])
    independent.update(message)
    mac = material.mac(f"HMAC_SHA_{bits}", message)
    assert mac == independent.finalize()
    assert len(mac) == bits // 8


def test_a_key_padded_with_zeros_gives_the_published_mac() -> None:
    # RFC 4231, test case 1, whose key of 20 bytes HMAC itself pads with zeros to the block of the hash.
    material = load(KEY_SPECS["HMAC_256"], b"\x0b" * 20 + bytes(12))
    expected = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    assert material.mac("HMAC_SHA_256", b"Hi There").hex() == expected


@pytest.mark.parametrize("bits", HASHES)
def test_keys_are_as_long_as_the_hash(bits: int) -> None:
    # https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-conceptual.html: 28, 32, 48 or 64 bytes
    spec = KEY_SPECS[f"HMAC_{bits}"]
    assert len(generate(spec).private_bytes()) == bits // 8
    assert load(spec, bytearray(bits // 8)).private_bytes() == bytes(bits // 8)
    for length in (0, bits // 8 - 1, bits // 8 + 1):
        with pytest.raises(InvalidMaterial, match=f"{length} bytes are not HMAC_{bits} key material"):
            load(spec, bytes(length))
