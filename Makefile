# Every target makes .venv first; a second call does not install again.
PYTHON ?= python3
BIN := $(if $(filter Windows_NT,$(OS)),.venv/Scripts,.venv/bin)
READY := .venv/ready

.PHONY: help bench peers scale test exhaustive lint format readme reference clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "unloop needs Python 3.11 or newer; this one is %d.%d. Name another with make PYTHON=..." % sys.version_info[:2])'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip -c constraints.txt
	$(BIN)/python -m pip install --quiet -c constraints.txt -e . --group dev
	@touch $(READY)

bench: $(READY) ## measure the quick grid (two minutes), print what came out, write the report
	$(BIN)/unloop run --grid quick

peers: $(READY) ## install the libraries that --peers measures; see README for PyTorch's CPU build
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[peers]'

scale: $(READY) ## data of twice the memory allowed, on disk and on Dask (five minutes, 4 GiB of disk below results/)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[scale]'
	$(BIN)/unloop scale make --m 6e7 --n-x 8 --out results/scale-data
	$(BIN)/unloop scale run results/scale-data --memory 2GiB --iterations 3 --parts all --tasks 1e4

# Compiled without optimizing, for what is tested is not how fast the code is; where it is, a test undoes this.
test: export NUMBA_OPT := 0
test: $(READY) ## run the tests, in as many processes as there are cores, four at most
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal

exhaustive: $(READY) ## run the tests that take minutes: all of float32 through exp, 10 000 problems and hostile cases
	$(BIN)/python -m pytest -m exhaustive tests

lint: $(READY) ## ruff (lint and format), mypy, and import-linter: which room may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(READY) ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

readme: $(READY) ## generate the README's figures and findings from results/reference
	$(BIN)/python -m bench.report.readme

reference: peers ## measure the full grid again into results/reference (over an hour, an idle machine, the peers installed)
	rm -rf results/reference
	$(BIN)/unloop run --grid full --peers --out results/reference
	$(BIN)/unloop report --light results/reference
	$(BIN)/unloop run --grid sizes --out results/reference/sizes
	$(BIN)/unloop report --light results/reference/sizes
	rm -rf results/reference/sizes/plots results/reference/sizes/report.*
	$(BIN)/python -m bench.results.selection results/reference bench/reference
	$(BIN)/python -m bench.report.readme

clean: ## remove the environment and all caches; results stay
	rm -rf .venv build *.egg-info .numba_cache .pytest_cache .mypy_cache .ruff_cache .hypothesis
