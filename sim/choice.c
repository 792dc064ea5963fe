#include "sim/world.h"

#include "sim/mix.h"

#define SALT_IDENTITY UINT64_C(0x9e3779b97f4a7c15)
#define SALT_UNIQUE UINT64_C(0xd1342543de82ef95)

static inline uint64_t draw_mixed(uint64_t mixed_seed, struct sim_tag tag) {
  uint64_t where = (uint64_t)tag.kind << 32 | tag.where;
  uint64_t mixed = sim_mix(mixed_seed ^ where);
  return sim_mix(sim_mix(mixed + tag.identity * SALT_IDENTITY) ^ tag.identity);
}

uint64_t sim_mix_seed(uint64_t seed) {
  return sim_mix(seed + SALT_IDENTITY);
}

uint64_t sim_draw(uint64_t seed, struct sim_tag tag) {
  return draw_mixed(sim_mix_seed(seed), tag);
}

/* The outcome in lo .. lo + n - 1; n = 0 means all 64 bits. */
static inline uint64_t draw_scaled(uint64_t mixed_seed, struct sim_tag tag, uint64_t n) {
  uint64_t bits = draw_mixed(mixed_seed, tag);
  return n == 0 ? bits : sim_scale(bits, n);
}

/* A table may hold an outcome that this edition of the world does not allow. */
static uint64_t clamp(uint64_t value, uint64_t lo, uint64_t hi) {
  if (value < lo) return lo;
  return value > hi ? hi : value;
}

/* `fresh` is what the seed would give. */
static uint64_t decide(struct sim *sim, struct sim_tag tag, uint64_t fresh, uint64_t lo, uint64_t hi) {
  uint64_t outcome;
  if (sim->source.overrides != NULL && sim_choice_table_get(sim->source.overrides, tag, &outcome)) {
    outcome = clamp(outcome, lo, hi);
  } else {
    outcome = sim->source.rest == SIM_REST_CALM ? lo : fresh;
  }
  if (sim->source.record != NULL) {
    SIM_ASSERT(sim->world, sim_choice_table_set(sim->source.record, tag, outcome));
  }
  return outcome;
}

uint32_t sim_chance(struct sim_world *world, struct sim_tag tag, uint32_t ppm) {
  if (ppm == 0) return 0;
  struct sim *sim = world_sim(world);
  uint64_t fresh = sim_scale(draw_mixed(sim->mixed_seed, tag), 1000000) < ppm;
  if (sim->plain_seed) return (uint32_t)fresh;
  return (uint32_t)decide(sim, tag, fresh, 0, 1);
}

uint64_t sim_pick(struct sim_world *world, struct sim_tag tag, uint64_t n) {
  SIM_ASSERT(world, n >= 1);
  struct sim *sim = world_sim(world);
  uint64_t fresh = sim_scale(draw_mixed(sim->mixed_seed, tag), n);
  if (sim->plain_seed) return fresh;
  return decide(sim, tag, fresh, 0, n - 1);
}

uint64_t sim_range(struct sim_world *world, struct sim_tag tag, uint64_t lo, uint64_t hi) {
  SIM_ASSERT(world, lo <= hi);
  struct sim *sim = world_sim(world);
  uint64_t fresh = lo + draw_scaled(sim->mixed_seed, tag, hi - lo + 1);
  if (sim->plain_seed) return fresh;
  return decide(sim, tag, fresh, lo, hi);
}

/* Keys of the counter map: bit 63 tells identities from decisions, bit 62
 * keeps them from being 0. */
static uint64_t next_count(struct sim_world *world, uint64_t kind_bit, uint32_t kind, uint32_t where) {
  SIM_ASSERT(world, kind < (UINT32_C(1) << 30));
  uint64_t key = kind_bit << 63 | UINT64_C(1) << 62 | (uint64_t)kind << 32 | where;
  uint64_t *count = sim_map_at(world, &world->counters, key);
  SIM_ASSERT(world, count != NULL);
  return (*count)++;
}

uint64_t sim_counter(struct sim_world *world, uint32_t kind, uint32_t where) {
  return next_count(world, 0, kind, where);
}

/* A bijection of (kind, where, count) under each seed: no two are equal. */
uint64_t sim_unique(struct sim_world *world, uint32_t kind, uint32_t where) {
  uint64_t seed = world_sim(world)->source.seed;
  SIM_ASSERT(world, kind < 64 && where < (UINT32_C(1) << 26));
  for (;;) {
    uint64_t count = next_count(world, 1, kind, where);
    SIM_ASSERT(world, count <= UINT32_MAX);
    uint64_t packed = (uint64_t)kind << 58 | (uint64_t)where << 32 | count;
    uint64_t value = sim_mix(sim_mix(packed ^ sim_mix(seed + SALT_UNIQUE)) ^ sim_mix(seed ^ SALT_UNIQUE));
    if (value != 0) return value;
  }
}

const char *sim_choice_kind_name(uint32_t kind) {
  switch (kind) {
#define NAME(constant, name)                                                                                           \
  case SIM_CHOICE_##constant:                                                                                          \
    return name;
    NAME(TIE, "tie")
    NAME(NET_DELAY, "net_delay")
    NAME(NET_LOSS, "net_loss")
    NAME(NET_DUPLICATE, "net_duplicate")
    NAME(NET_DUPLICATE_DELAY, "net_duplicate_delay")
    NAME(NET_REORDER, "net_reorder")
    NAME(NET_REORDER_DELAY, "net_reorder_delay")
    NAME(NET_CORRUPT, "net_corrupt")
    NAME(NET_CORRUPT_BIT, "net_corrupt_bit")
    NAME(NET_TRUNCATE, "net_truncate")
    NAME(NET_TRUNCATE_SIZE, "net_truncate_size")
    NAME(NET_SLOW, "net_slow")
    NAME(NET_SLOW_DELAY, "net_slow_delay")
    NAME(NET_BURST, "net_burst")
    NAME(NET_CLOG, "net_clog")
    NAME(NET_CLOG_TIME, "net_clog_time")
    NAME(DISK_FSYNC_DELAY, "disk_fsync_delay")
    NAME(DISK_STYLE, "disk_style")
    NAME(DISK_PREFIX, "disk_prefix")
    NAME(DISK_TORN, "disk_torn")
    NAME(DISK_SECTOR, "disk_sector")
    NAME(DISK_GARBAGE, "disk_garbage")
    NAME(DISK_SIZE, "disk_size")
    NAME(DISK_DIRECTORY, "disk_directory")
    NAME(DISK_WRITE_BACK, "disk_write_back")
    NAME(DISK_READ_ERROR, "disk_read_error")
    NAME(DISK_WRITE_ERROR, "disk_write_error")
    NAME(DISK_WRITE_ERROR_DONE, "disk_write_error_done")
    NAME(DISK_SHORT, "disk_short")
    NAME(DISK_SHORT_SIZE, "disk_short_size")
    NAME(DISK_INTERRUPT, "disk_interrupt")
    NAME(DISK_FSYNC_ERROR, "disk_fsync_error")
    NAME(DISK_FSYNC_ERROR_FORM, "disk_fsync_error_form")
    NAME(DISK_FSYNC_LIE, "disk_fsync_lie")
    NAME(DISK_LATENCY, "disk_latency")
    NAME(DISK_STALL, "disk_stall")
    NAME(DISK_ROT, "disk_rot")
    NAME(DISK_ROT_WHERE, "disk_rot_where")
    NAME(DISK_MISDIRECT, "disk_misdirect")
    NAME(DISK_MISDIRECT_WHERE, "disk_misdirect_where")
    NAME(DISK_LOST_WRITE, "disk_lost_write")
    NAME(DISK_UNREADABLE, "disk_unreadable")
    NAME(DISK_UNREADABLE_WHERE, "disk_unreadable_where")
    NAME(DISK_WRITE_BACK_NAMES, "disk_write_back_names")
    NAME(NODE_PICK, "node_pick")
    NAME(NODE_CRASH_CALL, "node_crash_call")
    NAME(NODE_ALLOC, "node_alloc")
    NAME(SCENARIO, "scenario")
    NAME(SWARM, "swarm")
    NAME(WORKLOAD_GAP, "workload_gap")
    NAME(WORKLOAD_NODE, "workload_node")
    NAME(WORKLOAD_KEY, "workload_key")
    NAME(WORKLOAD_OPERATION, "workload_operation")
    NAME(WORKLOAD_SIZE, "workload_size")
    NAME(WORKLOAD_HOT, "workload_hot")
    NAME(WORKLOAD_SKIP, "workload_skip")
#undef NAME
  default:
    return kind >= SIM_CHOICE_USER ? "user" : "unknown";
  }
}
