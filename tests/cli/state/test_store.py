"""The state file of a served fake KMS: when changes are written, what is undone, and loading."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pytest_kmsmock import mock_kms
from pytest_kmsmock._cli.state import database
from pytest_kmsmock._cli.state.database import Database
from pytest_kmsmock._cli.state.rows import Raw, Rows
from pytest_kmsmock._cli.state.store import StateFile
from pytest_kmsmock._kms.engine.fake_kms import FakeKms
from pytest_kmsmock._testing.dumps import dump
from pytest_kmsmock._transport.json_protocol import HttpAnswer
from pytest_kmsmock.errors import InvalidDump, StateFileInUse

ROLE = "arn:aws:iam::123456789012:role/r"


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def written(monkeypatch) -> list[list[str]]:
    """The kinds of the rows of each transaction."""
    transactions, write = [], Database.write

    def note(self, rows):
        given = list(rows)
        transactions.append([row.kind for row in given])
        write(self, given)

    monkeypatch.setattr(Database, "write", note)
    return transactions


def done(store: StateFile, operation: str, work: Callable[[], object]) -> HttpAnswer:
    def call() -> HttpAnswer:
        work()
        return HttpAnswer(200, {"x-amzn-requestid": "1"}, b"{}")

    return store.carry_out(operation, call)


def content_of(service: FakeKms, *left_out: str) -> dict[str, object]:
    """Return all that a fake KMS remembers, whatever the order, without Regions that have nothing."""
    document = dump.dump(service)
    for name in ("time", "timeline", "digest"):
        del document[name]
    for region in document["regions"]:
        for name in left_out:
            del region[name]
    document["regions"] = [region for region in document["regions"] if sum(map(bool, region.values())) > 2]
    return document


def read_again(path: Path) -> FakeKms:
    service = FakeKms()
    with StateFile(path, service) as store:
        assert store.load()
    return service


def test_a_change_is_written_before_it_is_answered(kms_mock, kms_client, path, written):
    with StateFile(path, kms_mock._service) as store:
        assert not store.load()
        store.begin()
        del written[:]
        assert done(store, "CreateKey", kms_client.create_key).status == 200
        assert written == [["keys"]]
        (key,) = kms_mock.keys
        done(store, "CreateAlias", lambda: kms_client.create_alias(AliasName="alias/a", TargetKeyId=key))
        done(store, "ListKeys", kms_client.list_keys)
        assert written[1:] == [["aliases"]]


def test_keys_created_by_a_read_are_written(kms_mock, kms_client, path, written):
    with StateFile(path, kms_mock._service) as store:
        store.begin()
        del written[:]
        done(store, "DescribeKey", lambda: kms_client.describe_key(KeyId="alias/aws/s3"))
        (kinds,) = written
        assert {"keys", "aliases"} <= set(kinds)


def test_scheduled_changes_are_written(kms_mock, kms_client, path, written):
    key_id = kms_mock.create_key().id
    kms_client.enable_key_rotation(KeyId=key_id)
    with StateFile(path, kms_mock._service) as store:
        store.begin()
        del written[:]
        kms_mock.clock.advance(days=366)
        done(store, "Encrypt", lambda: kms_client.encrypt(KeyId=key_id, Plaintext=b"x"))
        assert sorted(written[0]) == ["keys", "last_usage"]


def test_last_usage_is_written_when_it_is_shown(kms_mock, kms_client, path, written):
    key_id = kms_mock.create_key().id
    with StateFile(path, kms_mock._service) as store:
        store.begin()
        del written[:]
        for _ in range(3):
            done(store, "Encrypt", lambda: kms_client.encrypt(KeyId=key_id, Plaintext=b"x"))
        assert written == []
        done(store, "GetKeyLastUsage", lambda: kms_client.get_key_last_usage(KeyId=key_id))
        assert written == [["last_usage"]]
        done(store, "Encrypt", lambda: kms_client.encrypt(KeyId=key_id, Plaintext=b"x"))
        store.save()
        assert written[1:] == [["last_usage"]]


def full(*_: object) -> None:
    raise OSError(28, os.strerror(28))


def test_a_change_that_cannot_be_written_is_undone(kms_mock, kms_client, path, capsys, monkeypatch):
    key = kms_mock.create_key(alias="alias/before")
    dated = kms_mock.create_key()
    kms_client.schedule_key_deletion(KeyId=dated.id, PendingWindowInDays=7)
    kept = kms_client.create_grant(KeyId=key.id, GranteePrincipal=ROLE, Operations=["Decrypt"], Name="kept")["GrantId"]
    gone = kms_client.create_grant(KeyId=key.id, GranteePrincipal=ROLE, Operations=["Encrypt"])["GrantId"]
    with StateFile(path, kms_mock._service) as store:
        store.begin()
        before = content_of(kms_mock._service)

        def change() -> None:
            kms_client.delete_alias(AliasName="alias/before")
            kms_client.create_alias(AliasName="alias/new", TargetKeyId=key.id)
            kms_client.revoke_grant(KeyId=key.id, GrantId=gone)
            kms_client.create_grant(KeyId=key.id, GranteePrincipal=ROLE, Operations=["DescribeKey"])
            kms_client.create_key()
            kms_mock.clock.advance(days=8)
            kms_client.list_keys()

        with monkeypatch.context() as failing:
            failing.setattr(Database, "write", full)
            answer = done(store, "ListKeys", change)
        assert (answer.status, json.loads(answer.body)["__type"]) == (500, "KMSInternalException")
        assert answer.headers == {"x-amzn-requestid": "1", "content-length": str(len(answer.body))}
        assert capsys.readouterr().err == "pytest-kmsmock: ListKeys is undone: [Errno 28] No space left on device\n"
        assert content_of(kms_mock._service) == before
        assert content_of(read_again(after_a_crash(path))) == before
        # What follows from records is as it was, too.
        assert {grant["GrantId"] for grant in kms_client.list_grants(KeyId=key.id)["Grants"]} == {kept, gone}
        assert [alias["AliasName"] for alias in kms_client.list_aliases(KeyId=key.id)["Aliases"]] == ["alias/before"]
        assert [entry["KeyId"] for entry in kms_client.list_keys()["Keys"]] == [key.id]  # the other is due again
        done(store, "ListKeys", kms_client.list_keys)
    assert content_of(read_again(path)) == content_of(kms_mock._service)


def after_a_crash(path: Path, name: str = "copy.db") -> Path:
    """Copy a file that is in use, as it would be found after a crash."""
    copy = path.with_name(name)
    for suffix in ("", "-wal"):
        if path.with_name(path.name + suffix).exists():
            copy.with_name(copy.name + suffix).write_bytes(path.with_name(path.name + suffix).read_bytes())
    return copy


def test_any_exception_while_writing_undoes_changes(kms_mock, kms_client, path, capsys, monkeypatch):
    with StateFile(path, kms_mock._service) as store:
        store.begin()
        monkeypatch.setattr("pytest_kmsmock._cli.state.store.row_of", lambda *_: 1 / 0)
        assert done(store, "CreateKey", kms_client.create_key).status == 500
        assert len(kms_mock.keys) == 0
        assert "division by zero" in capsys.readouterr().err
        assert done(store, "ListKeys", kms_client.list_keys).status == 200  # what it is made from is in the file
        kms_client.create_key()
        with pytest.raises(ZeroDivisionError):
            store.save()


def test_concurrent_changes_are_written_together(kms_mock, path, monkeypatch):
    writes, begun, go_on = [], threading.Event(), threading.Event()
    write = Database.write

    def write_slowly(self, rows):
        rows = list(rows)
        writes.append(len(rows))
        begun.set()
        assert go_on.wait(10)
        write(self, rows)

    with StateFile(path, kms_mock._service) as store, ThreadPoolExecutor(6) as threads:
        store.begin()
        monkeypatch.setattr(Database, "write", write_slowly)
        first = threads.submit(done, store, "CreateKey", kms_mock.client().create_key)
        assert begun.wait(10)
        reader = threads.submit(done, store, "ListKeys", lambda: None)  # it may have seen the key
        while store._in_flight.settled:
            time.sleep(0.001)
        others = [threads.submit(done, store, "CreateKey", kms_mock.client().create_key) for _ in range(4)]
        while len(kms_mock.keys) < 5:
            time.sleep(0.001)
        assert not any(call.done() for call in [first, reader, *others])  # none is answered before it is kept
        go_on.set()
        assert [call.result().status for call in [first, reader, *others]] == [200] * 6
    assert writes == [1, 4]


def test_changes_based_on_an_undone_change_are_undone(kms_mock, path, monkeypatch, capsys):
    begun, go_on = threading.Event(), threading.Event()

    def fail_slowly(*_: object) -> None:
        begun.set()
        assert go_on.wait(10)
        full()

    with StateFile(path, kms_mock._service) as store, ThreadPoolExecutor(3) as threads:
        store.begin()
        with monkeypatch.context() as failing:
            failing.setattr(Database, "write", fail_slowly)
            first = threads.submit(done, store, "CreateKey", kms_mock.client().create_key)
            assert begun.wait(10)
            second = threads.submit(done, store, "CreateKey", kms_mock.client().create_key)
            while len(kms_mock.keys) < 2:
                time.sleep(0.001)
            go_on.set()
            assert [call.result().status for call in (first, second)] == [500, 500]
        assert len(kms_mock.keys) == 0
        assert done(store, "CreateKey", kms_mock.client().create_key).status == 200
    assert capsys.readouterr().err.count(" is undone: ") == 2
    assert len(next(iter(read_again(path).state.regions())).keys) == 1


# --- reading ------------------------------------------------------------------------------------------------------


def test_records_are_decoded_on_first_use(path):
    with mock_kms() as kms:
        keys = [kms.create_key(alias=f"alias/{number}").id for number in range(5)]
        with StateFile(path, kms._service) as store:
            store.begin()
    with mock_kms() as kms, StateFile(path, kms._service) as store:
        store.load()
        region = kms._service.state.region("123456789012", "us-east-1")
        assert isinstance(region.keys, Rows)
        kms.client().describe_key(KeyId="alias/3")
        raw = [key_id for key_id in region.keys if type(dict.__getitem__(region.keys, key_id)) is Raw]
        assert sorted(raw) == sorted(keys[:3] + keys[4:])
        assert {key["KeyId"] for key in kms.client().list_keys()["Keys"]} == set(keys)
        names = [alias["AliasName"] for alias in kms.client().list_aliases()["Aliases"]]
        assert names[-5:] == sorted(names)[-5:]
        with mock_kms() as nested:  # a copy is a plain state
            assert type(nested._service.state.region("123456789012", "us-east-1").keys) is dict
            assert len(nested.keys) == 5


def test_grants_are_decoded_on_first_use_of_their_key(path):
    with mock_kms() as kms:
        kms.iam.attach("role/r", {"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}})
        keys = [kms.create_key().id for _ in range(3)]
        grants = {
            kms.client().create_grant(KeyId=key_id, GranteePrincipal=ROLE, Operations=["Encrypt", "Decrypt"])["GrantId"]
            for key_id in (*keys, keys[0])
        }
        with StateFile(path, kms._service) as store:
            store.begin()
    with mock_kms() as kms, StateFile(path, kms._service) as store:
        store.load()
        region = kms._service.state.region("123456789012", "us-east-1")

        def raw() -> int:
            return sum(type(dict.__getitem__(rows, name)) is Raw for rows in region.grants.values() for name in rows)

        assert raw() == 4
        with kms.as_principal("role/r"):
            kms.client().encrypt(KeyId=keys[0], Plaintext=b"x")
        assert raw() == 2
        assert len(kms.client().list_grants(KeyId=keys[0])["Grants"]) == 2
        (retired,) = (grant["GrantId"] for grant in kms.client().list_grants(KeyId=keys[1])["Grants"])
        done(store, "RevokeGrant", lambda: kms.client().revoke_grant(KeyId=keys[1], GrantId=retired))
        with mock_kms() as nested:  # a copy has all of them
            assert len(nested.client().list_grants(KeyId=keys[2])["Grants"]) == 1
            with nested.as_principal("role/r"):
                nested.client().encrypt(KeyId=keys[2], Plaintext=b"x")
        kms.client().schedule_key_deletion(KeyId=keys[2], PendingWindowInDays=7)
        kms.clock.advance(days=8)
        done(store, "ListKeys", kms.client().list_keys)
    kept = {name for region in read_again(path).state.regions() for rows in region.grants.values() for name in rows}
    assert kept < grants
    assert len(kept) == 2


def test_all_kinds_of_records_are_read_as_they_were_written(path):
    with mock_kms() as kms:
        cluster = kms.key_stores.add_cluster()
        proxy = kms.key_stores.add_xks_proxy(endpoint="https://xks.example.com")
        kms.iam.attach("role/r", {"Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}})
        kms.delays.eventual_consistency = 300
        client = kms.client()
        store_id = client.create_custom_key_store(CustomKeyStoreName="c", **cluster.parameters)["CustomKeyStoreId"]
        client.connect_custom_key_store(CustomKeyStoreId=store_id)
        client.create_custom_key_store(CustomKeyStoreName="p", **proxy.parameters)
        key = kms.create_key(alias="alias/a", tags={"a": "b"})
        client.create_grant(
            KeyId=key.id, GranteePrincipal=ROLE, Operations=["Decrypt"],
            Constraints={"EncryptionContextSubset": {"a": "b"}},
        )  # fmt: skip
        client.tag_resource(KeyId=key.id, Tags=[{"TagKey": "c", "TagValue": "d"}])
        client.encrypt(KeyId=key.id, Plaintext=b"x")
        with StateFile(path, kms._service) as store:
            store.begin()
        content = content_of(kms._service)
    assert content_of(read_again(path)) == content


def test_aliases_of_a_key_come_back_in_their_order(kms_mock, kms_client, path):
    one, two = (kms_mock.create_key(aliases=[f"alias/{name}{number}" for name in "cab"]) for number in "12")
    with StateFile(path, kms_mock._service) as store:
        store.begin()
        for alias, key in (("alias/c1", two), ("alias/a1", one), ("alias/c2", one), ("alias/c1", one)):
            done(store, "UpdateAlias", functools.partial(kms_client.update_alias, AliasName=alias, TargetKeyId=key.id))
    regions = [service.state.region(one.account, one.region) for service in (kms_mock._service, read_again(path))]
    assert {key: regions[0].aliases_of[key] for key in (one.id, two.id)} == {
        one.id: ("alias/c1", "alias/a1", "alias/b1", "alias/c2"), two.id: ("alias/a2", "alias/b2"),
    }  # fmt: skip
    assert regions[1].aliases_of == regions[0].aliases_of


OPERATIONS = (
    lambda kms, _: kms.create_key(MultiRegion=True),
    lambda kms, _: kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY"),
    lambda kms, key: kms.create_alias(AliasName=f"alias/{random.randrange(30)}", TargetKeyId=key),
    lambda kms, key: kms.update_alias(AliasName=f"alias/{random.randrange(30)}", TargetKeyId=key),
    lambda kms, _: kms.delete_alias(AliasName=f"alias/{random.randrange(30)}"),
    lambda kms, key: kms.create_grant(
        KeyId=key, GranteePrincipal=f"arn:aws:iam::123456789012:role/{random.randrange(3)}", Operations=["Decrypt"]
    ),
    lambda kms, key: kms.revoke_grant(KeyId=key, GrantId=kms.list_grants(KeyId=key)["Grants"][0]["GrantId"]),
    lambda kms, key: kms.tag_resource(KeyId=key, Tags=[{"TagKey": "t", "TagValue": str(random.random())}]),
    lambda kms, key: kms.disable_key(KeyId=key),
    lambda kms, key: kms.enable_key(KeyId=key),
    lambda kms, key: kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=90),
    lambda kms, key: kms.rotate_key_on_demand(KeyId=key),
    lambda kms, key: kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7),
    lambda kms, key: kms.cancel_key_deletion(KeyId=key),
    lambda kms, key: kms.replicate_key(KeyId=key, ReplicaRegion="eu-west-1"),
    lambda kms, _: kms.describe_key(KeyId="alias/aws/" + random.choice(["s3", "sqs", "ebs"])),
    lambda kms, key: kms.encrypt(KeyId=key, Plaintext=b"x"),
)  # fmt: skip


@pytest.mark.parametrize("count", [300, pytest.param(5000, marks=pytest.mark.slow)])
def test_the_file_equals_the_state_after_mixed_operations(path, count, monkeypatch, capsys):
    chance = random.Random(count)
    random.seed(count)
    failing = False
    write = Database.write
    monkeypatch.setattr(Database, "write", lambda self, rows: full() if failing else write(self, rows))
    with mock_kms() as kms, StateFile(path, kms._service) as store:
        store.begin()
        client = kms.client()
        for step in range(count):
            failing = step % 10 == 9
            before = content_of(kms._service, "last_usage") if failing and count < 1000 else None
            operation, key = chance.choice(OPERATIONS), chance.choice([*kms.keys, "none"])

            def call(operation=operation, key=key) -> None:
                with contextlib.suppress(ClientError, IndexError):
                    operation(client, key)

            if done(store, "Any", call).status == 500 and before is not None:
                assert content_of(kms._service, "last_usage") == before
            failing = False
            kms.clock.advance(timedelta(hours=chance.randrange(48)))
        done(store, "GetKeyLastUsage", lambda: None)
        assert content_of(read_again(after_a_crash(path))) == content_of(kms._service)
    assert " is undone: " in capsys.readouterr().err


def test_a_crash_at_any_write_loses_nothing(path):
    answered: list[bytes] = []
    crashes: list[tuple[Path, int]] = []

    def call(operation: Callable[..., Any], **parameters: object) -> dict[str, Any]:
        answers: list[dict[str, Any]] = []
        done(store, "Any", lambda: answers.append(operation(**parameters)))
        return answers[0]

    def encrypt() -> None:
        answered.append(call(client.encrypt, KeyId=key_id, Plaintext=b"kept")["CiphertextBlob"])

    def crash(_: str) -> None:
        wait([threads.submit(encrypt)], timeout=0.02)  # it may be answered only after the change is written
        crashes.append((after_a_crash(path, f"{len(crashes)}.db"), len(answered)))

    with mock_kms() as kms, StateFile(path, kms._service) as store, ThreadPoolExecutor(8) as threads:
        store.begin()
        client = kms.client()
        key_id = call(client.create_key)["KeyMetadata"]["KeyId"]
        store._database._connection.set_trace_callback(crash)  # before each statement, COMMIT among them
        for _ in range(5):
            call(client.rotate_key_on_demand, KeyId=key_id)
            encrypt()
        store._database._connection.set_trace_callback(None)
    assert len(crashes) >= 5 * 3  # BEGIN, INSERT, COMMIT
    for copy, count in crashes:
        with mock_kms(fresh=True) as kms, StateFile(copy, kms._service) as store:
            store.load()
            client = kms.client()
            for ciphertext in answered[:count]:
                assert client.decrypt(CiphertextBlob=ciphertext)["Plaintext"] == b"kept"
    assert count >= 4  # at the last crash: those between rotations at least


def test_a_new_key_costs_the_same_among_many(kms_mock, kms_client, path):
    def statements() -> int:
        count = 0

        def note(_: str) -> None:
            nonlocal count
            count += 1

        store._database._connection.set_trace_callback(note)
        done(store, "CreateKey", kms_client.create_key)
        store._database._connection.set_trace_callback(None)
        return count

    with StateFile(path, kms_mock._service) as store:
        store.begin()
        few = statements()
        for _ in range(200):
            kms_client.create_key()
        store.save()
        assert statements() == few == 3  # BEGIN, INSERT, COMMIT


def test_memory_of_a_key_is_that_without_a_file(tmp_path):
    """In a process of its own: what earlier tests left in caches counts too, and moves."""
    program = Path(__file__).with_name("memory_of_keys.py")
    done = subprocess.run([sys.executable, program, tmp_path], check=True, capture_output=True, text=True)
    without, made, loaded = json.loads(done.stdout)
    assert max(made, loaded) < 1.1 * without  # 1.03 to 1.07


@pytest.mark.slow
def test_100_000_keys(path):
    def seconds(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
        begun = clock()
        work()
        return clock() - begun

    def create() -> float:
        return sorted(seconds(lambda: done(store, "CreateKey", client.create_key)) for _ in range(40))[20]

    with mock_kms() as kms, StateFile(path, kms._service) as store:
        store.begin()
        client = kms.client()
        create()
        few = create()
        for _ in range(99_800):  # an account may have 100,000
            key_id = client.create_key()["KeyMetadata"]["KeyId"]
            client.create_alias(AliasName=f"alias/{key_id}", TargetKeyId=key_id)
            kms._service.calls.clear()  # as the server does
        store.save()
        assert create() < 1.5 * few + 0.001
    with mock_kms() as kms, StateFile(path, kms._service) as store:
        assert seconds(store.load, time.process_time) < 1  # which other processes do not change


# --- files --------------------------------------------------------------------------------------------------------


def test_calls_that_need_a_damaged_record_fail(kms_mock, path):
    key_id = kms_mock.create_key().id
    kms_mock.client().create_grant(KeyId=key_id, GranteePrincipal=ROLE, Operations=["Decrypt"])
    with StateFile(path, kms_mock._service) as store:
        store.begin()
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE record SET record = '{}' WHERE kind = 'grants'")
    with mock_kms(fresh=True) as kms, StateFile(path, kms._service) as store:
        store.load()
        for _ in range(2):
            with kms.as_principal("role/r"), pytest.raises(ValueError, match=r"grants: id, key_arn, .* missing"):
                done(store, "Encrypt", lambda: kms.client().encrypt(KeyId=key_id, Plaintext=b"x"))


def test_the_file_is_locked(kms_mock, path):
    with StateFile(path, kms_mock._service):
        with pytest.raises(StateFileInUse, match=f"{path} is in use by another server"), \
                StateFile(path, kms_mock._service):  # fmt: skip
            pass
        with StateFile(path.with_name("another.db"), kms_mock._service):
            pass
    with StateFile(path, kms_mock._service):
        pass


def test_only_the_owner_can_read_the_file(kms_mock, path):
    with StateFile(path, kms_mock._service) as store:
        store.begin()
        assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        pytest.param("CREATE TABLE mine (a)", "it is not a state file", id="another-program's"),
        pytest.param("PRAGMA user_version = 99", "it is of a later release", id="later-release"),
    ],
)
def test_a_foreign_database_is_left_as_it_is(kms_mock, path, sql, problem):
    if "PRAGMA" in sql:
        with StateFile(path, kms_mock._service) as store:
            store.begin()
    with sqlite3.connect(path) as connection:
        connection.execute(sql)
    connection.close()
    with pytest.raises(InvalidDump, match=problem), StateFile(path, kms_mock._service):
        pass


@pytest.mark.parametrize("path", ["/proc/kms.db", "/proc/self/clear_refs"], ids=["folder", "file-that-is-not-read"])
def test_files_without_access_are_refused(kms_mock, path):
    with pytest.raises(OSError, match=f"{path} cannot be used: .*It needs a folder that this user may write to"), \
            StateFile(Path(path), kms_mock._service):  # fmt: skip
        pass


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        pytest.param("UPDATE record SET record = '{' WHERE kind = 'iam.missing'", "Expecting property", id="no-json"),
        pytest.param("UPDATE record SET due = 'later'", "'later'", id="no-time"),
        pytest.param("UPDATE record SET kind = 'locks'", "'locks'", id="unknown-kind"),
        pytest.param(None, "malformed", id="bytes-overwritten"),
    ],
)
def test_a_damaged_file_is_left_as_it_is(kms_mock, path, sql, problem):
    for _ in range(20):
        kms_mock.create_key()
    with StateFile(path, kms_mock._service) as store:
        store.begin()
    if sql is None:
        content = bytearray(path.read_bytes())
        content[4096:] = b"\xff" * (len(content) - 4096)  # all but the schema
        path.write_bytes(content)
    else:
        with contextlib.closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(sql)
    with mock_kms(fresh=True) as kms, StateFile(path, kms._service) as store, \
            pytest.raises(InvalidDump, match=f"it is damaged: .*{problem}"):  # fmt: skip
        store.load()


def test_a_file_that_is_a_mount_is_refused(kms_mock, path, monkeypatch):
    mounts = path.with_name("mountinfo")
    escaped = str(path).replace("state", "my\\040state")
    mounts.write_text(f"1 2 0:3 / / rw - ext4 /dev/a rw\n4 1 8:1 /f {escaped} rw - ext4 /dev/b rw\n")
    monkeypatch.setattr(database, "_MOUNTS", mounts)
    with StateFile(path, kms_mock._service):
        pass
    with pytest.raises(OSError, match=r"is mounted by itself.*docker run -v"), \
            StateFile(path.with_name("my state.db"), kms_mock._service):  # fmt: skip
        pass
    monkeypatch.setattr(database, "_MOUNTS", path.with_name("missing"))  # not Linux
    with StateFile(path.with_name("my state.db"), kms_mock._service):
        pass
