/* Checkpoint and restore of a world beside a memcpy of the same bytes.
 * Usage: checkpoint [KiB ...]. */
#include "sim/sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 200u

static uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * SIM_SECOND + (uint64_t)time.tv_nsec;
}

/* The best of many: noise only ever adds. */
static uint64_t least(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}

static void measure(size_t kib) {
  struct sim_arena *arena = sim_arena_open(0, 0, SIM_FILL_NONE);
  struct sim_heap *heap = arena == NULL ? NULL : sim_heap_create(arena);
  struct sim_checkpoint *checkpoint = sim_checkpoint_create();
  if (heap == NULL || checkpoint == NULL) exit(1);
  while (sim_arena_used_bytes(arena) < kib * 1024) {
    void *block = sim_heap_alloc(arena, heap, 200);
    if (block == NULL) exit(1);
    memset(block, 1, 200);
  }
  size_t size = sim_arena_used_bytes(arena);
  void *copy = malloc(size);
  if (copy == NULL) exit(1);
  uint64_t save = UINT64_MAX, restore = UINT64_MAX, plain = UINT64_MAX;
  for (uint32_t i = 0; i < ROUNDS; i++) {
    uint64_t begin = now_ns();
    if (!sim_checkpoint_save(checkpoint, arena)) exit(1);
    uint64_t saved = now_ns();
    sim_checkpoint_restore(checkpoint, arena);
    uint64_t restored = now_ns();
    memcpy(copy, sim_arena_base(arena), size);
    uint64_t copied = now_ns();
    save = least(save, saved - begin);
    restore = least(restore, restored - saved);
    plain = least(plain, copied - restored);
  }
  printf("checkpoint %6zu KiB: save %" PRIu64 " us, restore %" PRIu64 " us, memcpy %" PRIu64 " us\n", size / 1024,
         save / 1000, restore / 1000, plain / 1000);
  free(copy);
  sim_checkpoint_destroy(checkpoint);
  sim_arena_close(arena);
}

int main(int argc, char **argv) {
  static const size_t sizes[] = {256, 1024, 2048, 16384};
  for (int i = 1; i < argc; i++)
    measure((size_t)strtoul(argv[i], NULL, 10));
  for (size_t i = 0; argc == 1 && i < sizeof sizes / sizeof sizes[0]; i++)
    measure(sizes[i]);
  return 0;
}
