# One set of commands, the same for a person and for CI. Needs Python 3.11 or later with venv, and g++ or clang.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
TESTED := $(wildcard csrc/tests/*.cc csrc/tests/*.h)
NATIVE := CMakeLists.txt $(filter-out $(TESTED),$(shell find csrc -name '*.cc' -o -name '*.h'))
CMAKE  := $(or $(shell command -v cmake),$(BIN)/cmake)
JOBS   ?= $(shell nproc)

.PHONY: install demo test test-native test-neon lint bench docs stub clean

install: $(STAMP)

# Installed again when the metadata, the pins or the C++ sources change; Python sources are used in place.
$(STAMP): pyproject.toml constraints.txt $(NATIVE)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[baselines,demo,dev,docs,series]'
	touch $@

demo: $(STAMP)
	$(BIN)/sluicegate demo

# A process for each core, which takes from another what is left to do when its own is done.
test: $(STAMP)
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist worksteal

# The tests of the C++ part: under the sanitizers, then as it is compiled for use. Needs no Python, only CMake, which is
# taken from the virtual environment where the system has none.
test-native: $(if $(filter $(BIN)/cmake,$(CMAKE)),$(STAMP))
	set -e; for sanitize in address,undefined thread ''; do \
	  folder=build/native/$${sanitize:-plain}; \
	  $(CMAKE) -S . -B $$folder -DSLUICEGATE_TESTS=ON -DSLUICEGATE_SANITIZE=$$sanitize; \
	  $(CMAKE) --build $$folder --parallel $(JOBS); \
	  sh csrc/tests/no_shared_code.sh $$folder; \
	  $$folder/csrc/tests/sluicegate_tests; \
	done

# The same for 64-bit ARM, in an emulator: apt-get install g++-aarch64-linux-gnu qemu-user. That of Debian 12 ends
# where a forked child begins a thread.
test-neon: $(if $(filter $(BIN)/cmake,$(CMAKE)),$(STAMP))
	$(CMAKE) -S . -B build/native/neon -DSLUICEGATE_TESTS=ON -DCMAKE_SYSTEM_NAME=Linux \
	  -DCMAKE_SYSTEM_PROCESSOR=aarch64 -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++
	$(CMAKE) --build build/native/neon --parallel $(JOBS)
	qemu-aarch64 -L /usr/aarch64-linux-gnu build/native/neon/csrc/tests/sluicegate_tests --cases=100 --but=forked

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $(filter %.cc %.h,$(NATIVE)) $(TESTED)

bench: $(STAMP)
	$(BIN)/python benchmarks/forecasting.py --write docs/benchmarks.md
	$(BIN)/python benchmarks/classification.py --write docs/benchmarks.md
	$(BIN)/python benchmarks/memory.py --write docs/benchmarks.md
	$(BIN)/python benchmarks/training_loop.py --write docs/benchmarks.md
	$(BIN)/python benchmarks/textbook.py --write docs/benchmarks.md
	$(BIN)/python benchmarks/mingru.py --write docs/benchmarks.md
	$(BIN)/python benchmarks/streaming.py --write docs/benchmarks.md
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python benchmarks/layers.py --write docs/benchmarks.md --picture docs/images/layers.svg

docs: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# The stub of the compiled module, for type checkers and editors; a test tells when it is out of date.
stub: $(STAMP)
	$(BIN)/python -m nanobind.stubgen -q -m sluicegate._core -o src/sluicegate/_core.pyi

clean:
	rm -rf $(VENV) build site
