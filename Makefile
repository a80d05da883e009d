# make verify PAPER=ademamix   sets up .venv and runs a paper's claims
# make nightly SHARDS=2        what a night does: run all claims, merge, publish, build the site
# make test-site               the leaderboard's site in a browser, only
# make test                    sets up .venv and runs every check that CI runs
PYTHON ?= python3
PAPER ?= ademamix
BIN := .venv/bin
TIER ?= standard
SHARDS ?= 1
NIGHT := .claimbench/night

.NOTPARALLEL:
.PHONY: help verify test left-out lint types unit test-site browser data papers changed shard tables \
	bench picture screenshots lock clean \
	baseline nightly nightly-shards nightly-shard nightly-mutants nightly-audit nightly-merge

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
	@$(MAKE) --no-print-directory left-out

# What a machine could not run is said last; in CI that is a failure.
left-out:
	@! cat .venv/left-out/* 2> /dev/null || [ "$$CI" != true ]

lint: .venv/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/claimbench check
	@.ci/ledger
	$(BIN)/claimbench leaderboard check
	$(BIN)/zizmor --offline --quiet .github
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-forms \
	  .github/ISSUE_TEMPLATE/[dp]*.yml

types: .venv/installed
	$(BIN)/mypy

unit: .venv/installed data
	OMP_NUM_THREADS=1 $(BIN)/pytest tests --ignore tests/site -n auto --maxprocesses 8 --dist worksteal

# The site, and the site in a real browser where there is one.
test-site: .venv/installed browser
	$(BIN)/pytest tests/site \
	  $$(grep -qs 'in a browser' .venv/left-out/* && echo --ignore=tests/site/test_site_browser.py)

# What pip has not, each got alone and only where it is missing.
browser: .venv/installed
	@.ci/get chromium 'command -v chromium || command -v chromium-browser || command -v google-chrome' \
	  "the site's tests in a browser"
	@.ci/get libatomic1 '$(BIN)/python -m playwright --version' "the site's tests in a browser"

data: .venv/installed
	@.ci/get dataset-fashion-mnist 'ls /usr/share/datasets/fashion-mnist' 'claims on Fashion-MNIST'
	@.ci/get wordnet-base 'ls /usr/share/wordnet/data.noun' 'claims on WordNet'

# Each paper at smoke, once.
papers: .venv/installed data
	mkdir -p .claimbench
	$(BIN)/pytest papers --claims-json .claimbench/smoke.json
	$(BIN)/python .ci/verdicts.py .claimbench/smoke.json

# The same verdicts on another instruction set; a part of the night.
baseline: .venv/installed data
	mkdir -p $(NIGHT)
	$(BIN)/pytest papers --claims-json $(NIGHT)/cpu.json || [ $$? = 1 ]
	$(BIN)/pytest papers --profile baseline --claims-json $(NIGHT)/baseline.json || [ $$? = 1 ]
	$(BIN)/python .ci/verdicts.py $(NIGHT)/cpu.json $(NIGHT)/baseline.json

# What a pull request is about: changes of claims that are not marked, and the papers whose code or spec it changes.
BASE ?= origin/main
changed: .venv/installed data
	$(BIN)/claimbench check --against $(BASE)
	$(BIN)/claimbench run selection.changed=$(BASE) hydra.run.dir=.claimbench/changed
	$(BIN)/python .ci/verdicts.py .claimbench/changed/verdicts.json

# All papers at smoke, shared out among machines.
SHARD ?= 1
shard: .venv/installed data
	$(BIN)/claimbench run selection.shard=$(SHARD)/$(SHARDS) hydra.run.dir=.claimbench/shard
	$(BIN)/python .ci/verdicts.py .claimbench/shard/verdicts.json

# What is derived from the published results: on main and at night, never in a pull request.
tables: .venv/installed
	$(BIN)/claimbench leaderboard build

bench: .venv/installed
	$(BIN)/pytest tests/benchmarks -o python_files='bench_*.py'

# What a night does, in the steps of .github/workflows/nightly.yml. A shard keeps its runs from one
# night to the next; 1 as an exit code means that some claim is not as expected, which is news and
# no failure of the night.
nightly: nightly-shards nightly-mutants nightly-merge nightly-audit baseline

nightly-shards:
	rm -rf $(NIGHT)/results
	for shard in $$(seq $(SHARDS)); do $(MAKE) nightly-shard SHARD=$$shard || exit; done

nightly-shard: .venv/installed data
	CLAIMBENCH_HOME=$(NIGHT)/home-$(SHARD) $(BIN)/claimbench run tier=$(TIER) \
	  selection.shard=$(SHARD)/$(SHARDS) $(RUN) || [ $$? = 1 ]
	CLAIMBENCH_HOME=$(NIGHT)/home-$(SHARD) $(BIN)/claimbench leaderboard publish --tier $(TIER) \
	  --into $(NIGHT)/results/shard-$(SHARD)

# The mutants of a seventh of the papers, those whose night it is.
TONIGHT ?= $(shell date +%u)
nightly-mutants: .venv/installed data
	rm -rf $(NIGHT)/mutation
	mkdir -p $(NIGHT)/mutation
	$(BIN)/python .ci/due.py $(TONIGHT) > $(NIGHT)/due
	for paper in $$(cat $(NIGHT)/due); do \
	  $(BIN)/claimbench mutate $$paper --publish $(NIGHT)/mutation || [ $$? = 1 ] || bad=1; \
	done; [ -z "$$bad" ]

# Published claims, chosen at random, run again from nothing.
SAMPLE ?= 10
nightly-audit: .venv/installed data
	$(BIN)/claimbench leaderboard audit --sample $(SAMPLE) --tier $(TIER)

nightly-merge: .venv/installed
	$(BIN)/claimbench leaderboard merge $(NIGHT)/results/shard-*
	mkdir -p $(NIGHT)/mutation leaderboards/mutation
	cp -r $(NIGHT)/mutation/. leaderboards/mutation
	$(BIN)/claimbench leaderboard build
	$(BIN)/claimbench leaderboard diff HEAD leaderboards --format markdown \
	  > $(NIGHT)/changes.md || [ $$? = 1 ]
	$(BIN)/claimbench leaderboard alert > $(NIGHT)/alert.md || [ $$? = 1 ]
	cat $(NIGHT)/changes.md

screenshots: .venv/installed browser
	$(BIN)/claimbench leaderboard build --out .claimbench/screenshots
	$(BIN)/python .github/screenshots.py .claimbench/screenshots .github

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
