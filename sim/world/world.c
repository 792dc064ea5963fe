#include "sim/node/node.h"

#include "sim/memory/mix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WALL_START_NS (UINT64_C(1704067200) * SIM_SECOND) /* 2024-01-01T00:00:00Z */
#define CALLS_PER_EVENT_MAX UINT64_C(10000000)
#define EVENTS_PER_SECOND_MAX UINT64_C(10000000)

_Static_assert(sizeof(struct sim_root) <= SIM_ARENA_OWNER_BYTES, "the root fits in the owner's bytes");

static void default_fatal(void *arg, bool in_node, const char *file, int line, const char *what, uint64_t seed,
                          uint64_t time_ns, uint64_t event, uint32_t node) {
  (void)arg;
  fprintf(stderr, "%s:%d: broken invariant in %s: %s (seed %llu, time %llu ns, event %llu, node %u)\n", file, line,
          in_node ? "a node" : "the simulator", what, (unsigned long long)seed, (unsigned long long)time_ns,
          (unsigned long long)event, node);
  abort();
}

struct sim *sim_open(const struct sim_options *options) {
  struct sim *sim = calloc(1, sizeof *sim);
  if (sim == NULL) return NULL;
  static const struct sim_options defaults = {.fill = SIM_FILL_NONE};
  if (options == NULL) options = &defaults;
  sim->arena = sim_arena_open(options->arena_bytes, options->arena_base, options->fill);
  if (sim->arena == NULL) {
    free(sim);
    return NULL;
  }
  struct sim_root *root = sim_arena_base(sim->arena);
  root->sim = sim;
  sim->fatal = default_fatal;
  return sim;
}

void sim_close(struct sim *sim) {
  if (sim == NULL) return;
  sim_arena_close(sim->arena);
  free(sim);
}

struct sim_arena *sim_arena(struct sim *sim) {
  return sim->arena;
}

struct sim_world *sim_world(struct sim *sim) {
  return sim->world;
}

void sim_on_fatal(struct sim *sim, sim_fatal_fn fatal, void *arg) {
  sim->fatal = fatal == NULL ? default_fatal : fatal;
  sim->fatal_arg = arg;
}

void world_fatal(struct sim_world *world, bool in_node, const char *file, int line, const char *what) {
  struct sim *sim = world_sim(world);
  uint32_t node = world->running == NULL ? 0 : world->running->number;
  sim->fatal(sim->fatal_arg, in_node, file, line, what, world->seed, world->now_ns, world->event_id, node);
  abort();
}

void sim_fatal(struct sim_world *world, const char *file, int line, const char *what) {
  world_fatal(world, false, file, line, what);
}

void sim_set_trace_marks(struct sim *sim, struct sim_trace_marks *marks) {
  sim->marks = marks;
  sim->mark_due = SIM_TIME_NEVER; /* until sim_run looks */
}

void sim_set_trace(struct sim *sim, struct sim_trace_log *log) {
  sim->trace = log;
}

static uint64_t or_default(uint64_t value, uint64_t otherwise) {
  return value == 0 ? otherwise : value;
}

struct sim_world *sim_world_begin(struct sim *sim, const struct sim_config *config) {
  sim->world = NULL;
  sim_arena_reset(sim->arena);
  struct sim_heap *heap = sim_heap_create(sim->arena);
  if (heap == NULL) return NULL;
  struct sim_world *world = sim_heap_alloc(sim->arena, heap, sizeof *world);
  if (world == NULL) return NULL;
  memset(world, 0, sizeof *world);
  world->root = sim_arena_base(sim->arena);
  world->arena = sim->arena;
  world->heap = heap;
  world->disk = config->disk;
  world->seed = config->source.seed;
  world->shuffle = config->shuffle;
  world->wall_start_ns = or_default(config->wall_start_ns, WALL_START_NS);
  world->calls_per_event_max = or_default(config->calls_per_event_max, CALLS_PER_EVENT_MAX);
  world->events_per_second_max = or_default(config->events_per_second_max, EVENTS_PER_SECOND_MAX);
  timeline_init(&world->timeline);
  network_init(world, &config->link);
  sim_set_source(sim, &config->source);
  sim->trace = config->trace;
  sim_set_trace_marks(sim, config->marks);
  sim->world = world;
  return world;
}

bool sim_array_grow(struct sim_world *world, void **array, uint32_t *capacity, uint32_t count, size_t item_bytes) {
  if (count < *capacity) return true;
  uint32_t wanted = *capacity == 0 ? 8 : *capacity * 2;
  void *grown = sim_heap_alloc(world->arena, world->heap, wanted * item_bytes);
  if (grown == NULL) return false;
  if (count > 0) memcpy(grown, *array, count * item_bytes);
  if (*capacity > 0) sim_heap_free(world->arena, world->heap, *array, *capacity * item_bytes);
  *array = grown;
  *capacity = wanted;
  return true;
}

void *sim_alloc(struct sim_world *world, size_t size) {
  return sim_heap_alloc(world->arena, world->heap, size);
}

void sim_free(struct sim_world *world, void *block, size_t size) {
  sim_heap_free(world->arena, world->heap, block, size);
}

uint64_t sim_now(const struct sim_world *world) {
  return world->now_ns;
}

uint64_t sim_events(const struct sim_world *world) {
  return world->node_events;
}

uint64_t sim_events_run(const struct sim_world *world) {
  return world->events_run;
}

uint64_t sim_event_id(const struct sim_world *world) {
  return world->event_id;
}

uint64_t sim_seed(const struct sim_world *world) {
  return world->seed;
}

/* --- Events --- */

uint32_t world_tie(struct sim_world *world, uint32_t node, uint64_t identity) {
  if (!world->shuffle) return 0;
  return (uint32_t)sim_pick(world, sim_tag(SIM_CHOICE_TIE, node, identity), UINT64_C(1) << 32);
}

uint32_t world_event(struct sim_world *world, enum sim_event_kind kind, uint32_t node) {
  uint32_t slot = timeline_slot(&world->timeline, world->arena, world->heap);
  SIM_ASSERT(world, slot != UINT32_MAX);
  struct sim_event *event = timeline_event(&world->timeline, slot);
  *event = (struct sim_event){.cause = world->event_id, .kind = kind, .node = node};
  return slot;
}

uint64_t world_schedule(struct sim_world *world, uint32_t slot, uint64_t time_ns, uint32_t tie) {
  if (time_ns < world->now_ns) time_ns = world->now_ns;
  uint64_t id = timeline_push(&world->timeline, world->arena, world->heap, time_ns, tie, slot);
  SIM_ASSERT(world, id != 0);
  timeline_event(&world->timeline, slot)->id = id;
  return id;
}

void sim_schedule_disk(struct sim_world *world, uint32_t node, uint64_t time_ns, uint64_t id) {
  uint32_t slot = world_event(world, SIM_EVENT_DISK, node);
  struct sim_event *event = timeline_event(&world->timeline, slot);
  event->value = id;
  event->life = sim_node_at(world, node)->lives;
  world_schedule(world, slot, time_ns, world_tie(world, node, sim_mix(time_ns) + id));
}
