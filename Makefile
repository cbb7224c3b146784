# `make submission` and `make test` each work as the very first command after a clone.
.DEFAULT_GOAL := help
.PHONY: help submission test oldest newest bench gpu lint format notebooks clean
.DELETE_ON_ERROR:

# The first Python on the PATH that is new enough; `make PYTHON=/path/to/python` names another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo "$$p" && break; done)
# Windows names this folder otherwise; `make` runs there in Git Bash.
BIN := .venv/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
ARGS ?=

help: ## show this list
	@awk -F ':.*## ' '/^[a-z ]+:.*## /{printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

submission: .venv/installed-homework ## run the notebooks, export them, leave everything in build/
	$(BIN)/coursework submit $(ARGS)

test: .venv/installed-test ## run every test (ARGS="-m hw3_q2" for one question)
	$(BIN)/python -m pytest $(ARGS)

oldest newest: .venv/created ## every test with the oldest libraries allowed, or the newest (PYTHON=python3.13)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv venv --quiet --seed --clear --python '$(PYTHON)' .venv/$@
	$(BIN)/uv pip install --quiet --python .venv/$@ --editable '.[test]' \
	--resolution $(if $(filter oldest,$@),lowest-direct,highest)
	.venv/$@/$(notdir $(BIN))/python -m pytest $(ARGS)

bench: .venv/installed-bench ## measure the speeds, fail if one falls short (ARGS="NAME" for one)
	$(BIN)/python -m benchmarks $(ARGS)

gpu: .venv/installed-test ## run the tests for a GPU and measure it; without one a small size on the CPU
	$(BIN)/python -m pytest tests/test_gpu.py
	$(BIN)/python -m benchmarks.gpu

lint: .venv/installed-lint ## check style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/installed-lint ## mend style and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# An editable installation copies nothing to where JupyterLab looks for extensions. In a container
# everybody is root, whom Jupyter refuses unless it is told.
notebooks: .venv/installed-lab ## open the notebooks in JupyterLab
	JUPYTER_PATH="$(CURDIR)/coursework/pdf/jupyter$${JUPYTER_PATH:+:$$JUPYTER_PATH}" $(BIN)/jupyter lab notebooks \
		$(if $(filter 0,$(shell id -u)),--allow-root) $(ARGS)

clean: ## remove the virtual environment and everything that was built
	rm -rf .venv build .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp for each set of extras, so that a second run installs nothing. The tested versions come
# first; a platform that lacks one of them gets the newest that pyproject.toml allows.
.venv/installed-%: pyproject.toml constraints.txt .venv/created
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[$*]' || { \
	echo 'make: the tested versions do not install here; trying the ranges of pyproject.toml' >&2; \
	$(BIN)/python -m pip install --quiet --editable '.[$*]'; }
	@touch $@

# The mark is set only when pip works there: half an environment, from a run that was interrupted or
# from a Python that is gone, is built anew, and everything is installed again.
ifneq ($(shell $(BIN)/python -m pip --version >/dev/null 2>&1 && echo works),works)
.PHONY: .venv/created
endif
.venv/created:
	@[ -n '$(PYTHON)' ] || { echo 'make: no Python 3.11 or newer found; install one, or run make PYTHON=/path/to/python' >&2; exit 1; }
	@rm -rf .venv
	@echo 'make: building .venv with $(PYTHON); the first time takes some minutes'
	@$(PYTHON) -m venv .venv || $(PYTHON) -m virtualenv --quiet .venv || uv venv --quiet --seed --python '$(PYTHON)' .venv || { \
	rm -rf .venv; \
	echo 'make: $(PYTHON) cannot build a virtual environment. On Debian or Ubuntu install python3-venv; without root, "pip install --user virtualenv" or conda (see environment.yml) also do.' >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null
	@touch $@
