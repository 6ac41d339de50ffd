"""GetPublicKey: its response for each kind of key, and keys without a public key."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key

from pytest_kmsmock._kms.api.key_specs import ALGORITHMS_FIELD, KEY_SPECS

Refusal = Callable[..., AbstractContextManager[None]]
#: Bytes in a SubjectPublicKeyInfo. ML_DSA_44: measured, https://github.com/floci-io/floci/issues/3025; Ed25519:
#: measured, https://github.com/floci-io/floci/issues/2924; the others follow from the standards of their structures.
LENGTHS = {
    "RSA_2048": 294,
    "ECC_NIST_P256": 91,
    "ECC_NIST_P384": 120,
    "ECC_NIST_P521": 158,
    "ECC_SECG_P256K1": 88,
    "ECC_NIST_EDWARDS25519": 44,
    "ML_DSA_44": 1334,
    "ML_DSA_65": 1974,
    "ML_DSA_87": 2614,
    "ML_KEM_512": 822,
    "ML_KEM_768": 1206,
    "ML_KEM_1024": 1590,
    "SM2": 91,
}


@pytest.mark.parametrize(("spec", "usage"), [(spec, usage) for spec in LENGTHS for usage in KEY_SPECS[spec].usages])
def test_one_list_of_algorithms_is_shown_by_usage(kms_mock, kms_client, new_key, spec, usage):
    client = kms_mock.client(region="cn-north-1") if spec == "SM2" else kms_client
    arn = new_key(spec, usage, client=client)
    answer = client.get_public_key(KeyId=arn)
    del answer["ResponseMetadata"]
    assert len(answer.pop("PublicKey")) == LENGTHS[spec]
    assert answer == {
        "KeyId": arn,
        "CustomerMasterKeySpec": spec,
        "KeySpec": spec,
        "KeyUsage": usage,
        ALGORITHMS_FIELD[usage]: list(KEY_SPECS[spec].usages[usage]),
    }


@pytest.mark.parametrize("spec", sorted(set(LENGTHS) - {"SM2", "ML_KEM_512"}))
def test_the_public_key_is_that_of_the_private_key(kms_client, new_key, private_bytes, spec):
    arn = new_key(spec, next(iter(KEY_SPECS[spec].usages)))
    public = load_der_private_key(private_bytes(arn), None).public_key()
    expected = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert kms_client.get_public_key(KeyId=arn)["PublicKey"] == expected
    assert kms_client.get_public_key(KeyId=arn)["PublicKey"] == expected


@pytest.mark.parametrize(
    ("spec", "usage"), [("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"), ("HMAC_256", "GENERATE_VERIFY_MAC")]
)
def test_symmetric_keys_have_no_public_key(kms_client, new_key, refusal, spec, usage):
    with refusal("UnsupportedOperationException", ""):
        kms_client.get_public_key(KeyId=new_key(spec, usage))


@pytest.mark.parametrize("spec", ["RSA_2048", "ECC_NIST_P256", "ECC_NIST_EDWARDS25519", "ML_DSA_44"])
def test_the_metadata_of_a_disabled_key(kms_client, new_key, refusal, spec):
    """Captured from AWS KMS, 2026-09, against the guide's "Key states of AWS KMS keys"."""
    arn = new_key(spec, "SIGN_VERIFY")
    before = kms_client.get_public_key(KeyId=arn)["PublicKey"]
    kms_client.disable_key(KeyId=arn)
    assert kms_client.get_public_key(KeyId=arn)["PublicKey"] == before
    kms_client.schedule_key_deletion(KeyId=arn)
    with refusal("KMSInvalidStateException", f"{arn} is pending deletion."):
        kms_client.get_public_key(KeyId=arn)


def test_the_key_may_be_named_in_all_four_ways(kms_client, new_key):
    arn = new_key("ECC_NIST_P256", "SIGN_VERIFY")
    kms_client.create_alias(AliasName="alias/public", TargetKeyId=arn)
    for identifier in (arn, arn.partition("/")[2], "alias/public", arn.partition("key/")[0] + "alias/public"):
        assert kms_client.get_public_key(KeyId=identifier)["KeyId"] == arn
