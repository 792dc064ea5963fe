/* Room `memory`: where everything that a run can change lives.
 * Takes: address space. Gives: an arena with heaps in it and copies of it
 * (arena.h), maps and arrays in a heap, integers mixed and scaled alike on every
 * processor (mix.h), units of time, and the one way to say that an invariant
 * is broken. Knows of nothing above it.
 */
#ifndef SIM_MEMORY_H
#define SIM_MEMORY_H

#include "sim/memory/arena.h"
#include "sim/memory/map.h"
#include "sim/memory/mix.h"
#include "sim/memory/units.h"

struct sim;
struct choice_seat;
struct trace_sink;

/* What a run reaches outside its arena: in the owner's bytes, which neither
 * reset nor restore touches. */
struct sim_root {
  struct sim *sim;
  struct choice_seat *seat; /* who decides: choice room */
  struct trace_sink *sink;  /* where steps are recorded: trace room */
  /* Must not return. in_node: while the code of a node ran. */
  void (*fatal)(struct sim *sim, bool in_node, const char *file, int line, const char *what);
};

/* The heap of the world itself. */
struct memory {
  struct sim_arena *arena;
  struct sim_heap *heap;
  struct sim_root *root;
};

static inline void *memory_alloc(const struct memory *memory, size_t size) {
  return sim_heap_alloc(memory->arena, memory->heap, size);
}
static inline void memory_free(const struct memory *memory, void *block, size_t size) {
  sim_heap_free(memory->arena, memory->heap, block, size);
}
/* Grows an array to hold one more than `count`. false: no memory. */
bool memory_array_grow(const struct memory *memory, void **array, uint32_t *capacity, uint32_t count,
                       size_t item_bytes);

__attribute__((noreturn)) void memory_fatal(const struct memory *memory, bool in_node, const char *file, int line,
                                            const char *what);
#define MEMORY_ASSERT(memory, cond)                                                                                    \
  do {                                                                                                                 \
    if (!(cond)) memory_fatal((memory), false, __FILE__, __LINE__, #cond);                                             \
  } while (0)

#endif
