"""The whole table "Key states of AWS KMS keys" of the Developer Guide: every operation in every state that can be made.

https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html, edition of April 2023, with rows for the newer
operations by the errors in their API reference. The numbers are the guide's footnotes; where it leaves open which of
two exceptions it is, the one that AWS was seen to answer stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.kms.conftest import request_of_import

from pytest_kmsmock._kms.api.service_model import service_description
from pytest_kmsmock._mock.kms_mock import KmsMock

HOME, ABROAD = "us-east-1", "eu-west-1"
STATES = ("Enabled", "Disabled", "Pending", "PendingImport", "Unavailable", "Creating", "Updating")

#: One row an operation: what it does in each of STATES. "Pending" is PendingDeletion and PendingReplicaDeletion.
#: Those with "?" depend on the key's origin (see `footnote`): "1?" is the guide's "[1] or [7]", "3?" "[3] or [7]", "8?"
#: "[8] or [9]". "-" cannot be made. Captured from AWS KMS, 2026-09, against the guide: GetPublicKey works with disabled
#: keys, GetKeyRotationStatus with imported material.
TABLE = """
CancelKeyDeletion                       4   4   ok  4   4   4   4
CreateAlias                             ok  ok  3   ok  ok  ok  ok
CreateGrant                             ok  1   3   5   ok  14  ok
Decrypt                                 ok  1   3   5   11  14  ok
DeleteAlias                             ok  ok  ok  ok  ok  ok  ok
DeleteImportedKeyMaterial               9?  9?  9?  ok  9   14  15
DescribeKey                             ok  ok  ok  ok  ok  ok  ok
DisableKey                              ok  ok  3   5   ok  14  15
DisableKeyRotation                      7?  1?  3?  6   7   14  7?
EnableKey                               ok  ok  3   5   ok  14  15
EnableKeyRotation                       7?  1?  3?  6   7   14  7?
Encrypt                                 ok  1   3   5   11  14  ok
GenerateDataKey                         ok  1   3   5   11  14  ok
GenerateDataKeyWithoutPlaintext         ok  1   3   5   11  14  ok
GenerateDataKeyPair                     ok  1   3   5   11  14  ok
GenerateDataKeyPairWithoutPlaintext     ok  1   3   5   11  14  ok
GenerateMac                             ok  1   3   5   -   14  ok
VerifyMac                               ok  1   3   5   -   14  ok
GetKeyPolicy                            ok  ok  ok  ok  ok  ok  ok
ListKeyPolicies                         ok  ok  ok  ok  ok  ok  ok
GetKeyRotationStatus                    7?  7?  7?  ok  7   7?  7?
GetParametersForImport                  9?  9?  8?  ok  9   14  15
GetPublicKey                            ok  ok  3   5   -   14  ok
ImportKeyMaterial                       9?  9?  8?  ok  9   14  9?
ListAliases                             ok  ok  ok  ok  ok  ok  ok
ListGrants                              ok  ok  ok  ok  ok  ok  ok
ListResourceTags                        ok  ok  ok  ok  ok  ok  ok
PutKeyPolicy                            ok  ok  ok  ok  ok  ok  ok
ReEncrypt (source)                      ok  1   3   5   11  14  ok
ReEncrypt (destination)                 ok  1   3   5   11  14  ok
ReplicateKey                            ok  1   3   5   -   14  15
RetireGrant                             ok  ok  ok  ok  ok  -   ok
RevokeGrant                             ok  ok  ok  ok  ok  -   ok
ScheduleKeyDeletion                     ok  ok  3   ok  ok  ok  15
Sign                                    ok  1   3   5   -   14  ok
Verify                                  ok  1   3   5   -   14  ok
TagResource                             ok  ok  3   ok  ok  ok  ok
UntagResource                           ok  ok  3   ok  ok  ok  ok
UpdateAlias (old key)                   ok  ok  ok  ok  ok  ok  ok
UpdateAlias (new key)                   ok  ok  10  ok  ok  ok  ok
UpdateKeyDescription                    ok  ok  3   ok  ok  ok  ok
UpdatePrimaryRegion                     ok  1   3   5   -   14  ok
DeriveSharedSecret                      ok  1   3   5   -   14  ok
Encapsulate                             ok  1   3   -   -   14  ok
Decapsulate                             ok  1   3   -   -   14  ok
RotateKeyOnDemand                       7?  1?  3?  5   7   14  7?
ListKeyRotations                        7?  7?  7?  ok  7   7?  7?
GetKeyLastUsage                         ok  ok  ok  ok  ok  ok  ok
"""

PENDING = "is pending deletion."
FOOTNOTES: Mapping[str, tuple[str, str | None]] = {
    "1": ("DisabledException", "{arn} is disabled."),
    "3": ("KMSInvalidStateException", "{arn} {pending}"),
    "4": ("KMSInvalidStateException", "{arn} is not pending deletion."),
    "5": ("KMSInvalidStateException", "{arn} is pending import."),
    "6": ("UnsupportedOperationException", "{arn} origin is EXTERNAL which is not valid for this operation."),
    "7": ("UnsupportedOperationException", None),
    "8": ("KMSInvalidStateException", "{arn} {pending}"),
    "9": ("UnsupportedOperationException", "{arn} origin is {origin} which is not valid for this operation."),
    "10": ("KMSInvalidStateException", "{arn} {pending}"),
    "11": ("KMSInvalidStateException", "{arn} is unavailable."),
    "14": ("KMSInvalidStateException", "{arn} is creating."),
    "15": ("KMSInvalidStateException", "{arn} is updating."),
}

#: Kind of key -> its Origin, and the states that it can be in.
KINDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "plain": ("AWS_KMS", ("Enabled", "Disabled", "PendingDeletion")),
    "imported": ("EXTERNAL", ("Enabled", "Disabled", "PendingDeletion", "PendingImport")),
    "in a store": ("AWS_CLOUDHSM", ("Enabled", "Disabled", "PendingDeletion", "Unavailable")),
    "in an external store": ("EXTERNAL_KEY_STORE", ("Enabled", "Disabled", "PendingDeletion", "Unavailable")),
    "multi-Region": ("AWS_KMS", ("Enabled", "Disabled", "PendingReplicaDeletion", "Creating", "Updating")),
    "imported multi-Region": ("EXTERNAL", ("Enabled", "PendingImport", "Creating", "Updating")),
}
FAMILIES: Mapping[str, dict[str, str]] = {
    "symmetric": {},
    "mac": {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
    "signing": {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"},
    "agreement": {"KeySpec": "ECC_NIST_P256", "KeyUsage": "KEY_AGREEMENT"},
    "encapsulation": {"KeySpec": "ML_KEM_768", "KeyUsage": "ENCAPSULATE_DECAPSULATE"},
}
P256 = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
MATERIAL = {"symmetric": bytes(range(32)), "mac": bytes(range(32)), "signing": P256, "agreement": P256}


def footnote(operation: str, cell: str, kind: str) -> str:
    """Return what happens with a key of a kind: "ok" or the number of a footnote."""
    otherwise = {"7?": "ok", "9?": "ok"}.get(cell, cell.removesuffix("?"))
    if cell in ("8?", "9?"):
        return otherwise if "imported" in kind else "9"
    if cell in ("1?", "3?", "7?"):
        if kind.endswith("store"):
            return "7"
        by_the_calendar = operation in ("EnableKeyRotation", "DisableKeyRotation")
        return "6" if "imported" in kind and by_the_calendar else otherwise
    return cell


# --- keys in their states ---


_clients: dict[str, Any] = {}


def client_of(kms: KmsMock, region: str) -> Any:
    """Return a client for a Region; one serves all tests here, whichever mock is active."""
    if region not in _clients:
        _clients[region] = kms.client(region=region)
    return _clients[region]


class Subject:
    """A key on its way into a state.

    Attributes:
        client: a client where the key is.
        key: its id.
        elsewhere: the Region of a related key.
    """

    def __init__(self, kms: KmsMock, family: str, kind: str, state: str, import_material: Callable[..., Any]) -> None:
        self.kms = kms
        self.family, self.kind, self.state = family, kind, state
        self.origin = KINDS[kind][0]
        self._import = import_material
        self.client = self.home = client_of(kms, HOME)
        self.elsewhere = ABROAD
        members: dict[str, Any] = dict(FAMILIES[family])
        if kind.endswith("store"):
            stores = kms.key_stores
            external = self.origin == "EXTERNAL_KEY_STORE"
            self.store = stores.add_store(stores.add_xks_proxy(keys=["one"]) if external else stores.add_cluster())
            members |= {"CustomKeyStoreId": self.store} | ({"XksKeyId": "one"} if external else {})
        if "multi-Region" in kind:
            members |= {"MultiRegion": True}
        self.key: str = self.home.create_key(Origin=self.origin, **members)["KeyMetadata"]["KeyId"]
        if self.origin == "EXTERNAL":
            self.import_material()
        if state in ("Updating", "PendingReplicaDeletion"):
            self.replicate()

    @property
    def arn(self) -> str:
        return f"arn:aws:kms:{self.client.meta.region_name}:123456789012:key/{self.key}"

    def import_material(self) -> None:
        self._import(self.client, self.key, MATERIAL[self.family])

    def replicate(self) -> None:
        """Make a related key; what is tested in `Updating` is the key that becomes the primary one."""
        self.home.replicate_key(KeyId=self.key, ReplicaRegion=ABROAD)
        if self.state == "Updating":
            self.client, self.elsewhere = client_of(self.kms, ABROAD), HOME
            if self.origin == "EXTERNAL":
                self.import_material()

    def enter(self) -> None:
        """Bring the key into its state."""
        for name in ("creating", "updating"):
            setattr(self.kms.delays, name, 3600)
        match self.state:
            case "Disabled":
                self.client.disable_key(KeyId=self.key)
            case "PendingDeletion" | "PendingReplicaDeletion":
                self.client.schedule_key_deletion(KeyId=self.key)
            case "PendingImport":
                self.client.delete_imported_key_material(KeyId=self.key)
            case "Unavailable":
                self.client.disconnect_custom_key_store(CustomKeyStoreId=self.store)
            case "Creating":
                self.home.replicate_key(KeyId=self.key, ReplicaRegion=ABROAD)
                self.client, self.elsewhere = client_of(self.kms, ABROAD), HOME
            case "Updating":
                self.home.update_primary_region(KeyId=self.key, PrimaryRegion=ABROAD)


# --- requests ---

Members = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """How to call an operation on a key.

    Attributes:
        prepare: gives the other members of the request; called before the key enters its state.
        family: the type of key.
        key_member: the member that names the key; None if `prepare` gives it.
        kinds: the kinds of keys that the operation can be tried on at all.
        late: states in which `prepare` is called when the key is in them already.
    """

    prepare: Callable[[Subject], Members] = lambda _: {}
    family: str = "symmetric"
    key_member: str | None = "KeyId"
    kinds: tuple[str, ...] = tuple(KINDS)
    late: tuple[str, ...] = ()


def members(**given: Any) -> Callable[[Subject], Members]:
    return lambda _: given


def encrypted(subject: Subject) -> Members:
    return {"CiphertextBlob": subject.client.encrypt(KeyId=subject.key, Plaintext=b"x")["CiphertextBlob"]}


def where_it_will_be(subject: Subject) -> Any:
    """Return a client where the key will be when it is in its state."""
    return client_of(subject.kms, ABROAD) if subject.state == "Creating" else subject.client


def other_key(subject: Subject) -> str:
    key: str = where_it_will_be(subject).create_key()["KeyMetadata"]["KeyId"]
    return key


def re_encrypt_from(subject: Subject) -> Members:
    return encrypted(subject) | {"DestinationKeyId": other_key(subject)}


def re_encrypt_to(subject: Subject) -> Members:
    source = other_key(subject)
    return {"CiphertextBlob": where_it_will_be(subject).encrypt(KeyId=source, Plaintext=b"x")["CiphertextBlob"]}


def mac(subject: Subject) -> Members:
    request = {"Message": b"m", "MacAlgorithm": "HMAC_SHA_256"}
    return request | {"Mac": subject.client.generate_mac(KeyId=subject.key, **request)["Mac"]}


def signature(subject: Subject) -> Members:
    request = {"Message": b"m", "SigningAlgorithm": "ECDSA_SHA_256"}
    return request | {"Signature": subject.client.sign(KeyId=subject.key, **request)["Signature"]}


def peer(subject: Subject) -> Members:
    public_key = subject.client.get_public_key(KeyId=subject.key)["PublicKey"]
    return {"KeyAgreementAlgorithm": "ECDH", "PublicKey": public_key}


def encapsulated(subject: Subject) -> Members:
    answer = subject.client.encapsulate(KeyId=subject.key, EncapsulationAlgorithm="ML_KEM")
    return {"EncapsulationAlgorithm": "ML_KEM", "SharedSecretCiphertextBlob": answer["SharedSecretCiphertextBlob"]}


def alias(subject: Subject) -> Members:
    subject.client.create_alias(AliasName="alias/mine", TargetKeyId=subject.key)
    return {"AliasName": "alias/mine"}


def alias_of_this_key(subject: Subject) -> Members:
    return alias(subject) | {"TargetKeyId": other_key(subject)}


def alias_of_another_key(subject: Subject) -> Members:
    subject.client.create_alias(AliasName="alias/mine", TargetKeyId=other_key(subject))
    return {"AliasName": "alias/mine"}


def grant(subject: Subject) -> Members:
    arguments = {"GranteePrincipal": "arn:aws:iam::123456789012:root", "Operations": ["Encrypt"]}
    return {"GrantId": subject.client.create_grant(KeyId=subject.key, **arguments)["GrantId"]}


def retired(subject: Subject) -> Members:
    return grant(subject) | {"KeyId": subject.arn}


def policy(subject: Subject) -> Members:
    return {"Policy": subject.client.get_key_policy(KeyId=subject.key)["Policy"]}


def wrapped(subject: Subject) -> Members:
    if subject.origin != "EXTERNAL":
        return {"ImportToken": b"?", "EncryptedKeyMaterial": b"?"}
    return request_of_import(subject.client, subject.key, MATERIAL["symmetric"])


def second_material(subject: Subject) -> Members:
    """Let there be something to rotate to: imported into the primary key, then into its replica."""
    if subject.origin == "EXTERNAL":
        for client in dict.fromkeys((subject.home, subject.client)):
            kind = "NEW_KEY_MATERIAL" if client is subject.home else "EXISTING_KEY_MATERIAL"
            subject._import(client, subject.key, bytes(32), ImportType=kind)
    return {}


def elsewhere(subject: Subject) -> Members:
    if subject.state == "Enabled":
        subject.replicate()
        if subject.origin == "EXTERNAL":
            subject._import(client_of(subject.kms, ABROAD), subject.key, MATERIAL["symmetric"])
    return {"PrimaryRegion": subject.elsewhere if subject.state != "Creating" else HOME}


TYPES = ("plain", "imported", "multi-Region")  # what keys of other types than symmetric can be
RELATED = ("multi-Region", "imported multi-Region")

REQUESTS: Mapping[str, Request] = {
    "CancelKeyDeletion": Request(),
    "CreateAlias": Request(members(AliasName="alias/new"), key_member="TargetKeyId"),
    "CreateGrant": Request(members(GranteePrincipal="arn:aws:iam::123456789012:root", Operations=["Encrypt"])),
    "Decrypt": Request(encrypted),
    "DeleteAlias": Request(alias, key_member=None, late=("Creating",)),
    "DeleteImportedKeyMaterial": Request(),
    "DescribeKey": Request(),
    "DisableKey": Request(),
    "DisableKeyRotation": Request(),
    "EnableKey": Request(),
    "EnableKeyRotation": Request(),
    "Encrypt": Request(members(Plaintext=b"x")),
    "GenerateDataKey": Request(members(KeySpec="AES_256")),
    "GenerateDataKeyWithoutPlaintext": Request(members(KeySpec="AES_256")),
    "GenerateDataKeyPair": Request(
        members(KeyPairSpec="ECC_NIST_P256"), kinds=("plain", "imported", "multi-Region", "imported multi-Region")
    ),
    "GenerateDataKeyPairWithoutPlaintext": Request(
        members(KeyPairSpec="ECC_NIST_P256"), kinds=("plain", "imported", "multi-Region", "imported multi-Region")
    ),
    "GenerateMac": Request(members(Message=b"m", MacAlgorithm="HMAC_SHA_256"), "mac", kinds=TYPES),
    "VerifyMac": Request(mac, "mac", kinds=TYPES),
    "GetKeyPolicy": Request(),
    "ListKeyPolicies": Request(),
    "GetKeyRotationStatus": Request(),
    "GetParametersForImport": Request(members(WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048")),
    "GetPublicKey": Request(family="signing", kinds=TYPES),
    "ImportKeyMaterial": Request(wrapped),
    "ListAliases": Request(),
    "ListGrants": Request(),
    "ListResourceTags": Request(),
    "PutKeyPolicy": Request(policy),
    "ReEncrypt (source)": Request(re_encrypt_from, key_member="SourceKeyId"),
    "ReEncrypt (destination)": Request(re_encrypt_to, key_member="DestinationKeyId"),
    "ReplicateKey": Request(members(ReplicaRegion="ap-south-1"), kinds=RELATED),
    "RetireGrant": Request(retired, key_member=None),
    "RevokeGrant": Request(grant),
    "ScheduleKeyDeletion": Request(),
    "Sign": Request(members(Message=b"m", SigningAlgorithm="ECDSA_SHA_256"), "signing", kinds=TYPES),
    "Verify": Request(signature, "signing", kinds=TYPES),
    "TagResource": Request(members(Tags=[{"TagKey": "a", "TagValue": "b"}])),
    "UntagResource": Request(members(TagKeys=["a"])),
    "UpdateAlias (old key)": Request(alias_of_this_key, key_member=None, late=("Creating",)),
    "UpdateAlias (new key)": Request(
        alias_of_another_key, key_member="TargetKeyId", late=(*STATES, "PendingDeletion", "PendingReplicaDeletion")
    ),
    "UpdateKeyDescription": Request(members(Description="new")),
    "UpdatePrimaryRegion": Request(elsewhere, kinds=RELATED),
    "DeriveSharedSecret": Request(peer, "agreement", kinds=TYPES),
    "Encapsulate": Request(members(EncapsulationAlgorithm="ML_KEM"), "encapsulation", kinds=("plain", "multi-Region")),
    "Decapsulate": Request(encapsulated, "encapsulation", kinds=("plain", "multi-Region")),
    "RotateKeyOnDemand": Request(second_material),
    "ListKeyRotations": Request(),
    "GetKeyLastUsage": Request(),
}


def rows() -> Iterator[tuple[str, dict[str, str]]]:
    for line in TABLE.strip().splitlines():
        *name, rest = line.split("  ", 1)
        cells = rest.split()
        yield "".join(name), dict(zip(STATES, cells, strict=True))


def cells() -> Iterator[Any]:
    for operation, row in rows():
        for kind in REQUESTS[operation].kinds:
            for state in KINDS[kind][1]:
                cell = row["Pending" if state.startswith("Pending") and state.endswith("Deletion") else state]
                if cell != "-":
                    number = footnote(operation, cell, kind)
                    yield pytest.param(operation, kind, state, number, id=f"{operation}-{kind}-{state}-{number}")


@pytest.mark.parametrize(("operation", "kind", "state", "number"), list(cells()))
def test_every_operation_in_every_state(
    kms_mock: KmsMock, import_material: Callable[..., Any], operation: str, kind: str, state: str, number: str
) -> None:
    request = REQUESTS[operation]
    subject = Subject(kms_mock, request.family, kind, state, import_material)
    late = state in request.late
    arguments = {} if late else request.prepare(subject)
    subject.enter()
    metadata = subject.client.describe_key(KeyId=subject.key)["KeyMetadata"]
    # API KeyMetadata: "When KeyState is Enabled this value is true, otherwise it is false".
    assert (metadata["KeyState"], metadata["Enabled"]) == (state, state == "Enabled")
    if late:
        arguments = request.prepare(subject)
    if request.key_member is not None:
        arguments |= {request.key_member: subject.key}
    call = getattr(subject.client, xform_name(operation.partition(" ")[0]))
    if number == "ok":
        assert call(**arguments)["ResponseMetadata"]["HTTPStatusCode"] == 200
        return
    code, text = FOOTNOTES[number]
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    error = refused.value.response["Error"]
    pending = "is pending replica deletion." if state == "PendingReplicaDeletion" else PENDING
    expected = None if text is None else text.format(arn=subject.arn, pending=pending, origin=subject.origin)
    assert (error["Code"], error["Message"] if expected is not None else None) == (code, expected)


def test_the_table_has_every_operation_that_is_about_a_key() -> None:
    description = service_description()
    about_a_key = {
        name
        for name, operation in description["operations"].items()
        if any(
            member.endswith("KeyId") and member != "XksKeyId"
            for member in description["shapes"][operation.get("input", {"shape": ""})["shape"]]["members"]
        )
    }
    assert {name.partition(" ")[0] for name, _ in rows()} == about_a_key | {"DeleteAlias"}
