/* Messages per second of an echo world: every message is answered with
 * another; beside it, in turns and so on the same machine, a bare binary heap
 * that holds as many entries of the timeline's shape: the least that an event
 * could cost. Usage: echo [nodes] [messages]. */
#include "sim/sim.h"
#include "sim/ground/timeline.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAYLOAD_BYTES 64u
#define IN_FLIGHT 10u
#define DELAY_MIN_NS SIM_MS
#define DELAY_MAX_NS (20 * SIM_MS)
#define ROUNDS 21u

struct echo_config {
  uint32_t nodes;
};

static void *echo_boot(struct sim_node *node, const void *argument) {
  const struct echo_config *config = argument;
  const struct sync_env *env = sim_node_env(node);
  uint64_t *count = env->ops->alloc(env->ctx, sizeof *count, 8);
  if (count == NULL) return NULL;
  *count = 0;
  uint8_t bytes[PAYLOAD_BYTES] = {(uint8_t)sim_node_number(node)};
  for (uint32_t i = 0; i < IN_FLIGHT; i++) {
    uint32_t to = (sim_node_number(node) + i) % config->nodes + 1;
    sim_send(node, to, bytes, sizeof bytes);
  }
  return count;
}

static void echo_message(struct sim_node *node, void *state, uint32_t from, const uint8_t *bytes, size_t size) {
  uint64_t *count = state;
  ++*count;
  sim_send(node, from, bytes, size);
}

static void echo_timer(struct sim_node *node, void *state, uint32_t timer) {
  (void)node, (void)state, (void)timer;
}

static void echo_disk_done(struct sim_node *node, void *state, uint64_t token, int result) {
  (void)node, (void)state, (void)token, (void)result;
}

static void echo_stop(struct sim_node *node, void *state) {
  const struct sync_env *env = sim_node_env(node);
  env->ops->free(env->ctx, state, sizeof(uint64_t), 8);
}

static const struct sim_node_kind echo_kind = {.name = "echo",
                                               .boot = echo_boot,
                                               .message = echo_message,
                                               .timer = echo_timer,
                                               .disk_done = echo_disk_done,
                                               .stop = echo_stop};

static uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (uint64_t)time.tv_sec * SIM_SECOND + (uint64_t)time.tv_nsec;
}

/* --- The heap ------------------------------------------------------------------- */

#define DELAYS 65536u /* drawn beforehand: a heap has no chance in it */

struct bare_heap {
  uint32_t count;
  uint64_t seq;
  uint64_t delays[DELAYS];
  struct timeline_entry entries[SIM_NODES_MAX * IN_FLIGHT];
};

static bool before(const struct timeline_entry *a, const struct timeline_entry *b) {
  if (a->time_ns != b->time_ns) return a->time_ns < b->time_ns;
  if (a->tie != b->tie) return a->tie < b->tie;
  return a->seq < b->seq;
}

static void bare_push(struct bare_heap *heap, struct timeline_entry entry) {
  uint32_t at = heap->count++;
  for (; at > 0 && before(&entry, &heap->entries[(at - 1) / 2]); at = (at - 1) / 2) {
    heap->entries[at] = heap->entries[(at - 1) / 2];
  }
  heap->entries[at] = entry;
}

static struct timeline_entry bare_pop(struct bare_heap *heap) {
  const struct timeline_entry first = heap->entries[0];
  const struct timeline_entry last = heap->entries[--heap->count];
  uint32_t hole = 0;
  for (uint32_t child; (child = 2 * hole + 1) < heap->count; hole = child) {
    if (child + 1 < heap->count && before(&heap->entries[child + 1], &heap->entries[child])) child++;
    if (!before(&heap->entries[child], &last)) break;
    heap->entries[hole] = heap->entries[child];
  }
  heap->entries[hole] = last;
  return first;
}

/* An entry whose time comes is pushed again, one delay of the world's link later. */
static void bare_again(struct bare_heap *heap, struct timeline_entry entry) {
  const uint64_t delay = heap->delays[heap->seq % DELAYS];
  entry.seq = ++heap->seq;
  entry.time_ns += delay;
  entry.tie = (uint32_t)(delay * UINT64_C(2654435761));
  bare_push(heap, entry);
}

static struct bare_heap *bare_heap_of(uint32_t pending) {
  struct bare_heap *heap = calloc(1, sizeof *heap);
  if (heap == NULL) exit(1);
  for (uint32_t i = 0; i < DELAYS; i++) {
    heap->delays[i] = DELAY_MIN_NS + sim_hash_fold(1, i) % (DELAY_MAX_NS - DELAY_MIN_NS + 1);
  }
  for (uint32_t i = 0; i < pending; i++) {
    bare_again(heap, (struct timeline_entry){.slot = i});
  }
  return heap;
}

static uint64_t bare_run(struct bare_heap *heap, uint64_t times) {
  const uint64_t begin = now_ns();
  for (uint64_t i = 0; i < times; i++) {
    bare_again(heap, bare_pop(heap));
  }
  return now_ns() - begin;
}

/* --- Both ------------------------------------------------------------------------ */

static int by_value(const void *a, const void *b) {
  const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

static void measure(struct sim *sim, uint32_t nodes, uint64_t messages) {
  struct sim_config config = {.source = {.seed = 1},
                              .link = {.delay_min_ns = DELAY_MIN_NS, .delay_max_ns = DELAY_MAX_NS},
                              .events_per_second_max = UINT64_MAX};
  struct sim_world *world = sim_world_begin(sim, &config);
  if (world == NULL) exit(1);
  struct echo_config echo = {nodes};
  for (uint32_t i = 0; i < nodes; i++) {
    uint32_t number = sim_node_add(world, &echo_kind, &echo, sizeof echo);
    if (number == 0 || !sim_node_boot(world, number)) exit(1);
  }
  struct bare_heap *heap = bare_heap_of(nodes * IN_FLIGHT);
  const uint64_t part = messages < ROUNDS ? 1 : messages / ROUNDS;
  uint64_t spent = 0, bare = 0, ratios[ROUNDS];
  for (uint32_t round = 0; round < ROUNDS; round++) {
    const uint64_t begin = now_ns();
    (void)sim_run(sim, UINT64_MAX, part);
    const uint64_t world_ns = now_ns() - begin;
    const uint64_t bare_ns = bare_run(heap, part) + 1;
    spent += world_ns;
    bare += bare_ns;
    ratios[round] = world_ns * 100 / bare_ns;
  }
  messages = part * ROUNDS;
  qsort(ratios, ROUNDS, sizeof ratios[0], by_value);
  const uint64_t ratio = ratios[ROUNDS / 2];
  printf("echo %4" PRIu32 " nodes: %" PRIu64 " thousand messages/s, %" PRIu64
         " ns each, arena %zu KiB, hash %016" PRIx64 "\n",
         nodes, messages * 1000000 / (spent == 0 ? 1 : spent), spent / messages,
         sim_arena_used_bytes(sim_arena(sim)) / 1024, sim_trace_hash(world));
  printf("     bare binary heap of %" PRIu32 ": %" PRIu64 " thousand pops and pushes/s, %" PRIu64
         " ns each (%016" PRIx64 "); the world takes %" PRIu64 ".%02" PRIu64 " times as long\n",
         heap->count, messages * 1000000 / bare, bare / messages, heap->entries[0].time_ns, ratio / 100, ratio % 100);
  free(heap);
}

int main(int argc, char **argv) {
  struct sim *sim = sim_open(NULL);
  if (sim == NULL) return 1;
  uint64_t messages = argc > 2 ? strtoull(argv[2], NULL, 10) : 5000000;
  if (argc > 1) {
    const unsigned long nodes = strtoul(argv[1], NULL, 10);
    if (nodes == 0 || nodes > SIM_NODES_MAX) {
      (void)fprintf(stderr, "usage: echo [NODES (1 to %u)] [MESSAGES]\n", SIM_NODES_MAX);
      return 2;
    }
    measure(sim, (uint32_t)nodes, messages);
  } else {
    static const uint32_t nodes[] = {3, 10, 100, 1000};
    for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++)
      measure(sim, nodes[i], messages);
  }
  sim_close(sim);
  return 0;
}
