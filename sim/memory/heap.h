/* Inside the arena: spans, and the heaps that are made of them. Internal to
 * arena.c, heap.c and checkpoint.c.
 *
 * The mapping is cut into units of 1 KiB. A span is a run of units with a
 * header that knows its neighbours' sizes, so that free spans melt together.
 */
#ifndef SIM_HEAP_H
#define SIM_HEAP_H

#include "sim/memory/arena.h"
#include "sim/memory/memory_check.h"

#define SPAN_UNIT_BYTES 1024u
#define SPAN_HEADER_BYTES 32u
#define SPAN_BINS 24u
#define HEAP_CLASSES 32u
#define HEAP_SMALL_MAX 4096u

enum span_state { SPAN_FREE = 1, SPAN_USED = 2 };

struct span {
  uint32_t units;
  uint32_t prev_units; /* of the span below; 0: none */
  uint32_t state;
  uint32_t next, prev; /* in its bin or heap, as unit numbers; 0: none */
  uint32_t unused[3];
};

/* At unit 0, behind the owner's bytes. */
struct arena_state {
  uint32_t top;        /* first unit above all spans */
  uint32_t last_units; /* of the span that ends at top; 0: none */
  uint32_t bins[SPAN_BINS];
};

struct sim_arena {
  unsigned char *base;
  size_t reserve_bytes;
  uint32_t unit_count;
  unsigned fill;
  bool valgrind;
  size_t peak_bytes;
  void (*full)(void *arg, size_t wanted);
  void *full_arg;
};

struct sim_heap {
  void *free_blocks[HEAP_CLASSES];    /* a freed block begins with the next one's address */
  unsigned char *fresh[HEAP_CLASSES]; /* never handed out yet, up to fresh_end */
  unsigned char *fresh_end[HEAP_CLASSES];
  uint64_t blocks;
  uint64_t bytes;
  uint32_t spans;                /* first of the list */
  uint32_t carved[HEAP_CLASSES]; /* blocks of all spans of the class */
};

/* Of one block of the class. */
size_t sim_heap_class_bytes(uint32_t class);

static inline struct arena_state *arena_state(const struct sim_arena *arena) {
  return (struct arena_state *)(void *)(arena->base + SIM_ARENA_OWNER_BYTES);
}
static inline struct span *span_at(const struct sim_arena *arena, uint32_t unit) {
  return (struct span *)(void *)(arena->base + (size_t)unit * SPAN_UNIT_BYTES);
}
static inline uint32_t span_unit(const struct sim_arena *arena, const struct span *span) {
  return (uint32_t)((size_t)((const unsigned char *)span - arena->base) / SPAN_UNIT_BYTES);
}

/* Tells of it; NULL. */
void *arena_full(const struct sim_arena *arena, size_t wanted);
/* A span of at least `units`, in no list. NULL: used up. */
struct span *span_take(struct sim_arena *arena, uint32_t units);
void span_give(struct sim_arena *arena, struct span *span);
/* A list through next and prev. */
void span_link(struct sim_arena *arena, uint32_t *head, struct span *span);
void span_unlink(struct sim_arena *arena, uint32_t *head, struct span *span);

#define HEAP_ASSERT(cond)                                                                                              \
  do {                                                                                                                 \
    if (!(cond)) arena_broken(__FILE__, __LINE__, #cond);                                                              \
  } while (0)
__attribute__((noreturn)) void arena_broken(const char *file, int line, const char *what);

#endif
