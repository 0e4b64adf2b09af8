# A thin wrapper: CMake does the work. `make help` lists what there is.
.DEFAULT_GOAL := help
SHELL := /bin/sh
JOBS ?= $(shell nproc)
BUILD := build
SOURCES = $(shell git ls-files --cached --others --exclude-standard '*.c' '*.h')

.PHONY: help run build dev test tsan memcheck oracle deps need-deps bench fuzz format check-format tidy clean install

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

run: build ## build, start three nodes on loopback and say what to try; Ctrl-C stops them
	@tools/run-cluster $(BUILD)/bin

build: need-deps ## optimised programs and libraries; programs in build/bin
	@cmake --preset release >$(BUILD)/cmake-release.log 2>&1 || { cat $(BUILD)/cmake-release.log; exit 1; }
	@cmake --build --preset release --target programs -j $(JOBS)
	@mkdir -p $(BUILD) && ln -sfn release/bin $(BUILD)/bin

dev: need-deps ## debug build with sanitizers, warnings are errors
	@cmake --preset dev >$(BUILD)/cmake-dev.log 2>&1 || { cat $(BUILD)/cmake-dev.log; exit 1; }
	@cmake --build --preset dev -j $(JOBS)

test: dev build ## every test: unit, sim, compat, integration, tidy (sanitizers on)
	@ctest --test-dir $(BUILD)/dev --output-on-failure -j $(JOBS) --no-tests=error
	@cmake --build --preset release --target sim-2000

# Without what looks for faults of logic in one thread, once more, in programs that have them.
tsan: need-deps ## every test under ThreadSanitizer, but for the deliberate faults and tidy
	@cmake --preset tsan >$(BUILD)/cmake-tsan.log 2>&1 || { cat $(BUILD)/cmake-tsan.log; exit 1; }
	@cmake --build --preset tsan -j $(JOBS)
	@ctest --test-dir $(BUILD)/tsan --output-on-failure -j $(JOBS) --no-tests=error -LE 'sabotage|tidy'

memcheck: need-deps ## the unit tests under valgrind
	@cmake --preset memcheck >$(BUILD)/cmake-memcheck.log 2>&1 || { cat $(BUILD)/cmake-memcheck.log; exit 1; }
	@cmake --build --preset memcheck --target memcheck-programs -j $(JOBS)
	@ctest --test-dir $(BUILD)/memcheck -C memcheck -L memcheck --output-on-failure -j $(JOBS) --no-tests=error

oracle: dev ## 2,000 simulated lives of the Raft core on our own engine and on libraft
	@cmake --build --preset dev --target oracle

deps: ## install what is needed (Debian 12 or 13; root or sudo)
	@tools/deps

need-deps:
	@mkdir -p $(BUILD)
	@tools/deps --check >$(BUILD)/deps.log || { cat $(BUILD)/deps.log; tools/deps; }

bench: build ## ours and etcd side by side; prints a table
	@bench/run $(BUILD)/bin

fuzz: need-deps ## every fuzz target for FUZZ_SECONDS (30) each
	@cmake --preset fuzz >$(BUILD)/cmake-fuzz.log 2>&1 || { cat $(BUILD)/cmake-fuzz.log; exit 1; }
	@cmake --build --preset fuzz -j $(JOBS)
	@tools/run-fuzz $(BUILD)/fuzz $${FUZZ_SECONDS:-30}

format: ## clang-format on every source
	@clang-format -i $(SOURCES)

check-format:
	@clang-format --dry-run -Werror $(SOURCES)

tidy: need-deps ## clang-tidy on every source (slow)
	@cmake --preset dev >$(BUILD)/cmake-dev.log
	@run-clang-tidy -quiet -p $(BUILD)/dev -j $(JOBS) "$(CURDIR)/(lib|server|client)/.*\.c$$"

install: build ## programs, library, headers, man pages to PREFIX (/usr/local)
	@cmake --install $(BUILD)/release --prefix $${PREFIX:-/usr/local}

clean: ## remove build/
	rm -rf $(BUILD)
