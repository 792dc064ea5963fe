#include "sim/world/world.h"

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

/* Where the world is that is about to end. */
static struct sim_full whereabouts(const struct sim *sim) {
  const struct sim_world *world = sim->world;
  struct sim_full here = {.arena_bytes = sim_arena_bytes(sim->arena), .used_bytes = sim_arena_used_bytes(sim->arena)};
  if (world == NULL) return here;
  here.seed = sim_seed(world);
  here.time_ns = sim_now(world);
  here.event = sim_event_id(world);
  if (world->nodes.running != NULL) here.node = world->nodes.running->number;
  return here;
}

static void root_fatal(struct sim *sim, bool in_node, const char *file, int line, const char *what) {
  const struct sim_full here = whereabouts(sim);
  sim->fatal(sim->fatal_arg, in_node, file, line, what, here.seed, here.time_ns, here.event, here.node);
  abort();
}

static void arena_is_full(void *arg, size_t wanted) {
  const struct sim *sim = arg;
  struct sim_full full = whereabouts(sim);
  full.wanted_bytes = wanted;
  sim->full(sim->full_arg, &full);
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
  *root = (struct sim_root){.sim = sim, .seat = &sim->seat, .sink = &sim->sink, .fatal = root_fatal};
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

void sim_on_full(struct sim *sim, sim_full_fn full, void *arg) {
  sim->full = full;
  sim->full_arg = arg;
  sim_arena_on_full(sim->arena, full == NULL ? NULL : arena_is_full, sim);
}

void sim_fatal(struct sim_world *world, const char *file, int line, const char *what) {
  memory_fatal(&world->ground.memory, false, file, line, what);
}

void sim_set_source(struct sim *sim, const struct sim_choice_source *source) {
  choice_seat_take(&sim->seat, source);
}

void sim_set_trace_marks(struct sim *sim, struct sim_trace_marks *marks) {
  sim->sink.marks = marks;
  sim->sink.mark_due = UINT64_MAX; /* until sim_run looks */
}

void sim_set_trace(struct sim *sim, struct sim_trace_log *log) {
  sim->sink.log = log;
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
  world->events_per_second_max = or_default(config->events_per_second_max, EVENTS_PER_SECOND_MAX);
  const struct memory memory = {sim->arena, heap, sim_arena_base(sim->arena)};
  ground_init(&world->ground, &memory, config->source.seed, config->shuffle);
  network_init(&world->network, &world->ground, &config->link);
  const struct node_options options = {.disk = config->disk,
                                       .wall_start_ns = or_default(config->wall_start_ns, WALL_START_NS),
                                       .calls_per_event_max =
                                           or_default(config->calls_per_event_max, CALLS_PER_EVENT_MAX)};
  nodes_init(&world->nodes, &world->ground, &world->network, world, &options);
  sim_set_source(sim, &config->source);
  sim_set_trace(sim, config->trace);
  sim_set_trace_marks(sim, config->marks);
  sim->world = world;
  return world;
}

uint64_t sim_now(const struct sim_world *world) {
  return ground_now(&world->ground);
}

uint64_t sim_events(const struct sim_world *world) {
  return world->nodes.events;
}

uint64_t sim_events_run(const struct sim_world *world) {
  return world->ground.trace.events_run;
}

uint64_t sim_event_id(const struct sim_world *world) {
  return world->ground.trace.event_id;
}

uint64_t sim_seed(const struct sim_world *world) {
  return world->ground.choices.seed;
}

struct sim_mark sim_mark(const struct sim *sim) {
  struct sim_mark mark = {.source = choice_seat_mark(&sim->seat)};
  if (sim->sink.log != NULL) mark.trace = sim_trace_log_count(sim->sink.log);
  return mark;
}

void sim_rewind(struct sim *sim, struct sim_mark mark) {
  choice_seat_rewind(&sim->seat, mark.source);
  if (sim->sink.log != NULL) sim_trace_log_cut(sim->sink.log, mark.trace);
}
