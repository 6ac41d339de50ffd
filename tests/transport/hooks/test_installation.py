"""Modules that are met before and after their import."""

from __future__ import annotations

import importlib
import sys

import pytest

from pytest_kmsmock._transport.hooks.installation import when_imported


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "met_later.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    yield "met_later"
    sys.modules.pop("met_later", None)


def test_a_module_that_is_imported_already_is_handed_over_at_once(module):
    imported, met = importlib.import_module(module), []
    when_imported(module, lambda found, early: met.append((found, early)))
    assert met == [(imported, False)]


def test_a_module_is_handed_over_when_it_has_run(module):
    met = []
    when_imported(module, lambda found, early: met.append((found.value, early)))
    when_imported(module, lambda found, early: met.append((found.value, early)))  # told again: once is enough
    import json.tool  # another one  # noqa: F401

    assert met == []
    importlib.import_module(module)
    importlib.import_module(module)
    assert met == [(1, True)]
    del sys.modules[module]
    importlib.import_module(module)
    assert met == [(1, True)] * 2  # a fresh module is another one


def test_a_module_that_does_not_exist_is_still_missing(module):
    when_imported("met_never", pytest.fail)
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("met_never")
