"""`kms_mock.keys` and `kms_mock.decrypt`: looks inside that are no calls."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from botocore.client import BaseClient

from pytest_kmsmock import KmsMock, mock_kms
from pytest_kmsmock._testing.views.key_view import KeyView
from pytest_kmsmock.errors import CannotDecrypt, UnknownKey

MATERIAL = bytes(range(32))
ROLE = "arn:aws:iam::123456789012:role/App"


@pytest.fixture
def key(kms_mock: KmsMock) -> KeyView:
    return kms_mock.create_key(alias="alias/app", material=MATERIAL, tags={"team": "x"}, description="of the app")


# --- finding keys ---------------------------------------------------------------------------------------------------


def test_a_key_is_found_by_every_name(kms_mock: KmsMock, key: KeyView) -> None:
    alias_arn = f"arn:aws:kms:us-east-1:{kms_mock.account}:alias/app"
    for name in (key.id, key.arn, "alias/app", alias_arn):
        assert kms_mock.keys[name] == key
        assert name in kms_mock.keys


def test_keys_are_a_mapping_of_the_mocks_account_and_region(kms_mock: KmsMock, key: KeyView) -> None:
    other = kms_mock.create_key(region="eu-west-1")
    foreign = kms_mock.create_key(account="111122223333")
    second = kms_mock.create_key()
    assert list(kms_mock.keys) == [key.id, second.id]
    assert list(kms_mock.keys.values()) == [key, second]
    assert len(kms_mock.keys) == 2
    assert kms_mock.keys[other.arn] == other
    assert kms_mock.keys[foreign.arn] == foreign
    assert kms_mock.keys.get("alias/none") is None
    assert len({key, other, foreign, kms_mock.keys[key.id]}) == 3
    assert key != key.id


def test_shown_keys_are_recognised(kms_mock: KmsMock, key: KeyView) -> None:
    plain = kms_mock.create_key(spec="HMAC_256")
    shown = f"<KeyView alias/app SYMMETRIC_DEFAULT Enabled>, <KeyView {plain.id} HMAC_256 Enabled>"
    assert repr(kms_mock.keys) == f"<Keys of 123456789012 in us-east-1: {shown}>"
    with mock_kms(fresh=True) as empty:
        assert repr(empty.keys) == "<Keys of 123456789012 in us-east-1: none>"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        pytest.param("alias/ap", "Did you mean 'alias/app'?", id="close"),
        pytest.param("app", "Did you mean 'alias/app'?", id="without alias/"),
        pytest.param("alias/europe", "There is one in eu-west-1: look it up by its ARN.", id="in another Region"),
        pytest.param("alias/aws/s3", re.compile(r"Known: .*'alias/app'.*\."), id="unlike any"),
        pytest.param(None, re.compile(r"Known: .*'alias/app'.*\."), id="no text"),
    ],
)
def test_an_unknown_key_is_answered_with_what_helps(
    kms_mock: KmsMock, key: KeyView, name: Any, hint: str | re.Pattern[str]
) -> None:
    kms_mock.create_key(alias="alias/europe", region="eu-west-1")
    with pytest.raises(KeyError) as refused:
        kms_mock.keys[name]
    assert isinstance(refused.value, UnknownKey)
    start = f"Unknown key {name!r} in us-east-1 of account 123456789012. "
    assert str(refused.value).startswith(start)
    rest = str(refused.value).removeprefix(start)
    assert rest == hint if isinstance(hint, str) else hint.fullmatch(rest)


def test_an_unknown_key_of_an_empty_mock(kms_mock: KmsMock) -> None:
    with pytest.raises(UnknownKey, match=r"account 123456789012. There are no keys\.$"):
        kms_mock.keys["alias/app"]


def test_many_known_keys_are_not_all_listed(kms_mock: KmsMock) -> None:
    for number in range(12):
        kms_mock.create_key(alias=f"alias/{number:02}")
    with pytest.raises(UnknownKey, match=r", \.\.\.\.$"):
        kms_mock.keys["§§§§§§§§§§§§§§§"]


def test_a_predefined_alias_without_a_key_is_no_key(kms_mock: KmsMock, kms_client: BaseClient) -> None:
    kms_client.list_aliases()
    with pytest.raises(UnknownKey):
        kms_mock.keys["alias/aws/s3"]
    kms_client.describe_key(KeyId="alias/aws/s3")
    assert kms_mock.keys["alias/aws/s3"].record.manager == "AWS"


# --- what a view shows ----------------------------------------------------------------------------------------------


def test_a_view_shows_what_there_is(kms_client: BaseClient, key: KeyView) -> None:
    assert (key.spec, key.usage, key.origin, key.state) == (
        "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "AWS_KMS", "Enabled",
    )  # fmt: skip
    assert (key.alias, key.aliases, key.tags, key.description) == (
        "alias/app",
        ("alias/app",),
        {"team": "x"},
        "of the app",
    )
    assert key.arn == f"arn:aws:kms:us-east-1:123456789012:key/{key.id}"
    assert key.policy["Statement"][0]["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
    assert key.metadata == kms_client.describe_key(KeyId=key.id)["KeyMetadata"]
    assert key.created == key.metadata["CreationDate"]
    assert key.material() == MATERIAL
    assert key.material(key.materials[0].id) == MATERIAL
    assert (key.grants, key.rotations, key.rotation, key.last_usage, key.deletion_date) == ((), (), None, None, None)


def test_a_view_follows_the_key(kms_mock: KmsMock, kms_client: BaseClient, key: KeyView) -> None:
    kms_client.disable_key(KeyId=key.id)
    assert key.state == "Disabled"
    kms_client.delete_alias(AliasName="alias/app")
    assert key.alias is None
    kms_client.enable_key(KeyId=key.id)
    kms_client.encrypt(KeyId=key.id, Plaintext=b"x")
    assert key.last_usage is not None
    assert key.last_usage.operation == "Encrypt"
    kms_client.enable_key_rotation(KeyId=key.id, RotationPeriodInDays=90)
    assert key.rotation is not None
    assert key.rotation.period_days == 90
    before = key.material()
    kms_mock.clock.advance(days=91)
    assert len(key.rotations) == 1  # by looking, without a call
    assert key.material() != before == key.material(key.materials[0].id)


def test_a_deleted_key_says_so(kms_mock: KmsMock, kms_client: BaseClient, key: KeyView) -> None:
    date = kms_client.schedule_key_deletion(KeyId=key.id, PendingWindowInDays=7)["DeletionDate"]
    assert key.deletion_date == date
    kms_mock.clock.move_to(date + timedelta(seconds=1))
    assert repr(key) == f"<KeyView {key.id} deleted>"
    assert key.id not in kms_mock.keys
    with pytest.raises(UnknownKey, match=f"The key {key.id} in us-east-1 has been deleted."):
        _ = key.state


def test_public_keys_are_those_of_get_public_key(kms_mock: KmsMock, kms_client: BaseClient) -> None:
    key = kms_mock.create_key(spec="ECC_NIST_P256", usage="SIGN_VERIFY")
    assert key.public_key() == kms_client.get_public_key(KeyId=key.id)["PublicKey"]


def test_what_a_key_lacks_is_named(kms_mock: KmsMock, key: KeyView) -> None:
    with pytest.raises(UnknownKey, match=f"The key {key.id} has no public key: it is SYMMETRIC_DEFAULT and Enabled."):
        key.public_key()
    with pytest.raises(UnknownKey, match=f"The key {key.id} has no key material 00: it is Enabled."):
        key.material("00")
    waiting = kms_mock.create_key(origin="EXTERNAL")
    with pytest.raises(UnknownKey, match=f"The key {waiting.id} has no current key material: it is PendingImport."):
        waiting.material()


def test_looking_is_no_call_and_no_use(kms_mock: KmsMock, key: KeyView) -> None:
    blob = kms_mock.client().encrypt(KeyId=key.id, Plaintext=b"x")["CiphertextBlob"]
    used, calls = key.last_usage, list(kms_mock.calls)
    kms_mock.clock.advance(days=1)
    assert kms_mock.decrypt(blob).plaintext == b"x"
    _ = key.material(), key.metadata, repr(key), kms_mock.keys
    assert key.last_usage == used
    assert list(kms_mock.calls) == calls


# --- what is in a ciphertext ----------------------------------------------------------------------------------------


def test_a_ciphertext_tells_everything(kms_mock: KmsMock, kms_client: BaseClient, key: KeyView) -> None:
    context = {"tenant": "a"}
    blob = kms_client.encrypt(KeyId=key.id, Plaintext=b"x", EncryptionContext=context)["CiphertextBlob"]
    opened = kms_mock.decrypt(blob)
    assert (opened.plaintext, opened.key, opened.encryption_context) == (b"x", key, context)
    assert (opened.algorithm, opened.material_id) == ("SYMMETRIC_DEFAULT", key.materials[0].id)
    assert opened.is_data_key is False
    assert "plaintext" not in repr(opened)


def test_a_data_key_is_recognised(kms_mock: KmsMock, kms_client: BaseClient, key: KeyView) -> None:
    made = kms_client.generate_data_key(KeyId=key.id, KeySpec="AES_128", EncryptionContext={"a": "b"})
    opened = kms_mock.decrypt(made["CiphertextBlob"])
    assert (opened.plaintext, opened.is_data_key) == (made["Plaintext"], True)


def test_re_encrypted_ciphertexts_have_the_context_of_their_destination(
    kms_mock: KmsMock, kms_client: BaseClient, key: KeyView
) -> None:
    blob = kms_client.encrypt(KeyId=key.id, Plaintext=b"x", EncryptionContext={"n": "1"})["CiphertextBlob"]
    again = kms_client.re_encrypt(
        CiphertextBlob=blob, SourceEncryptionContext={"n": "1"}, DestinationKeyId=key.id,
        DestinationEncryptionContext={"n": "2"},
    )["CiphertextBlob"]  # fmt: skip
    assert kms_mock.decrypt(again).encryption_context == {"n": "2"}


@pytest.mark.parametrize("state", ["disabled", "pending deletion", "denied to everyone"])
def test_neither_key_state_nor_policy_matters(
    kms_mock: KmsMock, kms_client: BaseClient, key: KeyView, state: str
) -> None:
    blob = kms_client.encrypt(KeyId=key.id, Plaintext=b"x")["CiphertextBlob"]
    if state == "disabled":
        kms_client.disable_key(KeyId=key.id)
    elif state == "pending deletion":
        kms_client.schedule_key_deletion(KeyId=key.id)
    else:
        kms_client.put_key_policy(
            KeyId=key.id, BypassPolicyLockoutSafetyCheck=True,
            Policy='{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*"}]}',
        )  # fmt: skip
    assert kms_mock.decrypt(blob).plaintext == b"x"


def test_contexts_of_the_mocks_around_are_known(kms_client: BaseClient, key: KeyView) -> None:
    blob = kms_client.encrypt(KeyId=key.id, Plaintext=b"x", EncryptionContext={"a": "b"})["CiphertextBlob"]
    with mock_kms() as inner:
        assert inner.decrypt(blob).encryption_context == {"a": "b"}


def test_an_unknown_context_is_asked_for(kms_mock: KmsMock, kms_client: BaseClient, key: KeyView) -> None:
    blob = kms_client.encrypt(KeyId=key.id, Plaintext=b"x", EncryptionContext={"a": "b"})["CiphertextBlob"]
    kms_mock.calls.clear()
    with pytest.raises(
        CannotDecrypt, match=r"an encryption context that no call of this mock had: give it as context="
    ):
        kms_mock.decrypt(blob)
    with pytest.raises(CannotDecrypt, match=r"another encryption context than \{'a': 'c'\}\."):
        kms_mock.decrypt(blob, context={"a": "c"})
    assert kms_mock.decrypt(blob, context={"a": "b"}).plaintext == b"x"


def test_keys_that_were_looked_up_are_names_too(kms_mock: KmsMock, kms_client: BaseClient, key: KeyView) -> None:
    blob = kms_client.encrypt(KeyId=key.id, Plaintext=b"x")["CiphertextBlob"]
    abroad = kms_mock.create_key(region="eu-west-1")
    assert (kms_mock.keys[key], kms_mock.keys[abroad]) == (key, abroad)
    assert kms_mock.decrypt(blob, key=key).plaintext == b"x"


@pytest.mark.parametrize("name", [None, 5, ["alias/app"]], ids=repr)
def test_what_is_no_name_is_no_key(kms_mock: KmsMock, key: KeyView, name: Any) -> None:
    with pytest.raises(UnknownKey, match=re.escape(f"Unknown key {name!r} in us-east-1")):
        kms_mock.keys[name]


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_ciphertexts_come_in_any_kind_of_bytes(
    kms_mock: KmsMock, kms_client: BaseClient, key: KeyView, kind: type[bytes]
) -> None:
    blob = kms_client.encrypt(KeyId=key.id, Plaintext=b"x")["CiphertextBlob"]
    assert kms_mock.decrypt(kind(blob)).plaintext == b"x"


@pytest.mark.parametrize("blob", [None, "AQICAH", 5], ids=repr)
def test_what_is_no_ciphertext_at_all_is_refused(kms_mock: KmsMock, blob: Any) -> None:
    with pytest.raises(
        CannotDecrypt, match=r"^decrypt\(\) takes a ciphertext as bytes, such as a CiphertextBlob, not "
    ):
        kms_mock.decrypt(blob)


@pytest.mark.parametrize("context", ["tenant", {"a": 1}, [("a", "b")]], ids=repr)
def test_what_is_no_encryption_context_is_refused(
    kms_mock: KmsMock, kms_client: BaseClient, key: KeyView, context: Any
) -> None:
    blob = kms_client.encrypt(KeyId=key.id, Plaintext=b"x")["CiphertextBlob"]
    with pytest.raises(CannotDecrypt, match=r"^An encryption context must be a mapping of strings to strings, not "):
        kms_mock.decrypt(blob, context=context)


def test_ciphertexts_of_unknown_keys_and_material_are_named(
    kms_mock: KmsMock, kms_client: BaseClient, key: KeyView
) -> None:
    with mock_kms(fresh=True) as elsewhere:
        foreign = elsewhere.create_key()
        blob = elsewhere.client().encrypt(KeyId=foreign.id, Plaintext=b"x")["CiphertextBlob"]
    with pytest.raises(CannotDecrypt, match=f"is of the key {foreign.id}, which this mock does not have"):
        kms_mock.decrypt(blob)
    imported = kms_mock.create_key(origin="EXTERNAL", material=MATERIAL)
    blob = kms_client.encrypt(KeyId=imported.id, Plaintext=b"x")["CiphertextBlob"]
    kms_client.delete_imported_key_material(KeyId=imported.id)
    with pytest.raises(CannotDecrypt, match=f"the key {imported.id}, which no longer has its key material [0-9a-f]+"):
        kms_mock.decrypt(blob)


def test_ciphertexts_of_public_keys_find_their_key(kms_mock: KmsMock, kms_client: BaseClient, key: KeyView) -> None:
    rsa = [kms_mock.create_key(spec="RSA_2048", usage="ENCRYPT_DECRYPT", alias=f"alias/rsa{n}") for n in (1, 2)]
    kms_mock.create_key(spec="RSA_2048", usage="SIGN_VERIFY")
    kms_mock.create_key(spec="RSA_2048", usage="ENCRYPT_DECRYPT", origin="EXTERNAL")
    blob = kms_client.encrypt(KeyId=rsa[1].id, Plaintext=b"x", EncryptionAlgorithm="RSAES_OAEP_SHA_256")[
        "CiphertextBlob"
    ]
    opened = kms_mock.decrypt(blob)
    assert (opened.plaintext, opened.key, opened.algorithm) == (b"x", rsa[1], "RSAES_OAEP_SHA_256")
    assert (opened.material_id, opened.is_data_key, opened.encryption_context) == (None, None, {})
    assert kms_mock.decrypt(blob, key="alias/rsa2") == opened
    with pytest.raises(CannotDecrypt, match=f"^These 256 bytes are not a ciphertext of the key {rsa[0].id}"):
        kms_mock.decrypt(blob, key="alias/rsa1")
    with pytest.raises(CannotDecrypt, match=r"^These 5 bytes are not a ciphertext of any key of this mock"):
        kms_mock.decrypt(b"12345")


def test_a_symmetric_ciphertext_of_another_key_is_refused(kms_mock, kms_client):
    one, other = kms_mock.create_key(), kms_mock.create_key()
    blob = kms_client.encrypt(KeyId=one.id, Plaintext=b"x")["CiphertextBlob"]
    assert kms_mock.decrypt(blob, key=one).plaintext == b"x"
    with pytest.raises(CannotDecrypt, match=f"^The ciphertext is of the key {one.id}, not of {other.id}.$"):
        kms_mock.decrypt(blob, key=other.arn)
