"""The key that decrypts a ciphertext, across accounts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pytest_kmsmock import mock_kms
from pytest_kmsmock._kms.api.errors import KmsError
from pytest_kmsmock._kms.state.caller import administrator
from pytest_kmsmock._mock.kms_mock import KmsMock

OTHER = administrator("999988887777")


@pytest.fixture
def kms() -> Iterator[KmsMock]:
    with mock_kms(enforce_policies=False, region="us-east-1") as made:
        yield made


def encrypted(kms: KmsMock) -> tuple[str, str, bytes]:
    """Return ARN and id of a key, and a blob of it."""
    client = kms.client()
    arn = client.create_key()["KeyMetadata"]["Arn"]
    return arn, arn.partition("/")[2], client.encrypt(KeyId=arn, Plaintext=b"p")["CiphertextBlob"]


# API reference of Decrypt, cross-account use: "A short key ID is also acceptable" for symmetric ciphertexts.
def test_another_account_may_name_the_key_of_a_symmetric_blob_by_its_id(kms):
    arn, key_id, blob = encrypted(kms)
    for identifier in ({}, {"KeyId": key_id}, {"KeyId": arn}):
        answer = kms._service.call("Decrypt", {"CiphertextBlob": blob, **identifier}, OTHER, "us-east-1")
        assert (answer["KeyId"], answer["Plaintext"]) == (arn, b"p")


def test_key_ids_of_another_account_are_not_found(kms):
    _, key_id, blob = encrypted(kms)
    _, other_id, _ = encrypted(kms)
    for request in (
        {"KeyId": other_id, "CiphertextBlob": blob},
        {"KeyId": key_id, "CiphertextBlob": b"blob"},
        {"KeyId": key_id, "CiphertextBlob": blob, "EncryptionAlgorithm": "RSAES_OAEP_SHA_1"},
    ):
        with pytest.raises(KmsError) as refused:
            kms._service.call("Decrypt", request, OTHER, "us-east-1")
        assert refused.value.code == "NotFoundException"
    with pytest.raises(KmsError) as refused:
        kms._service.call("Encrypt", {"KeyId": key_id, "Plaintext": b"p"}, OTHER, "us-east-1")
    assert refused.value.message == f"Key 'arn:aws:kms:us-east-1:999988887777:key/{key_id}' does not exist"


def test_re_encrypt_between_accounts(kms):
    arn, key_id, blob = encrypted(kms)
    created = kms._service.call("CreateKey", {}, OTHER, "us-east-1")["KeyMetadata"]
    assert isinstance(created, dict)
    request = {"CiphertextBlob": blob, "SourceKeyId": key_id, "DestinationKeyId": created["KeyId"]}
    answer = kms._service.call("ReEncrypt", request, OTHER, "us-east-1")
    assert (answer["SourceKeyId"], answer["KeyId"]) == (arn, created["Arn"])
