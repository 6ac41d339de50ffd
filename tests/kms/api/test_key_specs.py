"""The tables of key specs and algorithms, against botocore's model and AWS's documentation."""

from __future__ import annotations

import hashlib
from typing import get_args

import botocore.loaders
import pytest

from pytest_kmsmock._kms.api import key_specs
from pytest_kmsmock._kms.api.key_specs import (
    ALGORITHMS_FIELD,
    ENCRYPTION_ALGORITHMS,
    KEY_SPECS,
    MAC_ALGORITHMS,
    SIGNING_ALGORITHMS,
)
from pytest_kmsmock._kms.crypto import FAMILIES

SHAPES = botocore.loaders.Loader().load_service_model("kms", "service-2")["shapes"]

RSA_SIGNING = [
    "RSASSA_PKCS1_V1_5_SHA_256",
    "RSASSA_PKCS1_V1_5_SHA_384",
    "RSASSA_PKCS1_V1_5_SHA_512",
    "RSASSA_PSS_SHA_256",
    "RSASSA_PSS_SHA_384",
    "RSASSA_PSS_SHA_512",
]


def algorithms_of(usage: str) -> set[str]:
    return {name for spec in KEY_SPECS.values() for name in spec.usages.get(usage, ())}


@pytest.mark.parametrize(
    ("table", "enum"),
    [
        pytest.param(KEY_SPECS, "KeySpec", id="key specs"),
        pytest.param(SIGNING_ALGORITHMS, "SigningAlgorithmSpec", id="signing"),
        pytest.param(ENCRYPTION_ALGORITHMS, "EncryptionAlgorithmSpec", id="encryption"),
        pytest.param(MAC_ALGORITHMS, "MacAlgorithmSpec", id="mac"),
        pytest.param(ALGORITHMS_FIELD, "KeyUsageType", id="usages"),
        pytest.param(algorithms_of("SIGN_VERIFY"), "SigningAlgorithmSpec", id="signing of some spec"),
        pytest.param(algorithms_of("ENCRYPT_DECRYPT"), "EncryptionAlgorithmSpec", id="encryption of some spec"),
        pytest.param(algorithms_of("GENERATE_VERIFY_MAC"), "MacAlgorithmSpec", id="mac of some spec"),
        pytest.param(
            {usage for spec in KEY_SPECS.values() for usage in spec.usages}, "KeyUsageType", id="usages of specs"
        ),
        pytest.param(
            {kind for row in SIGNING_ALGORITHMS.values() for kind in row.message_types},
            "MessageType",
            id="message types",
        ),
    ],
)
def test_table_has_just_the_values_of_the_model(table: object, enum: str) -> None:
    assert set(table) == set(SHAPES[enum]["enum"])


def test_algorithm_members_are_lists_of_key_metadata_and_of_get_public_key() -> None:
    assert set(ALGORITHMS_FIELD.values()) <= set(SHAPES["KeyMetadata"]["members"])
    # MACs have no public key: https://docs.aws.amazon.com/kms/latest/APIReference/API_GetPublicKey.html
    public = set(ALGORITHMS_FIELD.values()) - {"MacAlgorithms"}
    assert public <= set(SHAPES["GetPublicKeyResponse"]["members"])


# https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html, KeySpec and KeyUsage;
# the order of algorithms as in the examples of DescribeKey.
@pytest.mark.parametrize(
    ("spec", "usages"),
    [
        ("SYMMETRIC_DEFAULT", {"ENCRYPT_DECRYPT": ["SYMMETRIC_DEFAULT"]}),
        *(
            (
                f"RSA_{bits}",
                {
                    "ENCRYPT_DECRYPT": ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"],
                    "SIGN_VERIFY": RSA_SIGNING,
                },
            )
            for bits in (2048, 3072, 4096)
        ),
        ("ECC_NIST_P256", {"SIGN_VERIFY": ["ECDSA_SHA_256"], "KEY_AGREEMENT": ["ECDH"]}),
        ("ECC_NIST_P384", {"SIGN_VERIFY": ["ECDSA_SHA_384"], "KEY_AGREEMENT": ["ECDH"]}),
        ("ECC_NIST_P521", {"SIGN_VERIFY": ["ECDSA_SHA_512"], "KEY_AGREEMENT": ["ECDH"]}),
        ("ECC_SECG_P256K1", {"SIGN_VERIFY": ["ECDSA_SHA_256"]}),
        ("ECC_NIST_EDWARDS25519", {"SIGN_VERIFY": ["ED25519_PH_SHA_512", "ED25519_SHA_512"]}),
        *((f"ML_DSA_{size}", {"SIGN_VERIFY": ["ML_DSA_SHAKE_256"]}) for size in (44, 65, 87)),
        *((f"ML_KEM_{size}", {"ENCAPSULATE_DECAPSULATE": ["ML_KEM"]}) for size in (512, 768, 1024)),
        *((f"HMAC_{bits}", {"GENERATE_VERIFY_MAC": [f"HMAC_SHA_{bits}"]}) for bits in (224, 256, 384, 512)),
        ("SM2", {"ENCRYPT_DECRYPT": ["SM2PKE"], "SIGN_VERIFY": ["SM2DSA"], "KEY_AGREEMENT": ["ECDH"]}),
    ],
)
def test_spec_allows_the_usages_and_algorithms_that_create_key_documents(
    spec: str, usages: dict[str, list[str]]
) -> None:
    assert {usage: list(names) for usage, names in KEY_SPECS[spec].usages.items()} == usages


@pytest.mark.parametrize(
    ("key_type", "names"),
    [
        ("symmetric", {"SYMMETRIC_DEFAULT"}),
        ("hmac", {"HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512"}),
    ],
)
def test_all_other_key_types_are_asymmetric(key_type: str, names: set[str]) -> None:
    assert {spec.name for spec in KEY_SPECS.values() if spec.key_type == key_type} == names


@pytest.mark.parametrize(
    ("partition", "lacking"),
    [
        # https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html, KeySpec: SM2 in China Regions only
        pytest.param("aws", {"SM2"}, id="aws"),
        pytest.param("aws-us-gov", {"SM2"}, id="aws-us-gov"),
        pytest.param("aws-cn", {"ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"}, id="aws-cn"),
    ],
)
def test_partitions_have_all_specs_but_some(partition: str, lacking: set[str]) -> None:
    assert {spec.name for spec in KEY_SPECS.values() if not spec.is_in(partition)} == lacking


def test_each_family_has_a_class() -> None:
    assert set(FAMILIES) == set(get_args(key_specs.Family)) == {spec.family for spec in KEY_SPECS.values()}


@pytest.mark.parametrize("row", SIGNING_ALGORITHMS.values(), ids=lambda row: row.name)
def test_a_digest_is_as_long_as_its_hash(row: key_specs.SigningAlgorithm) -> None:
    lengths = {"sha256": 32, "sha384": 48, "sha512": 64, "sm3": 32, "": None}
    assert row.message_types.get("DIGEST") in (lengths[row.hash], None)
    assert row.message_types.get("RAW") is None


@pytest.mark.parametrize(
    ("algorithm", "message_types"),
    [
        # https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html, MessageType
        ("ED25519_SHA_512", {"RAW"}),
        ("ED25519_PH_SHA_512", {"DIGEST"}),
        ("ML_DSA_SHAKE_256", {"RAW", "EXTERNAL_MU"}),
        ("ECDSA_SHA_256", {"RAW", "DIGEST"}),
        ("SM2DSA", {"RAW", "DIGEST"}),
    ],
)
def test_message_types_of_an_algorithm(algorithm: str, message_types: set[str]) -> None:
    assert set(SIGNING_ALGORITHMS[algorithm].message_types) == message_types


@pytest.mark.parametrize("algorithm", ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"])
def test_oaep_limits_are_those_of_rfc_8017(algorithm: str) -> None:
    row = ENCRYPTION_ALGORITHMS[algorithm]
    for name, limit in row.plaintext_limits.items():
        # RFC 8017, 7.1.1: at most k - 2 hLen - 2 bytes.
        modulus = KEY_SPECS[name].bits // 8
        assert limit == modulus - 2 * hashlib.new(row.hash).digest_size - 2


def test_plaintext_limits_name_the_specs_that_have_the_algorithm() -> None:
    for row in ENCRYPTION_ALGORITHMS.values():
        assert set(row.plaintext_limits) == {
            spec.name for spec in KEY_SPECS.values() if row.name in spec.usages.get("ENCRYPT_DECRYPT", ())
        }


@pytest.mark.parametrize("row", MAC_ALGORITHMS.values(), ids=lambda row: row.name)
def test_macs_have_the_length_of_their_hash(row: key_specs.MacAlgorithm) -> None:
    assert row.length == hashlib.new(row.hash).digest_size


def test_a_spec_is_shown_by_its_name() -> None:
    assert repr(KEY_SPECS["RSA_2048"]) == "<KeySpec RSA_2048>"
