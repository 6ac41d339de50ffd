"""Every key spec with every usage and algorithm: each combination works, or has AWS's error.

What is allowed is written down here from the API reference (CreateKey: KeySpec and KeyUsage; Encrypt, Sign,
GenerateMac, DeriveSharedSecret, Encapsulate: algorithms) and not taken from the tables under test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from botocore import xform_name
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from botocore.loaders import Loader

from pytest_kmsmock._kms.state.records import KeyMaterial
from pytest_kmsmock._mock.kms_mock import KmsMock

SHAPES = Loader().load_service_model("kms", "service-2")["shapes"]
RSA = {
    "ENCRYPT_DECRYPT": ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"],
    "SIGN_VERIFY": [f"RSASSA_{kind}_SHA_{bits}" for kind in ("PKCS1_V1_5", "PSS") for bits in (256, 384, 512)],
}
#: What CreateKey allows, and the algorithms of such keys in the order of AWS's examples.
ALLOWED: Mapping[str, Mapping[str, list[str]]] = {
    "SYMMETRIC_DEFAULT": {"ENCRYPT_DECRYPT": ["SYMMETRIC_DEFAULT"]},
    "RSA_2048": RSA,
    "RSA_3072": RSA,
    "RSA_4096": RSA,
    "ECC_NIST_P256": {"SIGN_VERIFY": ["ECDSA_SHA_256"], "KEY_AGREEMENT": ["ECDH"]},
    "ECC_NIST_P384": {"SIGN_VERIFY": ["ECDSA_SHA_384"], "KEY_AGREEMENT": ["ECDH"]},
    "ECC_NIST_P521": {"SIGN_VERIFY": ["ECDSA_SHA_512"], "KEY_AGREEMENT": ["ECDH"]},
    "ECC_SECG_P256K1": {"SIGN_VERIFY": ["ECDSA_SHA_256"]},
    "ECC_NIST_EDWARDS25519": {"SIGN_VERIFY": ["ED25519_PH_SHA_512", "ED25519_SHA_512"]},
    **{f"ML_DSA_{level}": {"SIGN_VERIFY": ["ML_DSA_SHAKE_256"]} for level in (44, 65, 87)},
    **{f"ML_KEM_{size}": {"ENCAPSULATE_DECAPSULATE": ["ML_KEM"]} for size in (512, 768, 1024)},
    **{f"HMAC_{bits}": {"GENERATE_VERIFY_MAC": [f"HMAC_SHA_{bits}"]} for bits in (224, 256, 384, 512)},
    "SM2": {"ENCRYPT_DECRYPT": ["SM2PKE"], "SIGN_VERIFY": ["SM2DSA"], "KEY_AGREEMENT": ["ECDH"]},
}
#: KeyUsage -> the enumeration of its algorithms, the member that lists them, the operations that take one.
USAGES = {
    "ENCRYPT_DECRYPT": ("EncryptionAlgorithmSpec", "EncryptionAlgorithms", ("Encrypt", "Decrypt")),
    "SIGN_VERIFY": ("SigningAlgorithmSpec", "SigningAlgorithms", ("Sign", "Verify")),
    "GENERATE_VERIFY_MAC": ("MacAlgorithmSpec", "MacAlgorithms", ("GenerateMac", "VerifyMac")),
    "KEY_AGREEMENT": ("KeyAgreementAlgorithmSpec", "KeyAgreementAlgorithms", ("DeriveSharedSecret",)),
    "ENCAPSULATE_DECAPSULATE": (
        "EncapsulationAlgorithmSpec",
        "EncapsulationAlgorithms",
        ("Encapsulate", "Decapsulate"),
    ),
}
PAIRS = [(spec, usage) for spec, usages in ALLOWED.items() for usage in usages]


def algorithms() -> Iterator[tuple[str, str]]:
    """Yield every algorithm of the model, and the usage that it is for."""
    for usage, (enum, _, _) in USAGES.items():
        for algorithm in SHAPES[enum]["enum"]:
            yield usage, algorithm


def test_the_table_has_every_spec_and_usage_of_the_model():
    assert set(ALLOWED) == set(SHAPES["KeySpec"]["enum"])
    assert set(USAGES) == set(SHAPES["KeyUsageType"]["enum"])


@dataclass
class Bench:
    """Clients, and a key of each spec and usage."""

    client: BaseClient
    china: BaseClient
    arns: dict[tuple[str, str], str]

    def client_of(self, spec: str) -> BaseClient:
        return self.china if spec == "SM2" else self.client


@pytest.fixture(scope="module")
def bench(module_kms_mock: KmsMock) -> Bench:
    """Make the keys once: RSA keys are slow to make, so that both usages of a spec share one."""
    state = module_kms_mock._service.state
    made = Bench(module_kms_mock.client(), module_kms_mock.client(region="cn-north-1"), {})
    slow: dict[str, KeyMaterial] = {}
    for spec, usage in PAIRS:
        metadata = made.client_of(spec).create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]
        made.arns[spec, usage] = metadata["Arn"]
        if spec.startswith("RSA"):
            key = state.region("123456789012", "us-east-1").keys[metadata["KeyId"]]
            state.change_key(key, materials=(slow.setdefault(spec, key.materials[0]),))
    return made


def encrypt(client: BaseClient, arn: str, algorithm: str) -> None:
    request = {"KeyId": arn, "EncryptionAlgorithm": algorithm}
    blob = client.encrypt(**request, Plaintext=b"p")["CiphertextBlob"]
    assert client.decrypt(**request, CiphertextBlob=blob)["Plaintext"] == b"p"


def sign(client: BaseClient, arn: str, algorithm: str) -> None:
    request = {"KeyId": arn, "SigningAlgorithm": algorithm, "Message": bytes(64)}
    if algorithm == "ED25519_PH_SHA_512":
        request["MessageType"] = "DIGEST"
    assert client.verify(**request, Signature=client.sign(**request)["Signature"])["SignatureValid"] is True


def authenticate(client: BaseClient, arn: str, algorithm: str) -> None:
    request = {"KeyId": arn, "MacAlgorithm": algorithm, "Message": b"m"}
    assert client.verify_mac(**request, Mac=client.generate_mac(**request)["Mac"])["MacValid"] is True


def agree(client: BaseClient, arn: str, algorithm: str) -> None:
    public = client.get_public_key(KeyId=arn)["PublicKey"]
    assert client.derive_shared_secret(KeyId=arn, KeyAgreementAlgorithm=algorithm, PublicKey=public)["SharedSecret"]


def encapsulate(client: BaseClient, arn: str, algorithm: str) -> None:
    request = {"KeyId": arn, "EncapsulationAlgorithm": algorithm}
    made = client.encapsulate(**request)
    found = client.decapsulate(**request, SharedSecretCiphertextBlob=made["SharedSecretCiphertextBlob"])
    assert made["SharedSecret"] == found["SharedSecret"]


WORKS: Mapping[str, Callable[[BaseClient, str, str], None]] = {
    "ENCRYPT_DECRYPT": encrypt,
    "SIGN_VERIFY": sign,
    "GENERATE_VERIFY_MAC": authenticate,
    "KEY_AGREEMENT": agree,
    "ENCAPSULATE_DECAPSULATE": encapsulate,
}
#: Members that a request needs besides KeyId, by operation; what is in them does not matter to a refusal.
REQUESTS: Mapping[str, tuple[str, dict[str, bytes]]] = {
    "Encrypt": ("EncryptionAlgorithm", {"Plaintext": b"p"}),
    "Decrypt": ("EncryptionAlgorithm", {"CiphertextBlob": b"c"}),
    "Sign": ("SigningAlgorithm", {"Message": b"m"}),
    "Verify": ("SigningAlgorithm", {"Message": b"m", "Signature": b"s"}),
    "GenerateMac": ("MacAlgorithm", {"Message": b"m"}),
    "VerifyMac": ("MacAlgorithm", {"Message": b"m", "Mac": b"m"}),
    "DeriveSharedSecret": ("KeyAgreementAlgorithm", {"PublicKey": b"p"}),
    "Encapsulate": ("EncapsulationAlgorithm", {}),
    "Decapsulate": ("EncapsulationAlgorithm", {"SharedSecretCiphertextBlob": b"c"}),
}


def call(client: BaseClient, operation: str, members: Mapping[str, Any]) -> Any:
    return getattr(client, xform_name(operation))(**members)


@pytest.mark.parametrize(("spec", "usage"), PAIRS)
def test_an_algorithm_works_or_fails(bench, spec, usage):
    for kind, algorithm in algorithms():
        check(bench, spec, usage, kind, algorithm)


def check(bench: Bench, spec: str, usage: str, kind: str, algorithm: str) -> None:
    client, arn = bench.client_of(spec), bench.arns[spec, usage]
    if kind == usage and algorithm in ALLOWED[spec][usage]:
        WORKS[kind](client, arn, algorithm)
        return
    for operation in USAGES[kind][2]:
        member, members = REQUESTS[operation]
        code = "InvalidKeyUsageException"
        if kind != usage:  # recorded: https://github.com/jonathankeebler/jwt-kms/issues/4
            text = f"{arn} key usage is {usage} which is not valid for {operation}."
        elif operation == "Decrypt" and algorithm == "SYMMETRIC_DEFAULT":  # the blob is read first, and is none
            code, text = "InvalidCiphertextException", ""
        else:  # recorded: https://github.com/zalando/spring-cloud-config-aws-kms/issues/82
            text = f"Algorithm {algorithm} is incompatible with key spec {spec}."
        with pytest.raises(ClientError) as refused:
            call(client, operation, {"KeyId": arn, member: algorithm, **members})
        assert refused.value.response["Error"] == {"Code": code, "Message": text}


@pytest.mark.parametrize(("spec", "usage"), PAIRS)
def test_data_keys_need_a_symmetric_encryption_key(bench, spec, usage):
    client, arn = bench.client_of(spec), bench.arns[spec, usage]
    for operation, members in {
        "GenerateDataKey": {"KeySpec": "AES_128"},
        "GenerateDataKeyWithoutPlaintext": {"KeySpec": "AES_128"},
        "GenerateDataKeyPair": {"KeyPairSpec": "ECC_NIST_P256"},
        "GenerateDataKeyPairWithoutPlaintext": {"KeyPairSpec": "ECC_NIST_P256"},
    }.items():
        request = {"KeyId": arn, **members}
        if spec == "SYMMETRIC_DEFAULT":
            assert call(client, operation, request)["KeyId"] == arn
            continue
        if usage != "ENCRYPT_DECRYPT":
            text = f"{arn} key usage is {usage} which is not valid for {operation}."
        elif "Pair" in operation:
            # Captured from AWS KMS, 2026-09
            text = "You cannot generate a data key pair with an asymmetric CMK"
        else:  # recorded in the documentation of Hadoop's S3A connector
            text = "You cannot generate a data key with an asymmetric CMK"
        with pytest.raises(ClientError) as refused:
            call(client, operation, request)
        assert refused.value.response["Error"] == {"Code": "InvalidKeyUsageException", "Message": text}


@pytest.mark.parametrize(
    ("spec", "usage", "origin"),
    [
        # Captured from AWS KMS, 2026-09: not for ML-DSA keys. API reference of CreateKey: for all others but ML-KEM.
        *((spec, usage, "EXTERNAL") for spec, usage in PAIRS if not spec.startswith("ML_")),
        *((spec, usage, "AWS_KMS") for spec, usage in PAIRS),
    ],
)
def test_created_keys_show_what_they_can_do(bench, spec, usage, origin):
    made = bench.client_of(spec).create_key(KeySpec=spec, KeyUsage=usage, Origin=origin)["KeyMetadata"]
    external = origin == "EXTERNAL"
    assert (made["KeySpec"], made["CustomerMasterKeySpec"], made["KeyUsage"], made["Origin"]) == (
        spec,
        spec,
        usage,
        origin,
    )
    assert (made["KeyState"], made["Enabled"]) == (("PendingImport", False) if external else ("Enabled", True))
    shown = {member: made[member] for _, member, _ in USAGES.values() if member in made}
    assert shown == {USAGES[usage][1]: ALLOWED[spec][usage]}
    assert ("CurrentKeyMaterialId" in made) is (spec == "SYMMETRIC_DEFAULT" and not external)


@pytest.mark.parametrize("spec", sorted(set(ALLOWED) - {"SYMMETRIC_DEFAULT"}))
@pytest.mark.parametrize("origin", ["AWS_KMS", "EXTERNAL"])
def test_keys_of_no_allowed_usage_are_not_made(bench, spec, origin):
    client = bench.client_of(spec)
    for usage in USAGES:
        if usage not in ALLOWED[spec]:
            with pytest.raises(ClientError) as refused:
                client.create_key(KeySpec=spec, KeyUsage=usage, Origin=origin)
            text = f"KeyUsage {usage} is not compatible with KeySpec {spec}"
            assert refused.value.response["Error"] == {"Code": "ValidationException", "Message": text}
