# The commands of this project: `make help` lists them. Everything is installed into .venv and nowhere else.
# Written for GNU make 3.81 (what macOS ships) and later.

SHELL = /bin/sh
PY = .venv/bin/python
PIP_INSTALL = $(PY) -m pip install -qq --disable-pip-version-check --no-input --require-hashes
LOCK = $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'

# The newest Python first; a candidate must run (pyenv leaves names that don't), be 3.11 or later and have venv.
PYTHON ?= $(shell for candidate in python3.14 python3.13 python3.12 python3.11 python3; do \
	"$$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
	&& echo "$$candidate" && break; done)

# Says new-venv where .venv is missing or its Python is gone (a link to nothing counts as missing).
GONE := $(shell test -x $(PY) || echo new-venv)

# Further arguments, for instance: make test ARGS="-k welcome", make lock ARGS=--upgrade
ARGS =

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help run test test-postgresql races faults cluster check fmt lock bench bench-million bench-gateway screenshots clean find-python new-venv

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' Makefile

run: .venv/.run ## Install what is needed, then start the portal and print its address
	@exec $(PY) -m gunicorn wsgi:app

test: .venv/.dev ## Run the tests on all cores
	@$(PY) -m pytest -n auto $(ARGS)

# Interfaces that come and go break Chromium's navigations, so the three machines never run beside it.
ON_POSTGRESQL = -n auto --database=postgresql --ignore=tests/hosts

test-postgresql: .venv/.dev ## Run those tests on PostgreSQL that have a database, with a server of their own (not make cluster's)
	@$(PY) -m pytest $(ON_POSTGRESQL) $(ARGS)

races: .venv/.dev ## Run the races of many browsers in ten rounds each (ARGS=--database=postgresql)
	@ROUNDS=10 $(PY) -m pytest -n auto tests/races $(ARGS)

faults: .venv/.dev ## Load and faults at full length: killed, locked, full, restarted, raced, fuzzed (half an hour or more)
	@FAULTS=full ROUNDS=10 $(PY) -m pytest -n auto tests/faults tests/races tests/input tests/clock_faked tests/proxies/test_tricks.py \
		tests/browser/test_look.py tests/test_first_start.py tests/test_mail.py $(ARGS)

check: .venv/.dev ## Lint, format, types, layers, dependencies, dead code, then the tests on both databases
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy
	$(PY) .venv/bin/lint-imports --no-logo
	$(PY) -m deptry .
	$(PY) -m vulture
	$(PY) -m pytest -n auto $(ARGS)
	$(PY) -m pytest $(ON_POSTGRESQL) $(ARGS)
	$(PY) -m pytest --database=postgresql tests/hosts

fmt: .venv/.dev ## Format the code and repair what the linter can
	@$(PY) -m ruff check --fix-only
	@$(PY) -m ruff format

lock: .venv/.dev ## Write requirements*.txt anew from requirements*.in (ARGS=--upgrade for newer versions)
	@$(LOCK) $(ARGS) requirements.in --output-file requirements.txt
	@$(LOCK) $(ARGS) --constraint requirements.txt requirements-postgresql.in --output-file requirements-postgresql.txt
	@$(LOCK) $(ARGS) --constraint requirements.txt --constraint requirements-postgresql.txt requirements-dev.in \
		--output-file requirements-dev.txt
	@if grep -n '://' requirements.txt requirements-postgresql.txt requirements-dev.txt; then \
		echo 'The lines above name a host, which does not belong in the pinned requirements.' >&2; exit 1; fi

cluster: .venv/.dev ## Three machines over one PostgreSQL server: one dies, one is cut off (root, for network namespaces)
	@FAULTS=full $(PY) -m pytest --database=postgresql tests/hosts $(ARGS)

bench: .venv/.dev ## Measure the portal beside its peers and bare Flask (ten minutes or more, on an idle machine)
	@$(PY) -m bench.run $(ARGS)

bench-million: .venv/.dev ## Measure every list with a million accounts and ten million events (DATABASE=postgresql+psycopg://… for PostgreSQL)
	@$(PY) -m bench.million $(if $(DATABASE),--database '$(DATABASE)') $(ARGS)

bench-gateway: .venv/.dev ## Measure the gateway's check, alone and through nginx
	@$(PY) -m bench.gateway $(ARGS)

screenshots: .venv/.dev ## Take the README's pictures anew from the running portal
	@$(PY) tools/screenshots.py $(ARGS)

clean: ## Remove .venv and caches; the instance folder stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

find-python:
	@'$(PYTHON)' -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || { \
		echo 'This needs Python 3.11 or later with its venv module, and none was found on the PATH.' >&2; \
		echo 'On Debian: apt-get install python3 python3-venv. On macOS: install it from python.org.' >&2; \
		echo 'If it has another name or place: make run PYTHON=/path/to/python' >&2; \
		exit 1; }

new-venv: find-python
	@'$(PYTHON)' -m venv --clear .venv

# The two stamps say for which requirements .venv was filled last: a second `make run` installs nothing.
.venv/.run: requirements.txt $(GONE)
	@echo 'Installing the pinned requirements into .venv ...'
	@$(PIP_INSTALL) -r requirements.txt
	@touch .venv/.run

.venv/.dev: requirements.txt requirements-dev.txt $(GONE)
	@echo 'Installing the pinned requirements for tests and checks into .venv ...'
	@$(PIP_INSTALL) -r requirements.txt -r requirements-dev.txt
	@touch .venv/.run .venv/.dev
