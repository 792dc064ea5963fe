#include "sim/memory/heap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BIN_SEARCH_MAX 16u

void arena_broken(const char *file, int line, const char *what) {
  fprintf(stderr, "%s:%d: assertion failed in the arena: %s\n", file, line, what);
  abort();
}

struct sim_arena *sim_arena_open(uint64_t reserve_bytes, uintptr_t base, unsigned fill) {
  if (reserve_bytes == 0) reserve_bytes = sizeof(void *) >= 8 ? UINT64_C(1) << 30 : UINT64_C(1) << 28;
  reserve_bytes &= ~(uint64_t)(SPAN_UNIT_BYTES - 1);
  if (reserve_bytes < 16 * SPAN_UNIT_BYTES || reserve_bytes > SIZE_MAX / 2) return NULL;
  if (reserve_bytes / SPAN_UNIT_BYTES > UINT32_MAX / 2) return NULL;
  struct sim_arena *arena = calloc(1, sizeof *arena);
  if (arena == NULL) return NULL;
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
#ifdef MAP_FIXED_NOREPLACE
  if (base != 0) flags |= MAP_FIXED_NOREPLACE;
#endif
  void *mapping = mmap((void *)base, (size_t)reserve_bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (mapping == MAP_FAILED || (base != 0 && (uintptr_t)mapping != base)) {
    if (mapping != MAP_FAILED) munmap(mapping, (size_t)reserve_bytes);
    free(arena);
    return NULL;
  }
  arena->base = mapping;
  arena->reserve_bytes = (size_t)reserve_bytes;
  arena->unit_count = (uint32_t)(reserve_bytes / SPAN_UNIT_BYTES);
  arena->fill = fill;
  arena->valgrind = sim_under_valgrind();
  memset(arena->base, 0, SIM_ARENA_OWNER_BYTES);
  arena_state(arena)->top = 0;
  sim_arena_reset(arena);
  return arena;
}

void sim_arena_close(struct sim_arena *arena) {
  if (arena == NULL) return;
  /* The address space may be handed out again: leave no poison behind. */
  sim_memory_unpoison(arena->base, arena->peak_bytes + SPAN_UNIT_BYTES);
  munmap(arena->base, arena->reserve_bytes);
  free(arena);
}

void sim_arena_reset(struct sim_arena *arena) {
  struct arena_state *state = arena_state(arena);
  size_t used = (size_t)state->top * SPAN_UNIT_BYTES;
  if (used > SPAN_UNIT_BYTES) sim_memory_poison(arena->base + SPAN_UNIT_BYTES, used - SPAN_UNIT_BYTES);
  memset(state, 0, sizeof *state);
  state->top = 1;
}

void *sim_arena_base(const struct sim_arena *arena) {
  return arena->base;
}

void sim_arena_on_full(struct sim_arena *arena, void (*full)(void *arg, size_t wanted), void *arg) {
  arena->full = full;
  arena->full_arg = arg;
}

void *arena_full(const struct sim_arena *arena, size_t wanted) {
  if (arena->full != NULL) arena->full(arena->full_arg, wanted);
  return NULL;
}

size_t sim_arena_bytes(const struct sim_arena *arena) {
  return arena->reserve_bytes;
}

size_t sim_arena_used_bytes(const struct sim_arena *arena) {
  return (size_t)arena_state(arena)->top * SPAN_UNIT_BYTES;
}

size_t sim_arena_peak_bytes(const struct sim_arena *arena) {
  return arena->peak_bytes;
}

/* --- Spans --- */

static uint32_t bin_of(uint32_t units) {
  uint32_t bin = 0;
  while (units > 1 && bin + 1 < SPAN_BINS) {
    units >>= 1;
    bin++;
  }
  return bin;
}

void span_link(struct sim_arena *arena, uint32_t *head, struct span *span) {
  span->prev = 0;
  span->next = *head;
  *head = span_unit(arena, span);
  if (span->next != 0) span_at(arena, span->next)->prev = *head;
}

void span_unlink(struct sim_arena *arena, uint32_t *head, struct span *span) {
  if (span->prev != 0) {
    span_at(arena, span->prev)->next = span->next;
  } else {
    HEAP_ASSERT(*head == span_unit(arena, span));
    *head = span->next;
  }
  if (span->next != 0) span_at(arena, span->next)->prev = span->prev;
}

static void tell_neighbour_above(struct sim_arena *arena, const struct span *span) {
  struct arena_state *state = arena_state(arena);
  uint32_t above = span_unit(arena, span) + span->units;
  if (above == state->top) {
    state->last_units = span->units;
  } else {
    span_at(arena, above)->prev_units = span->units;
  }
}

/* Cuts what is above `units` off a span that is in no list, and keeps it. */
static void span_trim(struct sim_arena *arena, struct span *span, uint32_t units) {
  uint32_t rest = span->units - units;
  if (rest == 0) return;
  struct span *upper = span_at(arena, span_unit(arena, span) + units);
  sim_memory_unpoison(upper, SPAN_HEADER_BYTES);
  upper->units = rest;
  upper->prev_units = units;
  upper->state = SPAN_FREE;
  span->units = units;
  tell_neighbour_above(arena, upper);
  span_link(arena, &arena_state(arena)->bins[bin_of(rest)], upper);
}

static struct span *take_from_bins(struct sim_arena *arena, uint32_t units) {
  struct arena_state *state = arena_state(arena);
  for (uint32_t bin = bin_of(units); bin < SPAN_BINS; bin++) {
    struct span *best = NULL; /* the least that fits, and of these the lowest: what is high is given back */
    uint32_t unit = state->bins[bin];
    for (uint32_t tries = 0; unit != 0 && tries < BIN_SEARCH_MAX; tries++) {
      struct span *span = span_at(arena, unit);
      unit = span->next;
      if (span->units < units) continue;
      if (best == NULL || span->units < best->units || (span->units == best->units && span < best)) best = span;
    }
    if (best != NULL) {
      span_unlink(arena, &state->bins[bin], best);
      span_trim(arena, best, units);
      return best;
    }
  }
  return NULL;
}

struct span *span_take(struct sim_arena *arena, uint32_t units) {
  struct arena_state *state = arena_state(arena);
  struct span *span = take_from_bins(arena, units);
  if (span == NULL) {
    if (units > arena->unit_count - state->top) return arena_full(arena, (size_t)units * SPAN_UNIT_BYTES);
    span = span_at(arena, state->top);
    sim_memory_unpoison(span, SPAN_HEADER_BYTES);
    span->units = units;
    span->prev_units = state->last_units;
    state->top += units;
    state->last_units = units;
    size_t used = sim_arena_used_bytes(arena);
    if (used > arena->peak_bytes) arena->peak_bytes = used;
  }
  span->state = SPAN_USED;
  sim_memory_poison((unsigned char *)span + SPAN_HEADER_BYTES, (size_t)units * SPAN_UNIT_BYTES - SPAN_HEADER_BYTES);
  return span;
}

void span_give(struct sim_arena *arena, struct span *span) {
  struct arena_state *state = arena_state(arena);
  HEAP_ASSERT(span->state == SPAN_USED);
  sim_memory_poison((unsigned char *)span + SPAN_HEADER_BYTES,
                    (size_t)span->units * SPAN_UNIT_BYTES - SPAN_HEADER_BYTES);
  uint32_t above = span_unit(arena, span) + span->units;
  if (above != state->top) {
    struct span *next = span_at(arena, above);
    if (next->state == SPAN_FREE) {
      span_unlink(arena, &state->bins[bin_of(next->units)], next);
      span->units += next->units;
    }
  }
  if (span->prev_units != 0) {
    struct span *below = span_at(arena, span_unit(arena, span) - span->prev_units);
    if (below->state == SPAN_FREE) {
      span_unlink(arena, &state->bins[bin_of(below->units)], below);
      below->units += span->units;
      span = below;
    }
  }
  span->state = SPAN_FREE;
  if (span_unit(arena, span) + span->units == state->top) {
    state->top -= span->units;
    state->last_units = span->prev_units;
    return;
  }
  tell_neighbour_above(arena, span);
  span_link(arena, &state->bins[bin_of(span->units)], span);
}
