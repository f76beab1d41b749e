# Two commands do everything on a fresh machine with Python 3.11: `make demo` and `make test`.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
PORT ?= 8000
WORKSPACE ?= workspace
PYTEST_WORKERS ?= 2
BIN := .venv/bin

.PHONY: help setup demo test explore bench lint lock clean

help:  ## Show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

setup: .venv/.ready  ## Create .venv and install the locked dependencies

.venv/.ready: requirements.lock pyproject.toml
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || \
		{ echo "LeadPact needs Python 3.11; found: $$("$(PYTHON)" --version 2>&1 || echo none). Name one with PYTHON=/path/to/python3.11"; exit 2; }
	"$(PYTHON)" -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m pip check --disable-pip-version-check
	@touch $@

# Spark is heavy and only --engine spark needs it: the demo goes without, the tests do not.
.venv/.ready-spark: .venv/.ready requirements-spark.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --no-build-isolation \
		-r requirements-spark.lock
	$(BIN)/python -m pip check --disable-pip-version-check
	@touch $@

demo: setup  ## Simulate a CRM, train, promote, sign a policy, serve on PORT (default 8000)
	$(BIN)/leadpact demo --workspace "$(WORKSPACE)" --port $(PORT)

lint: setup .venv/.ready-spark  ## Style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

test: lint  ## Everything that CI runs
	$(BIN)/pytest -n $(PYTEST_WORKERS) --dist loadfile

explore: setup .venv/.ready-spark  ## Look for counterexamples that no run has seen yet (property tests, six times as many)
	$(BIN)/pytest -n $(PYTEST_WORKERS) --dist loadfile --hypothesis-profile explore -m "not slow"

bench: setup  ## Install the peers and run the benchmark of the features on little data (all sizes: see its README)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-bench.lock
	$(BIN)/python -m experiments.benchmarks.features --small

lock:  ## Resolve the dependencies again, with hashes (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
		--group dev pyproject.toml --upgrade -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
		--group bench --constraint requirements.lock --upgrade -o requirements-bench.lock
	@"$(PYTHON)" -c 'import tomllib; extras = tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]; print(*extras["spark"], sep="\n")' | \
		uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
		--constraint requirements.lock --upgrade - -o requirements-spark.lock

clean:  ## Remove what set-up and tests made; the workspace stays
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis build *.egg-info
