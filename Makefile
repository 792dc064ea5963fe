# Builds the engine (core, posix), the simulator (sim, cluster, lua, search,
# reports, cli) and its tests. `make help` lists the targets.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# A variant is one compiler with one set of flags; each has its own folder, so
# that they never mix. `make build/syncsim CC=clang` is a variant of its own.
ifeq ($(origin CC),default)
CC := gcc
endif
OPT ?= -O2
VARIANT ?= $(notdir $(CC))$(OPT)$(if $(SANITIZE),-san)
OUT := build/$(VARIANT)

WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
SANITIZE_FLAGS := $(if $(SANITIZE),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
comma := ,
LUA_CFLAGS := -isystem /usr/include/lua5.4
CFLAGS_ALL := -std=c11 $(OPT) -g $(WARNINGS) -ffp-contract=off -I. $(LUA_CFLAGS) -D_GNU_SOURCE $(SANITIZE_FLAGS) $(CFLAGS)
LDLIBS_ALL := -llua5.4 -ljansson -lm -lpthread $(LDLIBS)

# Lower layers first; each may include only what stands before it (tools/check-deps).
LAYERS := core posix sim cluster lua search reports cli
layer_sources = $(filter-out %/main.c,$(wildcard $(1)/*.c))
layer_objects = $(patsubst %.c,$(OUT)/%.o,$(call layer_sources,$(1)))
ALL_OBJECTS := $(foreach layer,$(LAYERS),$(call layer_objects,$(layer)))
SUPPORT_OBJECTS := $(patsubst %.c,$(OUT)/%.o,$(wildcard tests/support/*.c))

TEST_SOURCES := $(wildcard tests/*/test_*.c)
TESTS := $(patsubst %.c,$(OUT)/%,$(TEST_SOURCES))
BENCHES := $(patsubst %.c,$(OUT)/%,$(wildcard bench/*.c))
EXAMPLES := $(patsubst %.c,$(OUT)/%,$(wildcard examples/*.c))

$(OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

$(OUT)/libsync.a: $(call layer_objects,core)
	@rm -f $@
	$(AR) rcs $@ $^
$(OUT)/liball.a: $(ALL_OBJECTS) $(SUPPORT_OBJECTS)
	@rm -f $@
	$(AR) rcs $@ $^

$(OUT)/syncsim: $(OUT)/cli/main.o $(OUT)/liball.a
	$(CC) $(CFLAGS_ALL) -o $@ $^ $(LDLIBS_ALL)

$(OUT)/tests/%: $(OUT)/tests/%.o $(OUT)/liball.a
	$(CC) $(CFLAGS_ALL) -o $@ $^ -lcmocka $(LDLIBS_ALL)
$(OUT)/bench/%: $(OUT)/bench/%.o $(OUT)/liball.a
	$(CC) $(CFLAGS_ALL) -o $@ $^ $(LDLIBS_ALL)
$(OUT)/examples/%: $(OUT)/examples/%.o $(OUT)/liball.a
	$(CC) $(CFLAGS_ALL) -o $@ $^ $(LDLIBS_ALL)

.PHONY: build/syncsim
build/syncsim: $(OUT)/syncsim ## build the simulator (CC=clang, OPT=-O3, SANITIZE=1)
	@cp -f $< $@.new && mv -f $@.new $@

.PHONY: tests
tests: $(TESTS) ## build every cmocka program of this variant

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-zA-Z\/_-]+:.*## /{printf "  %-22s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.SECONDARY:
-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
