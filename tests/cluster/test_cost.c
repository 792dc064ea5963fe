/* What the oracles look at while a run goes on grows with what happens, not with
 * what is there: a run four times as long costs four times as much. Counted are the
 * log records, keys and outbox entries that they visit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cluster/cluster.h"
#include "cluster/lookup.h"
#include "cluster/state.h"
#include "cluster/workload.h"

/* `away`: the third node is down all the while, so that what it is owed grows. */
static uint64_t looked_in(uint64_t seconds, uint32_t keys, bool away) {
  struct sim *sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
  struct sim_config config = {.source = {.seed = 5}, .link = {.delay_min_ns = SIM_MS, .delay_max_ns = 20 * SIM_MS}};
  struct cluster_config cluster_config = {.nodes = 3};
  struct cluster_workload workload = {.keys = keys, .interval_ns = 50 * SIM_MS, .deletes_ppm = 100000};
  struct cluster *cluster = cluster_create(sim_world_begin(sim, &config), &cluster_config);
  assert_non_null(cluster);
  if (away) sim_node_power_loss(cluster->world, 3);
  cluster_workload_start(cluster, &workload);
  sim_run(sim, seconds * SIM_SECOND, UINT64_MAX);
  assert_false(cluster_violated(cluster));
  assert_true(cluster->ledger.promised > seconds * 8u);
  uint64_t looked = cluster->looked;
  sim_close(sim);
  return looked;
}

static void assert_linear(uint32_t keys, bool away) {
  uint64_t once = looked_in(100, keys, away), four_times = looked_in(400, keys, away);
  print_message("%llu and %llu visits\n", (unsigned long long)once, (unsigned long long)four_times);
  assert_true(once > 1000 && four_times < 5u * once);
}

static void looking_costs_what_happens(void **state) {
  (void)state;
  assert_linear(16, false);
}
static void looking_costs_what_happens_though_keys_grow_in_number(void **state) {
  (void)state;
  assert_linear(100000, false);
}
static void looking_costs_what_happens_though_more_and_more_is_owed(void **state) {
  (void)state;
  assert_linear(100000, true);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(looking_costs_what_happens),
      cmocka_unit_test(looking_costs_what_happens_though_keys_grow_in_number),
      cmocka_unit_test(looking_costs_what_happens_though_more_and_more_is_owed),
  };
  return cmocka_run_group_tests_name("cost", tests, NULL, NULL) != 0;
}
