# Every target sets up what it needs, so that each works on a fresh machine.
#   make demo          train on the built-in data and write a report
#   make test          the test suite, but for the plug-in's
#   make lint          ruff and mypy
#   make test-cpp      the C++ tests: kernels, engine, hosting of models
#   make test-lowest   the test suite on the lowest versions of our dependencies
#   make bench         block times of every model (pytest-benchmark)
#   make bench-training  training speed and time to a good model, fused kernels against PyTorch
#   make plugin        build the plug-in (VST3, LV2, standalone) and install it for you
#   make plugin-test   build the plug-in and run its tests, in real hosts too
#   make bench-plugin  block times of the plug-in, one instance and two (MODEL, SECONDS)
#   make backend       what window models need to play in the plug-in (ExecuTorch)
#   make results       train on real guitar and fill in docs/results.md (hours; finished cells are kept)

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# Make itself presets CXX to g++, which a machine with Clang alone does not have.
ifeq ($(origin CXX),default)
CXX    := c++
endif
# A long study can be pointed at recordings of one's own: DATA holds clean, light, medium and heavy.
DATA   ?= ../shared/data/jcm800

PROJECTS := pyproject.toml fxkit/pyproject.toml fxkit_models/pyproject.toml fxkit_losses/pyproject.toml
ENGINE   := $(shell find cpp -path cpp/plugin -prune -o -type f \( -name '*.cpp' -o -name '*.h' -o -name '*.hpp' -o -name '*.inl' \
              -o -name 'CMakeLists.txt' -o -name '*.py' -o -name 'pyproject.toml' \) -print 2>/dev/null)
PLUGIN   := build/plugin
MODEL    ?= cpp/plugin/models/demo-heavy.fxkit
SECONDS  ?= 60

.PHONY: demo test lint test-cpp test-lowest bench bench-training results plugin plugin-test bench-plugin backend clean
.DELETE_ON_ERROR:

demo: $(VENV)/.engine
	$(BIN)/fxkit run task=distort model=gru

test: $(VENV)/.engine
	$(BIN)/pytest --ignore=tests/plugin

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Where the system has no CMake or Ninja they come from PyPI.
test-cpp: $(VENV)/.installed
	@{ command -v cmake && command -v ninja; } >/dev/null || $(BIN)/pip install --quiet cmake ninja
	PATH="$$PATH:$(CURDIR)/$(BIN)" && cmake -G Ninja -S cpp -B build/cpp -DCMAKE_BUILD_TYPE=Release \
	  && cmake --build build/cpp --parallel 2 && ctest --test-dir build/cpp --output-on-failure

test-lowest: $(VENV)/.engine
	$(BIN)/python tools/test_lowest.py

bench: $(VENV)/.engine
	$(BIN)/pytest tests/benchmarks --benchmark-only

bench-training: $(VENV)/.engine
	$(BIN)/python benchmarks/training_speed.py --out build/training-speed
	$(BIN)/python benchmarks/time_to_esr.py --data $(DATA) --out build/time-to-esr

# CMake knows what has to be built anew. PLUGIN_OPTIONS go to it.
plugin:
	cpp/plugin/build.sh $(PLUGIN) $(PLUGIN_OPTIONS)
	cpp/plugin/install.sh $(PLUGIN)

plugin-test: $(VENV)/.engine
	cpp/plugin/build.sh $(PLUGIN) $(PLUGIN_OPTIONS)
	ctest --test-dir $(PLUGIN) --output-on-failure
	$(BIN)/pip install --quiet -e '.[plugin]'
	$(BIN)/pytest tests/plugin

bench-plugin:
	cpp/plugin/build.sh $(PLUGIN) $(PLUGIN_OPTIONS)
	$(PLUGIN)/tests/plugin_bench $(MODEL) $(SECONDS)

results: $(VENV)/.engine
	$(BIN)/python tools/results.py --data $(DATA)
	$(BIN)/python tools/results_clean.py --data $(DATA)
	$(BIN)/python tools/study.py --data $(DATA)
	$(BIN)/python tools/ablation.py --data $(DATA)

# The back end that plays window models in the plug-in and in C++: built against the wheel of
# ExecuTorch, and put where every player looks.
BACKENDS ?= $(HOME)/.local/lib/fxkit
backend: $(VENV)/.installed
	@command -v cmake >/dev/null || $(BIN)/pip install --quiet cmake
	$(BIN)/pip install --quiet -e './fxkit[executorch]'
	PATH="$$PATH:$(CURDIR)/$(BIN)" \
	  && cmake -S cpp -B build/backend -DFXKIT_PYTHON=$(abspath $(BIN))/python \
	  && cmake --build build/backend --parallel 2 \
	    --target fxkit_executorch fxkit-render program_allocation_test
	@mkdir -p '$(BACKENDS)'
	cp build/backend/backend/*.so '$(BACKENDS)'

$(VENV)/.installed: $(PROJECTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'fxkit needs Python 3.11 or newer: make PYTHON=python3.12'; exit 2; }
	@[ -x $(BIN)/pip ] || $(PYTHON) -m venv $(VENV) \
	  || { echo 'python3 cannot make a virtual environment: install its venv package (python3-venv)'; exit 2; }
	$(BIN)/pip install --quiet -e '.[dev]' -e ./fxkit -e ./fxkit_models -e ./fxkit_losses
	@touch $@

# The engine is built where there is a C++ compiler; without one everything else still works.
$(VENV)/.engine: $(VENV)/.installed $(ENGINE)
	@if command -v $(CXX) >/dev/null 2>&1; then \
	  echo $(BIN)/pip install --quiet ./cpp/python; \
	  $(BIN)/pip install --quiet ./cpp/python && touch $@; \
	else echo 'no C++ compiler ($(CXX)): fxkit works without its engine, only slower'; fi

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache
