"""The shape of the package: no import circles, no folder or module too big to take in. Layers are import-linter's."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import grimp

import pytest_kmsmock

ROOT = Path(pytest_kmsmock.__path__[0])
MODULES = sorted(ROOT.rglob("*.py"))


def circles(graph: grimp.ImportGraph) -> list[set[str]]:
    """Return the groups of modules that import each other, directly or not."""
    reach = {module: graph.find_upstream_modules(module) for module in graph.modules}
    groups = {frozenset({other for other in reach[module] if module in reach[other]}) for module in graph.modules}
    return [set(group) for group in groups if len(group) > 1]


def test_no_modules_import_each_other_types_included():
    graph = grimp.build_graph("pytest_kmsmock", exclude_type_checking_imports=False, cache_dir=None)
    # Packages that load their modules lazily name them for type checkers.
    for package in ("pytest_kmsmock", "pytest_kmsmock._testing"):
        for module in graph.find_modules_directly_imported_by(package):
            graph.remove_import(importer=package, imported=module)
    assert circles(graph) == []


def test_a_folder_has_at_most_a_dozen_modules():
    sizes = Counter(module.parent for module in MODULES if module.name != "__init__.py")
    assert {folder: size for folder, size in sizes.items() if size > 12} == {}


def test_a_module_says_what_it_is_for_and_has_a_bounded_length():
    texts = {module: module.read_text(encoding="utf-8") for module in MODULES}
    assert [module for module, text in texts.items() if not text.startswith('"""')] == []
    assert [module for module, text in texts.items() if len(text.splitlines()) > 400] == []
