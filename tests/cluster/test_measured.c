/* A cluster that is measured: what is counted is what happens, and nothing happens otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/cluster.h"
#include "cluster/propagation.h"
#include "cluster/settle.h"
#include "cluster/state.h"
#include "cluster/submit.h"
#include "cluster/tally.h"
#include "cluster/workload.h"

#define DELAY_NS (10u * SIM_MS)
#define FSYNC_NS SIM_MS

static struct sim *open_sim(void) {
  static const struct sim_options options = {.fill = SIM_FILL_NONE};
  struct sim *sim = sim_open(&options);
  assert_non_null(sim);
  return sim;
}

static struct cluster *begin(struct sim *sim, bool measured, uint32_t loss_ppm) {
  struct sim_config config = {.source = {.seed = 3}};
  config.link.delay_min_ns = config.link.delay_max_ns = DELAY_NS;
  config.link.loss_ppm = loss_ppm;
  config.disk.fsync_min_ns = config.disk.fsync_max_ns = FSYNC_NS;
  struct cluster_config cluster_config = {.nodes = 3, .topology = CLUSTER_LINE, .measured = measured};
  struct cluster *cluster = cluster_create(sim_world_begin(sim, &config), &cluster_config);
  assert_non_null(cluster);
  return cluster;
}

static void the_way_of_an_operation_is_known_to_the_nanosecond(void **state) {
  (void)state;
  struct sim *sim = open_sim();
  struct cluster *cluster = begin(sim, true, 0);
  sim_run(sim, SIM_SECOND, UINT64_MAX);
  assert_int_equal(cluster_put(cluster, 1, 1, 100), SYNC_OK);
  sim_run(sim, 2 * SIM_SECOND, UINT64_MAX);
  const struct cluster_propagation *propagation = cluster_propagation(cluster);
  assert_int_equal(propagation->durable, 1);
  assert_int_equal(propagation->applications, 2);
  uint64_t durable_ns = propagation->durable_ns[0];
  assert_in_range(durable_ns, SIM_SECOND + FSYNC_NS, SIM_SECOND + 4 * FSYNC_NS); /* a new log's first names */
  assert_int_equal(cluster_applied_ns(propagation, 0, 1), 0);
  assert_int_equal(cluster_applied_ns(propagation, 0, 2), durable_ns + DELAY_NS);
  uint64_t hop_ns = cluster_applied_ns(propagation, 0, 3) - cluster_applied_ns(propagation, 0, 2);
  assert_in_range(hop_ns, DELAY_NS + FSYNC_NS, DELAY_NS + 4 * FSYNC_NS);
  assert_int_equal(cluster_applied_ns(propagation, 1, 3), 0);
  sim_close(sim);
}

static void traffic_is_what_the_engines_count(void **state) {
  (void)state;
  struct sim *sim = open_sim();
  struct cluster *cluster = begin(sim, true, 50000);
  struct cluster_workload workload = {.keys = 8};
  cluster_workload_start(cluster, &workload);
  sim_run(sim, 5 * SIM_SECOND, UINT64_MAX);
  const struct cluster_tally *tally = cluster_tally(cluster);
  struct sync_stats sum = {0};
  for (uint32_t i = 1; i <= 3; i++) {
    struct sync_stats stats;
    assert_true(cluster_node_stats(cluster, i, &stats));
    sum.frames_out += stats.frames_out;
    sum.frames_out_bytes += stats.frames_out_bytes;
    sum.ops_out += stats.ops_out;
    sum.duplicates += stats.duplicates;
    sum.not_yet += stats.not_yet;
    sum.applied_remote += stats.applied_remote;
  }
  assert_true(sum.ops_out > 300 && sum.not_yet > 0);
  assert_int_equal(tally->operations.frames + tally->blocks.frames + tally->talk.frames, sum.frames_out);
  assert_int_equal(tally->operations.bytes + tally->blocks.bytes + tally->talk.bytes, sum.frames_out_bytes);
  assert_int_equal(tally->sends, sum.ops_out);
  assert_int_equal(tally->sends_down, 0);
  const struct cluster_propagation *propagation = cluster_propagation(cluster);
  assert_int_equal(propagation->applications, sum.applied_remote);
  assert_int_equal(propagation->duplicates, sum.duplicates);
  assert_int_equal(propagation->early, sum.not_yet);
  cluster_tally_reset(cluster);
  assert_int_equal(tally->talk.bytes, 0);
  sim_close(sim);
}

static void what_goes_to_a_node_without_power_and_comes_twice_is_told_apart(void **state) {
  (void)state;
  struct sim *sim = open_sim();
  struct cluster *cluster = begin(sim, true, 0);
  struct sim_disk_config disk = *sim_disk_config(sim_node_disk(sim_node_at(sim_world(sim), 3)));
  disk.on_crash = SIM_DISK_STRICT;
  sim_disk_configure(sim_node_disk(sim_node_at(sim_world(sim), 3)), &disk);
  sim_run(sim, SIM_SECOND, UINT64_MAX);
  assert_int_equal(cluster_put(cluster, 2, 1, 100), SYNC_OK);
  const struct cluster_propagation *propagation = cluster_propagation(cluster);
  while (!cluster_applied_ns(propagation, 0, 3))
    sim_run(sim, UINT64_MAX, 1);
  uint64_t applied_ns = cluster_applied_ns(propagation, 0, 3);
  sim_node_power_loss(sim_world(sim), 3); /* before its fsync */
  assert_int_equal(cluster_put(cluster, 2, 2, 100), SYNC_OK);
  sim_run(sim, 2 * SIM_SECOND, UINT64_MAX);
  assert_int_equal(cluster_tally(cluster)->sends_down, 1);
  sim_node_boot(sim_world(sim), 3);
  cluster_settle(sim, cluster, 60 * SIM_SECOND);
  cluster_judge(cluster);
  assert_false(sim_violation_get(sim_world(sim))->found);
  assert_int_equal(propagation->applications, 4);
  assert_int_equal(propagation->applied_again, 1);
  assert_int_equal(cluster_applied_ns(propagation, 0, 3), applied_ns);
  sim_close(sim);
}

static void measuring_changes_no_run(void **state) {
  (void)state;
  struct sim *sim = open_sim();
  uint64_t hashes[2];
  for (int measured = 0; measured < 2; measured++) {
    struct cluster *cluster = begin(sim, measured != 0, 50000);
    struct cluster_workload workload = {.keys = 8};
    cluster_workload_start(cluster, &workload);
    sim_run(sim, 5 * SIM_SECOND, UINT64_MAX);
    hashes[measured] = sim_trace_hash(sim_world(sim));
  }
  assert_true(hashes[0] == hashes[1]);
  sim_close(sim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_way_of_an_operation_is_known_to_the_nanosecond),
      cmocka_unit_test(traffic_is_what_the_engines_count),
      cmocka_unit_test(what_goes_to_a_node_without_power_and_comes_twice_is_told_apart),
      cmocka_unit_test(measuring_changes_no_run),
  };
  return cmocka_run_group_tests_name("measured", tests, NULL, NULL) != 0;
}
