# The two commands of a newcomer are `make demo` and `make test`; both make and use .venv.
PYTHON ?= python3
BIN := .venv/bin
EXTRAS := algorithms,nitro,server

.PHONY: demo test lint types unit bench docs clean
.DELETE_ON_ERROR:

# Everything is installed once, and again when pyproject.toml changes.
.venv/installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[$(EXTRAS)]' --group dev
	touch $@

demo: .venv/installed
	$(BIN)/python examples/demo.py

test: lint types unit

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/installed
	$(BIN)/mypy

# -n 2 splits the tests over two processes; coverage is measured from the start of each, since the plugin loads early.
unit: .venv/installed
	$(BIN)/coverage erase
	$(BIN)/python -m coverage run -m pytest -n 2
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

bench: .venv/installed
	$(BIN)/python benchmarks/compare.py

docs: .venv/installed
	$(BIN)/python -m pip install --quiet --group docs
	$(BIN)/sphinx-build --fail-on-warning -b html docs docs/_build/html

clean:
	rm -rf .venv .coverage* docs/_build dist
