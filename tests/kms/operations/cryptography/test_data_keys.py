"""Data keys and data key pairs."""

from __future__ import annotations

import base64
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
)
from kyber_py.ml_kem import ML_KEM_512

Refusal = Callable[..., AbstractContextManager[None]]
SIZES = "Please specify either number of bytes or key spec."
#: API reference of GenerateDataKeyPair, KeyPairSpec; without SM2, which is for China only.
PAIRS = (
    "RSA_2048",
    "ECC_NIST_P256",
    "ECC_NIST_P384",
    "ECC_NIST_P521",
    "ECC_SECG_P256K1",
    "ECC_NIST_EDWARDS25519",
    "ML_KEM_512",
    "ML_KEM_768",
    "ML_KEM_1024",
)


@pytest.mark.parametrize(
    ("size", "length"),
    [
        ({"KeySpec": "AES_128"}, 16),
        ({"KeySpec": "AES_256"}, 32),
        ({"NumberOfBytes": 1}, 1),
        ({"NumberOfBytes": 1024}, 1024),
    ],
    ids=str,
)
def test_data_keys_come_plain_and_encrypted(kms_client, new_key, size, length):
    arn = new_key()
    material = kms_client.describe_key(KeyId=arn)["KeyMetadata"]["CurrentKeyMaterialId"]
    context = {"purpose": "test"}
    made = kms_client.generate_data_key(KeyId=arn, EncryptionContext=context, **size)
    blob, plaintext = made.pop("CiphertextBlob"), made.pop("Plaintext")
    del made["ResponseMetadata"]
    assert made == {"KeyId": arn, "KeyMaterialId": material}
    assert len(plaintext) == length
    assert base64.b64encode(blob).startswith(b"AQIDAH")
    assert kms_client.decrypt(CiphertextBlob=blob, EncryptionContext=context)["Plaintext"] == plaintext

    made = kms_client.generate_data_key_without_plaintext(KeyId=arn, **size)
    blob = made.pop("CiphertextBlob")
    del made["ResponseMetadata"]
    assert made == {"KeyId": arn, "KeyMaterialId": material}
    assert len(kms_client.decrypt(CiphertextBlob=blob)["Plaintext"]) == length


@pytest.mark.parametrize("size", [{}, {"KeySpec": "AES_256", "NumberOfBytes": 32}], ids=str)
def test_one_size_is_given(kms_client, new_key, refusal, size):
    arn = new_key()
    with refusal("ValidationException", SIZES):
        kms_client.generate_data_key(KeyId=arn, **size)
    with refusal("ValidationException", SIZES):
        kms_client.generate_data_key_without_plaintext(KeyId=arn, **size)


@pytest.mark.parametrize("size", [{}, {"KeySpec": "AES_256", "NumberOfBytes": 32}], ids=str)
@pytest.mark.parametrize("operation", ["generate_data_key", "generate_data_key_without_plaintext"])
def test_the_size_comes_before_usage_and_state(kms_client, new_key, refusal, operation, size):
    """Measured on AWS, us-east-1, 2026-09: floci-io/floci#3968."""
    disabled = new_key()
    kms_client.disable_key(KeyId=disabled)
    for arn in (disabled, new_key("HMAC_256", "GENERATE_VERIFY_MAC"), new_key("RSA_2048", "SIGN_VERIFY")):
        with refusal("ValidationException", SIZES):
            getattr(kms_client, operation)(KeyId=arn, **size)


@pytest.mark.parametrize("spec", PAIRS)
def test_key_pairs_fit_together(kms_client, new_key, spec):
    arn = new_key()
    made = kms_client.generate_data_key_pair(KeyId=arn, KeyPairSpec=spec, EncryptionContext={"a": "b"})
    private, public, blob = (
        made.pop(member) for member in ("PrivateKeyPlaintext", "PublicKey", "PrivateKeyCiphertextBlob")
    )
    del made["ResponseMetadata"]
    material = kms_client.describe_key(KeyId=arn)["KeyMetadata"]["CurrentKeyMaterialId"]
    assert made == {"KeyId": arn, "KeyPairSpec": spec, "KeyMaterialId": material}
    assert kms_client.decrypt(CiphertextBlob=blob, EncryptionContext={"a": "b"})["Plaintext"] == private
    if spec == "ML_KEM_512":  # which `cryptography` does not have
        assert public.endswith(ML_KEM_512.key_derive(private[-64:])[0])
    else:
        expected = load_der_private_key(private, None).public_key()
        assert public == expected.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_ml_kem_private_keys_are_seeds_of_one_length(kms_client, new_key):
    # API reference: "the length of the private key is the same for all ML-KEM key pair specs".
    arn = new_key()
    lengths = {
        len(kms_client.generate_data_key_pair(KeyId=arn, KeyPairSpec=spec)["PrivateKeyPlaintext"])
        for spec in ("ML_KEM_512", "ML_KEM_768", "ML_KEM_1024")
    }
    assert lengths == {86}  # RFC 9935: PKCS#8 around [0] and 64 bytes


@pytest.mark.parametrize(
    ("spec", "length"),
    [("ECC_NIST_P256", 150), ("ECC_NIST_P384", 194), ("ECC_NIST_P521", 250), ("ECC_SECG_P256K1", 144),
     ("ECC_NIST_EDWARDS25519", 48)],
)  # fmt: skip
def test_private_keys_name_their_curve_twice(kms_client, new_key, openssl, spec, length):
    """Captured from AWS KMS, 2026-09: PKCS#8 whose ECPrivateKey has its `parameters` (RFC 5915)."""
    private = kms_client.generate_data_key_pair(KeyId=new_key(), KeyPairSpec=spec)["PrivateKeyPlaintext"]
    assert len(private) == length
    if spec.startswith(("ECC_NIST_P", "ECC_SECG")):
        # OpenSSL writes SEC 1 keys with their parameters, as they are before they are put into PKCS#8.
        assert private.endswith(openssl("ec", "-inform", "DER", "-in", "{key}", "-outform", "DER", key=private))


def test_key_pairs_without_plaintext(kms_client, new_key):
    arn = new_key()
    made = kms_client.generate_data_key_pair_without_plaintext(KeyId=arn, KeyPairSpec="ECC_NIST_P256")
    assert set(made) - {"ResponseMetadata"} == {
        "KeyId",
        "KeyPairSpec",
        "KeyMaterialId",
        "PrivateKeyCiphertextBlob",
        "PublicKey",
    }
    private = load_der_private_key(
        kms_client.decrypt(CiphertextBlob=made["PrivateKeyCiphertextBlob"])["Plaintext"], None
    ).public_key()
    assert made["PublicKey"] == private.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_key_pairs_are_never_the_same(kms_client, new_key):
    arn = new_key()
    made = {kms_client.generate_data_key_pair(KeyId=arn, KeyPairSpec="RSA_2048")["PublicKey"] for _ in range(3)}
    assert len(made) == 3


def test_china_has_sm2_pairs_and_no_ml_kem_pairs(kms_client, china, new_key, openssl, refusal):
    arn = new_key(client=china)
    made = china.generate_data_key_pair(KeyId=arn, KeyPairSpec="SM2")
    public = openssl(
        "pkey", "-inform", "DER", "-in", "{der}", "-pubout", "-outform", "DER", der=made["PrivateKeyPlaintext"]
    )  # fmt: skip
    assert public == made["PublicKey"]
    with refusal("UnsupportedOperationException", "KeySpec ML_KEM_768 is not supported in this Region"):
        china.generate_data_key_pair(KeyId=arn, KeyPairSpec="ML_KEM_768")
    # Recorded in us-east-1: floci-io/floci#3026
    with refusal("UnsupportedOperationException", "KeySpec SM2 is not supported in this Region"):
        kms_client.generate_data_key_pair(KeyId=new_key(), KeyPairSpec="SM2")


def test_ml_dsa_pairs_do_not_exist(kms_client, new_key, refusal):
    with refusal("ValidationException"):
        kms_client.generate_data_key_pair(KeyId=new_key(), KeyPairSpec="ML_DSA_44")


def test_key_pairs_of_keys_in_custom_key_stores(kms_mock, kms_client, new_key, refusal):
    # API reference: "You cannot use an asymmetric KMS key or a KMS key in a custom key store".
    arn = new_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=kms_mock.key_stores.add_store())
    text = f"{arn} origin is AWS_CLOUDHSM which is not valid for this operation."
    with refusal("UnsupportedOperationException", text):
        kms_client.generate_data_key_pair(KeyId=arn, KeyPairSpec="ECC_NIST_P256")
    assert len(kms_client.generate_data_key(KeyId=arn, KeySpec="AES_256")["Plaintext"]) == 32
