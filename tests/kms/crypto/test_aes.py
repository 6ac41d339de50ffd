from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from pytest_kmsmock._kms.api.key_specs import KEY_SPECS
from pytest_kmsmock._kms.crypto import DecryptionFailed, InvalidMaterial, generate, load

AES = KEY_SPECS["SYMMETRIC_DEFAULT"]
WYCHEPROOF = json.loads((Path(__file__).parent / "vectors" / "aes_gcm.json").read_text())["aes_gcm"]


@pytest.mark.parametrize("case", WYCHEPROOF, ids=lambda case: f"wycheproof-{case['tcId']}")
def test_gcm_vectors(case: dict[str, str]) -> None:
    key, nonce, aad, plaintext = (bytes.fromhex(case[name]) for name in ("key", "iv", "aad", "msg"))
    ciphertext = bytes.fromhex(case["ct"] + case["tag"])
    material = load(AES, key)
    if case["result"] == "valid":
        assert material.seal(nonce, plaintext, aad) == ciphertext
        assert material.unseal(nonce, ciphertext, aad) == plaintext
    else:
        with pytest.raises(DecryptionFailed):
            material.unseal(nonce, ciphertext, aad)


@given(nonce=st.binary(min_size=12, max_size=12), plaintext=st.binary(), aad=st.binary())
def test_what_is_sealed_is_plain_aes_256_gcm(nonce: bytes, plaintext: bytes, aad: bytes) -> None:
    material = load(AES, bytes(range(32)))
    sealed = material.seal(nonce, plaintext, aad)
    cipher = Cipher(algorithms.AES256(bytes(range(32))), modes.GCM(nonce, sealed[-16:])).decryptor()
    cipher.authenticate_additional_data(aad)
    assert cipher.update(sealed[:-16]) + cipher.finalize() == plaintext
    assert material.unseal(nonce, sealed, aad) == plaintext


@pytest.mark.parametrize(
    ("nonce", "change", "aad"),
    [
        pytest.param(bytes(12), lambda sealed: sealed, b"other", id="associated data"),
        pytest.param(b"n" * 12, lambda sealed: sealed, b"aad", id="nonce"),
        pytest.param(bytes(12), lambda sealed: sealed[:-1], b"aad", id="short"),
        pytest.param(bytes(12), lambda sealed: sealed + b"\0", b"aad", id="long"),
        pytest.param(bytes(12), lambda sealed: sealed[:0], b"aad", id="empty"),
        pytest.param(bytes(4), lambda sealed: sealed, b"aad", id="impossible nonce"),
    ],
)
def test_modified_ciphertexts_fail_to_decrypt(nonce: bytes, change: object, aad: bytes) -> None:
    material = generate(AES)
    sealed = material.seal(bytes(12), b"plaintext", b"aad")
    with pytest.raises(DecryptionFailed):
        material.unseal(nonce, change(sealed), aad)


def test_generated_keys_have_256_bits() -> None:
    assert len(generate(AES).private_bytes()) == 32


@pytest.mark.parametrize("length", [16, 32])
def test_import_takes_the_lengths_of_all_partitions(length: int) -> None:
    # https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-conceptual.html: 32 bytes, in China 16
    material = load(AES, bytearray(length))
    assert material.private_bytes() == bytes(length)
    assert material.unseal(bytes(12), material.seal(bytes(12), b"m", b""), b"") == b"m"


@pytest.mark.parametrize("length", [0, 15, 24, 31, 33, 64])
def test_import_refuses_other_lengths(length: int) -> None:
    with pytest.raises(InvalidMaterial, match=f"{length} bytes are not SYMMETRIC_DEFAULT key material"):
        load(AES, bytes(length))
