# make verify PAPER=ademamix   sets up .venv and runs a paper's claims
# make test-site               the leaderboard's site in a browser, only
# make test                    sets up .venv and runs every check that CI runs
PYTHON ?= python3
PAPER ?= ademamix
BIN := .venv/bin

.PHONY: help verify test lint types unit test-site papers bench picture lock clean

help:
	@grep -E '^# make' Makefile | cut -c3-

.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

verify: .venv/installed
	$(BIN)/pytest papers/$(PAPER)

test: lint types unit test-site papers

lint: .venv/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/claimbench check

types: .venv/installed
	$(BIN)/mypy

unit: .venv/installed
	OMP_NUM_THREADS=1 $(BIN)/pytest tests --ignore tests/site

# The site in a real browser; root gets what it needs from Debian, others are told.
test-site: .venv/installed .venv/browser
	$(BIN)/pytest tests/site

.venv/browser: tests/site/package.json .venv/installed
	@if ! command -v chromium > /dev/null || ! command -v npm > /dev/null; then \
	  if [ "$$(id -u)" = 0 ]; then apt-get update -qq && apt-get install -y -qq chromium npm; \
	  else echo "the site's tests need chromium and npm: sudo apt-get install chromium npm"; exit 1; fi; fi
	npm --prefix tests/site install --silent --no-package-lock --no-audit --no-fund
	touch $@

papers: .venv/installed
	$(BIN)/pytest papers

bench: .venv/installed
	$(BIN)/pytest tests/benchmarks -o python_files='bench_*.py'

picture: .venv/installed
	$(BIN)/python .github/picture.py .github/terminal.svg pytest papers/ademamix --color=yes

# The lock holds what a fresh environment gets; a local build's tag (+cpu) is not part of a version.
lock:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet torch==2.13.0 hatchling editables
	.venv-lock/bin/pip install --quiet --no-build-isolation -e '.[dev]'
	.venv-lock/bin/pip freeze --exclude-editable | sed 's/+cpu$$//' > requirements.lock
	rm -r .venv-lock

clean:
	rm -rf .venv .claimbench .mypy_cache .ruff_cache .pytest_cache
