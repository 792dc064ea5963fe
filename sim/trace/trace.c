#include "sim/world/world.h"

#include "sim/trace/trace_record.h"

#define NAME_BYTES_MAX 1000u
#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t sim_hash_bytes(const void *bytes, size_t size) {
  return XXH3_64bits(bytes, size);
}

/* Apart, so that the common case without a recording stays small. */
__attribute__((noinline)) static void record_step(struct sim_world *world, struct sim_trace_log *log, uint64_t before,
                                                  enum sim_subsystem subsystem, enum sim_step step, uint32_t node,
                                                  const uint64_t *fields, size_t count) {
  if (world->events_run < log->window_first || world->events_run > log->window_last) return;
  const struct trace_step now = {.event = world->event_id,
                                 .cause = world->event_cause,
                                 .time_ns = world->now_ns,
                                 .before = before,
                                 .after = world->chains[subsystem],
                                 .fields = fields,
                                 .node = node,
                                 .step = (uint32_t)step,
                                 .subsystem = (uint32_t)subsystem,
                                 .count = (uint32_t)count};
  SIM_ASSERT(world, sim_trace_log_append(log, &now));
}

void sim_trace(struct sim_world *world, enum sim_subsystem subsystem, enum sim_step step, uint32_t node,
               const uint64_t *fields, size_t count) {
  SIM_ASSERT(world, count <= SIM_STEP_FIELDS_MAX);
  uint64_t before = world->chains[subsystem];
  world->chains[subsystem] = trace_fold(before, world->event_id, world->now_ns, node, (uint32_t)step, fields, count);
  struct sim_trace_log *log = world_sim(world)->trace;
  if (log != NULL) record_step(world, log, before, subsystem, step, node, fields, count);
}

bool sim_trace_recording(const struct sim_world *world) {
  return world_sim(world)->trace != NULL;
}

void sim_trace_name(struct sim_world *world, enum sim_name_kind kind, uint32_t scope, uint64_t value,
                    const char *text) {
  struct sim_trace_log *log = world_sim(world)->trace;
  if (log == NULL || text == NULL) return;
  size_t length = strlen(text);
  /* Without memory the number stays a number. */
  (void)trace_names_add(&log->names, (uint8_t)kind, scope, value, text,
                        length < NAME_BYTES_MAX ? length : NAME_BYTES_MAX);
}

uint64_t sim_trace_hash_of(const struct sim_world *world, enum sim_subsystem subsystem) {
  return world->chains[subsystem];
}

uint64_t sim_trace_hash(const struct sim_world *world) {
  uint64_t hash = SIM_SUB_COUNT;
  for (int i = 0; i < SIM_SUB_COUNT; i++)
    hash = sim_hash_fold(hash, world->chains[i]);
  return sim_hash_fold(hash, world->now_ns);
}
