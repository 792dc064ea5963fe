#include "sim/world.h"

#include "sim/trace_record.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t sim_hash_bytes(const void *bytes, size_t size) {
  return XXH3_64bits(bytes, size);
}

/* One step is one fold: its fields are summed under odd multipliers first, so
 * that the long chain of the hash is only one multiplication per step. */
static const uint64_t FIELD_FACTORS[SIM_STEP_FIELDS_MAX] = {
    UINT64_C(0xbf58476d1ce4e5b9), UINT64_C(0x94d049bb133111eb), UINT64_C(0xd6e8feb86659fd93),
    UINT64_C(0xe7037ed1a0b428db), UINT64_C(0x8ebc6af09c88c6e3), UINT64_C(0x589965cc75374cc3),
    UINT64_C(0x1d8e4e27c47d124f),
};

void sim_trace(struct sim_world *world, enum sim_subsystem subsystem, enum sim_step step, uint32_t node,
               const uint64_t *fields, size_t count) {
  SIM_ASSERT(world, count <= SIM_STEP_FIELDS_MAX);
  uint64_t sum = (uint64_t)node << 32 | (uint64_t)step << 8 | count;
  sum += world->event_id * UINT64_C(0x9e3779b97f4a7c15) + world->now_ns * UINT64_C(0xa0761d6478bd642f);
  for (size_t i = 0; i < count; i++) {
    uint64_t field = fields[i];
    sum += (field ^ field >> 31) * FIELD_FACTORS[i];
  }
  uint64_t hash = sim_hash_fold(world->chains[subsystem], sum);
  world->chains[subsystem] = hash;
  struct sim_trace_log *log = world_sim(world)->trace;
  if (log == NULL) return;
  struct sim_trace_record record = {.time_ns = world->now_ns,
                                    .event = world->event_id,
                                    .cause = world->event_cause,
                                    .hash = hash,
                                    .node = node,
                                    .step = (uint16_t)step,
                                    .subsystem = (uint8_t)subsystem,
                                    .count = (uint8_t)count};
  for (size_t i = 0; i < count; i++)
    record.fields[i] = fields[i];
  SIM_ASSERT(world, sim_trace_log_append(log, &record));
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
