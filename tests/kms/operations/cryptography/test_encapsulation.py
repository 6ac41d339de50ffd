"""Encapsulate and Decapsulate, with `cryptography` and kyber-py as the other side."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from cryptography.hazmat.primitives.asymmetric import mlkem
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key
from kyber_py.ml_kem import ML_KEM_512

Refusal = Callable[..., AbstractContextManager[None]]
#: Bytes in a ciphertext. API reference of Encapsulate, SharedSecretCiphertextBlob.
LENGTHS = {"ML_KEM_512": 768, "ML_KEM_768": 1088, "ML_KEM_1024": 1568}
ALGORITHM = {"EncapsulationAlgorithm": "ML_KEM"}


@pytest.mark.parametrize("spec", LENGTHS)
def test_decapsulate_recovers_the_secret(kms_client, new_key, spec):
    arn = new_key(spec, "ENCAPSULATE_DECAPSULATE")
    made = kms_client.encapsulate(KeyId=arn, **ALGORITHM)
    blob = made["SharedSecretCiphertextBlob"]
    found = kms_client.decapsulate(KeyId=arn, SharedSecretCiphertextBlob=blob, **ALGORITHM)
    assert made["SharedSecret"] == found["SharedSecret"]
    assert (len(made["SharedSecret"]), len(blob)) == (32, LENGTHS[spec])
    assert {made["KeyId"], found["KeyId"]} == {arn}
    assert {made["EncapsulationAlgorithm"], found["EncapsulationAlgorithm"]} == {"ML_KEM"}


@pytest.mark.parametrize("spec", ["ML_KEM_768", "ML_KEM_1024"])
def test_cryptography_encapsulates_and_decapsulates(kms_client, new_key, private_bytes, spec):
    arn = new_key(spec, "ENCAPSULATE_DECAPSULATE")
    public = load_der_public_key(kms_client.get_public_key(KeyId=arn)["PublicKey"])
    private = load_der_private_key(private_bytes(arn), None)
    assert isinstance(public, mlkem.MLKEM768PublicKey | mlkem.MLKEM1024PublicKey)
    assert isinstance(private, mlkem.MLKEM768PrivateKey | mlkem.MLKEM1024PrivateKey)
    secret, blob = public.encapsulate()
    assert kms_client.decapsulate(KeyId=arn, SharedSecretCiphertextBlob=blob, **ALGORITHM)["SharedSecret"] == secret
    made = kms_client.encapsulate(KeyId=arn, **ALGORITHM)
    assert private.decapsulate(made["SharedSecretCiphertextBlob"]) == made["SharedSecret"]


def test_kyber_py_encapsulates_and_decapsulates(kms_client, new_key, private_bytes):
    arn = new_key("ML_KEM_512", "ENCAPSULATE_DECAPSULATE")
    seed = private_bytes(arn)[-64:]
    public, private = ML_KEM_512.key_derive(seed)
    assert kms_client.get_public_key(KeyId=arn)["PublicKey"].endswith(public)
    secret, blob = ML_KEM_512.encaps(public)
    assert kms_client.decapsulate(KeyId=arn, SharedSecretCiphertextBlob=blob, **ALGORITHM)["SharedSecret"] == secret
    made = kms_client.encapsulate(KeyId=arn, **ALGORITHM)
    assert ML_KEM_512.decaps(private, made["SharedSecretCiphertextBlob"]) == made["SharedSecret"]


@pytest.mark.parametrize("spec", LENGTHS)
def test_a_changed_ciphertext_gives_another_secret_and_no_error(kms_client, new_key, spec):
    # API reference of Decapsulate: "implicit rejection".
    arn, other = (new_key(spec, "ENCAPSULATE_DECAPSULATE") for _ in range(2))
    made = kms_client.encapsulate(KeyId=arn, **ALGORITHM)
    blob = made["SharedSecretCiphertextBlob"]
    flipped = bytes([blob[0] ^ 1]) + blob[1:]

    def decapsulate(key_id: str, ciphertext: bytes) -> bytes:
        answer = kms_client.decapsulate(KeyId=key_id, SharedSecretCiphertextBlob=ciphertext, **ALGORITHM)
        secret: bytes = answer["SharedSecret"]
        return secret

    secrets = {
        made["SharedSecret"],
        decapsulate(arn, flipped),
        decapsulate(other, blob),
        decapsulate(arn, bytes(len(blob))),
    }
    assert len(secrets) == 4
    assert {len(secret) for secret in secrets} == {32}
    assert decapsulate(arn, flipped) == decapsulate(arn, flipped)


@pytest.mark.parametrize("spec", LENGTHS)
def test_a_ciphertext_of_another_length_is_invalid(kms_client, new_key, refusal, spec):
    arn = new_key(spec, "ENCAPSULATE_DECAPSULATE")
    for length in (1, LENGTHS[spec] - 1, LENGTHS[spec] + 1, 6144):
        with refusal("InvalidCiphertextException", ""):
            kms_client.decapsulate(KeyId=arn, SharedSecretCiphertextBlob=bytes(length), **ALGORITHM)
