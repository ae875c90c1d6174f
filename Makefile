# `make reproduce` and `make test` do everything on a fresh machine with Python 3.11 or later.
PYTHON ?= python3
BIN = .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
CHAPTERS = $(basename $(notdir $(wildcard book/[0-9]*.ipynb)))
SMOKE = _build/smoke
TIMED = python benchmarks/timed.py $@# keeps seconds in _build/times.json
PUBLISHED = $(CURDIR)/_build/no-runs# committed chapters show published records, never those of runs/

.PHONY: help env reproduce test book lint refresh bench gpu torture

help:  ## this list
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*##/\t/'

env: .venv/done  ## create the environment in .venv

.venv/done: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[book,dev]'
	touch $@

reproduce: env  ## train the experiments at tier smoke, execute every chapter on them, build that book
	$(TIMED) train nlcore run all --tier smoke
	mkdir -p $(SMOKE)/book
	cp -rp _config.yml _toc.yml $(SMOKE) && cp -rp book/_static book/*.md book/*.bib $(SMOKE)/book
	$(TIMED) chapters nlcore chapter $(CHAPTERS) -p tier=smoke --out $(SMOKE)/book
	$(TIMED) book jupyter-book build $(SMOKE) -W -n --keep-going -q
	@echo "the book of these results: $(CURDIR)/$(SMOKE)/_build/html/index.html"

test: env lint  ## everything that CI checks
	$(TIMED) units pytest tests -n 2 --dist loadgroup
	NLCORE_RUNS="$(PUBLISHED)" TQDM_DISABLE=1 $(TIMED) chapters pytest book --nbval --nbval-current-env --nbval-cell-timeout 120 -n 2 --dist loadfile --no-loadscope-reorder -W ignore
	$(MAKE) --no-print-directory book

book: env  ## render the committed chapters; nothing is executed
	jupyter-book build . -W -n --keep-going -q
	@echo "the book: $(CURDIR)/_build/html/index.html"

lint: env  ## style of code and chapters
	ruff check . && ruff format --check .

refresh: env  ## execute the committed chapters again with their defaults, and normalise them
	NLCORE_RUNS="$(PUBLISHED)" nlcore chapter $(CHAPTERS) --again --out book

gpu: env  ## on a GPU: its tests, benchmarks and the records that decide most; nine minutes a call, each goes on
	python benchmarks/gpu.py

bench: env  ## measure what everything costs, five minutes, into book/bench.json
	python benchmarks/bench.py

torture: env  ## kill, damage and fill for ten minutes, into book/torture.json; SEED=, and TRIAL= repeats one alone
	python tests/torture/campaign.py --seed $(or $(SEED),0) $(if $(TRIAL),--trial "$(TRIAL)")
