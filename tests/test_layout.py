"""The shape of the package: no import circles, no folder or module too big to take in. Layers are import-linter's."""

from __future__ import annotations

from pathlib import Path

import grimp
import pytest

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


@pytest.mark.parametrize("folder", sorted({module.parent for module in MODULES}), ids=lambda path: path.name)
def test_a_folder_has_at_most_a_dozen_modules(folder: Path):
    assert len([module for module in folder.glob("*.py") if module.name != "__init__.py"]) <= 12


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_what_it_is_for_and_has_a_bounded_length(module: Path):
    text = module.read_text()
    assert text.startswith('"""')
    assert len(text.splitlines()) <= 400
