"""The modules of operations, and importing only those that are needed."""

from __future__ import annotations

from pathlib import Path

import pytest_kmsmock._kms.operations as package


def test_every_module_is_listed_once():
    folder = Path(package.__path__[0])
    modules = [f"{path.parent.name}.{path.stem}" for path in folder.glob("*/*.py") if path.stem != "__init__"]
    assert sorted(package.MODULES) == sorted(modules)


def test_the_first_use_of_an_operation_imports_its_module(run_python):
    run_python("""
        from pytest_kmsmock._kms.engine.pipeline import find_operation
        from pytest_kmsmock._kms.operations import OPERATIONS, load
        assert not OPERATIONS
        assert find_operation("GenerateRandom").name == "GenerateRandom"
        before = len(OPERATIONS)
        load()
        assert before < len(OPERATIONS)
    """)
