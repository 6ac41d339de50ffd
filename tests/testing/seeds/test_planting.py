"""`kms_mock.create_key`: a key with everything in one step, or nothing."""

from __future__ import annotations

import base64
import enum
import json
import subprocess
import sys
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import pytest
from botocore.client import BaseClient
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from pytest_kmsmock import KmsMock, KmsMockError, mock_kms
from pytest_kmsmock._kms.api.key_specs import KEY_SPECS
from pytest_kmsmock._kms.crypto.primitives import der
from pytest_kmsmock.errors import InvalidArgument, InvalidSeed, MissingExtra

ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
RELATED_ID = "mrk-1234abcd12ab34cd56ef1234567890ab"
MATERIAL = bytes(range(32))
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:role/Admin"}, "Action": "kms:*",
                   "Resource": "*"}],
}  # fmt: skip


def test_a_key_is_made_in_one_step(kms_mock: KmsMock, kms_client: BaseClient) -> None:
    key = kms_mock.create_key(
        alias="alias/app", aliases=["alias/other"], key_id=ID, description="of the app", tags={"team": "x"},
        material=MATERIAL,
    )  # fmt: skip
    assert (key.id, key.alias, key.aliases) == (ID, "alias/app", ("alias/app", "alias/other"))
    assert key.arn == f"arn:aws:kms:us-east-1:123456789012:key/{ID}"
    metadata = kms_client.describe_key(KeyId="alias/other")["KeyMetadata"]
    assert (metadata["KeyId"], metadata["Arn"], metadata["Description"]) == (ID, key.arn, "of the app")
    assert kms_client.list_resource_tags(KeyId=ID)["Tags"] == [{"TagKey": "team", "TagValue": "x"}]
    assert [entry["KeyId"] for entry in kms_client.list_keys()["Keys"]] == [ID]
    assert kms_client.list_aliases(KeyId=ID)["Aliases"][0]["TargetKeyId"] == ID


def test_making_it_is_no_call(kms_mock: KmsMock) -> None:
    key = kms_mock.create_key(alias="alias/app")
    assert kms_mock.calls == []
    assert key.last_usage is None


def test_ciphertexts_outlive_the_run() -> None:
    def mock() -> KmsMock:
        kms = mock_kms(fresh=True).start()
        kms.create_key(key_id=ID, material=MATERIAL)
        return kms

    kms = mock()
    blob = kms.client().encrypt(KeyId=ID, Plaintext=b"x")["CiphertextBlob"]
    kms._core.leave()
    kms = mock()
    assert kms.client().decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    kms._core.leave()


@pytest.mark.parametrize("spec", KEY_SPECS)
def test_keys_of_every_spec_take_their_own_material(spec: str) -> None:
    region = "cn-north-1" if spec == "SM2" else "us-east-1"
    usage = next(iter(KEY_SPECS[spec].usages))
    with mock_kms(region=region) as kms:
        material = kms.create_key(spec=spec, usage=usage).material()
        for given in (material, base64.b64encode(material).decode()):
            key = kms.create_key(spec=spec, usage=usage, material=given)
            assert (key.material(), key.spec, key.usage, key.state) == (material, spec, usage, "Enabled")


def test_keys_of_china_regions_have_16_bytes(kms_mock: KmsMock) -> None:
    assert kms_mock.create_key(region="cn-north-1", material=bytes(16)).material() == bytes(16)
    with pytest.raises(
        InvalidSeed, match=r"material is not SYMMETRIC_DEFAULT key material: .* needs 16 bytes, not 32$"
    ):
        kms_mock.create_key(region="cn-north-1", material=bytes(32))


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize("as_text", [True, False])
def test_pem_is_taken_in_its_common_forms(
    kms_mock: KmsMock, kms_client: BaseClient, form: PrivateFormat, as_text: bool
) -> None:
    for private, spec in (
        (ec.generate_private_key(ec.SECP384R1()), "ECC_NIST_P384"),
        (rsa.generate_private_key(65537, 2048), "RSA_2048"),
    ):
        pem = private.private_bytes(Encoding.PEM, form, NoEncryption())
        key = kms_mock.create_key(spec=spec, usage="SIGN_VERIFY", material=pem.decode() if as_text else pem)
        public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        assert kms_client.get_public_key(KeyId=key.id)["PublicKey"] == public


def test_older_forms_are_taken_as_der_too(kms_mock: KmsMock) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    sec1 = private.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    key = kms_mock.create_key(spec="ECC_NIST_P256", usage="SIGN_VERIFY", material=sec1)
    assert key.material() == private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize("spec", ["ML_DSA_44", "ML_KEM_768"])
def test_keys_with_the_expanded_key_beside_the_seed_are_taken(kms_mock: KmsMock, spec: str) -> None:
    # What `openssl genpkey` writes, the form "both" of RFC 9881, section 6, and RFC 9935, section 6.
    material = kms_mock.create_key(spec=spec).material()
    start = material.index(b"\x06\x09") - 2  # the AlgorithmIdentifier
    algorithm, seed = material[start : start + 13], material[-32 if spec == "ML_DSA_44" else -64 :]
    both = der.encode(der.SEQUENCE, *(der.encode(der.OCTET_STRING, part) for part in (seed, bytes(2400))))
    assert kms_mock.create_key(spec=spec, material=der.encode_pkcs8(algorithm, both)).material() == material


def test_openssl_keys_are_taken(kms_mock: KmsMock) -> None:
    command = ["openssl", "genpkey", "-algorithm", "ed25519"]
    pem = subprocess.run(command, check=True, capture_output=True).stdout
    assert kms_mock.create_key(spec="ECC_NIST_EDWARDS25519", material=pem).state == "Enabled"


def test_specs_with_one_usage_need_not_say_it(kms_mock: KmsMock) -> None:
    assert kms_mock.create_key(spec="HMAC_256").usage == "GENERATE_VERIFY_MAC"
    assert kms_mock.create_key(spec="ML_DSA_65").usage == "SIGN_VERIFY"


def test_keys_are_in_any_account_and_region(kms_mock: KmsMock) -> None:
    key = kms_mock.create_key(alias="alias/x", account="111122223333", region="eu-west-1")
    assert key.arn == f"arn:aws:kms:eu-west-1:111122223333:key/{key.id}"
    assert key.policy["Statement"][0]["Principal"]["AWS"] == "arn:aws:iam::111122223333:root"
    assert list(kms_mock.keys) == []


@pytest.mark.parametrize("policy", [POLICY, json.dumps(POLICY)], ids=["mapping", "text"])
def test_policies_that_lock_their_author_out_are_fine(kms_mock: KmsMock, policy: Any) -> None:
    key = kms_mock.create_key(alias="alias/x", policy=policy, tags={"a": "b"}, enabled=False)
    assert key.policy == POLICY
    assert (key.state, key.aliases) == ("Disabled", ("alias/x",))


def test_imported_keys_come_with_or_without_material(kms_mock: KmsMock, kms_client: BaseClient) -> None:
    waiting = kms_mock.create_key(origin="EXTERNAL")
    imported = kms_mock.create_key(origin="EXTERNAL", key_id=ID, material=MATERIAL)
    assert (waiting.state, imported.state) == ("PendingImport", "Enabled")
    metadata = kms_client.describe_key(KeyId=ID)["KeyMetadata"]
    assert (metadata["Origin"], metadata["ExpirationModel"]) == ("EXTERNAL", "KEY_MATERIAL_DOES_NOT_EXPIRE")
    blob = kms_client.encrypt(KeyId=ID, Plaintext=b"x")["CiphertextBlob"]
    assert kms_mock.decrypt(blob).material_id == imported.materials[0].id


@pytest.mark.parametrize("origin", ["AWS_KMS", "EXTERNAL"])
def test_multi_region_keys_come_with_their_replicas(kms_mock: KmsMock, origin: str) -> None:
    key = kms_mock.create_key(
        key_id=RELATED_ID, replicas=["eu-west-1", "ap-south-1"], material=MATERIAL, origin=origin
    )  # fmt: skip
    blob = kms_mock.client().encrypt(KeyId=RELATED_ID, Plaintext=b"x")["CiphertextBlob"]
    for region in ("eu-west-1", "ap-south-1"):
        client = kms_mock.client(region=region)
        metadata = client.describe_key(KeyId=RELATED_ID)["KeyMetadata"]
        assert metadata["KeyState"] == "Enabled"
        assert metadata["MultiRegionConfiguration"]["MultiRegionKeyType"] == "REPLICA"
        assert client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    assert key.metadata["MultiRegionConfiguration"]["MultiRegionKeyType"] == "PRIMARY"


def test_keys_are_in_the_state_that_is_asked_for(kms_mock: KmsMock, kms_client: BaseClient) -> None:
    kms_mock.clock.freeze()
    rotated = kms_mock.create_key(rotation_period_in_days=100)
    assert kms_client.get_key_rotation_status(KeyId=rotated.id)["RotationPeriodInDays"] == 100
    assert kms_mock.create_key(enabled=False).state == "Disabled"
    going = kms_mock.create_key(pending_window_in_days=7)
    assert (going.state, going.deletion_date) == ("PendingDeletion", going.created + timedelta(days=7))


def test_grants_are_members_of_create_grant(kms_mock: KmsMock) -> None:
    role = "arn:aws:iam::123456789012:role/App"
    grant = {
        "GranteePrincipal": role, "Operations": ["Decrypt"], "Name": "app",
        "Constraints": {"EncryptionContextSubset": {"tenant": "a"}},
    }  # fmt: skip
    key = kms_mock.create_key(grants=[grant])
    (made,) = key.grants
    assert (made.grantee, made.operations, made.name) == (role, ("Decrypt",), "app")
    assert made.context_subset == {"tenant": "a"}


def test_nested_mocks_keep_seeds_to_themselves(kms_mock: KmsMock) -> None:
    kms_mock.create_key(alias="alias/outer")
    with mock_kms() as inner:
        inner.create_key(alias="alias/inner")
        assert {key.alias for key in inner.keys.values()} == {"alias/outer", "alias/inner"}
    assert {key.alias for key in kms_mock.keys.values()} == {"alias/outer"}


PEM = "-----BEGIN {0}-----\nAAAA\n-----END {0}-----"
WRONG: list[Any] = [
    ({"key_id": "1"}, "key_id must be a UUID in lower case, not '1'", "id"),
    ({"key_id": ID.upper()}, f"key_id must be a UUID in lower case, not '{ID.upper()}'", "upper case"),
    ({"key_id": ID, "multi_region": True},
     f"key_id must be mrk- and 32 hexadecimal digits in lower case, not '{ID}'", "multi-Region id"),
    ({"key_id": "mrk-1"}, "key_id must be mrk- and 32 hexadecimal digits in lower case, not 'mrk-1'", "short id"),
    ({"key_id": RELATED_ID.replace("1", "0"), "alias": "alias/taken"},
     "AWS refuses CreateAlias: AlreadyExistsException: An alias with the name "
     "arn:aws:kms:us-east-1:123456789012:alias/taken already exists", "alias"),
    ({"key_id": "00000000-12ab-34cd-56ef-1234567890ab"},
     "there is already a key 00000000-12ab-34cd-56ef-1234567890ab in us-east-1 of account 123456789012", "id twice"),
    ({"spec": "RSA_2048"}, "RSA_2048 needs a usage: ENCRYPT_DECRYPT or SIGN_VERIFY", "usage"),
    ({"spec": "RSA_2048", "usage": "KEY_AGREEMENT"},
     "AWS refuses CreateKey: ValidationException: KeyUsage KEY_AGREEMENT is not compatible with KeySpec RSA_2048",
     "usage of another spec"),
    ({"spec": "RSA_1024", "material": b"x"},
     f"unknown key spec 'RSA_1024'. Choose from: {', '.join(KEY_SPECS)}", "spec with material"),
    ({"account": "1"}, "account must be 12 digits, not '1'", "account"),
    ({"policy": 5}, "a policy is a JSON string, a mapping or a pathlib.Path, not int", "policy"),
    ({"tags": {"aws:x": "y"}},
     "AWS refuses CreateKey: TagException: Tags beginning with aws: are reserved", "tag"),
    ({"material": b"short"},
     "material is not SYMMETRIC_DEFAULT key material: SYMMETRIC_DEFAULT needs 32 bytes, not 5", "length"),
    ({"material": 5}, "material is not SYMMETRIC_DEFAULT key material: expected bytes or a string, not int", "number"),
    ({"material": "no base64!"},
     "material is not SYMMETRIC_DEFAULT key material: the string is neither PEM nor base64", "text"),
    ({"material": PEM.format("PUBLIC KEY")},
     "material is not SYMMETRIC_DEFAULT key material: a PEM PUBLIC KEY is not supported", "public key"),
    ({"material": PEM.format("ENCRYPTED PRIVATE KEY")},
     "material is not SYMMETRIC_DEFAULT key material: a PEM ENCRYPTED PRIVATE KEY is not supported", "encrypted"),
    ({"material": PEM.format("A") + PEM.format("B")},
     "material is not SYMMETRIC_DEFAULT key material: the PEM data is damaged, or contains more than", "two keys"),
    ({"material": PEM.format("PRIVATE KEY"), "spec": "ECC_SECG_P256K1"},
     "material is not ECC_SECG_P256K1 key material: the key material is not a PKCS#8 structure", "damaged"),
    ({"pending_window_in_days": 3}, "AWS refuses ScheduleKeyDeletion: ValidationException: ", "window"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "reason"), [pytest.param(*row[:2], id=row[2]) for row in WRONG])
def test_wrong_values_are_refused_and_nothing_is_made(kms_mock: KmsMock, given: dict[str, Any], reason: str) -> None:
    kms_mock.create_key(alias="alias/taken", key_id="00000000-12ab-34cd-56ef-1234567890ab")
    before = kms_mock.dump()["regions"]
    with pytest.raises(InvalidSeed) as refused:
        kms_mock.create_key(**given)
    assert isinstance(refused.value, KmsMockError)
    assert str(refused.value).startswith(f"create_key(): {reason}")
    assert kms_mock.dump()["regions"] == before
    assert kms_mock.calls == []


def test_a_seed_file_without_its_extra(monkeypatch, kms_mock):
    monkeypatch.setitem(sys.modules, "yaml", None)
    for module in ("seed_files", "yaml_lines"):
        monkeypatch.delitem(sys.modules, f"pytest_kmsmock._testing.seeds.{module}", raising=False)
    with pytest.raises(MissingExtra, match=r"A seed file needs the package PyYAML.*pytest-kmsmock\[seeds\]"):
        kms_mock.seed("keys.json")


# --- values that are none of a field's type ---------------------------------------------------------------------------

ROLE = "arn:aws:iam::123456789012:role/App"
LOOP: dict[str, Any] = {}
LOOP["Statement"] = LOOP


class Spec(str, enum.Enum):
    HMAC = "HMAC_256"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        pytest.param({"enabled": "no"}, "enabled: expected true or false, found 'no'", id="enabled"),
        pytest.param({"alias": 5}, "alias: expected a string, found 5", id="alias"),
        pytest.param({"aliases": "alias/x"}, "aliases: expected a list, found 'alias/x'; write ['alias/x']", id="one"),
        pytest.param({"replicas": "eu-west-1"}, "replicas: expected a list, found 'eu-west-1'; write ['eu-west-1']",
                     id="one replica"),
        pytest.param({"aliases": ["alias/x", 5]}, "aliases[1]: expected a string, found 5", id="aliases"),
        pytest.param({"tags": [{"TagKey": "a"}]}, "tags: expected a mapping of names to values, found [{", id="tags"),
        pytest.param({"tags": {"a": 1}}, "tags['a']: expected a string, found 1", id="tag"),
        pytest.param({"tags": {1: "a"}}, "tags: expected a string, found 1", id="tag's name"),
        pytest.param({"description": None}, "description: expected a string, found None", id="nothing"),
        pytest.param({"description": "\ud800"}, "description: expected a string, found", id="surrogate"),
        pytest.param({"rotation_period_in_days": True}, "rotation_period_in_days: expected a whole number, found True",
                     id="number"),
        pytest.param({"rotation_period_in_days": "90"}, "rotation_period_in_days: expected a whole number, found '90'",
                     id="number in quotes"),
        pytest.param({"pending_window_in_days": 10**5000}, "pending_window_in_days: expected a whole number",
                     id="long number"),
        pytest.param({"region": "nope"}, "region must be a Region such as 'eu-west-1', not 'nope'", id="region"),
        pytest.param({"region": ""}, "region must be a Region such as 'eu-west-1', not ''", id="no region"),
        pytest.param({"account": ""}, "account must be 12 digits, not ''", id="no account"),
        pytest.param({"replicas": ["nope"]}, "region must be a Region such as 'eu-west-1', not 'nope'", id="replica"),
        pytest.param({"key_id": RELATED_ID, "multi_region": False}, "is a multi-Region key: leave multi_region out",
                     id="mrk of one Region"),
        pytest.param({"replicas": ["eu-west-1"], "multi_region": False}, "is a multi-Region key: leave multi_region",
                     id="replicas of one Region"),
        pytest.param({"grants": {"Operations": []}}, "grants: expected a list, found {'Operations': []}", id="grants"),
        pytest.param({"grants": ["x"]}, "grants[0]: expected a mapping of names to values, found 'x'", id="grant"),
        pytest.param({"policy": {"a": {1}}}, "this policy cannot be written as JSON: ", id="policy"),
        pytest.param({"policy": 5}, "a policy is a JSON string, a mapping or a pathlib.Path, not int", id="number"),
        pytest.param({"policy": LOOP}, "this is nested too deeply, or contains itself", id="policy that holds itself"),
        pytest.param({"material": 5}, "material is not SYMMETRIC_DEFAULT key material: expected bytes", id="material"),
    ],
)  # fmt: skip
def test_values_of_other_types_are_refused_with_what_to_do(
    kms_mock: KmsMock, given: dict[str, Any], reason: str
) -> None:  # fmt: skip
    before = kms_mock.dump()
    with pytest.raises(InvalidSeed) as refused:
        kms_mock.create_key(**given)
    assert str(refused.value).startswith("create_key(): ")
    assert reason in str(refused.value)
    assert kms_mock.dump()["regions"] == before["regions"]


def test_tuples_mappings_and_enumerations_of_texts_will_do(kms_mock: KmsMock) -> None:
    key = kms_mock.create_key(
        spec=Spec.HMAC, aliases=("alias/a", "alias/b"), tags=MappingProxyType({"a": "b"}),
        policy=MappingProxyType(POLICY),
    )  # fmt: skip
    assert (key.spec, key.aliases, key.tags, key.policy) == ("HMAC_256", ("alias/a", "alias/b"), {"a": "b"}, POLICY)


@pytest.mark.parametrize(
    ("grant", "reason"),
    [
        pytest.param({"Constraint": {}}, "grants[0] has an unknown parameter 'Constraint'. Did you mean 'Constraints'?",
                     id="member"),
        pytest.param({"Constraints": {"EncryptionContextSub": {"a": "b"}}},
                     "grants[0].Constraints has an unknown parameter 'EncryptionContextSub'. "
                     "Did you mean 'EncryptionContextSubset'?",
                     id="constraint"),
        pytest.param({"Constraints": None}, "grants[0].Constraints is empty: leave it out, or give it a value",
                     id="empty constraints"),
        pytest.param({"KeyId": "alias/other"}, "grants[0] has an unknown parameter 'KeyId'. Choose from: Grantee",
                     id="key"),
        pytest.param({"DryRun": True}, "grants[0] has an unknown parameter 'DryRun'.", id="dry run"),
        pytest.param({"Constraints": ["x"]}, "AWS refuses CreateGrant: SerializationException", id="type"),
    ],
)  # fmt: skip
def test_a_misspelt_grant_is_refused_and_not_made_wider(kms_mock: KmsMock, grant: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidSeed) as refused:
        kms_mock.create_key(grants=[{"GranteePrincipal": ROLE, "Operations": ["Encrypt"], **grant}])
    assert reason in str(refused.value)
    assert len(kms_mock.keys) == 0


@pytest.mark.parametrize("path", [None, 5, b"keys.yaml"], ids=repr)
def test_a_seed_file_is_named_by_its_path(kms_mock: KmsMock, path: Any) -> None:
    with pytest.raises(InvalidSeed, match=r"^seed\(\) takes the path of a file, not "):
        kms_mock.seed(path)


# --- keys in custom key stores ----------------------------------------------------------------------------------------


def test_keys_are_in_the_key_store_of_a_name_or_an_id(kms_mock: KmsMock, kms_client: BaseClient) -> None:
    cluster = kms_mock.key_stores.add_store(name="hsm")
    proxy = kms_mock.key_stores.add_xks_proxy(keys=["ext"])
    external = kms_mock.key_stores.add_store(proxy, name="outside")
    keys = [
        kms_mock.create_key(alias="alias/a", key_store="hsm", key_id=ID),
        kms_mock.create_key(key_store=cluster, origin="AWS_CLOUDHSM"),
        kms_mock.create_key(key_store="outside", xks_key_id="ext"),
    ]
    assert [key.record.custom_key_store_id for key in keys] == [cluster, cluster, external]
    assert [key.origin for key in keys] == ["AWS_CLOUDHSM", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"]
    assert keys[2].metadata["XksKeyConfiguration"] == {"Id": "ext"}
    for key in keys:
        blob = kms_client.encrypt(KeyId=key.id, Plaintext=b"x")["CiphertextBlob"]
        assert kms_client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        pytest.param({"key_store": "hms"},
                     "unknown custom key store 'hms' in us-east-1. Did you mean 'hsm'? Choose from: hsm", id="store"),
        pytest.param({"key_store": "hsm", "region": "eu-west-1"},
                     "unknown custom key store 'hsm' in eu-west-1. There are none", id="Region"),
        pytest.param({"key_store": "hsm", "material": MATERIAL},
                     "a key in the key store 'hsm' takes no material, and its origin is AWS_CLOUDHSM", id="material"),
        pytest.param({"key_store": "hsm", "origin": "EXTERNAL"},
                     "a key in the key store 'hsm' takes no material, and its origin is AWS_CLOUDHSM", id="origin"),
        pytest.param({"key_store": "hsm", "multi_region": True}, "AWS refuses CreateKey: ", id="multi-Region"),
        pytest.param({"key_store": "hsm", "xks_key_id": "x"}, "AWS refuses CreateKey: ", id="external key"),
        pytest.param({"xks_key_id": "x"}, "AWS refuses CreateKey: ", id="external key of no store"),
    ],
)  # fmt: skip
def test_what_a_key_store_cannot_hold_is_refused(kms_mock: KmsMock, given: dict[str, Any], reason: str) -> None:
    kms_mock.key_stores.add_store(name="hsm")
    with pytest.raises(InvalidSeed) as refused:
        kms_mock.create_key(**given)
    assert reason in str(refused.value)
    assert len(kms_mock.keys) == 0


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        pytest.param("KeySpec", "Did you mean 'spec'?", id="KeySpec"),
        pytest.param("KeyUsage", "Did you mean 'usage'?", id="KeyUsage"),
        pytest.param("MultiRegion", "Did you mean 'multi_region'?", id="MultiRegion"),
        pytest.param("PendingWindowInDays", "Did you mean 'pending_window_in_days'?", id="PendingWindowInDays"),
        pytest.param("CustomKeyStoreId", "Did you mean 'key_store'?", id="CustomKeyStoreId"),
        pytest.param("colour", "Choose from: alias, aliases, spec, usage, ", id="unlike any"),
    ],
)
def test_a_parameter_of_create_key_has_another_name_here(kms_mock, given, hint):
    with pytest.raises(InvalidArgument) as refused:
        kms_mock.create_key(**{given: "x"})
    assert str(refused.value).startswith(f"create_key(): unknown argument {given!r}. {hint}")
    assert not kms_mock.keys


def test_a_misspelt_field_of_a_seed_file_is_named_with_the_right_one(kms_mock, tmp_path):
    (tmp_path / "keys.yaml").write_text("keys:\n- KeySpec: RSA_2048\n")
    with pytest.raises(InvalidSeed, match=r"keys.yaml:2: keys\[0\]: unknown field 'KeySpec'\. Did you mean 'spec'\?$"):
        kms_mock.seed(tmp_path / "keys.yaml")


@pytest.mark.parametrize(
    ("given", "end"),
    [
        pytest.param(
            {"spec": "RSA2048", "usage": "SIGN_VERIFY"}, "ML_KEM_1024]. Did you mean spec='RSA_2048'?", id="spec"
        ),
        pytest.param(
            {"alias": "orders"},
            'create_key(): AWS refuses CreateAlias: ValidationException: Alias must start with the prefix "alias/". '
            "Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html. "
            "Did you mean 'alias/orders'?",
            id="alias",
        ),
        pytest.param(
            {"alias": "alias/aws/orders"},
            "create_key(): AWS refuses CreateAlias: NotAuthorizedException: The prefix alias/aws/ is reserved for AWS "
            "managed keys; managed_key() creates these.",
            id="reserved alias",
        ),
        pytest.param(
            {"grants": [{"GranteePrincipal": "role/app", "Operations": ["Decrypt"]}]},
            "create_key(): AWS refuses CreateGrant: InvalidArnException: ARN does not refer to a valid principal: "
            "role/app. GranteePrincipal needs the whole ARN: arn:aws:iam::123456789012:role/app",
            id="grant",
        ),
        pytest.param(
            {"policy": {"Statement": [{"Effect": "Allow", "Principle": "*", "Action": "kms:*", "Resource": "*"}]}},
            "create_key(): AWS refuses CreateKey: MalformedPolicyDocumentException: Unknown field Principle "
            "(statement 1). Did you mean 'Principal'?",
            id="policy",
        ),
    ],
)
def test_a_hint_follows_the_message_of_aws(kms_mock: KmsMock, given: dict[str, Any], end: str) -> None:
    with pytest.raises(InvalidSeed) as refused:
        kms_mock.create_key(**given)
    assert str(refused.value).endswith(end)
    assert len(kms_mock.keys) == 0
