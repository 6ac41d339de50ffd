from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import mlkem
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from pytest_kmsmock._kms.api.key_specs import KEY_SPECS
from pytest_kmsmock._kms.crypto import DecryptionFailed, InvalidMaterial, generate, load
from pytest_kmsmock._kms.crypto.ml_kem import CIPHERTEXT_LENGTHS
from pytest_kmsmock._kms.crypto.primitives import der

SPECS = ["ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"]
CLASSES = {"ML_KEM_768": mlkem.MLKEM768PrivateKey, "ML_KEM_1024": mlkem.MLKEM1024PrivateKey}
#: FIPS 203, table 3: bytes of encapsulation key and ciphertext.
SIZES = {"ML_KEM_512": (800, 768), "ML_KEM_768": (1184, 1088), "ML_KEM_1024": (1568, 1568)}


@pytest.mark.parametrize("spec", CLASSES)
def test_structures_and_secrets_are_those_of_independent_code(spec: str) -> None:
    seed = bytes(range(64))
    key = CLASSES[spec].from_seed_bytes(seed)  # type: ignore[attr-defined]  # of a table
    material = generate(KEY_SPECS[spec], lambda length: seed[:length])
    assert material.private_bytes() == key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    assert material.public_key_der() == key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    secret, ciphertext = material.encapsulate()
    assert key.decapsulate(ciphertext) == secret
    secret, ciphertext = key.public_key().encapsulate()
    assert material.decapsulate(ciphertext) == secret


def test_the_structures_of_512_are_those_of_768_with_another_identifier() -> None:
    small, large = (generate(KEY_SPECS[spec], lambda length: bytes(length)) for spec in SPECS[:2])
    # 2.16.840.1.101.3.4.4.1 and .2 (RFC 9935)
    identifiers = [bytes.fromhex(f"060960864801650304040{arc}") for arc in (1, 2)]
    assert small.private_bytes() == large.private_bytes().replace(identifiers[1], identifiers[0])
    header = large.public_key_der()[: -SIZES["ML_KEM_768"][0]]
    # Lengths of the sequence and of the bit string follow the key's.
    expected = (
        header.replace(identifiers[1], identifiers[0])
        .replace((0x4B2).to_bytes(2, "big"), (0x4B2 - 384).to_bytes(2, "big"))
        .replace((0x4A1).to_bytes(2, "big"), (0x4A1 - 384).to_bytes(2, "big"))
    )
    assert small.public_key_der()[: -SIZES["ML_KEM_512"][0]] == expected


@pytest.mark.parametrize("spec", SPECS)
def test_private_keys_of_all_parameter_sets_are_equally_long(spec: str) -> None:
    # https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKeyPair.html: the seed of 64 bytes
    assert len(generate(KEY_SPECS[spec]).private_bytes()) == 86


@pytest.mark.parametrize("spec", SPECS)
def test_sizes_are_those_of_fips_203(spec: str) -> None:
    material = generate(KEY_SPECS[spec])
    secret, ciphertext = material.encapsulate()
    assert len(secret) == 32
    assert len(ciphertext) == SIZES[spec][1] == CIPHERTEXT_LENGTHS[KEY_SPECS[spec].parameters]


@pytest.mark.parametrize("spec", SPECS)
def test_a_damaged_or_foreign_ciphertext_gives_another_secret(spec: str) -> None:
    # https://docs.aws.amazon.com/kms/latest/APIReference/API_Decapsulate.html: implicit rejection
    material, other = generate(KEY_SPECS[spec]), generate(KEY_SPECS[spec])
    secret, ciphertext = material.encapsulate()
    damaged = bytes([ciphertext[0] ^ 1]) + ciphertext[1:]
    rejected = material.decapsulate(damaged)
    assert rejected != secret
    assert len(rejected) == 32
    assert material.decapsulate(damaged) == rejected
    assert other.decapsulate(ciphertext) != secret


@pytest.mark.parametrize("spec", SPECS)
def test_a_ciphertext_of_another_length_fails(spec: str) -> None:
    material = generate(KEY_SPECS[spec])
    for length in {0, 767, 768, 769, 1088, 1568} - {SIZES[spec][1]}:
        with pytest.raises(DecryptionFailed, match=f"{length} bytes are not {spec} ciphertext"):
            material.decapsulate(bytes(length))


@pytest.mark.parametrize("spec", CLASSES)
def test_independent_code_reads_the_private_key(spec: str) -> None:
    material = generate(KEY_SPECS[spec])
    secret, ciphertext = material.encapsulate()
    key = load_der_private_key(material.private_bytes(), None)
    assert isinstance(key, CLASSES[spec])
    assert key.decapsulate(ciphertext) == secret


@pytest.mark.parametrize(
    "inner",
    [
        pytest.param(der.encode(0x80, bytes(63)), id="short seed"),
        pytest.param(bytes(64), id="bare seed"),
        pytest.param(der.encode(der.OCTET_STRING, bytes(1632)), id="expanded key"),
    ],
)
def test_private_keys_in_other_forms_are_refused(inner: bytes) -> None:
    algorithm = der.encode(der.SEQUENCE, der.encode_oid("2.16.840.1.101.3.4.4.1"))
    with pytest.raises(InvalidMaterial):
        load(KEY_SPECS["ML_KEM_512"], der.encode_pkcs8(algorithm, inner))
