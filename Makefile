# The front door. Needs make, a C compiler and a Python from 3.11 to 3.15 with venv, or PyPy 3.11, which
# needs no compiler; everything else (cmake, ninja, test tools) comes from PyPI into a virtual
# environment in this directory.
#
#   make test                       with the python3 at hand, in .venv
#   make test PYTHON=python3.14     with another one, in .venvs/3.14

PYTHON = python3
PYTEST_ARGS =
FUZZ_SECONDS = 60
BENCH_ARGS =
BENCH_CHECK_ARGS =
SAMENESS_ARGS =
COVERAGEPY_ARGS =
BUILD_OPTIONS =
# One coverage.py release instead of the newest: make test COVERAGE=7.11.0 VENV=.venvs/old
COVERAGE =

SHELL = /bin/sh
.DEFAULT_GOAL = help
.SUFFIXES:
.PHONY: help venv install demo test test-c test-py test-all sameness test-coveragepy \
        test-cpython test-contract bench bench-check performance lint format asan asan-c asan-py tsan wheel \
        refleak oom fuzz clean

VENV = $(if $(filter python3,$(PYTHON)),.venv,.venvs/$(VERSION))
VPYTHON = $(VENV)/bin/python
VPATHS = PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
PIP = $(VPATHS) $(CURDIR)/$(VPYTHON) -m pip --disable-pip-version-check
SOURCES := $(wildcard csrc/*/*.[ch]) $(shell find src -name '*.py' -o -name '*.pyi' -o -name '*.pth')

help:
	@echo "make demo       measure the tests of a real project: no coverage, coverage.py, quickcover"
	@echo "make test       build, then the tests in C and in Python          (PYTHON=python3)"
	@echo "make test-all   the same on every Python of this machine"
	@echo "make sameness   real projects: our reports against coverage.py's  (SAMENESS_ARGS=)"
	@echo "make test-coveragepy  coverage.py's own tests on our engines      (COVERAGEPY_ARGS=)"
	@echo "make test-cpython     CPython's own tests, measured and not       (CPYTHON_ARGS=)"
	@echo "make test-contract    with greenlets, debuggers, plugins, fuzzers from PyPI"
	@echo "make bench      the benchmark                                     (BENCH_ARGS=)"
	@echo "make bench-check  count instructions: have the engines grown?    (BENCH_CHECK_ARGS=)"
	@echo "make performance  docs/performance.md from benchmarks/results"
	@echo "make lint       ruff, mypy, clang-format, clang-tidy, compiler warnings"
	@echo "make format     lay the C sources out"
	@echo "make asan       the tests under AddressSanitizer and UBSan"
	@echo "make tsan       the tests in C under ThreadSanitizer"
	@echo "make fuzz       the fuzz targets of the C core                    (FUZZ_SECONDS=60)"
	@echo "make oom        let every allocation fail once"
	@echo "make refleak    count references and memory over many rounds"
	@echo "make wheel      sdist and wheel in dist/, and a test of the wheel"
	@echo "make clean      remove what the above made"
	@echo
	@echo "PYTHON=python3.14 chooses the interpreter; PYTEST_ARGS='-k arcs' goes to pytest."

# ------------------------------------------------------------------- virtual environment

# help, clean and test-all must work without a Python that we support.
ifneq ($(filter-out help clean test-all,$(or $(MAKECMDGOALS),help)),)

VERSION := $(shell $(PYTHON) -c 'import sys; \
    print("pypy" * (sys.implementation.name == "pypy") + "%d.%d" % sys.version_info[:2])')
ifeq ($(VERSION),)
$(error $(PYTHON) does not run: name a Python from 3.11 to 3.15, as in make test PYTHON=python3.13)
endif
ifeq ($(filter 3.11 3.12 3.13 3.14 3.15 pypy3.11,$(VERSION)),)
$(error $(PYTHON) is Python $(VERSION), but quickcover needs one from 3.11 to 3.15, or PyPy 3.11: \
name it, as in make test PYTHON=python3.13)
endif

# Named by version, so that another python3 makes a new environment.
DEPS := $(VENV)/.deps-$(VERSION)$(COVERAGE)
INSTALLED := $(VENV)/.installed-$(VERSION)

$(DEPS): pyproject.toml tools/requirements.py
	@test -e $(VENV)/.deps-$(VERSION)* || { echo "making $(VENV)"; $(PYTHON) -m venv --clear $(VENV); } || { \
	    echo "$(PYTHON) cannot make a virtual environment (on Debian: apt install python3-venv)" >&2; \
	    exit 1; }
	@$(VPYTHON) tools/requirements.py --package build test >$(VENV)/requirements.txt
	@test -z "$(COVERAGE)" || echo "coverage==$(COVERAGE)" >>$(VENV)/requirements.txt
	@echo "installing tools from PyPI into $(VENV)"
	@$(PIP) install --quiet --upgrade -r $(VENV)/requirements.txt || { \
	    echo "could not install from PyPI: is there a network?" >&2; exit 1; }
	@touch $@

$(INSTALLED): $(DEPS) $(SOURCES) CMakeLists.txt pyproject.toml README.md
	@echo "building and installing quickcover into $(VENV)"
	@$(PIP) install --quiet --no-build-isolation --no-deps --force-reinstall \
	    --config-settings=build-dir=$(CURDIR)/$(VENV)/build $(BUILD_OPTIONS) .
	@touch $@

endif

venv: $(DEPS)
install: $(INSTALLED)

# --------------------------------------------------------------------------------- tests

# $(call c-tests,PRESET[,CTEST-ARGS]): build the C unit tests as the preset says, and run them.
# Warnings are errors in `make lint` alone: a compiler of tomorrow must not fail `make test`.
c-build = $(VPATHS) cmake --preset $(1) -B $(VENV)/c-$(1) -DQUICKCOVER_EXTENSION=OFF \
    -DQUICKCOVER_WERROR=OFF $(2) >$(VENV)/c-$(1).log || { cat $(VENV)/c-$(1).log; exit 1; }; \
    $(VPATHS) cmake --build $(VENV)/c-$(1) >$(VENV)/c-$(1).log || { cat $(VENV)/c-$(1).log; exit 1; }
c-tests = $(call c-build,$(1)); \
    $(VPATHS) ctest --test-dir $(VENV)/c-$(1) --output-on-failure --no-tests=error $(2)

# There is no C for PyPy.
test: $(if $(filter pypy%,$(VERSION)),,test-c) test-py

test-c: $(DEPS)
	@$(call c-tests,debug)

test-py: $(INSTALLED)
	$(VPYTHON) -m pytest $(PYTEST_ARGS)

# Goes on after a failure and says at the end which versions failed.
test-all:
	@$(PYTHON) tools/pythons.py --verbose >.pythons.tmp && mv .pythons.tmp .pythons
	@failed=; while read -r version python; do \
	    echo "==== Python $$version: $$python"; \
	    $(MAKE) --no-print-directory test PYTHON="$$python" </dev/null || failed="$$failed $$version"; \
	done <.pythons; \
	echo "==== tested: $$(cut -d' ' -f1 .pythons | xargs)"; rm -f .pythons; \
	test -z "$$failed" || { echo "==== FAILED:$$failed" >&2; exit 1; }

oom: $(INSTALLED)
	@$(call c-tests,debug,-R oom)
	OOM_STEP=1 $(VPYTHON) -m pytest -m oom $(PYTEST_ARGS)

refleak: $(INSTALLED)
	$(VPYTHON) -m pytest -m leak $(PYTEST_ARGS)

# Both make virtual environments of their own, with what they compare and measure.
sameness: $(DEPS)
	$(VPYTHON) -m tests.sameness --python $(VPYTHON) $(SAMENESS_ARGS)

test-coveragepy: $(DEPS)
	$(VPYTHON) tools/test_coveragepy.py $(COVERAGEPY_ARGS)

test-cpython: $(DEPS)
	$(VPYTHON) tools/test_cpython.py $(CPYTHON_ARGS)

# In an environment of its own, because of what it installs.
CONTRACT_VENV = .venvs/contract-$(VERSION)

test-contract:
	@$(MAKE) --no-print-directory install VENV=$(CONTRACT_VENV)
	@$(CONTRACT_VENV)/bin/python tools/requirements.py contract | \
	    $(CONTRACT_VENV)/bin/python -m pip --disable-pip-version-check install --quiet -r /dev/stdin
	@$(CONTRACT_VENV)/bin/python -m pip --disable-pip-version-check install --quiet --no-deps \
	    tstl==1.2.39 # it wants coverage.py 4.5.2, which quickcover.tstl does without
	$(CONTRACT_VENV)/bin/python -m pytest -m slow tests/contract tests/session tests/bench/test_sessions.py $(PYTEST_ARGS)

demo: $(INSTALLED)
	@$(VPYTHON) tools/demo.py

bench: $(INSTALLED)
	@$(PIP) install --quiet -r benchmarks/requirements.txt
	@$(PIP) install --quiet --no-deps tstl==1.2.39 # as in test-contract
	$(VPYTHON) -m benchmarks $(BENCH_ARGS)

# Needs valgrind; without it, it says so and succeeds. --write keeps new counts.
bench-check: $(INSTALLED)
	@$(VPYTHON) benchmarks/check.py $(BENCH_CHECK_ARGS)

performance: $(INSTALLED)
	@$(PIP) install --quiet matplotlib
	@$(VPYTHON) -m benchmarks render

# ---------------------------------------------------------------------------- sanitizers

# The interpreter itself is not instrumented: what it leaks at exit is not ours to judge.
# --capture=sys, because what a sanitizer prints must get through.
ASAN_VENV = .venvs/asan-$(VERSION)
ASAN_BUILD_OPTIONS = --config-settings=cmake.build-type=RelWithDebInfo --config-settings=cmake.define.QUICKCOVER_DEBUG=ON \
    --config-settings=cmake.define.QUICKCOVER_SANITIZE=address,undefined
ASAN_LIBRARIES = $(shell $${CC:-cc} -print-file-name=libasan.so):$(shell $${CC:-cc} -print-file-name=libubsan.so)

asan: asan-c asan-py

asan-c: $(DEPS)
	@$(call c-tests,asan)

asan-py:
	@$(MAKE) --no-print-directory install VENV=$(ASAN_VENV) BUILD_OPTIONS="$(ASAN_BUILD_OPTIONS)"
	LD_PRELOAD="$(ASAN_LIBRARIES)" PYTHONMALLOC=malloc \
	    ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 \
	    $(ASAN_VENV)/bin/python -m pytest --capture=sys -m "not slow and not no_sanitizer" $(PYTEST_ARGS)

tsan: $(DEPS)
	@$(call c-tests,tsan)

fuzz: $(DEPS)
	@$(VPATHS) $(VPYTHON) tools/fuzz.py --build-dir $(VENV)/c-fuzz --seconds $(FUZZ_SECONDS)

# ------------------------------------------------------------------------- lint, release

lint: $(INSTALLED)
	@$(VPYTHON) tools/requirements.py lint | $(PIP) install --quiet -r /dev/stdin
	@$(VPATHS) $(VPYTHON) tools/lint.py --build-dir $(VENV)/c-lint

# Lay C out as `make lint` wants it.
format: $(DEPS)
	@$(VPYTHON) tools/requirements.py lint | $(PIP) install --quiet -r /dev/stdin
	$(VENV)/bin/clang-format -i csrc/*/*.[ch] tests/c/*.[ch]

wheel: $(DEPS)
	rm -rf dist
	$(VPATHS) $(VPYTHON) -m build --no-isolation --outdir dist .
	$(VPYTHON) -m pytest -m slow tests/test_wheel.py $(PYTEST_ARGS)

clean:
	rm -rf .venv .venvs .cache build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .pythons* htmlcov
	rm -f .coverage .coverage.*
	find csrc src tests tools benchmarks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true
