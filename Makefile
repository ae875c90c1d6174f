# `make reproduce` and `make test` do everything on a fresh machine with Python 3.11 or later.
PYTHON ?= python3
BIN = .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
CHAPTERS = $(basename $(notdir $(wildcard book/*.ipynb)))
SMOKE = _build/smoke
TIMED = python benchmarks/timed.py $@# keeps seconds in _build/times.json
PUBLISHED = $(CURDIR)/_build/no-runs# committed chapters show published records, never those of runs/

.PHONY: help env reproduce test book lint refresh lab bench gpu torture lock audit

help:  ## this list
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*##/\t/'

env: .venv/done  ## create the environment in .venv

INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
UNCHECKED = not all packages could be held against constraints.hashes.txt (.venv/hashes.log has why): they are installed by version alone

.venv/done: pyproject.toml constraints.txt constraints.hashes.txt
	$(PYTHON) -m venv .venv
	@$(INSTALL) --no-deps --require-hashes -r constraints.hashes.txt >.venv/hashes.log 2>&1 || echo "$(UNCHECKED)"
	$(INSTALL) -c constraints.txt -e '.[book,dev]'
	touch $@

reproduce: env  ## train the experiments at tier smoke, execute every chapter on them, build that book
	$(TIMED) train nlcore run all --tier smoke
	mkdir -p $(SMOKE)/book
	cp -rp _config.yml _toc.yml $(SMOKE) && cp -rp book/_static book/*.md book/*.bib $(SMOKE)/book
	$(TIMED) chapters nlcore chapter $(CHAPTERS) -p tier=smoke --out $(SMOKE)/book
	$(TIMED) book jupyter-book build $(SMOKE) -W -n --keep-going -q
	@echo "the book of these results: $(CURDIR)/$(SMOKE)/_build/html/index.html"

LONG = $(addprefix book/,$(addsuffix .ipynb,intro 90_scoreboard 07_mentornet))# first, so that no core waits at the end
ORDERED = $(LONG) $(filter-out $(LONG),$(wildcard book/*.ipynb))

test: env lint book  ## everything that CI checks
	$(TIMED) units pytest tests -n 2 --dist loadgroup
	NLCORE_RUNS="$(PUBLISHED)" TQDM_DISABLE=1 OMP_NUM_THREADS=1 \
		$(TIMED) chapters pytest $(ORDERED) --nbval --nbval-current-env --nbval-cell-timeout 300 -n 2 --dist loadfile --no-loadscope-reorder -W ignore

book: env  ## render the committed chapters; nothing is executed
	$(TIMED) book jupyter-book build . -W -n --keep-going -q
	@echo "the book: $(CURDIR)/_build/html/index.html"

lint: env  ## style of code and chapters
	ruff check . && ruff format --check .

refresh: env  ## execute the committed chapters again with their defaults, and normalise them
	NLCORE_RUNS="$(PUBLISHED)" nlcore chapter $(CHAPTERS) --again --out book

gpu: env  ## on a GPU: its tests, benchmarks and the records that decide most; nine minutes a call, each goes on
	python benchmarks/gpu.py

lab: env  ## open the chapters in JupyterLab, with what reads their Markdown
	$(INSTALL) -c constraints.txt -c constraints.lab.txt -e '.[lab]'
	jupyter lab book

bench: env  ## measure what everything costs, some minutes, into book/bench.json
	python benchmarks/bench.py

torture: env  ## kill, damage and fill for ten minutes, into book/torture.json; SEEDS=, and TRIAL= repeats one alone
	python tests/torture/campaign.py --seeds $(or $(SEEDS),0) $(if $(TRIAL),--trial "$(TRIAL)")

lock: env  ## after a change of constraints.txt: hashes of its packages, and the licences of all
	uv pip compile --quiet --universal --python-version 3.11 --no-deps --generate-hashes --no-annotate \
		--custom-compile-command "make lock" --no-emit-package torch --no-emit-package torchvision \
		constraints.txt -o constraints.hashes.txt
	pip-licenses --with-system --from=mixed --no-version --with-urls --format=markdown --output-file=LICENSES.md \
		--packages $$(sed 's/==.*//' constraints.txt)
	sed -i '/^| *|/d' LICENSES.md  # of a package that gives its licence in full, the first line

audit: env  ## hold the pinned versions against the published advisories
	uvx pip-audit --disable-pip --no-deps -r constraints.txt
