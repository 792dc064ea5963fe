/* Worlds that no scenario describes: everything about them, number of nodes,
 * topology, engine options, faults and the script, is drawn from the seed.
 * RANDOM_WORLDS=N in the environment runs N seeds instead of a few. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/cluster.h"
#include "cluster/configure.h"
#include "cluster/lookup.h"
#include "cluster/policies.h"
#include "cluster/replace.h"
#include "cluster/settle.h"
#include "cluster/state.h"
#include "cluster/workload.h"

#define WORLDS 60u
#define FAULTS_END_NS (12 * SIM_SECOND)

/* The test's own chance: apart from the world's, so that a change in the world
 * leaves the script as it was. */
static uint64_t below(uint64_t *state, uint64_t n) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state % n;
}
static uint32_t share(uint64_t *state, uint32_t ppm_max) {
  return below(state, 2) ? (uint32_t)below(state, ppm_max) : 0;
}

static struct sim_config random_config(uint64_t seed, uint64_t *chance) {
  struct sim_config config = {.source = {.seed = seed}};
  config.shuffle = below(chance, 3) == 0;
  config.link.delay_min_ns = SIM_MS;
  config.link.delay_max_ns = (1 + below(chance, 60)) * SIM_MS;
  config.link.loss_ppm = share(chance, 150000);
  config.link.duplicate_ppm = share(chance, 100000);
  config.link.reorder_ppm = share(chance, 100000);
  config.link.corrupt_ppm = share(chance, 20000);
  config.link.truncate_ppm = share(chance, 20000);
  config.link.slow_ppm = share(chance, 10000);
  config.disk.on_crash = (enum sim_disk_on_crash)below(chance, 3);
  config.disk.short_ppm = share(chance, 20000);
  config.disk.interrupt_ppm = share(chance, 20000);
  config.disk.write_back_ppm = share(chance, 200000);
  config.disk.write_error_ppm = share(chance, 3000);
  config.disk.fsync_error_ppm = share(chance, 3000);
  config.disk.read_error_ppm = share(chance, 1000);
  return config;
}

/* Some policy for keys that begin so: all, ten of them, one. */
static enum cluster_policy random_policy(uint64_t *chance, const char **prefix) {
  static const char *const prefixes[] = {"", "", "key-0000000", "key-0000001", "key-00000003"};
  *prefix = prefixes[below(chance, 5)];
  return (enum cluster_policy)below(chance, CLUSTER_POLICY_COUNT);
}

/* Worlds differ in how far their nodes agree on policies; a third has none. */
static void random_policies(struct cluster_node_options *nodes, struct cluster_config *config, uint64_t *chance) {
  const char *prefix;
  uint64_t sort = below(chance, 3);
  for (uint32_t i = 0; sort > 0 && i < 3; i++) {
    enum cluster_policy policy = random_policy(chance, &prefix);
    assert_true(policies_put(&config->policies, prefix, strlen(prefix), policy));
  }
  for (uint32_t i = 0; i < config->nodes; i++) {
    enum cluster_policy policy = random_policy(chance, &prefix);
    nodes[i] = (struct cluster_node_options){.has_policies = true, .policies = config->policies};
    if (sort == 2) assert_true(policies_put(&nodes[i].policies, prefix, strlen(prefix), policy));
  }
  config->node_options = nodes;
}

static struct cluster *random_cluster(struct sim_world *world, uint64_t *chance, uint64_t *policies) {
  struct cluster_node_options nodes[8];
  struct cluster_config config = {.nodes = 2 + (uint32_t)below(chance, 4),
                                  .topology = (enum cluster_topology)below(chance, 4)};
  if (below(chance, 2)) config.engine.segment_bytes = 4096 + below(chance, 20000);
  if (below(chance, 2)) sync_options_fast(&config.engine);
  if (below(chance, 4)) config.engine.snapshot_bytes = 2048 + below(chance, 30000);
  if (below(chance, 2)) config.engine.retain_bytes = 1 + below(chance, 20000);
  if (below(chance, 4)) config.engine.sweep_interval_ns = (20 + below(chance, 1000)) * SIM_MS;
  random_policies(nodes, &config, policies);
  struct cluster *cluster = cluster_create(world, &config);
  assert_non_null(cluster);
  struct cluster_workload workload = {.keys = 1 + (uint32_t)below(chance, 40),
                                      .interval_ns = (5 + below(chance, 30)) * SIM_MS,
                                      .deletes_ppm = share(chance, 400000),
                                      .batch_ppm = 100000,
                                      .value_bytes_max = 16 + (uint32_t)below(chance, 200)};
  cluster_workload_start(cluster, &workload);
  return cluster;
}

static void trouble(struct cluster *cluster, uint64_t *chance) {
  struct sim_world *world = cluster->world;
  uint32_t nodes = cluster_nodes(cluster);
  uint32_t one = 1 + (uint32_t)below(chance, nodes), other = 1 + (uint32_t)below(chance, nodes);
  enum sim_node_state state = sim_node_state(sim_node_at(world, one));
  if (state == SIM_NODE_DOWN || state == SIM_NODE_REFUSED) {
    if (below(chance, 3) == 0) sim_node_arm(world, one, 1 + below(chance, 60), below(chance, 2) != 0);
    sim_node_boot(world, one);
    return;
  }
  switch (below(chance, 10)) {
  case 0:
    sim_node_power_loss(world, one);
    break;
  case 1:
    sim_node_process_crash(world, one);
    break;
  case 2:
  case 3:
    sim_node_arm(world, one, 1 + below(chance, 300), below(chance, 3) == 0);
    break;
  case 4:
    if (one != other) sim_link_cut(world, one, other);
    break;
  case 5:
    sim_link_heal_all(world);
    break;
  case 6:
    sim_node_pause(world, one);
    break;
  case 7:
    sim_node_resume(world, one);
    break;
  case 8:
    sim_clock_step(world, one, (int64_t)below(chance, 4 * SIM_SECOND) - (int64_t)(2 * SIM_SECOND));
    break;
  default:
    if (below(chance, 3)) {
      sim_node_fail_alloc(world, one, 1 + below(chance, 50));
    } else {
      sim_node_power_loss(world, one);
      cluster_wipe(cluster, one);
    }
  }
}

/* A policy changes, in some worlds now and then. */
static void change_policy(struct cluster *cluster, uint64_t *policies, uint64_t seed) {
  const char *prefix;
  if (seed % 3 != 0 || below(policies, 4)) return;
  enum cluster_policy policy = random_policy(policies, &prefix);
  uint32_t node = 1 + (uint32_t)below(policies, cluster_nodes(cluster));
  int status = cluster_policy_set(cluster, node, prefix, strlen(prefix), policy);
  (void)status; /* it may be down, or without memory */
}

static uint64_t worlds_asked_for(void) {
  const char *text = getenv("RANDOM_WORLDS");
  return text == NULL ? WORLDS : strtoull(text, NULL, 10);
}

static void no_random_world_breaks_a_promise(void **state) {
  (void)state;
  static const struct sim_options options = {.fill = SIM_FILL_NONE};
  struct sim *sim = sim_open(&options);
  assert_non_null(sim);
  for (uint64_t seed = 1; seed <= worlds_asked_for(); seed++) {
    uint64_t chance = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    for (int i = 0; i < 4; i++)
      (void)below(&chance, 2);
    struct sim_config config = random_config(seed, &chance);
    uint64_t policies = seed * UINT64_C(0xbf58476d1ce4e5b9) + 1; /* apart, so that all else is as it was */
    struct cluster *cluster = random_cluster(sim_world_begin(sim, &config), &chance, &policies);
    for (uint64_t time = 0; time < FAULTS_END_NS;) {
      time += (50 + below(&chance, 900)) * SIM_MS;
      if (sim_run(sim, time, UINT64_MAX) == SIM_END_VIOLATION) break;
      trouble(cluster, &chance);
      change_policy(cluster, &policies, seed);
    }
    cluster_settle(sim, cluster, 120 * SIM_SECOND);
    cluster_judge(cluster);
    const struct sim_violation *violation = sim_violation_get(sim_world(sim));
    if (violation->found)
      print_error("seed %llu: %s: %s\n", (unsigned long long)seed, violation->property, violation->detail);
    assert_false(violation->found);
  }
  sim_close(sim);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(no_random_world_breaks_a_promise)};
  return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
