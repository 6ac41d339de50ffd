"""Encrypt, Decrypt and ReEncrypt."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key
from hypothesis import given
from hypothesis import strategies as st

from pytest_kmsmock import mock_kms

Refusal = Callable[..., AbstractContextManager[None]]
OAEP = {"RSAES_OAEP_SHA_1": hashes.SHA1(), "RSAES_OAEP_SHA_256": hashes.SHA256()}
INCORRECT = "The key ID in the request does not identify a CMK that can perform this operation."
OUT_OF_SIGHT = (
    "User: arn:aws:iam::123456789012:user/Administrator is not authorized to perform: kms:Decrypt on the resource "
    "associated with this ciphertext because the resource does not exist in this Region, no resource-based policies "
    "allow access, or a resource-based policy explicitly denies access"
)
NO_CONTEXT = "EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs."


def oaep(algorithm: str) -> padding.OAEP:
    # Key spec reference: the same hash in MGF1, an empty label.
    return padding.OAEP(padding.MGF1(OAEP[algorithm]), OAEP[algorithm], label=None)


# --- symmetric keys ------------------------------------------------------------------------------------------------


def test_answers_have_the_members_of_aws(kms_client, new_key):
    arn = new_key()
    material = kms_client.describe_key(KeyId=arn)["KeyMetadata"]["CurrentKeyMaterialId"]
    made = kms_client.encrypt(KeyId=arn, Plaintext=b"secret")
    found = kms_client.decrypt(CiphertextBlob=made["CiphertextBlob"])
    for answer in (made, found):
        del answer["ResponseMetadata"]
    # Encrypt has no KeyMaterialId, Decrypt has: API reference.
    assert made == {
        "CiphertextBlob": made["CiphertextBlob"],
        "KeyId": arn,
        "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
    }
    assert found == {
        "KeyId": arn,
        "Plaintext": b"secret",
        "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "KeyMaterialId": material,
    }


def test_plaintexts_have_1_to_4096_bytes(kms_client, new_key, refusal):
    arn = new_key()
    failed = "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length "
    for plaintext in (b"p", bytes(4096)):
        blob = kms_client.encrypt(KeyId=arn, Plaintext=plaintext)["CiphertextBlob"]
        assert len(blob) <= 6144  # the model's maximum of CiphertextBlob
        assert kms_client.decrypt(CiphertextBlob=blob)["Plaintext"] == plaintext
    for plaintext, wrong in ((b"", "greater than or equal to 1"), (bytes(4097), "less than or equal to 4096")):
        with refusal("ValidationException", failed + wrong):
            kms_client.encrypt(KeyId=arn, Plaintext=plaintext)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
contexts = st.dictionaries(texts, texts.filter(bool), max_size=4)


@given(plaintext=st.binary(min_size=1, max_size=4096), context=contexts, other=contexts, data=st.data())
def test_any_plaintext_comes_back_under_the_same_context_only(module_kms_mock, plaintext, context, other, data):
    client = module_kms_mock.client()
    arn = client.create_key()["KeyMetadata"]["Arn"]
    blob = client.encrypt(KeyId=arn, Plaintext=plaintext, EncryptionContext=context)["CiphertextBlob"]
    shuffled = dict(data.draw(st.permutations(list(context.items()))))
    assert client.decrypt(CiphertextBlob=blob, EncryptionContext=shuffled)["Plaintext"] == plaintext
    if other != context:
        with pytest.raises(ClientError) as refused:
            client.decrypt(CiphertextBlob=blob, EncryptionContext=other)
        assert refused.value.response["Error"] == {"Code": "InvalidCiphertextException", "Message": ""}


@given(plaintext=st.binary(min_size=1, max_size=300), data=st.data(), named=st.booleans())
def test_any_flipped_bit_makes_a_blob_invalid(module_kms_mock, plaintext, data, named):
    client = module_kms_mock.client()
    arn = client.create_key()["KeyMetadata"]["Arn"]
    blob = bytearray(client.encrypt(KeyId=arn, Plaintext=plaintext)["CiphertextBlob"])
    bit = data.draw(st.integers(0, len(blob) * 8 - 1))
    blob[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ClientError) as refused:
        client.decrypt(CiphertextBlob=bytes(blob), **({"KeyId": arn} if named else {}))
    assert refused.value.response["Error"] == {"Code": "InvalidCiphertextException", "Message": ""}


def test_every_single_flipped_bit_and_every_cut_makes_a_blob_invalid():
    with mock_kms() as kms:
        client = kms.client()
        arn = client.create_key(MultiRegion=True)["KeyMetadata"]["Arn"]
        blob = client.encrypt(KeyId=arn, Plaintext=b"p")["CiphertextBlob"]
        flipped = (
            blob[: n // 8] + bytes([blob[n // 8] ^ 1 << n % 8]) + blob[n // 8 + 1 :] for n in range(len(blob) * 8)
        )
        cut = (blob[:length] for length in range(1, len(blob)))
        for damaged in (*flipped, *cut, blob + b"\0"):
            with pytest.raises(ClientError) as refused:
                client.decrypt(CiphertextBlob=damaged)
            assert refused.value.response["Error"] == {"Code": "InvalidCiphertextException", "Message": ""}


@pytest.mark.parametrize("change", [{}, {"a": "B"}, {"A": "b"}, {"a": "b", "c": "d"}, {"a": "b "}], ids=str)
def test_another_encryption_context_is_an_invalid_ciphertext(kms_client, new_key, refusal, change):
    blob = kms_client.encrypt(KeyId=new_key(), Plaintext=b"p", EncryptionContext={"a": "b"})["CiphertextBlob"]
    with refusal("InvalidCiphertextException", ""):
        kms_client.decrypt(CiphertextBlob=blob, EncryptionContext=change)


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize(
    ("operation", "others", "parameter"),
    [
        ("encrypt", {"Plaintext": b"p"}, "EncryptionContext"),
        ("decrypt", {"CiphertextBlob": b""}, "EncryptionContext"),
        ("generate_data_key", {"KeySpec": "AES_256"}, "EncryptionContext"),
        ("generate_data_key_without_plaintext", {"KeySpec": "AES_256"}, "EncryptionContext"),
        ("generate_data_key_pair", {"KeyPairSpec": "ECC_NIST_P256"}, "EncryptionContext"),
        ("generate_data_key_pair_without_plaintext", {"KeyPairSpec": "ECC_NIST_P256"}, "EncryptionContext"),
        ("re_encrypt", {"CiphertextBlob": b""}, "SourceEncryptionContext"),
        ("re_encrypt", {"CiphertextBlob": b""}, "DestinationEncryptionContext"),
    ],
)
def test_an_encryption_context_has_no_empty_values(
    kms_client, new_key, refusal,
    operation, others, parameter, dry_run,
):  # fmt: skip
    """Recorded of GenerateDataKey: danmx/sigil#46, claranet/sshm#2."""
    arn = new_key()
    if "CiphertextBlob" in others:
        others = {"CiphertextBlob": kms_client.encrypt(KeyId=arn, Plaintext=b"p")["CiphertextBlob"]}
    key = {"DestinationKeyId": arn} if operation == "re_encrypt" else {"KeyId": arn}
    with refusal("ValidationException", "Invalid EncryptionContext"):
        getattr(kms_client, operation)(
            **key, **others, **{parameter: {"aws:ssm:SessionId": "s", "aws:ssm:TargetId": ""}}, DryRun=dry_run
        )


def test_the_key_of_the_request_must_be_the_key_of_the_ciphertext(kms_client, new_key, refusal):
    # Developer guide, CloudTrail example of Decrypt.
    blob = kms_client.encrypt(KeyId=new_key(), Plaintext=b"p")["CiphertextBlob"]
    for other in (new_key(), new_key("RSA_2048", "ENCRYPT_DECRYPT")):
        with refusal("IncorrectKeyException", INCORRECT):
            kms_client.decrypt(CiphertextBlob=blob, KeyId=other)
    with refusal("IncorrectKeyException", INCORRECT):
        kms_client.re_encrypt(CiphertextBlob=blob, SourceKeyId=new_key(), DestinationKeyId=new_key())


def test_another_key_is_incorrect_before_its_usage_and_state_count(kms_client, new_key, refusal):
    """Measured on AWS, us-east-1, 2026-09, of the first two: floci-io/floci#3968. Inferred of a disabled key."""
    blob = kms_client.encrypt(KeyId=new_key(), Plaintext=b"p")["CiphertextBlob"]
    signing, disabled = new_key("RSA_2048", "SIGN_VERIFY"), new_key()
    pending = kms_client.create_key(Origin="EXTERNAL")["KeyMetadata"]["Arn"]
    kms_client.disable_key(KeyId=disabled)
    for other in (signing, pending, disabled):
        with refusal("IncorrectKeyException", INCORRECT):
            kms_client.decrypt(CiphertextBlob=blob, KeyId=other)
    # what is wrong with the key itself counts as soon as the ciphertext is not another one's
    with refusal("InvalidKeyUsageException", f"{signing} key usage is SIGN_VERIFY which is not valid for Decrypt."):
        kms_client.decrypt(CiphertextBlob=b"no ciphertext", KeyId=signing)


def test_the_blob_of_a_key_that_is_not_here_cannot_be_seen(kms_mock, kms_client, new_key, refusal):
    blob = kms_client.encrypt(KeyId=new_key(), Plaintext=b"p")["CiphertextBlob"]
    with refusal("AccessDeniedException", OUT_OF_SIGHT):
        kms_mock.client(region="eu-west-1").decrypt(CiphertextBlob=blob)
    with mock_kms(fresh=True) as elsewhere, refusal("AccessDeniedException", OUT_OF_SIGHT):
        elsewhere.client().decrypt(CiphertextBlob=blob)


def test_a_blob_is_needed(kms_client, new_key, refusal):
    """Before keys are looked up: measured on AWS, us-east-1, 2026-09, of ReEncrypt: floci-io/floci#3968."""
    missing = "Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null"
    for key in (new_key(), "alias/none", kms_client.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]):
        with refusal("ValidationException", f"1 validation error detected: {missing}"):
            kms_client.decrypt(KeyId=key)
        with refusal("ValidationException", f"1 validation error detected: {missing}"):
            kms_client.re_encrypt(SourceKeyId=key, DestinationKeyId=new_key())
    with refusal("ValidationException", f"1 validation error detected: {missing}"):
        kms_client.decrypt(EncryptionAlgorithm="RSAES_OAEP_SHA_1")


# --- asymmetric keys -----------------------------------------------------------------------------------------------


#: API reference of Encrypt: the greatest plaintexts with each algorithm.
GREATEST = {"RSA_2048": (214, 190), "RSA_3072": (342, 318), "RSA_4096": (470, 446)}


@pytest.mark.parametrize("spec", GREATEST)
def test_rsa_ciphertexts_agree_with_cryptography_up_to_the_limit(
    kms_client,
    new_key,
    private_bytes,
    refusal,
    spec,
):
    arn = new_key(spec)
    public = load_der_public_key(kms_client.get_public_key(KeyId=arn)["PublicKey"])
    private = load_der_private_key(private_bytes(arn), None)
    assert isinstance(public, rsa.RSAPublicKey)
    assert isinstance(private, rsa.RSAPrivateKey)
    for algorithm, most in zip(OAEP, GREATEST[spec], strict=True):
        request = {"KeyId": arn, "EncryptionAlgorithm": algorithm}
        made = kms_client.encrypt(**request, Plaintext=bytes(most))
        assert private.decrypt(made.pop("CiphertextBlob"), oaep(algorithm)) == bytes(most)
        del made["ResponseMetadata"]
        assert made == request

        found = kms_client.decrypt(**request, CiphertextBlob=public.encrypt(b"from outside", oaep(algorithm)))
        del found["ResponseMetadata"]
        assert found == request | {"Plaintext": b"from outside"}

        text = f"Algorithm {algorithm} and key spec {spec} cannot encrypt data larger than {most} bytes."
        with refusal("ValidationException", text):
            kms_client.encrypt(**request, Plaintext=bytes(most + 1))


def test_openssl_encrypts_for_kms(kms_client, new_key, openssl):
    # Developer guide, "Offline operations with public keys".
    arn = new_key("RSA_2048")
    public = kms_client.get_public_key(KeyId=arn)["PublicKey"]
    blob = openssl(
        "pkeyutl", "-encrypt", "-pubin", "-inkey", "{public}", "-keyform", "DER", "-in", "{message}",
        "-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256", "-pkeyopt", "rsa_mgf1_md:sha256",
        public=public, message=b"from outside",
    )  # fmt: skip
    answer = kms_client.decrypt(KeyId=arn, CiphertextBlob=blob, EncryptionAlgorithm="RSAES_OAEP_SHA_256")
    assert answer["Plaintext"] == b"from outside"


def test_sm2_ciphertexts_agree_with_openssl(
    china,
    new_key,
    private_bytes,
    openssl,
    refusal,
):
    arn = new_key("SM2", client=china)
    request = {"KeyId": arn, "EncryptionAlgorithm": "SM2PKE"}
    private = openssl("pkey", "-inform", "DER", "-in", "{der}", der=private_bytes(arn))
    blob = china.encrypt(**request, Plaintext=bytes(1024))["CiphertextBlob"]
    assert openssl("pkeyutl", "-decrypt", "-inkey", "{k}", "-in", "{m}", k=private, m=blob) == bytes(1024)
    blob = openssl("pkeyutl", "-encrypt", "-inkey", "{k}", "-in", "{m}", k=private, m=b"from outside")
    assert china.decrypt(**request, CiphertextBlob=blob)["Plaintext"] == b"from outside"
    # API reference of Encrypt: "SM2PKE: 1024 bytes".
    too_long = "Algorithm SM2PKE and key spec SM2 cannot encrypt data larger than 1024 bytes."
    with refusal("ValidationException", too_long):
        china.encrypt(**request, Plaintext=bytes(1025))


@pytest.mark.parametrize("damage", ["zeros", "flipped", "short", "long", "other key", "other hash"])
def test_damaged_rsa_ciphertexts_are_invalid(kms_client, new_key, refusal, damage):
    # Measured: https://github.com/floci-io/floci/pull/3038
    arn, other = new_key("RSA_2048"), new_key("RSA_2048")
    request = {"KeyId": arn, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
    blob = kms_client.encrypt(**request, Plaintext=b"p")["CiphertextBlob"]
    changes: dict[str, dict[str, object]] = {
        "zeros": {"CiphertextBlob": bytes(256)},
        "flipped": {"CiphertextBlob": blob[:-1] + bytes([blob[-1] ^ 1])},
        "short": {"CiphertextBlob": blob[:-1]},
        "long": {"CiphertextBlob": b"\0" + blob},
        "other key": {"KeyId": other},
        "other hash": {"EncryptionAlgorithm": "RSAES_OAEP_SHA_1"},
    }
    with refusal("InvalidCiphertextException", ""):
        kms_client.decrypt(**(request | {"CiphertextBlob": blob} | changes[damage]))


def test_rsa_ciphertexts_need_key_and_algorithm(kms_client, new_key, refusal):
    # Measured: https://github.com/floci-io/floci/pull/3038
    arn = new_key("RSA_2048")
    blob = kms_client.encrypt(KeyId=arn, Plaintext=b"p", EncryptionAlgorithm="RSAES_OAEP_SHA_256")["CiphertextBlob"]
    for request in ({}, {"KeyId": arn}):  # the default algorithm reads the blob as a symmetric one
        with refusal("InvalidCiphertextException", ""):
            kms_client.decrypt(**request, CiphertextBlob=blob)
    with refusal("ValidationException", "KeyId must not be null"):
        kms_client.decrypt(CiphertextBlob=blob, EncryptionAlgorithm="RSAES_OAEP_SHA_256")
    # Recorded: https://github.com/zalando/spring-cloud-config-aws-kms/issues/82
    with refusal("InvalidKeyUsageException", "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048."):
        kms_client.encrypt(KeyId=arn, Plaintext=b"p")


def test_symmetric_keys_take_no_rsa_algorithm(kms_client, new_key, refusal):
    arn = new_key()
    text = "Algorithm RSAES_OAEP_SHA_256 is incompatible with key spec SYMMETRIC_DEFAULT."
    blob = kms_client.encrypt(KeyId=arn, Plaintext=b"p")["CiphertextBlob"]
    with refusal("InvalidKeyUsageException", text):
        kms_client.encrypt(KeyId=arn, Plaintext=b"p", EncryptionAlgorithm="RSAES_OAEP_SHA_256")
    with refusal("InvalidKeyUsageException", text):
        kms_client.decrypt(KeyId=arn, CiphertextBlob=blob, EncryptionAlgorithm="RSAES_OAEP_SHA_256")


def test_asymmetric_keys_take_no_encryption_context(kms_client, new_key, refusal):
    # Measured: https://github.com/floci-io/floci/pull/3038
    request = {"KeyId": new_key("RSA_2048"), "EncryptionAlgorithm": "RSAES_OAEP_SHA_1"}
    blob = kms_client.encrypt(**request, Plaintext=b"p", EncryptionContext={})["CiphertextBlob"]
    with refusal("ValidationException", NO_CONTEXT):
        kms_client.encrypt(**request, Plaintext=b"p", EncryptionContext={"a": "b"})
    with refusal("ValidationException", NO_CONTEXT):
        kms_client.decrypt(**request, CiphertextBlob=blob, EncryptionContext={"a": "b"})


# --- ReEncrypt -----------------------------------------------------------------------------------------------------


def test_symmetric_to_symmetric(kms_client, new_key):
    source, destination = new_key(), new_key()
    materials = [
        kms_client.describe_key(KeyId=arn)["KeyMetadata"]["CurrentKeyMaterialId"] for arn in (source, destination)
    ]
    blob = kms_client.encrypt(KeyId=source, Plaintext=b"p", EncryptionContext={"a": "1"})["CiphertextBlob"]
    answer = kms_client.re_encrypt(
        CiphertextBlob=blob,
        SourceEncryptionContext={"a": "1"},
        DestinationKeyId=destination,
        DestinationEncryptionContext={"b": "2"},
    )
    del answer["ResponseMetadata"]
    blob = answer.pop("CiphertextBlob")
    assert answer == {
        "SourceKeyId": source,
        "KeyId": destination,
        "SourceEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "DestinationEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "SourceKeyMaterialId": materials[0],
        "DestinationKeyMaterialId": materials[1],
    }
    assert kms_client.decrypt(CiphertextBlob=blob, EncryptionContext={"b": "2"})["Plaintext"] == b"p"


def test_symmetric_to_rsa_and_back(kms_client, new_key):
    # API reference of ReEncrypt: material ids "only when … a symmetric encryption KMS key".
    symmetric, asymmetric = new_key(), new_key("RSA_2048")
    blob = kms_client.encrypt(KeyId=symmetric, Plaintext=b"p")["CiphertextBlob"]
    there = kms_client.re_encrypt(
        CiphertextBlob=blob, DestinationKeyId=asymmetric, DestinationEncryptionAlgorithm="RSAES_OAEP_SHA_256"
    )
    assert (there["SourceKeyId"], there["KeyId"]) == (symmetric, asymmetric)
    assert "SourceKeyMaterialId" in there
    assert "DestinationKeyMaterialId" not in there
    back = kms_client.re_encrypt(
        CiphertextBlob=there["CiphertextBlob"],
        SourceKeyId=asymmetric,
        SourceEncryptionAlgorithm="RSAES_OAEP_SHA_256",
        DestinationKeyId=symmetric,
    )
    assert (back["SourceEncryptionAlgorithm"], back["DestinationEncryptionAlgorithm"]) == (
        "RSAES_OAEP_SHA_256",
        "SYMMETRIC_DEFAULT",
    )
    assert "SourceKeyMaterialId" not in back
    assert "DestinationKeyMaterialId" in back
    assert kms_client.decrypt(CiphertextBlob=back["CiphertextBlob"])["Plaintext"] == b"p"


def test_what_re_encrypt_refuses(kms_client, new_key, refusal):
    symmetric, rsa_key, signer = new_key(), new_key("RSA_2048"), new_key("RSA_2048", "SIGN_VERIFY")
    blob = kms_client.encrypt(KeyId=symmetric, Plaintext=bytes(191))["CiphertextBlob"]
    to_rsa = {"DestinationKeyId": rsa_key, "DestinationEncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
    too_long = "Algorithm RSAES_OAEP_SHA_256 and key spec RSA_2048 cannot encrypt data larger than 190 bytes."
    with refusal("ValidationException", too_long):
        kms_client.re_encrypt(CiphertextBlob=blob, **to_rsa)
    with refusal("ValidationException", NO_CONTEXT):
        kms_client.re_encrypt(CiphertextBlob=blob, **to_rsa, DestinationEncryptionContext={"a": "b"})
    with refusal("ValidationException", "SourceKeyId must not be null"):
        kms_client.re_encrypt(
            CiphertextBlob=blob, SourceEncryptionAlgorithm="RSAES_OAEP_SHA_1", DestinationKeyId=symmetric
        )
    with refusal("InvalidKeyUsageException", "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048."):
        kms_client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=rsa_key)
    with refusal("InvalidKeyUsageException", f"{signer} key usage is SIGN_VERIFY which is not valid for ReEncrypt."):
        kms_client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=signer)
    with refusal("InvalidCiphertextException", ""):
        kms_client.re_encrypt(CiphertextBlob=b"blob", DestinationKeyId=symmetric)
