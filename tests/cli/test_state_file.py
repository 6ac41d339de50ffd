"""The file that a served fake KMS is kept in: what is written when, what is undone, and who may have it."""

from __future__ import annotations

import fcntl
import json
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pytest_kmsmock import KmsMock
from pytest_kmsmock._cli.state_file import StateFile
from pytest_kmsmock._testing.dumps import dump
from pytest_kmsmock._transport.json_protocol import HttpAnswer
from pytest_kmsmock.errors import StateFileInUse


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "state.json"


@pytest.mark.parametrize(
    ("operation", "status", "written"),
    [
        pytest.param("CreateKey", 200, True, id="change"),
        pytest.param("ConnectCustomKeyStore", 200, True, id="change-of-a-key-store"),
        pytest.param("CreateKey", 400, False, id="refused"),
        pytest.param("ListKeys", 200, False, id="reading"),
        pytest.param("GetKeyPolicy", 200, False, id="reading-a-policy"),
        pytest.param("Encrypt", 200, False, id="cryptographic"),
        pytest.param("NoSuchThing", 200, False, id="no-operation"),
    ],
)
def test_what_changes_something_is_written(kms_mock, path, operation, status, written):
    with StateFile(path, kms_mock._service) as store:
        answer = HttpAnswer(status, {}, b"")
        assert store.carry_out(operation, lambda: answer) is answer
    assert path.exists() is written


@pytest.mark.parametrize("existing", [False, True])
def test_a_change_that_cannot_be_written_is_undone(kms_mock, kms_client, path, capsys, monkeypatch, existing):
    key = kms_mock.create_key(alias="alias/before")
    with StateFile(path, kms_mock._service) as store:
        if existing:
            store.save()
        before = path.read_bytes() if existing else None

        def change() -> HttpAnswer:
            kms_client.delete_alias(AliasName="alias/before")
            kms_client.schedule_key_deletion(KeyId=key.id)
            return HttpAnswer(200, {"x-amzn-requestid": "1"}, b"{}")

        monkeypatch.setattr("pytest_kmsmock._testing.dumps.dump.write", _full)
        answer = store.carry_out("ScheduleKeyDeletion", change)
        assert (answer.status, json.loads(answer.body)["__type"]) == (500, "KMSInternalException")
        assert answer.headers == {"x-amzn-requestid": "1", "content-length": str(len(answer.body))}
        assert capsys.readouterr().err == (
            f"pytest-kmsmock: ScheduleKeyDeletion is undone: {path} cannot be written: No space left on device\n"
        )
        assert kms_client.describe_key(KeyId="alias/before")["KeyMetadata"]["KeyState"] == "Enabled"
        kms_mock.clock.advance(days=31)
        assert kms_client.describe_key(KeyId=key.id)["KeyMetadata"]["Enabled"]
    assert (path.read_bytes() if path.exists() else None) == before


def test_changes_that_come_together_are_written_together(kms_mock, path, monkeypatch):
    writes, begun, go_on = [], threading.Event(), threading.Event()

    def write_slowly(document: dict[str, object], path: Path, indent: int | None) -> None:
        writes.append(document)
        begun.set()
        assert go_on.wait(10)
        write(document, path, indent)

    write = dump.write
    monkeypatch.setattr(dump, "write", write_slowly)
    with StateFile(path, kms_mock._service) as store, ThreadPoolExecutor(5) as threads:
        first = threads.submit(store.carry_out, "CreateKey", lambda: made(kms_mock))
        assert begun.wait(10)
        others = [threads.submit(store.carry_out, "CreateKey", lambda: made(kms_mock)) for _ in range(4)]
        while len(kms_mock.keys) < 5:
            time.sleep(0.001)
        assert not any(call.done() for call in [first, *others])  # none is answered before it is kept
        go_on.set()
        assert [call.result().status for call in [first, *others]] == [200] * 5
    assert [len(document["regions"][0]["keys"]) for document in writes] == [1, 5]


def test_what_was_built_on_an_undone_change_is_undone_with_it(kms_mock, path, monkeypatch, capsys):
    begun, go_on = threading.Event(), threading.Event()

    def fail_slowly(*_: object, **__: object) -> None:
        begun.set()
        assert go_on.wait(10)
        _full()

    monkeypatch.setattr(dump, "write", fail_slowly)
    with StateFile(path, kms_mock._service) as store, ThreadPoolExecutor(2) as threads:
        first = threads.submit(store.carry_out, "CreateKey", lambda: made(kms_mock))
        assert begun.wait(10)
        second = threads.submit(store.carry_out, "CreateKey", lambda: made(kms_mock))
        while len(kms_mock.keys) < 2:
            time.sleep(0.001)
        go_on.set()
        assert [call.result().status for call in (first, second)] == [500, 500]
        assert len(kms_mock.keys) == 0
        monkeypatch.undo()
        assert store.carry_out("CreateKey", lambda: made(kms_mock)).status == 200
    assert capsys.readouterr().err.count(" is undone: ") == 2
    assert len(json.loads(path.read_text())["regions"][0]["keys"]) == 1


def made(kms: KmsMock) -> HttpAnswer:
    kms.create_key()
    return HttpAnswer(200, {}, b"{}")


def _full(*_: object, **__: object) -> None:
    raise OSError(28, os.strerror(28))


def test_the_first_write_that_fails_is_told(kms_mock, path, monkeypatch):
    monkeypatch.setattr("pytest_kmsmock._testing.dumps.dump.write", _full)
    with (
        StateFile(path, kms_mock._service) as store,
        pytest.raises(OSError, match=f"{path} cannot be written: No space"),
    ):
        store.save()


def test_one_server_has_the_file(kms_mock, path):
    with StateFile(path, kms_mock._service):
        with pytest.raises(StateFileInUse, match=f"{path} is in use by another server"), \
                StateFile(path, kms_mock._service):  # fmt: skip
            pass
        with StateFile(path.with_name("another.json"), kms_mock._service):
            pass
    with StateFile(path, kms_mock._service):
        pass
    assert list(path.parent.iterdir()) == []


def test_what_a_killed_server_left_unfinished_is_removed(kms_mock, path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", killed)
    monkeypatch.setattr(Path, "unlink", lambda *_args, **_options: None)  # who is killed cleans nothing up
    with pytest.raises(KeyboardInterrupt):
        dump.write(kms_mock.dump(), path)
    monkeypatch.undo()
    (left,) = path.parent.iterdir()
    assert left.name.startswith(".state.json.")
    others = {path.with_name(name) for name in (".state.json.swp", ".other.json.12345678")}
    for other in others:
        other.touch()
    with StateFile(path, kms_mock._service):
        pass
    assert set(path.parent.iterdir()) == others


def test_who_gets_a_lock_that_is_taken_away_takes_a_new_one(kms_mock, path, monkeypatch):
    lock, flock = path.with_name("state.json.lock"), fcntl.flock

    def flock_late(descriptor: int, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", flock)
        lock.unlink()  # the one who had it ends between opening and locking here
        flock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", flock_late)
    with StateFile(path, kms_mock._service), pytest.raises(StateFileInUse), StateFile(path, kms_mock._service):
        pass


def test_the_lock_of_another_is_left_alone(kms_mock, path):
    lock = path.with_name("state.json.lock")
    with StateFile(path, kms_mock._service):
        lock.unlink()  # somebody has tidied up
        with StateFile(path, kms_mock._service):
            pass
        lock.write_bytes(b"of another")
    assert lock.read_bytes() == b"of another"


def test_without_locks_nothing_is_locked(kms_mock, path, monkeypatch):
    monkeypatch.setitem(sys.modules, "fcntl", None)  # as on Windows
    with StateFile(path, kms_mock._service), StateFile(path, kms_mock._service):
        assert list(path.parent.iterdir()) == []
