"""The Recipient parameter of every operation that has it in botocore's model."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest
from botocore.loaders import Loader
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
)

from pytest_kmsmock.enclave import FakeEnclave

MODEL = Loader().load_service_model("kms", "service-2")
HAVE_RECIPIENT = sorted(
    name
    for name, operation in MODEL["operations"].items()
    if "Recipient" in MODEL["shapes"][operation["input"]["shape"]]["members"]
)
INVALID = {"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": b"document"}


@pytest.fixture(scope="session")
def enclave() -> FakeEnclave:
    return FakeEnclave()


def check_decrypt(_client, _answer, plain, opened):
    assert opened == plain["Plaintext"]


def check_secret(_client, _answer, plain, opened):
    assert opened == plain["SharedSecret"]


def check_data_key(client, answer, _plain, opened):
    assert opened == client.decrypt(CiphertextBlob=answer["CiphertextBlob"])["Plaintext"]


def check_pair(client, answer, _plain, opened):
    assert opened == client.decrypt(CiphertextBlob=answer["PrivateKeyCiphertextBlob"])["Plaintext"]
    public = load_der_private_key(opened, None).public_key()
    assert public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == answer["PublicKey"]


def check_random(_client, _answer, plain, opened):
    assert len(opened) == len(plain["Plaintext"])


CHECKS = {
    "Decrypt": check_decrypt,
    "DeriveSharedSecret": check_secret,
    "GenerateDataKey": check_data_key,
    "GenerateDataKeyPair": check_pair,
    "GenerateRandom": check_random,
}


@pytest.mark.parametrize("operation", HAVE_RECIPIENT)
def test_only_the_enclave_reads_the_answer(kms_client, prepared, enclave, operation):
    ready = prepared(operation)
    plain, answer = ready.call(), ready.call(Recipient=enclave.recipient())
    # What is plain is left out, and KeyMaterialId with it: API reference, KeyMaterialId of Decrypt and GenerateDataKey.
    left_out = {"Plaintext", "SharedSecret", "PrivateKeyPlaintext", "KeyMaterialId"}
    assert set(answer) == set(plain) - left_out | {"CiphertextForRecipient"}
    CHECKS[operation](kms_client, answer, plain, enclave.decrypt(answer["CiphertextForRecipient"]))


@pytest.mark.parametrize("operation", HAVE_RECIPIENT)
def test_invalid_attestation_documents_are_rejected(prepared, refusal, operation):
    ready = prepared(operation)
    with refusal("ValidationException"):
        ready.call(Recipient=INVALID)


def test_both_members_are_needed(kms_client, enclave, refusal):
    whole = dict(enclave.recipient())
    for member in whole:
        label = member[0].lower() + member[1:]
        missing = f"Value null at 'recipient.{label}' failed to satisfy constraint: Member must not be null"
        with refusal("ValidationException", f"1 validation error detected: {missing}"):
            rest = {name: value for name, value in whole.items() if name != member}
            kms_client.generate_random(NumberOfBytes=1, Recipient=rest)


def test_the_mock_clock_decides_whether_certificates_are_valid(kms_mock, kms_client, refusal):
    enclave = FakeEnclave(not_after=datetime(2030, 1, 1, tzinfo=timezone.utc))
    members = {"NumberOfBytes": 1, "Recipient": enclave.recipient()}
    kms_mock.clock.freeze("2029-12-31T00:00:00Z")
    assert kms_client.generate_random(**members)["CiphertextForRecipient"]
    kms_mock.clock.freeze("2030-01-02T00:00:00Z")
    with refusal("ValidationException"):
        kms_client.generate_random(**members)


def test_a_dry_run_checks_the_attestation_document(prepared, enclave, refusal):
    ready = prepared("GenerateDataKey")
    with refusal("DryRunOperationException"):
        ready.call(DryRun=True, Recipient=enclave.recipient())
    with refusal("ValidationException"):
        ready.call(DryRun=True, Recipient=INVALID)


def test_a_document_is_read_once_for_policy_and_answer(kms_client, enclave, monkeypatch):
    from pytest_kmsmock._kms.attestation import document

    condition = {"StringEqualsIgnoreCase": {"kms:RecipientAttestation:PCR0": enclave.pcrs[0].hex()}}
    statement = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Resource": "*"}
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            statement | {"Action": ["kms:PutKeyPolicy", "kms:Encrypt"]},
            statement | {"Action": "kms:Decrypt", "Condition": condition},
        ],
    }
    key_id = kms_client.create_key(Policy=json.dumps(policy))["KeyMetadata"]["KeyId"]
    blob = kms_client.encrypt(KeyId=key_id, Plaintext=b"secret")["CiphertextBlob"]
    read: list[bytes] = []
    parse = document.parse_attestation

    def count(document: bytes, **options: Any) -> document.Attestation:
        read.append(document)
        return parse(document, **options)

    monkeypatch.setattr(document, "parse_attestation", count)
    answer = kms_client.decrypt(CiphertextBlob=blob, Recipient=enclave.recipient())
    assert enclave.decrypt(answer["CiphertextForRecipient"]) == b"secret"
    assert len(read) == 1
