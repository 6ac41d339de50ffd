"""Sessions share what they have read of botocore's data files, and the classes of KMS's exceptions."""

from __future__ import annotations

import inspect
import json
import os
from pathlib import Path

import boto3
import botocore.handlers
import botocore.hooks
import botocore.session
import pytest

from pytest_kmsmock import mock_kms

#: Makes a client in each of two mocks with boto3's default session, which does not outlive a mock, and counts the
#: data files of botocore that the second client has opened.
TWO_MOCKS = """
import json, sys
import boto3
from pytest_kmsmock import mock_kms

opened = []
sys.addaudithook(lambda event, args: event == "open" and opened.append(str(args[0])))

def make():
    opened.clear()
    with mock_kms():
        boto3.client({service!r}, region_name="eu-west-1")
    return [path for path in opened if "/botocore/data/" in path]

print(json.dumps([len(make()), len(make())]))
"""


@pytest.mark.parametrize("service", ["kms", "sqs"])
def test_a_second_test_reads_no_data_files_again(run_python, service):
    first, second = json.loads(run_python(TWO_MOCKS.format(service=service)))
    assert first > 0
    assert second == 0


def test_the_first_mock_reads_nothing_that_the_default_session_has_read(run_python):
    source = """
        import sys
        import boto3
        boto3.client("kms", region_name="us-east-1")
        opened = []
        sys.addaudithook(lambda event, args: event == "open" and opened.append(str(args[0])))
        from pytest_kmsmock import mock_kms
        with mock_kms() as kms:
            kms.create_key()
        print([path for path in opened if "/botocore/data/" in path])
    """
    assert run_python(source) == "[]\n"


def own_model(folder: Path, description: str) -> None:
    """Write a service model of one's own, as one does in `AWS_DATA_PATH`."""
    place = folder / "orders" / "2026-01-01"
    place.mkdir(parents=True)
    metadata = {"apiVersion": "2026-01-01", "endpointPrefix": "orders", "protocol": "json", "serviceId": description}
    (place / "service-2.json").write_text(json.dumps({"metadata": metadata, "operations": {}, "shapes": {}}))


def test_a_session_with_other_data_has_its_own(tmp_path, monkeypatch):
    for name in ("One", "Two"):
        own_model(tmp_path / name, name)
        monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path / name))
        with mock_kms():
            client = botocore.session.Session().create_client("orders", "us-east-1", endpoint_url="http://localhost")
        assert client.meta.service_model.service_id == name
    monkeypatch.delenv("AWS_DATA_PATH")
    with mock_kms():
        assert "orders" not in boto3.Session().get_available_services()


def test_search_paths_that_a_test_adds_are_its_own(tmp_path):
    own_model(tmp_path, "Mine")
    with mock_kms():
        session = botocore.session.Session()
        session.create_client("kms", "us-east-1")
        session.get_component("data_loader").search_paths.append(str(tmp_path))
        session = botocore.session.Session()
        session.get_component("data_loader").search_paths.append(str(tmp_path))
        assert session.create_client("orders", "us-east-1", endpoint_url="http://localhost")
    with mock_kms():
        session = botocore.session.Session()
        session.create_client("kms", "us-east-1")
        assert str(tmp_path) not in session.get_component("data_loader").search_paths


def test_what_is_read_while_files_are_faked_is_not_shared(monkeypatch):
    with mock_kms(), monkeypatch.context() as faked:
        faked.setattr(os, "listdir", lambda _: [])
        session = botocore.session.Session()
        with pytest.raises(botocore.exceptions.UnknownServiceError):
            session.create_client("sqs", "us-east-1")
    with mock_kms():
        assert botocore.session.Session().create_client("sqs", "us-east-1")


def test_many_search_paths_are_not_all_remembered(tmp_path, monkeypatch):
    sessions = []
    for number in range(10):
        monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path / str(number)))
        with mock_kms():
            sessions.append(botocore.session.Session())
            sessions[-1].create_client("kms", "us-east-1")
    from pytest_kmsmock._transport.hooks import shared_parts

    assert len(shared_parts._loaders) <= shared_parts._MOST_LOADERS


def test_a_client_of_the_test_catches_what_another_client_raises(kms_client):
    application = boto3.Session().client("kms")
    with pytest.raises(kms_client.exceptions.NotFoundException):
        application.describe_key(KeyId="alias/none")
    with pytest.raises(application.exceptions.NotFoundException):
        kms_client.describe_key(KeyId="alias/none")


def test_a_client_from_before_every_mock_raises_what_a_test_catches(run_python):
    source = """
        import boto3
        client = boto3.client("kms", region_name="us-east-1")
        from pytest_kmsmock import mock_kms
        with mock_kms() as kms:
            try:
                client.describe_key(KeyId="alias/none")
            except kms.client().exceptions.NotFoundException:
                print("caught")
    """
    assert run_python(source) == "caught\n"


def handlers_of(events) -> list[tuple[str, list[object]]]:
    """Return the handlers of some events, by their new and old names."""
    names = [event.replace("*", "Any") for event, *_ in botocore.handlers.BUILTIN_HANDLERS]
    names += [f"before-call.{old}.Any" for old in botocore.hooks.EVENT_ALIASES]
    emitter = events._emitter
    return [(name, list(emitter._handlers.prefix_search(events._alias_event_name(name)))) for name in names]


def test_sessions_under_a_mock_have_the_same_events_as_any_other():
    outside = botocore.session.Session()
    with mock_kms():
        first, second = botocore.session.Session(), botocore.session.Session()
    expected = handlers_of(outside._events)
    assert handlers_of(first._events) == expected
    assert handlers_of(second._events) == expected
    assert first._events._alias_name_cache is second._events._alias_name_cache
    assert outside._events._alias_name_cache is not first._events._alias_name_cache


def test_event_names_with_aliases_of_ones_own_are_not_shared():
    with mock_kms():
        botocore.session.Session()
        own = botocore.session.EventAliaser(botocore.hooks.HierarchicalEmitter(), {"kms": "mine"})
        assert own._alias_event_name("before-call.kms") == "before-call.mine"
        assert botocore.session.Session()._events._alias_event_name("before-call.kms") == "before-call.kms"


def test_a_second_session_looks_at_no_handler_of_botocore_again(monkeypatch):
    looked_at = []
    original = inspect.getfullargspec
    with mock_kms():
        boto3.Session().client("kms")
        monkeypatch.setattr(inspect, "getfullargspec", lambda handler: looked_at.append(handler) or original(handler))
        boto3.Session().client("kms")
    of_every_session = [entry[1] for entry in botocore.handlers.BUILTIN_HANDLERS]
    assert [handler for handler in looked_at if handler in of_every_session] == []
    assert looked_at, "clients register handlers of their own"


def test_handlers_without_keyword_arguments_are_refused_as_ever(kms_client):
    with pytest.raises(ValueError, match="must accept keyword arguments"):
        kms_client.meta.events.register("before-call", lambda: None)


def test_a_fake_default_session_is_left_alone(run_python):
    run_python("""
        from unittest.mock import MagicMock
        import boto3, botocore.session
        boto3.DEFAULT_SESSION = MagicMock(spec=boto3.session.Session)
        boto3.DEFAULT_SESSION._session = MagicMock(spec=botocore.session.Session)
        from pytest_kmsmock import mock_kms
        for default in (boto3.DEFAULT_SESSION, "a fake"):
            boto3.DEFAULT_SESSION = default
            with mock_kms() as kms:
                assert kms.client().create_key()
            assert boto3.DEFAULT_SESSION is default
    """)
