# The two commands of a newcomer are `make demo` and `make test`; both make and use .venv.
PYTHON ?= python3
BIN := .venv/bin
EXTRAS := algorithms,conformance,iac,nitro,seeds,server

.PHONY: demo test lint types unit unit-main unit-aio unit-aioboto3 no-coverage slow matrix mutation differential fidelity \
	changelog dist browser programs bench bench-server docs clean
.DELETE_ON_ERROR:

# Tests start Python a hundred times: bytecode is kept, whatever the machine says. pytest would translate hypothesis, whose
# assertions it rewrites, at every start.
unexport PYTHONDONTWRITEBYTECODE

# Everything is installed once, and again when pyproject.toml changes.
.venv/installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[$(EXTRAS)]' --group dev
	touch $@

demo: .venv/installed
	$(BIN)/python examples/demo.py

# The parts run beside each other: while one waits, for a download or a process, another one has the processor.
test:
	$(MAKE) --no-print-directory --jobs=4 unit lint types

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: .venv/installed
	$(BIN)/mypy

unit: unit-main unit-aio unit-aioboto3
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# -n 2 splits the tests over two processes; coverage is measured from the start of each, since the plugin loads early.
unit-main: .venv/installed .make/node/installed .make/typing/installed | browser programs no-coverage
	$(BIN)/python -m coverage run -m pytest -n 2 --dist worksteal -m "not slow"

# aiobotocore and aioboto3 each pin a botocore of their own, so each has an environment; the AWS CLI is in the first.
unit-aio: .venv-aio/installed | no-coverage
	.venv-aio/bin/python -m coverage run -m pytest -q tests/aio tests/aws_cli tests/test_private_parts.py

unit-aioboto3: .venv-aioboto3/installed | no-coverage
	.venv-aioboto3/bin/python -m coverage run -m pytest -q tests/aio tests/test_private_parts.py

no-coverage:
	rm -f .coverage .coverage.*

# What `make test` leaves out: tests that take minutes and cover nothing that others do not, and most examples of laws.
slow: .venv/installed .make/typing/installed
	$(BIN)/python -m pytest -n 2 -m "slow or hypothesis" --hypothesis-profile thorough
	$(MAKE) --no-print-directory differential CASES=10000

.venv-%/installed: pyproject.toml
	test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --upgrade pip
	$(@D)/bin/python -m pip install --quiet --editable '.[$(EXTRAS)]' --group $*
	touch $@

# The AWS SDK for JavaScript, for one test, at the versions of its lock file: the newest can be half published. Where npm
# is missing or cannot install, the test is skipped.
.make/node/installed: tests/node/package-lock.json
	mkdir -p $(@D)
	cp tests/node/package.json tests/node/package-lock.json $(@D)
	if command -v npm > /dev/null && ! npm ci --silent --no-fund --no-audit --prefix $(@D); then \
		echo "The AWS SDK for JavaScript cannot be installed here: tests/node is skipped."; rm -rf $(@D)/node_modules; fi
	touch $@

# Stubs of boto3 and aiobotocore, for the tests of what type checkers see with and without them: not in .venv.
.make/typing/installed: pyproject.toml | .venv/installed
	rm -rf $(@D)
	$(BIN)/python -m pip install --quiet --target $(@D)/types-boto3 'types-boto3[kms]' 'types-aiobotocore[kms]'
	$(BIN)/python -m pip install --quiet --target $(@D)/boto3-stubs 'boto3-stubs[kms]'
	touch $@

# Chromium and its driver, for the tests of the report's page. Where they cannot be installed, those tests say so.
browser:
	@command -v chromium > /dev/null && command -v chromedriver > /dev/null || \
		(apt-get update -qq && apt-get install -qq --yes --no-install-recommends chromium chromium-driver > /dev/null) || \
		echo "Chromium is missing and cannot be installed here: tests marked 'browser' will fail (-m 'not browser' leaves them out)."

# Programs in other languages that call the HTTP endpoint. Tests of those that cannot be installed are skipped with a line.
# One apt-get at a time.
programs: | browser
	@command -v ruby > /dev/null && command -v curl > /dev/null && test -x /usr/bin/aws || \
		(apt-get update -qq && apt-get install -qq --yes --no-install-recommends ruby ruby-aws-sdk-kms curl awscli > /dev/null) || \
		echo "Ruby, curl and the AWS CLI cannot be installed here: their tests are skipped."

bench: .venv/installed
	$(BIN)/python benchmarks/compare.py

# The HTTP endpoint, moto's server and, where it is installed, ministack, in one run.
bench-server: .venv/installed
	test -x .venv-ministack/bin/ministack || ($(PYTHON) -m venv .venv-ministack && \
		.venv-ministack/bin/python -m pip install --quiet ministack) || echo "ministack cannot be installed here: it is left out."
	$(BIN)/python benchmarks/server.py

# The suite on every installed Python and on the oldest and newest dependencies; see noxfile.py. It takes many minutes.
matrix: .venv/installed
	$(BIN)/nox

# Which edits of the code that decides no test notices; see docs/contributing.md. BUDGET is in minutes.
BUDGET ?= 25
mutation: .venv/installed
	$(BIN)/python tools/mutation.py --minutes $(BUDGET)

# The policy engine and an independent evaluator on many generated cases; see docs/contributing.md. SEED is the first one.
CASES ?= 100000
SEED ?= 0
differential: .venv/installed
	KMS_POLICY_CASES=$(CASES) KMS_POLICY_SEED=$(SEED) $(BIN)/python -m pytest -n auto tests/kms/policy/literal

# The archives of a release, checked as PyPI checks them.
dist: .venv/installed
	rm -rf dist
	$(BIN)/python -m pip install --quiet --group release
	$(BIN)/python -m build --outdir dist
	$(BIN)/twine check --strict dist/*

docs: .venv/installed
	$(BIN)/python -m pip install --quiet --group docs
	$(BIN)/sphinx-build --fail-on-warning -b html docs docs/_build/html

# The pages of docs/fidelity that are made from the conformance scenarios. MOTO=--moto counts moto too, which takes minutes.
MOTO ?=
fidelity: .venv/installed
	$(BIN)/python tools/fidelity.py $(MOTO)

# What the next release will say, from changelog.d.
changelog: .venv/installed
	$(BIN)/python -m pip install --quiet --group release
	$(BIN)/towncrier build --draft --version Unreleased

clean:
	rm -rf .venv .venv-* .make .coverage* docs/_build dist
