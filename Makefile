# `make run` and `make test` need Python ≥ 3.11 with pip and venv, make, and a C++ compiler; nothing else.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt

.PHONY: run test check format bench screens model clean
.DELETE_ON_ERROR:

run: .venv/run
	@$(BIN)/llamadiff $(ARGS)

test: .venv/test
	$(BIN)/python -m pytest $(ARGS)

check: .venv/test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright --level error
	$(BIN)/lint-imports --no-cache

format: .venv/test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/test
	$(BIN)/python benchmarks/first_paint.py
	$(BIN)/python benchmarks/key_latency.py
	$(BIN)/python benchmarks/live_diff.py

# The screens in docs/screens, drawn by the real app on the bundled model.
screens: .venv/test
	$(BIN)/python docs/draw_screens.py

# Train the bundled model and its adapters anew (see recipe/).
model: .venv/test
	$(BIN)/python -m recipe --work recipe/out

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("llamadiff needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv

.venv/run: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing llamadiff. llama.cpp is compiled once for this machine: a few minutes."
	$(PIP) --editable .
	@touch $@

.venv/test: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing llamadiff with its test and tune extras. llama.cpp is compiled once for this machine: a few minutes."
	$(PIP) --editable '.[test,tune]'
	@touch $@ .venv/run

clean:
	rm -rf .venv build dist *.egg-info
