"""The modules of operations, and importing only those that are needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest_kmsmock._kms.operations as package


def test_every_module_is_listed_once():
    folder = Path(package.__path__[0])
    modules = [f"{path.parent.name}.{path.stem}" for path in folder.glob("*/*.py") if path.stem != "__init__"]
    assert sorted(package.MODULES) == sorted(modules)


def test_the_first_use_of_an_operation_imports_its_module():
    program = (
        "from pytest_kmsmock._kms.engine.pipeline import find_operation\n"
        "from pytest_kmsmock._kms.operations import OPERATIONS, load\n"
        "assert not OPERATIONS\n"
        "assert find_operation('GenerateRandom').name == 'GenerateRandom'\n"
        "before = len(OPERATIONS)\n"
        "load()\n"
        "print(before < len(OPERATIONS))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "True\n"
