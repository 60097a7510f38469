# `make run` and `make test` need Python ≥ 3.11 with pip and venv, make, and a C++ compiler; nothing else.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt

.PHONY: run test check format bench screens reference model clean
.DELETE_ON_ERROR:

run: .venv/run
	@$(BIN)/llamadiff $(ARGS)

test: .venv/test .venv/llama.cpp
	$(BIN)/python -m pytest $(ARGS)

check: .venv/test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright --level error
	$(BIN)/lint-imports --no-cache

format: .venv/test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# An hour or more on an otherwise idle machine. The first time llama-bench is compiled, minutes;
# llama-server takes longer and is compared with once `make .venv/llama-server` has built it, or
# when one is on PATH.
bench: .venv/test .venv/llama-bench
	$(BIN)/python benchmarks/engine.py
	$(BIN)/python benchmarks/app.py
	$(BIN)/python benchmarks/grid.py
	$(BIN)/python benchmarks/leak.py
	$(BIN)/python benchmarks/first_paint.py
	$(BIN)/python benchmarks/key_latency.py
	$(BIN)/python benchmarks/painting.py
	$(BIN)/python benchmarks/slow_line.py
	$(BIN)/python benchmarks/live_diff.py
	$(BIN)/python benchmarks/catalog.py
	$(BIN)/python benchmarks/prompt_edit.py
	$(BIN)/python benchmarks/preview.py
	$(BIN)/python benchmarks/library.py
	$(BIN)/python benchmarks/history.py
	$(BIN)/python benchmarks/noise.py
	$(BIN)/python benchmarks/decisions.py
	$(BIN)/python benchmarks/suites.py
	$(BIN)/python benchmarks/evaluate_screen.py --live
	$(BIN)/python benchmarks/tuning.py
	$(BIN)/python benchmarks/tune_screen.py

# The screens in docs/screens, drawn by the real app on the bundled model.
screens: .venv/test
	$(BIN)/python docs/draw_screens.py

# The pages of docs/ that are made of the program: settings with keys, commands.
reference: .venv/test
	$(BIN)/python docs/write_settings.py
	$(BIN)/python docs/write_commands.py

# Train the bundled model and its adapters anew and score them; stopped, it goes on (see recipe/).
model: .venv/test
	$(BIN)/python -m recipe make --work recipe/out/work --out recipe/out/tree
	$(BIN)/python -m recipe card --out recipe/out/tree

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("llamadiff needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv

.venv/run: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing llamadiff. llama.cpp is compiled once for this machine: a few minutes."
	$(PIP) --editable .
	@touch $@

.venv/test: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing llamadiff with its test, tune and serve extras. llama.cpp is compiled once for this machine: a few minutes."
	$(PIP) --editable '.[test,tune,serve]'
	@touch $@ .venv/run

# llama.cpp's sources, out of the source distribution that is installed: its vocabularies are for
# the tests, its tools for the benchmarks.
.venv/llama.cpp: constraints.txt | .venv/bin/python
	@echo "Fetching the sources of llama.cpp."
	@rm -rf $@ $@.part
	@mkdir $@.part
	@$(BIN)/python -m pip download --disable-pip-version-check --quiet --constraint constraints.txt \
	  --no-deps --no-binary llama-cpp-python --dest $@.part llama-cpp-python
	@tar -xzf $@.part/*.tar.gz -C $@.part
	@touch $@.part/*/vendor/llama.cpp
	@mv $@.part/*/vendor/llama.cpp $@
	@rm -rf $@.part

.venv/llama-bench .venv/llama-server: .venv/llama.cpp
	@echo "Compiling $(@F), which takes minutes; the log is .venv/$(@F).log."
	@command -v cmake >/dev/null || $(PIP) cmake
	@PATH="$(CURDIR)/$(BIN):$$PATH" && exec >.venv/$(@F).log && \
	cmake -S .venv/llama.cpp -B .venv/llama.cpp.build -DCMAKE_BUILD_TYPE=Release \
	  -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_APP=OFF \
	  -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF -DLLAMA_OPENSSL=OFF && \
	cmake --build .venv/llama.cpp.build --parallel "$$(getconf _NPROCESSORS_ONLN)" --target $(@F)
	@cp .venv/llama.cpp.build/bin/$(@F) $@

clean:
	rm -rf .venv build dist *.egg-info
