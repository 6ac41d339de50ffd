"""Dumps: everything is in them, and only whole ones are loaded."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import json
import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from pytest_kmsmock import KmsMock, mock_kms
from pytest_kmsmock._kms.api.key_specs import KEY_SPECS, KeySpec
from pytest_kmsmock._kms.crypto import generate
from pytest_kmsmock._kms.entropy.key_source import LazyMaterial
from pytest_kmsmock._kms.state import backing_key_stores, records
from pytest_kmsmock._kms.state.state import Region, State
from pytest_kmsmock._testing.dumps import codec, dump
from pytest_kmsmock.errors import InvalidDump, InvalidSeed

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
SAMPLES: Mapping[Any, object] = {
    str: "text", int: 5, bool: True, float: 1.5, bytes: b"\0", datetime: NOON, object: {"a": ["x", None]},
    KeySpec: KEY_SPECS["HMAC_224"], LazyMaterial: LazyMaterial.of(generate(KEY_SPECS["HMAC_224"])),
}  # fmt: skip


def is_record(value: Any) -> bool:
    return dataclasses.is_dataclass(value) or hasattr(value, "_fields")


def names_of(record: Any) -> Iterable[str]:
    return getattr(record, "_fields", None) or [field.name for field in dataclasses.fields(record)]


RECORDS = [
    found
    for module in (backing_key_stores, records)
    for _, found in inspect.getmembers(module, inspect.isclass)
    if is_record(found) and found.__module__ == module.__name__
]

#: What the state holds in classes of their own: the world outside of KMS, IAM.
HOLDERS = [hint() for hint in get_type_hints(State).values() if inspect.isclass(hint) and "__slots__" in vars(hint)]


def sample(hint: Any) -> Any:
    """Make a value of a type in which nothing is left out."""
    arguments = [argument for argument in get_args(hint) if argument not in (type(None), Ellipsis)]
    if hint in SAMPLES:
        return SAMPLES[hint]
    if is_record(hint):
        hints = get_type_hints(hint, localns={"LazyMaterial": LazyMaterial, "KeySpec": KeySpec})
        return hint(**{name: sample(hints[name]) for name in names_of(hint)})
    if get_origin(hint) is tuple:
        return tuple(map(sample, arguments))
    if get_origin(hint) in (list, frozenset):
        return get_origin(hint)([sample(arguments[0])])
    if get_origin(hint) in (dict, Mapping):
        return {sample(arguments[0]): sample(arguments[1])}
    return sample(arguments[0])


def plain(value: Any) -> Any:
    """Return a record as nested dicts that can be compared, with the bytes of its material."""
    if isinstance(value, LazyMaterial):
        return value.spec.name, value.get().private_bytes()
    if is_record(value) and not isinstance(value, KeySpec):
        return {name: plain(getattr(value, name)) for name in names_of(value)}
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, tuple | list) else value


@pytest.mark.parametrize("record", RECORDS)
def test_every_record_survives_with_every_field(record: type) -> None:
    value = sample(record)
    text = json.dumps(codec.encode(value, record))
    assert plain(codec.decode(json.loads(text), record, "")) == plain(value)


def test_what_holds_records_survives_with_every_attribute() -> None:
    left_out = {Region: {"key_ids", "alias_names", "aliases_of"}, State: {"events"}}
    for holder in (Region("111122223333", "eu-west-1"), State(), *HOLDERS):
        hints = get_type_hints(type(holder))
        skip = left_out.get(type(holder), set())
        for name in set(hints) - skip:
            if not name.startswith("_") and hints[name] not in map(type, HOLDERS):
                setattr(holder, name, sample(hints[name]))
        written = json.loads(json.dumps(codec.encode_attributes(holder, skip=skip)))
        again = Region("", "") if isinstance(holder, Region) else type(holder)()
        codec.decode_attributes(again, written, "", skip=skip)
        assert written
        assert codec.encode_attributes(again, skip=skip) == written


def furnished(kms: KmsMock) -> dict[str, bytes]:
    """Give a mock something of everything, and return some ciphertexts."""
    client = kms.client()
    plain_key = kms.create_key(alias="alias/app", aliases=["alias/b", "alias/a"], tags={"team": "x"}).id
    for spec in ("RSA_2048", "ECC_SECG_P256K1", "HMAC_512", "ML_DSA_44", "ECC_NIST_EDWARDS25519", "ML_KEM_768"):
        kms.create_key(spec=spec, usage=next(iter(KEY_SPECS[spec].usages)), description=spec)
    kms.create_key(account="111122223333", region="eu-west-1", enabled=False)
    related = kms.create_key(multi_region=True, replicas=["eu-west-1"]).id
    imported = kms.create_key(origin="EXTERNAL", material=bytes(32)).id
    kms.create_key(origin="EXTERNAL")
    kms.create_key(pending_window_in_days=7)
    client.enable_key_rotation(KeyId=plain_key, RotationPeriodInDays=90)
    blobs = {
        name: client.encrypt(KeyId=name, Plaintext=b"x")["CiphertextBlob"] for name in (plain_key, related, imported)
    }
    client.describe_key(KeyId="alias/aws/s3")
    kms.clock.advance(days=91)
    client.list_aliases()
    return blobs


def answers(kms: KmsMock) -> list[Any]:
    """Ask about everything, as far as it does not change anything."""
    found = []
    for region in ("us-east-1", "eu-west-1"):
        client = kms.client(region=region)
        keys = [entry["KeyId"] for entry in client.list_keys()["Keys"]]
        found += [client.list_aliases()["Aliases"], keys]
        for key in keys:
            found += [client.describe_key(KeyId=key)["KeyMetadata"], client.get_key_policy(KeyId=key)["Policy"]]
            found += [client.list_resource_tags(KeyId=key)["Tags"], client.list_aliases(KeyId=key)["Aliases"]]
    return found


def test_everything_comes_back(kms_mock: KmsMock) -> None:
    kms_mock.clock.freeze(NOON)
    blobs = furnished(kms_mock)
    document = json.loads(json.dumps(kms_mock.dump()))
    expected = answers(kms_mock)
    with mock_kms(fresh=True) as other:
        other.load(document)
        assert other.clock.now() == kms_mock.clock.now()
        assert other.clock.frozen
        assert other.dump() == document
        assert answers(other) == expected
        for blob in blobs.values():
            assert other.client().decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_what_is_due_later_is_due_after_loading_too(kms_mock: KmsMock) -> None:
    key = kms_mock.create_key(pending_window_in_days=7)
    document = kms_mock.dump()
    kms_mock.clock.advance(days=30)
    assert key.id not in kms_mock.keys
    kms_mock.load(document)  # and back in time
    assert key.state == "PendingDeletion"
    kms_mock.clock.advance(days=7, seconds=1)
    assert key.id not in kms_mock.keys


def under_way(kms: KmsMock) -> None:
    """Leave something of every kind to be due in a mock whose clock stands."""
    client = kms.client()
    kms.delays.creating = kms.delays.updating = kms.delays.rotating = kms.delays.connecting = timedelta(days=1)
    store = kms.key_stores.add_store()
    client.disconnect_custom_key_store(CustomKeyStoreId=store)
    client.connect_custom_key_store(CustomKeyStoreId=store)
    kms.create_key(alias="alias/gone", pending_window_in_days=7)
    related = kms.create_key(alias="alias/rotated", rotation_period_in_days=90, multi_region=True).id
    client.rotate_key_on_demand(KeyId=related)
    client.replicate_key(KeyId=related, ReplicaRegion="eu-west-1")
    imported = kms.create_key(alias="alias/imported", origin="EXTERNAL").id
    ours = client.get_parameters_for_import(
        KeyId=imported, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
    )
    wrapped = load_der_public_key(ours["PublicKey"]).encrypt(bytes(32), OAEP(MGF1(SHA256()), SHA256(), None))
    client.import_key_material(
        KeyId=imported, ImportToken=ours["ImportToken"], EncryptedKeyMaterial=wrapped, ValidTo=NOON + timedelta(days=9)
    )


def test_what_is_due_later_survives(kms_mock: KmsMock) -> None:
    kms_mock.clock.freeze(NOON)
    under_way(kms_mock)
    document = kms_mock.dump()
    kms_mock.load(json.loads(json.dumps(document)))
    assert kms_mock.dump() == document
    assert len(document["timeline"]) == 6


def test_a_running_clock_runs_on_from_the_time_of_the_dump() -> None:
    with mock_kms() as kms:
        kms.clock.move_to("2030-01-01")
        document = kms.dump()
    with mock_kms() as kms:
        kms.clock.freeze()
        kms.load(document)
        assert not kms.clock.frozen
        assert timedelta() <= kms.clock.now() - datetime(2030, 1, 1, tzinfo=timezone.utc) < timedelta(minutes=1)


def test_an_empty_mock_has_an_empty_dump() -> None:
    with mock_kms(deterministic=True) as kms:
        document = kms.dump()
        assert document["format"] == "pytest-kmsmock"
        assert (document["version"], document["time"], document["frozen"]) == (2, "2026-01-01T00:00:00+00:00", True)
        assert (document["regions"], document["timeline"]) == ([], [])


def test_a_grant_that_is_gone_leaves_nothing(kms_mock: KmsMock) -> None:
    key = kms_mock.create_key()
    before = kms_mock.dump()["regions"]
    grantee = f"arn:aws:iam::{kms_mock.account}:role/app"
    grant = kms_mock.client().create_grant(KeyId=key.id, GranteePrincipal=grantee, Operations=["Encrypt"])["GrantId"]
    kms_mock.client().revoke_grant(KeyId=key.id, GrantId=grant)
    assert kms_mock.dump()["regions"] == before


def test_material_that_was_never_needed_is_in_the_dump(kms_mock: KmsMock) -> None:
    key = kms_mock.create_key(spec="RSA_2048", usage="SIGN_VERIFY")
    document = kms_mock.dump()
    made = key.material()
    kms_mock.load(document)
    assert key.material() == made


def test_dumping_and_loading_are_no_calls(kms_mock: KmsMock) -> None:
    kms_mock.client().create_key()
    events = kms_mock._service.state.events
    kms_mock.load(kms_mock.dump())
    assert [call.operation for call in kms_mock.calls] == ["CreateKey"]
    assert kms_mock._service.state.events is events


def test_files_are_written_whole_and_read_back(kms_mock: KmsMock, tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text("old")
    key = kms_mock.create_key()
    document = kms_mock.dump(path)
    assert json.loads(path.read_text()) == document
    assert [entry.name for entry in tmp_path.iterdir()] == ["state.json"]
    for place in (path, str(path)):
        with mock_kms(fresh=True) as other:
            other.load(place)
            assert list(other.keys) == [key.id]


def test_a_link_keeps_its_file_and_what_is_no_file_is_written_to(kms_mock: KmsMock, tmp_path: Path) -> None:
    """A device is replaced by root otherwise: `/dev/null` was."""
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to("state.json")
    document = kms_mock.dump(link)
    assert link.is_symlink()
    assert json.loads((tmp_path / "state.json").read_text()) == document
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as pool:
        reading = pool.submit(pipe.read_text)
        document = kms_mock.dump(pipe)
        assert json.loads(reading.result()) == document
    assert pipe.is_fifo()


# --- what is not loaded ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    with mock_kms(deterministic=True, fresh=True) as kms:
        kms.create_key(alias="alias/app", key_id="1234abcd-12ab-34cd-56ef-1234567890ab", material=bytes(32))
        kms.client().encrypt(KeyId="alias/app", Plaintext=b"x")
        return kms.dump()


ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
KEY = f"regions[0].keys['{ID}']"


def _change(change: Callable[[dict[str, Any], dict[str, Any]], object]) -> Callable[[dict[str, Any]], Any]:
    """Change a document by its first Region and that Region's key; one without a digest, so that the change is read."""

    def changed(document: dict[str, Any]) -> Any:
        change(document["regions"][0], document["regions"][0]["keys"][ID])
        return _old(document)

    return changed


def _old(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document of version 1, which has no digest."""
    return {name: value for name, value in document.items() if name != "digest"} | {"version": 1}


CHANGED = (
    "the dump is damaged, or was changed after it was written: its digest does not match. "
    "To write a state by hand, write a seed file"
)
BAD: list[Any] = [
    (lambda _: [], 'this is not a dump of a mock: it has no "format": "pytest-kmsmock"', "no object"),
    (lambda d: d | {"format": "other"},
     'this is not a dump of a mock: it has no "format": "pytest-kmsmock"', "foreign"),
    (lambda d: d | {"version": 3},
     "the dump is of version 3; this release of pytest-kmsmock reads version 2", "newer"),
    (lambda d: d | {"version": True},
     "the dump is of version True; this release of pytest-kmsmock reads version 2", "truth for a version"),
    (lambda d: d | {"version": None},
     "the dump is of version None; this release of pytest-kmsmock reads version 2", "no version"),
    (lambda d: d | {"extra": 1}, CHANGED, "changed"),
    (lambda d: {k: v for k, v in d.items() if k != "digest"}, CHANGED, "no digest"),
    (lambda d: _old(d) | {"extra": 1}, "the dump is damaged: the document: unknown field 'extra'.", "unknown part"),
    (lambda d: {k: v for k, v in _old(d).items() if k != "time"},
     "the dump is damaged: time: expected a time with its offset from UTC, such as 2026-01-01T00:00:00+00:00, "
     "found None", "no time"),
    (lambda d: _old(d) | {"regions": {}}, "the dump is damaged: regions: expected a list, found {}", "regions"),
    (lambda d: _old(d) | {"regions": [5]},
     "the dump is damaged: regions[0]: expected a mapping of names to values, found 5", "region"),
    (_change(lambda region, _: region.pop("account")),
     "the dump is damaged: regions[0].account: expected a string, found None", "no account"),
    (_change(lambda _, key: key.pop("spec")), f"the dump is damaged: {KEY}: spec missing", "no spec"),
    (_change(lambda _, key: key.update(color=1)),
     f"the dump is damaged: {KEY}: unknown field 'color'.", "unknown field"),
    (_change(lambda _, key: key.update(spec="RSA_1024")),
     f"the dump is damaged: {KEY}.spec: expected a key spec, found 'RSA_1024'", "unknown spec"),
]  # fmt: skip


@pytest.mark.parametrize(("damage", "reason"), [pytest.param(*row[:2], id=row[2]) for row in BAD])
def test_bad_documents_are_refused_and_change_nothing(
    kms_mock: KmsMock, document: dict[str, Any], damage: Callable[[Any], Any], reason: str
) -> None:
    kms_mock.clock.freeze(NOON)
    kms_mock.create_key(alias="alias/mine")
    before = kms_mock.dump()
    with pytest.raises(InvalidDump) as refused:
        dump.load(kms_mock._service, damage(copy.deepcopy(document)))
    assert str(refused.value) == reason
    assert kms_mock.dump() == before


def test_a_torn_file_is_refused_with_its_line(kms_mock: KmsMock, document: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    text = json.dumps(document, indent=1)
    path.write_text("\n".join(text.splitlines()[:9]))
    with pytest.raises(InvalidDump, match=r"state\.json:9: invalid or incomplete JSON: "):
        kms_mock.load(path)


def test_a_missing_file_is_refused(kms_mock: KmsMock, tmp_path: Path) -> None:
    with pytest.raises(InvalidDump, match=r"state\.json does not exist$"):
        kms_mock.load(tmp_path / "state.json")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        pytest.param(
            "keys.yaml", "keys: []",
            "{path}: a dump is JSON, which dump() wrote. This looks like a seed file, which kms_mock.seed({path!r}) or "
            "the option seed={path!r} reads",
            id="YAML",
        ),
        pytest.param(
            "keys.json", '{"keys": []}',
            'this is not a dump of a mock: it has no "format": "pytest-kmsmock". This looks like a seed file, which '
            "kms_mock.seed('keys.json') or the option seed='keys.json' reads",
            id="JSON",
        ),
    ],
)  # fmt: skip
def test_a_seed_file_is_told_from_a_dump(kms_mock: KmsMock, tmp_path: Path, name: str, content: str, message: str):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(InvalidDump) as refused:
        kms_mock.load(path)
    assert str(refused.value) == message.format(path=str(path))


def test_a_dump_is_told_from_a_seed_file(kms_mock: KmsMock, tmp_path: Path) -> None:
    path = str(tmp_path / "state.json")
    kms_mock.dump(path)
    with pytest.raises(InvalidSeed) as refused:
        kms_mock.seed(path)
    assert str(refused.value) == f"{path}: this is a dump, which kms_mock.load({path!r}) reads"


def test_what_is_no_text_is_refused_with_its_line(kms_mock: KmsMock, tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(b"{\n\xff}")
    with pytest.raises(InvalidDump, match=r"state\.json:2: invalid UTF-8: "):
        kms_mock.load(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param("[" * 100_000, "not a dump: it is nested too deeply", id="nested"),
        pytest.param('{"time": ' + "1" * 5000 + "}", "cannot be read: Exceeds the limit", id="long number"),
    ],
)
def test_json_that_python_cannot_read_is_refused(
    kms_mock: KmsMock, tmp_path: Path, content: str, reason: str
) -> None:  # fmt: skip
    path = tmp_path / "state.json"
    path.write_text(content)
    with pytest.raises(InvalidDump, match=rf"state\.json:? {reason}"):
        kms_mock.load(path)


@pytest.mark.parametrize("given", [None, [], 5, b"state.json", {1}], ids=repr)
def test_what_is_neither_a_dump_nor_a_path_is_refused(kms_mock: KmsMock, given: Any) -> None:
    with pytest.raises(InvalidDump, match=r"^load\(\) takes what dump\(\) gave, or the path of a file that it wrote"):
        kms_mock.load(given)


def test_a_path_that_cannot_be_is_refused(kms_mock: KmsMock) -> None:
    with pytest.raises(InvalidDump, match="cannot be read: embedded null byte"):
        kms_mock.load("a\0b")


def test_members_of_a_mapping_that_json_cannot_have_are_refused(kms_mock: KmsMock) -> None:
    with pytest.raises(InvalidDump, match="the dump is damaged: "):
        kms_mock.load({**kms_mock.dump(), 5: 6})  # that is the mistake


# --- how files are written ------------------------------------------------------------------------------------------


def test_only_the_owner_may_read_the_secrets(kms_mock: KmsMock, tmp_path: Path) -> None:
    kms_mock.dump(tmp_path / "state.json")
    assert (tmp_path / "state.json").stat().st_mode & 0o777 == 0o600


def test_a_failure_leaves_the_old_file_and_nothing_else(
    kms_mock: KmsMock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.json"
    path.write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        kms_mock.dump(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_in_the_place_of_the_file_is_left_alone(kms_mock: KmsMock, tmp_path: Path) -> None:
    (tmp_path / "state.json").mkdir()
    with pytest.raises(OSError, match=r"Is a directory|Permission denied"):
        kms_mock.dump(tmp_path / "state.json")
    assert [entry.name for entry in tmp_path.iterdir()] == ["state.json"]


def test_a_missing_folder_is_named(kms_mock: KmsMock, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"The directory does not exist: '.*missing'$"):
        kms_mock.dump(tmp_path / "missing" / "state.json")


def test_threads_that_write_one_file_do_not_meet(kms_mock: KmsMock, tmp_path: Path) -> None:
    kms_mock.create_key()
    document = kms_mock.dump()
    path = tmp_path / "state.json"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: dump.write(document, path), range(40)))
    assert json.loads(path.read_text()) == document
    assert list(tmp_path.iterdir()) == [path]


def test_user_data_that_looks_like_a_marker_is_kept(kms_mock: KmsMock) -> None:
    constraints = {"EncryptionContextSubset": {"$time": "noon"}}
    role = "arn:aws:iam::123456789012:role/app"
    grant = {"GranteePrincipal": role, "Operations": ["Decrypt"], "Constraints": constraints}
    key = kms_mock.create_key(grants=[grant])
    kms_mock.load(kms_mock.dump())
    (found,) = kms_mock.client().list_grants(KeyId=key.id)["Grants"]
    assert found["Constraints"] == constraints
