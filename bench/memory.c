/* What the memory of a scenario's world is: bytes by heap, what of them is in
 * use, and the greatest blocks. Usage: memory [SCENARIO [SECONDS]] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lua/scenario.h"
#include "sim/memory/heap.h"
#include "sim/world/world.h"

#define GREAT_BLOCKS 12u

struct memory_account {
  size_t spans;        /* bytes of all its spans */
  size_t freed, fresh; /* of classes: given back, and never handed out */
  size_t greatest[GREAT_BLOCKS];
};

static void note_great(struct memory_account *account, size_t bytes) {
  for (size_t i = 0; i < GREAT_BLOCKS; i++) {
    if (bytes <= account->greatest[i]) continue;
    memmove(&account->greatest[i + 1], &account->greatest[i], (GREAT_BLOCKS - i - 1) * sizeof bytes);
    account->greatest[i] = bytes;
    return;
  }
}

static struct memory_account account_heap(const struct sim_arena *arena, const struct sim_heap *heap) {
  struct memory_account account = {.spans = SPAN_UNIT_BYTES};
  for (uint32_t unit = heap->spans; unit != 0; unit = span_at(arena, unit)->next) {
    size_t bytes = (size_t)span_at(arena, unit)->units * SPAN_UNIT_BYTES;
    account.spans += bytes;
    note_great(&account, bytes);
  }
  for (uint32_t class = 0; class < HEAP_CLASSES; class ++) {
    account.fresh += (size_t)(heap->fresh_end[class] - heap->fresh[class]);
    for (void *block = heap->free_blocks[class]; block != NULL; block = *(void **)block)
      account.freed += sim_heap_class_bytes(class);
  }
  return account;
}

static void print_heap(const char *name, const struct sim_arena *arena, const struct sim_heap *heap) {
  struct memory_account account = account_heap(arena, heap);
  printf("%-8s spans %8zu  asked for %8llu in %5llu blocks  given back %6zu  fresh %6zu  rounding %6zu\n", name,
         account.spans, (unsigned long long)sim_heap_bytes(heap), (unsigned long long)sim_heap_blocks(heap),
         account.freed, account.fresh, account.spans - (size_t)sim_heap_bytes(heap) - account.freed - account.fresh);
  printf("         greatest spans");
  for (size_t i = 0; i < GREAT_BLOCKS && account.greatest[i] > 0; i++)
    printf(" %zu", account.greatest[i]);
  printf("\n");
}

int main(int argc, char **argv) {
  const char *path = argc > 1 ? argv[1] : "bench/standard.lua";
  uint64_t seconds = argc > 2 ? strtoull(argv[2], NULL, 10) : 59;
  struct sim *sim = sim_open(NULL);
  struct scenario_file *file = scenario_file_read(path);
  if (sim == NULL || file == NULL) return 1;
  struct scenario_options options = {.source = {.seed = 1}, .until_ns = seconds * SIM_SECOND};
  struct scenario_result result;
  scenario_run(sim, file, &options, &result);
  const struct sim_arena *arena = sim_arena(sim);
  struct sim_world *world = sim_world(sim);
  size_t free_bytes = 0;
  for (uint32_t unit = 1; unit < arena_state(arena)->top; unit += span_at(arena, unit)->units)
    if (span_at(arena, unit)->state == SPAN_FREE) free_bytes += (size_t)span_at(arena, unit)->units * SPAN_UNIT_BYTES;
  printf("%s at %llu s: %zu bytes, of them %zu in free spans; peak %zu\n", path, (unsigned long long)seconds,
         sim_arena_used_bytes(arena), free_bytes, sim_arena_peak_bytes(arena));
  print_heap("world", arena, world->ground.memory.heap);
  for (uint32_t number = 1; number <= sim_node_count(world); number++) {
    const struct sim_node *node = sim_node_at(world, number);
    char name[16];
    (void)snprintf(name, sizeof name, "node %u", number);
    if (node->heap != NULL) print_heap(name, arena, node->heap);
    printf("         on disk %llu bytes (in the world's heap)\n",
           (unsigned long long)sim_disk_used_bytes(sim_node_disk(sim_node_at(world, number))));
  }
  scenario_file_free(file);
  sim_close(sim);
  return 0;
}
