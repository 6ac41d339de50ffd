"""References and generated values, and key material of the importing side."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from cryptography.hazmat.primitives import serialization

from pytest_kmsmock._conformance import key_material, templates

NOW = datetime(2030, 1, 1, 12, 0, 0, 500, tzinfo=timezone.utc)
ANSWERS = {
    "key": {
        "KeyMetadata": {"KeyId": "id", "Arn": "arn", "MultiRegionConfiguration": {"ReplicaKeys": [{"Region": "r"}]}}
    },
    "blob": {"KeyId": "arn", "CiphertextBlob": b"\x01\x02"},
    "account": "111122223333",
}


def resolved(value):
    return templates.resolve(value, ANSWERS, lambda: NOW)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("<key>", "id"),
        ("<key.Arn> is disabled.", "arn is disabled."),
        ("<key.MultiRegionConfiguration.ReplicaKeys.0.Region>", "r"),
        ("<blob>", "arn"),
        ("<blob.CiphertextBlob>", b"\x01\x02"),
        ("<account>", "111122223333"),
        ("${aws:username} <3", "${aws:username} <3"),
        ({"a": ["<account>", 1, None]}, {"a": ["111122223333", 1, None]}),
        ({"$changed": "<blob.CiphertextBlob>"}, b"\x01\x03"),
        ({"$bytes": 3}, b"\x00\x01\x02"),
        ({"$base64": "AQI="}, b"\x01\x02"),
        ({"$repeat": ["ab", 2]}, "abab"),
        ({"$numbered": [2, {"k": "v-#"}]}, [{"k": "v-0"}, {"k": "v-1"}]),
        ({"$json": {"a": "<account>"}}, '{"a": "111122223333"}'),
        ({"$lines": ["a", "<account>"]}, "a\n111122223333"),
        ({"$in": {"days": 1}}, datetime(2030, 1, 2, 12, tzinfo=timezone.utc)),
        ({"$matches": "<account>."}, {"$matches": "111122223333."}),
    ],
)
def test_values(value, expected):
    assert resolved(value) == expected


@pytest.mark.parametrize("value", ["<nobody>", "<key.Nothing>", "<account.Arn.0>", "<key.Arn.x.y>", "<blob.KeyId.9>"])
def test_missing_references(value):
    if value == "<account.Arn.0>":
        assert resolved(value) == "111122223333"  # a name by itself
    else:
        with pytest.raises(templates.Unresolved, match="is missing"):
            resolved(value)


def test_values_that_cannot_be_generated():
    with pytest.raises(templates.Unresolved, match=r"^\$changed cannot be generated: IndexError"):
        resolved({"$changed": b""})  # such as an empty CiphertextBlob


def test_digests():
    assert resolved({"$digest": ["SHA_256", "hello"]}) == resolved({"$digest": ["SHA_256", b"hello"]})
    assert len(resolved({"$digest": ["SHA_512", "hello"]})) == 64


@pytest.mark.parametrize(("spec", "length"), [("SYMMETRIC_DEFAULT", 32), ("HMAC_224", 28), ("ECC_NIST_P256", 138)])
def test_material_is_the_same_for_the_same_name(spec, length):
    assert len(key_material.material((spec, "a"))) == length
    assert (
        key_material.material((spec, "a")) == key_material.material((spec, "a")) != key_material.material((spec, "b"))
    )


def test_rsa_material_and_ber():
    der = key_material.material(("RSA_2048", "a"))
    assert serialization.load_der_private_key(der, None).key_size == 2048
    assert key_material.ber(der)[:2] == b"\x30\x80"
    assert key_material.ber(der)[2:-2] == der[4:]


@pytest.mark.parametrize(
    "algorithm", ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256"]
)
def test_wrapped_material_can_be_imported(kms_client, algorithm):
    spec = "SYMMETRIC_DEFAULT" if "OAEP" in algorithm else "ECC_NIST_P256"
    usage = "ENCRYPT_DECRYPT" if "OAEP" in algorithm else "SIGN_VERIFY"
    key = kms_client.create_key(Origin="EXTERNAL", KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["KeyId"]
    params = kms_client.get_parameters_for_import(KeyId=key, WrappingAlgorithm=algorithm, WrappingKeySpec="RSA_2048")
    given = {"material": key_material.material((spec, "a")), "params": params["PublicKey"], "algorithm": algorithm}
    kms_client.import_key_material(
        KeyId=key,
        ImportToken=params["ImportToken"],
        EncryptedKeyMaterial=key_material.wrap(given),
        ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE",
    )
