"""Seed files: every way to name one, everything they may hold, and every mistake with its line."""

from __future__ import annotations

import base64
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_kmsmock import KmsMock, mock_kms
from pytest_kmsmock._kms.api.key_specs import KEY_SPECS
from pytest_kmsmock._kms.engine.fake_kms import FakeKms
from pytest_kmsmock._testing.identity.credentials import issued
from pytest_kmsmock._testing.seeds.seed_files import apply_seed
from pytest_kmsmock.errors import InvalidOption, InvalidSeed

FULL = """\
version: 1
region: eu-west-1
keys:
  - alias: alias/app
    key_id: 1234abcd-12ab-34cd-56ef-1234567890ab
    material: AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=
    description: of the app
    tags: {team: payments, stage: "2"}
    aliases: [alias/app-old]
    policy:
      Version: "2012-10-17"
      Statement:
        - {Effect: Allow, Principal: "*", Action: "kms:*", Resource: "*"}
  - alias: alias/sign
    spec: ECC_NIST_P256
    usage: SIGN_VERIFY
    material_file: sign.pem
  - alias: alias/shared
    account: "111122223333"
    region: us-west-2
    multi_region: true
    replicas: [us-east-1]
    enabled: false
"""
#: The same, with material in place and a grant.
FULL_WITH_GRANT = FULL.replace(
    "material_file: sign.pem",
    """grants:
      - GranteePrincipal: arn:aws:iam::123456789012:role/App
        Operations: [Sign]
        Constraints: &a {SourceArn: "arn:aws:s3:us-east-1:123456789012:bucket"}""",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with mock_kms(fresh=True) as kms:
        der = kms.create_key(spec="ECC_NIST_P256", usage="SIGN_VERIFY").material()
    body = base64.encodebytes(der).decode()
    (tmp_path / "sign.pem").write_text(f"-----BEGIN PRIVATE KEY-----\n{body}-----END PRIVATE KEY-----\n")
    (tmp_path / "keys.yaml").write_text(FULL)
    return tmp_path


def test_a_file_holds_keys_of_all_kinds(folder: Path) -> None:
    with mock_kms(region="eu-west-1", seed=folder / "keys.yaml") as kms:
        assert [key.aliases for key in kms.keys.values()] == [("alias/app", "alias/app-old"), ("alias/sign",)]
        app, sign = kms.keys["alias/app"], kms.keys["alias/sign"]
        assert app.id == "1234abcd-12ab-34cd-56ef-1234567890ab"
        assert (app.material(), app.tags) == (bytes(range(32)), {"team": "payments", "stage": "2"})
        assert app.policy["Statement"][0]["Principal"] == "*"
        assert sign.material() == base64.b64decode("".join((folder / "sign.pem").read_text().splitlines()[1:-1]))
        shared = kms.keys["arn:aws:kms:us-west-2:111122223333:alias/shared"]
        assert shared.state == "Disabled"
        assert kms.keys[shared.arn.replace("us-west-2", "us-east-1")].state == "Enabled"
        assert kms.calls == []


def test_keys_of_every_spec_are_in_a_file(tmp_path: Path) -> None:
    keys = [
        {"alias": f"alias/{spec.name}", "spec": spec.name, "usage": usage}
        | ({"region": "cn-north-1"} if spec.name == "SM2" else {})
        for spec in KEY_SPECS.values()
        for usage in list(spec.usages)[:1]
    ]
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": keys}))
    with mock_kms(seed=path) as kms:
        assert {key.spec for key in kms.keys.values()} == set(KEY_SPECS) - {"SM2"}
        assert kms.keys["arn:aws-cn:kms:cn-north-1:123456789012:alias/SM2"].spec == "SM2"


@pytest.mark.parametrize("origin", ["AWS_KMS", "EXTERNAL"])
def test_material_and_replicas_of_every_spec_are_in_a_file(tmp_path: Path, origin: str) -> None:
    """Developer Guide, "Multi-Region keys": all but custom key stores. Captured from AWS KMS, 2026-09: no ML-DSA."""
    keys = []
    specs = [spec for spec in KEY_SPECS.values() if origin == "AWS_KMS" or spec.importable]
    for spec in specs:
        home, replica = ("cn-north-1", "cn-northwest-1") if spec.name == "SM2" else ("us-east-1", "eu-west-1")
        usage = next(iter(spec.usages))
        with mock_kms(fresh=True) as kms:
            material = kms.create_key(spec=spec.name, usage=usage, region=home).material()
        keys.append(
            {"spec": spec.name, "usage": usage, "origin": origin, "region": home, "replicas": [replica],
             "material": base64.b64encode(material).decode()}
        )  # fmt: skip
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": keys}))
    with mock_kms(fresh=True) as kms:
        for given, key in zip(keys, kms.seed(path), strict=True):
            related = kms.keys[key.arn.replace(given["region"], given["replicas"][0])]
            for member in (key, related):
                assert (member.state, member.origin, member.spec) == ("Enabled", origin, given["spec"])
                assert base64.b64encode(member.material()).decode() == given["material"]


SURROUNDED = """\
region: eu-west-1
key_stores:
  - name: hsm
  - name: outside
    xks_keys: [ext-1, ext-2]
  - name: resting
    region: us-west-2
    connected: false
keys:
  - alias: alias/hsm
    key_store: hsm
  - alias: alias/ext
    key_store: outside
    xks_key_id: ext-1
iam:
  role/app:
    - Version: 2012-10-17
      Statement: {Effect: Allow, Action: kms:Encrypt, Resource: "*"}
    - '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:ListKeys", "Resource": "*"}}'
  arn:aws:iam::123456789012:user/ada:
    Version: 2012-10-17
    Statement: {Effect: Allow, Action: "kms:*", Resource: "*"}
"""


def test_key_stores_and_iam_policies_are_in_a_file(tmp_path: Path, refusal: Any) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text(SURROUNDED)
    with mock_kms(region="eu-west-1", seed=path) as kms:
        stores = {
            store["CustomKeyStoreName"]: store for store in kms.client().describe_custom_key_stores()["CustomKeyStores"]
        }
        assert {name: store["CustomKeyStoreType"] for name, store in stores.items()} == {
            "hsm": "AWS_CLOUDHSM", "outside": "EXTERNAL_KEY_STORE",
        }  # fmt: skip
        (resting,) = kms.client(region="us-west-2").describe_custom_key_stores()["CustomKeyStores"]
        assert (resting["CustomKeyStoreName"], resting["ConnectionState"]) == ("resting", "DISCONNECTED")
        app, ada = (kms.client(principal=name) for name in ("role/app", "user/ada"))
        app.list_keys()
        for alias in ("alias/hsm", "alias/ext"):
            blob = app.encrypt(KeyId=alias, Plaintext=b"x")["CiphertextBlob"]
            assert ada.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
            with refusal("AccessDeniedException"):
                app.decrypt(CiphertextBlob=blob)
        kms.load(kms.dump())


WITH_CREDENTIALS = """
credentials:
  role/app: {access_key_id: ASIAOFAREFUSEDSEED00, secret_access_key: secret}
  PRINCIPAL: {access_key_id: AKIAOFAREFUSEDSEED01, secret_access_key: secret}
keys:
  - {alias: ALIAS}
"""


@pytest.mark.parametrize(
    ("principal", "alias"),
    [pytest.param("user/", "alias/a", id="principal"), pytest.param("user/ada", "alias/aws/a", id="key")],
)
def test_a_refused_file_registers_no_credentials(kms_mock: KmsMock, tmp_path: Path, principal: str, alias: str) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text(WITH_CREDENTIALS.replace("PRINCIPAL", principal).replace("ALIAS", alias))
    with pytest.raises(InvalidSeed):
        kms_mock.seed(path)
    assert not [access_key for access_key in issued if "REFUSEDSEED" in access_key]


def test_binary_material_of_yaml_and_pem_text(tmp_path: Path, folder: Path) -> None:
    pem = (folder / "sign.pem").read_text().replace("\n", "\n      ")
    path = tmp_path / "binary.yaml"
    path.write_text(
        f"keys:\n  - material: !!binary {base64.b64encode(bytes(32)).decode()}\n"
        f"  - spec: ECC_NIST_P256\n    usage: SIGN_VERIFY\n    material: |\n      {pem}\n"
    )
    with mock_kms(seed=path) as kms:
        assert [key.spec for key in kms.keys.values()] == ["SYMMETRIC_DEFAULT", "ECC_NIST_P256"]


def test_keys_without_account_and_region_are_the_mocks(tmp_path: Path) -> None:
    (tmp_path / "keys.yaml").write_text("keys:\n  - alias: alias/x\n")
    service = FakeKms()
    (key,) = apply_seed(service, tmp_path / "keys.yaml", account="111122223333", region="eu-north-1")
    assert key.arn == f"arn:aws:kms:eu-north-1:111122223333:key/{key.id}"
    assert service.calls == []
    with mock_kms() as kms:
        assert [view.alias for view in kms.seed(tmp_path / "keys.yaml")] == ["alias/x"]


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    for number, alias in enumerate(("alias/a", "alias/bb")):
        path.write_text(f"keys: [{{alias: {alias}}}]")
        os.utime(path, (number, number))
        with mock_kms(seed=path) as kms:
            assert [key.alias for key in kms.keys.values()] == [alias]


def test_a_changed_file_of_the_same_time_and_length_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    for alias in ("alias/a", "alias/b"):
        path.write_text(f"keys: [{{alias: {alias}}}]")
        os.utime(path, (1, 1))
        with mock_kms(seed=path) as kms:
            assert [key.alias for key in kms.keys.values()] == [alias]


def test_changed_key_material_beside_it_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text("keys: [{alias: alias/a, material_file: key.bin}]")
    for material in (bytes(32), bytes(range(32))):
        (tmp_path / "key.bin").write_bytes(material)
        with mock_kms(seed=path) as kms:
            assert kms.keys["alias/a"].material() == material


def test_the_version_of_a_policy_needs_no_quotes(tmp_path: Path) -> None:
    (tmp_path / "keys.yaml").write_text(
        "keys:\n- alias: alias/x\n  tags: {since: 2020-01-01}\n  policy:\n    Version: 2012-10-17\n"
        "    Statement: [{Effect: Allow, Principal: '*', Action: 'kms:*', Resource: '*'}]\n"
    )
    with mock_kms(seed=tmp_path / "keys.yaml") as kms:
        assert kms.keys["alias/x"].policy["Version"] == "2012-10-17"
        assert kms.keys["alias/x"].tags == {"since": "2020-01-01"}


def test_a_mistake_in_a_grant_has_its_line(kms_mock: KmsMock, tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text("keys:\n- grants:\n  - GranteePrincipal: x\n    Constraint: {}\n")
    with pytest.raises(
        InvalidSeed, match=r"keys\.yaml:2: keys\[0\]: grants\[0\] has an unknown parameter 'Constraint'\. Did you mean"
    ):
        kms_mock.seed(path)


def test_a_path_that_cannot_be_is_refused(kms_mock: KmsMock, tmp_path: Path) -> None:
    with pytest.raises(InvalidSeed, match="cannot be read: embedded null byte"):
        kms_mock.seed("a\0b.yaml")
    path = tmp_path / "keys.json"
    path.write_text('{"keys": [{"material_file": "a\\u0000b"}]}')
    with pytest.raises(InvalidSeed, match=r"keys\.json:1: material_file cannot be read: embedded null byte"):
        kms_mock.seed(path)


def test_a_mock_inside_one_with_the_same_seed_has_its_keys_once(tmp_path: Path) -> None:
    path, other = tmp_path / "keys.yaml", tmp_path / "other.yaml"
    path.write_text("keys: [{alias: alias/x}]")
    other.write_text("keys: [{alias: alias/y}]")
    with mock_kms(seed=path) as outer, mock_kms(seed=path) as inner:
        assert list(inner.keys) == list(outer.keys)
        with mock_kms(seed=other) as innermost:
            assert [key.alias for key in innermost.keys.values()] == ["alias/x", "alias/y"]
        with mock_kms(seed=path, fresh=True) as fresh:
            assert len(fresh.keys) == 1
            assert list(fresh.keys) != list(outer.keys)


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES: list[Any] = [
    ("", "1: the document: expected an object, found None", "empty"),
    ("- 1", "1: the document: expected an object, found [1]", "list"),
    ("region: eu-west-1", "1: the document: keys missing", "no keys"),
    ("keys: []\nfoo: 1",
     "2: the document: unknown field 'foo'. Choose from: keys, version, account, region, key_stores, iam, credentials.",
     "unknown part"),
    ("keys: []\nversion: 2", "2: this release reads seed files of version 1 only", "newer"),
    ("keys: []\naccount: 111122223333",
     "2: account: expected a string, found 111122223333; write it in quotes", "account"),
    ("keys:\n- {}\n- 5", "3: keys[1]: expected an object, found 5", "no key"),
    ("keys:\n- {}\n- alias: alias/x\n  enabled: 1", "4: keys[1].enabled: expected true or false, found 1", "enabled"),
    ("keys:\n- alias: alias/x\n  color: red",
     "3: keys[0]: unknown field 'color'. Choose from: alias, aliases, spec, usage, key_id, material, origin, "
     "key_store, xks_key_id, description, tags, policy, multi_region, replicas, enabled, rotation_period_in_days, "
     "pending_window_in_days, grants, account, region, material_file.", "unknown field"),
    ("keys:\n- {}\n- material: AAAA\n  materialfile: x",
     "4: keys[1]: unknown field 'materialfile'. Did you mean 'material_file'?", "misspelt field"),
    ("keys:\n- tags: [a]", "2: keys[0].tags: expected a mapping of names to values, found ['a']; write tags: {a: b}",
     "list of tags"),
    ("keys:\n- description: no",
     "2: keys[0].description: expected a string, found False; write it in quotes; YAML reads yes, no, on and off as "
     "booleans", "boolean"),
    ("keys:\n- alias: [alias/x]", "2: keys[0].alias: expected a string, found ['alias/x']", "list of aliases"),
    ("keys:\n- tags:\n    a: x\n    since: 2020",
     "4: keys[0].tags['since']: expected a string, found 2020; write it in quotes", "tag"),
    ("keys:\n- tags:\n    2020: x", "3: 2020 is not a string: put the name in quotes", "name that is a number"),
    ("keys:\n- tags:\n    yes: x", "3: yes is not a string: put the name in quotes", "name that is true"),
    ("keys:\n- tags:\n    ? [a]\n    : x", "3: this is not a string: put the name in quotes", "list as a name"),
    ("keys:\n- description: !!timestamp abc", "2: invalid YAML: 'abc' is not a valid timestamp", "no date"),
    ("keys:\n- description: !!timestamp 2020-13-01", "2: invalid YAML: '2020-13-01' is not a valid timestamp", "month"),
    ("keys:\n- pending_window_in_days: !!int abc", "2: invalid YAML: 'abc' is not a valid int", "no number"),
    ("keys:\n- pending_window_in_days: !!int ''", "2: invalid YAML: '' is not a valid int", "empty number"),
    ("keys:\n- enabled: !!bool maybe", "2: invalid YAML: 'maybe' is not a valid bool", "no bool"),
    ("keys:\n- description: !!python/name:os.getcwd", "invalid YAML: could not determine a constructor", "foreign tag"),
    ("keys:\n- &a [*a]", "2: this contains itself", "recursive list"),
    ("keys:\n- &a\n  tags: *a", "2: this contains itself", "recursive mapping"),
    ("keys:\n- &a\n  <<: *a", "2: this contains itself", "recursive merge"),
    ("keys:\n- description: \"\\ud800\"", "2: '\\ud800' contains a lone surrogate", "surrogate"),
    ("keys: " + "[" * 5000, "1: this is nested too deeply", "nested"),
    ("keys:\n- policy: " + "[" * 300 + "]" * 300, "2: ", "nested policy"),
    ("a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
        f"{chr(code + 1)}: &{chr(code + 1)} [{', '.join([f'*{chr(code)}'] * 9)}]\n" for code in range(97, 104)),
     "a seed file can have at most 200000 values", "endless anchors"),
    ("keys:\n- aliases:\n  - alias/x\n  - 5",
     "4: keys[0].aliases[1]: expected a string, found 5; write it in quotes", "item"),
    ("keys:\n- alias: alias/x\n  alias: alias/y", "3: alias occurs twice", "twice"),
    ("keys:\n- alias: [", "2: invalid YAML: expected the node content, but found '<stream end>'", "torn"),
    ("keys:\n- alias: \0", "2: invalid YAML: special characters are not allowed", "control character"),
    ("keys:\n- &a {alias: alias/x}\n- *b", "3: invalid YAML: found undefined alias 'b'", "anchor"),
    ("keys:\n- {}\n- spec: RSA_2048", "3: keys[1]: RSA_2048 needs a usage: ENCRYPT_DECRYPT or SIGN_VERIFY", "usage"),
    ("keys: []\nkey_stores:\n- {}", "3: key_stores[0]: name missing", "store without a name"),
    ("keys: []\nkey_stores:\n- name: a\n- name: a", "4: key_stores[1]: ", "two stores of one name"),
    ("keys: []\nkey_stores:\n- name: a\n  region: nope",
     "3: key_stores[0]: region must be a Region such as 'eu-west-1', not 'nope'", "store in no Region"),
    ("account: x\nkeys: []\nkey_stores:\n- name: a", "4: key_stores[0]: account must be 12 digits", "store of nobody"),
    ("keys: []\nkey_stores:\n- name: a\n  xks_keys: ['']", "3: key_stores[0]: ", "external key without an id"),
    ("keys: []\niam:\n  role/app: x", "3: iam['role/app']: iam.attach(arn:aws:iam::123456789012:role/app): 'x' is not",
     "bad policy"),
    ("keys: []\niam:\n  role/app: 5", "3: iam['role/app']: iam.attach(", "policy that is a number"),
    ("keys: []\niam:\n  nobody: []", "3: iam['nobody']: ", "policy of nobody"),
    ("keys: []\niam: []", "2: iam: expected a mapping of names to values, found []", "policies of a list"),
    ("region: x\nkeys: []\niam:\n  role/app: []",
     "4: iam['role/app']: region must be a Region such as 'eu-west-1', not 'x'", "no Region"),
    ("keys:\n- key_store: hsm", "2: keys[0]: unknown custom key store 'hsm' in us-east-1. There are none",
     "key in no store"),
    ("keys:\n- alias: alias/x\n\n- alias: alias/x",
     "4: keys[1]: AWS refuses CreateAlias: AlreadyExistsException: ", "alias"),
    ("keys:\n- material_file: none.pem", "2: material_file cannot be read: ", "missing material file"),
    ("keys:\n- material: AAAA\n  material_file: none.pem",
     "3: material_file must be the path of a file, without material beside it", "two materials"),
    ("keys:\n- material_file: 5", "2: material_file must be the path of a file", "no path"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), [pytest.param(*row[:2], id=row[2]) for row in MISTAKES])
def test_mistakes_in_yaml_are_shown_with_their_line(kms_mock: KmsMock, tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(InvalidSeed) as refused:
        kms_mock.seed(path)
    assert reason in str(refused.value)
    assert str(refused.value).startswith(f"{path}:")
    assert len(kms_mock.keys) == 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param('{"keys": [\n{},\n{"alias": 5}]}', "3: keys[1].alias: expected a string, found 5", id="type"),
        pytest.param(
            '{\n\t"keys": [\n\t\t{"alias": "\\u0000"}\n\t]\n}', "3: keys[0]: AWS refuses CreateAlias", id="tabs"
        ),
        pytest.param('{"keys": ' + "1" * 5000 + "}", "1: cannot be read: Exceeds the limit", id="long number"),
        pytest.param('{"keys": ' + "[" * 100000, "1: this is nested too deeply", id="nested"),
        pytest.param('{"keys": [\n{} {}', "2: invalid JSON: Expecting ',' delimiter", id="torn"),
        pytest.param('{"keys": [],\n"keys": []}', "2: keys occurs twice", id="twice"),
    ],
)
def test_mistakes_in_json_are_shown_with_their_line(kms_mock: KmsMock, tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(InvalidSeed) as refused:
        kms_mock.seed(path)
    assert f"{path}:{reason}" in str(refused.value)
    assert len(kms_mock.keys) == 0


POLICY = """\
keys: []
iam:
  role/app:
{first}Version: "2012-10-17"
{dent}Statement:
{dent}- Effect: Allow
{dent}  Action: kms:*
{dent}  Resource: "*"
{dent}- Sid: no
{dent}  Effect: Deny
{dent}  Action: kms:Decrypt
{dent}  Resource: "*"
"""
REFUSED = (
    "iam.attach(arn:aws:iam::123456789012:role/app): AWS refuses this identity-based policy: Invalid value for field "
    "Sid (statement 2). Sid is false."
)


@pytest.mark.parametrize(("first", "spot"), [("    ", ""), ("  - ", "[0]")], ids=["one", "list"])
def test_a_mistake_in_an_identity_policy_has_its_line(kms_mock: KmsMock, tmp_path: Path, first: str, spot: str) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text(POLICY.format(first=first, dent="    "))
    with pytest.raises(InvalidSeed) as refused:
        kms_mock.seed(path)
    assert str(refused.value) == (
        f"{path}:9: iam['role/app']{spot}.Statement[1].Sid: {REFUSED} "
        "YAML reads yes, no, on and off as booleans: write it in quotes."
    )


@pytest.mark.parametrize(
    ("policy", "place"),
    [
        pytest.param("""
    Statement:
    - Effect: Allow
      Principal: "*"
      Action: kms:*
      Resource: "*"
    - Effect: Alow
      Principal: "*"
      Action: kms:*
      Resource: "*"
""", "10: keys[1].policy.Statement[1].Effect: AWS refuses CreateKey: MalformedPolicyDocumentException: "
         "Invalid effect: Alow (statement 2). Did you mean 'Allow'?", id="malformed"),
        pytest.param("""
    Statement:
    - Effect: Allow
      Principal: {AWS: "arn:aws:iam::111122223333:nobody"}
      Action: kms:*
      Resource: "*"
""", "6: keys[1].policy.Statement[0]: AWS refuses CreateKey: MalformedPolicyDocumentException: Policy contains a "
         "statement with one or more invalid principals. (statement 1)", id="principal"),
        pytest.param(" '{\"Statement\": [{}]}'", "4: keys[1].policy.Statement[0]", id="JSON in YAML"),
        pytest.param(" 'nothing'", "4: keys[1].policy: 'nothing' is not a policy", id="no policy"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_key_policy_has_its_line(kms_mock: KmsMock, tmp_path: Path, policy: str, place: str) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text(f"keys:\n- alias: alias/a\n- alias: alias/b\n  policy:{policy}")
    with pytest.raises(InvalidSeed) as refused:
        kms_mock.seed(path)
    assert str(refused.value).startswith(f"{path}:{place}")
    assert len(kms_mock.keys) == 0


def test_a_boolean_in_an_identity_policy_of_json(kms_mock: KmsMock, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    allow = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
    path.write_text(json.dumps({"keys": [], "iam": {"role/app": {"Statement": [allow, allow | {"Sid": False}]}}}))
    with pytest.raises(InvalidSeed) as refused:
        kms_mock.seed(path)
    assert str(refused.value) == f"{path}:1: iam['role/app'].Statement[1].Sid: {REFUSED}"


def test_a_missing_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kms_mock: KmsMock) -> None:
    path = tmp_path / "keys.yaml"
    with pytest.raises(InvalidSeed) as absolute:
        mock_kms(seed=path).start()
    assert str(absolute.value) == f"seed file {path} does not exist"
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidSeed) as relative:
        kms_mock.seed("keys.yaml")
    assert str(relative.value) == (
        f"seed file keys.yaml does not exist in {tmp_path} (relative paths start from the working directory)"
    )


def test_what_is_no_text_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    path.write_bytes("keys:\n- description: Schlüssel\n".encode("latin-1"))
    with pytest.raises(InvalidSeed, match=r"keys\.yaml:2: invalid UTF-8: "):
        mock_kms(seed=path).start()


def test_merged_parts_have_the_line_of_the_key(kms_mock: KmsMock, tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text("keys:\n- tags: &merged {enabled: x}\n- alias: alias/x\n  <<: *merged\n")
    with pytest.raises(InvalidSeed, match=r"keys\.yaml:3: keys\[1\]\.enabled: expected true or false, found 'x'$"):
        kms_mock.seed(path)


def test_the_option_must_be_a_path() -> None:
    with pytest.raises(InvalidOption, match=r"mock_kms\(\): seed must be the path of a file, not 5\."):
        mock_kms(seed=5)  # that is the mistake


# --- any mistake ----------------------------------------------------------------------------------------------------

PIECES = [
    "", " ", "\n", "\n  ", "\t", "-", ": ", "? ", "&a ", "*a", "<<: *a", "[", "]", "{", "}", '"', "'", "|", "#",
    "!!int ", "!!binary ", "!!timestamp ", "!!set ", "!!omap ", "!!python/none ", "\0", "\\ud800", "yes", "~", "0x",
    "1:30", ".nan", "2012-10-17", "null", "key_id", "material", "EXTERNAL", "RSA_2048", "---\n", "%YAML 9\n", "\ufeff",
]  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_refused_with_its_line_or_planted_whole(tmp_path: Path, data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([FULL_WITH_GRANT, SURROUNDED]))
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = start + data.draw(st.sampled_from([0, 0, 1, 2, 5, 20]))
        text = text[:start] + data.draw(st.sampled_from(PIECES)) + text[end:]
    path = tmp_path / f"keys.{data.draw(st.sampled_from(['yaml', 'yaml', 'json']))}"
    path.write_text(text, encoding="utf-8")
    with mock_kms(fresh=True) as kms:
        before = kms.dump()["regions"]
        try:
            kms.seed(path)
        except InvalidSeed as refused:
            at_its_line = re.match(rf"{re.escape(str(path))}:[0-9]+: ", str(refused))
            assert at_its_line
            assert kms.dump()["regions"] == before
        else:
            kms.load(kms.dump())


# --- where relative paths start -------------------------------------------------------------------------------------

ONE = "keys: [{alias: alias/%s}]"
CASE = """
import boto3, pytest
from pytest_kmsmock import mock_kms

def names():
    return [a["AliasName"] for a in boto3.client("kms").list_aliases()["Aliases"] if "/aws/" not in a["AliasName"]]

def test_default(kms_mock):
    assert names() == ["alias/%(default)s"]

@pytest.mark.kms_mock(seed="data/marker.yaml")
def test_marker():
    assert names() == ["alias/marker"]

def test_session(session_kms_mock, kms_mock):
    assert names() == ["alias/%(default)s"]
"""


def write_seeds(pytester: pytest.Pytester) -> Path:
    data = pytester.mkdir("data")
    for name in ("ini", "marker", "line"):
        (data / f"{name}.yaml").write_text(ONE % name)
    (pytester.path / "sub").mkdir()
    return data


def test_ini_and_marker_start_from_the_rootdir(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    write_seeds(pytester)
    ini = "[pytest]\nasyncio_default_fixture_loop_scope = function\nkms_mock_seed = data/ini.yaml\n"
    pytester.makeini(ini)
    (pytester.path / "sub" / "test_it.py").write_text(CASE % {"default": "ini"})
    monkeypatch.chdir(pytester.path / "sub")
    pytester.runpytest_inprocess(
        "-p", "no:randomly", "--rootdir", str(pytester.path), "-c", str(pytester.path / "tox.ini")
    ).assert_outcomes(passed=3)


def test_the_command_line_starts_from_the_working_directory(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_seeds(pytester)
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\nkms_mock_seed = data/ini.yaml\n")
    (pytester.path / "sub" / "test_it.py").write_text(CASE % {"default": "line"})
    monkeypatch.chdir(pytester.path / "sub")
    run = pytester.runpytest_inprocess(
        "-p", "no:randomly", "-c", str(pytester.path / "tox.ini"), "--kms-seed", "../data/line.yaml"
    )
    run.assert_outcomes(passed=3)


def test_code_starts_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keys.yaml").write_text(ONE % "x")
    monkeypatch.chdir(tmp_path)
    with mock_kms(seed="keys.yaml") as kms:
        assert kms.keys["alias/x"].state == "Enabled"
