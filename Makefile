# One set of commands, the same for a person and for CI. Needs Python 3.11 or later with venv, and g++ or clang.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
NATIVE := CMakeLists.txt $(shell find csrc -name '*.cc' -o -name '*.h')

.PHONY: install demo test lint bench docs stub clean

install: $(STAMP)

# Installed anew when the metadata, the pins or the C++ sources change; Python sources are used in place.
$(STAMP): pyproject.toml constraints.txt $(NATIVE)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[baselines,demo,dev]'
	touch $@

demo: $(STAMP)
	$(BIN)/sluicegate demo

test: $(STAMP)
	$(BIN)/python -m pytest

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $(filter %.cc %.h,$(NATIVE))

bench: $(STAMP)
	$(BIN)/python benchmarks/forecasting.py --write docs/benchmarks.md
	$(BIN)/python benchmarks/training_loop.py --write docs/benchmarks.md
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python benchmarks/layers.py --write docs/benchmarks.md --picture docs/images/layers.svg

docs: $(STAMP)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	$(BIN)/mkdocs build --strict

# The stub of the compiled module, for type checkers and editors; a test tells when it is out of date.
stub: $(STAMP)
	$(BIN)/python -m nanobind.stubgen -q -m sluicegate._core -o src/sluicegate/_core.pyi

clean:
	rm -rf $(VENV) build site
