# Bare `make` prints the lines that begin with two number signs.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/ready
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# Programs are started a thousand times here: what was compiled once is kept.
export PYTHONDONTWRITEBYTECODE =

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo run test lint compiled bench clean apt-demo apt-test apt-bench root

## demo    the studio in a box: pull the cable, watch the desk page (Linux, root)
demo: apt-demo root $(READY)
	@$(BIN)/python -m tests.lab.demo

## run     this machine's own lines, observed: no root, nothing touched; desk page on port 8080
run: $(READY)
	@$(BIN)/edge-watchdog run --observe

## test    everything: lint, then all tests (root for the namespaces)
test: apt-test root $(READY)
	@$(MAKE) --no-print-directory --jobs 2 --output-sync lint compiled
	@REQUIRE_ALL=1 $(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder

## lint    format, rules, types, and whether the generated pages are fresh
lint: $(READY)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/edge-watchdog reference --check

# Every test file is compiled by one process beside the lint, not by four that test.
compiled: $(READY)
	@$(BIN)/python -m pytest --collect-only -qq >/dev/null || true  # what is wrong is said by the tests

## bench   measure: outages bridged, what must not move the box, idle cost, peers (root, four hours)
bench: apt-demo apt-bench root $(READY)
	@.ci/unpack
	@$(BIN)/python -m bench.failover
	@$(BIN)/python -m bench.failover --topology gateway
	@$(BIN)/python -m bench.steady
	@$(BIN)/python -m bench.year
	@$(BIN)/python -m bench.lossy
	@$(BIN)/python -m bench.catalogue
	@$(BIN)/python -m bench.fates
	@$(BIN)/python -m bench.orders
	@$(BIN)/python -m bench.busy
	@$(BIN)/python -m bench.cycles
	@$(BIN)/python -m bench.cost
	@$(BIN)/python -m bench.pages
	@$(BIN)/python -m bench.month
	@$(BIN)/python -m bench.rehearsal
	@$(BIN)/python -m bench.peers

## clean   remove what was built here
clean:
	rm -rf $(VENV) .peers build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage

help:
	@echo 'edge_watchdog: the connectivity watchdog for a studio. Two commands to begin with:'
	@echo
	@sed -n 's/^## /  make /p' $(MAKEFILE_LIST)

root:
	@[ "$$(id -u)" = 0 ] || { \
	    echo 'Network namespaces need root: sudo make $(MAKECMDGOALS)' >&2; \
	    echo 'Without root: make run (observes the lines of this machine).' >&2; exit 1; }

apt-demo apt-test apt-bench: apt-%:
	@.ci/apt $* $(PYTHON)

$(READY): pyproject.toml
	@command -v $(PYTHON) >/dev/null || { \
	    echo 'Python 3.11 or newer is missing: apt-get install python3 python3-venv' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || .ci/apt venv $(PYTHON)
	@echo 'Preparing $(VENV) (a minute, once)'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --no-compile --editable '.[dev]'
	@touch $@
