/* The engine in a world, driven from C: everything holds, and each oracle
 * fires when the world breaks its property. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/cluster.h"
#include "cluster/model.h"
#include "cluster/oracle.h"
#include "cluster/settle.h"
#include "cluster/state.h"
#include "cluster/submit.h"
#include "cluster/workload.h"
#include "cluster/replica.h"

static struct sim *open_sim(void) {
  static const struct sim_options options = {.fill = SIM_FILL_NONE};
  struct sim *sim = sim_open(&options);
  assert_non_null(sim);
  return sim;
}

static struct cluster *begin(struct sim *sim, uint64_t seed, enum cluster_topology topology, uint32_t loss_ppm) {
  struct sim_config config = {.source = {.seed = seed}};
  config.link.delay_min_ns = SIM_MS;
  config.link.delay_max_ns = 20 * SIM_MS;
  config.link.loss_ppm = loss_ppm;
  config.link.duplicate_ppm = loss_ppm;
  config.link.reorder_ppm = loss_ppm;
  struct sim_world *world = sim_world_begin(sim, &config);
  struct cluster_config cluster_config = {.nodes = 3, .topology = topology};
  struct cluster *cluster = cluster_create(world, &cluster_config);
  assert_non_null(cluster);
  return cluster;
}

static void expect_held(struct sim *sim) {
  const struct sim_violation *violation = sim_violation_get(sim_world(sim));
  if (violation->found) print_message("%s: %s\n", violation->property, violation->detail);
  assert_false(violation->found);
}

static void expect_violation(struct sim *sim, const char *property) {
  const struct sim_violation *violation = sim_violation_get(sim_world(sim));
  assert_true(violation->found);
  assert_string_equal(violation->property, property);
}

static void three_replicas_converge_over_a_poor_network_with_crashes(void **state) {
  (void)state;
  struct sim *sim = open_sim();
  for (uint64_t seed = 1; seed <= 20; seed++) {
    struct cluster *cluster = begin(sim, seed, seed % 2 ? CLUSTER_MESH : CLUSTER_LINE, 50000);
    struct cluster_workload workload = {
        .keys = 8, .interval_ns = 10 * SIM_MS, .deletes_ppm = 100000, .batch_ppm = 50000};
    cluster_workload_start(cluster, &workload);
    for (uint64_t i = 1; i <= 6; i++) {
      sim_run(sim, i * SIM_SECOND, UINT64_MAX);
      uint32_t node = (uint32_t)(i % 3u) + 1u;
      if (i % 2)
        sim_node_power_loss(sim_world(sim), node);
      else
        sim_node_process_crash(sim_world(sim), node);
      sim_run(sim, i * SIM_SECOND + 200 * SIM_MS, UINT64_MAX);
      sim_node_boot(sim_world(sim), node);
    }
    cluster_settle(sim, cluster, 120 * SIM_SECOND);
    cluster_judge(cluster);
    expect_held(sim);
    struct cluster_stats stats;
    cluster_stats(cluster, &stats);
    assert_true(stats.promised > 300);
  }
  sim_close(sim);
}

static void a_promise_made_too_early_is_caught_by_durability(void **state) {
  (void)state;
  struct sim *sim = open_sim();
  struct cluster *cluster = begin(sim, 1, CLUSTER_MESH, 0);
  sim_run(sim, SIM_SECOND, UINT64_MAX);
  cluster->config.promise_at_submit = true;
  struct sim_disk_config disk = *sim_disk_config(sim_node_disk(sim_node_at(sim_world(sim), 1)));
  disk.on_crash = SIM_DISK_STRICT;
  sim_disk_configure(sim_node_disk(sim_node_at(sim_world(sim), 1)), &disk);
  assert_int_equal(cluster_put(cluster, 1, 3, 20), SYNC_OK);
  sim_node_power_loss(sim_world(sim), 1);
  sim_node_boot(sim_world(sim), 1);
  expect_violation(sim, CLUSTER_DURABILITY);
  sim_close(sim);
}

static void a_link_that_stays_cut_is_caught_by_convergence(void **state) {
  (void)state;
  struct sim *sim = open_sim();
  struct cluster *cluster = begin(sim, 1, CLUSTER_LINE, 0);
  sim_link_cut(sim_world(sim), 2, 3);
  assert_int_equal(cluster_put(cluster, 1, 3, 20), SYNC_OK);
  sim_run(sim, 60 * SIM_SECOND, UINT64_MAX);
  cluster_judge(cluster);
  expect_violation(sim, CLUSTER_CONVERGENCE);
  sim_close(sim);
}

static void a_cut_way_back_is_caught_by_the_drained_outbox(void **state) {
  (void)state;
  struct sim *sim = open_sim();
  struct cluster *cluster = begin(sim, 1, CLUSTER_LINE, 0);
  sim_run(sim, 2 * SIM_SECOND, UINT64_MAX);
  assert_int_equal(cluster_put(cluster, 2, 3, 20), SYNC_OK);
  sim_link_cut(sim_world(sim), 3, 2);
  sim_run(sim, 60 * SIM_SECOND, UINT64_MAX);
  cluster_judge(cluster);
  expect_violation(sim, CLUSTER_DRAINED);
  sim_close(sim);
}

static void a_traced_second_application_is_caught_by_exactly_once(void **state) {
  (void)state;
  struct sim *sim = open_sim();
  struct cluster *cluster = begin(sim, 1, CLUSTER_MESH, 0);
  assert_int_equal(cluster_put(cluster, 2, 3, 20), SYNC_OK);
  sim_run(sim, SIM_SECOND, UINT64_MAX);
  expect_held(sim);
  uint64_t fields[] = {cluster->nodes[2].hash, cluster->ledger.lives[cluster->nodes[2].life].incarnation, 1, 0, 0};
  cluster_traced(sim_world(sim), cluster, 1, SYNC_TRACE_APPLY, fields, 5);
  expect_violation(sim, CLUSTER_EXACTLY_ONCE);
  sim_close(sim);
}

static void an_operation_that_the_ledger_does_not_have_is_a_phantom(void **state) {
  (void)state;
  struct sim *sim = open_sim();
  struct cluster *cluster = begin(sim, 1, CLUSTER_MESH, 0);
  assert_int_equal(cluster_put(cluster, 2, 3, 20), SYNC_OK);
  sim_run(sim, SIM_SECOND, UINT64_MAX); /* the log has its name */
  struct ledger_life *life = &cluster->ledger.lives[cluster->nodes[2].life];
  life->count = 0;
  replica_begin(cluster, 2);
  expect_violation(sim, CLUSTER_PHANTOM);
  sim_close(sim);
}

static void a_change_that_the_model_expects_and_the_replica_lacks_is_caught(void **state) {
  (void)state;
  struct sim *sim = open_sim();
  struct cluster *cluster = begin(sim, 1, CLUSTER_MESH, 0);
  assert_int_equal(cluster_put(cluster, 2, 3, 20), SYNC_OK);
  assert_int_equal(cluster_put(cluster, 2, 3, 20), SYNC_OK);
  sim_run(sim, SIM_SECOND, UINT64_MAX);      /* the log has its name */
  cluster->ledger.changes[1].seen_count = 0; /* as if the second write had not seen the first */
  replica_begin(cluster, 2);
  cluster_check_model(cluster, 2);
  expect_violation(sim, CLUSTER_CONVERGENCE);
  sim_close(sim);
}

static void the_same_seed_gives_the_same_trace_hash(void **state) {
  (void)state;
  struct sim *sim = open_sim();
  uint64_t hashes[3];
  for (size_t i = 0; i < 3; i++) {
    struct cluster *cluster = begin(sim, i == 2 ? 8 : 7, CLUSTER_MESH, 10000);
    struct cluster_workload workload = {.keys = 8};
    cluster_workload_start(cluster, &workload);
    sim_run(sim, 3 * SIM_SECOND, UINT64_MAX);
    hashes[i] = sim_trace_hash(sim_world(sim));
  }
  assert_true(hashes[0] == hashes[1]);
  assert_true(hashes[0] != hashes[2]);
  sim_close(sim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(three_replicas_converge_over_a_poor_network_with_crashes),
      cmocka_unit_test(a_promise_made_too_early_is_caught_by_durability),
      cmocka_unit_test(a_link_that_stays_cut_is_caught_by_convergence),
      cmocka_unit_test(a_cut_way_back_is_caught_by_the_drained_outbox),
      cmocka_unit_test(a_traced_second_application_is_caught_by_exactly_once),
      cmocka_unit_test(an_operation_that_the_ledger_does_not_have_is_a_phantom),
      cmocka_unit_test(a_change_that_the_model_expects_and_the_replica_lacks_is_caught),
      cmocka_unit_test(the_same_seed_gives_the_same_trace_hash),
  };
  return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
