# One set of commands, the same for a person and for CI. Needs Python 3.11 or later with venv, and g++ or clang.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
TESTED := $(wildcard csrc/tests/*.cc csrc/tests/*.h csrc/tests/emulated/*.h)
NATIVE := CMakeLists.txt $(filter-out $(TESTED),$(shell find csrc -name '*.cc' -o -name '*.h'))
CMAKE  := $(or $(shell command -v cmake),$(BIN)/cmake)
JOBS   ?= $(shell nproc)
SANITIZED := address,undefined

.PHONY: install demo test test-all test-native test-adapters test-avx512 test-neon fuzz lint bench docs stub \
  runtime-wheel clean

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

# Every test with every example, and the C++ part under the thread sanitizer too.
test-all: $(STAMP) test-native
	$(call native,thread,-DSLUICEGATE_SANITIZE=thread,build/native/thread)
	SLUICEGATE_EXAMPLES=all $(BIN)/python -m pytest --numprocesses $(JOBS) --dist worksteal

# The tests of the C++ part: of the kernels as they are installed, then of all of it under the sanitizers.
# CMake is taken from the virtual environment where the system has none.
test-native: $(STAMP)
	$(call native,plain,-DSLUICEGATE_KERNELS=$(CURDIR)/build/package/libsluicegate_kernels.a,build/package)
	$(call native,sanitized,-DSLUICEGATE_SANITIZE=$(SANITIZED),build/native/sanitized,--cases=100)

# Builds and runs them: the name, the option, the folder where the kernels are compiled, and what the tests are told.
define native
$(CMAKE) -S . -B build/native/$(1) -DSLUICEGATE_TESTS=ON $(2)
$(CMAKE) --build build/native/$(1) --parallel $(JOBS)
sh csrc/tests/no_shared_code.sh $(3)
build/native/$(1)/csrc/tests/sluicegate_tests $(4)
endef

# The tests of the adapters, with the packages they adapt to.
test-adapters: $(STAMP)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[keras,jax]'
	$(BIN)/python -m pytest tests/keras tests/jax tests/export/test_of_keras.py

# The same of the kernels for AVX-512, with products of bfloat16 and without, on processors that have neither: apt-get
# install libsimde-dev, which emulates their instructions.
test-avx512: $(if $(filter $(BIN)/cmake,$(CMAKE)),$(STAMP))
	$(CMAKE) -S . -B build/native/avx512 -DSLUICEGATE_TESTS=ON -DSLUICEGATE_EMULATED=ON
	$(CMAKE) --build build/native/avx512 --parallel $(JOBS)
	build/native/avx512/csrc/tests/sluicegate_tests --cases=100

# The same for 64-bit ARM, in an emulator: apt-get install g++-aarch64-linux-gnu qemu-user. That of Debian 12 ends
# where a forked child begins a thread.
test-neon: $(if $(filter $(BIN)/cmake,$(CMAKE)),$(STAMP))
	$(CMAKE) -S . -B build/native/neon -DSLUICEGATE_TESTS=ON -DCMAKE_SYSTEM_NAME=Linux \
	  -DCMAKE_SYSTEM_PROCESSOR=aarch64 -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++
	$(CMAKE) --build build/native/neon --parallel $(JOBS)
	qemu-aarch64 -L /usr/aarch64-linux-gnu build/native/neon/csrc/tests/sluicegate_tests --cases=100 --but=forked

# A million calls with arguments that are not right, of the C++ part under the sanitizers, which are GCC's here.
fuzz: $(STAMP)
	$(CMAKE) -S . -B build/fuzz -DSLUICEGATE_SANITIZE=$(SANITIZED) -DPython_EXECUTABLE=$(CURDIR)/$(BIN)/python
	$(CMAKE) --build build/fuzz --target _core --parallel $(JOBS)
	ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1:max_allocation_size_mb=2048 OMP_NUM_THREADS=1 \
	  LD_PRELOAD="$$($(CXX) -print-file-name=libasan.so) $$($(CXX) -print-file-name=libubsan.so)" \
	  $(BIN)/python fuzz/run.py --core build/fuzz/_core.*.so --processes $(JOBS)

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $(filter %.cc %.h,$(NATIVE)) $(TESTED)

bench: $(STAMP)
	$(BIN)/python benchmarks/forecasting.py --write docs/benchmarks.md
	$(BIN)/python benchmarks/classification.py --write docs/benchmarks.md
	$(BIN)/python benchmarks/writing.py --write docs/benchmarks.md
	$(BIN)/python benchmarks/speech.py --write docs/benchmarks.md
	$(BIN)/python benchmarks/tracking.py --write docs/benchmarks.md
	$(BIN)/python benchmarks/video.py --write docs/benchmarks.md
	$(BIN)/python benchmarks/memory.py --write docs/benchmarks.md
	$(BIN)/python benchmarks/training_loop.py --write docs/benchmarks.md
	$(BIN)/python benchmarks/textbook.py --write docs/benchmarks.md
	$(BIN)/python benchmarks/mingru.py --write docs/benchmarks.md
	$(BIN)/python benchmarks/streaming.py --write docs/benchmarks.md
	$(BIN)/python benchmarks/runtime.py --write docs/benchmarks.md
	$(BIN)/python benchmarks/serve.py --write docs/benchmarks.md
	$(BIN)/python benchmarks/never_slower.py --write docs/benchmarks.md
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python benchmarks/keras.py --write docs/benchmarks.md
	$(BIN)/python benchmarks/layers.py --write docs/benchmarks.md --picture docs/images/layers.svg
	$(BIN)/python benchmarks/jax_layers.py --write docs/benchmarks.md

docs: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# The distribution without what trains, which needs no PyTorch: a wheel of 2 MB in dist/.
runtime-wheel: $(STAMP)
	$(BIN)/python -m pip wheel --quiet --no-deps --constraint constraints.txt --wheel-dir dist packaging/runtime

# The stub of the compiled module, for type checkers and editors; a test tells when it is out of date.
stub: $(STAMP)
	$(BIN)/python -m nanobind.stubgen -q -m sluicegate._core -o src/sluicegate/_core.pyi

clean:
	rm -rf $(VENV) build site
