/* Memory errors planted in an arena: sanitizers (or valgrind, for reads of
 * uninitialised memory) must report each. An arena blinds them unless it tells
 * them of its blocks. usage: arena BUG; tests/canaries/arena.sh expects. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "sim/memory/arena.h"

#define SIZE 24u

struct world {
  struct sim_arena *arena;
  struct sim_heap *heap;
  volatile uint8_t *block, *neighbour;
};

static uint8_t touch(const volatile uint8_t *byte) {
  return *byte;
}

/* A branch on the byte: what valgrind reports. */
static int plant(struct world *world, const char *bug) {
  if (strcmp(bug, "use_after_free") == 0) {
    sim_heap_free(world->arena, world->heap, (void *)(uintptr_t)world->block, SIZE);
    return touch(world->block);
  }
  if (strcmp(bug, "overflow") == 0) return touch(world->block + SIZE);
  if (strcmp(bug, "underflow") == 0) return touch(world->block - 1);
  if (strcmp(bug, "use_after_drop") == 0) {
    sim_heap_drop(world->arena, world->heap);
    return touch(world->block);
  }
  if (strcmp(bug, "use_after_reset") == 0) {
    sim_arena_reset(world->arena);
    return touch(world->block);
  }
  if (strcmp(bug, "uninitialised") == 0) {
    if (touch(world->block) == 7) (void)puts("seven");
    return 0;
  }
  if (strcmp(bug, "none") == 0) {
    for (unsigned i = 0; i < SIZE; i++)
      world->block[i] = (uint8_t)i;
    if (touch(world->block + SIZE - 1) == SIZE - 1) (void)puts("clean");
    return 0;
  }
  (void)fprintf(stderr, "no such bug: %s\n", bug);
  return 2;
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  struct world world = {.arena = sim_arena_open(UINT64_C(1) << 24, 0, SIM_FILL_NONE)};
  if (world.arena == NULL) return 2;
  world.heap = sim_heap_create(world.arena);
  struct sim_checkpoint *checkpoint = sim_checkpoint_create();
  if (world.heap == NULL || checkpoint == NULL) return 2;
  world.block = sim_heap_alloc(world.arena, world.heap, SIZE);
  world.neighbour = sim_heap_alloc(world.arena, world.heap, SIZE);
  if (world.block == NULL || world.neighbour == NULL) return 2;

  /* With a second argument the bug strikes after the arena was restored. */
  if (argc > 2) {
    if (!sim_checkpoint_save(checkpoint, world.arena)) return 2;
    if (sim_heap_alloc(world.arena, world.heap, 1000) == NULL) return 2;
    sim_heap_free(world.arena, world.heap, (void *)(uintptr_t)world.block, SIZE);
    sim_checkpoint_restore(checkpoint, world.arena);
  }
  const int status = plant(&world, argv[1]);
  sim_checkpoint_destroy(checkpoint);
  sim_arena_close(world.arena);
  return status == 2 ? 2 : 0;
}
