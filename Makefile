# Two commands matter: make demo, make test. README.md says what each does.
SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
DATA_DIR ?= $(CURDIR)/var
PORT ?= 8000
GATEWAY_PORT ?= 8001
VENV := .venv
BIN := $(VENV)/bin
UV := $(VENV)/bootstrap/bin/uv
STACK_FLAGS := --data-dir "$(DATA_DIR)" --port $(PORT) --gateway-port $(GATEWAY_PORT) $(if $(DETACH),--detach)
export UV_PYTHON_DOWNLOADS := never
export UV_LINK_MODE ?= copy

.PHONY: help demo up down status test check lock bench docs browser sandbox format

help:
	@echo "make demo | up | down | status | test | check | lock | bench | docs   (README.md)"

$(UV):
	@command -v $(PYTHON) >/dev/null || { echo "python3 (3.11 or newer) is needed." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "python3 must be 3.11 or newer." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)/bootstrap || { echo "python3 cannot make virtual environments (Debian: apt-get install python3-venv)." >&2; exit 1; }
	@$(VENV)/bootstrap/bin/python -m pip install --quiet --disable-pip-version-check uv

# The stamp holds the hash of the lock: a changed lock is installed, an unchanged one costs nothing.
$(VENV)/base.stamp: requirements/base.txt | $(UV)
	@test -x $(BIN)/python || $(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) pip install --quiet --require-hashes -r requirements/base.txt
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt | $(UV)
	@test -x $(BIN)/python || $(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $(VENV)/base.stamp $@

# Loading models is sandboxed by bubblewrap where it may be installed; without it the level is recorded.
sandbox:
	@if ! command -v bwrap >/dev/null && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		apt-get install -y -qq bubblewrap >/dev/null 2>&1 || { apt-get update -qq && apt-get install -y -qq bubblewrap >/dev/null 2>&1; } || echo "bubblewrap could not be installed; models load with resource limits only."
	fi

browser:
	@if ! command -v chromium >/dev/null && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		apt-get install -y -qq chromium >/dev/null 2>&1 || { apt-get update -qq && apt-get install -y -qq chromium >/dev/null 2>&1; } || echo "Chromium could not be installed; browser tests will be skipped."
	fi

demo: $(VENV)/base.stamp sandbox
	@exec $(BIN)/python manage.py up --demo $(STACK_FLAGS)

up: $(VENV)/base.stamp
	@exec $(BIN)/python manage.py up $(STACK_FLAGS)

down: $(VENV)/base.stamp
	@$(BIN)/python manage.py down --data-dir "$(DATA_DIR)"

status: $(VENV)/base.stamp
	@$(BIN)/python manage.py status --data-dir "$(DATA_DIR)"

test: $(VENV)/dev.stamp sandbox browser
	@$(BIN)/python -m pytest -q -n $(or $(JOBS),3) --dist loadfile --no-loadscope-reorder $(TESTS)

format: $(VENV)/dev.stamp
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

check: $(VENV)/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy core audit measures controlplane/stack $$(git ls-files '*/services.py' '*/services/*.py' '*/rights.py' | grep -Ev '^(core|audit|measures|tests)/')
	$(BIN)/hadolint docker/Dockerfile
	$(BIN)/python tools/vendor_static.py --check
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(MAKE) test

lock: | $(UV)
	$(UV) pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url requirements/base.in -o requirements/base.txt $(if $(UPGRADE),--upgrade)
	$(UV) pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url requirements/dev.in -o requirements/dev.txt $(if $(UPGRADE),--upgrade)

bench: $(VENV)/dev.stamp
	@$(BIN)/python -m tools.bench

docs:
	@echo "The documentation is Markdown in docs/; start at docs/index.md."
