# Builds the engine (core, posix), synctool, the simulator (sim, cluster, lua,
# search, reports, cli) and their tests. `make help` lists the targets.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# A variant is one compiler with one set of flags; each has its own folder, so
# that they never mix. `make build/syncsim CC=clang` is a variant of its own.
ifeq ($(origin CC),default)
CC := gcc
endif
OPT ?= -O2
# SANITIZE=1: address and undefined behaviour.
VARIANT ?= $(notdir $(CC))$(OPT)$(if $(SANITIZE),-san)
OUT := build/$(VARIANT)

comma := ,
WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
SANITIZE_FLAGS := $(if $(SANITIZE),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
LIBRARY_CFLAGS := -isystem /usr/include/lua5.4 -isystem /usr/include/libxml2
# Outside of git, a release builds with compilers that nobody here has seen.
RELEASE := $(if $(wildcard .git),,1)
CFLAGS_ALL := -std=c11 $(OPT) -g $(filter-out $(if $(RELEASE),-Werror),$(WARNINGS)) -ffp-contract=off -I. $(LIBRARY_CFLAGS) -D_GNU_SOURCE $(SANITIZE_FLAGS) $(CFLAGS)
LDLIBS_ALL := -llua5.4 -ljansson -lxml2 -lm -lpthread $(LDLIBS)

# Lower layers first; each may include only what stands before it (tools/check-deps).
LAYERS := core posix sim cluster lua search reports cli
# A room is a folder in a layer's folder.
layer_sources = $(filter-out %/main.c,$(wildcard $(1)/*.c $(1)/*/*.c))
layer_objects = $(patsubst %.c,$(OUT)/%.o,$(call layer_sources,$(1)))
ALL_OBJECTS := $(foreach layer,$(LAYERS),$(call layer_objects,$(layer)))
SUPPORT_OBJECTS := $(patsubst %.c,$(OUT)/%.o,$(wildcard tests/support/*.c))

TEST_SOURCES := $(wildcard tests/*/test_*.c tests/*/*/test_*.c)
TESTS := $(patsubst %.c,$(OUT)/%,$(TEST_SOURCES))
CANARIES := $(patsubst %.c,$(OUT)/%,$(wildcard tests/canaries/*.c))
# Other stores, for bench/stores (bench/receive finds Yjs by itself). `make bench` installs them (packages-bench.txt);
# whoever lacks one builds the other benches, so that no gate needs them.
PEER_HEADERS := $(addprefix /usr/include/,leveldb/c.h lmdb.h sqlite3.h)
PEERS_MISSING := $(filter-out $(wildcard $(PEER_HEADERS)),$(PEER_HEADERS))
BENCHES := $(patsubst %.c,$(OUT)/%,$(filter-out $(if $(PEERS_MISSING),bench/stores.c),$(wildcard bench/*.c)))
EXAMPLES := $(patsubst %.c,$(OUT)/%,$(wildcard examples/*.c)) $(OUT)/examples/syncnote/syncnote

# The engine may not even name what would reach past its environment.
$(OUT)/core/%.o: CFLAGS_ALL += -include core/base/banned.h

# For programs that walk trees, such as backups and `syncsim run .`: made here, and made again.
build/CACHEDIR.TAG:
	@mkdir -p $(@D)
	@printf 'Signature: 8a477f597d28d172789f06886806bc55\n# What make built: https://bford.info/cachedir/\n' >$@
$(OUT)/%.o: %.c | build/CACHEDIR.TAG
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

# Objects of sources that moved or went: the gates over built objects would read them.
STALE_OBJECTS = $(filter-out $(ALL_OBJECTS) %/main.o,$(wildcard $(foreach layer,$(LAYERS),$(OUT)/$(layer)/*.o $(OUT)/$(layer)/*/*.o)))
$(OUT)/liball.a: $(ALL_OBJECTS) $(SUPPORT_OBJECTS)
	@rm -f $@ $(STALE_OBJECTS)
	$(AR) rcs $@ $^
# What other processors have as well: these layers, the C library, Lua and cmocka.
PORTABLE_LAYERS := core sim cluster lua
PORTABLE_LDLIBS ?= -llua5.4 -lm -lpthread
# Sources with a comment `host only: WHY` are left out there.
portable = $(if $(1),$(shell grep -L 'host only: *[^ *]' $(1) /dev/null | grep -v '^/dev/null'))
WORLD_SUPPORT := $(call portable,$(wildcard tests/support/*.c))
$(OUT)/libworld.a: $(foreach layer,$(PORTABLE_LAYERS),$(call layer_objects,$(layer))) \
  $(patsubst %.c,$(OUT)/%.o,$(WORLD_SUPPORT))
	@rm -f $@
	$(AR) rcs $@ $^

$(OUT)/syncsim: $(OUT)/cli/main.o $(OUT)/liball.a
	$(CC) $(CFLAGS_ALL) -o $@ $^ $(LDLIBS_ALL)

# Beside the simulator, and without it: it gets the engine and jansson alone. Not in liball.a, where names of cli/ are; in bin/, for
# the folder of its objects has its name.
$(OUT)/bin/synctool: $(OUT)/synctool/main.o $(call layer_objects,synctool) $(call layer_objects,posix) $(call layer_objects,core)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ -ljansson -lpthread $(LDLIBS)

# Tests of those layers get no more on this machine than on another processor,
# so that what would fail there (tools/check-arches) fails here and at once.
PORTABLE_TESTS := $(patsubst %.c,$(OUT)/%,$(call portable,$(filter $(foreach layer,$(PORTABLE_LAYERS),tests/$(layer)/%),$(TEST_SOURCES))))
$(PORTABLE_TESTS): %: %.o $(OUT)/libworld.a
	$(CC) $(CFLAGS_ALL) -o $@ $^ -lcmocka $(PORTABLE_LDLIBS) || { echo "error: $(@:$(OUT)/%=%.c) runs on other" \
	  "processors too, where only $(PORTABLE_LAYERS), Lua and cmocka are: do without the rest," \
	  "or write the comment 'host only: WHY' into it"; exit 1; } >&2
$(OUT)/tests/%: $(OUT)/tests/%.o $(OUT)/liball.a
	$(CC) $(CFLAGS_ALL) -o $@ $^ -lcmocka $(LDLIBS_ALL)
# Of the engine alone, as the program that it makes directories for.
$(OUT)/tests/synctool/make_store: $(OUT)/tests/synctool/make_store.o $(call layer_objects,posix) $(call layer_objects,core)
	$(CC) $(CFLAGS_ALL) -o $@ $^ -lpthread $(LDLIBS)
# Needs so little that it builds for processors with a C library and Lua only.
HASHES_LDLIBS ?= -llua5.4 -lm
$(OUT)/hashes: $(OUT)/tests/arches/hashes.o $(OUT)/libworld.a
	$(CC) $(CFLAGS_ALL) -o $@ $^ $(HASHES_LDLIBS)
$(OUT)/bench/stores: $(OUT)/bench/stores.o $(patsubst %.c,$(OUT)/%.o,$(wildcard bench/peers/*.c)) $(OUT)/liball.a
	$(CC) $(CFLAGS_ALL) -o $@ $^ $(LDLIBS_ALL) -lleveldb -llmdb -lsqlite3
$(OUT)/bench/%: $(OUT)/bench/%.o $(OUT)/liball.a
	$(CC) $(CFLAGS_ALL) -o $@ $^ $(LDLIBS_ALL)
$(OUT)/examples/%: $(OUT)/examples/%.o $(OUT)/liball.a
	$(CC) $(CFLAGS_ALL) -o $@ $^ $(LDLIBS_ALL)
# Where libuv is not, it is built without it and says so.
$(OUT)/examples/uv_loop: LDLIBS_ALL += $(if $(wildcard /usr/include/uv.h),-luv)
# As a product has it: the engine, the posix environment and nothing else.
$(OUT)/examples/syncnote/syncnote: $(patsubst %.c,$(OUT)/%.o,$(wildcard examples/syncnote/*.c)) \
  $(call layer_objects,posix) $(call layer_objects,core)
	$(CC) $(CFLAGS_ALL) -o $@ $^ -lpthread $(LDLIBS)

# The library is made of the amalgamation, for who builds it into a program of their own gets the same, and what
# is no API is out of reach in libsync.a too.
AMALGAMATION := build/dist/sync.c
LIBRARY := $(OUT)/library
LIBRARY_FLAGS = -std=c11 -pedantic-errors $(OPT) -g $(filter-out $(if $(RELEASE),-Werror),$(WARNINGS)) -ffp-contract=off \
  -fPIC -fvisibility=hidden $(SANITIZE_FLAGS) $(CPPFLAGS) $(CFLAGS)
$(AMALGAMATION): $(foreach layer,core posix,$(wildcard $(layer)/*.[ch] $(layer)/*/*.[ch])) tools/amalgamate tools/version \
  | build/CACHEDIR.TAG
	@CC='$(CC)' tools/amalgamate $(@D)
$(LIBRARY)/sync.o: $(AMALGAMATION)
	@mkdir -p $(@D)
	$(CC) $(LIBRARY_FLAGS) -c $< -o $@
$(LIBRARY)/libsync.a: $(LIBRARY)/sync.o
	@rm -f $@
	$(AR) rcsD $@ $^
$(LIBRARY)/libsync.so: $(LIBRARY)/sync.o
	soname=libsync.so.$$(tools/version --soname) && \
	  $(CC) $(LIBRARY_FLAGS) $(LDFLAGS) -shared -Wl,-soname,$$soname $(if $(SANITIZE),,-Wl,-z,defs) -o $@ $^ -pthread

.PHONY: build/syncsim
build/syncsim: $(OUT)/syncsim ## build the simulator (CC=clang, OPT=-O3, SANITIZE=1)
	@cp -f $< $@.new && mv -f $@.new $@

.PHONY: build/synctool
build/synctool: $(OUT)/bin/synctool ## build the tool that looks into a node's directory, and mends it
	@cp -f $< $@.new && mv -f $@.new $@

.PHONY: build/syncnote
build/syncnote: $(OUT)/examples/syncnote/syncnote ## build the notes of examples/syncnote/
	@cp -f $< $@.new && mv -f $@.new $@

.PHONY: examples
examples: $(EXAMPLES)

.PHONY: tests
tests: $(TESTS) $(CANARIES) $(OUT)/hashes $(OUT)/bin/synctool $(OUT)/tests/synctool/make_store ## build every cmocka program of this variant

# --- The library for others (docs/packaging.md) ------------------------------

.PHONY: library
library: $(LIBRARY)/libsync.a $(LIBRARY)/libsync.so ## build libsync, static and shared, in build/gcc-O2/library

.PHONY: install
install: library ## install libsync, its header, its pkg-config file, its reference (PREFIX=/usr/local, DESTDIR)
	@tools/install $(LIBRARY)

.PHONY: install-tools
install-tools: $(OUT)/bin/synctool ## install synctool and its page (PREFIX=/usr/local, DESTDIR)
	@tools/install --tools $<

.PHONY: uninstall
uninstall: ## remove what install and install-tools put there (PREFIX, DESTDIR)
	@tools/install --remove

.PHONY: dist
dist: $(AMALGAMATION) ## sync.c and sync.h, all in two files, in build/dist, and a tar of them
	@tools/pack-dist $(<D)

.PHONY: deb
deb: ## Debian packages of the library in build/deb, and what lintian says of them
	@tools/setup packages-deb.txt
	@tools/make-deb

# --- What people and CI run ------------------------------------------------

JOBS ?= $(shell nproc)
# Chosen so that `make sim` runs for less than a minute on two cores.
SEEDS ?= 90
TIME ?= 75s
# More options of `syncsim run`, such as --seed-from TEXT.
SUITE_OPTIONS ?=
TEST_OPTIONS ?=
LINT_OPTIONS ?=
MAKE_QUIET := $(MAKE) --no-print-directory -s -j$(JOBS)

.PHONY: setup
setup: ## install the Debian packages that are missing
	@tools/setup

.PHONY: sim
sim: setup ## build, run scenarios/ over many seeds (SEEDS=90), reports in build/reports/
	@$(MAKE_QUIET) build/syncsim
	@mkdir -p build/reports
	@rm -f build/reports/suite.json build/reports/suite.xml
	@build/syncsim run scenarios --known scenarios/known_failures.txt --seeds $(SEEDS) --jobs $(JOBS) --time $(TIME) $(SUITE_OPTIONS) \
	  --json build/reports/suite.json --junit build/reports/suite.xml

# Scenarios that find most planted bugs for their time (tools/choose-smoke); seeds for less than a minute on two cores, also busy ones.
SMOKE_SEEDS ?= 80
.PHONY: smoke
smoke: setup ## for every commit, under a minute: the scenarios with the tag smoke (SMOKE_SEEDS=80)
	@$(MAKE_QUIET) build/syncsim
	@build/syncsim run scenarios --known scenarios/known_failures.txt --tag smoke --seeds $(SMOKE_SEEDS) --jobs $(JOBS) $(SUITE_OPTIONS)

# New seeds each night; the day is said in the report, and gives the same seeds again.
NIGHT ?= $(shell date -u +%F)
NIGHTLY_SEEDS ?= 5000
NIGHTLY_TIME ?= 6h
.PHONY: nightly
nightly: setup ## all scenarios, new seeds each night (NIGHT=YYYY-MM-DD, NIGHTLY_SEEDS=5000, NIGHTLY_TIME=6h)
	@$(MAKE_QUIET) build/syncsim
	@mkdir -p build/reports
	@rm -f build/reports/nightly.json build/reports/nightly.xml
	@build/syncsim run scenarios --known scenarios/known_failures.txt --seed-from 'night of $(NIGHT)' --seeds $(NIGHTLY_SEEDS) --jobs $(JOBS) --time $(NIGHTLY_TIME) $(SUITE_OPTIONS) \
	  --json build/reports/nightly.json --junit build/reports/nightly.xml

.PHONY: test
test: setup ## every test and gate; closes with one line: N passed, N failed
	@tools/run-tests --jobs $(JOBS) $(TEST_OPTIONS)

.PHONY: check-quick
check-quick: setup ## for every commit, under a minute: gcc, clang, -O0, -O3, dirty memory, few seeds
	@tools/check-determinism --quick --jobs $(JOBS)

.PHONY: check-determinism
check-determinism: setup ## 100 seeds of each scenario give the same hashes everywhere
	@tools/check-determinism --jobs $(JOBS)

.PHONY: check-arches
check-arches: ## the same hashes on arm64, i386, s390x, from gcc and clang, -O0 to -O3
	@tools/check-arches --jobs $(JOBS)

.PHONY: check-hashes
check-hashes: $(OUT)/hashes ## runs are as tests/arches/*.hashes say
	@tests/arches/hashes.sh $(OUT)

.PHONY: bless
bless: $(OUT)/hashes ## write tests/arches/*.hashes anew, and show what changed
	@tools/bless $(OUT)

.PHONY: check-planted
check-planted: setup ## each bug of tests/planted/ is found, by the oracle expected
	@$(MAKE_QUIET) build/syncsim
	@tools/check-planted --jobs $(JOBS) --objects $(OUT)

.PHONY: coverage
coverage: setup ## lines and branches of core/ that the scenarios alone reach, and do not (COVERAGE_OPTIONS='--seeds 20')
	@tools/check-coverage --jobs $(JOBS) $(COVERAGE_OPTIONS)

# How many mutants, and which.
N ?= 60
SEED ?= 1
# More options of tools/mutants, such as --both or the id of one.
MUTANT_OPTIONS ?=
.PHONY: mutants
mutants: setup ## small mistakes made in core/ by a program: does the suite find them, do the tests? (N=60 SEED=1)
	@tools/mutants --count $(N) --seed $(SEED) --jobs $(JOBS) $(MUTANT_OPTIONS)

.PHONY: check-scenarios
check-scenarios: setup ## what only this scenario reaches, one by one; branches of core/ that nothing reaches
	@tools/check-scenarios --jobs $(JOBS) --unreached

.PHONY: check-deps
check-deps: ## the direction of every #include
	@tools/check-deps

.PHONY: check-symbols
check-symbols: $(OUT)/liball.a ## nothing that a run may not reach is called
	@tools/check-symbols $(OUT)

.PHONY: check-abi
check-abi: library ## programs that were built with libsync yesterday work with that of today
	@tools/check-abi $(dir $(AMALGAMATION))sync.h $(LIBRARY)

.PHONY: bless-abi
bless-abi: library ## write tests/packaging/libsync.abi anew
	@tools/check-abi --write $(dir $(AMALGAMATION))sync.h $(LIBRARY)

.PHONY: check-statics
check-statics: $(OUT)/liball.a ## no state outside the arena
	@tools/check-statics $(OUT)

.PHONY: man
man: ## the reference of the API as man pages, in build/man/man3: `man -M build/man libsync`
	@tools/man-pages

.PHONY: lint
lint: setup ## clang-format, clang-tidy, cppcheck; luacheck for scenarios
	@tools/lint --jobs $(JOBS) $(LINT_OPTIONS)

.PHONY: bench
bench: setup ## measure speeds
	@tools/setup packages-bench.txt
	@tools/setup-yjs || true
	@tools/run-benches --jobs $(JOBS)

# Lists for the tools, which know no wildcards of their own.
.PHONY: print-tests print-portable-tests print-benches print-peers-missing
print-portable-tests:
	@printf '%s\n' $(PORTABLE_TESTS)
print-tests:
	@printf '%s\n' $(TESTS)
print-benches:
	@printf '%s\n' $(BENCHES)
print-peers-missing:
	@printf '%s' '$(PEERS_MISSING)'
.PHONY: benches
benches: $(BENCHES)

.PHONY: clean
clean: ## remove build/
	rm -rf build

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-zA-Z\/_-]+:.*## /{printf "  %-22s %s\n", $$1, $$2}' Makefile

.SECONDARY:
-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
