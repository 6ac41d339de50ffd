"""Settings of Sphinx."""

from __future__ import annotations

from importlib.metadata import version as version_of

project = "pytest-kmsmock"
author = "the pytest-kmsmock authors"
copyright = "2026, the pytest-kmsmock authors"
release = version = version_of("pytest-kmsmock")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"pytest-kmsmock {release}"
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
python_use_unqualified_type_names = True
default_role = "code"
nitpicky = False
napoleon_use_ivar = True
