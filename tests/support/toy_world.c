#include "tests/support/toy_world.h"

struct sim *toy_sim_open(uintptr_t base, unsigned fill) {
  struct sim_options options = {.arena_bytes = 64u << 20, .arena_base = base, .fill = fill};
  return sim_open(&options);
}

struct sim_config toy_world_config(uint64_t seed) {
  struct sim_config config = {
      .source = {.seed = seed},
      .link = {.delay_min_ns = SIM_MS,
               .delay_max_ns = 20 * SIM_MS,
               .loss_ppm = 20000,
               .duplicate_ppm = 20000,
               .reorder_ppm = 20000,
               .corrupt_ppm = 10000,
               .truncate_ppm = 10000,
               .slow_ppm = 1000},
      .shuffle = true,
  };
  return config;
}

struct toy_config toy_world_toy(void) {
  struct toy_config toy = {.peers = 5, .burst = 2, .hops = 20, .period_ns = 7 * SIM_MS, .persist = true};
  return toy;
}

static void crash_and_restart(struct sim_world *world, void *self, uint64_t token) {
  (void)self;
  uint32_t victim = 1 + (uint32_t)sim_pick(world, sim_tag(SIM_CHOICE_SCENARIO, 0, 1), sim_node_count(world));
  if (token == 0) {
    sim_node_power_loss(world, victim);
  } else {
    (void)sim_node_boot(world, victim);
  }
}

struct sim_world *toy_world_begin(struct sim *sim, const struct sim_config *config, uint32_t nodes) {
  struct sim_world *world = sim_world_begin(sim, config);
  if (world == NULL) return NULL;
  struct toy_config toy = toy_world_toy();
  toy.peers = nodes;
  for (uint32_t i = 0; i < nodes; i++) {
    uint32_t number = sim_node_add(world, &toy_node_kind, &toy, sizeof toy);
    if (number == 0 || !sim_node_boot(world, number)) return NULL;
  }
  uint32_t driver = sim_driver_add(world, crash_and_restart, NULL);
  sim_driver_at(world, driver, 40 * SIM_MS, 0);
  sim_driver_at(world, driver, 60 * SIM_MS, 1);
  return world;
}

uint64_t toy_world_run(struct sim *sim, const struct sim_config *config, uint32_t nodes, uint64_t until_ns) {
  struct sim_world *world = toy_world_begin(sim, config, nodes);
  if (world == NULL) return 0;
  (void)sim_run(sim, until_ns, UINT64_MAX);
  return sim_trace_hash(world);
}
