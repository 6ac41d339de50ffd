"""Which calls belong to which phase of which test."""

from __future__ import annotations

import gc
import weakref

import pytest

from pytest_kmsmock import mock_kms
from pytest_kmsmock._report.registry import Registry
from pytest_kmsmock._runtime import active_mocks


@pytest.fixture
def registry(monkeypatch):
    registry = Registry(active_mocks.active)
    monkeypatch.setattr(active_mocks, "watchers", [*active_mocks.watchers, registry.entered])
    return registry


def seen(registry: Registry) -> list[tuple[str, str]]:
    return [(call.phase, call.record.operation) for call in registry.calls()]


def test_calls_are_told_apart_by_phase_and_test(registry):
    with mock_kms() as wide:
        client = wide.client()
        client.list_keys()
        registry.begin_test("test_it")
        registry.begin_phase("setup")
        assert seen(registry) == []
        client.create_key()
        registry.begin_phase("call")
        with mock_kms() as narrow:
            narrow.client().list_aliases()
        client.list_keys()
        registry.begin_phase("teardown")
        client.list_aliases()
        assert seen(registry) == [
            ("setup", "CreateKey"), ("call", "ListAliases"), ("call", "ListKeys"), ("teardown", "ListAliases"),
        ]  # fmt: skip
        registry.end_test()
        client.list_keys()
        registry.begin_test("test_it")
        registry.begin_phase("setup")
        client.list_aliases()
        assert seen(registry) == [("setup", "ListAliases")]


def test_nothing_is_seen_between_tests(registry):
    with mock_kms() as kms:
        kms.client().list_keys()
        assert registry.calls() == []


def test_a_mock_is_freed_after_its_test(registry, monkeypatch):
    monkeypatch.setattr(active_mocks, "watchers", [registry.entered])  # the plugin watches this very test too
    registry.begin_test("test_it")
    registry.begin_phase("call")
    with mock_kms() as kms:
        kms.client().list_keys()
    gone = weakref.ref(kms)
    del kms
    registry.end_test()
    gc.collect()
    assert gone() is None
