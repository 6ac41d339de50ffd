"""What all operations have in common: they exist, answer as the model says, and find and check their keys alike.

Each operation is called with a request that AWS would answer; the tables below say which key it is about.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.loaders import Loader
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_der_public_key

from pytest_kmsmock.service.errors import NOT_BUILT
from pytest_kmsmock.service.operation import OPERATIONS
from pytest_kmsmock.service.operations import load
from pytest_kmsmock.service.records import CustomKeyStore, Deletion, Transition

load()
MODEL = Loader().load_service_model("kms", "service-2")
SHAPES = MODEL["shapes"]
FAR_AWAY = datetime(2100, 1, 1, tzinfo=timezone.utc)
POLICY = (
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

Prepare = Callable[[Any, str], dict[str, Any]]


def nothing(_kms: Any, _key: str) -> dict[str, Any]:
    return {}


def given(**members: Any) -> Prepare:
    return lambda _kms, _key: members


@dataclass(frozen=True)
class Row:
    """How to call an operation: what kind of key it needs, the other members, and the members that name the key."""

    kind: str | None = "symmetric"
    others: Prepare = nothing
    members: tuple[str, ...] = ("KeyId",)


def alias_of(kms: Any, key: str) -> dict[str, Any]:
    kms.create_alias(AliasName="alias/prepared", TargetKeyId=key)
    return {"AliasName": "alias/prepared"}


def scheduled(kms: Any, key: str) -> dict[str, Any]:
    kms.schedule_key_deletion(KeyId=key)
    return {}


def encrypted(kms: Any, key: str) -> dict[str, Any]:
    return {"CiphertextBlob": kms.encrypt(KeyId=key, Plaintext=b"plain")["CiphertextBlob"]}


def signed(kms: Any, key: str) -> dict[str, Any]:
    request = {"Message": b"message", "SigningAlgorithm": "ECDSA_SHA_256"}
    return request | {"Signature": kms.sign(KeyId=key, **request)["Signature"]}


def authenticated(kms: Any, key: str) -> dict[str, Any]:
    request = {"Message": b"message", "MacAlgorithm": "HMAC_SHA_256"}
    return request | {"Mac": kms.generate_mac(KeyId=key, **request)["Mac"]}


def peer(kms: Any, key: str) -> dict[str, Any]:
    other = kms.create_key(**KINDS["agreement"])["KeyMetadata"]["KeyId"]
    return {"KeyAgreementAlgorithm": "ECDH", "PublicKey": kms.get_public_key(KeyId=other)["PublicKey"]}


def encapsulated(kms: Any, key: str) -> dict[str, Any]:
    answer = kms.encapsulate(KeyId=key, EncapsulationAlgorithm="ML_KEM")
    return {"EncapsulationAlgorithm": "ML_KEM", "SharedSecretCiphertextBlob": answer["SharedSecretCiphertextBlob"]}


def granted(kms: Any, key: str) -> dict[str, Any]:
    grantee = "arn:aws:iam::123456789012:user/alice"
    return {"GrantId": kms.create_grant(KeyId=key, GranteePrincipal=grantee, Operations=["Encrypt"])["GrantId"]}


def wrapped(kms: Any, key: str) -> dict[str, Any]:
    parameters = kms.get_parameters_for_import(
        KeyId=key, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
    )
    sha256 = hashes.SHA256()
    material = load_der_public_key(parameters["PublicKey"]).encrypt(
        bytes(range(32)), padding.OAEP(padding.MGF1(sha256), sha256, None)
    )
    return {
        "ImportToken": parameters["ImportToken"],
        "EncryptedKeyMaterial": material,
        "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
    }


def imported(kms: Any, key: str) -> dict[str, Any]:
    kms.import_key_material(KeyId=key, **wrapped(kms, key))
    return {}


def replicated(kms: Any, key: str) -> dict[str, Any]:
    kms.replicate_key(KeyId=key, ReplicaRegion="eu-west-1")
    return {"PrimaryRegion": "eu-west-1"}


_SIGNS = {"Message": b"message", "SigningAlgorithm": "ECDSA_SHA_256"}
_GRANT = {"GranteePrincipal": "arn:aws:iam::123456789012:user/alice", "Operations": ["Encrypt"]}
_MAC = {"Message": b"message", "MacAlgorithm": "HMAC_SHA_256"}

#: How to call every operation that is about a key.
KEY_OPERATIONS: Mapping[str, Row] = {
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
    "PutKeyPolicy": Row(others=given(Policy=POLICY)),
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
}

#: How to call the other operations, by what `others` gives for a symmetric key.
OTHER_OPERATIONS: Mapping[str, Row] = {
    "CreateKey": Row(None),
    "DeleteAlias": Row(others=alias_of, members=()),
    "GenerateRandom": Row(None, given(NumberOfBytes=8)),
    "ListKeys": Row(None),
    "ListRetirableGrants": Row(None, given(RetiringPrincipal="arn:aws:iam::123456789012:user/alice")),
    "RetireGrant": Row(
        others=lambda kms, key: granted(kms, key) | {"KeyId": kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"]},
        members=(),
    ),
}


def create(kms: Any, kind: str) -> dict[str, Any]:
    return kms.create_key(**KINDS[kind])["KeyMetadata"]


def call(kms: Any, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
    return getattr(kms, xform_name(operation))(**request)


def check_shape(value: Any, name: str, path: str) -> None:
    """Fail when an answer is not as the model says: a member too many or of the wrong type, a pattern, an enum."""
    shape = SHAPES[name]
    kind = shape["type"]
    if kind == "structure":
        assert value.keys() <= shape["members"].keys(), path
        assert set(shape.get("required", ())) <= value.keys(), path
        for member, item in value.items():
            check_shape(item, shape["members"][member]["shape"], f"{path}.{member}")
        return
    if kind == "list":
        for item in value:
            check_shape(item, shape["member"]["shape"], f"{path}[]")
        return
    types = {"string": str, "integer": int, "boolean": bool, "blob": bytes, "timestamp": datetime}
    assert type(value) is types[kind] or (kind == "timestamp" and isinstance(value, datetime)), path
    size = value if kind == "integer" else len(value) if kind in ("string", "blob") else 0
    assert shape.get("min", size) <= size <= shape.get("max", size), path
    assert "enum" not in shape or value in shape["enum"], path
    assert "pattern" not in shape or re.fullmatch(shape["pattern"], value), path
    assert kind != "timestamp" or value.tzinfo is not None, path


@pytest.mark.parametrize("operation", sorted(MODEL["operations"]))
def test_every_operation_answers_as_modelled_or_says_that_it_is_not_built(kms_mock, refusal, operation):
    if operation not in OPERATIONS:
        unchecked = kms_mock.client(config=Config(parameter_validation=False))
        with refusal("UnknownOperationException", NOT_BUILT(operation=operation).message):
            call(unchecked, operation, {})
        return
    kms = kms_mock.client()
    row = (KEY_OPERATIONS | OTHER_OPERATIONS)[operation]
    key = create(kms, row.kind)["KeyId"] if row.kind else ""
    answer = call(kms, operation, row.others(kms, key) | dict.fromkeys(row.members if row.kind else (), key))
    assert answer.pop("ResponseMetadata")["HTTPStatusCode"] == 200
    output = MODEL["operations"][operation].get("output")
    if output is None:
        assert answer == {}
    else:
        check_shape(answer, output["shape"], operation)


def test_no_operation_is_invented():
    assert set(OPERATIONS) <= set(MODEL["operations"])


# --- key identifiers ---------------------------------------------------------------------------------------------

#: API reference and Developer Guide, "Key identifiers": cryptographic operations, DescribeKey and GetPublicKey take all
#: four forms; all others take key id and key ARN only.
TAKES_ALIASES = {
    "Decapsulate", "Decrypt", "DeriveSharedSecret", "DescribeKey", "Encapsulate", "Encrypt", "GenerateDataKey",
    "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext", "GenerateDataKeyWithoutPlaintext", "GenerateMac",
    "GetPublicKey", "ReEncrypt", "Sign", "Verify", "VerifyMac",
}  # fmt: skip

IDENTIFIED = [
    pytest.param(operation, member, id=f"{operation}.{member}")
    for operation, row in KEY_OPERATIONS.items()
    if operation in OPERATIONS
    for member in row.members
]


def test_the_table_agrees_with_the_reference():
    """The documentation of each member lists the forms; GenerateMac and VerifyMac leave them out."""
    documented = set()
    for operation, row in KEY_OPERATIONS.items():
        members = SHAPES[MODEL["operations"][operation]["input"]["shape"]]["members"]
        if all("Alias name: <code>alias/" in members[member]["documentation"] for member in row.members):
            documented.add(operation)
    assert TAKES_ALIASES - documented == {"GenerateMac", "VerifyMac"}
    assert documented <= TAKES_ALIASES


def test_the_table_has_every_operation_with_a_key_identifier():
    named = {
        name
        for name, operation in MODEL["operations"].items()
        if {"KeyId", "SourceKeyId", "TargetKeyId"} & SHAPES[operation["input"]["shape"]]["members"].keys()
    }
    assert named == KEY_OPERATIONS.keys() | {"RetireGrant"}  # by ARN only


@pytest.mark.parametrize(("operation", "member"), IDENTIFIED)
@pytest.mark.parametrize("form", ["key id", "key ARN", "alias name", "alias ARN"])
def test_forms_of_key_identifiers(kms_client, refusal, operation, member, form):
    row = KEY_OPERATIONS[operation]
    key = create(kms_client, row.kind)
    request = dict.fromkeys(row.members, key["KeyId"])
    kms_client.create_alias(AliasName="alias/named", TargetKeyId=key["KeyId"])
    identifier = {
        "key id": key["KeyId"],
        "key ARN": key["Arn"],
        "alias name": "alias/named",
        "alias ARN": "arn:aws:kms:us-east-1:123456789012:alias/named",
    }[form]
    request |= row.others(kms_client, key["KeyId"]) | {member: identifier}
    if "alias" not in form or operation in TAKES_ALIASES:
        answer = call(kms_client, operation, request)
        # Cryptographic operations answer with the ARN, whatever the request had: "Responses that surprise".
        assert answer.get("KeyId", key["Arn"]) == key["Arn"]
    elif operation in ("CreateAlias", "UpdateAlias"):
        with refusal("ValidationException", "Aliases must refer to keys. Not aliases"):
            call(kms_client, operation, request)
    else:
        with refusal("NotFoundException", f"Invalid keyId {identifier}"):
            call(kms_client, operation, request)


MISSING = "1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.mark.parametrize(("operation", "member"), IDENTIFIED)
@pytest.mark.parametrize(
    ("identifier", "text"),
    [
        pytest.param(MISSING, f"Key 'arn:aws:kms:us-east-1:123456789012:key/{MISSING}' does not exist",
                     id="unknown id: boto/botocore#2107"),
        pytest.param(f"arn:aws:kms:us-east-1:123456789012:key/{MISSING}",
                     f"Key 'arn:aws:kms:us-east-1:123456789012:key/{MISSING}' does not exist",
                     id="unknown ARN: boundary-reference-architecture#15"),
        pytest.param("martin", "Invalid keyId martin", id="no identifier: provider-aws#685"),
        pytest.param(f"arn:aws:kms:eu-west-1:123456789012:key/{MISSING}", "Invalid arn eu-west-1",
                     id="ARN of another Region (B)"),
    ],
)  # fmt: skip
def test_identifiers_of_nothing(kms_client, refusal, operation, member, identifier, text):
    row = KEY_OPERATIONS[operation]
    key = create(kms_client, row.kind)["KeyId"]
    request = dict.fromkeys(row.members, key) | row.others(kms_client, key) | {member: identifier}
    with refusal("NotFoundException", text):
        call(kms_client, operation, request)


@pytest.mark.parametrize(("operation", "member"), IDENTIFIED)
@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:kms:us-east-1:123456789012:secret/a",
        "arn:aws:iam::123456789012:user/a",
        f"arn:aws-cn:kms:us-east-1:123456789012:key/{MISSING}",
    ],
)
def test_malformed_arns(kms_client, refusal, operation, member, arn):
    """InvalidArnException where the model has it for the operation, else NotFoundException (B)."""
    row = KEY_OPERATIONS[operation]
    key = create(kms_client, row.kind)["KeyId"]
    request = dict.fromkeys(row.members, key) | row.others(kms_client, key) | {member: arn}
    modelled = {error["shape"] for error in MODEL["operations"][operation]["errors"]}
    code = "InvalidArnException" if "InvalidArnException" in modelled else "NotFoundException"
    with refusal(code, f"Invalid arn {arn}"):
        call(kms_client, operation, request)


# --- key states --------------------------------------------------------------------------------------------------

DISABLED = ("DisabledException", "{arn} is disabled.")
PENDING_DELETION = ("KMSInvalidStateException", "{arn} is pending deletion.")
PENDING_REPLICA_DELETION = ("KMSInvalidStateException", "{arn} is pending replica deletion.")
NOT_PENDING_DELETION = ("KMSInvalidStateException", "{arn} is not pending deletion.")
PENDING_IMPORT = ("KMSInvalidStateException", "{arn} is pending import.")
UNAVAILABLE = ("KMSInvalidStateException", "{arn} is unavailable.")
CREATING = ("KMSInvalidStateException", "{arn} is creating.")
UPDATING = ("KMSInvalidStateException", "{arn} is updating.")

STATES = (
    "Disabled",
    "PendingDeletion",
    "PendingReplicaDeletion",
    "PendingImport",
    "Unavailable",
    "Creating",
    "Updating",
)
_PENDING = {"PendingDeletion": PENDING_DELETION, "PendingReplicaDeletion": PENDING_REPLICA_DELETION}
_CRYPTO = {
    "Disabled": DISABLED, **_PENDING, "PendingImport": PENDING_IMPORT, "Unavailable": UNAVAILABLE, "Creating": CREATING,
}  # fmt: skip
_SWITCH = {**_PENDING, "PendingImport": PENDING_IMPORT, "Creating": CREATING, "Updating": UPDATING}

#: Developer Guide, "Key states of AWS KMS keys", its table row by row: what refuses the operation. States that are not
#: named allow it. Rotation and import, whose rows depend on the key's origin, are tested with their operations.
REFUSED: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "CancelKeyDeletion": dict.fromkeys(
        ("Disabled", "PendingImport", "Unavailable", "Creating", "Updating"), NOT_PENDING_DELETION
    ),
    "CreateAlias": _PENDING,
    "CreateGrant": {state: refusal for state, refusal in _CRYPTO.items() if state != "Unavailable"},
    "Decapsulate": _CRYPTO,
    "Decrypt": _CRYPTO,
    "DeriveSharedSecret": _CRYPTO,
    "DescribeKey": {},
    "DisableKey": _SWITCH,
    "EnableKey": _SWITCH,
    "Encapsulate": _CRYPTO,
    "Encrypt": _CRYPTO,
    "GenerateDataKey": _CRYPTO,
    "GenerateDataKeyPair": _CRYPTO,
    "GenerateDataKeyPairWithoutPlaintext": _CRYPTO,
    "GenerateDataKeyWithoutPlaintext": _CRYPTO,
    "GenerateMac": _CRYPTO,
    "GetKeyLastUsage": {},
    "GetKeyPolicy": {},
    "GetPublicKey": _CRYPTO,
    "ListAliases": {},
    "ListGrants": {},
    "ListKeyPolicies": {},
    "ListResourceTags": {},
    "PutKeyPolicy": {},
    "ReEncrypt": _CRYPTO,
    "RevokeGrant": {},
    "ScheduleKeyDeletion": {**_PENDING, "Updating": UPDATING},
    "Sign": _CRYPTO,
    "TagResource": _PENDING,
    "UntagResource": _PENDING,
    "UpdateAlias": _PENDING,
    "UpdateKeyDescription": _PENDING,
    "Verify": _CRYPTO,
    "VerifyMac": _CRYPTO,
}


def put_in_state(kms_mock: Any, key_id: str, state: str) -> None:
    """Bring a key to a state, on its record: some states last a moment only, or need hardware."""
    everything = kms_mock.service.state
    region = everything.region("123456789012", "us-east-1")
    key = region.keys[key_id]
    changes: dict[str, Any] = {
        "Enabled": {"deletion": None},
        "Disabled": {"enabled": False, "deletion": None},
        "PendingDeletion": {"deletion": Deletion(30, FAR_AWAY)},
        "PendingReplicaDeletion": {"deletion": Deletion(30, None)},
        "PendingImport": {"origin": "EXTERNAL", "materials": (), "deletion": None},
        "Unavailable": {"origin": "AWS_CLOUDHSM", "custom_key_store_id": "cks-1", "deletion": None},
        "Creating": {"transition": Transition("Creating", FAR_AWAY), "deletion": None},
        "Updating": {"transition": Transition("Updating", FAR_AWAY), "deletion": None},
    }[state]
    region.custom_key_stores["cks-1"] = CustomKeyStore("cks-1", "store", "AWS_CLOUDHSM", FAR_AWAY)
    everything.change_key(key, **changes)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("operation", sorted(REFUSED.keys() & OPERATIONS.keys()))
def test_key_states(kms_mock, kms_client, refusal, operation, state):
    row = KEY_OPERATIONS[operation]
    key = create(kms_client, row.kind)
    request = row.others(kms_client, key["KeyId"]) | dict.fromkeys(row.members, key["KeyId"])
    put_in_state(kms_mock, key["KeyId"], state)
    assert kms_client.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == state
    if state in REFUSED[operation]:
        code, text = REFUSED[operation][state]
        with refusal(code, text.format(arn=key["Arn"])):
            call(kms_client, operation, request)
    else:
        call(kms_client, operation, request)


@pytest.mark.parametrize("state", ["Disabled", "PendingDeletion"])
def test_either_key_of_re_encrypt_refuses(kms_mock, kms_client, refusal, state):
    source, destination = create(kms_client, "symmetric"), create(kms_client, "symmetric")
    blob = encrypted(kms_client, source["KeyId"])
    put_in_state(kms_mock, destination["KeyId"], state)
    code, text = _CRYPTO[state]
    with refusal(code, text.format(arn=destination["Arn"])):
        kms_client.re_encrypt(**blob, DestinationKeyId=destination["KeyId"])


def test_enabled_follows_from_the_state(kms_mock, kms_client):
    """API KeyMetadata: "When KeyState is Enabled this value is true, otherwise it is false"."""
    for state in ("Enabled", *STATES):
        key_id = create(kms_client, "symmetric")["KeyId"]
        put_in_state(kms_mock, key_id, state)
        assert kms_client.describe_key(KeyId=key_id)["KeyMetadata"]["Enabled"] is (state == "Enabled")


# --- the order of the steps --------------------------------------------------------------------------------------


def test_shape_comes_before_the_key(kms_client, refusal):
    """Facts on key states, section 5: a Decrypt with an empty blob gives ValidationException, whoever asks."""
    with refusal("ValidationException"):
        kms_client.encrypt(KeyId=MISSING, Plaintext=b"")


def test_state_comes_before_usage(kms_client, refusal):
    key = create(kms_client, "signing")
    kms_client.disable_key(KeyId=key["KeyId"])
    with refusal("DisabledException", f"{key['Arn']} is disabled."):
        kms_client.encrypt(KeyId=key["KeyId"], Plaintext=b"x")


def test_usage(kms_client, refusal):
    key = create(kms_client, "signing")
    text = f"{key['Arn']} key usage is SIGN_VERIFY which is not valid for Encrypt."  # jonathankeebler/jwt-kms#4
    with refusal("InvalidKeyUsageException", text):
        kms_client.encrypt(KeyId=key["KeyId"], Plaintext=b"x")


def test_an_unknown_operation(kms_mock):
    from pytest_kmsmock.service.caller import administrator
    from pytest_kmsmock.service.errors import KmsError

    with pytest.raises(KmsError) as refused:
        kms_mock.service.call("MakeCoffee", {}, administrator("123456789012"), "us-east-1")
    assert (refused.value.code, refused.value.message) == ("UnknownOperationException", "")


def test_an_operation_of_a_newer_botocore_is_named(kms_client, refusal, monkeypatch):
    monkeypatch.delitem(OPERATIONS, "ListKeys")
    with refusal("UnknownOperationException", re.compile(".*does not know the KMS operation ListKeys: .*")):
        kms_client.list_keys()


def test_every_call_settles_what_is_due(kms_mock, kms_client, refusal):
    key = create(kms_client, "symmetric")
    kms_client.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    kms_mock.clock.advance(timedelta(days=7))
    with refusal("NotFoundException", f"Key '{key['Arn']}' does not exist"):
        kms_client.describe_key(KeyId=key["KeyId"])
