"""The `openssl` command as the independent implementation, and a request that succeeds for every operation."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.client import BaseClient
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding
from cryptography.hazmat.primitives.serialization import load_der_public_key

OpenSsl = Callable[..., bytes]
ImportMaterial = Callable[..., dict[str, Any]]


@pytest.fixture
def openssl(tmp_path: Path) -> OpenSsl:
    """Run ``openssl`` with files: keyword arguments are written to files and replace ``{name}`` in the arguments."""

    def run(*arguments: str, check: bool = True, **files: bytes) -> bytes:
        paths = {}
        for name, content in files.items():
            paths[name] = tmp_path / name
            paths[name].write_bytes(content)
        command = ["openssl", *(argument.format(**paths) for argument in arguments)]
        return subprocess.run(command, check=check, capture_output=True).stdout

    return run


# --- a request for every operation -----------------------------------------------------------------------------------

_POLICY = (
    '{"Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, '
    '"Action": "kms:*", "Resource": "*"}]}'
)

#: What kind of key -> how it is created.
KINDS: Mapping[str, dict[str, Any]] = {
    "symmetric": {},
    "signing": {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"},
    "agreement": {"KeySpec": "ECC_NIST_P256", "KeyUsage": "KEY_AGREEMENT"},
    "encapsulation": {"KeySpec": "ML_KEM_768", "KeyUsage": "ENCAPSULATE_DECAPSULATE"},
    "mac": {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
    "external": {"Origin": "EXTERNAL"},
    "multi-Region": {"MultiRegion": True},
}

#: Gives the other members of a request: (mock, client, key id) -> members.
Prepare = Callable[[Any, Any, str], dict[str, Any]]


def nothing(mock: Any, kms: Any, key: str) -> dict[str, Any]:
    return {}


def given(**members: Any) -> Prepare:
    return lambda *_: members


@dataclass(frozen=True)
class Row:
    """How to call an operation: the kind of key that it needs, the other members, the members that name the key."""

    kind: str | None = "symmetric"
    others: Prepare = nothing
    members: tuple[str, ...] = ("KeyId",)


def alias_of(mock: Any, kms: Any, key: str) -> dict[str, Any]:
    kms.create_alias(AliasName="alias/prepared", TargetKeyId=key)
    return {"AliasName": "alias/prepared"}


def scheduled(mock: Any, kms: Any, key: str) -> dict[str, Any]:
    kms.schedule_key_deletion(KeyId=key)
    return {}


def encrypted(mock: Any, kms: Any, key: str) -> dict[str, Any]:
    return {"CiphertextBlob": kms.encrypt(KeyId=key, Plaintext=b"plain")["CiphertextBlob"]}


def signed(mock: Any, kms: Any, key: str) -> dict[str, Any]:
    request = {"Message": b"message", "SigningAlgorithm": "ECDSA_SHA_256"}
    return request | {"Signature": kms.sign(KeyId=key, **request)["Signature"]}


def authenticated(mock: Any, kms: Any, key: str) -> dict[str, Any]:
    request = {"Message": b"message", "MacAlgorithm": "HMAC_SHA_256"}
    return request | {"Mac": kms.generate_mac(KeyId=key, **request)["Mac"]}


def peer(mock: Any, kms: Any, key: str) -> dict[str, Any]:
    other = kms.create_key(**KINDS["agreement"])["KeyMetadata"]["KeyId"]
    return {"KeyAgreementAlgorithm": "ECDH", "PublicKey": kms.get_public_key(KeyId=other)["PublicKey"]}


def encapsulated(mock: Any, kms: Any, key: str) -> dict[str, Any]:
    answer = kms.encapsulate(KeyId=key, EncapsulationAlgorithm="ML_KEM")
    return {"EncapsulationAlgorithm": "ML_KEM", "SharedSecretCiphertextBlob": answer["SharedSecretCiphertextBlob"]}


def granted(mock: Any, kms: Any, key: str) -> dict[str, Any]:
    grantee = "arn:aws:iam::123456789012:user/alice"
    return {"GrantId": kms.create_grant(KeyId=key, GranteePrincipal=grantee, Operations=["Encrypt"])["GrantId"]}


def wrapped(mock: Any, kms: Any, key: str) -> dict[str, Any]:
    return request_of_import(kms, key, bytes(range(32)))


def imported(mock: Any, kms: Any, key: str) -> dict[str, Any]:
    kms.import_key_material(**wrapped(mock, kms, key))
    return {}


def replicated(mock: Any, kms: Any, key: str) -> dict[str, Any]:
    kms.replicate_key(KeyId=key, ReplicaRegion="eu-west-1")
    return {"PrimaryRegion": "eu-west-1"}


def new_store(mock: Any, kms: Any, key: str) -> dict[str, Any]:
    return {"CustomKeyStoreName": "store", **mock.key_stores.add_cluster().parameters}


def store_operation(*, connected: bool, **members: Any) -> Prepare:
    return lambda mock, *_: {"CustomKeyStoreId": mock.key_stores.add_store(connected=connected), **members}


_SIGNS = {"Message": b"message", "SigningAlgorithm": "ECDSA_SHA_256"}
_GRANT = {"GranteePrincipal": "arn:aws:iam::123456789012:user/alice", "Operations": ["Encrypt"]}
_MAC = {"Message": b"message", "MacAlgorithm": "HMAC_SHA_256"}

#: How to call every operation.
ROWS: Mapping[str, Row] = {
    "CancelKeyDeletion": Row(others=scheduled),
    "CreateAlias": Row(others=given(AliasName="alias/new"), members=("TargetKeyId",)),
    "CreateGrant": Row(others=given(**_GRANT)),
    "Decapsulate": Row("encapsulation", encapsulated),
    "Decrypt": Row(others=encrypted),
    "DeleteImportedKeyMaterial": Row("external", imported),
    "DeriveSharedSecret": Row("agreement", peer),
    "DescribeKey": Row(),
    "DisableKey": Row(),
    "DisableKeyRotation": Row(),
    "EnableKey": Row(),
    "EnableKeyRotation": Row(),
    "Encapsulate": Row("encapsulation", given(EncapsulationAlgorithm="ML_KEM")),
    "Encrypt": Row(others=given(Plaintext=b"plain")),
    "GenerateDataKey": Row(others=given(KeySpec="AES_256")),
    "GenerateDataKeyPair": Row(others=given(KeyPairSpec="ECC_NIST_P256")),
    "GenerateDataKeyPairWithoutPlaintext": Row(others=given(KeyPairSpec="ECC_NIST_P256")),
    "GenerateDataKeyWithoutPlaintext": Row(others=given(KeySpec="AES_256")),
    "GenerateMac": Row("mac", given(**_MAC)),
    "GetKeyLastUsage": Row(),
    "GetKeyPolicy": Row(),
    "GetKeyRotationStatus": Row(),
    "GetParametersForImport": Row(
        "external", given(WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048")
    ),
    "GetPublicKey": Row("signing"),
    "ImportKeyMaterial": Row("external", wrapped),
    "ListAliases": Row(),
    "ListGrants": Row(),
    "ListKeyPolicies": Row(),
    "ListKeyRotations": Row(),
    "ListResourceTags": Row(),
    "PutKeyPolicy": Row(others=given(Policy=_POLICY)),
    "ReEncrypt": Row(others=encrypted, members=("SourceKeyId", "DestinationKeyId")),
    "ReplicateKey": Row("multi-Region", given(ReplicaRegion="eu-west-1")),
    "RevokeGrant": Row(others=granted),
    "RotateKeyOnDemand": Row(),
    "ScheduleKeyDeletion": Row(),
    "Sign": Row("signing", given(**_SIGNS)),
    "TagResource": Row(others=given(Tags=[{"TagKey": "a", "TagValue": "b"}])),
    "UntagResource": Row(others=given(TagKeys=["a"])),
    "UpdateAlias": Row(others=alias_of, members=("TargetKeyId",)),
    "UpdateKeyDescription": Row(others=given(Description="new")),
    "UpdatePrimaryRegion": Row("multi-Region", replicated),
    "Verify": Row("signing", signed),
    "VerifyMac": Row("mac", authenticated),
    "CreateKey": Row(None),
    "DeleteAlias": Row(others=alias_of, members=()),
    "GenerateRandom": Row(None, given(NumberOfBytes=8)),
    "ListKeys": Row(None),
    "ListRetirableGrants": Row(None, given(RetiringPrincipal="arn:aws:iam::123456789012:user/alice")),
    "RetireGrant": Row(
        others=lambda mock, kms, key: (
            granted(mock, kms, key) | {"KeyId": kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"]}
        ),
        members=(),
    ),
    "ConnectCustomKeyStore": Row(None, store_operation(connected=False)),
    "CreateCustomKeyStore": Row(None, new_store),
    "DeleteCustomKeyStore": Row(None, store_operation(connected=False)),
    "DescribeCustomKeyStores": Row(None, store_operation(connected=True)),
    "DisconnectCustomKeyStore": Row(None, store_operation(connected=True)),
    "UpdateCustomKeyStore": Row(None, store_operation(connected=False, NewCustomKeyStoreName="new")),
}


@dataclass
class Prepared:
    """A call that AWS would answer.

    Attributes:
        key: the metadata of the key that it is about; empty if it is about none.
        members: the request members that name the key.
        request: the request, which names the key by its id.
    """

    operation: str
    client: Any
    key: dict[str, Any]
    members: tuple[str, ...]
    request: dict[str, Any] = field(default_factory=dict)

    def call(self, **changed: Any) -> dict[str, Any]:
        """Make the call, with some members of the request changed; return the answer without its metadata."""
        answer = getattr(self.client, xform_name(self.operation))(**self.request | changed)
        assert answer.pop("ResponseMetadata")["HTTPStatusCode"] == 200
        return answer


@pytest.fixture
def prepared(kms_mock: Any) -> Callable[[str], Prepared]:
    """Prepare a call of an operation: `prepared("Encrypt").call()`. A new operation needs a row in `ROWS`."""

    def prepare(operation: str) -> Prepared:
        assert operation in ROWS, f"{operation} has no row in {__file__}"
        row = ROWS[operation]
        client = kms_mock.client()
        if row.kind is None:
            return Prepared(operation, client, {}, (), row.others(kms_mock, client, ""))
        key = client.create_key(**KINDS[row.kind])["KeyMetadata"]
        request = row.others(kms_mock, client, key["KeyId"]) | dict.fromkeys(row.members, key["KeyId"])
        return Prepared(operation, client, key, row.members, request)

    return prepare


def _wrap(public_key: bytes, algorithm: str, material: bytes) -> bytes:
    """Wrap key material as the Developer Guide says, with `cryptography`."""
    digest = hashes.SHA1() if algorithm.endswith("SHA_1") else hashes.SHA256()
    wrapping_key = load_der_public_key(public_key)
    assert isinstance(wrapping_key, rsa.RSAPublicKey)
    oaep = padding.OAEP(padding.MGF1(digest), digest, None)
    if algorithm.startswith("RSAES_OAEP"):
        return wrapping_key.encrypt(material, oaep)
    aes_key = os.urandom(32)
    return wrapping_key.encrypt(aes_key, oaep) + aes_key_wrap_with_padding(aes_key, material)


@pytest.fixture
def wrap() -> Callable[[bytes, str, bytes], bytes]:
    """Wrap key material: `wrap(public_key, algorithm, material)`."""
    return _wrap


def request_of_import(
    client: BaseClient,
    key_id: str,
    material: bytes,
    *,
    algorithm: str = "RSAES_OAEP_SHA_256",
    wrapping_spec: str = "RSA_2048",
    **members: Any,
) -> dict[str, Any]:
    """Return the members of ImportKeyMaterial for some material; it is kept for ever unless `ValidTo` is given."""
    parameters = client.get_parameters_for_import(
        KeyId=key_id, WrappingAlgorithm=algorithm, WrappingKeySpec=wrapping_spec
    )
    if "ValidTo" not in members:
        members.setdefault("ExpirationModel", "KEY_MATERIAL_DOES_NOT_EXPIRE")
    return {
        "KeyId": key_id,
        "ImportToken": parameters["ImportToken"],
        "EncryptedKeyMaterial": _wrap(parameters["PublicKey"], algorithm, material),
        **members,
    }


@pytest.fixture
def import_material() -> ImportMaterial:
    """Import material into a key: `import_material(client, key_id, material, ValidTo=...)`, by default for ever."""
    return lambda client, key_id, material, **options: client.import_key_material(
        **request_of_import(client, key_id, material, **options)
    )
