# Every target builds .venv/ by itself; Python (3.11 to 3.13) and make are all that is needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help venv demo test verify lint types bench dev lock clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

venv: $(STAMP) ## build .venv/ from the hashed lock
$(STAMP): requirements/lock.txt requirements/bootstrap.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else f"Headway needs Python 3.11 to 3.13, found {v[0]}.{v[1]}: make PYTHON=python3.12 ...")'
	@echo "building $(VENV)/ (first time only) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/lock.txt \
		|| $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/lock.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(STAMP) ## simulate a product, run the main job, print where the report is
	@$(BIN)/headway demo

test: $(STAMP) ## run the tests
	@$(BIN)/pytest -n 2 --dist worksteal

verify: $(STAMP) ## run the slow, full-size tests too
	@HEADWAY_FULL=1 $(BIN)/pytest -n 2 --dist worksteal

lint: $(STAMP) ## check style
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(STAMP) ## check types strictly
	@$(BIN)/mypy

bench: $(STAMP) ## measure speed as ratios in one run
	@$(BIN)/python tests/benchmarks/ingest.py
	@$(BIN)/python tests/benchmarks/identity.py
	@$(BIN)/python tests/benchmarks/erasure.py
	@$(BIN)/python tests/benchmarks/sources.py
	@$(BIN)/python tests/benchmarks/metrics.py
	@$(BIN)/python tests/benchmarks/experiments.py
	@$(BIN)/python tests/benchmarks/releases.py
	@$(BIN)/python -c 'import chdb' 2>/dev/null && more= || more=--no-clickhouse; $(BIN)/python tests/benchmarks/insights.py $$more

dev: $(STAMP) ## open Dagster on the demo workspace (loopback only)
	@$(BIN)/headway dev --workspace demo

lock: $(STAMP) ## resolve the dependencies again
	@rm -f requirements/lock.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra dev --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header --no-annotate pyproject.toml -o requirements/lock.txt

clean: ## delete what was built, the demo included
	@rm -rf $(VENV) demo build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
